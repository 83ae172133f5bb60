// A deadline in two steps: first nothing is waited for any more, then everything ends. In between there is time to say what is left.

/** Signals of one run. */
export interface Deadline {
  /** Aborted when it is time to come to an end. */
  readonly patience: AbortSignal;
  /** Aborted when everything ends. */
  readonly end: AbortSignal;
  /** True when time is what ended it. */
  isOver(): boolean;
}

/** What is kept for the end: a fifth of the time, and no more than 20 s. */
const MAX_RESERVE_MS = 20_000;

/** Begins to count; `ms` undefined = there is none. `signal` ends both. */
export function createDeadline(ms: number | undefined, signal: AbortSignal): Deadline {
  if (ms === undefined) return { patience: signal, end: signal, isOver: () => false };
  const patience = AbortSignal.timeout(ms - Math.min(MAX_RESERVE_MS, ms / 5));
  const end = AbortSignal.timeout(ms);
  return {
    patience: AbortSignal.any([signal, patience]),
    end: AbortSignal.any([signal, end]),
    isOver: () => patience.aborted,
  };
}
