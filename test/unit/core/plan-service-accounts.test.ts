// The planner's rules about references, each a case named by its sentence; the order of a plan, and its limit.
import { describe, expect, test } from '@jest/globals';
import { IGNORE_LABEL } from '../../../src/core/names.ts';
import { MAX_WRITES, planNamespace } from '../../../src/core/plan.ts';
import type { Plan, Write } from '../../../src/core/plan-types.ts';
import type { CredentialAnswer, Desired, ObservedServiceAccount } from '../../../src/core/types.ts';
import * as build from '../../support/builders.ts';
import { HOUR, MINUTE, NOW } from '../../support/builders.ts';

const OURS = 'registry-credentials';
const ONE = build.buildDesired(build.buildRule());
const RIGHT = build.buildSecret({ 'a.example': build.buildRecord('a') });
const FRESH = { a: build.buildFresh('a'), b: build.buildFresh('b') };

type Patch = Extract<Write, { kind: 'patch-service-account' }>;

function plan(
  desired: Desired,
  context: Parameters<typeof build.buildContext>[0],
  answers: Readonly<Record<string, CredentialAnswer>> = FRESH,
): Plan {
  return planNamespace(desired, new Map(Object.entries(answers)), build.buildContext(context));
}

function patchesOf({ writes }: Plan): readonly Patch[] {
  return writes.filter((write): write is Patch => write.kind === 'patch-service-account');
}

/** Rules with a Secret each, for the same request. */
function desiredOf(...names: readonly string[]): Desired {
  return build.buildDesired(...names.map((secretName) => build.buildRule({ secretName })));
}

interface Case {
  readonly name: string;
  readonly account: Partial<ObservedServiceAccount>;
  readonly desired?: Desired;
  /** undefined = no patch. */
  readonly becomes: { list: readonly string[]; recorded: readonly string[] } | undefined;
}

const CASES: readonly Case[] = [
  {
    name: 'lacks the reference: it is appended and recorded',
    account: {},
    becomes: { list: [OURS], recorded: [OURS] },
  },
  {
    name: 'has foreign references: ours comes last, theirs keep their order',
    account: { imagePullSecrets: ['z', 'a', 'z'] },
    becomes: { list: ['z', 'a', 'z', OURS], recorded: [OURS] },
  },
  {
    name: 'has our recorded reference: nothing',
    account: { imagePullSecrets: [OURS], recorded: [OURS] },
    becomes: undefined,
  },
  {
    name: 'has our reference before a foreign one: order is left alone',
    account: { imagePullSecrets: [OURS, 'a'], recorded: [OURS] },
    becomes: undefined,
  },
  {
    name: 'its owner wrote a reference under our name: it is the owner’s, nothing is recorded',
    account: { imagePullSecrets: [OURS] },
    becomes: undefined,
  },
  {
    name: 'its owner wrote a reference under our name, and no rule wants it: it stays',
    desired: { secrets: [] },
    account: { imagePullSecrets: [OURS] },
    becomes: undefined,
  },
  {
    name: 'a recorded reference was lost: it is added again',
    account: { imagePullSecrets: ['a'], recorded: [OURS] },
    becomes: { list: ['a', OURS], recorded: [OURS] },
  },
  {
    name: 'a recorded reference is not wanted any more: it goes, with its record',
    desired: { secrets: [] },
    account: { imagePullSecrets: ['a', OURS, 'b'], recorded: [OURS] },
    becomes: { list: ['a', 'b'], recorded: [] },
  },
  {
    name: 'a record without a reference is not wanted any more: the record goes',
    desired: { secrets: [] },
    account: { imagePullSecrets: ['a'], recorded: [OURS] },
    becomes: { list: ['a'], recorded: [] },
  },
  {
    name: 'the Secret was renamed: the new reference comes and the old one goes in one patch',
    account: { imagePullSecrets: ['a', 'old-name', 'b'], recorded: ['old-name'] },
    becomes: { list: ['a', 'b', OURS], recorded: [OURS] },
  },
  {
    name: 'is outside of the scope: nothing',
    account: { name: 'robot' },
    becomes: undefined,
  },
  {
    name: 'left the scope: the recorded reference goes',
    account: { name: 'robot', imagePullSecrets: [OURS], recorded: [OURS] },
    becomes: { list: [], recorded: [] },
  },
  {
    name: 'bears the ignore label: the recorded reference goes',
    account: { labels: { [IGNORE_LABEL]: 'true' }, imagePullSecrets: [OURS], recorded: [OURS] },
    becomes: { list: [], recorded: [] },
  },
  {
    name: 'bears the ignore label with another value: served as any other',
    account: { labels: { [IGNORE_LABEL]: 'false' } },
    becomes: { list: [OURS], recorded: [OURS] },
  },
  {
    name: 'its record names a thing twice: the record is put right',
    account: { imagePullSecrets: [OURS], recorded: [OURS, OURS] },
    becomes: { list: [OURS], recorded: [OURS] },
  },
];

describe('a ServiceAccount that', () => {
  test.each(CASES)('$name', ({ account, desired = ONE, becomes }) => {
    const patches = patchesOf(
      plan(desired, { serviceAccounts: [build.buildServiceAccount(account)], secrets: [RIGHT] }),
    );
    expect(patches.map(({ imagePullSecrets: list, recorded }) => ({ list, recorded }))).toEqual(
      becomes === undefined ? [] : [becomes],
    );
  });
});

describe('references', () => {
  const account = build.buildServiceAccount({ uid: 'u-9', resourceVersion: '77' });

  test('are guarded by the UID and resourceVersion that were seen', () => {
    expect(patchesOf(plan(ONE, { serviceAccounts: [account] }))).toMatchObject([{ uid: 'u-9', resourceVersion: '77' }]);
  });

  test('are not added while their Secret is neither there nor being written', () => {
    const planned = plan(ONE, { serviceAccounts: [account] }, { a: build.buildUnavailable() });
    expect(planned.writes).toEqual([]);
  });

  test('are not added to a name that somebody else holds', () => {
    const planned = plan(ONE, { serviceAccounts: [account], secrets: [build.buildForeignSecret()] });
    expect(planned.writes).toEqual([]);
  });

  test('stay recorded while their Secret waits for a credential', () => {
    const waiting = build.buildServiceAccount({ imagePullSecrets: [], recorded: [OURS] });
    expect(plan(ONE, { serviceAccounts: [waiting] }, { a: build.buildUnavailable() }).writes).toEqual([]);
  });

  test('come in the order of the rules', () => {
    const planned = plan(desiredOf('one', 'two'), { serviceAccounts: [account] });
    expect(patchesOf(planned)[0]?.imagePullSecrets).toEqual(['one', 'two']);
  });

  test('a ServiceAccount that keeps losing ours is left alone for a while, and looked at then', () => {
    const until = NOW + 10 * MINUTE;
    const context = { serviceAccounts: [account], secrets: [RIGHT], contendedUntil: new Map([['u-9', until]]) };
    const { writes, skips, nextCheckAt } = plan(ONE, context);
    expect(writes).toEqual([]);
    expect(skips).toMatchObject([{ reason: 'Contended', name: 'default' }]);
    expect(nextCheckAt).toBe(until);
    expect(patchesOf(plan(ONE, { ...context, now: until }))).toHaveLength(1);
  });

  test('what is to go goes also from a ServiceAccount that keeps losing another, before its Secret is deleted', () => {
    const fighting = build.buildServiceAccount({ uid: 'u-9', imagePullSecrets: ['old', 'x'], recorded: ['old', OURS] });
    const old = build.buildSecret({ 'a.example': build.buildRecord('a') }, { name: 'old' });
    const { writes } = plan(ONE, {
      serviceAccounts: [fighting],
      secrets: [RIGHT, old],
      contendedUntil: new Map([['u-9', NOW + HOUR]]),
    });
    expect(writes).toMatchObject([
      { kind: 'patch-service-account', imagePullSecrets: ['x'], recorded: [OURS], removed: ['old'], added: [] },
      { kind: 'delete-secret', name: 'old' },
    ]);
  });
});

describe('a plan', () => {
  const accounts = (count: number): readonly ObservedServiceAccount[] =>
    Array.from({ length: count }, (_, index) =>
      build.buildServiceAccount({ name: `sa-${index}`, createdAt: NOW - HOUR + index }),
    );
  const everyone = build.buildRule({ scope: build.buildScope({ serviceAccounts: build.patterns('*') }) });

  test('goes: missing Secrets, references to add, other Secrets, references to remove, deletions', () => {
    const due = build.buildRecord('a', { issuedAt: NOW - 59 * MINUTE, expiresAt: NOW + MINUTE });
    const { writes } = plan(desiredOf('missing', 'due'), {
      serviceAccounts: [
        build.buildServiceAccount({ name: 'gone', imagePullSecrets: ['unwanted'], recorded: ['unwanted'] }),
        build.buildServiceAccount(),
      ],
      secrets: [build.buildSecret({}, { name: 'unwanted' }), build.buildSecret({ 'a.example': due }, { name: 'due' })],
    });
    expect(writes.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'create-secret missing',
      'patch-service-account default',
      'update-secret due',
      'patch-service-account gone',
      'delete-secret unwanted',
    ]);
  });

  test('serves the newest ServiceAccounts first', () => {
    const patches = patchesOf(plan(build.buildDesired(everyone), { serviceAccounts: accounts(3), secrets: [RIGHT] }));
    expect(patches.map((patch) => patch.name)).toEqual(['sa-2', 'sa-1', 'sa-0']);
  });

  test.each([
    [MAX_WRITES, MAX_WRITES, false],
    [MAX_WRITES + 1, MAX_WRITES, true],
  ])('for %i ServiceAccounts holds %i writes, truncated: %s', (count, writes, truncated) => {
    const planned = plan(build.buildDesired(everyone), { serviceAccounts: accounts(count), secrets: [RIGHT] });
    expect(planned.writes).toHaveLength(writes);
    expect(planned.truncated).toBe(truncated);
  });

  test('that is truncated renews every Secret that is due, in its place in the order', () => {
    const due = build.buildRecord('a', { issuedAt: NOW - 59 * MINUTE, expiresAt: NOW + MINUTE });
    const old = build.buildServiceAccount({ name: 'robot', imagePullSecrets: ['x'], recorded: ['x'] });
    const { writes, truncated } = plan(build.buildDesired(everyone), {
      serviceAccounts: [...accounts(MAX_WRITES), { ...old, labels: { [IGNORE_LABEL]: 'true' } }],
      secrets: [build.buildSecret({ 'a.example': due })],
    });
    expect(writes.map((write) => write.kind)).toEqual([
      ...Array<string>(MAX_WRITES - 1).fill('patch-service-account'),
      'update-secret',
    ]);
    expect(writes[0]?.name).toBe(`sa-${MAX_WRITES - 1}`);
    expect(truncated).toBe(true);
  });

  test('that is truncated deletes no Secret whose references are still there', () => {
    const serviceAccounts = accounts(MAX_WRITES).map((account) => ({
      ...account,
      imagePullSecrets: ['old'],
      recorded: ['old'],
    }));
    const { writes, truncated } = plan(
      { secrets: [] },
      { serviceAccounts, secrets: [build.buildSecret({}, { name: 'old' })] },
    );
    expect(writes.map((write) => write.kind)).not.toContain('delete-secret');
    expect(truncated).toBe(true);
  });
});
