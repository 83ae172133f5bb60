// What minted credentials leave at a cloud is removed when nothing in the cluster uses it any more: after a new one has reached every
// Secret, and when no rule wants it. What may be there is remembered in the master copy, since the rule may be gone by then.
import { disposition } from '../core/errors.ts';
import { keyOf, requestKey } from '../core/source.ts';
import type { EpochMs, ObservedSecret } from '../core/types.ts';
import type { MintedRequest, Revocations } from '../credentials/revocation.ts';
import type { InForce } from './in-force.ts';
import { MAX_REMEMBERED, parseMinted } from './minted.ts';
import { aborted } from './until.ts';

export interface LeftBehindOptions {
  readonly revocations: Revocations;
  /** What is wanted; what nobody seems to want stays while not all of it is known. */
  readonly inForce: Pick<InForce, 'requests' | 'areAllKnown'>;
  /** What the store holds for a cache key. */
  readonly current: (cacheKey: string) => { readonly id?: string | undefined; readonly issuedAt: EpochMs } | undefined;
  /** Our Secrets in the cluster. */
  readonly secrets: () => Iterable<Pick<ObservedSecret, 'entries'>>;
  /** True while namespaces wait for their turn, Secrets may not be read, or a restart would not know of what is held. */
  readonly isBusy: () => boolean;
  /** What is remembered has changed. */
  readonly onChanged: () => void;
  readonly onRevoked: (cacheKey: string, ids: readonly string[]) => void;
  readonly onFailure: (cacheKey: string, error: unknown) => void;
  readonly now: () => EpochMs;
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** How long nothing may happen before it is looked, milliseconds. */
const QUIET_MS = 1_000;

/** How long after a failure it is tried again, milliseconds; what nobody can help soon waits longer. */
const RETRY_MS = { soon: 60_000, late: 600_000 } as const;

interface Remembered {
  readonly request: MintedRequest;
  /** The id that was kept when it was looked last; undefined = never looked. */
  kept: string | undefined;
  /** An attempt failed since then: what it made may be there although nobody has it. */
  suspect: boolean;
  /** Not before, after a failure. */
  retryAt: EpochMs | undefined;
}

interface Removable {
  readonly remembered: Remembered;
  readonly isWanted: boolean;
  /** undefined = all goes. */
  readonly keep: string | undefined;
}

/** When the entries of all Secrets for one request were issued. */
interface Issued {
  readonly first: EpochMs;
  readonly last: EpochMs;
}

/** Remembers what may be left behind, and removes it while `run` runs. */
export class LeftBehind {
  readonly #options: LeftBehindOptions;
  readonly #remembered = new Map<string, Remembered>();
  #woken = Promise.withResolvers<undefined>();

  constructor(options: LeftBehindOptions) {
    this.#options = options;
  }

  /** What is remembered, for the master copy; undefined = nothing. Holds no secret. */
  snapshot(): string | undefined {
    const requests = [...this.#remembered.values()].map(({ request }) => request);
    const sorted = requests.toSorted((a, b) => (a.cacheKey < b.cacheKey ? -1 : 1));
    return sorted.length === 0 ? undefined : JSON.stringify(sorted);
  }

  /** Takes over what an earlier `snapshot` held, in the place of what was remembered before others led; nonsense is left out. */
  load(text: string | undefined): void {
    this.#remembered.clear();
    for (const request of parseMinted(text)) this.#remember(request);
  }

  /** Other requests are in force: remembered before anything is made, so that what is lost on the way is found again. */
  rulesChanged(): void {
    const before = this.#remembered.size;
    for (const request of this.#options.inForce.requests() ?? []) this.#remember(request);
    if (this.#remembered.size > before) this.#options.onChanged();
    this.changed();
  }

  /** An attempt to obtain a credential failed: its answer may have got lost after something was made. */
  attemptFailed(cacheKey: string): void {
    const remembered = this.#remembered.get(cacheKey);
    if (remembered === undefined) return;
    remembered.suspect = true;
    this.changed();
  }

  /** Something happened after which something may have to go. Costs nothing. */
  changed(): void {
    if (this.#remembered.size > 0) this.#woken.resolve(undefined);
  }

  /** Removes until aborted; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { isBusy, pause } = this.#options;
    for (;;) {
      await this.#untilWoken(signal);
      this.#woken = Promise.withResolvers<undefined>();
      await pause(QUIET_MS, signal);
      if (signal.aborted) return;
      if (isBusy()) this.changed();
      else await this.#remove(signal);
    }
  }

  async #untilWoken(signal: AbortSignal): Promise<void> {
    const { now, pause } = this.#options;
    const ended = new AbortController();
    const until = AbortSignal.any([signal, ended.signal]);
    const retries = [...this.#remembered.values()].flatMap(({ retryAt }) => retryAt ?? []);
    const again = retries.length === 0 ? [] : [pause(Math.max(Math.min(...retries) - now(), 0), until)];
    await Promise.race([this.#woken.promise, aborted(until), ...again]);
    ended.abort();
  }

  async #remove(signal: AbortSignal): Promise<void> {
    const { revocations, onRevoked, onFailure, now } = this.#options;
    for (const removable of this.#removable()) {
      const { remembered, keep } = removable;
      const { request } = remembered;
      remembered.retryAt = undefined;
      try {
        const isStill = (): boolean => this.#isStill(removable);
        const ids = await revocations.revoke(request, { keep, isStill, signal });
        if (ids === undefined) this.changed();
        else this.#removed(removable);
        if (ids !== undefined && ids.length > 0) onRevoked(request.cacheKey, ids);
      } catch (error) {
        if (signal.aborted) return;
        const waitMs = disposition(error).kind === 'retry' ? RETRY_MS.soon : RETRY_MS.late;
        remembered.retryAt = now() + waitMs;
        onFailure(request.cacheKey, error);
      }
    }
  }

  #removed({ remembered, isWanted, keep }: Removable): void {
    remembered.kept = keep;
    remembered.suspect = false;
    const { cacheKey } = remembered.request;
    // A rule may want it again by now; and what no rule wants any more since then, something was kept of.
    if (isWanted || this.#isWanted(cacheKey) !== false) return;
    this.#remembered.delete(cacheKey);
    this.#options.onChanged();
  }

  #removable(): readonly Removable[] {
    const { inForce: rules, secrets, now } = this.#options;
    const wanted = rules.requests();
    if (wanted === undefined) return [];
    const mayRemoveAll = rules.areAllKnown();
    const inForce = new Set(wanted.map(({ cacheKey }) => cacheKey));
    const open = [...this.#remembered.values()].filter(
      (remembered) =>
        (remembered.retryAt ?? 0) <= now() &&
        (mayRemoveAll || inForce.has(remembered.request.cacheKey)) &&
        this.#isOpen(remembered, inForce.has(remembered.request.cacheKey)),
    );
    // Reading all Secrets is for when there is something to find out.
    const issued = open.length === 0 ? new Map<string, Issued>() : issuedAt(secrets());
    return open.flatMap((remembered) => {
      const { request } = remembered;
      const isWanted = inForce.has(request.cacheKey);
      const inUse = issued.get(requestKey({ ...request, hosts: undefined }));
      const held = isWanted ? this.#options.current(request.cacheKey) : undefined;
      // What a Secret has that nobody here holds must not go; nor what is newer than what is held.
      const mayGo = inUse === undefined || (inUse.first === held?.issuedAt && inUse.last === held.issuedAt);
      return mayGo ? [{ remembered, isWanted, keep: held?.id }] : [];
    });
  }

  /** False = there is nothing to remove, whatever the Secrets hold. */
  #isOpen({ request, kept, suspect }: Remembered, isWanted: boolean): boolean {
    if (!isWanted) return true;
    const held = this.#options.current(request.cacheKey);
    if (held === undefined) return suspect;
    return held.id !== undefined && (suspect || held.id !== kept);
  }

  #isStill({ remembered: { request }, isWanted, keep }: Removable): boolean {
    if (this.#isWanted(request.cacheKey) !== isWanted || (!isWanted && !this.#options.inForce.areAllKnown()))
      return false;
    const held = this.#options.current(request.cacheKey);
    return !isWanted || (keep === undefined ? held === undefined : held?.id === keep);
  }

  /** undefined = it is not known. */
  #isWanted(cacheKey: string): boolean | undefined {
    return this.#options.inForce.requests()?.some((request) => request.cacheKey === cacheKey);
  }

  #remember({ provider, target, cacheKey }: MintedRequest): void {
    const request = { provider, target, cacheKey };
    if (this.#remembered.has(cacheKey) || this.#remembered.size >= MAX_REMEMBERED) return;
    if (!this.#options.revocations.mints(request)) return;
    this.#remembered.set(cacheKey, { request, kept: undefined, suspect: false, retryAt: undefined });
  }
}

/** By the digest of the cache key. */
function issuedAt(secrets: Iterable<Pick<ObservedSecret, 'entries'>>): ReadonlyMap<string, Issued> {
  const found = new Map<string, Issued>();
  for (const { entries } of secrets) {
    for (const { source, issuedAt: at } of Object.values(entries ?? {})) {
      const key = keyOf(source);
      const { first, last } = found.get(key) ?? { first: at, last: at };
      found.set(key, { first: Math.min(first, at), last: Math.max(last, at) });
    }
  }
  return found;
}
