// What one account spends in one region: never more than the cloud bears, in the order of asking.
import { describe, expect, test } from '@jest/globals';
import { createRequestBudget } from '../../../src/providers/alibaba/budget.ts';

const { signal } = new AbortController();

/** A budget on a clock that goes on only when somebody waits. */
function harness(perSecond: number) {
  const state = { elapsed: 0 };
  const budget = createRequestBudget({
    perSecond,
    elapsed: () => state.elapsed,
    delay: (ms, abort) => {
      abort.throwIfAborted();
      state.elapsed += ms;
      return Promise.resolve();
    },
  });
  const spentAt = async (key = 'account/region', abort = signal): Promise<number> => {
    await budget.spend(key, abort);
    return state.elapsed;
  };
  return { state, budget, spentAt };
}

describe('[acr X4] requests', () => {
  test('are at most fifteen in any second for one account and region', async () => {
    const { spentAt } = harness(15);
    const times: number[] = [];
    for (let at = 0; at < 100; at += 1) times.push(await spentAt());
    for (const [index, time] of times.entries()) {
      expect(times.slice(index).filter((one) => one < time + 1_000).length).toBeLessThanOrEqual(15);
    }
    // No slower than it must be.
    expect(times.at(-1)).toBe(6_000);
  });

  test('of another account or region do not count', async () => {
    const { spentAt } = harness(1);
    expect([await spentAt('a/x'), await spentAt('b/x'), await spentAt('a/y')]).toEqual([0, 0, 0]);
    expect(await spentAt('a/x')).toBe(1_000);
  });

  test('wait as long as the cloud asks, all of the account', async () => {
    const { budget, spentAt } = harness(15);
    budget.hold('a', 7_000);
    budget.hold('a', 3_000);
    expect([await spentAt('b'), await spentAt('a'), await spentAt('a')]).toEqual([0, 7_000, 7_000]);
  });

  test('that are given up spend nothing and hold up nobody', async () => {
    const { spentAt } = harness(2);
    const asked = [spentAt('a'), spentAt('a', AbortSignal.abort()), spentAt('a')];
    expect((await Promise.allSettled(asked)).map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await asked[2]).toBe(0);
  });
});
