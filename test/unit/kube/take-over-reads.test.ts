// What is read for the plan of a take-over: metadata of Secrets and no more, and what a missing right leaves.
import { describe, expect, test } from '@jest/globals';
import { KubeError, type KubeErrorReason } from '../../../src/core/errors.ts';
import { ACR_SECRET_NAME, managedLabels, MANAGER } from '../../../src/core/names.ts';
import type { KubeCall, KubeObject } from '../../../src/kube/client.ts';
import { lookAround, lookForConfigMap } from '../../../src/kube/take-over-reads.ts';
import { NOW } from '../../support/builders.ts';
import { createFakeClient, type FakeClient } from './fake-client.ts';

const TOKENS = ['addon.aliyuncsmanagedacrrole.token', 'addon.aliyunccmanagedacrrole.token'];
const EMPTY: KubeObject = { metadata: { resourceVersion: '1' }, items: [] };
const signal = new AbortController().signal;

function fail(reason: KubeErrorReason): never {
  throw new KubeError(reason, 'no');
}

/** Nothing is there, but for what `answer` gives. */
function clusterOf(answer: (call: KubeCall) => KubeObject | undefined): FakeClient {
  return createFakeClient(
    (call) => answer(call) ?? (/\/(leases|secrets)\/[^/]+$/.test(call.path) ? fail('NotFound') : EMPTY),
  );
}

function look(client: FakeClient) {
  return lookAround({
    ...{ client, namespace: 'kube-system', instance: 'default', now: NOW, signal },
    isNamed: (name) => name === ACR_SECRET_NAME,
    managedRoleSecrets: TOKENS.map((name) => ({ namespace: 'kube-system', name })),
  });
}

function metadata(name: string, parts: KubeObject = {}): KubeObject {
  return { metadata: { namespace: 'shop', name, uid: name, resourceVersion: '1', ...parts } };
}

const pullSecrets = (items: readonly KubeObject[]) =>
  clusterOf(({ path, query }) =>
    path === '/api/v1/secrets' && String(query?.fieldSelector).startsWith('type=') ? { ...EMPTY, items } : undefined,
  );

describe('the reads of a take-over', () => {
  test('write nothing, and ask of lists of Secrets for metadata alone', async () => {
    const client = clusterOf(() => undefined);
    await look(client);
    expect(client.calls.length).toBeGreaterThan(6);
    expect(client.calls.filter(({ method }) => method !== 'GET')).toEqual([]);
    const secrets = client.calls.filter(({ path }) => path === '/api/v1/secrets');
    expect(secrets.map(({ query }) => query?.fieldSelector)).toEqual([
      'type=kubernetes.io/dockerconfigjson',
      'type!=kubernetes.io/dockerconfigjson',
    ]);
    for (const { accept, query } of secrets) {
      expect(accept).toMatch(/^application\/json;as=PartialObjectMetadataList;v=v1;g=meta\.k8s\.io/);
      expect(query?.limit).toBe(500);
    }
  });

  test('keep of Secrets those that are named and those of ours, with their type', async () => {
    const items = [
      ...[metadata(ACR_SECRET_NAME), metadata('password')],
      metadata('mine', { labels: managedLabels('blue') }),
    ];
    const { secrets } = await look(pullSecrets(items));
    expect(secrets).toMatchObject({
      ok: true,
      value: [
        { name: ACR_SECRET_NAME, type: 'kubernetes.io/dockerconfigjson' },
        { name: 'mine', labels: managedLabels('blue') },
      ],
    });
  });

  test.each<[string, readonly [string, string][], string | undefined]>([
    [
      'the last of others',
      [
        ['vendor', '01'],
        ['kubectl', '02'],
      ],
      'kubectl',
    ],
    [
      'nobody, when we wrote last',
      [
        ['vendor', '01'],
        [MANAGER, '02'],
      ],
      undefined,
    ],
    [
      'another that wrote after us',
      [
        [MANAGER, '01'],
        ['vendor', '02'],
      ],
      'vendor',
    ],
    ['nobody, when nothing is recorded', [], undefined],
  ])('tell who wrote a Secret: %s', async (_name, writes, expected) => {
    const managedFields = writes.map(([manager, second]) => ({ manager, time: `2026-01-02T03:04:${second}Z` }));
    const { secrets } = await look(pullSecrets([metadata(ACR_SECRET_NAME, { managedFields })]));
    expect(secrets.ok ? secrets.value[0]?.othersWrote?.manager : 'unread').toBe(expected);
  });

  test('of the managed role read the first Secret that is there, and of it only the end and the error', async () => {
    const document = { expiration: '2026-01-02T04:04:05Z', keyring: 'fake-keyring', 'access.key.id': 'fake' };
    const data = { 'addon.token.config': Buffer.from(JSON.stringify(document)).toString('base64') };
    const client = clusterOf(({ path }) => (path.endsWith(`/${TOKENS[1]}`) ? { data } : undefined));
    expect((await look(client)).managedRole).toEqual({
      ok: true,
      value: {
        secret: { namespace: 'kube-system', name: TOKENS[1] },
        expiresAt: Date.parse('2026-01-02T04:04:05Z'),
        hasError: false,
      },
    });
  });

  test.each([
    ['with a code is one', { code: 'NoPermission', message: 'no' }, true],
    ['with empty fields is none', { code: '', message: '' }, false],
  ])('an error in a managed role’s document %s', async (_name, error, hasError) => {
    const data = { 'addon.token.config': Buffer.from(JSON.stringify({ error })).toString('base64') };
    const client = clusterOf(({ path }) => (path.endsWith(`/${TOKENS[0]}`) ? { data } : undefined));
    expect((await look(client)).managedRole).toMatchObject({ value: { hasError } });
  });

  test.each([
    ['is no JSON', 'bm90IEpTT04='],
    ['is no base64', '***'],
    ['is not there', undefined],
  ])('a managed role’s document that %s says nothing', async (_name, text) => {
    const data = text === undefined ? {} : { 'addon.token.config': text };
    const client = clusterOf(({ path }) => (path.endsWith(`/${TOKENS[0]}`) ? { data } : undefined));
    expect((await look(client)).managedRole).toMatchObject({ value: { expiresAt: undefined, hasError: false } });
  });

  test('say of a Deployment its image and how many Pods it is to have', async () => {
    const spec = { template: { spec: { containers: [{ image: 'a.example/b:1' }] } } };
    const client = clusterOf(({ path }) =>
      path.endsWith('/deployments') ? { ...EMPTY, items: [{ spec }] } : undefined,
    );
    expect((await look(client)).helper).toEqual({ ok: true, value: { image: 'a.example/b:1', replicas: 1 } });
  });

  test('say of what is forbidden what to allow, and give the rest', async () => {
    const client = clusterOf(({ path }) => (path === '/api/v1/secrets' ? fail('Forbidden') : undefined));
    const { secrets, namespaces, managedRole } = await look(client);
    expect(secrets).toEqual({ ok: false, cure: 'allow "list" of secrets in every namespace' });
    expect([namespaces.ok, managedRole.ok]).toEqual([true, true]);
  });

  test('begin a list anew whose pages expired, and give up on one that does so again and again', async () => {
    let failures = 2;
    const client = clusterOf(({ path }) => {
      if (path !== '/api/v1/namespaces' || failures === 0) return undefined;
      failures -= 1;
      return fail('Expired');
    });
    expect((await look(client)).namespaces).toEqual({ ok: true, value: [] });
    failures = 3;
    await expect(look(client)).rejects.toThrow(KubeError);
  });

  test('throw what is not a missing right', async () => {
    await expect(look(clusterOf(() => fail('Unavailable')))).rejects.toThrow(KubeError);
    const client = createFakeClient(() => fail('Unauthorized'));
    await expect(lookForConfigMap(client, { namespace: 'a', name: 'b' }, signal)).rejects.toThrow(KubeError);
  });

  test('tell a ConfigMap that is not there from one that may not be read', async () => {
    const place = { namespace: 'a', name: 'b' };
    expect(
      await lookForConfigMap(
        createFakeClient(() => EMPTY),
        place,
        signal,
      ),
    ).toEqual({ ok: true, value: undefined });
    const refused = createFakeClient(() => fail('Forbidden'));
    const cure = 'allow "list" of configmaps in the namespace a';
    expect(await lookForConfigMap(refused, place, signal)).toEqual({ ok: false, cure });
  });
});
