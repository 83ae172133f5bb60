// What is asked about rights where only some namespaces are served, and what is said of those that are missing.
import { expect, test } from '@jest/globals';
import { checkPermissions, messagesOf, splitMissing } from '../../../src/kube/check-permissions.ts';
import { NAMESPACED_PERMISSIONS, permissionsOf } from '../../../src/kube/permissions.ts';
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
  const { lacking, notGiven } = splitMissing(missing, NAMESPACED_PERMISSIONS);
  return { asked, messages: messagesOf(lacking), notGiven };
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

const isOfTokens = ({ resource, verb, namespace }: Asked): boolean =>
  resource === 'serviceaccounts' && verb === 'create' && namespace === 'kube-system';

test('what an installation may do without, and has nothing of, is told apart, with the value that gives it', async () => {
  expect(await missingWhere(isOfTokens)).toMatchObject({
    messages: [],
    notGiven: [
      {
        value: 'rrsa.tokenServiceAccount',
        message: expect.stringMatching(
          /^may not create serviceaccounts\/token aliyun-acr-credential-helper in the namespace kube-system: .*; may not create serviceaccounts in the namespace kube-system: /,
        ),
      },
    ],
  });
});

test('it is left out also where somebody may create ServiceAccounts for another reason, as while helm test runs', async () => {
  const { messages, notGiven } = await missingWhere((asked) => isOfTokens(asked) && asked.name !== undefined);
  expect([messages, notGiven.map(({ value }) => value)]).toEqual([[], ['rrsa.tokenServiceAccount']]);
});

test('a part of it is missing like anything else', async () => {
  const { messages, notGiven } = await missingWhere((asked) => isOfTokens(asked) && asked.name === undefined);
  expect(notGiven).toEqual([]);
  expect(messages).toEqual([expect.stringMatching(/^may not create serviceaccounts in the namespace kube-system: /)]);
});

test.each([
  ['is', true],
  ['is not', false],
])('of Alibaba’s add-on rights are asked about where it %s to be taken over', (_, takeOver) => {
  const asked = permissionsOf({ instance: 'default', configMap: 'c', isNamespaced: true, takeOver });
  const inItsNamespace = asked.filter(({ scope, optional }) => scope === 'vendor-namespace' && optional === undefined);
  expect(inItsNamespace.map(({ resource, verb }) => `${verb} ${resource}`)).toEqual(
    takeOver ? ['list deployments', 'watch deployments', 'list secrets', 'watch secrets'] : [],
  );
});
