import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KubeError } from '../../../src/core/errors.ts';
import { isRecord } from '../../../src/core/records.ts';
import type { KubeCall, KubeObject } from '../../../src/kube/client.ts';
import type { Change, Projected } from '../../../src/kube/object-cache.ts';
import type { ReflectorEvent } from '../../../src/kube/reflector-event.ts';
import { Reflector, type ReflectorOptions } from '../../../src/kube/reflector.ts';
import { eventually } from '../../support/eventually.ts';
import { createFakeClient, type FakeClient, type FakeWatch } from './fake-client.ts';

const PATH = '/api/v1/things';
let events: ReflectorEvent[];
let changes: Change<string>[];
let now: number;
let stop: AbortController;
let running: Promise<void>;

beforeEach(() => {
  events = [];
  changes = [];
  now = 1_000_000;
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await running;
});

function thing(name: string, version: number): KubeObject {
  return { metadata: { namespace: 'a', name, uid: `uid-${name}`, resourceVersion: String(version) } };
}

function page(version: number, items: readonly unknown[], next?: string): KubeObject {
  return { items, metadata: { resourceVersion: String(version), ...(next === undefined ? {} : { continue: next }) } };
}

function project(object: unknown): Projected<string> | undefined {
  if (!isRecord(object) || !isRecord(object.metadata)) return undefined;
  const { namespace, name, uid, resourceVersion } = object.metadata as Readonly<Record<string, string>>;
  if (namespace === undefined || name === undefined || uid === undefined || resourceVersion === undefined)
    return undefined;
  return { namespace, name, uid, resourceVersion, value: `${name}@${resourceVersion}` };
}

function start(
  answer: (call: KubeCall) => KubeObject,
  options: Partial<ReflectorOptions<string>> = {},
): { readonly client: FakeClient; readonly reflector: Reflector<string> } {
  const client = createFakeClient(answer);
  const reflector = new Reflector<string>({
    client,
    path: PATH,
    project,
    onChange: (change) => void changes.push(change),
    report: (event) => void events.push(event),
    now: () => now,
    random: () => 0,
    ...options,
  });
  running = reflector.run(stop.signal);
  return { client, reflector };
}

const watchOf = (client: FakeClient, index: number): Promise<FakeWatch> =>
  eventually(`watch ${index}`, () => client.watches[index]);
const types = () => events.map(({ type }) => type);

describe('lists', () => {
  test('go through all pages, and only then it is synced', async () => {
    const { client, reflector } = start(({ query }) =>
      query?.continue === 'p2' ? page(10, [thing('y', 7)]) : page(10, [thing('x', 5)], 'p2'),
    );
    expect(reflector.synced).toBe(false);
    await reflector.whenSynced(stop.signal);
    expect([...reflector.all()]).toEqual(['x@5', 'y@7']);
    expect(client.calls.map(({ query }) => query)).toMatchObject([{ limit: 500 }, { limit: 500, continue: 'p2' }]);
    expect(types().slice(0, 2)).toEqual(['listed', 'synced']);
  });

  test('and watches drop what is not to be kept, and go on after it', async () => {
    const isKept = ({ name }: { readonly name: string }): boolean => name !== 'private';
    const { client, reflector } = start(() => page(10, [thing('x', 5), thing('private', 6)]), { isKept });
    const watch = await watchOf(client, 0);
    watch.send('ADDED', thing('private', 11));
    watch.send('DELETED', thing('private', 12));
    watch.send('ADDED', thing('z', 13));
    watch.send('MODIFIED', thing('private', 14));
    await eventually('z is there', () => reflector.get('a', 'z'));
    expect([...reflector.all()]).toEqual(['x@5', 'z@13']);
    expect(changes.map(({ name }) => name)).toEqual(['x', 'z']);
    expect(types()).not.toContain('badLine');
    watch.end();
    now += 60_000;
    const { call } = await watchOf(client, 1);
    expect(call.query).toMatchObject({ resourceVersion: '14' });
  });

  test('start over when a page comes too late', async () => {
    let tries = 0;
    const { reflector } = start(({ query }) => {
      if (query?.continue !== undefined && (tries += 1) === 1) throw new KubeError('Expired', 'late', { status: 410 });
      return query?.continue === undefined ? page(10, [thing('x', 5)], 'p2') : page(10, [thing('y', 7)]);
    });
    await reflector.whenSynced(stop.signal);
    expect(reflector.size).toBe(2);
  });

  test('that are no lists are reported and tried again', async () => {
    let tries = 0;
    const { reflector } = start(() => ((tries += 1) === 1 ? { kind: 'Other' } : page(10, [])));
    await reflector.whenSynced(stop.signal);
    expect(events[0]).toMatchObject({ type: 'failed', error: { reason: 'BadAnswer' } });
  });

  test('an item that nobody can read is reported, not fatal', async () => {
    const { reflector } = start(() => page(10, [{}, thing('x', 5)]));
    await reflector.whenSynced(stop.signal);
    expect(reflector.size).toBe(1);
    expect(types()).toContain('badLine');
  });
});

describe('watches', () => {
  test('begin at the list, with bookmarks and a time limit', async () => {
    const { client } = start(() => page(10, []), { labelSelector: 'a=b', random: () => 0.5 });
    const { call } = await watchOf(client, 0);
    expect(call.query).toMatchObject({
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: '10',
      timeoutSeconds: 450,
      labelSelector: 'a=b',
    });
  });

  test('resume after a clean end from the last event or bookmark, without a list', async () => {
    const { client, reflector } = start(() => page(10, []));
    const watch = await watchOf(client, 0);
    watch.send('ADDED', thing('x', 12));
    watch.send('BOOKMARK', { metadata: { resourceVersion: '40' } });
    await eventually('the event arrived', () => reflector.size === 1);
    now += 60_000;
    watch.end();
    expect((await watchOf(client, 1)).call.query).toMatchObject({ resourceVersion: '40' });
    expect(client.calls).toHaveLength(1);
    expect(reflector.restarts).toBe(1);
    expect(types()).toEqual(['listed', 'synced', 'watchStarted', 'watchEnded', 'resumed']);
  });

  test('resume after an error', async () => {
    const { client } = start(() => page(10, []));
    (await watchOf(client, 0)).end(new KubeError('Unavailable', 'reset'));
    await watchOf(client, 1);
    expect(client.calls).toHaveLength(1);
    expect(events).toContainEqual(expect.objectContaining({ type: 'failed', retryInMs: 0 }));
  });

  test('resume at once after silence', async () => {
    const { client } = start(() => page(10, []));
    const cause = { code: 'UND_ERR_BODY_TIMEOUT' };
    (await watchOf(client, 0)).end(new KubeError('Unavailable', 'silent', { cause }));
    await watchOf(client, 1);
    expect(events).toContainEqual({ type: 'watchEnded', reason: 'idle', ms: 0 });
    expect(types()).not.toContain('failed');
  });

  test('that end at once do not make a hot loop', async () => {
    const { client } = start(() => page(10, []));
    (await watchOf(client, 0)).end();
    await watchOf(client, 1);
    expect(types()).toContain('failed');
  });

  test.each<[string, (watch: FakeWatch) => void]>([
    ['an ERROR event', (watch) => watch.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired' })],
    ['a status', (watch) => watch.end(new KubeError('Expired', 'gone', { status: 410 }))],
    ['a version that is too large', (watch) => watch.end(new KubeError('Unavailable', 'too large', { status: 504 }))],
  ])('whose version is gone make a new list: %s', async (_how, end) => {
    let version = 10;
    const { client, reflector } = start(() => page(version, version === 10 ? [thing('x', 5)] : [thing('y', 15)]));
    const watch = await watchOf(client, 0);
    version = 20;
    end(watch);
    expect((await watchOf(client, 1)).call.query).toMatchObject({ resourceVersion: '20' });
    expect([...reflector.all()]).toEqual(['y@15']);
    expect(events).toContainEqual(expect.objectContaining({ type: 'relisted', why: 'expired' }));
  });

  test('that fail again and again give up resuming and list', async () => {
    const { client } = start(() => page(10, []));
    for (let index = 0; index < 5; index += 1) {
      (await watchOf(client, index)).end(new KubeError('Unavailable', 'reset'));
    }
    await watchOf(client, 5);
    expect(client.calls).toHaveLength(2);
  });

  test('report a line that nobody can read and go on', async () => {
    const { client, reflector } = start(() => page(10, []));
    const watch = await watchOf(client, 0);
    watch.line('{"type":"ADD');
    watch.send('ADDED', thing('x', 12));
    await eventually('the event arrived', () => reflector.size === 1);
    expect(types()).toContain('badLine');
  });

  test('report a handler that throws and go on', async () => {
    const onChange = (): never => {
      throw new Error('bug');
    };
    const { reflector } = start(() => page(10, [thing('x', 5), thing('y', 6)]), { onChange });
    await reflector.whenSynced(stop.signal);
    expect(reflector.size).toBe(2);
    expect(types().filter((type) => type === 'handlerFailed')).toHaveLength(2);
  });
});

test('a full list is made now and then, and says what the watch had missed', async () => {
  let items = [thing('x', 5)];
  const { client } = start(() => page(10, items), { relistMs: 60_000, random: () => 0.5 });
  const watch = await watchOf(client, 0);
  expect(watch.call.query).toMatchObject({ timeoutSeconds: 60 });
  items = [thing('x', 5), thing('missed', 8)];
  now += 60_000;
  watch.end();
  await watchOf(client, 1);
  expect(events).toContainEqual({ type: 'relisted', missed: 1, why: 'periodic' });
  expect(changes.map(({ key, source }) => [key, source])).toEqual([
    ['a/x', 'list'],
    ['a/missed', 'relist'],
  ]);
});

test('waits at least as long as the API server asks', async () => {
  const { client } = start(() => {
    throw new KubeError('Throttled', 'slow down', { status: 429, retryAfterMs: 7_000 });
  });
  await eventually('it failed', () => events.length > 0);
  expect(events).toMatchObject([{ type: 'failed', retryInMs: 7_000 }]);
  expect(client.calls).toHaveLength(1);
});

test('our own writes are in the cache at once', async () => {
  const { reflector } = start(() => page(10, [thing('x', 5)]));
  await reflector.whenSynced(stop.signal);
  reflector.absorb(thing('x', 12));
  expect(reflector.get('a', 'x')).toBe('x@12');
  reflector.absorbDeletion('a', 'x', 'uid-x');
  expect(reflector.get('a', 'x')).toBeUndefined();
});

test('waiting for the first list ends with its signal', async () => {
  const { reflector } = start(() => {
    throw new KubeError('Forbidden', 'no');
  });
  await expect(reflector.whenSynced(AbortSignal.abort())).rejects.toMatchObject({ reason: 'Aborted' });
});
