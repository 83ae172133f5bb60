// The reflector against a real API server: what it holds must be what is there, whatever happens to the connection.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { ObservedServiceAccount } from '../../src/core/types.ts';
import { createKubeClient, type KubeClient } from '../../src/kube/client.ts';
import { loadKubeConfig } from '../../src/kube/kube-config.ts';
import type { Change } from '../../src/kube/object-cache.ts';
import { isSameServiceAccount, projectServiceAccount } from '../../src/kube/projections.ts';
import type { ReflectorEvent } from '../../src/kube/reflector-event.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { patchServiceAccount } from '../../src/kube/writes.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane/control-plane.ts';
import { eventually } from '../support/eventually.ts';

const ACCOUNTS = '/api/v1/namespaces/many/serviceaccounts';
const COUNT = 1_203;
let plane: ControlPlane;
let client: KubeClient;
let stop: AbortController;
let running: Promise<void> | undefined;
let events: ReflectorEvent[];
let changes: Change<ObservedServiceAccount>[];

beforeAll(async () => {
  plane = await startControlPlane();
  client = createKubeClient({
    kubeConfig: loadKubeConfig({ inCluster: false, file: plane.adminKubeconfig }),
    userAgent: 'test',
  });
  await plane.request({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: 'many' } } });
  const names = Array.from({ length: COUNT }, (_, index) => `account-${index}`);
  await Promise.all(names.map((name) => createAccount(name)));
}, 120_000);
afterAll(async () => {
  await client.close();
  await plane.stop();
});
beforeEach(() => {
  stop = new AbortController();
  running = undefined;
  events = [];
  changes = [];
});
afterEach(async () => {
  stop.abort();
  await running;
});

async function createAccount(name: string): Promise<void> {
  await client.call({ method: 'POST', path: ACCOUNTS, body: { metadata: { name } } });
}

async function start(relistMs?: number): Promise<Reflector<ObservedServiceAccount>> {
  const reflector = new Reflector({
    client,
    path: '/api/v1/serviceaccounts',
    project: projectServiceAccount('main'),
    isEqual: isSameServiceAccount,
    onChange: (change) => void changes.push(change),
    report: (event) => void events.push(event),
    now: () => Date.now(),
    random: () => Math.random(),
    ...(relistMs === undefined ? {} : { relistMs }),
  });
  running = reflector.run(stop.signal);
  await reflector.whenSynced(stop.signal);
  return reflector;
}

const types = () => events.map(({ type }) => type);

test('a long list is read in pages, and each object is told once', async () => {
  const reflector = await start();
  expect(reflector.inNamespace('many').size).toBe(COUNT);
  expect(events[0]).toMatchObject({ type: 'listed', pages: 3, items: reflector.size });
  expect(changes.filter(({ namespace }) => namespace === 'many')).toHaveLength(COUNT);
});

test('events arrive, and those that change nothing for us are not told', async () => {
  const reflector = await start();
  await eventually('it watches', () => types().includes('watchStarted'));
  changes = [];
  const path = `${ACCOUNTS}/account-1`;
  const before = reflector.get('many', 'account-1')?.resourceVersion;
  await client.call({ method: 'PATCH', path, body: { metadata: { annotations: { other: 'x' } } } });
  await eventually('the version moved', () => reflector.get('many', 'account-1')?.resourceVersion !== before);
  expect(changes).toEqual([]);
  await client.call({ method: 'PATCH', path, body: { metadata: { labels: { team: 'one' } } } });
  await eventually('the label arrived', () => reflector.get('many', 'account-1')?.labels.team === 'one');
  await client.call({ method: 'DELETE', path });
  await eventually('it is gone', () => reflector.get('many', 'account-1') === undefined);
  await createAccount('account-1');
  await eventually('it is back', () => reflector.get('many', 'account-1'));
  expect(changes.map(({ key, source }) => [key, source])).toEqual(Array(3).fill(['many/account-1', 'watch']));
});

test('over a restart of the API server it resumes and misses nothing', async () => {
  const reflector = await start();
  await eventually('it watches', () => types().includes('watchStarted'));
  await plane.restartApiServer();
  await createAccount('after-restart');
  await eventually('the new one arrived', () => reflector.get('many', 'after-restart'));
  expect(types()).toContain('resumed');
  // The server's own memory of events begins anew: it may know our version no longer, and then the list is right.
  for (const event of events) if (event.type === 'errorEvent') expect(event.error.reason).toBe('Expired');
  expect(reflector.restarts).toBeGreaterThan(0);
}, 60_000);

test('what happened while the API server could not be reached arrives once it can', async () => {
  const reflector = await start();
  await eventually('it watches', () => types().includes('watchStarted'));
  await plane.stopApiServer();
  await eventually('it fails', () => types().includes('failed'));
  await plane.startApiServer();
  await createAccount('after-outage');
  await eventually('the new one arrived', () => reflector.get('many', 'after-outage'));
}, 60_000);

test('our own write is in the cache with its answer, and stays', async () => {
  const reflector = await start();
  const account = reflector.get('many', 'account-2');
  if (account === undefined) throw new Error('no account-2');
  const write = { ...account, imagePullSecrets: ['ours'], recorded: ['ours'], instance: 'main' };
  reflector.absorb(await patchServiceAccount(client, write, stop.signal));
  const ours = { imagePullSecrets: ['ours'], recorded: ['ours'] };
  expect(reflector.get('many', 'account-2')).toMatchObject(ours);
  await createAccount('later');
  await eventually('a later event arrived', () => reflector.get('many', 'later'));
  expect(reflector.get('many', 'account-2')).toMatchObject(ours);
});

test('what we delete is gone at once, and its event is not told', async () => {
  await createAccount('short-lived');
  const reflector = await start();
  await eventually('it watches', () => types().includes('watchStarted'));
  changes = [];
  const { uid = '' } = reflector.get('many', 'short-lived') ?? {};
  // Before the call rather than after it: its event may otherwise be faster than its answer.
  reflector.absorbDeletion('many', 'short-lived', uid);
  await client.call({ method: 'DELETE', path: `${ACCOUNTS}/short-lived` });
  expect(reflector.get('many', 'short-lived')).toBeUndefined();
  await createAccount('even-later');
  await eventually('a later event arrived', () => reflector.get('many', 'even-later'));
  expect(changes.map(({ key }) => key)).toEqual(['many/even-later']);
});

test('a full list now and then finds nothing that was missed', async () => {
  await start(1_000);
  await eventually('it listed again twice', () => types().filter((type) => type === 'relisted').length >= 2);
  expect(events.filter(({ type }) => type === 'relisted')).toEqual(
    expect.arrayContaining([{ type: 'relisted', missed: 0, why: 'periodic' }]),
  );
});
