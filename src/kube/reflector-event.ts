// What reflectors tell about themselves: the closed list that logs and metrics are made from.
import type { KubeError } from '../core/errors.ts';

/** What a reflector tells about itself, for logs and metrics. */
export type ReflectorEvent =
  | { readonly type: 'listed'; readonly pages: number; readonly items: number; readonly ms: number }
  /** A watch began after a list. */
  | { readonly type: 'watchStarted'; readonly resourceVersion: string }
  /** A watch began where the one before had ended. */
  | { readonly type: 'resumed'; readonly resourceVersion: string }
  | { readonly type: 'watchEnded'; readonly reason: WatchEnd; readonly ms: number }
  /** A later list; `missed` = changes that a watch should have shown. */
  | { readonly type: 'relisted'; readonly missed: number; readonly why: 'periodic' | 'expired' }
  /** A line or an object that nobody could read. */
  | { readonly type: 'badLine' }
  /** The server put an error into the watch. */
  | { readonly type: 'errorEvent'; readonly error: KubeError }
  | { readonly type: 'failed'; readonly error: KubeError; readonly retryInMs: number }
  /** `onChange` threw: a bug. */
  | { readonly type: 'handlerFailed'; readonly error: unknown }
  | { readonly type: 'synced'; readonly items: number };

/** Why a watch ended; `idle` = silence for longer than a healthy one is silent. */
export type WatchEnd = 'ended' | 'idle' | 'expired' | 'failed' | 'aborted';
