// One of several replicas leads, by a Lease.
import type { KubeError } from '../core/errors.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient } from './client.ts';

export type LeaderElectionEvent =
  | { readonly type: 'acquired' }
  | { readonly type: 'lost'; readonly why: 'taken' | 'deadline' }
  | { readonly type: 'released' }
  | { readonly type: 'otherLeader'; readonly identity: string }
  | { readonly type: 'failed'; readonly error: KubeError }
  | { readonly type: 'handlerFailed'; readonly error: unknown };

export interface LeaderElectionOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly leaseDurationMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryPeriodMs?: number;
  readonly now: () => EpochMs;
  readonly random: () => number;
  /** Works as the leader until `signal` is aborted, then settles soon: the Lease is released only after that. */
  readonly onStartedLeading: (signal: AbortSignal) => Promise<void> | void;
  readonly onStoppedLeading: () => void;
  readonly report: (event: LeaderElectionEvent) => void;
}

/** Takes part until `signal` is aborted; never throws. */
export declare function runLeaderElection(options: LeaderElectionOptions, signal: AbortSignal): Promise<void>;
