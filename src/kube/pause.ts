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
