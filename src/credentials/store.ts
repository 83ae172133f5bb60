// Holds the credentials: cache, single flight, keep last good, backoff. The only caller of `fetchCredential`.
import { setTimeout as pause } from 'node:timers/promises';
import type { WantedCredential } from '../core/assess-secret.ts';
import type { CredentialAnswer, CredentialRequest, EpochMs, Failure, Issue, SecretReference } from '../core/types.ts';
import { attempt } from './attempt.ts';
import {
  answerOf,
  describe,
  includesReference,
  isGood,
  mayAskAt,
  newEntry,
  takeOver,
  validOf,
  type Entry,
  type Flight,
  type Look,
} from './entry.ts';
import { Identities } from './identities.ts';
import { compare } from './look.ts';
import { fail, readsOf, sourcesOf, succeed, unusedKeysOf } from './settle.ts';
import { formatSnapshot, parseSnapshot } from './snapshot.ts';
import type { CredentialStoreOptions, CurrentCredential } from './store-options.ts';
import { Turns } from './turns.ts';

export type { IdentityOutcome } from './identities.ts';
export type * from './store-options.ts';

/** Resolves when `resolve` has waited long enough. */
type Patience = () => Promise<unknown>;

/** The credentials of this process. Has no timers but those of calls under way. */
export class CredentialStore {
  readonly #options: Required<CredentialStoreOptions>;
  readonly #entries = new Map<string, Entry>();
  readonly #identities: Identities;
  #stopped = false;
  /** The last snapshot had no room for all. */
  #isCut = false;

  constructor(options: CredentialStoreOptions) {
    const ignore = (): void => undefined;
    this.#options = {
      forget: ignore,
      onChanged: ignore,
      onSettled: ignore,
      onOutcome: ignore,
      onAttempt: ignore,
      onIdentity: ignore,
      onOmitted: ignore,
      delay: (ms, signal) => pause(ms, undefined, { signal, ref: false }),
      patienceMs: 5_000,
      turns: new Turns(),
      attemptTimeoutMs: 20_000,
      ...options,
    };
    const { world, thresholdMs, register, onIdentity } = this.#options;
    this.#identities = new Identities({ now: () => world.now(), thresholdMs, register, onOutcome: onIdentity });
  }

  /**
   * Answers every request, by cache key; never throws. `newerThan` = a Secret holds one issued then that is due: a cached one
   * is fresh only when it is newer. Waits at most `patienceMs` for the clouds, and not at all for a request whose last attempt
   * failed; what is still under way then is `stale` or `unavailable` with the reason `CredentialPending`. While it is not known
   * whether a Secret has changed, what is held serves; when it turns out to have changed, a fetch begins and `onSettled` tells.
   */
  async resolve(wanted: readonly WantedCredential[]): Promise<ReadonlyMap<string, CredentialAnswer>> {
    const impatient = new AbortController();
    let waited: Promise<unknown> | undefined;
    const patience: Patience = () =>
      (waited ??= this.#options.delay(this.#options.patienceMs, impatient.signal).catch(() => undefined));
    try {
      const answers = await Promise.all(
        wanted.map(async (one) => [one.request.cacheKey, await this.#answer(one, patience)] as const),
      );
      return new Map(answers);
    } finally {
      impatient.abort();
    }
  }

  /** What the store holds and is still valid; no call. */
  current(cacheKey: string): CurrentCredential | undefined {
    const entry = this.#entries.get(cacheKey);
    const held = entry === undefined ? undefined : validOf(entry, this.#options.world.now());
    return held === undefined ? undefined : describe(held);
  }

  /** Why the last attempt failed; undefined = it did not. */
  failure(cacheKey: string): Pick<Failure, 'reason' | 'message'> | undefined {
    return this.#entries.get(cacheKey)?.failed;
  }

  /**
   * A Secret changed: what was made from it, or failed with it, is due when the Secret is really another, and may be asked for
   * at once. Returns their cache keys.
   */
  secretChanged(reference: SecretReference): readonly string[] {
    const affected: string[] = [];
    for (const entry of this.#entries.values()) {
      const { held, failed, flight } = entry;
      const inFlight = flight !== undefined && includesReference(readsOf(flight), reference);
      const madeFrom = held?.revisions.map((revision) => revision.reference) ?? [];
      const inHeld = includesReference(madeFrom, reference);
      const inFailed = failed !== undefined && includesReference(failed.references, reference);
      if (inFlight) flight.outdated = true;
      if (inHeld && entry.look !== undefined) entry.look.changes += 1;
      if (inHeld && entry.secrets === 'same') entry.secrets = 'unknown';
      if (failed !== undefined && (inFailed || inHeld)) entry.failed = { ...failed, attempts: 0, retryAt: undefined };
      if (inHeld || inFailed || inFlight) affected.push(entry.cacheKey);
    }
    return affected;
  }

  /** Cache keys of credentials whose Secret has changed, or may have: asking for them compares and renews. */
  unverified(): readonly string[] {
    return [...this.#entries.values()].flatMap(({ cacheKey, secrets }) => (secrets === 'same' ? [] : [cacheKey]));
  }

  /** Every Secret that credentials, failed attempts, or calls under way read. */
  sources(): readonly SecretReference[] {
    return sourcesOf(this.#entries.values());
  }

  /** The configuration changed: whatever failed may be tried again at once. */
  resetBackoff(): void {
    for (const entry of this.#entries.values()) {
      if (entry.failed !== undefined) entry.failed = { ...entry.failed, attempts: 0, retryAt: undefined };
    }
  }

  /** Drops everything that no longer has a request. */
  retain(cacheKeys: Iterable<string>): void {
    const kept = new Set(cacheKeys);
    const dropped = [...this.#entries.values()].filter((entry) => !kept.has(entry.cacheKey));
    for (const entry of dropped) {
      this.#entries.delete(entry.cacheKey);
      entry.flight?.abort.abort();
    }
    for (const key of unusedKeysOf(dropped, [...this.#entries.values()])) this.#options.forget(key);
    if (dropped.some((entry) => entry.held !== undefined)) this.#options.onChanged();
  }

  /** Every valid credential as JSON, as far as there is room: the master copy. Secret. */
  snapshot(): string {
    const now = this.#options.world.now();
    const { text, omitted } = formatSnapshot([...this.#entries.values()].flatMap((entry) => validOf(entry, now) ?? []));
    if (omitted > 0 && !this.#isCut) this.#options.onOmitted(omitted);
    this.#isCut = omitted > 0;
    return text;
  }

  /**
   * Takes over what an earlier `snapshot` held and is still valid; never replaces a newer one. Nonsense is left out and
   * reported. Whether the Secrets have changed meanwhile is looked up when they are first asked for.
   */
  load(text: string, now: EpochMs): readonly Issue[] {
    const { stored, issues } = parseSnapshot(text, now);
    for (const held of stored) {
      const { username, password } = held.credential;
      this.#options.register(held.cacheKey, [password, `${username}:${password}`]);
      takeOver(this.#entryOf(held.cacheKey), held, now);
    }
    return issues;
  }

  /** The sessions of identities, for whatever else is asked of a cloud. */
  get identities(): Identities {
    return this.#identities;
  }

  /** Ends the calls under way; resolves when they have ended. Later requests are answered from what is held. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const flights = [...this.#entries.values()].flatMap(({ flight }) => flight ?? []);
    for (const flight of flights) flight.abort.abort();
    this.#identities.stop();
    await Promise.all(flights.map((flight) => flight.done));
  }

  async #answer({ request, newerThan }: WantedCredential, patience: Patience): Promise<CredentialAnswer> {
    const { world } = this.#options;
    const entry = this.#entryOf(request.cacheKey);
    const wish = (): Parameters<typeof isGood>[1] => ({ newerThan, thresholdMs: this.#options.thresholdMs() });
    if (entry.secrets === 'unknown') await Promise.race([this.#look(entry, request), patience()]);
    if (!isGood(entry, wish(), world.now())) {
      const hadFailed = entry.failed !== undefined;
      this.#fetch(entry, request);
      // A cloud that has just failed is not worth holding up a namespace for.
      if (entry.flight !== undefined && !hadFailed) await Promise.race([entry.flight.done, patience()]);
    }
    return answerOf(entry, wish(), world.now());
  }

  #entryOf(cacheKey: string): Entry {
    const entry = this.#entries.get(cacheKey) ?? newEntry(cacheKey);
    this.#entries.set(cacheKey, entry);
    return entry;
  }

  /**
   * Finds out whether the Secrets that `held` was made from are still the same: no cloud is asked. When they are not, fetches:
   * those who asked may have been answered long ago, and would not ask again for what seemed fresh.
   */
  #look(entry: Entry, request: CredentialRequest): Promise<void> {
    if (entry.look !== undefined) return entry.look.done;
    const look: Omit<Look, 'done'> = { changes: 0 };
    const done = compare(entry, look, this.#options.world).then(() => {
      entry.look = undefined;
      if (entry.secrets === 'other') this.#fetch(entry, request);
    });
    entry.look = Object.assign(look, { done });
    return done;
  }

  #fetch(entry: Entry, request: CredentialRequest): void {
    const now = this.#options.world.now();
    if (this.#isWanted(entry) && entry.flight === undefined && mayAskAt(entry, now) <= now) this.#start(entry, request);
  }

  #isWanted(entry: Entry): boolean {
    return this.#entries.get(entry.cacheKey) === entry && !this.#stopped;
  }

  #start(entry: Entry, request: CredentialRequest): void {
    entry.askedAt = this.#options.world.now();
    const flight: Omit<Flight, 'done'> = { abort: new AbortController(), reads: new Map(), outdated: false };
    const { providers, attemptTimeoutMs: timeoutMs, turns } = this.#options;
    const provider = providers.get(request.provider);
    const context = { ...this.#options, identities: this.#identities, provider, request, flight, timeoutMs };
    const run = async (): Promise<void> => {
      const settle = await attempt(context).then(
        (credential) => () => succeed({ entry, request, flight }, credential, this.#options),
        (error: unknown) => () => fail({ entry, request, flight }, error, this.#options),
      );
      // Dropped meanwhile: nobody wants to know.
      if (this.#isWanted(entry)) settle();
    };
    const done = turns.take(entry.cacheKey, run).finally(() => {
      entry.flight = undefined;
      this.#options.onSettled(entry.cacheKey);
      // A Secret changed meanwhile: whoever told of it has been answered.
      if (this.#isWanted(entry) && entry.secrets === 'unknown') void this.#look(entry, request);
    });
    entry.flight = Object.assign(flight, { done });
  }
}
