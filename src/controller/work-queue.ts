// The one queue: namespace names, each at most once, worked on by a bounded number of workers.
// Events, retries and refresh all do the same thing: add a key, maybe later. Semantics of client-go's util/workqueue: a key
// that is added while it is being worked on is worked on once more afterwards; a key is never worked on twice at a time.
import type { EpochMs } from '../core/types.ts';
import { DelayHeap } from './delay-heap.ts';

/** Which keys go first: `urgent` for a namespace or ServiceAccount that has nothing yet. */
export type Lane = 'urgent' | 'normal';

/** What the queue tells about itself, for metrics. */
export interface QueueObserver {
  readonly onAdd: (lane: Lane) => void;
  /** Milliseconds that the key waited. */
  readonly onStart: (waitedMs: number) => void;
  /** Milliseconds that working on the key took. */
  readonly onDone: (workedMs: number) => void;
  readonly onRetry: () => void;
  /** The handler threw: a bug; the key is retried. */
  readonly onBug: (key: string, error: unknown) => void;
}

export interface QueueOptions {
  readonly concurrency: number;
  readonly now: () => EpochMs;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  readonly observer: QueueObserver;
}

/**
 * Longest single timer, milliseconds. Timers do not see the wall clock jump, as after a machine was suspended: within a minute
 * we look at it again. (Above 2^31 − 1 Node would fire at once.)
 */
const MAX_TIMER_MS = 60_000;
const MAX_RETRY_MS = 300_000;
/** The wall clock is set by this much all the time, milliseconds. */
const CLOCK_TOLERANCE_MS = 5_000;

/** A queue of namespace names. Nothing is worked on before `start` and after `stop`; keys added meanwhile wait. */
export class WorkQueue {
  readonly #options: QueueOptions;
  readonly #lanes: Readonly<Record<Lane, Map<string, EpochMs>>> = { urgent: new Map(), normal: new Map() };
  readonly #working = new Set<string>();
  readonly #again = new Map<string, Lane>();
  /** By key, then by the first pause: a quick retry is not put off by slow ones of something else under the same key. */
  readonly #attempts = new Map<string, Map<number, number>>();
  readonly #delayed = new DelayHeap();
  /** The latest instant seen. */
  #seenAt: EpochMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #handler: ((key: string) => Promise<void>) | undefined;
  readonly #runs = new Set<Promise<void>>();

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Keys that wait to be worked on now. */
  get depth(): number {
    return this.#lanes.urgent.size + this.#lanes.normal.size;
  }

  /** Keys that are being worked on. */
  get working(): number {
    return this.#working.size;
  }

  /** Adds a key now; an urgent add moves a key that waits in the normal lane forward. */
  add(key: string, lane: Lane = 'normal'): void {
    if (this.#working.has(key)) {
      if (this.#again.get(key) !== 'urgent') this.#again.set(key, lane);
      return;
    }
    if (this.#lanes.urgent.has(key)) return;
    const since = this.#lanes.normal.get(key);
    if (since !== undefined && lane === 'normal') return;
    this.#lanes.normal.delete(key);
    this.#lanes[lane].set(key, since ?? this.#options.now());
    this.#options.observer.onAdd(lane);
    this.#work();
  }

  /**
   * Adds the key at `at` in place of any earlier wish for another time; undefined = no such wish any more. When the wall clock
   * turns out to have been set back, all that is wished for is added at once.
   */
  wakeAt(key: string, at: EpochMs | undefined): void {
    this.#noticeClock();
    this.#delayed.set(key, at);
    this.#arm();
  }

  /**
   * Adds the key after a pause that doubles with each retry of the same `baseMs`, from that to five minutes, spread by ±20 %;
   * never later than what was wished for before.
   */
  retry(key: string, baseMs: number): void {
    const counts = this.#attempts.get(key) ?? new Map<number, number>();
    const attempts = counts.get(baseMs) ?? 0;
    this.#attempts.set(key, counts.set(baseMs, attempts + 1));
    this.#options.observer.onRetry();
    const pause = Math.min(baseMs * 2 ** Math.min(attempts, 30), MAX_RETRY_MS) * (0.8 + 0.4 * this.#options.random());
    this.#noticeClock();
    const at = this.#options.now() + pause;
    this.wakeAt(key, Math.min(at, this.#delayed.at(key) ?? Infinity));
  }

  /** The key is well: all its retries start anew. */
  forget(key: string): void {
    this.#attempts.delete(key);
  }

  /** Works on keys with `handler` until `stop`. */
  start(handler: (key: string) => Promise<void>): void {
    this.#handler = handler;
    this.#arm();
    this.#work();
  }

  /** Takes no more keys, forgets all that wait, and resolves when those being worked on are done. */
  async stop(): Promise<void> {
    this.#handler = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const lane of Object.values(this.#lanes)) lane.clear();
    this.#delayed.clear();
    this.#again.clear();
    this.#attempts.clear();
    await Promise.all(this.#runs);
  }

  #work(): void {
    while (this.#handler !== undefined && this.#working.size < this.#options.concurrency) {
      const lane = this.#lanes.urgent.size > 0 ? this.#lanes.urgent : this.#lanes.normal;
      const first = lane.entries().next();
      if (first.done === true) return;
      const [key, since] = first.value;
      lane.delete(key);
      this.#working.add(key);
      this.#options.observer.onStart(this.#msSince(since));
      const run = this.#run(key, this.#handler).finally(() => void this.#runs.delete(run));
      this.#runs.add(run);
    }
  }

  async #run(key: string, handler: (key: string) => Promise<void>): Promise<void> {
    const startedAt = this.#options.now();
    try {
      await handler(key);
    } catch (error) {
      this.#options.observer.onBug(key, error);
      if (this.#handler !== undefined) this.retry(key, 1_000);
    }
    this.#options.observer.onDone(this.#msSince(startedAt));
    this.#working.delete(key);
    const lane = this.#again.get(key);
    this.#again.delete(key);
    if (lane !== undefined && this.#handler !== undefined) this.add(key, lane);
    this.#work();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#noticeClock();
    const next = this.#delayed.firstAt;
    if (next === undefined || this.#handler === undefined) return;
    const pause = Math.min(Math.max(next - this.#options.now(), 0), MAX_TIMER_MS);
    this.#timer = setTimeout(() => {
      for (const key of this.#delayed.take(this.#options.now())) this.add(key);
      this.#arm();
    }, pause);
  }

  /** An instant wished for while the clock was ahead would be waited for as long as it was ahead: a look too many is cheap. */
  #noticeClock(): void {
    const now = this.#options.now();
    const isSetBack = this.#seenAt - now > CLOCK_TOLERANCE_MS;
    this.#seenAt = isSetBack ? now : Math.max(this.#seenAt, now);
    if (isSetBack) for (const key of this.#delayed.take(Infinity)) this.add(key);
  }

  #msSince(instant: EpochMs): number {
    return Math.max(this.#options.now() - instant, 0);
  }
}
