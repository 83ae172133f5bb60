// What goes, and what stays, when a namespace leaves the scope; and how two installations live in one cluster.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { IGNORE_LABEL, isManaged } from '../../../src/core/names.ts';
import { buildScope, buildSettings, patterns } from '../../support/builders.ts';
import { isAccountName, seedArbitrary, wishesArbitrary, worldOf } from '../../support/planned-world-arbitrary.ts';
import { runToFixpoint, type Wishes } from '../../support/planned-world-run.ts';
import type { PlannedWorld } from '../../support/planned-world.ts';

const RUNS = { numRuns: 300 };

const WAYS_OUT: readonly (readonly [string, (wishes: Wishes, world: PlannedWorld) => Wishes])[] = [
  ['no rule is left', (wishes) => ({ ...wishes, rules: [] })],
  [
    'the rules name other namespaces',
    (wishes) => ({
      ...wishes,
      rules: wishes.rules.map((rule) => ({ ...rule, scope: buildScope({ namespaces: patterns('elsewhere') }) })),
    }),
  ],
  [
    'the namespace bears the ignore label',
    (wishes, world) => {
      world.namespaceLabels = { [IGNORE_LABEL]: 'true' };
      return wishes;
    },
  ],
  [
    'its rules are about nothing any more',
    (wishes) => ({ ...wishes, rules: wishes.rules.map((rule) => ({ ...rule, requests: [] })) }),
  ],
];

describe('everything of ours goes and all else stays', () => {
  test.each(WAYS_OUT)('when %s', (_, leave) => {
    fc.assert(
      fc.property(wishesArbitrary, seedArbitrary, fc.boolean(), (wishes, seed, hadItsTime) => {
        // A deletion waits for the end of a fight over its Secret, or of a refusal, as every write does.
        const world = worldOf({ ...seed, refused: [], contended: seed.contended.filter(isAccountName) });
        if (hadItsTime) runToFixpoint(world, wishes);
        const { instance } = wishes.settings;
        const others = [...world.secrets].filter(([, secret]) => !isManaged(secret, instance));
        const othersBefore = structuredClone(others);
        const accountsBefore = structuredClone(world.serviceAccounts);

        const { rounds, last } = runToFixpoint(world, leave(wishes, world));

        expect(rounds).toBeLessThanOrEqual(2);
        expect(last.plan.nextCheckAt).toBeUndefined();
        expect([...world.secrets]).toEqual(othersBefore);
        for (const [name, account] of world.serviceAccounts) {
          const before = accountsBefore.get(name);
          const ours = before?.recorded[instance] ?? [];
          expect(account.imagePullSecrets).toEqual(before?.imagePullSecrets.filter((entry) => !ours.includes(entry)));
          expect(account.recorded).toEqual({ ...before?.recorded, [instance]: [] });
        }
      }),
      RUNS,
    );
  });
});

test('two installations come to rest together, and neither touches what the other wrote', () => {
  fc.assert(
    fc.property(wishesArbitrary, wishesArbitrary, seedArbitrary, (mine, others, seed) => {
      const world = worldOf(seed);
      const both = [mine, { ...others, settings: buildSettings({ ...others.settings, instance: 'other' }) }] as const;
      let quiet = 0;
      for (let turn = 0; quiet < 2; turn += 1) {
        expect(turn).toBeLessThan(10);
        const wishes = both[turn % 2 === 0 ? 0 : 1];
        const { instance } = wishes.settings;
        const neighbour = both[turn % 2 === 0 ? 1 : 0].settings.instance;
        const neighbourRecords = new Map(
          [...world.serviceAccounts].map(([name, account]) => [name, account.recorded[neighbour]]),
        );
        const { steps } = runToFixpoint(world, wishes);
        for (const { write, answer, secretBefore, accountBefore } of steps) {
          if (answer !== 'Done') continue;
          if (secretBefore !== undefined) expect(isManaged(secretBefore, neighbour)).toBe(false);
          if (write.kind !== 'patch-service-account') continue;
          expect(accountBefore?.recorded[instance]).toEqual(expect.arrayContaining([...write.removed]));
        }
        for (const [name, account] of world.serviceAccounts) {
          expect(account.recorded[neighbour]).toEqual(neighbourRecords.get(name));
        }
        quiet = steps.some(({ answer }) => answer === 'Done') ? 0 : quiet + 1;
      }
    }),
    RUNS,
  );
});
