// When credentials are asked for, and when a namespace is looked at again.
import { describe, expect, test } from '@jest/globals';
import { planNamespace } from '../../../src/core/plan.ts';
import { TAKEN_RECHECK_MS, wantedCredentials, type PlanContext } from '../../../src/core/plan-secrets.ts';
import type { Plan } from '../../../src/core/plan-types.ts';
import type { CredentialAnswer, Desired } from '../../../src/core/types.ts';
import * as build from '../../support/builders.ts';
import { HOUR, MINUTE, NOW, SECOND } from '../../support/builders.ts';

const ONE = build.buildDesired(build.buildRule());
/** Two registries in one Secret. */
const TWO = build.buildDesired(
  build.buildRule({ requests: [build.buildRequest('a', ['a.example']), build.buildRequest('b', ['b.example'])] }),
);
const OLD = { issuedAt: NOW - 59 * MINUTE, expiresAt: NOW + MINUTE };
const A = build.buildFresh('a');
const NONE = build.buildUnavailable();
const A_RECORD = build.buildRecord('a');
const B_RECORD = build.buildRecord('b');

type Answers = Readonly<Record<string, CredentialAnswer>>;

function plan(desired: Desired, answers: Answers, context: Parameters<typeof build.buildContext>[0] = {}): Plan {
  return planNamespace(desired, new Map(Object.entries(answers)), build.buildContext(context));
}

function wanted(desired: Desired, context: PlanContext): readonly (readonly [string, number | undefined])[] {
  return wantedCredentials(desired, context).map(({ request, newerThan }) => [request.cacheKey, newerThan]);
}

describe('wantedCredentials', () => {
  const half = build.buildRecord('b', { issuedAt: NOW - 31 * MINUTE, expiresAt: NOW + 29 * MINUTE });
  const young = build.buildRecord('b', { issuedAt: NOW - 5 * MINUTE, expiresAt: NOW + 55 * MINUTE });
  const due = build.buildRecord('a', OLD);

  test.each([
    ['a Secret that is fresh asks for none', { 'a.example': A_RECORD, 'b.example': B_RECORD }, []],
    [
      'a due entry asks for one that is newer, and what is past half of its life goes with it',
      { 'a.example': due, 'b.example': half },
      [
        ['a', OLD.issuedAt],
        ['b', half.issuedAt],
      ],
    ],
    [
      'a young neighbour is asked for, but need not be newer',
      { 'a.example': due, 'b.example': young },
      [
        ['a', OLD.issuedAt],
        ['b', undefined],
      ],
    ],
    [
      'an entry from the future need not be outdone: no credential could be newer',
      { 'a.example': { ...due, issuedAt: NOW + HOUR, expiresAt: NOW + 2 * HOUR }, 'b.example': B_RECORD },
      [
        ['a', undefined],
        ['b', undefined],
      ],
    ],
  ] as const)('%s', (_, entries, expected) => {
    expect(wanted(TWO, build.buildContext({ secrets: [build.buildSecret(entries)] }))).toEqual(expected);
  });

  test('one that never expires is asked for once, when the store knows nothing of it', () => {
    const secrets = [build.buildSecret({ 'a.example': build.buildRecord('a', { expiresAt: undefined }) })];
    expect(wanted(ONE, build.buildContext({ secrets }))).toEqual([['a', undefined]]);
    expect(wanted(ONE, build.buildContext({ secrets, sources: { a: build.buildSource('a') } }))).toEqual([]);
  });

  test('a Secret that is somebody else’s asks for none', () => {
    expect(wanted(ONE, build.buildContext({ secrets: [build.buildForeignSecret()] }))).toEqual([]);
  });
});

describe('nextCheckAt', () => {
  const due = build.buildSecret({ 'a.example': build.buildRecord('a', OLD) });

  test.each<readonly [string, number | undefined, Desired, Answers, Parameters<typeof build.buildContext>[0]]>([
    [
      'what never expires is never looked at',
      undefined,
      ONE,
      {},
      {
        secrets: [build.buildSecret({ 'a.example': build.buildRecord('a', { expiresAt: undefined }) })],
        sources: { a: build.buildSource('a') },
      },
    ],
    [
      'a taken name is looked at now and then',
      NOW + TAKEN_RECHECK_MS,
      ONE,
      {},
      { secrets: [build.buildForeignSecret()] },
    ],
    ['a failure when asking again makes sense', NOW + 30 * SECOND, ONE, { a: NONE }, {}],
    [
      'a failure that may be tried at once after a second',
      NOW + SECOND,
      ONE,
      { a: build.buildUnavailable({ retryAt: NOW - 5 }) },
      {},
    ],
    [
      'a failure of which somebody should tell us in ten minutes',
      NOW + 10 * MINUTE,
      ONE,
      { a: build.buildUnavailable({ retryAt: undefined }) },
      {},
    ],
    [
      'a credential that became due only after the store was asked, after a second',
      NOW + SECOND,
      ONE,
      {},
      { secrets: [due] },
    ],
    [
      'a stale credential when its refresh is tried again',
      NOW + 30 * SECOND,
      ONE,
      { a: build.buildStale('a', OLD) },
      { secrets: [due] },
    ],
    [
      'a due entry without a better one after a tenth of what is left',
      NOW + 6 * SECOND,
      ONE,
      { a: build.buildFresh('a', OLD) },
      { secrets: [due] },
    ],
    [
      'what a failing neighbour holds back, when the neighbour dies',
      NOW + 20 * SECOND,
      TWO,
      { a: A, b: build.buildUnavailable({ retryAt: NOW + HOUR }) },
      {
        secrets: [
          build.buildSecret({
            'a.example': build.buildRecord('a', OLD),
            'b.example': build.buildRecord('b', { issuedAt: NOW - HOUR, expiresAt: NOW + 20 * SECOND }),
          }),
        ],
      },
    ],
  ])('%s', (_, expected, desired, answers, context) => {
    expect(plan(desired, answers, context).nextCheckAt).toBe(expected);
  });

  test('after a write it is the due time of what was written', () => {
    const { nextCheckAt } = plan(ONE, { a: A });
    expect(nextCheckAt).toBeGreaterThan(NOW + 30 * MINUTE);
    expect(nextCheckAt).toBeLessThanOrEqual(NOW + 45 * MINUTE);
  });
});
