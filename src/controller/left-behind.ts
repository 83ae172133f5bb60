// What minted credentials leave at a cloud is removed when nothing in the cluster uses it any more: after a new one has reached every
// Secret, and when no rule wants it. What may be there is remembered in the master copy, since the rule may be gone by then.
import { disposition } from '../core/errors.ts';
import { isRecord } from '../core/records.ts';
import { keyOf, requestKey } from '../core/source.ts';
import type { CredentialRequest, EpochMs, ObservedSecret } from '../core/types.ts';
import type { MintedRequest, Revocations } from '../credentials/revocation.ts';
import type { PassObserver } from './pass-world.ts';

export interface LeftBehindOptions {
  readonly revocations: Revocations;
  /** Those in force; undefined = not known. */
  readonly requests: () => readonly CredentialRequest[] | undefined;
  /** What the store holds for a cache key. */
  readonly current: (cacheKey: string) => { readonly id?: string | undefined; readonly issuedAt: EpochMs } | undefined;
  /** Our Secrets in the cluster. */
  readonly secrets: () => Iterable<Pick<ObservedSecret, 'entries'>>;
  /** True while namespaces wait for their turn. */
  readonly isBusy: () => boolean;
  /** What is remembered has changed. */
  readonly onChanged: () => void;
  readonly onRevoked: (cacheKey: string, ids: readonly string[]) => void;
  readonly onFailure: (cacheKey: string, error: unknown) => void;
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** How long nothing may happen before it is looked, milliseconds. */
const QUIET_MS = 1_000;

/** How long after a failure it is tried again, milliseconds; what nobody can help soon waits longer. */
const RETRY_MS = { soon: 60_000, late: 600_000 } as const;

/** Most that is remembered: more than any configuration has. */
const MAX_REMEMBERED = 2_000;

interface Remembered {
  readonly request: MintedRequest;
  /** The id that was kept when it was looked last; undefined = never looked. */
  kept: string | undefined;
}

interface Removable {
  readonly remembered: Remembered;
  /** undefined = all goes. */
  readonly keep: string | undefined;
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

  /** Takes over what an earlier `snapshot` held; nonsense is left out. */
  load(text: string | undefined): void {
    for (const request of parseMinted(text)) if (this.#options.revocations.mints(request)) this.#remember(request);
  }

  /** Something happened after which something may have to go. Costs little. */
  changed(): void {
    const { requests, revocations, onChanged } = this.#options;
    const news = (requests() ?? []).filter(
      (request) => !this.#remembered.has(request.cacheKey) && revocations.mints(request),
    );
    for (const request of news) this.#remember(request);
    // Remembered before anything is minted: what is lost on the way must be found again.
    if (news.length > 0) onChanged();
    if (this.#remembered.size > 0) this.#woken.resolve(undefined);
  }

  /** Hears of every pass on the way to `observer`. */
  observing(observer: PassObserver): PassObserver {
    return {
      ...observer,
      onPlan: (namespace, plan) => {
        this.changed();
        observer.onPlan(namespace, plan);
      },
      onWrite: (write) => {
        this.changed();
        observer.onWrite(write);
      },
    };
  }

  /** Removes until aborted; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { isBusy, pause } = this.#options;
    let retryMs: number | undefined;
    for (;;) {
      const ended = new AbortController();
      const until = AbortSignal.any([signal, ended.signal]);
      const aborted = new Promise((resolve) => until.addEventListener('abort', resolve, { once: true }));
      const again = retryMs === undefined ? [] : [pause(retryMs, until)];
      await Promise.race([this.#woken.promise, aborted, ...again]);
      ended.abort();
      if (signal.aborted) return;
      this.#woken = Promise.withResolvers<undefined>();
      await pause(QUIET_MS, signal);
      if (isBusy()) this.#woken.resolve(undefined);
      else retryMs = await this.#remove(signal);
    }
  }

  /** When to try again, milliseconds; undefined = nothing failed. */
  async #remove(signal: AbortSignal): Promise<number | undefined> {
    const { revocations, onRevoked, onFailure, onChanged } = this.#options;
    let retryMs: number | undefined;
    for (const { remembered, keep } of this.#removable()) {
      const { request } = remembered;
      try {
        const ids = await revocations.revoke(request, keep, signal);
        remembered.kept = keep;
        if (keep === undefined) this.#remembered.delete(request.cacheKey);
        if (ids.length > 0) onRevoked(request.cacheKey, ids);
        if (keep === undefined) onChanged();
      } catch (error) {
        if (signal.aborted) return undefined;
        onFailure(request.cacheKey, error);
        const waitMs = disposition(error).kind === 'retry' ? RETRY_MS.soon : RETRY_MS.late;
        retryMs = Math.min(retryMs ?? waitMs, waitMs);
      }
    }
    return retryMs;
  }

  #removable(): readonly Removable[] {
    const { requests, current, secrets } = this.#options;
    const wanted = requests();
    if (wanted === undefined) return [];
    const inForce = new Map(wanted.map((request) => [request.cacheKey, request]));
    const oldest = oldestEntries(secrets());
    return [...this.#remembered.values()].flatMap((remembered): readonly Removable[] => {
      const { request, kept } = remembered;
      const oldestAt = oldest.get(requestKey({ ...request, hosts: undefined }));
      if (!inForce.has(request.cacheKey)) return oldestAt === undefined ? [{ remembered, keep: undefined }] : [];
      const held = current(request.cacheKey);
      const isEverywhere = held !== undefined && (oldestAt ?? held.issuedAt) >= held.issuedAt;
      return held?.id !== undefined && isEverywhere && kept !== held.id ? [{ remembered, keep: held.id }] : [];
    });
  }

  #remember({ provider, target, cacheKey }: MintedRequest): void {
    if (this.#remembered.size >= MAX_REMEMBERED) return;
    this.#remembered.set(cacheKey, { request: { provider, target, cacheKey }, kept: undefined });
  }
}

/** Reads what `snapshot` gave, as if anybody had written it. */
export function parseMinted(text: string | undefined): readonly MintedRequest[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text ?? '[]');
  } catch {
    return [];
  }
  const listed: readonly unknown[] = Array.isArray(parsed) ? parsed.slice(0, MAX_REMEMBERED) : [];
  return listed.flatMap((one) => {
    if (!isRecord(one) || typeof one.provider !== 'string' || typeof one.cacheKey !== 'string') return [];
    return [{ provider: one.provider, target: one.target, cacheKey: one.cacheKey }];
  });
}

/** When the oldest entry in any Secret was issued, by the digest of its cache key. */
function oldestEntries(secrets: Iterable<Pick<ObservedSecret, 'entries'>>): ReadonlyMap<string, EpochMs> {
  const oldest = new Map<string, EpochMs>();
  for (const { entries } of secrets) {
    for (const { source, issuedAt } of Object.values(entries ?? {})) {
      const key = keyOf(source);
      oldest.set(key, Math.min(oldest.get(key) ?? issuedAt, issuedAt));
    }
  }
  return oldest;
}
