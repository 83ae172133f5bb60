// Notices that the definition of the resources has changed: it may keep fields now that it dropped when they were written.
import { waitFor } from './until.ts';

/** When it is said that it may: at once, and again, since each API server learns of a new definition by itself. Milliseconds. */
const AFTER_MS = [0, 2_000, 10_000, 60_000] as const;

/** How often the definition may have learnt something. */
export interface Redefinition {
  /** Whoever wrote something that was not kept writes it again when this is another number. */
  readonly count: number;
  /** The version of the definition that is there now; undefined = there is none. */
  seen(version: string | undefined): void;
  /** Counts until aborted. */
  run(signal: AbortSignal): Promise<void>;
}

/** Builds it. `onCount` must not wait for anything. */
export function createRedefinition(
  onCount: () => void,
  pause: (ms: number, signal: AbortSignal) => Promise<void> = waitFor,
): Redefinition {
  let last: string | undefined;
  let count = 0;
  let changed = Promise.withResolvers<boolean>();
  /** Aborted when the definition changes again. */
  let current = new AbortController();

  return {
    get count() {
      return count;
    },
    seen(version) {
      if (version === undefined || version === last) return;
      const isFirst = last === undefined;
      last = version;
      if (isFirst) return;
      current.abort();
      current = new AbortController();
      changed.resolve(true);
    },
    async run(signal) {
      const ended = new Promise<boolean>((resolve) => signal.addEventListener('abort', () => resolve(false)));
      while (!signal.aborted) {
        const hasChanged = await Promise.race([changed.promise, ended]);
        if (!hasChanged) return;
        changed = Promise.withResolvers();
        // As it is now: several changes may have come at a time.
        const until = AbortSignal.any([signal, current.signal]);
        let before = 0;
        for (const afterMs of AFTER_MS) {
          await pause(afterMs - before, until);
          before = afterMs;
          if (until.aborted) break;
          count += 1;
          onCount();
        }
      }
    },
  };
}
