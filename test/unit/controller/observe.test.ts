// What is remembered besides the caches, and when it is forgotten.
import { describe, expect, test } from '@jest/globals';
import { createCaches, forgetWriters, observe, type ObjectCache } from '../../../src/controller/observe.ts';
import { buildForeignSecret, buildServiceAccount, NAMESPACE, NOW, SECOND } from '../../support/builders.ts';

function cacheOf<T extends { readonly name: string }>(...items: readonly T[]): ObjectCache<T> {
  const byName = new Map(items.map((item) => [item.name, item]));
  return { get: (_namespace, name) => byName.get(name), inNamespace: () => byName, all: () => byName.values() };
}

/** Caches of a namespace with one ServiceAccount, in which a Secret is foreign, fought over and refused. */
function cachesOf() {
  const caches = createCaches({
    namespaces: cacheOf({ name: NAMESPACE, labels: {}, terminating: false }),
    serviceAccounts: cacheOf(buildServiceAccount({ uid: 'there' })),
    secrets: cacheOf(),
  });
  const place = { namespace: NAMESPACE, id: `${NAMESPACE}/pull` };
  caches.foreignSecrets.remember(buildForeignSecret({ name: 'pull' }), NOW);
  for (let loss = 0; loss < 4; loss += 1) caches.contention.added(place, NOW);
  for (const id of [place.id, `${NAMESPACE}/wanted`, `${NAMESPACE}/unwanted`, 'there', 'gone']) {
    caches.refusals.refused({ namespace: NAMESPACE, id }, NOW);
  }
  return caches;
}

const look = (caches: ReturnType<typeof cachesOf>) =>
  observe(caches, NAMESPACE, { secretNames: ['wanted'], now: NOW + SECOND });

describe('what is remembered of a namespace', () => {
  test('is seen together with what is there', () => {
    const observed = look(cachesOf());
    expect([...(observed?.secrets.keys() ?? [])]).toEqual(['pull']);
    expect([...(observed?.contendedUntil.keys() ?? [])]).toEqual([`${NAMESPACE}/pull`]);
  });

  test('says of refusals only those of what is there or wanted', () => {
    const ids = [...(look(cachesOf())?.refusedUntil.keys() ?? [])];
    expect(ids.sort()).toEqual([`${NAMESPACE}/pull`, `${NAMESPACE}/wanted`, 'there']);
  });

  test('is forgotten as a whole when somebody else may have led meanwhile', () => {
    const caches = cachesOf();
    forgetWriters(caches);
    const observed = look(caches);
    expect(observed?.secrets.size).toBe(0);
    expect(observed?.contendedUntil.size).toBe(0);
    expect(observed?.refusedUntil.size).toBe(0);
  });
});
