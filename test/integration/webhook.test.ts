// The admission webhook on a real API server: its switch, what it answers, what happens while nobody answers, and how it goes.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { authoritySecretName, referencesAnnotation, stateSecretName, webhookName } from '../../src/core/names.ts';
import { authorityData } from '../../src/webhook/authority.ts';
import { createAuthority } from '../../src/webhook/certificates.ts';
import { SAMPLE } from '../support/clouds/clouds.ts';
import { pullImage, pushImage } from '../support/control-plane/oci.ts';
import { startRegistry, type Registry } from '../support/control-plane/registry.ts';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, secretsEverywhere, settled } from '../support/expectations.ts';
import { putAccount, replaceReferences } from '../support/other-writers.ts';
import { programCalls, programWrites } from '../support/program-calls.ts';
import { runCommand } from '../support/run-command.ts';
import { configMapEvents, linesSaying, metric } from '../support/signs.ts';
import { admit, intercepted, startServing, WEBHOOK_PATH, webhookObject, withWebhook } from '../support/webhook.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

const ON = 'enable: true\n';
const ANNOTATION = referencesAnnotation('default');
const CLUSTER_ROLE = '/apis/rbac.authorization.k8s.io/v1/clusterroles/registry-credential-helper';

jest.setTimeout(120_000);

let world: World;
let registry: Registry;
let replica: Replica & { readonly port: number };

beforeAll(async () => {
  world = await startWorld({ plane: { controllerManager: true } });
  const { realm, service, issuer, rootCertBundle } = world.clouds.endpoints().registryAuth;
  registry = await startRegistry({ auth: { realm, service, issuer, rootCertBundle } });
  await world.putAccessKey();
  await world.cluster.namespace('team-a');
  await configure('');
  replica = await startServing(world);
  await secretsEverywhere(world, ['team-a']);
}, 180_000);
afterAll(async () => {
  await world.stop();
  await registry.stop();
});

const configure = (webhook: string): Promise<void> => world.configure(withWebhook(world, webhook));
const references = (name: string, namespace = 'team-a') => world.cluster.references(namespace, name);
const serving = () => eventually('the replica is ready', async () => (await replica.http('/readyz'))?.status === 200);
const objectIs = (what: string, check: (object: Awaited<ReturnType<typeof webhookObject>>) => boolean) =>
  eventually(what, async () => check(await webhookObject(world)));
/** The replica dies without a word, as with its node. */
const kill = () => replica.process.stop({ signal: 'SIGKILL' });
const restart = async (): Promise<void> => {
  replica = await startServing(world, { port: replica.port });
};
/** Writes of the webhook object by the program after `mark`. */
const objectWrites = async (mark: number): Promise<number> =>
  (await programCalls(world, mark)).filter(
    ({ resource, verb }) => resource === 'mutatingwebhookconfigurations' && !['get', 'list', 'watch'].includes(verb),
  ).length;

/** Creates a namespace, and at once in it a ServiceAccount and a Pod of it, as `helm install` does. */
async function install(namespace: string): Promise<readonly string[]> {
  await world.cluster.namespace(namespace);
  expect(await admit(world, { namespace, name: 'app' })).toMatchObject({ status: 201 });
  const { status, body } = await world.plane.request({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/pods`,
    body: {
      metadata: { name: 'app' },
      spec: { serviceAccountName: 'app', containers: [{ name: 'app', image: 'registry.example/team/app:v1' }] },
    },
  });
  expect(status).toBe(201);
  const { spec } = body as { spec: { imagePullSecrets?: readonly { name: string }[] } };
  return (spec.imagePullSecrets ?? []).map(({ name }) => name);
}

describe('the switch', () => {
  test('[acr W1] off: there is no webhook object, a new ServiceAccount is served by the watch, and the replica is ready', async () => {
    expect(await webhookObject(world)).toBeUndefined();
    expect(await admit(world, { namespace: 'team-a', name: 'before' })).toMatchObject({ status: 201, references: [] });
    await eventually('the watch serves it', async () => (await references('before')).includes(ACR_SECRET));
    expect((await replica.http('/readyz?verbose'))?.text).toContain('[+]webhook ok');
  });

  test('[acr W1] switched on by a live edit: 100 of 100 new ServiceAccounts have the reference at creation', async () => {
    await configure(ON);
    await objectIs('the webhook object is there', (object) => object !== undefined);
    await serving();
    await intercepted(world, 'team-a');
    const names = Array.from({ length: 100 }, (_, index) => `account-${index}`);
    const found = await Promise.all(
      names.map(async (name) => {
        const { references: answered } = await admit(world, { namespace: 'team-a', name, imagePullSecrets: ['own'] });
        return [answered, await references(name)];
      }),
    );
    const expected = ['own', ACR_SECRET];
    expect(found).toEqual(names.map(() => [expected, expected]));
    expect((await world.cluster.get('serviceaccounts', 'account-1', 'team-a'))?.metadata.annotations).toEqual({
      [ANNOTATION]: ACR_SECRET,
    });
    expect(
      await metric(replica, 'registry_credential_helper_webhook_requests_total', { outcome: 'ReferenceMissing' }),
    ).toBeGreaterThanOrEqual(100);
    expect(
      await metric(replica, 'registry_credential_helper_webhook_request_duration_seconds_count'),
    ).toBeGreaterThanOrEqual(100);
    for (const certificate of ['authority', 'leaf']) {
      const name = 'registry_credential_helper_webhook_certificate_expires_at_seconds';
      expect(await metric(replica, name, { certificate })).toBeGreaterThan(Date.now() / 1_000);
    }
  });

  test('[acr W1] a Pod of the same install has the reference, and what the Secret of its new namespace holds pulls', async () => {
    const { username, password } = SAMPLE.user;
    const image = { registryUrl: registry.url, repository: 'team/app', tag: 'v1' };
    expect(await pushImage({ ...image, login: { username, password } })).toMatchObject({ ok: true });
    expect(await install('team-fresh')).toEqual([ACR_SECRET]);
    const entry = await eventually('its Secret is there', () => world.cluster.auths('team-fresh', ACR_SECRET));
    expect(await pullImage({ ...image, login: Object.values(entry)[0] })).toMatchObject({ ok: true });
  });

  test('[acr W1] a ServiceAccount whose name the API server makes has the reference in the answer to its creation', async () => {
    const made = await admit(world, { namespace: 'team-a', generateName: 'made-' });
    expect(made).toMatchObject({ status: 201, references: [ACR_SECRET] });
    expect(made.name).toMatch(/^made-.{5}$/);
    const long = await admit(world, { namespace: 'team-a', generateName: 'm'.repeat(80) });
    expect(long).toMatchObject({ status: 201, references: [ACR_SECRET] });
    expect(long.name).toMatch(/^m{58}.{5}$/);
    expect(await references(made.name)).toEqual([ACR_SECRET]);
  });

  test('a request of a dry run is answered, and nothing is stored', async () => {
    const account = { namespace: 'team-a', name: 'dry' };
    expect(await admit(world, account, { dryRun: true })).toMatchObject({ status: 201, references: [ACR_SECRET] });
    expect(await world.cluster.get('serviceaccounts', 'dry', 'team-a')).toBeUndefined();
  });

  test.each([
    ['in a namespace out of scope', { metadata: { name: 'x' } }, 'default'],
    [
      'that asks to be left alone',
      { metadata: { name: 'shy', labels: { 'registry-credential-helper.io/ignore': 'true' } } },
      'team-a',
    ],
  ])('a ServiceAccount %s passes as it is', async (_, object, namespace) => {
    const created = await world.cluster.create('serviceaccounts', object, namespace);
    expect(created.imagePullSecrets).toBeUndefined();
    expect(created.metadata.annotations).toBeUndefined();
  });

  test('a list that is replaced is repaired in the same request, without a write of ours', async () => {
    const at = { namespace: 'team-a', name: 'account-0' };
    const mark = await settled(world);
    await replaceReferences(world.plane, at, ['replaced']);
    expect(await references('account-0')).toEqual(['replaced', ACR_SECRET]);
    await putAccount(world.plane, at, ['put']);
    expect(await references('account-0')).toEqual(['put', ACR_SECRET]);
    await settled(world);
    expect(await programWrites(world, mark)).toEqual([]);
    const account = await world.cluster.get('serviceaccounts', 'account-0', 'team-a');
    expect(account?.metadata.annotations?.[ANNOTATION]).toBe(ACR_SECRET);
  });

  test('the reference goes with the scope although the webhook sees the removal, and comes back with it', async () => {
    await world.configure(withWebhook(world, ON, 'team-*, !team-fresh'));
    await eventually('it is gone', async () => (await references('app', 'team-fresh')).length === 0);
    await settled(world);
    expect(await references('app', 'team-fresh')).toEqual([]);
    await configure(ON);
    await eventually('it is back', async () => (await references('app', 'team-fresh')).includes(ACR_SECRET));
  });

  test('[acr W1] switched off: the webhook object is gone, and the watch goes on serving', async () => {
    await configure('enable: false\n');
    await objectIs('the webhook object is gone', (object) => object === undefined);
    expect((await replica.http('/readyz'))?.status).toBe(200);
    await admit(world, { namespace: 'team-a', name: 'afterwards' });
    await eventually('the watch serves it', async () => (await references('afterwards')).includes(ACR_SECRET));
  });
});

describe('the webhook object', () => {
  beforeAll(async () => {
    await configure(ON);
    await objectIs('the webhook object is there', (object) => object !== undefined);
    await serving();
  });

  test('[acr W3] says what the configuration says, by default Ignore and 3 s, and what keeps the cluster safe', async () => {
    const { body } = await world.plane.request({ path: CLUSTER_ROLE });
    const owner = (body as { metadata: { uid: string } }).metadata;
    const object = await webhookObject(world);
    expect(object?.metadata).toMatchObject({
      labels: { 'app.kubernetes.io/managed-by': 'registry-credential-helper', 'app.kubernetes.io/instance': 'default' },
      ownerReferences: [{ kind: 'ClusterRole', name: 'registry-credential-helper', uid: owner.uid }],
    });
    expect(object?.webhooks).toMatchObject([
      {
        failurePolicy: 'Ignore',
        timeoutSeconds: 3,
        sideEffects: 'None',
        reinvocationPolicy: 'IfNeeded',
        rules: [{ operations: ['CREATE', 'UPDATE'], apiGroups: [''], resources: ['serviceaccounts'] }],
        namespaceSelector: {
          matchExpressions: [
            { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', 'kube-node-lease'] },
            { key: 'registry-credential-helper.io/ignore', operator: 'NotIn', values: ['true'] },
          ],
        },
        objectSelector: {
          matchExpressions: [{ key: 'registry-credential-helper.io/ignore', operator: 'NotIn', values: ['true'] }],
        },
        clientConfig: { url: `https://127.0.0.1:${replica.port}/mutate-serviceaccounts` },
      },
    ]);
  });

  test('[acr W3] follows edits of `failure-policy` and `timeout-seconds`', async () => {
    await configure(`${ON}failure-policy: fail\ntimeout-seconds: 30\n`);
    await objectIs('it says Fail and 30', (object) => {
      const [webhook] = object?.webhooks ?? [];
      return webhook?.failurePolicy === 'Fail' && webhook.timeoutSeconds === 30;
    });
    const events = await eventually('an Event says what Fail means', async () => {
      const found = await configMapEvents(world, 'ConfigApplied');
      return found.some(({ message }) => message.includes('no ServiceAccount can be created')) ? found : undefined;
    });
    expect(events.length).toBeGreaterThan(0);
    await configure(ON);
    await objectIs('it says Ignore again', (object) => object?.webhooks[0]?.failurePolicy === 'Ignore');
  });

  test('[acr W3] a bad value is refused with its line: nothing changes, and the replica stays ready', async () => {
    await settled(world);
    const before = await webhookObject(world);
    await configure(`${ON}timeout-seconds: 31\n`);
    const [event] = await eventually('an Event says so', async () => {
      const found = await configMapEvents(world, 'ConfigInvalid');
      return found.length > 0 ? found : undefined;
    });
    expect(event?.message).toContain('webhook-configuration.timeout-seconds (line 2): must be a whole number');
    await settled(world);
    expect((await webhookObject(world))?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
    expect((await replica.http('/readyz'))?.status).toBe(200);
    await configure(ON);
  });

  test('is written only when something differs', async () => {
    const mark = await settled(world);
    await world.configure({ ...withWebhook(world, ON), 'notify-email': 'puller@example.com' });
    await world.plane.request({
      method: 'PATCH',
      path: WEBHOOK_PATH,
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { note: 'somebody was here' } } },
    });
    await settled(world);
    expect(await objectWrites(mark)).toBe(0);
    await configure(ON);
  });

  test.each([
    ['edited', 'PATCH', { webhooks: null }],
    ['taken from its owner', 'PATCH', { metadata: { ownerReferences: null, labels: null } }],
    ['deleted', 'DELETE', undefined],
  ] as const)('is put right at once when it is %s', async (_, method, body) => {
    const wanted = (await webhookObject(world))?.webhooks;
    const contentType = method === 'PATCH' ? { contentType: 'application/merge-patch+json', body } : {};
    await world.plane.request({ method, path: WEBHOOK_PATH, ...contentType });
    await objectIs('it is right again', (object) => {
      const { labels, ownerReferences } = (object?.metadata ?? {}) as { labels?: unknown; ownerReferences?: unknown };
      return (
        JSON.stringify(object?.webhooks) === JSON.stringify(wanted) &&
        labels !== undefined &&
        ownerReferences !== undefined
      );
    });
    await intercepted(world, 'team-a');
  });

  test('somebody who edits it again and again is not fought over', async () => {
    const mark = await settled(world);
    for (let edits = 0; edits < 10; edits += 1) {
      const patch = { metadata: { labels: { 'app.kubernetes.io/instance': null } } };
      const request = { method: 'PATCH', path: WEBHOOK_PATH, contentType: 'application/merge-patch+json' } as const;
      await world.plane.request({ ...request, body: patch });
      await replica.http('/readyz');
    }
    const lines = await eventually('a line says so', async () => {
      const found = await linesSaying(replica, 'Webhook keeps being changed by another writer');
      return found.length > 0 ? found : undefined;
    });
    expect(lines[0]).toMatchObject({ level: 'warn' });
    expect(await objectWrites(mark)).toBeLessThanOrEqual(6);
    // A word of its own does not wait for the end of the pause.
    await configure(`${ON}timeout-seconds: 4\n`);
    await objectIs('it is right again', (object) => object?.webhooks[0]?.timeoutSeconds === 4);
    await configure(ON);
  });
});

describe('while nobody answers', () => {
  test('[acr W2] with Ignore, namespaces, ServiceAccounts and a Deployment are created, and the watch repairs them', async () => {
    await objectIs('it says Ignore', (object) => object?.webhooks[0]?.failurePolicy === 'Ignore');
    await kill();
    expect(await install('team-dead')).toEqual([]);
    const { status } = await world.plane.request({
      method: 'POST',
      path: '/apis/apps/v1/namespaces/kube-system/deployments',
      body: {
        metadata: { name: 'registry-credential-helper' },
        spec: {
          selector: { matchLabels: { app: 'helper' } },
          template: {
            metadata: { labels: { app: 'helper' } },
            spec: {
              serviceAccountName: 'registry-credential-helper',
              containers: [{ name: 'controller', image: 'registry.example/helper:v1' }],
            },
          },
        },
      },
    });
    expect(status).toBe(201);
    await eventually('its Pod is there', async () => {
      const { body } = await world.plane.request({ path: '/api/v1/namespaces/kube-system/pods' });
      return (body as { items: readonly unknown[] }).items.length > 0;
    });
    await restart();
    await secretsEverywhere(world, ['team-dead']);
    expect(await references('app', 'team-dead')).toEqual([ACR_SECRET]);
    expect(await references('default', 'team-dead')).toEqual([ACR_SECRET]);
    await intercepted(world, 'team-a');
  });

  test('[acr W2] with Fail, ServiceAccounts are refused, but not in our own namespace, nor is anything else', async () => {
    await configure(`${ON}failure-policy: Fail\n`);
    await objectIs('it says Fail', (object) => object?.webhooks[0]?.failurePolicy === 'Fail');
    await intercepted(world, 'team-a');
    await kill();
    const refused = await admit(world, { namespace: 'team-a', name: 'refused' });
    expect(refused.status).toBe(500);
    expect(refused.message).toContain('serviceaccounts.registry-credential-helper.io');
    expect(await admit(world, { namespace: 'kube-system', name: 'ours' })).toMatchObject({ status: 201 });
    await world.cluster.namespace('team-other');
    await restart();
    await intercepted(world, 'team-a');
    expect(await admit(world, { namespace: 'team-a', name: 'refused' })).toMatchObject({
      status: 201,
      references: [ACR_SECRET],
    });
    await configure(ON);
    await objectIs('it says Ignore', (object) => object?.webhooks[0]?.failurePolicy === 'Ignore');
  });
});

describe('the way it goes', () => {
  const secret = () => world.cluster.get('secrets', authoritySecretName('default'), 'kube-system');

  test('a process that was not told how to serve it says so, and removes the one that is there', async () => {
    await replica.stop();
    const plain = await world.startController();
    await objectIs('the webhook object is gone', (object) => object === undefined);
    expect(await linesSaying(plain, 'Webhook is wanted but not served', { level: 'warn' })).toHaveLength(1);
    expect((await plain.http('/readyz'))?.status).toBe(200);
    await plain.stop();
  });

  test('cleanup removes the webhook object first, and the certificate authority', async () => {
    await restart();
    await objectIs('the webhook object is there', (object) => object !== undefined);
    expect(await secret()).toBeDefined();
    await replica.stop();
    expect((await runCommand(world, 'cleanup', ['--dry-run'])).output).toMatch(
      /^would delete MutatingWebhookConfiguration/,
    );
    expect(await webhookObject(world)).toBeDefined();
    const { code, output } = await runCommand(world, 'cleanup');
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toMatch(/^deleted MutatingWebhookConfiguration registry-credential-helper-default\n/);
    expect(await webhookObject(world)).toBeUndefined();
    expect(await secret()).toBeUndefined();
    expect(await references('account-0')).toEqual(['put']);
  });

  test("cleanup tells of objects under our names that are somebody else's, and leaves them alone", async () => {
    const stringData = { theirs: 'x' };
    const names = [authoritySecretName('default'), stateSecretName('default')];
    for (const name of names) await world.cluster.create('secrets', { metadata: { name }, stringData }, 'kube-system');
    const object = { metadata: { name: webhookName('default'), labels: { owner: 'somebody' } } };
    const path = WEBHOOK_PATH.slice(0, WEBHOOK_PATH.lastIndexOf('/'));
    expect((await world.plane.request({ method: 'POST', path, body: object })).status).toBe(201);
    const left = [
      `left alone MutatingWebhookConfiguration ${webhookName('default')}: somebody else's has this name`,
      `left alone Secret kube-system/${names[0]} (certificate authority of the webhook): somebody else's has this name`,
      `left alone Secret kube-system/${names[1]} (master copy): somebody else's has this name`,
    ];
    for (const args of [['--dry-run'], []]) {
      const { code, output } = await runCommand(world, 'cleanup', args);
      expect(code).toBe(0);
      expect(output.split('\n').slice(0, 3)).toEqual(left);
    }
    expect((await webhookObject(world))?.metadata).toMatchObject(object.metadata);
    for (const name of names) {
      expect(await world.cluster.get('secrets', name, 'kube-system')).toMatchObject({ data: { theirs: 'eA==' } });
      await world.cluster.remove('secrets', name, 'kube-system');
    }
    await world.plane.request({ method: 'DELETE', path: WEBHOOK_PATH });
  });

  test('cleanup also removes an authority that lost its labels', async () => {
    const data = { ...authorityData(await createAuthority('unlabelled', Date.now()), []) };
    const metadata = { name: authoritySecretName('default') };
    await world.cluster.create('secrets', { metadata, stringData: data }, 'kube-system');
    expect((await runCommand(world, 'cleanup')).output).toContain(`deleted Secret kube-system/${metadata.name}`);
    expect(await secret()).toBeUndefined();
  });

  const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/registry-credential-helper-default';
  /** Another process leads, which makes no webhook: one of an older version, or without flags. */
  const anotherLeads = async (): Promise<void> => {
    const spec = { holderIdentity: 'another', leaseDurationSeconds: 3_600, renewTime: '2026-01-02T03:04:05.000000Z' };
    const contentType = 'application/merge-patch+json';
    const { status } = await world.plane.request({ method: 'PATCH', path: lease, contentType, body: { spec } });
    expect(status).toBe(200);
  };
  const nobodyLeads = () => world.plane.request({ method: 'DELETE', path: lease });

  test('while there is no webhook object a replica is ready, so that a rollout gets past a leader that makes none', async () => {
    await anotherLeads();
    await restart();
    expect((await replica.http('/readyz?verbose'))?.text).toContain('[+]webhook ok');
    expect(await webhookObject(world)).toBeUndefined();
    expect(await admit(world, { namespace: 'team-a', name: 'meanwhile' })).toMatchObject({ status: 201 });
    await nobodyLeads();
    await objectIs('the webhook object is there', (object) => object !== undefined);
    await serving();
    await intercepted(world, 'team-a');
  });

  test('while there is one that it cannot serve it is not ready, and says why; it is as soon as there is a leader', async () => {
    await replica.stop();
    await anotherLeads();
    await world.cluster.remove('secrets', authoritySecretName('default'), 'kube-system');
    const { port } = replica;
    const args = [`--webhook-address=127.0.0.1:${port}`, `--webhook-url=https://127.0.0.1:${port}`];
    replica = { ...(await world.startController({ args, awaitReady: false })), port };
    await eventually('only the webhook is missing', async () => {
      const answer = await replica.http('/readyz?verbose');
      const failed = answer?.text.split('\n').filter((line) => line.startsWith('[-]'));
      return (
        answer?.status === 503 &&
        failed?.length === 1 &&
        failed[0] === '[-]webhook failed: the leader has not made the certificate authority yet'
      );
    });
    await nobodyLeads();
    await serving();
    expect(await webhookObject(world)).toBeDefined();
  });

  test('with the installation: the webhook object goes when its ClusterRole does', async () => {
    await replica.stop();
    expect(await webhookObject(world)).toBeDefined();
    await world.plane.request({ method: 'DELETE', path: CLUSTER_ROLE });
    await objectIs('the garbage collector has removed it', (object) => object === undefined);
  });
});
