import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { KubeError } from '../../../src/core/errors.ts';
import type { KubeCall, KubeObject } from '../../../src/kube/client.ts';
import { runLeaderElection, type LeaderElectionEvent } from '../../../src/kube/leader-election.ts';
import { readLease } from '../../../src/kube/lease.ts';
import { eventually } from '../../support/eventually.ts';
import { createFakeClient, type FakeClient } from './fake-client.ts';

/** One Lease with optimistic concurrency, as the API server keeps it. */
let lease: KubeObject | undefined;
let version: number;
let fail: ((call: KubeCall) => void) | undefined;
let events: LeaderElectionEvent[];
let stop: AbortController;
let running: Promise<void>[];

beforeEach(() => {
  lease = undefined;
  version = 0;
  fail = undefined;
  events = [];
  stop = new AbortController();
  running = [];
});
afterEach(async () => {
  stop.abort();
  await Promise.all(running);
});

function answer(call: KubeCall): KubeObject {
  fail?.(call);
  if (call.method === 'GET') {
    if (lease === undefined) throw new KubeError('NotFound', 'none', { status: 404 });
    return lease;
  }
  const body = call.body as KubeObject;
  if (call.method === 'POST' && lease !== undefined) throw new KubeError('AlreadyExists', 'there', { status: 409 });
  const stale = call.method === 'PUT' && readLease(body).resourceVersion !== readLease(lease ?? {}).resourceVersion;
  if (stale) throw new KubeError('Conflict', 'stale', { status: 409 });
  version += 1;
  lease = { ...body, metadata: { ...(body.metadata as object), resourceVersion: String(version) } };
  return lease;
}

function join(identity: string, work: (signal: AbortSignal) => Promise<void> | void = () => undefined): FakeClient {
  const client = createFakeClient(answer);
  const election = runLeaderElection(
    {
      client,
      namespace: 'a',
      name: 'x',
      identity,
      leaseDurationMs: 2_000,
      renewDeadlineMs: 1_000,
      retryPeriodMs: 20,
      now: () => Date.now(),
      random: () => 0,
      onStartedLeading: work,
      onStoppedLeading: () => undefined,
      report: (event) => void events.push(event),
    },
    stop.signal,
  );
  running.push(election);
  return client;
}

const types = () => events.map(({ type }) => type);
const holder = () => readLease(lease ?? {}).holder;

test('the first one leads, renews with one call each, and releases at the end', async () => {
  const client = join('me');
  await eventually('it renewed', () => version > 4);
  expect(client.calls.map(({ method }) => method).slice(0, 5)).toEqual(['GET', 'POST', 'PUT', 'PUT', 'PUT']);
  expect(client.calls.every(({ ungated }) => ungated === true)).toBe(true);
  stop.abort();
  await Promise.all(running);
  expect(holder()).toBe('');
  expect(types()).toEqual(['acquired', 'released']);
});

test('the Lease is released only after the work has ended', async () => {
  const order: string[] = [];
  join('me', async (signal) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => setTimeout(resolve, 50)));
    order.push(`ended while ${holder()} holds it`);
  });
  await eventually('it leads', () => types().includes('acquired'));
  stop.abort();
  await Promise.all(running);
  expect(order).toEqual(['ended while me holds it']);
});

test('a second one waits, and says for whom', async () => {
  join('me');
  await eventually('it leads', () => holder() === 'me');
  join('other');
  await eventually('it waits', () => types().includes('otherLeader'));
  expect(events).toContainEqual({ type: 'otherLeader', identity: 'me' });
  expect(types().filter((type) => type === 'acquired')).toHaveLength(1);
});

test('a leader that cannot renew stops at its deadline, and leads again when it can', async () => {
  const signals: AbortSignal[] = [];
  join('me', (signal) => void signals.push(signal));
  await eventually('it leads', () => holder() === 'me');
  fail = () => {
    throw new KubeError('Unavailable', 'no');
  };
  await eventually('it stops', () => signals[0]?.aborted);
  expect(events).toContainEqual({ type: 'lost', why: 'deadline' });
  fail = undefined;
  await eventually('it leads again', () => signals.length === 2);
});

test('a leader whose Lease another has taken stops at once', async () => {
  join('me');
  await eventually('it leads', () => types().includes('acquired'));
  version += 1;
  lease = {
    metadata: { resourceVersion: String(version) },
    spec: { holderIdentity: 'thief', leaseDurationSeconds: 15 },
  };
  await eventually('it stops', () => types().includes('lost'));
  expect(events).toContainEqual({ type: 'lost', why: 'taken' });
});

test('a leader whose Lease somebody else edited goes on', async () => {
  join('me');
  await eventually('it leads', () => types().includes('acquired'));
  version += 1;
  lease = { ...lease, metadata: { resourceVersion: String(version), labels: { a: 'b' } } };
  const edited = version;
  await eventually('it renewed', () => version > edited + 1);
  expect(types()).toEqual(['acquired']);
  expect(lease).toMatchObject({ metadata: { labels: { a: 'b' } } });
});

test('work that fails is reported, and another leads', async () => {
  join('me', () => Promise.reject(new Error('bug')));
  await eventually('it is released', () => types().includes('released'));
  expect(events).toEqual([
    { type: 'acquired' },
    { type: 'handlerFailed', error: new Error('bug') },
    { type: 'released' },
  ]);
  expect(holder()).toBe('');
  join('other');
  await eventually('the other leads', () => holder() === 'other');
});

test('work that fails is begun again after a pause when nobody else leads', async () => {
  const begun: number[] = [];
  join('me', () => {
    begun.push(performance.now());
    if (begun.length === 1) throw new Error('bug');
  });
  await eventually('it leads again', () => begun.length === 2);
  const [first = 0, second = 0] = begun;
  expect(second - first).toBeGreaterThan(900);
  await eventually('it renewed', () => holder() === 'me');
  expect(types()).toEqual(['acquired', 'handlerFailed', 'released', 'acquired']);
});

test('one that pauses after a failure ends at once when it is told to', async () => {
  join('me', () => Promise.reject(new Error('bug')));
  await eventually('it is released', () => types().includes('released'));
  const before = performance.now();
  stop.abort();
  await Promise.all(running);
  expect(performance.now() - before).toBeLessThan(500);
});
