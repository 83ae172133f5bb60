// Bounds how many writes run at a time, so that rotation cannot starve a namespace that has nothing yet.

/** Who goes first while others wait. */
export type Priority = 'urgent' | 'normal';

/** Runs functions with bounded concurrency. */
export interface Limiter {
  /** Runs `call` as soon as there is room, urgent before normal, else first come, first served; passes on what it returns or throws. */
  run<R>(priority: Priority, call: () => Promise<R>): Promise<R>;
  /** Functions that run. */
  readonly running: number;
  /** Functions that wait. */
  readonly waiting: number;
}

/** Builds a limiter that lets `concurrency` functions run at a time. */
export declare function createLimiter(concurrency: number): Limiter;
