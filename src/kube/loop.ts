// A step that is repeated: at once, whenever something changed, and when it asked to be.
import { pause } from './pause.ts';

/** Longest wait: a clock that is set must be noticed, and timers hold no more than 24 days. */
const MAX_PAUSE_MS = 3_600_000;

/** Repeats one step, never two at a time. */
export class Loop {
  readonly #step: (signal: AbortSignal) => Promise<number>;
  readonly #maxPauseMs: number;
  #woken = Promise.withResolvers<undefined>();

  /** `step` gives the milliseconds until it wants to be repeated although nothing changed; it must not throw. `maxPauseMs` bounds them. */
  constructor(step: (signal: AbortSignal) => Promise<number>, maxPauseMs = MAX_PAUSE_MS) {
    this.#step = step;
    this.#maxPauseMs = maxPauseMs;
  }

  /** Something changed: the step is made (again). */
  wake(): void {
    this.#woken.resolve(undefined);
  }

  /** Runs until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#woken = Promise.withResolvers();
      const ms = await this.#step(signal);
      const woken = new AbortController();
      const wait = AbortSignal.any([signal, woken.signal]);
      const slept = pause(Math.min(Math.max(ms, 0), this.#maxPauseMs), wait).catch(() => undefined);
      await Promise.race([this.#woken.promise, slept]);
      woken.abort();
    }
  }
}
