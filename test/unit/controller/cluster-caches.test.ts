// The caches of a cluster of which only listed namespaces are served: what never enters them, and what of them may be relied on.
import { afterEach, expect, test } from '@jest/globals';
import { createClusterCaches, type ClusterCaches } from '../../../src/controller/cluster-caches.ts';
import { KubeError } from '../../../src/core/errors.ts';
import type { KubeObject } from '../../../src/kube/client.ts';
import { eventually } from '../../support/eventually.ts';
import { createFakeClient } from '../kube/fake-client.ts';

const stop: AbortController[] = [];
afterEach(() => {
  for (const one of stop.splice(0)) one.abort();
});

const object = (name: string, namespace?: string): KubeObject => ({
  metadata: { name, uid: `u-${name}`, resourceVersion: '4', ...(namespace === undefined ? {} : { namespace }) },
});

/** Caches that are synced, of a cluster with the namespaces `there`; `locked` are paths that may not be read. */
async function caches(of: {
  readonly there: readonly string[];
  readonly namespaces?: readonly string[];
  readonly locked: Set<string>;
}): Promise<{ readonly cluster: ClusterCaches; readonly told: string[] }> {
  const told: string[] = [];
  const client = createFakeClient(({ path }) => {
    if (of.locked.has(path)) throw new KubeError('Forbidden', 'no');
    const [, namespace] = /namespaces\/([^/]+)\/serviceaccounts$/.exec(path) ?? [];
    const items = path === '/api/v1/namespaces' ? of.there.map((name) => object(name)) : [];
    if (namespace !== undefined) items.push(object('default', namespace));
    return { metadata: { resourceVersion: '10' }, items };
  });
  const tell =
    (what: string) =>
    ({ key }: { readonly key: string }): void =>
      void told.push(`${what} ${key}`);
  const cluster = createClusterCaches({
    ...{ client, instance: 'default', now: () => Date.now(), random: () => 0, report: () => undefined },
    ...(of.namespaces === undefined ? {} : { namespaces: of.namespaces }),
    triggers: {
      onNamespace: tell('namespace'),
      onServiceAccount: tell('account'),
      onSecret: tell('secret'),
      onRead: (namespace) => void told.push(`read ${namespace}`),
    },
  });
  const ending = new AbortController();
  stop.push(ending);
  void cluster.run(ending.signal);
  await cluster.whenSynced(ending.signal);
  return { cluster, told };
}

test('a namespace that is not listed enters none of them, and nobody is told of it', async () => {
  const { cluster, told } = await caches({ there: ['a', 'private'], namespaces: ['a'], locked: new Set() });
  expect([...cluster.namespaces.all()].map(({ name }) => name)).toEqual(['a']);
  expect(told.filter((line) => line.includes('private'))).toEqual([]);
  expect(told).toContain('namespace a');
});

test('a namespace may be relied on once both kinds are read there, and is woken for it', async () => {
  const locked = new Set(['/api/v1/namespaces/a/secrets']);
  const { cluster, told } = await caches({ there: ['a', 'b'], namespaces: ['a', 'b'], locked });
  expect([cluster.synced, cluster.isRead('a'), cluster.isRead('b')]).toEqual([true, false, true]);
  const before = told.filter((line) => line === 'read a').length;
  locked.clear();
  await eventually('a is read', () => cluster.isRead('a'));
  expect(told.filter((line) => line === 'read a')).toHaveLength(before + 1);
});

test.each<readonly [string, readonly string[], boolean]>([
  ['whole while every listed namespace that is there may be read', ['a'], true],
  ['not whole while one of them may not', ['a', 'locked'], false],
])('what is known of Secrets is %s', async (_, there, isWhole) => {
  const locked = new Set(['/api/v1/namespaces/locked/secrets', '/api/v1/namespaces/locked/serviceaccounts']);
  const { cluster } = await caches({ there, namespaces: ['a', 'locked'], locked });
  expect(cluster.isWhole()).toBe(isWhole);
});

test('where all namespaces are served everything that is synced may be relied on', async () => {
  const { cluster } = await caches({ there: ['a', 'b'], locked: new Set() });
  expect([cluster.isRead('a'), cluster.isRead('b'), cluster.isWhole()]).toEqual([true, true, true]);
  expect([...cluster.namespaces.all()]).toHaveLength(2);
});

test('answers to our own writes are read back at once, each in its namespace', async () => {
  const { cluster } = await caches({ there: ['a'], namespaces: ['a'], locked: new Set() });
  const place = { namespace: 'a', name: 's' };
  const secret = { metadata: { ...place, uid: 'u', resourceVersion: '11', labels: {} } };
  cluster.absorb({ kind: 'create-secret', ...place, reason: 'SecretMissing', content: CONTENT }, secret);
  expect(cluster.secrets.get('a', 's')).toMatchObject({ uid: 'u' });
  const guard = { uid: 'u', resourceVersion: '11' };
  cluster.absorb({ kind: 'delete-secret', ...place, ...guard, reason: 'SecretUnwanted' }, {});
  expect(cluster.secrets.get('a', 's')).toBeUndefined();
});

const CONTENT = { labels: {}, annotations: {}, dockerConfigJson: '{}' };
