// Keeps a projected copy of one kind of object: list, watch, resume.
import type { KubeError } from '../core/errors.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient } from './client.ts';

/** What the cache holds of one object. */
export interface Projected<T> {
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly value: T;
}

/** A change of one object in the cache. */
export interface Change<T> {
  /** `namespace/name`, or the name alone for cluster-scoped kinds. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly before: T | undefined;
  readonly after: T | undefined;
  readonly source: 'list' | 'watch' | 'relist' | 'write';
}

/** What a reflector tells about itself, for logs and metrics. */
export type ReflectorEvent =
  | { readonly type: 'listed'; readonly pages: number; readonly items: number; readonly ms: number }
  | { readonly type: 'watchStarted'; readonly resourceVersion: string }
  | {
      readonly type: 'watchEnded';
      readonly reason: 'ended' | 'idle' | 'expired' | 'failed' | 'aborted';
      readonly ms: number;
    }
  | { readonly type: 'resumed' }
  | { readonly type: 'relisted'; readonly missed: number; readonly why: 'periodic' | 'expired' }
  | { readonly type: 'badLine' }
  | { readonly type: 'errorEvent'; readonly error: KubeError }
  | { readonly type: 'failed'; readonly error: KubeError; readonly retryInMs: number }
  | { readonly type: 'handlerFailed'; readonly error: unknown }
  | { readonly type: 'synced'; readonly items: number };

export interface ReflectorOptions<T> {
  readonly client: KubeClient;
  /** e.g. `/api/v1/serviceaccounts`. */
  readonly path: string;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** undefined = unreadable, reported as `badLine`. */
  readonly project: (object: unknown) => Projected<T> | undefined;
  readonly onChange?: (change: Change<T>) => void;
  readonly report: (event: ReflectorEvent) => void;
  /** True = the change is not worth an `onChange`. */
  readonly isEqual?: (a: T, b: T) => boolean;
  /** Milliseconds between full lists; default six hours. */
  readonly relistMs?: number;
  readonly now: () => EpochMs;
  readonly random: () => number;
}

/** One kind, followed. Values by namespace and name. */
export declare class Reflector<T> {
  constructor(options: ReflectorOptions<T>);
  /** True after the first full list, for ever. */
  get synced(): boolean;
  /** When the API server last sent anything, or when `run` began. */
  get lastActivityAt(): EpochMs;
  /** Watches started after the first. */
  get restarts(): number;
  get size(): number;
  get(namespace: string, name: string): T | undefined;
  inNamespace(namespace: string): ReadonlyMap<string, T>;
  all(): Iterable<T>;
  /** Settles after the first full list; throws KubeError `Aborted`. */
  whenSynced(signal: AbortSignal): Promise<void>;
  /** Puts the answer of one of our own writes into the cache. */
  absorb(object: unknown): void;
  /** Takes out what we have just deleted. */
  absorbDeletion(namespace: string, name: string, uid: string): void;
  /** Follows until aborted; never throws. */
  run(signal: AbortSignal): Promise<void>;
}
