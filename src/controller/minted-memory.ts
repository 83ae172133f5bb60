// Remembers the requests whose credentials leave something at a cloud: every one that is in force, and of those that no rule has any
// more what was asked for. Bounded: whoever edits a resource again and again must not push out what is really there.
import type { EpochMs } from '../core/types.ts';
import type { MintedRequest, Revocations } from '../credentials/revocation.ts';
import { byWeight, formatMinted, MAX_REMEMBERED, parseMinted, type Left, type MintedEntry } from './minted.ts';

/** One request, and what is known of what it left. */
export interface Remembered extends MintedEntry {
  left: Left;
  /** The id that was kept when it was looked last; undefined = never looked. */
  kept: string | undefined;
  /** An attempt failed since then: what it made may be there although nobody has it. */
  suspect: boolean;
  /** Not before, after a failure. */
  retryAt: EpochMs | undefined;
}

/** The memory. */
export class MintedMemory {
  readonly #toRemember: Revocations['toRemember'];
  readonly #onFull: (cacheKey: string) => void;
  readonly #remembered = new Map<string, Remembered>();
  #isFull = false;

  /** `onFull`: what the request left will not be removed by us; told once until there is room for all again. */
  constructor(of: { readonly toRemember: Revocations['toRemember']; readonly onFull: (cacheKey: string) => void }) {
    this.#toRemember = of.toRemember;
    this.#onFull = of.onFull;
  }

  get size(): number {
    return this.#remembered.size;
  }

  get(cacheKey: string): Remembered | undefined {
    return this.#remembered.get(cacheKey);
  }

  /** What surely left something comes first. */
  all(): readonly Remembered[] {
    return [...this.#remembered.values()].toSorted(byWeight);
  }

  /** Earliest instants at which something is tried again. */
  retries(): readonly EpochMs[] {
    return [...this.#remembered.values()].flatMap(({ retryAt }) => retryAt ?? []);
  }

  /** Undefined when nothing is left behind for it. */
  remember(wanted: MintedRequest, left: Left = 'nothing'): Remembered | undefined {
    const known = this.#remembered.get(wanted.cacheKey);
    if (known !== undefined) return known;
    const request = this.#toRemember(wanted);
    if (request === undefined) return undefined;
    const remembered: Remembered = { request, left, kept: undefined, suspect: false, retryAt: undefined };
    this.#remembered.set(request.cacheKey, remembered);
    return remembered;
  }

  forget(cacheKey: string): void {
    this.#remembered.delete(cacheKey);
  }

  /** Of what is not `wanted`, too much is forgotten: what left nothing first, and of the rest the oldest. */
  bound(wanted: ReadonlySet<string>): void {
    const unwanted = [...this.#remembered.values()].filter(({ request }) => !wanted.has(request.cacheKey));
    const excess = unwanted.length - MAX_REMEMBERED;
    if (excess <= 0) return;
    for (const { request, left } of unwanted.toSorted((a, b) => byWeight(b, a)).slice(0, excess)) {
      this.forget(request.cacheKey);
      if (left !== 'nothing') this.#tellFull(request.cacheKey);
    }
  }

  /** For the master copy; undefined = nothing. Holds no secret. */
  snapshot(): string | undefined {
    const { text, omitted } = formatMinted(this.#remembered.values());
    const lost = omitted.find(({ left }) => left !== 'nothing');
    if (lost !== undefined) this.#tellFull(lost.request.cacheKey);
    else if (this.#remembered.size < MAX_REMEMBERED) this.#isFull = false;
    return text;
  }

  /** Takes over what an earlier `snapshot` held, in the place of what was remembered before; nonsense is left out. */
  load(text: string | undefined): void {
    this.#remembered.clear();
    for (const { request, left } of parseMinted(text)) this.remember(request, left);
  }

  #tellFull(cacheKey: string): void {
    if (!this.#isFull) this.#onFull(cacheKey);
    this.#isFull = true;
  }
}
