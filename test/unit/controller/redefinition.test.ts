// When a definition that has changed counts as one that may have learnt fields.
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createRedefinition } from '../../../src/controller/redefinition.ts';

/** Runs one whose pauses end when told. */
function run() {
  const world = { told: 0, pauses: [] as number[], end: () => undefined as unknown, stop: new AbortController() };
  const redefinition = createRedefinition(
    () => void (world.told += 1),
    (ms, signal) =>
      new Promise((resolve) => {
        world.pauses.push(ms);
        world.end = () => resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
        if (signal.aborted) resolve();
      }),
  );
  const running = redefinition.run(world.stop.signal);
  /** Ends the pauses that there are, one after the other. */
  const pass = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time += 1) {
      await setImmediate();
      world.end();
    }
    await setImmediate();
  };
  return Object.assign(world, { redefinition, running, pass });
}

test('not the first that is seen, nor the same again, nor that there is none', async () => {
  const world = run();
  for (const version of [undefined, 'a/1', 'a/1', undefined, 'a/1']) world.redefinition.seen(version);
  await world.pass(3);
  expect([world.told, world.redefinition.count]).toEqual([0, 0]);
  world.stop.abort();
  await world.running;
});

test('at once, and again for a minute: each API server learns of it by itself', async () => {
  const world = run();
  world.redefinition.seen('a/1');
  world.redefinition.seen('a/2');
  await world.pass(10);
  expect(world.pauses).toEqual([0, 2_000, 8_000, 50_000]);
  expect([world.told, world.redefinition.count]).toEqual([4, 4]);
  world.redefinition.seen('b/1');
  await world.pass(10);
  expect(world.redefinition.count).toBe(8);
  world.stop.abort();
  await world.running;
});

test('anew from a change that comes meanwhile', async () => {
  const world = run();
  world.redefinition.seen('a/1');
  world.redefinition.seen('a/2');
  await world.pass(2);
  world.redefinition.seen('a/3');
  await world.pass(10);
  expect(world.pauses).toEqual([0, 2_000, 8_000, 0, 2_000, 8_000, 50_000]);
  expect(world.redefinition.count).toBe(6);
  world.stop.abort();
  await world.running;
});

test('anew, and all four times, from the last of several changes that come at a time', async () => {
  const world = run();
  for (const version of ['a/1', 'a/2', 'a/3', 'a/4']) world.redefinition.seen(version);
  await world.pass(10);
  expect(world.redefinition.count).toBe(4);
  world.redefinition.seen('a/5');
  await world.pass(2);
  const { count } = world.redefinition;
  for (const version of ['a/6', 'a/7']) world.redefinition.seen(version);
  await world.pass(10);
  expect(world.redefinition.count - count).toBe(4);
  world.stop.abort();
  await world.running;
});

test.each<[string, number]>([
  ['while nothing has changed', 0],
  ['while it waits to say it again', 2],
])('ends when it is stopped %s', async (_when, passes) => {
  const world = run();
  world.redefinition.seen('a/1');
  if (passes > 0) world.redefinition.seen('a/2');
  await world.pass(passes);
  const { count } = world.redefinition;
  world.stop.abort();
  await expect(world.running).resolves.toBeUndefined();
  expect(world.redefinition.count).toBe(count);
});
