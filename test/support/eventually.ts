// Waits for a state of the world instead of sleeping.
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 20;

/**
 * Repeats `check` until it neither throws nor gives undefined or false, and returns what it gave. After `timeoutMs` it throws
 * what the last check threw, or says what never became true.
 */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const found = await check();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > deadline) {
      throw new Error(
        `never within ${timeoutMs / 1000} s: ${what}`,
        failure === undefined ? undefined : { cause: failure },
      );
    }
    await pause(POLL_MS);
  }
}
