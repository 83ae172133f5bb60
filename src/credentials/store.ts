// Holds the credentials: cache, single flight, keep last good, backoff. The only caller of `fetchCredential`.
import type { WantedCredential } from '../core/assess-secret.ts';
import type { FailureReason } from '../core/errors.ts';
import type { CredentialAnswer, CredentialRequest, EpochMs, Failure, Issue, SecretReference } from '../core/types.ts';
import type { ProviderWorld, RegistryProvider } from '../providers/provider.ts';

/** A Secret as the store reads it. */
export interface SourceRead {
  /** Decoded values. Secret. */
  readonly data: Readonly<Record<string, string>>;
  /** Changes whenever the data does. */
  readonly digest: string;
}

/** The world of providers, but for Secrets: those the store reads itself, to know what a credential was made from. */
export interface StoreWorld extends Omit<ProviderWorld, 'readSecret'> {
  /** undefined = there is no such Secret. What it throws counts as a failure that is retried. */
  readSecret(reference: SecretReference, signal: AbortSignal): Promise<SourceRead | undefined>;
}

/** What is known of a credential besides its password. */
export interface CurrentCredential {
  /** What it was made from: see `core/source.ts`. */
  readonly source: string;
  readonly issuedAt: EpochMs;
  readonly expiresAt: EpochMs | undefined;
  readonly hosts: readonly string[] | undefined;
  readonly warnings: readonly string[];
  /** True when a Secret that it was made from has changed since. */
  readonly sourceChanged: boolean;
}

/** How an attempt ended, told when that differs from the attempt before. */
export type CredentialOutcome =
  | {
      readonly ok: true;
      readonly request: CredentialRequest;
      readonly credential: CurrentCredential;
      /** True when the attempt before failed. */
      readonly recovered: boolean;
    }
  | {
      readonly ok: false;
      readonly request: CredentialRequest;
      readonly failure: Failure;
      readonly error: unknown;
      /** When it began to fail for this reason. */
      readonly since: EpochMs;
      /** Until when the last good one still works; undefined = there is none. */
      readonly validUntil: EpochMs | undefined;
    };

/** One attempt, for counters. */
export interface CredentialAttempt {
  readonly provider: string;
  readonly cacheKey: string;
  readonly ok: boolean;
  readonly reason: FailureReason | undefined;
  readonly ms: number;
}

export interface CredentialStoreOptions {
  readonly providers: ReadonlyMap<string, RegistryProvider<unknown>>;
  readonly world: StoreWorld;
  /** Renew when less than this is left, milliseconds. */
  readonly thresholdMs: () => number;
  /** Registers secrets for redaction before anything else sees them; `key` names what they belong to. */
  readonly register: (key: string, secrets: readonly string[]) => void;
  /** What `snapshot` returns has changed. */
  readonly onChanged?: () => void;
  /** A fetch ended, well or not: whoever got `CredentialPending` may ask again. */
  readonly onSettled?: (cacheKey: string) => void;
  /** First success, another failure reason, recovery: not every repetition. */
  readonly onOutcome?: (outcome: CredentialOutcome) => void;
  readonly onAttempt?: (attempt: CredentialAttempt) => void;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /** Waits; rejects when the signal aborts. Default: a timer. */
  readonly delay?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** How long `resolve` waits for a fetch, milliseconds. Default 5,000. */
  readonly patienceMs?: number;
  /** How long one attempt may take, milliseconds. Default 20,000. */
  readonly attemptTimeoutMs?: number;
}

/** The credentials of this process. Has no timers but those of calls under way. */
export declare class CredentialStore {
  constructor(options: CredentialStoreOptions);
  /**
   * Answers every request, by cache key; never throws. `newerThan` = a Secret holds one issued then that is due: a cached one
   * is fresh only when it is newer. Waits at most `patienceMs` for the clouds, and not at all for a request whose last attempt
   * failed; what is still under way then is `stale` or `unavailable` with the reason `CredentialPending`.
   */
  resolve(wanted: readonly WantedCredential[]): Promise<ReadonlyMap<string, CredentialAnswer>>;
  /** What the store holds and is still valid; no call. */
  current(cacheKey: string): CurrentCredential | undefined;
  /** A Secret changed: what was made from it, or failed with it, is due and may be asked for at once. Returns their cache keys. */
  secretChanged(reference: SecretReference): readonly string[];
  /** Every Secret that credentials, or failed attempts, were made from. */
  sources(): readonly SecretReference[];
  /** The configuration changed: whatever failed may be tried again at once. */
  resetBackoff(): void;
  /** Drops everything that no longer has a request. */
  retain(cacheKeys: Iterable<string>): void;
  /** Every valid credential as JSON: the master copy. Secret. */
  snapshot(): string;
  /**
   * Takes over what an earlier `snapshot` held and is still valid; never replaces a newer one. Nonsense is left out and
   * reported. Credentials whose Secrets have changed meanwhile are found when they are first asked for.
   */
  load(text: string, now: EpochMs): readonly Issue[];
  /** Ends the calls under way; resolves when they have ended. */
  stop(): Promise<void>;
}
