// Since when something is left alone: the order of failures in a status must not change with each pass.
import { expect, test } from '@jest/globals';
import { NotedSkips } from '../../../src/controller/noted-skips.ts';
import type { PassObserver } from '../../../src/controller/pass-world.ts';
import type { Plan, Skip } from '../../../src/core/plan-types.ts';

const ignore = (): void => undefined;
const OBSERVER: PassObserver = {
  onWrite: ignore,
  onFailedWrite: ignore,
  onPlan: ignore,
  onGone: ignore,
  onContention: ignore,
};
const taken = (name: string): Skip => ({ reason: 'NameTaken', name, message: 'belongs to somebody else' });
const planOf = (...skips: readonly Skip[]): Plan => ({ writes: [], skips, nextCheckAt: undefined, truncated: false });

test('what stays left alone keeps its instant; what ends and begins again gets another', () => {
  let now = 1_000;
  const notes = new NotedSkips(() => now);
  let passes = 0;
  const observer = notes.observing(OBSERVER, () => void (passes += 1));
  const sinceOf = () => notes.of('web').map(({ name, since }) => [name, since]);
  observer.onPlan('web', planOf(taken('a')));
  now = 2_000;
  observer.onPlan('web', planOf(taken('a'), taken('b')));
  expect(sinceOf()).toEqual([
    ['a', 1_000],
    ['b', 2_000],
  ]);
  observer.onPlan('web', planOf());
  now = 3_000;
  observer.onPlan('web', planOf(taken('a')));
  expect(sinceOf()).toEqual([['a', 3_000]]);
  observer.onGone('web');
  expect(sinceOf()).toEqual([]);
  expect(passes).toBe(5);
});
