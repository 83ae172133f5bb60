// What is asked about rights where only some namespaces are served, and what is said of those that are missing.
import { expect, test } from '@jest/globals';
import { checkPermissions, messagesOf } from '../../../src/kube/check-permissions.ts';
import { NAMESPACED_PERMISSIONS } from '../../../src/kube/permissions.ts';
import { createFakeClient } from './fake-client.ts';

interface Asked {
  readonly verb: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}

async function missingWhere(isMissing: (asked: Asked) => boolean) {
  const asked: Asked[] = [];
  const client = createFakeClient(({ body }) => {
    const { resourceAttributes } = (body as { readonly spec: { readonly resourceAttributes: Asked } }).spec;
    asked.push(resourceAttributes);
    return { status: { allowed: !isMissing(resourceAttributes) } };
  });
  const missing = await checkPermissions(client, {
    ownNamespace: 'own',
    configNamespace: 'conf',
    servedNamespaces: ['team-a', 'team-b'],
    secretNamespaces: ['keys'],
    permissions: NAMESPACED_PERMISSIONS,
    signal: new AbortController().signal,
  });
  return { asked, messages: messagesOf(missing) };
}

test('no right on Secrets, ServiceAccounts or Events is asked about in every namespace', async () => {
  const { asked, messages } = await missingWhere(() => false);
  expect(messages).toEqual([]);
  const places = (resource: string): readonly (string | undefined)[] => [
    ...new Set(asked.filter((one) => one.resource === resource).map(({ namespace }) => namespace)),
  ];
  expect(places('secrets')).toEqual(['team-a', 'team-b', 'own', 'kube-system', 'keys']);
  expect(places('serviceaccounts')).toEqual(['team-a', 'team-b', 'kube-system']);
  expect(places('events')).toEqual(['team-a', 'team-b', 'own', 'conf', 'default']);
});

test('a namespace without its Role is one sentence that names it', async () => {
  const { messages } = await missingWhere(({ namespace }) => namespace === 'team-b');
  expect(messages).toEqual([
    'may not list, watch, get, patch serviceaccounts; list, watch, get, create, patch, delete secrets; create events in the namespace team-b: put the Role and the RoleBinding of docs/rbac-namespaced.yaml into it; until then it is left alone',
  ]);
});

test('what is missing elsewhere is named with its namespace and its use', async () => {
  const { messages } = await missingWhere(({ namespace, verb }) => namespace === 'keys' && verb === 'list');
  expect(messages).toEqual([
    'may not list secrets in the namespace keys: this is needed to read the Secrets that the configuration may name there',
  ]);
});
