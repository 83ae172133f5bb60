// Waiting that an AbortSignal ends, always with the same KubeError and without listeners left on long-lived signals.
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeError } from '../core/errors.ts';

/** Sleeps `ms`; throws KubeError `Aborted` when `signal` is aborted meanwhile or before. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw new KubeError('Aborted', 'Waiting was stopped', { cause });
  }
}

/** Waits for `promise`; throws KubeError `Aborted` when `signal` is aborted first. */
export async function orAborted<R>(promise: Promise<R>, what: string, signal: AbortSignal): Promise<R> {
  const aborted = Promise.withResolvers<never>();
  const stop = (): void => aborted.reject(new KubeError('Aborted', `Waiting for ${what} was stopped`));
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const MIN_BACKOFF_MS = 500;
/** An API server that is back should be known about soon: there are but a handful of watches. */
const MAX_BACKOFF_MS = 10_000;

/** Pause before the next attempt after `failures` in a row: full jitter below 500 ms, doubling up to 10 s. `random` from 0 to 1. */
export function backoffMs(failures: number, random: number): number {
  return Math.round(random * Math.min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2 ** (failures - 1)));
}
