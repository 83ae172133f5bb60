// Bounds how many writes run at a time, so that rotation cannot starve a namespace that has nothing yet.

/** Who goes first while others wait. */
export type Priority = 'urgent' | 'normal';

/** Runs functions with bounded concurrency. */
export interface Limiter {
  /**
   * Runs `call` as soon as there is room: urgent before normal, else first come, first served. Passes on what it returns or
   * throws.
   */
  run<R>(priority: Priority, call: () => Promise<R>): Promise<R>;
  /** Functions that run. */
  readonly running: number;
  /** Functions that wait. */
  readonly waiting: number;
}

/** Builds a limiter that lets `concurrency` functions run at a time. */
export function createLimiter(concurrency: number): Limiter {
  // Sets rather than arrays: taking the first of ten thousand that wait must not move the others.
  const lanes = { urgent: new Set<() => void>(), normal: new Set<() => void>() };
  let running = 0;

  const release = (): void => {
    const lane = lanes.urgent.size > 0 ? lanes.urgent : lanes.normal;
    const [next] = lane;
    if (next === undefined) {
      running -= 1;
      return;
    }
    // The place passes on directly: a newcomer cannot slip in between.
    lane.delete(next);
    next();
  };

  return {
    async run(priority, call) {
      if (running < concurrency) running += 1;
      else await new Promise<void>((resolve) => lanes[priority].add(resolve));
      try {
        return await call();
      } finally {
        release();
      }
    },
    get running() {
      return running;
    },
    get waiting() {
      return lanes.urgent.size + lanes.normal.size;
    },
  };
}
