// Bounds how many calls to one cloud are under way at a time.

/** Runs `call` when there is room, first come, first served; passes on what it returns or throws. */
export type Gate = <R>(call: () => Promise<R>) => Promise<R>;

/** Builds a gate for `limit` calls at a time. */
export function createGate(limit: number): Gate {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (call) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await call();
    } finally {
      // The place goes to the next one, so that nobody overtakes.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
