// What the credential store is given and what it tells.
import type { FailureReason } from '../core/errors.ts';
import type { CredentialRequest, EpochMs, Failure, SecretReference } from '../core/types.ts';
import type { IdentityOutcome } from './identities.ts';
import type { ProviderWorld, RegistryProvider } from '../providers/provider.ts';
import type { Turns } from './turns.ts';

/** A Secret as the store reads it. */
export interface SourceRead {
  /** Decoded values. Secret. */
  readonly data: Readonly<Record<string, string>>;
  /** Changes whenever the data does. */
  readonly digest: string;
}

/**
 * The world of providers, but for what the store does itself: it reads Secrets, to know what a credential was made from, and
 * holds the sessions of identities.
 */
export interface StoreWorld extends Omit<ProviderWorld, 'readSecret' | 'identity' | 'replace'> {
  /** undefined = there is no such Secret. What it throws is a failure of the attempt. */
  readSecret(reference: SecretReference, signal: AbortSignal): Promise<SourceRead | undefined>;
}

/** What is known of a credential besides its password. */
export interface CurrentCredential {
  /**
   * What it was made from: see `core/source.ts`. It stays the same while a Secret that it was made from may have changed or has
   * changed, until a fetch has put another credential in its place: `onSettled` tells.
   */
  readonly source: string;
  readonly issuedAt: EpochMs;
  readonly expiresAt: EpochMs | undefined;
  /** See `Credential`. */
  readonly endsAt: EpochMs | undefined;
  /** See `Credential`. */
  readonly beganAt: EpochMs | undefined;
  readonly hosts: readonly string[] | undefined;
  readonly warnings: readonly string[];
  /** See `Credential`. */
  readonly id: string | undefined;
  /** As whom it was asked for; undefined = not known. */
  readonly identity: string | undefined;
}

/** How an attempt ended, told when that differs from the attempt before. The functions told must not throw. */
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
      /** Until when the last good one still works (undefined = for ever); absent = there is none. */
      readonly validUntil?: EpochMs | undefined;
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
  /** What was registered under `key` is in no use any more. */
  readonly forget?: (key: string) => void;
  /** What `snapshot` returns has changed. */
  readonly onChanged?: () => void;
  /** A fetch ended, well or not: whoever got `CredentialPending` may ask again. */
  readonly onSettled?: (cacheKey: string) => void;
  /** First success, another identity or other remarks, another failure reason, recovery: not every repetition. */
  readonly onOutcome?: (outcome: CredentialOutcome) => void;
  readonly onAttempt?: (attempt: CredentialAttempt) => void;
  readonly onIdentity?: (outcome: IdentityOutcome) => void;
  /** `snapshot` had no room for so many: they are had again when somebody asks. Told once until there is room for all. */
  readonly onOmitted?: (count: number) => void;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /** Waits; settles early, either way, when the signal aborts. Default: a timer. */
  readonly delay?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** How long `resolve` waits for a fetch, milliseconds. Default 5,000. */
  readonly patienceMs?: number;
  /** Attempts for a cache key wait for what else has its turn there. Default: there is nothing else. */
  readonly turns?: Turns;
  /** How long one attempt may take, milliseconds. Default 20,000. */
  readonly attemptTimeoutMs?: number;
}
