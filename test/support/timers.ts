// A clock that only tests move, with the timers that wait for it.
import { setImmediate } from 'node:timers/promises';

/** The time, and who waits for it. */
export interface TimedWorld {
  now: number;
  timers: { readonly at: number; readonly resolve: () => void }[];
}

/** Turns of the event loop in which everything that a timer has ended comes to rest. */
const TURNS = 20;

/** Lets time pass, and everything that it ends come to rest. */
export async function passTime(world: TimedWorld, ms: number): Promise<void> {
  const until = world.now + ms;
  for (;;) {
    for (let turn = 0; turn < TURNS; turn += 1) await setImmediate();
    const next = world.timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
    if (next === undefined) break;
    world.timers = world.timers.filter((timer) => timer !== next);
    world.now = Math.max(world.now, next.at);
    next.resolve();
  }
  world.now = until;
}
