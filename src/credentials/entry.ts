// What the store holds of one cache key, and the pure judgements on it.
import type { FailureReason } from '../core/errors.ts';
import { isDue, isValid } from '../core/refresh.ts';
import type { CredentialAnswer, EpochMs, Failure, SecretReference } from '../core/types.ts';
import { isBackingOff, nextAskAt } from './backoff.ts';
import type { StoredCredential } from './snapshot.ts';
import type { CurrentCredential } from './store-options.ts';

/** A fetch under way. */
export interface Flight {
  readonly done: Promise<void>;
  readonly abort: AbortController;
  /** Secrets read so far. */
  readonly reads: Map<string, { readonly reference: SecretReference; readonly digest: string | undefined }>;
  /** True when one of them changed meanwhile. */
  outdated: boolean;
}

/** A comparison under way of the Secrets that a credential was made from with what is there. */
export interface Look {
  readonly done: Promise<void>;
  /** How often one of them changed meanwhile. */
  changes: number;
}

/** The last attempt failed. */
export interface FailedAttempt {
  readonly reason: FailureReason;
  readonly message: string;
  /** In a row. */
  readonly attempts: number;
  readonly since: EpochMs;
  /** undefined = at once. */
  readonly retryAt: EpochMs | undefined;
  /** Secrets that it read, or wanted to. */
  readonly references: readonly SecretReference[];
}

/** Everything of one cache key. */
export interface Entry {
  readonly cacheKey: string;
  held: StoredCredential | undefined;
  /** A Secret that `held` was made from: `unknown` = may have changed (look before use), `other` = has changed. */
  secrets: 'same' | 'unknown' | 'other';
  failed: FailedAttempt | undefined;
  /** Remarks that were told, of this identity and since the last failure: without their instants, and as they were told last. */
  told: ReadonlyMap<string, string>;
  askedAt: EpochMs | undefined;
  flight: Flight | undefined;
  look: Look | undefined;
}

/** Builds the entry of which nothing is known. */
export function newEntry(cacheKey: string): Entry {
  return {
    cacheKey,
    held: undefined,
    secrets: 'same',
    failed: undefined,
    told: new Map(),
    askedAt: undefined,
    flight: undefined,
    look: undefined,
  };
}

/** Puts what another replica obtained, or an earlier process, in the place of what is older. */
export function takeOver(entry: Entry, held: StoredCredential, now: EpochMs): void {
  const own = validOf(entry, now);
  if (own !== undefined && own.credential.issuedAt >= held.credential.issuedAt) return;
  entry.held = held;
  entry.secrets = 'unknown';
  // It was obtained later than we failed; and what never expires would not be asked for again.
  entry.failed = undefined;
}

/** What is held and still works. */
export function validOf(entry: Entry, now: EpochMs): StoredCredential | undefined {
  return entry.held !== undefined && isValid(entry.held.credential, now) ? entry.held : undefined;
}

/** True when what is held serves: it works, is not due, is made from what is there, and newer than `newerThan`. */
export function isGood(
  entry: Entry,
  wish: { readonly newerThan: EpochMs | undefined; readonly thresholdMs: number },
  now: EpochMs,
): boolean {
  const held = validOf(entry, now);
  if (held === undefined || entry.secrets === 'other' || isDue(held.credential, wish.thresholdMs, 0, now)) return false;
  // An instant in the future (the clock jumped back) would never be passed.
  return wish.newerThan === undefined || wish.newerThan > now || held.credential.issuedAt > wish.newerThan;
}

/** When the cloud may be asked; now or earlier = at once. */
export function mayAskAt(entry: Entry, now: EpochMs): EpochMs {
  const { failed, held, askedAt } = entry;
  if (failed !== undefined) return isBackingOff(failed.retryAt, now) ? (failed.retryAt ?? now) : now;
  if (held === undefined || askedAt === undefined || entry.secrets === 'other') return now;
  return nextAskAt(askedAt, held.credential, now);
}

/** The answer to one wish, from what is held now. */
export function answerOf(
  entry: Entry,
  wish: { readonly newerThan: EpochMs | undefined; readonly thresholdMs: number },
  now: EpochMs,
): CredentialAnswer {
  const held = validOf(entry, now);
  if (held === undefined) return { status: 'unavailable', failure: failureOf(entry, now) };
  const { credential, source } = held;
  if (isGood(entry, wish, now)) return { status: 'fresh', credential, source };
  return { status: 'stale', credential, source, failure: failureOf(entry, now) };
}

/** What is told of a credential besides its password. */
export function describe({ credential, source }: StoredCredential): CurrentCredential {
  const { issuedAt, expiresAt, endsAt, beganAt, hosts, warnings = [], id, identity } = credential;
  return { source, issuedAt, expiresAt, endsAt, beganAt, hosts, warnings, id, identity };
}

/** True when `references` holds `wanted`. */
export function includesReference(references: readonly SecretReference[], wanted: SecretReference): boolean {
  return references.some(({ namespace, name }) => namespace === wanted.namespace && name === wanted.name);
}

function failureOf(entry: Entry, now: EpochMs): Failure {
  const { cacheKey, failed, flight } = entry;
  if (flight !== undefined) {
    const before = failed === undefined ? '' : `; the last attempt failed: ${failed.message}`;
    return { reason: 'CredentialPending', message: `${cacheKey} is being asked for${before}`, retryAt: undefined };
  }
  if (failed !== undefined) {
    // Back off was lifted: whoever asks again is served.
    return { reason: failed.reason, message: failed.message, retryAt: Math.max(failed.retryAt ?? now, now) };
  }
  return {
    reason: 'CredentialPending',
    message: `${cacheKey} was asked for a moment ago`,
    retryAt: mayAskAt(entry, now),
  };
}
