// Kubernetes Events, deduplicated and bounded.
import type { KubeError } from '../core/errors.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient } from './client.ts';

/** What an Event is about. */
export interface EventObject {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export type RecorderEvent =
  | { readonly type: 'posted'; readonly reason: string }
  | { readonly type: 'dropped'; readonly reason: string; readonly why: 'duplicate' | 'spam' | 'queueFull' }
  | { readonly type: 'failed'; readonly reason: string; readonly error: KubeError };

export declare class EventRecorder<Reason extends string> {
  constructor(options: {
    readonly client: KubeClient;
    /** Name of our Pod: `reportingInstance`. */
    readonly identity: string;
    readonly now: () => EpochMs;
    readonly report: (event: RecorderEvent) => void;
  });
  /** Posts in the background; never throws, never waits. */
  record(event: {
    readonly object: EventObject;
    readonly type: 'Normal' | 'Warning';
    readonly reason: Reason;
    readonly message: string;
  }): void;
  /** Settles when nothing waits any more. */
  idle(): Promise<void>;
  /** Drops what waits; nothing is posted any more. */
  stop(): void;
}
