// Lives through days of a namespace whose clouds answer: nothing ever expires, and nothing is renewed more often than needed.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planNamespace } from '../../../src/core/plan.ts';
import { wantedCredentials } from '../../../src/core/plan-secrets.ts';
import { isValid } from '../../../src/core/refresh.ts';
import type { Desired, EpochMs, Rule } from '../../../src/core/types.ts';
import {
  buildDesired,
  buildRequest,
  buildRule,
  buildSettings,
  HOUR,
  MINUTE,
  NOW,
  SECOND,
} from '../../support/builders.ts';
import { HealthyStore } from '../../support/healthy-store.ts';
import { PlannedWorld } from '../../support/planned-world.ts';

/** What happened in the time from NOW to `until`. */
function live(desired: Desired, store: HealthyStore, thresholdMs: number, until: EpochMs) {
  const world = new PlannedWorld();
  const settings = buildSettings({ thresholdMs });
  let now: EpochMs = NOW;
  let passes = 0;
  let writes = 0;
  const expired: EpochMs[] = [];
  while (now < until) {
    const observed = world.observe(settings.instance);
    for (const secret of observed.secrets.values()) {
      const records = Object.values(secret.entries ?? {});
      if (records.some((record) => !isValid(record, now))) expired.push(now);
    }
    const context = { settings, observed, currentSource: (key: string) => store.current(key), now };
    const answers = store.resolve(wantedCredentials(desired, context), now);
    const plan = planNamespace(desired, answers, context);
    for (const write of plan.writes) expect(world.apply(write, settings)).toBe('Done');
    passes += 1;
    writes += plan.writes.length;
    if (plan.nextCheckAt === undefined) throw new Error(`nobody looks again after ${now - NOW} ms`);
    expect(plan.nextCheckAt).toBeGreaterThan(now);
    now = plan.nextCheckAt;
  }
  return { passes, writes, expired };
}

const lives = fc.integer({ min: 20 * SECOND, max: 12 * HOUR });

test('while the clouds answer, no entry ever expires, and each life costs its own renewals at most', () => {
  fc.assert(
    fc.property(
      fc.record({ a: lives, b: lives, c: lives }),
      fc.integer({ min: SECOND, max: 2 * HOUR }),
      fc.constantFrom('registry-credentials', 'x', 'another'),
      (lifeOf, thresholdMs, secretName) => {
        const requests = ['a', 'b', 'c'].map((key) => buildRequest(key, [`${key}.example`]));
        const store = new HealthyStore(lifeOf, thresholdMs);
        const shortest = Math.min(...Object.values(lifeOf));
        const { passes, writes, expired } = live(
          buildDesired(buildRule({ secretName, requests })),
          store,
          thresholdMs,
          NOW + 10 * shortest,
        );
        expect(expired).toEqual([]);
        // An entry is due after a third of its life at the earliest.
        const rotations = Object.values(lifeOf).map((life) => Math.ceil((3 * 10 * shortest) / life));
        expect(writes).toBeLessThanOrEqual(rotations.reduce((sum, count) => sum + count, 3));
        expect(passes).toBeLessThanOrEqual(2 * writes + 3);
      },
    ),
    { numRuns: 100 },
  );
});

test('five registries of equal life cost at most the rotations of two', () => {
  const rule = (count: number): Rule =>
    buildRule({
      requests: Array.from({ length: count }, (_, index) => buildRequest(`k${index}`, [`r${index}.example`])),
    });
  const rotations = (count: number): number => {
    const store = new HealthyStore({}, 15 * MINUTE);
    // Their credentials were fetched at different times.
    for (const [index, request] of rule(count).requests.entries()) {
      store.resolve([{ request, newerThan: undefined }], NOW - 4 * index * MINUTE);
    }
    return live(buildDesired(rule(count)), store, 15 * MINUTE, NOW + 24 * HOUR).writes;
  };
  // What is past half of its life goes with a due neighbour, so that two groups are left at most.
  expect(rotations(5)).toBeLessThanOrEqual(2 * rotations(1) + 1);
});
