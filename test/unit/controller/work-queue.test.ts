// The queue's promises: each key once, never twice at a time, urgent first, later when later is asked for.
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { WorkQueue, type QueueObserver } from '../../../src/controller/work-queue.ts';
import { HOUR, MINUTE, NOW, SECOND } from '../../support/builders.ts';

/** A queue and what it did; every key is worked on until it is released. */
class Bench {
  readonly started: string[] = [];
  readonly events: string[] = [];
  readonly queue: WorkQueue;
  readonly #release = new Map<string, (outcome: Error | undefined) => void>();

  constructor(options: { concurrency?: number; random?: number } = {}) {
    const observer: QueueObserver = {
      onAdd: (lane) => void this.events.push(`add ${lane}`),
      onStart: (waitedMs) => void this.events.push(`start after ${waitedMs}`),
      onDone: (workedMs) => void this.events.push(`done after ${workedMs}`),
      onRetry: () => void this.events.push('retry'),
      onBug: (key, error) => void this.events.push(`bug ${key} ${String(error)}`),
    };
    this.queue = new WorkQueue({
      concurrency: options.concurrency ?? 1,
      now: Date.now,
      random: () => options.random ?? 0.5,
      observer,
    });
  }

  /** Starts the queue; keys end when they are released, or at once when `atOnce`. */
  start(atOnce = false): this {
    this.queue.start((key) => {
      this.started.push(key);
      if (atOnce) return Promise.resolve();
      return new Promise((resolve, reject) => {
        this.#release.set(key, (error) => (error === undefined ? resolve() : reject(error)));
      });
    });
    return this;
  }

  async release(key: string, error?: Error): Promise<void> {
    const end = this.#release.get(key);
    if (end === undefined) throw new Error(`${key} is not being worked on`);
    this.#release.delete(key);
    end(error);
    await jest.advanceTimersByTimeAsync(0);
  }
}

beforeEach(() => void jest.useFakeTimers({ now: NOW }));
afterEach(() => void jest.useRealTimers());

describe('add', () => {
  test('a key that waits already is not added again', async () => {
    const { queue, started } = new Bench();
    for (let time = 0; time < 3; time += 1) queue.add('a');
    expect(queue.depth).toBe(1);
    queue.start((key) => Promise.resolve(void started.push(key)));
    await jest.advanceTimersByTimeAsync(0);
    expect(started).toEqual(['a']);
    expect(queue.depth).toBe(0);
  });

  test('a key that is added while it is worked on is worked on once more, not at the same time', async () => {
    const bench = new Bench({ concurrency: 5 }).start();
    bench.queue.add('a');
    for (let time = 0; time < 3; time += 1) bench.queue.add('a');
    expect(bench.started).toEqual(['a']);
    expect(bench.queue.working).toBe(1);
    await bench.release('a');
    expect(bench.started).toEqual(['a', 'a']);
    await bench.release('a');
    expect(bench.started).toEqual(['a', 'a']);
    expect(bench.queue.working).toBe(0);
  });

  test('at most `concurrency` keys are worked on at a time, in the order they came', async () => {
    const bench = new Bench({ concurrency: 2 }).start();
    for (const key of ['a', 'b', 'c', 'd']) bench.queue.add(key);
    expect(bench.started).toEqual(['a', 'b']);
    await bench.release('b');
    expect(bench.started).toEqual(['a', 'b', 'c']);
    expect([bench.queue.working, bench.queue.depth]).toEqual([2, 1]);
  });

  test('urgent keys go first', () => {
    const bench = new Bench({ concurrency: 9 });
    bench.queue.add('a');
    bench.queue.add('b', 'urgent');
    bench.queue.add('c', 'urgent');
    bench.start();
    expect(bench.started).toEqual(['b', 'c', 'a']);
  });

  test('an urgent add moves a waiting key forward, and it has waited since it came', async () => {
    const bench = new Bench({ concurrency: 9 });
    bench.queue.add('a');
    bench.queue.add('b');
    await jest.advanceTimersByTimeAsync(70);
    bench.queue.add('b', 'urgent');
    bench.queue.add('b', 'normal');
    expect(bench.queue.depth).toBe(2);
    bench.start();
    expect(bench.started).toEqual(['b', 'a']);
    expect(bench.events.filter((event) => event.startsWith('start'))).toEqual(['start after 70', 'start after 70']);
  });

  test('an urgent add while a key is worked on is not forgotten by a normal one', async () => {
    const bench = new Bench().start();
    bench.queue.add('a');
    bench.queue.add('x');
    bench.queue.add('a', 'urgent');
    bench.queue.add('a', 'normal');
    await bench.release('a');
    expect(bench.started).toEqual(['a', 'a']);
  });

  test('keys that are added before the start wait for it', async () => {
    const bench = new Bench();
    bench.queue.add('a');
    await jest.advanceTimersByTimeAsync(HOUR);
    expect(bench.started).toEqual([]);
    bench.start();
    expect(bench.started).toEqual(['a']);
  });
});

describe('wakeAt', () => {
  test('adds the key at that instant, not before', async () => {
    const bench = new Bench().start(true);
    bench.queue.wakeAt('a', NOW + 5 * SECOND);
    await jest.advanceTimersByTimeAsync(5 * SECOND - 1);
    expect(bench.started).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(bench.started).toEqual(['a']);
    await jest.advanceTimersByTimeAsync(HOUR);
    expect(bench.started).toEqual(['a']);
  });

  test.each([
    ['a later instant replaces an earlier one', [1, 3], 3],
    ['an earlier instant replaces a later one', [3, 1], 1],
  ])('%s', async (_, instants, expected) => {
    const bench = new Bench().start(true);
    for (const at of instants) bench.queue.wakeAt('a', NOW + at * MINUTE);
    await jest.advanceTimersByTimeAsync(expected * MINUTE - 1);
    expect(bench.started).toEqual([]);
    await jest.advanceTimersByTimeAsync(HOUR);
    expect(bench.started).toEqual(['a']);
  });

  test('of nothing takes the wish back', async () => {
    const bench = new Bench().start(true);
    bench.queue.wakeAt('a', NOW + SECOND);
    bench.queue.wakeAt('a', undefined);
    await jest.advanceTimersByTimeAsync(HOUR);
    expect(bench.started).toEqual([]);
  });

  test('in the past adds at once', async () => {
    const bench = new Bench().start(true);
    bench.queue.wakeAt('a', NOW - HOUR);
    await jest.advanceTimersByTimeAsync(1);
    expect(bench.started).toEqual(['a']);
  });

  test('many keys come in the order of their instants', async () => {
    const bench = new Bench().start(true);
    for (const [key, at] of [
      ['c', 3],
      ['a', 1],
      ['b', 2],
    ] as const)
      bench.queue.wakeAt(key, NOW + at * SECOND);
    await jest.advanceTimersByTimeAsync(MINUTE);
    expect(bench.started).toEqual(['a', 'b', 'c']);
  });

  test('for longer than a timer can take neither fires at once nor is lost', async () => {
    const bench = new Bench().start(true);
    bench.queue.wakeAt('a', NOW + 2 ** 31 + HOUR);
    await jest.advanceTimersByTimeAsync(2 ** 31 + HOUR - 1);
    expect(bench.started).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(bench.started).toEqual(['a']);
  });

  test('is noticed within a minute after the wall clock has jumped past it', async () => {
    const bench = new Bench().start(true);
    bench.queue.wakeAt('a', NOW + HOUR);
    jest.setSystemTime(NOW + 2 * HOUR);
    await jest.advanceTimersByTimeAsync(MINUTE);
    expect(bench.started).toEqual(['a']);
  });

  test('is due within a minute after the wall clock was set back', async () => {
    const bench = new Bench().start(true);
    jest.setSystemTime(NOW + 24 * HOUR);
    bench.queue.wakeAt('b', NOW + 26 * HOUR);
    bench.queue.wakeAt('a', NOW + 25 * HOUR);
    jest.setSystemTime(NOW);
    await jest.advanceTimersByTimeAsync(MINUTE - 1);
    expect(bench.started).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(bench.started).toEqual(['a', 'b']);
    await jest.advanceTimersByTimeAsync(48 * HOUR);
    expect(bench.started).toEqual(['a', 'b']);
  });

  test.each([
    ['another wish', (bench: Bench) => bench.queue.wakeAt('b', NOW + HOUR)],
    ['a retry', (bench: Bench) => bench.queue.retry('b', HOUR)],
  ])('is due at once when %s shows that the wall clock was set back', async (_, show) => {
    const bench = new Bench().start(true);
    bench.queue.wakeAt('a', NOW + HOUR);
    jest.setSystemTime(NOW - 6 * SECOND);
    show(bench);
    expect(bench.started).toEqual(['a']);
    await jest.advanceTimersByTimeAsync(MINUTE);
    expect(bench.started).toEqual(['a']);
  });

  test('is not disturbed by a clock that is set right by a few seconds', async () => {
    const bench = new Bench().start(true);
    bench.queue.wakeAt('a', NOW + HOUR);
    jest.setSystemTime(NOW - 5 * SECOND);
    bench.queue.wakeAt('b', NOW + HOUR);
    await jest.advanceTimersByTimeAsync(HOUR);
    expect(bench.started).toEqual([]);
    await jest.advanceTimersByTimeAsync(5 * SECOND);
    expect(bench.started).toEqual(['a', 'b']);
  });

  test('before the start waits for it', async () => {
    const bench = new Bench();
    bench.queue.wakeAt('a', NOW + SECOND);
    await jest.advanceTimersByTimeAsync(MINUTE);
    bench.start(true);
    await jest.advanceTimersByTimeAsync(1);
    expect(bench.started).toEqual(['a']);
  });
});

describe('retry', () => {
  /** How long each of `count` retries in a row took. */
  async function pausesOf(bench: Bench, count: number, baseMs: number): Promise<readonly number[]> {
    const pauses: number[] = [];
    for (let index = 0; index < count; index += 1) {
      const before = bench.started.length;
      const since = Date.now();
      bench.queue.retry('a', baseMs);
      for (let step = 0; bench.started.length === before && step < 100; step += 1) {
        await jest.advanceTimersToNextTimerAsync();
      }
      pauses.push(Date.now() - since);
    }
    return pauses;
  }

  test('doubles its pause up to five minutes', async () => {
    const bench = new Bench().start(true);
    const pauses = await pausesOf(bench, 12, SECOND);
    expect(pauses.map((pause) => pause / SECOND)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  });

  test.each([
    [0, 800],
    [0.999, 1_200],
  ])('is spread by a fifth: random %p gives about %p ms', async (random, expected) => {
    const [pause = Number.NaN] = await pausesOf(new Bench({ random }).start(true), 1, SECOND);
    expect(Math.abs(pause - expected)).toBeLessThanOrEqual(1);
  });

  test('starts anew after the key was well', async () => {
    const bench = new Bench().start(true);
    await pausesOf(bench, 5, SECOND);
    bench.queue.forget('a');
    expect(await pausesOf(bench, 1, SECOND)).toEqual([SECOND]);
  });

  test('that is quick is not put off by slow ones of the same key, nor the other way round', async () => {
    const bench = new Bench().start(true);
    await pausesOf(bench, 16, 5 * SECOND);
    expect(await pausesOf(bench, 3, 10)).toEqual([10, 20, 40]);
    bench.queue.forget('a');
    expect(await pausesOf(bench, 1, 5 * SECOND)).toEqual([5 * SECOND]);
    expect(await pausesOf(bench, 1, 10)).toEqual([10]);
  });

  test('of both kinds at once comes when the earlier of them does', async () => {
    const bench = new Bench().start(true);
    bench.queue.retry('a', 10);
    bench.queue.retry('a', 5 * SECOND);
    await jest.advanceTimersByTimeAsync(10);
    expect(bench.started).toEqual(['a']);
  });

  test('does not grow out of bounds after very many', async () => {
    const bench = new Bench().start(true);
    const pauses = await pausesOf(bench, 1_100, MINUTE);
    expect(pauses.at(-1)).toBe(5 * MINUTE);
  });

  test('does not put off an earlier wish, and is not put off by a later one', async () => {
    const bench = new Bench().start(true);
    bench.queue.wakeAt('a', NOW + SECOND);
    bench.queue.retry('a', MINUTE);
    bench.queue.wakeAt('b', NOW + HOUR);
    bench.queue.retry('b', SECOND * 2);
    await jest.advanceTimersByTimeAsync(SECOND);
    expect(bench.started).toEqual(['a']);
    await jest.advanceTimersByTimeAsync(SECOND);
    expect(bench.started).toEqual(['a', 'b']);
  });
});

describe('a handler that throws', () => {
  test('is reported as a bug, and its key is tried again', async () => {
    const bench = new Bench().start();
    bench.queue.add('a');
    await bench.release('a', new Error('oops'));
    expect(bench.events).toContain('bug a Error: oops');
    await jest.advanceTimersByTimeAsync(SECOND);
    expect(bench.started).toEqual(['a', 'a']);
  });

  test('before it returns a promise does not stop the queue either', async () => {
    const bench = new Bench();
    bench.queue.start((key) => {
      bench.started.push(key);
      throw new Error('sync');
    });
    bench.queue.add('a');
    bench.queue.add('b');
    await jest.advanceTimersByTimeAsync(0);
    expect(bench.started).toEqual(['a', 'b']);
  });
});

describe('stop', () => {
  test('resolves when what is being worked on is done, and takes no more keys', async () => {
    const bench = new Bench().start();
    bench.queue.add('a');
    bench.queue.add('b');
    let isStopped = false;
    const stopped = bench.queue.stop().then(() => (isStopped = true));
    await jest.advanceTimersByTimeAsync(0);
    expect(isStopped).toBe(false);
    await bench.release('a');
    await stopped;
    expect(bench.started).toEqual(['a']);
    expect([bench.queue.depth, bench.queue.working]).toEqual([0, 0]);
  });

  test('resolves at once when nothing is worked on', async () => {
    await expect(new Bench().start().queue.stop()).resolves.toBeUndefined();
  });

  test('forgets what waits, is delayed or is to be worked on again', async () => {
    const bench = new Bench().start();
    bench.queue.add('a');
    bench.queue.add('a');
    bench.queue.add('b');
    bench.queue.wakeAt('c', NOW + SECOND);
    const stopped = bench.queue.stop();
    await bench.release('a');
    await stopped;
    bench.start(true);
    await jest.advanceTimersByTimeAsync(HOUR);
    expect(bench.started).toEqual(['a']);
  });

  test('leaves no timer behind, also when a handler asks for later while it ends', async () => {
    const bench = new Bench().start();
    bench.queue.add('a');
    const stopped = bench.queue.stop();
    bench.queue.wakeAt('a', NOW + SECOND);
    bench.queue.retry('a', SECOND);
    await bench.release('a', new Error('late'));
    await stopped;
    expect(jest.getTimerCount()).toBe(0);
    expect(bench.events).toContain('bug a Error: late');
  });

  test('may be followed by another start', async () => {
    const bench = new Bench().start(true);
    await bench.queue.stop();
    bench.queue.add('a');
    bench.start(true);
    await jest.advanceTimersByTimeAsync(0);
    expect(bench.started).toEqual(['a']);
  });

  test('and a start before the last work ended do not work on a key twice at a time', async () => {
    const bench = new Bench({ concurrency: 2 }).start();
    bench.queue.add('a');
    const stopped = bench.queue.stop();
    bench.start();
    bench.queue.add('a');
    expect(bench.started).toEqual(['a']);
    await bench.release('a');
    await stopped;
    expect(bench.started).toEqual(['a', 'a']);
  });
});
