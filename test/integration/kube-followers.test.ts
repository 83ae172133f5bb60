// Leader election, the configuration and source Secrets against a real API server.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Config, Parsed, SecretReference } from '../../src/core/types.ts';
import { createKubeClient, type KubeClient } from '../../src/kube/client.ts';
import { ConfigurationSource } from '../../src/kube/configuration.ts';
import { loadKubeConfig } from '../../src/kube/kube-config.ts';
import { runLeaderElection, type LeaderElectionEvent } from '../../src/kube/leader-election.ts';
import { SecretSources } from '../../src/kube/secret-sources.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane/control-plane.ts';
import { eventually } from '../support/eventually.ts';

const READER = 'reader';
const CONFIG: Config = {
  rules: [],
  thresholdMs: 1,
  adoptExisting: 'none',
  secretLabels: {},
  email: undefined,
  webhook: undefined,
};
const world = { now: () => Date.now(), random: () => Math.random() };
let plane: ControlPlane;
let client: KubeClient;
let stop: AbortController;
let running: Promise<void>[];
let namespace: string;
let count = 0;

beforeAll(async () => {
  plane = await startControlPlane({ users: [{ name: READER }] });
  client = connect(plane.adminKubeconfig);
}, 60_000);
afterAll(async () => {
  await client.close();
  await plane.stop();
});
beforeEach(async () => {
  stop = new AbortController();
  running = [];
  count += 1;
  namespace = `n${count}`;
  await client.call({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } });
});
afterEach(async () => {
  stop.abort();
  await Promise.all(running);
});

function connect(file: string): KubeClient {
  return createKubeClient({ kubeConfig: loadKubeConfig({ inCluster: false, file }), userAgent: 'test' });
}

describe('leader election', () => {
  const join = (identity: string, signal: AbortSignal, times: { leaseDurationMs?: number } = {}) => {
    const events: LeaderElectionEvent[] = [];
    const leading: AbortSignal[] = [];
    const election = runLeaderElection(
      {
        client,
        namespace,
        name: 'x',
        identity,
        leaseDurationMs: 4_000,
        renewDeadlineMs: 2_000,
        retryPeriodMs: 200,
        ...times,
        ...world,
        onStartedLeading: (until) => void leading.push(until),
        onStoppedLeading: () => undefined,
        report: (event) => void events.push(event),
      },
      signal,
    );
    running.push(election);
    return { events, leading, election };
  };
  const holder = async (): Promise<unknown> => {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/x`;
    return (await client.call({ method: 'GET', path })).spec;
  };

  test('of two one leads; when it ends in order the other takes over at once', async () => {
    const first = new AbortController();
    const one = join('one', first.signal, { leaseDurationMs: 60_000 });
    await eventually('one leads', () => one.leading.length === 1);
    const two = join('two', stop.signal, { leaseDurationMs: 60_000 });
    await eventually('two waits', () => two.events.some(({ type }) => type === 'otherLeader'));
    expect(await holder()).toMatchObject({ holderIdentity: 'one', leaseTransitions: 1 });
    first.abort();
    await one.election;
    expect(one.events.map(({ type }) => type)).toEqual(['acquired', 'released']);
    await eventually('two leads', () => two.leading.length === 1, 5_000);
    expect(one.leading[0]?.aborted).toBe(true);
    expect(await holder()).toMatchObject({ holderIdentity: 'two', leaseTransitions: 2 });
  });

  test('a leader that vanished is followed after the duration of its Lease', async () => {
    const lease = {
      metadata: { name: 'x' },
      spec: { holderIdentity: 'vanished', leaseDurationSeconds: 2, renewTime: '2001-01-01T00:00:00.000000Z' },
    };
    const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
    await client.call({ method: 'POST', path, body: lease });
    const startedAt = performance.now();
    const two = join('two', stop.signal);
    await eventually('two leads', () => two.leading.length === 1);
    // What the Lease says of the time does not count: its writer's clock may be wrong.
    expect(performance.now() - startedAt).toBeGreaterThan(1_900);
  });

  test('a leader that cannot reach the API server stops, and leads again afterwards', async () => {
    const one = join('one', stop.signal);
    await eventually('one leads', () => one.leading.length === 1);
    await plane.stopApiServer();
    await eventually('it stops', () => one.leading[0]?.aborted);
    expect(one.events).toContainEqual({ type: 'lost', why: 'deadline' });
    await plane.startApiServer();
    await eventually('it leads again', () => one.leading.length >= 2);
  }, 60_000);

  test('a leader whose API server is silent stops in time', async () => {
    const one = join('one', stop.signal);
    await eventually('one leads', () => one.leading.length === 1);
    plane.pauseApiServer();
    const pausedAt = performance.now();
    await eventually('it stops', () => one.leading[0]?.aborted);
    plane.resumeApiServer();
    expect(performance.now() - pausedAt).toBeLessThan(4_000);
    await eventually('it leads again', () => one.leading.length >= 2);
  }, 60_000);
});

test('the configuration follows edits: good, bad, good, gone', async () => {
  const parse = ({ text = '' }: Readonly<Record<string, string>>): Parsed<Config> =>
    text === 'bad'
      ? { ok: false, issues: [{ severity: 'error', path: 'text', message: 'is bad' }] }
      : { ok: true, value: { ...CONFIG, email: text }, issues: [] };
  const source = new ConfigurationSource({
    client,
    namespace,
    name: 'x',
    parse,
    onChange: () => undefined,
    report: () => undefined,
    ...world,
  });
  running.push(source.run(stop.signal));
  await source.whenSynced(stop.signal);
  expect(source.state.status).toBe('missing');

  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const edit = (text: string) => client.call({ method: 'PATCH', path: `${path}/x`, body: { data: { text } } });
  await client.call({ method: 'POST', path, body: { metadata: { name: 'other' }, data: { text: 'other' } } });
  await client.call({ method: 'POST', path, body: { metadata: { name: 'x' }, data: { text: 'one' } } });
  await eventually('it is there', () => source.state.good?.email === 'one');
  await edit('bad');
  await eventually('it is bad', () => source.state.status === 'invalid');
  expect(source.state).toMatchObject({ good: { email: 'one' }, goodData: { text: 'one' } });
  await edit('two');
  await eventually('it is good', () => source.state.status === 'valid');
  expect(source.state.good?.email).toBe('two');
  await client.call({ method: 'DELETE', path: `${path}/x` });
  await eventually('it is gone', () => source.state.status === 'missing');
  expect(source.state.good?.email).toBe('two');
});

describe('source Secrets', () => {
  const create = (name: string, text: string) =>
    client.call({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/secrets`,
      body: { metadata: { name }, data: { password: Buffer.from(text).toString('base64') } },
    });
  const edit = (name: string, body: unknown) =>
    client.call({ method: 'PATCH', path: `/api/v1/namespaces/${namespace}/secrets/${name}`, body });
  const follow = (by: KubeClient = client) => {
    const changed: SecretReference[] = [];
    const sources = new SecretSources({
      client: by,
      onChange: (reference) => void changed.push(reference),
      report: () => undefined,
      ...world,
    });
    stop.signal.addEventListener('abort', () => running.push(sources.stop()));
    return { sources, changed };
  };

  test('are read once, then from memory, and a change of the data is told', async () => {
    await create('x', 'one');
    const { sources, changed } = follow();
    const reference = { namespace, name: 'x' };
    const first = await sources.read(reference, stop.signal);
    expect(first?.data).toEqual({ password: 'one' });
    expect(await sources.read(reference, stop.signal)).toBe(first);
    await edit('x', { metadata: { labels: { a: 'b' } } });
    await edit('x', { data: { password: Buffer.from('two').toString('base64') } });
    await eventually('it is told', () => changed.length > 0);
    const second = await sources.read(reference, stop.signal);
    expect(second?.data).toEqual({ password: 'two' });
    expect(second?.digest).not.toBe(first?.digest);
    expect(changed).toEqual([reference]);
    await sources.stop();
  });

  test('may be missing, and are told when they appear and disappear', async () => {
    const { sources, changed } = follow();
    const reference = { namespace, name: 'x' };
    expect(await sources.read(reference, stop.signal)).toBeUndefined();
    await create('x', 'one');
    await eventually('it appeared', () => changed.length === 1);
    await client.call({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}/secrets/x` });
    await eventually('it disappeared', () => changed.length === 2);
    expect(await sources.read(reference, stop.signal)).toBeUndefined();
  });

  test('that may not be read are refused with a sentence, at once', async () => {
    const reader = connect(plane.kubeconfig(READER));
    const { sources } = follow(reader);
    await expect(sources.read({ namespace, name: 'x' }, stop.signal)).rejects.toMatchObject({
      reason: 'Forbidden',
      message: `the Secret ${namespace}/x may not be read: allow "list" and "watch" of secrets in that namespace`,
    });
    await sources.stop();
    await reader.close();
  });

  test('that are no longer used are no longer followed', async () => {
    await create('x', 'one');
    await create('y', 'one');
    const { sources, changed } = follow();
    for (const name of ['x', 'y']) await sources.read({ namespace, name }, stop.signal);
    sources.retain([{ namespace, name: 'y' }]);
    await edit('x', { data: { password: 'dHdv' } });
    await edit('y', { data: { password: 'dHdv' } });
    await eventually('the other is told', () => changed.length === 1);
    expect(changed).toEqual([{ namespace, name: 'y' }]);
  });
});
