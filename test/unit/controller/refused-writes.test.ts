// Writes that the API server refuses for good (a quota, a policy) wait for themselves; everything else goes on.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { KubeError } from '../../../src/core/errors.ts';
import { SECRET_NAME } from '../../../src/core/names.ts';
import type { Write } from '../../../src/core/plan-types.ts';
import { buildRequest, buildRule, buildScope, MINUTE, patterns, SECOND } from '../../support/builders.ts';
import { Passes } from '../../support/passes.ts';

const everybody = buildScope({ serviceAccounts: patterns('*') });
const SECOND_SECRET = 'second';
const both = [
  buildRule({ scope: everybody }),
  buildRule({ scope: everybody, secretName: SECOND_SECRET, requests: [buildRequest('b', ['b.example'])] }),
];
const quota = new KubeError('Forbidden', 'exceeded quota');

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `sa-${index}`);
const isSecond = (write: Write): boolean => write.name === SECOND_SECRET;
const referencesOf = (run: Passes, name: string): readonly string[] | undefined =>
  run.world.serviceAccounts.get(name)?.imagePullSecrets;

let run: Passes;

beforeEach(() => {
  run = new Passes(both);
  run.refuse = (write) => (isSecond(write) ? quota : undefined);
});

describe('a Secret that the API server refuses', () => {
  test('does not keep the reference to another one away', async () => {
    run.addAccounts('default');
    await run.pass();
    expect(referencesOf(run, 'default')).toEqual([SECRET_NAME]);
    expect(run.scheduled).toEqual(['forget']);
  });

  test('is tried ever more rarely, and the namespace is looked at when it may be again', async () => {
    const triedAt: number[] = [];
    for (const startedAt = run.now; run.now < startedAt + 10 * MINUTE; run.now += SECOND) {
      const before = run.tried.filter(isSecond).length;
      await run.pass();
      if (run.tried.filter(isSecond).length > before) triedAt.push((run.now - startedAt) / SECOND);
      else expect(run.skips).toMatchObject([{ reason: 'WriteRefused', name: SECOND_SECRET, object: 'Secret' }]);
      expect((run.wakeAt ?? Infinity) - run.now).toBeLessThanOrEqual(5 * MINUTE);
    }
    expect(triedAt).toEqual([0, 5, 15, 35, 75, 155, 315]);
  });

  test('does not make the rest of a long plan wait', async () => {
    run.addAccounts(...names(1_000));
    for (let pass = 0; pass < 5; pass += 1) {
      await run.pass();
      expect(run.scheduled).toEqual(['forget', 'add']);
    }
    await run.pass();
    expect(run.scheduled).toEqual(['forget']);
    for (const name of names(1_000)) expect(referencesOf(run, name)).toEqual([SECRET_NAME]);
    expect(run.tried.filter(isSecond)).toHaveLength(1);
  });

  test('is written, and referred to, when it is accepted', async () => {
    run.addAccounts('default');
    await run.pass();
    run.refuse = () => undefined;
    run.now += 5 * SECOND;
    await run.pass();
    expect(referencesOf(run, 'default')).toEqual([SECRET_NAME, SECOND_SECRET]);
  });

  test('may be deleted later on: what is refused is not tried in a hot loop either', async () => {
    run.refuse = () => undefined;
    await run.pass();
    run.config = { ...run.config, rules: both.slice(0, 1) };
    run.refuse = (write) => (isSecond(write) ? quota : undefined);
    for (let pass = 0; pass < 20; pass += 1) await run.pass();
    expect(run.tried.filter((write) => write.kind === 'delete-secret')).toHaveLength(1);
    expect(run.skips).toMatchObject([{ reason: 'WriteRefused', name: SECOND_SECRET }]);
  });

  test('keeps what it is to replace: a rename that a quota stops breaks no pull', async () => {
    run = new Passes(both.slice(0, 1));
    run.addAccounts('default');
    await run.pass();
    run.config = { ...run.config, rules: [{ ...buildRule({ scope: everybody }), secretName: 'renamed' }] };
    run.refuse = (write) => (write.name === 'renamed' ? quota : undefined);
    for (let pass = 0; pass < 30; pass += 1) {
      await run.pass();
      run.now += 10 * SECOND;
    }
    expect([...run.world.secrets.keys()]).toEqual([SECRET_NAME]);
    expect(referencesOf(run, 'default')).toEqual([SECRET_NAME]);
    expect(run.world.serviceAccounts.get('default')?.recorded.default).toEqual([SECRET_NAME]);

    run.refuse = () => undefined;
    run.now += 5 * MINUTE;
    await run.pass();
    expect([...run.world.secrets.keys()]).toEqual(['renamed']);
    expect(referencesOf(run, 'default')).toEqual(['renamed']);
  });
});

test('a failure that passes keeps the growing pauses, also when the plan was cut', async () => {
  run.addAccounts(...names(300));
  run.refuse = (write) => (isSecond(write) ? new KubeError('Unavailable', 'no answer') : undefined);
  await run.pass();
  expect(run.scheduled).toEqual(['retry 1000']);
});

test('hundreds of ServiceAccounts that cannot be patched do not keep a Secret from being renewed', async () => {
  run = new Passes(both.slice(0, 1));
  run.addAccounts(...names(250));
  run.refuse = (write) =>
    write.kind === 'patch-service-account' ? new KubeError('Unavailable', 'failed calling webhook') : undefined;
  await run.pass();
  run.now += 55 * MINUTE;
  await run.pass();
  expect(run.writes.map(({ kind, reason }) => `${kind} ${reason}`)).toEqual([
    'create-secret SecretMissing',
    'update-secret CredentialDue',
  ]);
});

test('ServiceAccounts that may not be written are forgotten when they are gone', async () => {
  run.addAccounts('default');
  run.refuse = (write) => (write.kind === 'patch-service-account' ? quota : undefined);
  await run.pass();
  const uid = run.world.serviceAccounts.get('default')?.uid ?? '';
  expect([...run.caches.refusals.inNamespace('shop', run.now).keys()]).toEqual([uid]);
  run.world.serviceAccounts.clear();
  await run.pass();
  expect(run.caches.refusals.inNamespace('shop', run.now).size).toBe(0);
});
