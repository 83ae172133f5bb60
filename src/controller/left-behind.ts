// What minted credentials leave at a cloud is removed when nothing in the cluster uses it any more: after a new one has reached every
// Secret, and when no rule wants it. What may be there is remembered in the master copy, since the rule may be gone by then.
import { disposition } from '../core/errors.ts';
import { requestKey } from '../core/source.ts';
import type { EpochMs, ObservedSecret } from '../core/types.ts';
import type { Revocations } from '../credentials/revocation.ts';
import type { InForce } from './in-force.ts';
import { issuedAt, type Issued } from './issued-entries.ts';
import { MintedMemory, type Remembered } from './minted-memory.ts';
import { aborted } from './until.ts';

/** What is told of what credentials left at their clouds: it is gone from there, or could not be removed. */
export interface RevocationObserver {
  readonly onRevoked: (cacheKey: string, ids: readonly string[]) => void;
  readonly onRevocationFailure: (cacheKey: string, error: unknown) => void;
  /** More is left behind than can be remembered: what this one left, among others, will stay. Told once. */
  readonly onRevocationsFull: (cacheKey: string) => void;
}

export interface LeftBehindOptions {
  readonly revocations: Pick<Revocations, 'toRemember' | 'revoke'>;
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
  readonly observer: RevocationObserver;
  readonly now: () => EpochMs;
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** How long nothing may happen before it is looked, milliseconds. */
const QUIET_MS = 1_000;

/** How long after a failure it is tried again, milliseconds; what nobody can help soon waits longer. */
const RETRY_MS = { soon: 60_000, late: 600_000 } as const;

/** Most of what perhaps left nothing that is looked at in one go: each may take a minute, and what is surely there must not wait. */
const DOUBTFUL_AT_ONCE = 10;

interface Removable {
  readonly remembered: Remembered;
  readonly isWanted: boolean;
  /** undefined = all goes. */
  readonly keep: string | undefined;
}

/** Remembers what may be left behind, and removes it while `run` runs. */
export class LeftBehind {
  readonly #options: LeftBehindOptions;
  readonly #memory: MintedMemory;
  #woken = Promise.withResolvers<undefined>();
  /** When it was last looked: what was to be tried again by then was, or waits for a change. */
  #lookedAt: EpochMs = 0;

  constructor(options: LeftBehindOptions) {
    this.#options = options;
    const { revocations, observer } = options;
    this.#memory = new MintedMemory({
      toRemember: (request) => revocations.toRemember(request),
      onFull: observer.onRevocationsFull,
    });
  }

  /** How many credentials left something that could not be removed when it was tried last. */
  get failing(): number {
    const wanted = new Set(this.#options.inForce.requests()?.map(({ cacheKey }) => cacheKey));
    return this.#memory
      .all()
      .filter((one) => one.retryAt !== undefined && this.#isOpen(one, wanted.has(one.request.cacheKey))).length;
  }

  /** What is remembered, for the master copy; undefined = nothing. Holds no secret. */
  snapshot(): string | undefined {
    return this.#memory.snapshot();
  }

  /** Takes over what an earlier `snapshot` held, in the place of what was remembered before others led; nonsense is left out. */
  load(text: string | undefined): void {
    this.#memory.load(text);
  }

  /** Other requests are in force: remembered before anything is made, so that what is lost on the way is found again. */
  rulesChanged(): void {
    const before = this.#memory.size;
    const requests = this.#options.inForce.requests();
    for (const request of requests ?? []) {
      const remembered = this.#memory.remember(request);
      if (remembered !== undefined && this.#holds(request.cacheKey)) remembered.left = 'surely';
    }
    if (requests !== undefined) this.#memory.bound(new Set(requests.map(({ cacheKey }) => cacheKey)));
    if (this.#memory.size !== before) this.#options.onChanged();
    this.changed();
  }

  /** An attempt to obtain a credential ended. When it failed, its answer may have got lost after something was made. */
  attemptEnded(cacheKey: string, hasFailed: boolean): void {
    const remembered = this.#memory.get(cacheKey);
    if (remembered === undefined) return;
    const before = remembered.left;
    if (this.#holds(cacheKey)) remembered.left = 'surely';
    else if (before === 'nothing') remembered.left = 'maybe';
    if (remembered.left !== before) this.#options.onChanged();
    if (!hasFailed) return;
    remembered.suspect = true;
    this.changed();
  }

  /** Something happened after which something may have to go. Costs nothing. */
  changed(): void {
    if (this.#memory.size > 0) this.#woken.resolve(undefined);
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
    const retries = this.#memory.retries().filter((at) => at > this.#lookedAt);
    const again = retries.length === 0 ? [] : [pause(Math.max(Math.min(...retries) - now(), 0), until)];
    await Promise.race([this.#woken.promise, aborted(until), ...again]);
    ended.abort();
  }

  async #remove(signal: AbortSignal): Promise<void> {
    const { revocations, observer, now } = this.#options;
    await this.#forgetUnmade(signal);
    this.#lookedAt = now();
    let doubtful = 0;
    for (const removable of this.#removable()) {
      const { remembered, keep } = removable;
      if (remembered.left !== 'surely') doubtful += 1;
      if (doubtful > DOUBTFUL_AT_ONCE) {
        this.changed();
        return;
      }
      const { request } = remembered;
      remembered.retryAt = undefined;
      try {
        const ids = await revocations.revoke(request, { keep, isStill: () => this.#isStill(removable), signal });
        if (ids === undefined) this.changed();
        else this.#removed(removable);
        if (ids !== undefined && ids.length > 0) observer.onRevoked(request.cacheKey, ids);
      } catch (error) {
        if (signal.aborted) return;
        const waitMs = disposition(error).kind === 'retry' ? RETRY_MS.soon : RETRY_MS.late;
        remembered.retryAt = now() + waitMs;
        observer.onRevocationFailure(request.cacheKey, error);
      }
    }
  }

  /** What no rule has any more, and was never asked for, left nothing: it goes as soon as it is sure that nobody is asking. */
  async #forgetUnmade(signal: AbortSignal): Promise<void> {
    const { revocations, inForce, onChanged } = this.#options;
    const unmade = (): readonly Remembered[] => {
      const requests = inForce.requests();
      const wanted = new Set(requests?.map(({ cacheKey }) => cacheKey));
      return this.#memory
        .all()
        .filter(({ left, request }) => requests !== undefined && left === 'nothing' && !wanted.has(request.cacheKey));
    };
    const before = unmade();
    const nothing = { keep: undefined, isStill: () => false, signal };
    await Promise.allSettled(before.map(({ request }) => revocations.revoke(request, nothing)));
    if (signal.aborted || before.length === 0) return;
    const idle = new Set(before);
    for (const remembered of unmade()) if (idle.has(remembered)) this.#memory.forget(remembered.request.cacheKey);
    onChanged();
  }

  #removed({ remembered, isWanted, keep }: Removable): void {
    remembered.kept = keep;
    remembered.suspect = false;
    const { cacheKey } = remembered.request;
    // A rule may want it again by now; and what no rule wants any more since then, something was kept of.
    if (isWanted || this.#isWanted(cacheKey) !== false) return;
    this.#memory.forget(cacheKey);
    this.#options.onChanged();
  }

  #removable(): readonly Removable[] {
    const { inForce: rules, secrets } = this.#options;
    const wanted = rules.requests();
    if (wanted === undefined) return [];
    const mayRemoveAll = rules.areAllKnown();
    const inForce = new Set(wanted.map(({ cacheKey }) => cacheKey));
    const open = this.#memory
      .all()
      .filter(
        (remembered) =>
          remembered.left !== 'nothing' &&
          (remembered.retryAt ?? 0) <= this.#lookedAt &&
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

  #holds(cacheKey: string): boolean {
    return this.#options.current(cacheKey)?.id !== undefined;
  }
}
