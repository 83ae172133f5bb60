// Holds what clouds lend our identities for a while: the one cache with single flight, renewal and keep last good that every
// expiring identity of every cloud goes through.
import { setTimeout as pause } from 'node:timers/promises';
import { isSessionExpired } from '../core/errors.ts';
import { isDue, isValid } from '../core/refresh.ts';
import type { EpochMs } from '../core/types.ts';
import type { IdentitySession } from '../providers/provider.ts';

/** How a session was obtained, or could not be renewed while the last one works: told when that differs from the attempt before. */
export interface IdentityOutcome {
  readonly key: string;
  /** undefined = it was obtained. */
  readonly error: unknown;
  /** Until when what is held works; undefined = it never ends. */
  readonly expiresAt: EpochMs | undefined;
}

export interface IdentitiesOptions {
  readonly now: () => EpochMs;
  /** How long before its end a credential is renewed, milliseconds; sessions are renewed before any that is made with them. */
  readonly thresholdMs: () => number;
  /** Registers secrets for redaction before anything else sees them; `key` names what they belong to. */
  readonly register: (key: string, secrets: readonly string[]) => void;
  readonly onOutcome?: (outcome: IdentityOutcome) => void;
  /** Waits, milliseconds. Default: a timer. */
  readonly delay?: (ms: number) => Promise<unknown>;
}

/** Who asks for a session. */
export interface Asker {
  /** The sessions that its `fetch` works with, by key: when a cloud refuses them, they are due. */
  readonly uses: ReadonlyMap<string, unknown>;
  /** It comes again at once with new ones: then it is told so, although an older session works. */
  readonly comesAgain: boolean;
}

const ONCE: Asker = { uses: new Map(), comesAgain: false };

/** What is of no use any more. */
interface Refused<T> {
  readonly key: string;
  readonly value: T;
}

type Fetch<T> = (signal: AbortSignal) => Promise<IdentitySession<T>>;

interface Entry {
  held: IdentitySession<unknown> | undefined;
  /** A cloud has refused `held`: it is due, whatever its expiry says. */
  refused: boolean;
  failed: { readonly error: unknown; readonly at: EpochMs } | undefined;
  /** It was told that `held` could not be renewed. */
  told: boolean;
  flight: Promise<IdentitySession<unknown>> | undefined;
}

interface Fetching {
  readonly key: string;
  readonly entry: Entry;
  /** Who asked first. */
  readonly asker: Asker;
}

/** Whoever asks so soon after a failure gets the same, milliseconds: many credentials share an identity. */
const FAILURE_KEPT_MS = 1_000;

/** A session that works but could not be renewed is asked for at most this often, milliseconds. */
const RENEWAL_PAUSE_MS = 10_000;

/** Whoever has a session that works waits so long for a newer one at most, milliseconds. */
const PATIENCE_MS = 3_000;

/** Most sessions that are held; far more than a cluster has identities. */
const MAX_ENTRIES = 1_000;

/** How long one fetch may take, milliseconds: what waits for it gives up later. */
const FETCH_TIMEOUT_MS = 15_000;

/** The sessions of this process, by key. */
export class Identities {
  readonly #options: IdentitiesOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #ended = new AbortController();

  constructor(options: IdentitiesOptions) {
    this.#options = options;
  }

  /** See `ProviderWorld.identity`. When `signal` is aborted, this caller goes; the fetch goes on for the others. */
  async get<T>(key: string, fetch: Fetch<T>, signal: AbortSignal, asker = ONCE): Promise<T> {
    const now = this.#options.now();
    const entry = this.#entries.get(key) ?? this.#add(key);
    const held = entry.held !== undefined && isValid(entry.held, now) ? entry.held : undefined;
    // Earlier than the credentials that are made with it, which end with it at the latest (acr.md section 20).
    const isOld = held !== undefined && isDue(held, this.#options.thresholdMs(), 1, now);
    if (held !== undefined && !entry.refused && !isOld) return held.value as T;
    const { failed } = entry;
    const pauseMs = held === undefined ? FAILURE_KEPT_MS : RENEWAL_PAUSE_MS;
    if (entry.flight === undefined && failed !== undefined && failed.at <= now && now - failed.at < pauseMs) {
      if (held === undefined) throw failed.error;
      return held.value as T;
    }
    // A key stands for one kind of session: what is held under it is what its `fetch` gave.
    const flight = (entry.flight ??= this.#fetch({ key, entry, asker }, fetch)) as Promise<IdentitySession<T>>;
    try {
      const session = orAborted(flight, signal);
      // A service that does not answer must not use up the time of whoever could go on with what there is.
      const newest = held === undefined ? await session : await Promise.race([session, this.#patience(held)]);
      return newest.value as T;
    } catch (error) {
      const isGone = held === undefined || !isValid(held, this.#options.now());
      if (isGone || (asker.comesAgain && isSessionExpired(error))) throw error;
      return held.value as T;
    }
  }

  /** See `ProviderWorld.replace`; all else as `get`. */
  replace<T>({ key, value }: Refused<T>, fetch: Fetch<T>, signal: AbortSignal, asker = ONCE): Promise<T> {
    this.refuse(new Map([[key, value]]));
    return this.get(key, fetch, signal, asker);
  }

  /**
   * A cloud has refused these sessions: they are due at once. One that was renewed meanwhile stays as it is, and so does
   * what others may still use while there is no newer one. A value may be the failure of a key, too: it is not kept any longer.
   * What never ends is no session but something that was found out, and stays known.
   */
  refuse(values: ReadonlyMap<string, unknown>): void {
    for (const [key, value] of values) {
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      const isHeld = entry.held !== undefined && entry.held.value === value;
      if (isHeld && entry.held?.expiresAt === undefined) continue;
      if (isHeld) entry.refused = true;
      if (isHeld || entry.failed?.error === value) entry.failed = undefined;
    }
  }

  /** Ends the fetches under way. */
  stop(): void {
    this.#ended.abort();
  }

  #patience<T>(held: IdentitySession<T>): Promise<IdentitySession<T>> {
    const { delay = (ms: number) => pause(ms, undefined, { ref: false }) } = this.#options;
    return delay(PATIENCE_MS).then(() => held);
  }

  #add(key: string): Entry {
    const now = this.#options.now();
    for (const [name, entry] of this.#entries) {
      const isOver = entry.held !== undefined && !isValid(entry.held, now);
      if (entry.flight === undefined && (isOver || this.#entries.size >= MAX_ENTRIES)) this.#entries.delete(name);
    }
    const entry: Entry = { held: undefined, refused: false, failed: undefined, told: false, flight: undefined };
    this.#entries.set(key, entry);
    return entry;
  }

  async #fetch<T>(of: Fetching, fetch: Fetch<T>): Promise<IdentitySession<T>> {
    const { key, entry } = of;
    const { register, onOutcome } = this.#options;
    try {
      const session = await fetch(AbortSignal.any([this.#ended.signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]));
      register(`identity ${key}`, session.secrets);
      const isNews = entry.held === undefined || entry.failed !== undefined || entry.told;
      Object.assign(entry, { held: session, refused: false, failed: undefined, told: false });
      if (isNews) onOutcome?.({ key, error: undefined, expiresAt: session.expiresAt });
      return session;
    } catch (error) {
      this.#fail(of, error);
      throw error;
    } finally {
      entry.flight = undefined;
    }
  }

  #fail({ key, entry, asker }: Fetching, error: unknown): void {
    const { now, onOutcome } = this.#options;
    const isExpired = isSessionExpired(error);
    entry.failed = { error, at: now() };
    if (isExpired) this.refuse(asker.uses);
    // Without one that still works the credential fails, and that is told; what is tried again at once may yet go well.
    const works = entry.held !== undefined && isValid(entry.held, now());
    if (!works || entry.told || (isExpired && asker.comesAgain)) return;
    entry.told = true;
    onOutcome?.({ key, error, expiresAt: entry.held?.expiresAt });
  }
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
