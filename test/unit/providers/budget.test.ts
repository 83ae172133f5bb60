// What is spent in one region: never more than the cloud bears from one account, in the order of asking.
import { describe, expect, test } from '@jest/globals';
import { createRequestBudget } from '../../../src/providers/budget.ts';

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
  const spentAt = async (account = 'a', { region = 'x', abort = signal } = {}): Promise<number> => {
    await budget.spend({ scope: region, account }, abort);
    return state.elapsed;
  };
  return { state, budget, spentAt };
}

describe('[acr X4] requests', () => {
  test('are at most fifteen in any second in one region', async () => {
    const { spentAt } = harness(15);
    const times: number[] = [];
    for (let at = 0; at < 100; at += 1) times.push(await spentAt());
    for (const [index, time] of times.entries()) {
      expect(times.slice(index).filter((one) => one < time + 1_000).length).toBeLessThanOrEqual(15);
    }
    // No slower than it must be.
    expect(times.at(-1)).toBe(6_000);
  });

  test('of another region do not count; those of another identity do: it may be of the same account', async () => {
    const { spentAt } = harness(1);
    expect([await spentAt('a'), await spentAt('a', { region: 'y' })]).toEqual([0, 0]);
    expect(await spentAt('b')).toBe(1_000);
    expect(await spentAt('a')).toBe(2_000);
  });

  test('of four identities of one account are together no more than of one', async () => {
    const { spentAt } = harness(15);
    const identities = ['worker-role', 'managed-role', 'a Secret', 'another'];
    const times: number[] = [];
    for (let at = 0; at < 60; at += 1) times.push(await spentAt(identities[at % identities.length]));
    expect([...Map.groupBy(times, (time) => time)].map(([time, some]) => [time, some.length])).toEqual(
      [0, 1_000, 2_000, 3_000].map((time) => [time, 15]),
    );
  });

  test('wait as long as the cloud asks, all of the account in the region and no other', async () => {
    const { budget, spentAt } = harness(15);
    budget.hold({ scope: 'x', account: 'a' }, 7_000);
    budget.hold({ scope: 'x', account: 'a' }, 3_000);
    expect([await spentAt('b'), await spentAt('a', { region: 'y' })]).toEqual([0, 0]);
    expect([await spentAt('a'), await spentAt('a')]).toEqual([7_000, 7_000]);
  });

  test('of an account that is asked to wait while it queues let the others go first', async () => {
    const { budget, spentAt } = harness(1);
    const order: string[] = [];
    await spentAt('a');
    const asked = ['a', 'b', 'c'].map((account) => spentAt(account).then((at) => order.push(`${account} ${at}`)));
    budget.hold({ scope: 'x', account: 'a' }, 60_000);
    await Promise.all(asked);
    expect(order.map((text) => text[0])).toEqual(['b', 'c', 'a']);
    expect(Number(order[2]?.slice(2))).toBeGreaterThanOrEqual(60_000);
  });

  test('that are given up spend nothing and hold up nobody', async () => {
    const { spentAt } = harness(2);
    const asked = [spentAt(), spentAt('a', { abort: AbortSignal.abort() }), spentAt()];
    expect((await Promise.allSettled(asked)).map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await asked[2]).toBe(0);
  });
});
