import { beforeEach, describe, expect, test } from '@jest/globals';
import { KubeError } from '../../../src/core/errors.ts';
import type { KubeObject } from '../../../src/kube/client.ts';
import { EventFilter } from '../../../src/kube/event-filter.ts';
import { EventRecorder, type EventObject, type RecorderEvent } from '../../../src/kube/events.ts';
import { createFakeClient } from './fake-client.ts';

const NOW = Date.parse('2030-01-01T00:00:00.500Z');
const secret: EventObject = { apiVersion: 'v1', kind: 'Secret', namespace: 'a', name: 'x', uid: 'u' };
let reported: RecorderEvent[];

beforeEach(() => {
  reported = [];
});

function recorder(answer: () => KubeObject = () => ({})) {
  const client = createFakeClient(answer);
  const report = (event: RecorderEvent): void => void reported.push(event);
  return { client, events: new EventRecorder<'NameTaken'>({ client, identity: 'pod-1', now: () => NOW, report }) };
}

const warning = { object: secret, type: 'Warning', reason: 'NameTaken', message: 'no' } as const;

test('posts an Event on the object, in its namespace', async () => {
  const { client, events } = recorder();
  events.record(warning);
  await events.idle();
  expect(client.calls).toMatchObject([
    {
      method: 'POST',
      path: '/api/v1/namespaces/a/events',
      body: {
        involvedObject: { apiVersion: 'v1', kind: 'Secret', namespace: 'a', name: 'x', uid: 'u' },
        type: 'Warning',
        reason: 'NameTaken',
        message: 'no',
        count: 1,
        firstTimestamp: '2030-01-01T00:00:00Z',
        source: { component: 'registry-credential-helper' },
        reportingComponent: 'registry-credential-helper',
        reportingInstance: 'pod-1',
      },
    },
  ]);
  expect(reported).toEqual([{ type: 'posted', reason: 'NameTaken' }]);
});

test('an Event on a cluster-scoped object goes to the namespace default', async () => {
  const { client, events } = recorder();
  events.record({ ...warning, object: { ...secret, kind: 'Namespace', namespace: '' } });
  await events.idle();
  expect(client.calls).toMatchObject([{ path: '/api/v1/namespaces/default/events' }]);
  expect(client.calls[0]?.body).not.toHaveProperty('involvedObject.namespace');
});

test('a message is cut to what the API server takes', async () => {
  const { client, events } = recorder();
  events.record({ ...warning, message: 'x'.repeat(5_000) });
  await events.idle();
  expect(client.calls).toMatchObject([{ body: { message: 'x'.repeat(1_024) } }]);
});

test('the same thing is posted once', async () => {
  const { client, events } = recorder();
  events.record(warning);
  events.record(warning);
  await events.idle();
  expect(client.calls).toHaveLength(1);
  expect(reported[0]).toEqual({ type: 'dropped', reason: 'NameTaken', why: 'duplicate' });
});

test('a failure is reported, and the same thing may be said again', async () => {
  const { client, events } = recorder(() => {
    throw new KubeError('Forbidden', 'no');
  });
  events.record(warning);
  await events.idle();
  events.record(warning);
  await events.idle();
  expect(client.calls).toHaveLength(2);
  expect(reported).toMatchObject([{ type: 'failed' }, { type: 'failed' }]);
});

test('more than 200 that wait are dropped', async () => {
  const { client, events } = recorder();
  for (let index = 0; index < 300; index += 1) events.record({ ...warning, object: { ...secret, uid: `u${index}` } });
  await events.idle();
  expect(client.calls).toHaveLength(200);
  expect(reported.filter(({ type }) => type === 'dropped')).toHaveLength(100);
});

test('nothing is posted after the end', async () => {
  const { client, events } = recorder();
  events.record(warning);
  events.stop();
  events.record({ ...warning, message: 'other' });
  await events.idle();
  expect(client.calls).toHaveLength(0);
});

describe('what is worth saying', () => {
  const key = (uid: string, message: string) => ({ uid, reason: 'NameTaken', message });

  test('the same thing again after an hour', () => {
    const filter = new EventFilter();
    expect(filter.refuse(key('u', 'no'), NOW)).toBeUndefined();
    expect(filter.refuse(key('u', 'no'), NOW + 3_599_999)).toBe('duplicate');
    expect(filter.refuse(key('u', 'no'), NOW + 3_600_000)).toBeUndefined();
  });

  test('25 different things on one object, then one in five minutes', () => {
    const filter = new EventFilter();
    const said = Array.from({ length: 30 }, (_, index) => filter.refuse(key('u', `m${index}`), NOW));
    expect(said.filter((why) => why === undefined)).toHaveLength(25);
    expect(filter.refuse(key('u', 'later'), NOW + 300_000)).toBeUndefined();
    expect(filter.refuse(key('u', 'later still'), NOW + 300_000)).toBe('spam');
    expect(filter.refuse(key('other', 'm'), NOW)).toBeUndefined();
  });

  test('what was said longest ago is forgotten first', () => {
    const filter = new EventFilter();
    for (let index = 0; index <= 1_000; index += 1) filter.refuse(key(`u${index}`, 'm'), NOW);
    expect(filter.refuse(key('u0', 'm'), NOW)).toBeUndefined();
    expect(filter.refuse(key('u1000', 'm'), NOW)).toBe('duplicate');
  });
});
