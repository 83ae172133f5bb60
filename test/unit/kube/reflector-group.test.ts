// One kind in several namespaces: what one of them lacks holds up none of the others, and is noticed when it comes and when it goes.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KubeError } from '../../../src/core/errors.ts';
import { isRecord } from '../../../src/core/records.ts';
import type { KubeObject } from '../../../src/kube/client.ts';
import type { Change, Projected } from '../../../src/kube/object-cache.ts';
import { ReflectorGroup } from '../../../src/kube/reflector-group.ts';
import { eventually } from '../../support/eventually.ts';
import { createFakeClient, type FakeClient } from './fake-client.ts';

const FORBIDDEN = new KubeError('Forbidden', 'no', { status: 403 });

/** What a list of a namespace answers; absent = nothing is in it. */
let answers: Map<string, KubeError | readonly KubeObject[]>;
let known: string[];
let failed: string[];
let changes: Change<string>[];
let now: number;
let stop: AbortController;
let running: Promise<void>;
let client: FakeClient;
let group: ReflectorGroup<string>;

beforeEach(() => {
  answers = new Map();
  known = [];
  failed = [];
  changes = [];
  now = 1_000_000;
  stop = new AbortController();
  running = Promise.resolve();
});
afterEach(async () => {
  stop.abort();
  await running;
});

function thing(namespace: string, name: string, version = 5): KubeObject {
  return { metadata: { namespace, name, uid: `uid-${name}`, resourceVersion: String(version) } };
}

function project(object: unknown): Projected<string> | undefined {
  if (!isRecord(object) || !isRecord(object.metadata)) return undefined;
  const { namespace = '', name = '', uid = '', resourceVersion = '' } = object.metadata as Record<string, string>;
  return { namespace, name, uid, resourceVersion, value: `${namespace}/${name}` };
}

function start(...namespaces: readonly string[]): void {
  client = createFakeClient(({ path }) => {
    const namespace = /namespaces\/([^/]+)\/things$/.exec(path)?.[1] ?? '';
    const answer = answers.get(namespace) ?? [];
    if (answer instanceof KubeError) throw answer;
    return { items: answer, metadata: { resourceVersion: '10' } };
  });
  group = new ReflectorGroup<string>({
    client,
    namespaces,
    resource: 'things',
    project,
    onChange: (change) => void changes.push(change),
    report: (namespace, event) => {
      if (event.type === 'failed') failed.push(`${namespace} ${event.error.reason}`);
    },
    onKnown: (namespace) => void known.push(`${namespace} ${group.isKnownIn(namespace)}`),
    now: () => now,
    random: () => 0,
  });
  running = group.run(stop.signal);
}

const watchOf = (namespace: string, nth = 0) =>
  eventually(
    `watch ${nth} of ${namespace}`,
    () => client.watches.filter(({ call }) => call.path.includes(`/${namespace}/`))[nth],
  );

describe('reads', () => {
  test('are those of one cache', async () => {
    answers.set('a', [thing('a', 'x'), thing('a', 'y')]).set('b', [thing('b', 'x')]);
    start('a', 'b', 'c');
    await group.whenSynced(stop.signal);
    expect([...group.all()].sort()).toEqual(['a/x', 'a/y', 'b/x']);
    expect(group.size).toBe(3);
    expect(group.get('b', 'x')).toBe('b/x');
    expect([...group.inNamespace('a').keys()]).toEqual(['x', 'y']);
    expect([group.get('d', 'x'), group.inNamespace('d').size]).toEqual([undefined, 0]);
    expect(new Set(client.calls.map(({ path }) => path))).toEqual(
      new Set(['a', 'b', 'c'].map((name) => `/api/v1/namespaces/${name}/things`)),
    );
  });

  test('show our own writes at once, each in its namespace', async () => {
    answers.set('a', [thing('a', 'x')]);
    start('a', 'b');
    await group.whenSynced(stop.signal);
    group.absorb(thing('b', 'new', 11));
    group.absorb(thing('elsewhere', 'new', 11));
    group.absorbDeletion('a', 'x', 'uid-x');
    expect([...group.all()]).toEqual(['b/new']);
  });
});

describe('a namespace that may not be read', () => {
  test('holds up none of the others, and is known by itself once it may be read, though nothing is in it', async () => {
    answers.set('a', [thing('a', 'x')]).set('b', FORBIDDEN);
    start('a', 'b');
    await group.whenSynced(stop.signal);
    expect(group.synced).toBe(true);
    expect([group.isKnownIn('a'), group.isKnownIn('b'), group.isKnownIn('c')]).toEqual([true, false, false]);
    expect(known).toEqual(['a true']);

    answers.delete('b');
    await eventually('b is known', () => group.isKnownIn('b'));
    expect(known).toEqual(['a true', 'b true']);
  });

  test('is not known any more when the right is taken away, keeps what was read, and comes back', async () => {
    answers.set('a', [thing('a', 'x')]);
    start('a');
    // The fake refuses this watch alone: the next one is the proof that the right is back.
    (await watchOf('a')).end(FORBIDDEN);
    await eventually('it was lost and found', () => known.length === 3);
    expect(known).toEqual(['a true', 'a false', 'a true']);
    expect(group.get('a', 'x')).toBe('a/x');
    expect(changes.map(({ key }) => key)).toEqual(['a/x']);
  });

  test('is no silence: a refusal is an answer', async () => {
    answers.set('a', FORBIDDEN);
    start('a', 'b');
    await group.whenSynced(stop.signal);
    const watch = await watchOf('b');
    now += 500_000;
    watch.send('BOOKMARK', { metadata: { resourceVersion: '12' } });
    const before = failed.length;
    await eventually('a was refused again', () => failed.length > before + 1);
    await eventually('something was heard of both', () => group.lastActivityAt === now);
  });
});

test('a namespace of which the API server says nothing at all keeps it from being synced', async () => {
  answers.set('a', new KubeError('Unavailable', 'down'));
  start('a', 'b');
  await eventually('a was asked more than once', () => failed.length > 1);
  expect(group.synced).toBe(false);
  answers.delete('a');
  await group.whenSynced(stop.signal);
  expect(group.synced).toBe(true);
});

test('silence is that of the namespace of which nothing was heard longest', async () => {
  start('a', 'b');
  await group.whenSynced(stop.signal);
  const began = now;
  const watch = await watchOf('a');
  await watchOf('b');
  now += 500_000;
  watch.send('BOOKMARK', { metadata: { resourceVersion: '12' } });
  watch.send('ADDED', thing('a', 'x', 13));
  await eventually('a was heard', () => group.get('a', 'x'));
  expect(group.lastActivityAt).toBe(began);
});
