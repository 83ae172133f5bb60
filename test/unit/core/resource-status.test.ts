// The status of a resource: counters that are exact, lists that are bounded, conditions that tools can wait for.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { endingOf } from '../../../src/core/password-end.ts';
import {
  buildResourceStatus,
  MAX_LISTED,
  type ResourceFacts,
  type ResourceStatus,
  type Tally,
} from '../../../src/core/resource-status.ts';
import { HOUR, NOW } from '../../support/builders.ts';

const DAY = 24 * HOUR;
const NOTHING: Tally = { desired: 0, successful: [], failed: [] };

const facts = (parts: Partial<ResourceFacts> = {}): ResourceFacts => ({
  generation: 3,
  issues: [],
  isStandingDown: false,
  secrets: NOTHING,
  accounts: NOTHING,
  credential: undefined,
  failure: undefined,
  now: NOW,
  ...parts,
});

/** `right` places that are as they should be, `wrong` that are not, `open` that are being written. */
const tallyOf = (right: number, wrong = 0, open = 0, name = 'tcr.ipsa'): Tally => ({
  desired: right + wrong + open,
  successful: Array.from({ length: right }, (_, at) => ({
    namespacedName: `n-${at}/${name}`,
    updatedAt: NOW - at * 1_000,
  })),
  failed: Array.from({ length: wrong }, (_, at) => ({
    namespacedName: `w-${at}/${name}`,
    reason: 'NameTaken',
    message: 'belongs to somebody else',
    since: NOW - at * 1_000,
  })),
});

const conditionsOf = ({ conditions }: ResourceStatus) =>
  Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]));

describe('conditions', () => {
  const failure = { reason: 'PermissionDenied', message: 'may not mint' };
  const credential = { issuedAt: NOW, expiresAt: undefined, endsAt: undefined };
  const error = { severity: 'error', path: 'spec.docker.server', message: 'must be the host alone' } as const;
  test.each<[string, Partial<ResourceFacts>, Record<string, string>]>([
    [
      'everything is there',
      { secrets: tallyOf(2), accounts: tallyOf(3) },
      { Ready: 'True Distributed', Reconciling: 'False Distributed', Stalled: 'False Distributed' },
    ],
    ['nothing matches', {}, { Ready: 'True NothingMatches' }],
    [
      'something is being written',
      { secrets: tallyOf(1, 0, 1) },
      { Ready: 'False Progressing', Reconciling: 'True Progressing', Stalled: 'False Progressing' },
    ],
    [
      'something cannot be written',
      { secrets: tallyOf(1, 1) },
      { Ready: 'False NameTaken', Reconciling: 'True NameTaken' },
    ],
    ['a reference cannot be written', { secrets: tallyOf(1), accounts: tallyOf(1, 1) }, { Ready: 'False NameTaken' }],
    [
      'there is no credential',
      { secrets: tallyOf(0, 0, 2), failure },
      { Ready: 'False PermissionDenied', Reconciling: 'True PermissionDenied' },
    ],
    ['the old credential still works', { secrets: tallyOf(2), credential, failure }, { Ready: 'True Distributed' }],
    [
      'the spec is wrong',
      { secrets: tallyOf(2), issues: [error] },
      { Ready: 'False SpecInvalid', Reconciling: 'False SpecInvalid', Stalled: 'True SpecInvalid' },
    ],
    [
      'the spec has a remark',
      { secrets: tallyOf(2), issues: [{ ...error, severity: 'warning' }] },
      { Ready: 'True Distributed' },
    ],
    ['the vendor’s add-on serves it', { isStandingDown: true }, { Stalled: 'True VendorHelperRuns' }],
  ])('when %s', (_what, parts, conditions) => {
    expect(conditionsOf(buildResourceStatus(facts(parts), undefined))).toMatchObject(conditions);
  });

  test('keep the instant of a transition that did not happen, and no other', () => {
    const first = buildResourceStatus(facts({ secrets: tallyOf(1) }), undefined);
    const later = facts({ secrets: tallyOf(2, 0, 1), now: NOW + HOUR });
    const second = buildResourceStatus(later, JSON.parse(JSON.stringify(first)));
    const sinceOf = ({ conditions }: ResourceStatus) => conditions.map(({ lastTransitionTime }) => lastTransitionTime);
    expect(sinceOf(first)).toEqual(Array.from({ length: 3 }, () => '2026-01-02T03:04:05Z'));
    expect(sinceOf(second)).toEqual(['2026-01-02T04:04:05Z', '2026-01-02T04:04:05Z', '2026-01-02T03:04:05Z']);
  });
});

describe('[tcr K1] a password that ends', () => {
  test.each<[string, number | undefined, string | undefined]>([
    ['is valid for long', 400 * DAY, 'False PasswordValid'],
    ['ends within a week', 6 * DAY, 'True PasswordExpires'],
    ['has ended', -1, 'True PasswordExpired'],
    ['does not end', undefined, undefined],
  ])('%s', (_what, inMs, condition) => {
    const endsAt = inMs === undefined ? undefined : NOW + inMs;
    const credential = { issuedAt: NOW - 3_000 * DAY, expiresAt: undefined, endsAt };
    const status = buildResourceStatus(facts({ credential }), undefined);
    expect(conditionsOf(status).PasswordExpiring).toBe(condition);
    expect(status.expiresAt === undefined).toBe(inMs === undefined);
  });

  test('of a short life is near its end in the last quarter', () => {
    const credential = { issuedAt: NOW, endsAt: NOW + 24 * HOUR };
    expect(endingOf(credential, NOW + 17 * HOUR)).toMatchObject({ stage: 'valid', changesAt: NOW + 18 * HOUR });
    expect(endingOf(credential, NOW + 18 * HOUR)).toMatchObject({ stage: 'near', changesAt: NOW + 24 * HOUR });
    expect(endingOf(credential, NOW + 24 * HOUR)).toMatchObject({ stage: 'over', changesAt: undefined });
  });

  test('has the last quarter of its own life, whenever it was put in', () => {
    const credential = { issuedAt: NOW + 20 * HOUR, beganAt: NOW, endsAt: NOW + 24 * HOUR };
    expect(endingOf(credential, NOW + 20 * HOUR)).toMatchObject({ stage: 'near', changesAt: NOW + 24 * HOUR });
  });

  test('says nothing when it is renewed before', () => {
    const credential = { issuedAt: NOW, expiresAt: NOW + HOUR, endsAt: undefined };
    const status = buildResourceStatus(facts({ credential }), undefined);
    expect(conditionsOf(status)).not.toHaveProperty('PasswordExpiring');
    expect(status.expiresAt).toBe('2026-01-02T04:04:05Z');
  });
});

describe('[tcr C9] counters and lists', () => {
  const place = fc.record({ namespace: fc.stringMatching(/^[a-z]{1,8}$/), name: fc.stringMatching(/^[a-z]{1,200}$/) });
  const tallies = fc
    .record({
      places: fc.uniqueArray(place, {
        size: 'max',
        maxLength: 80,
        selector: ({ namespace, name }) => `${namespace}/${name}`,
      }),
      split: fc.tuple(fc.nat(80), fc.nat(80)),
      ages: fc.array(fc.nat(100_000), { minLength: 80, maxLength: 80 }),
    })
    .map(({ places, split, ages }): Tally => {
      const [from, to] = [...split].sort((a, b) => a - b);
      const names = places.map(({ namespace, name }) => `${namespace}/${name}`);
      return {
        desired: names.length,
        successful: names
          .slice(0, from)
          .map((namespacedName, at) => ({ namespacedName, updatedAt: NOW - (ages[at] ?? 0) })),
        failed: names
          .slice(from, to)
          .map((namespacedName) => ({ namespacedName, reason: 'Contended', message: 'x'.repeat(500), since: NOW })),
      };
    });

  test('are exact, bounded and without a place that is not there', () => {
    fc.assert(
      fc.property(tallies, tallies, (secrets, accounts) => {
        const status = buildResourceStatus(facts({ secrets, accounts }), undefined);
        expect(status).toMatchObject({
          secretsDesired: secrets.desired,
          secretsSuccess: secrets.successful.length,
          sAsDesired: accounts.desired,
          sAsSuccess: accounts.successful.length,
        });
        for (const [listed, of] of [
          [status.secretUpdateSuccessful, secrets.successful],
          [status.secretUpdateFailed, secrets.failed],
          [status.serviceAccountsModifySuccessful, accounts.successful],
          [status.serviceAccountsModifyFailed, accounts.failed],
        ] as const) {
          expect(listed.length).toBeLessThanOrEqual(MAX_LISTED);
          const names = of.map(({ namespacedName }) => namespacedName);
          for (const { namespacedName } of listed) expect(names).toContain(namespacedName);
          const instants = listed.map(({ updatedAt }) => Date.parse(updatedAt));
          expect(instants).toEqual(instants.toSorted((a, b) => b - a));
        }
        expect(JSON.stringify(status).length).toBeLessThan(20_000);
      }),
    );
  });

  test('do not depend on the order in which the world is read', () => {
    fc.assert(
      fc.property(tallies, tallies, (secrets, accounts) => {
        const reversed = ({ desired, successful, failed }: Tally): Tally => ({
          desired,
          successful: successful.toReversed(),
          failed: failed.toReversed(),
        });
        const status = buildResourceStatus(facts({ secrets, accounts }), undefined);
        const other = buildResourceStatus(
          facts({ secrets: reversed(secrets), accounts: reversed(accounts) }),
          undefined,
        );
        expect(other).toEqual(status);
      }),
    );
  });

  test('[tcr C10] are the same when nothing has happened, whatever the time', () => {
    fc.assert(
      fc.property(tallies, tallies, fc.nat(10 * DAY), (secrets, accounts, laterMs) => {
        const first = buildResourceStatus(facts({ secrets, accounts }), undefined);
        const stored: unknown = JSON.parse(JSON.stringify(first));
        expect(buildResourceStatus(facts({ secrets, accounts, now: NOW + laterMs }), stored)).toEqual(first);
      }),
    );
  });

  test('[tcr C10] a thousand failures are listed the same way each time', () => {
    const secrets = tallyOf(0, 1_000);
    const first = buildResourceStatus(facts({ secrets }), undefined);
    const stored: unknown = JSON.parse(JSON.stringify(first));
    expect(buildResourceStatus(facts({ secrets, now: NOW + HOUR }), stored)).toEqual(first);
    expect(first.secretUpdateFailed.map(({ namespacedName }) => namespacedName).slice(0, 2)).toEqual([
      'w-0/tcr.ipsa',
      'w-1/tcr.ipsa',
    ]);
  });

  test('show failures before successes when there is no room for all', () => {
    const name = 'x'.repeat(240);
    const status = buildResourceStatus(
      facts({ secrets: tallyOf(100, 100, 0, name), accounts: tallyOf(100, 0, 0, name) }),
      undefined,
    );
    expect(status.secretUpdateFailed).toHaveLength(MAX_LISTED);
    expect(status.secretUpdateSuccessful.length).toBeLessThan(MAX_LISTED);
  });

  test('whatever somebody wrote into the status before, nothing is thrown', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (list, condition) => {
        buildResourceStatus(facts({ secrets: tallyOf(1, 1) }), { secretUpdateFailed: list, conditions: [condition] });
        buildResourceStatus(facts({ secrets: tallyOf(1, 1) }), list);
      }),
    );
  });
});
