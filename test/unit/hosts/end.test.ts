// The end of the block on one node, with an updater that succeeds, fails, or leaves lines.
import { expect, test } from '@jest/globals';
import { createHostsEnd } from '../../../src/hosts/end.ts';
import { HostsFailure, type HostsFailureReason } from '../../../src/hosts/failure.ts';
import { eventually } from '../../support/eventually.ts';

/** Attempts in their order: what `remove` comes to. */
function endOf(...attempts: readonly (boolean | HostsFailureReason)[]) {
  const left = [...attempts];
  const told: string[] = [];
  let removals = 0;
  const end = createHostsEnd({
    intervalMs: 1,
    onFailed: ({ reason }) => void told.push(reason),
    onGone: () => void told.push('gone'),
    updater: {
      remove: () => {
        removals += 1;
        const next = left.shift() ?? true;
        return typeof next === 'boolean' ? Promise.resolve(next) : Promise.reject(new HostsFailure(next, 'no'));
      },
      close: () => Promise.resolve(),
    },
  });
  const stop = new AbortController();
  const outcome = end.run(stop.signal);
  return { end, told, stop, outcome, removals: () => removals };
}

test('is done when the block is gone, and then nothing is done any more until it is asked to end', async () => {
  const { end, told, stop, outcome, removals } = endOf(true);
  expect(end.problem()).toBe('the block was not removed yet');
  await eventually('it is done', () => end.problem() === undefined);
  expect(told).toEqual(['gone']);
  stop.abort();
  expect(await outcome).toBe(true);
  expect(removals()).toBe(1);
});

test('is tried again until it succeeds, and says meanwhile what is in the way', async () => {
  const { end, told, stop, outcome } = endOf('LockBusy', 'FileReadOnly', true);
  await eventually('it is done', () => end.problem() === undefined);
  expect(told).toEqual(['LockBusy', 'FileReadOnly', 'gone']);
  stop.abort();
  expect(await outcome).toBe(true);
});

test('is never done where lines stay that may be ours: a second attempt would not see them', async () => {
  const { end, stop, outcome, removals, told } = endOf(false, true);
  await eventually('it was tried', () => end.problem()?.includes('lines that may be ours') === true);
  stop.abort();
  expect(await outcome).toBe(false);
  expect(removals()).toBe(1);
  expect(told).toEqual([]);
});

test('is done where there is no file', async () => {
  const { end, stop, outcome } = endOf('FileMissing');
  await eventually('it is done', () => end.problem() === undefined);
  stop.abort();
  expect(await outcome).toBe(true);
});

test('ends at once, and not well, when it is asked to before it succeeded', async () => {
  const { stop, outcome } = endOf('LockBusy', 'LockBusy', 'LockBusy', 'LockBusy', 'LockBusy', 'LockBusy');
  stop.abort();
  expect(await outcome).toBe(false);
});
