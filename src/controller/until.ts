// Waiting for what must be known before anything is done, and for the end.
import { setTimeout as pause } from 'node:timers/promises';

/** Repeats a read until it succeeds: what an earlier leader left must be known before anything is planned. */
export async function untilKnown<T>(
  read: () => Promise<T>,
  onFailure: (error: unknown) => void,
  signal: AbortSignal,
): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await read();
    } catch (error) {
      onFailure(error);
      await pause(1_000, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
  return undefined;
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Waits, milliseconds; resolves early when the signal aborts. */
export function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return pause(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
