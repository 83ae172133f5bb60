// Who is refused of two resources that name one Secret, one as a key and the other as what it publishes.
import { describe, expect, test } from '@jest/globals';
import { buildConditions } from '../../../src/core/resource-conditions.ts';
import { claimOf, conflictsAmong, type Claim, type Claimant } from '../../../src/core/resource-conflicts.ts';
import {
  buildResourceStatus,
  buildWrittenStatus,
  type ResourceFacts,
  type ResourceStatus,
} from '../../../src/core/resource-status.ts';
import type { Issue, Rule } from '../../../src/core/types.ts';
import { buildRequest, buildRule, HOUR, NOW } from '../../support/builders.ts';

const ruleOf = (name: string, published: boolean): Rule => {
  const secret = { reference: { namespace: 'kube-system', name: 'login' }, published };
  return buildRule({ secretName: `tcr.ips${name}`, requests: [{ ...buildRequest(name, ['a.example']), secret }] });
};
const claimant = (name: string, published: boolean, claim: Partial<Claim> = {}): Claimant => ({
  ...{ name, rule: ruleOf(name, published), standing: 'new', createdAt: NOW },
  ...claim,
});
/** The victim publishes the Secret as its password; `other` names it as a key. */
const refused = (victim: Partial<Claim>, other: Partial<Claim>): readonly string[] => {
  const pair = [claimant('victim', true, victim), claimant('other', false, other)];
  const names = [pair, pair.toReversed()].map((all) => [...conflictsAmong([], all).keys()]);
  expect(names[0]).toEqual(names[1]);
  return names[0] ?? [];
};

describe('of two resources', () => {
  test.each<[string, Partial<Claim>, Partial<Claim>, string]>([
    ['a new one cannot switch off what is served', { standing: 'served' }, { standing: 'new' }, 'other'],
    [
      'nor can an older one that is edited',
      { standing: 'served' },
      { standing: 'edited', createdAt: NOW - HOUR },
      'other',
    ],
    [
      'one that was refused does not come in by an edit of the other',
      { standing: 'edited' },
      { standing: 'refused' },
      'other',
    ],
    ['a key in use is not published', { standing: 'new' }, { standing: 'served' }, 'victim'],
    [
      'nor after an edit of whoever wants to',
      { standing: 'edited', createdAt: NOW - HOUR },
      { standing: 'served' },
      'victim',
    ],
    ['a key is not published when nothing is known of either', { createdAt: NOW - HOUR }, {}, 'victim'],
  ])('%s', (_what, victim, other, loser) => {
    expect(refused(victim, other)).toEqual([loser]);
  });

  test('the older of two that would publish has no say over the other: both are served', () => {
    expect(conflictsAmong([], [claimant('a', true), claimant('b', true)]).size).toBe(0);
  });

  test('one that is refused keeps no third from being served', () => {
    const all = [
      claimant('key', false, { standing: 'served' }),
      claimant('thief', true),
      claimant('second-key', false, { createdAt: NOW + HOUR }),
    ];
    expect([...conflictsAmong([], all).keys()]).toEqual(['thief']);
  });

  test('the keys of the configuration go before whatever is served', () => {
    const found = conflictsAmong([ruleOf('own', false)], [claimant('a', true, { standing: 'served' })]);
    expect(found.get('a')).toMatchObject({
      path: 'spec.docker.passwordSecretRef',
      message: expect.stringContaining('kube-system/login'),
    });
  });

  test('each is told which Secret to change', () => {
    const all = [claimant('victim', true, { standing: 'served' }), claimant('other', false)];
    const message = conflictsAmong([], all).get('other')?.message;
    expect(message).toContain('kube-system/login');
    expect(message).toContain('ImagePullSecret victim');
  });
});

describe('what a resource was', () => {
  const none = { desired: 0, successful: [], failed: [] };
  const conflict: Issue = { severity: 'error', path: 'spec.tcr', message: 'names the Secret x' };
  const wrong: Issue = { severity: 'error', path: 'spec.namespaces', message: 'must be names' };
  const facts = (parts: Partial<ResourceFacts> = {}): ResourceFacts => ({
    ...{ generation: 2, issues: [], isStandingDown: false, secrets: none, accounts: none },
    ...{ credential: undefined, failure: undefined, now: NOW },
    ...parts,
  });
  test.each<[string, number, unknown, Claim['standing']]>([
    ['is known by a status for its last edit', 2, buildResourceStatus(facts(), undefined), 'served'],
    [
      'is served where it is wrong only in part',
      2,
      buildResourceStatus(facts({ issues: [wrong] }), undefined),
      'served',
    ],
    ['was edited since', 3, buildResourceStatus(facts(), undefined), 'edited'],
    ['is refused', 2, buildResourceStatus(facts({ conflict }), undefined), 'refused'],
    [
      'is refused whatever else is wrong',
      2,
      buildResourceStatus(facts({ conflict, issues: [wrong] }), undefined),
      'refused',
    ],
    ['stays refused when it is edited', 3, buildResourceStatus(facts({ conflict }), undefined), 'refused'],
    ['is new without a status', 2, undefined, 'new'],
    ['is new with one of another add-on', 2, { secretsDesired: 1 }, 'new'],
    ['is new with nonsense', 2, { observedGeneration: '2', conditions: ['x', null] }, 'new'],
  ])('%s', (_what, generation, status, standing) => {
    expect(claimOf({ generation, status, createdAt: NOW })).toEqual({ standing, createdAt: NOW });
  });

  test.each<[string, Partial<ResourceFacts>, number, Claim['standing']]>([
    ['one that was refused is so', { conflict }, 2, 'refused'],
    ['and when it is edited meanwhile', { conflict }, 3, 'refused'],
    ['one that was served is so', {}, 2, 'served'],
    ['and counts as edited when it was', {}, 3, 'edited'],
  ])('after a run of the vendor’s add-on %s', (_what, parts, generation, standing) => {
    const before = buildResourceStatus(facts(parts), undefined);
    const during = [1, 2].reduce<ResourceStatus>(
      (status) => ({ ...status, ...buildWrittenStatus(facts({ isStandingDown: true }), status) }),
      before,
    );
    const stalled = during.conditions.find(({ type }) => type === 'Stalled');
    expect(stalled).toMatchObject({ status: 'True', reason: 'VendorHelperRuns' });
    expect(claimOf({ generation, status: during }).standing).toBe(standing);
    const after = buildResourceStatus(facts({ generation }), during);
    expect(claimOf({ generation, status: after }).standing).toBe('served');
  });

  test('is told by a condition of its own', () => {
    expect(buildConditions(facts({ conflict }), undefined, undefined)).toContainEqual(
      expect.objectContaining({
        type: 'Stalled',
        status: 'True',
        reason: 'KeyConflict',
        message: 'spec.tcr names the Secret x',
      }),
    );
  });
});
