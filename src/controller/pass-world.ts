// What a pass works with: everything that it reads, writes and tells goes through here.
import type { WantedCredential } from '../core/assess-secret.ts';
import type { Plan, Write } from '../core/plan-types.ts';
import type { Config, CredentialAnswer, EpochMs, ObservedSecret } from '../core/types.ts';
import type { FailedWrite, MakeWrite, WriteLane } from './apply.ts';
import type { Caches } from './observe.ts';

/** The store as a pass sees it. */
export interface CredentialSource {
  resolve(wanted: readonly WantedCredential[]): Promise<ReadonlyMap<string, CredentialAnswer>>;
  current(cacheKey: string): { readonly source: string } | undefined;
}

/** The queue as a pass sees it. */
export interface Schedule {
  add(key: string): void;
  wakeAt(key: string, at: EpochMs | undefined): void;
  retry(key: string, baseMs: number): void;
  forget(key: string): void;
}

/** What a pass tells: to logs, metrics and Events. */
export interface PassObserver {
  readonly onWrite: (write: Write) => void;
  readonly onFailedWrite: (failed: FailedWrite) => void;
  /** After every pass. */
  readonly onPlan: (namespace: string, plan: Plan) => void;
  /** The namespace is gone. */
  readonly onGone: (namespace: string) => void;
  /** What was written is undone by others again and again: we hold back for `pauseMs`. */
  readonly onContention: (write: Write, pauseMs: number) => void;
}

/** Everything that a pass works with. */
export interface PassWorld {
  readonly caches: Caches;
  /** undefined = no good configuration is known: plan nothing, delete nothing. */
  readonly config: () => Config | undefined;
  /** The add-on that this one replaces runs: leave out what it would undo. */
  readonly standingDown: () => boolean;
  readonly instance: string;
  readonly store: CredentialSource;
  readonly schedule: Schedule;
  readonly lane: WriteLane;
  readonly makeWrite: MakeWrite;
  /** Puts the answer to one of our writes into the cache. */
  readonly absorb: (write: Write, answer: unknown) => void;
  /** Reads one Secret by name; undefined = it is gone. Throws KubeError. */
  readonly readSecret: (namespace: string, name: string) => Promise<ObservedSecret | undefined>;
  /** Namespaces that wait for a credential that is being fetched, by cache key. */
  readonly waiting: Map<string, Set<string>>;
  readonly observer: PassObserver;
  readonly now: () => EpochMs;
}
