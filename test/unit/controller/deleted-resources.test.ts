// Which deletions must be remembered, and for how long.
import { expect, test } from '@jest/globals';
import { DeletedResources } from '../../../src/controller/deleted-resources.ts';
import type { ObservedSecret } from '../../../src/core/types.ts';
import type { Resource } from '../../../src/kube/resource-objects.ts';
import { buildSecret } from '../../support/builders.ts';

const FIRST = 'uid-of-the-first-definition';
const SECOND = 'uid-of-the-second-definition';
const UNDER_SECOND = { definition: SECOND, isListed: false };
const resource = (name: string): Resource => ({
  ...{ name, uid: `u-${name}`, generation: 1, resourceVersion: '1', labels: {} },
  ...{ spec: {}, status: undefined },
});

/** Two namespaces; the second holds the Secrets of `a` and `b`, noted under these definitions. */
function deletedWith(definitions: Readonly<Record<string, string | undefined>>): DeletedResources {
  const secrets = new Map(
    Object.entries(definitions).map(([name, definition]) => [
      `tcr.ips${name}`,
      buildSecret({}, { namespace: 'web', name: `tcr.ips${name}`, definition }),
    ]),
  );
  const none = new Map<string, never>();
  const namespaces = ['api', 'web'].map((name) => ({ name, labels: {}, terminating: false }));
  return new DeletedResources(() => ({
    namespaces: { all: () => namespaces, get: () => undefined, inNamespace: () => none },
    secrets: {
      all: () => secrets.values(),
      get: (namespace, name): ObservedSecret | undefined => (namespace === 'web' ? secrets.get(name) : undefined),
      inNamespace: () => secrets,
    },
  }));
}
const remove = (deleted: DeletedResources, name: string, isDeleted = true): boolean =>
  deleted.take({ before: resource(name), after: undefined, isDeleted }, UNDER_SECOND);

test('a deletion is remembered while a Secret bears an earlier definition, and no other', () => {
  const deleted = deletedWith({ a: FIRST, b: SECOND, c: undefined });
  for (const name of ['a', 'b', 'c', 'without-secrets']) remove(deleted, name);
  expect(deleted.under(SECOND)).toEqual(new Set(['a', 'c']));
});

test('however many come and go under ever new names, nothing is kept of them', () => {
  const deleted = deletedWith({ a: FIRST });
  for (let at = 0; at < 1_000; at += 1) remove(deleted, `name-${at}`);
  expect(deleted.under(SECOND).size).toBe(0);
});

test('what goes with its definition was not deleted by anybody', () => {
  const deleted = deletedWith({ a: FIRST });
  remove(deleted, 'a', false);
  expect(deleted.under(SECOND).size).toBe(0);
});

test('one that is there again is not deleted', () => {
  const deleted = deletedWith({ a: FIRST });
  remove(deleted, 'a');
  deleted.take({ before: undefined, after: resource('a') }, UNDER_SECOND);
  expect(deleted.under(SECOND).size).toBe(0);
});

test('another definition makes what was deleted under the last one a matter of the past', () => {
  const deleted = deletedWith({ a: FIRST });
  remove(deleted, 'a');
  expect(deleted.under('uid-of-the-third-definition').size).toBe(0);
  expect(deleted.under(SECOND).size).toBe(0);
});

test.each<[string, string | undefined, boolean]>([
  ['may have left something anywhere', FIRST, true],
  ['and is known as it was left has not', SECOND, false],
])('a resource that comes back %s', (_what, definition, anywhere) => {
  const deleted = deletedWith({ a: definition });
  expect(deleted.take({ before: undefined, after: resource('a') }, UNDER_SECOND)).toBe(anywhere);
  expect(deleted.take({ before: resource('a'), after: resource('a') }, UNDER_SECOND)).toBe(false);
  expect(remove(deleted, 'a')).toBe(anywhere);
});

test('what is listed with all others is not looked for: everything is looked at then', () => {
  const deleted = deletedWith({ a: FIRST });
  expect(deleted.take({ before: undefined, after: resource('a') }, { ...UNDER_SECOND, isListed: true })).toBe(false);
});
