// How often an object is put right that somebody else keeps changing: at once at first, then ever more slowly.
import type { EpochMs } from '../core/types.ts';

/** Repairs in a row that are made at once. */
const AT_ONCE = 3;
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 600_000;

/** Counts writes of one object. */
export class Pace {
  #count = 0;
  #notBefore: EpochMs = 0;

  /** How long to hold back, milliseconds; 0 = write. */
  pauseMs(now: EpochMs): number {
    // A clock that is set back must not hold anything up.
    return Math.min(Math.max(0, this.#notBefore - now), MAX_PAUSE_MS);
  }

  /** A write was made. After ten quiet minutes the next is the first again. */
  wrote(now: EpochMs): void {
    this.#count = now - this.#notBefore > MAX_PAUSE_MS ? 1 : this.#count + 1;
    const pause = this.#count <= AT_ONCE ? 0 : FIRST_PAUSE_MS * 2 ** (this.#count - AT_ONCE - 1);
    this.#notBefore = now + Math.min(pause, MAX_PAUSE_MS);
  }

  /** What is written next is our own wish: it does not wait. */
  reset(): void {
    this.#count = 0;
    this.#notBefore = 0;
  }
}
