// The life of a release on a real cluster with garbage collection, by the Helm of either major version: what the leader makes and
// changes, and what people edit, is in nobody's way, and goes or stays as it should.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { TestObject } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { CRD_NAME, resource } from '../support/image-pull-secrets.ts';
import { kubectlOf, type Kubectl } from '../support/kubectl.ts';
import { VALIDATING_PATH, WEBHOOK_PATH, webhookObject, type WebhookObject } from '../support/webhook.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';
import { controllerOf, startPodOf } from './pod.ts';
import type { Values } from './helm.ts';
import { createReleases, HELM_MAJORS, type Release } from './releases.ts';

const BUILD_MS = 900_000;
const NAME = 'registry-credential-helper';
const CONFIG_MAP = 'acr-configuration';
const SECRET = 'registry-credentials';
const HOST = 'registry.example.com';
const LOGIN = { username: 'somebody', password: 'fake-password-of-a-release' };
const REGISTRY = `- provider: static\n  server: ${HOST}\n  secretRef: {name: password}\n`;

jest.setTimeout(120_000);

let world: World;
let kubectl: Kubectl;
beforeAll(async () => {
  world = await startWorld({ rights: 'none', plane: { controllerManager: true } });
  // What `kubectl edit` opens: it does to the file what the test has written down.
  process.env.KUBE_EDITOR = `sed -i -f ${join(world.plane.folder, 'edit.sed')}`;
  kubectl = await kubectlOf(world.plane);
}, BUILD_MS);
afterAll(() => world.stop());

/** The webhook for ServiceAccounts, once it says so. */
const webhookSaying = (text: string, says: (webhook: WebhookObject) => boolean): Promise<WebhookObject> =>
  eventually(
    `the webhook ${text}`,
    async () => {
      const found = await webhookObject(world);
      return found !== undefined && says(found) && found;
    },
    60_000,
  );
const timeoutOf = ({ webhooks }: WebhookObject): number | undefined => webhooks[0]?.timeoutSeconds;
const ownersOf = ({ metadata }: TestObject): readonly unknown[] =>
  (metadata as { ownerReferences?: readonly unknown[] }).ownerReferences ?? [];
const secretOf = (tenant: string): Promise<TestObject> =>
  eventually(`${tenant} is served`, async () => {
    const isReferred = (await world.cluster.references(tenant, 'default')).includes(SECRET);
    return isReferred && (await world.cluster.get('secrets', SECRET, tenant));
  });
const clusterRole = async (name: string): Promise<TestObject | undefined> => {
  const { status, body } = await world.plane.request({
    path: `/apis/rbac.authorization.k8s.io/v1/clusterroles/${name}`,
  });
  return status === 200 ? (body as TestObject) : undefined;
};

/** The configuration of a release for one namespace, and other values. */
const valuesFor = (tenant: string, config: Values = {}, more: Values = {}): Values => ({
  config: {
    'registry-info': REGISTRY,
    'watch-namespace': tenant,
    'webhook-configuration': 'enable: true\n',
    ...config,
  },
  ...more,
});
const configurationIn = async (namespace: string): Promise<Readonly<Record<string, string>>> =>
  (await world.cluster.get('configmaps', CONFIG_MAP, namespace))?.data ?? {};
const isServed = async (tenant: string): Promise<boolean> =>
  (await world.cluster.references(tenant, 'default')).includes(SECRET);

describe.each(HELM_MAJORS)('a release of %s', (major) => {
  const home = `pulls-${major}`;
  const tenant = `team-${major}`;
  const other = `other-${major}`;
  const cr = `kept-${major}`;
  let releases: (name: string, namespace: string) => Release;
  let release: Release;
  let pod: Replica;
  beforeAll(async () => {
    releases = await createReleases(world.plane, major);
    release = releases(NAME, home);
    for (const name of [tenant, other]) await world.cluster.namespace(name);
    await prepareHome(home);
    await release.install(valuesFor(tenant));
    pod = await startPodOf(world.plane, release);
  }, BUILD_MS);
  afterAll(() => pod.stop());

  test('lets the leader make the webhook, which belongs to its ClusterRole', async () => {
    const webhook = await webhookSaying('is there', () => true);
    const role = await clusterRole(NAME);
    expect(ownersOf(webhook)).toEqual([
      expect.objectContaining({ kind: 'ClusterRole', name: NAME, uid: role?.metadata.uid }),
    ]);
    expect(await release.manifest()).not.toContain('WebhookConfiguration');
    await secretOf(tenant);
  });

  test('is upgraded without a conflict after a person and the leader have changed the webhook, which stays as it is', async () => {
    await editConfiguration(home, 's/enable: true/{enable: true, timeout-seconds: 2}/');
    const changed = await webhookSaying('was changed', (webhook) => timeoutOf(webhook) === 2);
    const before = await controllerOf(world.plane, release);

    await release.upgrade(valuesFor(tenant, {}, { replicas: 1, podAnnotations: { note: 'new' } }));

    const after = await controllerOf(world.plane, release);
    expect([after.metadata.uid, after.spec.replicas]).toEqual([before.metadata.uid, 1]);
    pod = await rolled(pod, release);
    const kept = await webhookSaying('is there', () => true);
    expect([kept.metadata.uid, timeoutOf(kept), ownersOf(kept)]).toEqual([changed.metadata.uid, 2, ownersOf(changed)]);
  });

  test('is upgraded with other values: a key edited by hand stays and is told of, the others follow', async () => {
    await editConfiguration(home, "s/^  watch-namespace: .*/  watch-namespace: '" + `${tenant},${other}'/`);
    await eventually('the edit takes effect', () => isServed(other));

    await release.upgrade(valuesFor('somewhere-else', { 'notify-email': 'after@example.com' }));

    await eventually(
      'a key that nobody edited follows',
      async () => (await configurationIn(home))['notify-email'] === 'after@example.com',
    );
    expect((await configurationIn(home))['watch-namespace']).toBe(`${tenant},${other}`);
    expect((await configurationIn(home))['webhook-configuration']).toContain('timeout-seconds: 2');
    const said = await eventually('an Event names both values', async () =>
      ((await world.cluster.list('events', home)) as unknown as readonly { reason: string; message: string }[])
        .map(({ message }) => message)
        .find((message) => message.includes(`${tenant},${other}`) && message.includes('somewhere-else')),
    );
    expect(said).toContain('watch-namespace');
    expect((await pod.http('/readyz?verbose'))?.text).toContain('somewhere-else');
    expect([await isServed(tenant), await isServed(other)]).toEqual([true, true]);
  });

  test('is rolled back, and the tenants do not notice', async () => {
    const before = await secretOf(tenant);
    await release.rollback(1);
    expect((await controllerOf(world.plane, release)).spec.replicas).toBe(2);
    pod = await rolled(pod, release);
    await eventually(
      'the key that nobody edited goes back',
      async () => !('notify-email' in (await configurationIn(home))),
    );
    expect((await secretOf(tenant)).metadata.uid).toBe(before.metadata.uid);
    expect((await configurationIn(home))['watch-namespace']).toBe(`${tenant},${other}`);
  });

  test('is uninstalled: both webhooks go, though a replica still runs, and definition, resources and Secrets stay', async () => {
    const password = { server: 'kept.example.com', username: 'somebody', password: 'fake-password-that-is-kept' };
    await world.cluster.create('imagepullsecrets', resource(cr, { namespaces: tenant, docker: password }));
    const resourceSecret = () => world.cluster.get('secrets', `tcr.ips${cr}`, tenant);
    await eventually('the resource is delivered', async () => (await resourceSecret()) !== undefined);

    await release.uninstall();

    await eventually('the webhooks are gone', async () => {
      const found = await Promise.all([WEBHOOK_PATH, VALIDATING_PATH].map((path) => webhookObject(world, path)));
      return found.every((one) => one === undefined);
    });
    await pod.stop();
    expect(await webhookObject(world)).toBeUndefined();
    expect(await world.cluster.get('imagepullsecrets', cr)).toBeDefined();
    expect(await resourceSecret()).toBeDefined();
    await secretOf(tenant);
  });

  test('is installed again: it takes the definition and the resources that it had left', async () => {
    await release.install(valuesFor(tenant));
    pod = await startPodOf(world.plane, release);
    await world.cluster.patch('imagepullsecrets', cr, { spec: { namespaces: other } });
    await eventually(
      'the resource is followed',
      async () => (await world.cluster.get('secrets', `tcr.ips${cr}`, other)) !== undefined,
    );
    await world.cluster.remove('imagepullsecrets', cr);
    await eventually(
      'what was delivered for it goes',
      async () => (await world.cluster.get('secrets', `tcr.ips${cr}`, other)) === undefined,
    );
    await release.uninstall();
    await pod.stop();
  });

  test('comes back under another name in another namespace: what tenants have stays in place, the webhook is the new one’s', async () => {
    const before = await secretOf(tenant);
    const place = `moved-${major}`;
    await prepareHome(place);
    const moved = releases('moved', place);
    const { code, stderr } = await moved.run(['install'], valuesFor(tenant));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('crds.install=false') });
    await moved.run(['uninstall']);

    await moved.install(valuesFor(tenant, {}, { crds: { install: false } }));

    pod = await startPodOf(world.plane, moved);
    const role = await clusterRole(`moved-${NAME}`);
    const webhook = await webhookSaying('is there', () => true);
    expect(ownersOf(webhook)).toEqual([expect.objectContaining({ uid: role?.metadata.uid })]);
    expect((await secretOf(tenant)).metadata.uid).toBe(before.metadata.uid);
    await moved.uninstall();
    await eventually('the webhook is gone', async () => (await webhookObject(world)) === undefined);
    expect((await kubectl(['delete', 'crd', CRD_NAME, '--wait=true'])).code).toBe(0);
  });
});

/** A namespace for a release, with the password of a registry. */
async function prepareHome(namespace: string): Promise<void> {
  await world.cluster.namespace(namespace);
  await world.cluster.create('secrets', { metadata: { name: 'password' }, stringData: LOGIN }, namespace);
}

/** What a person does with `kubectl edit configmap`, whose editor here runs a script of sed. */
async function editConfiguration(namespace: string, script: string): Promise<void> {
  await eventually('the configuration is there', async () => Object.keys(await configurationIn(namespace)).length > 0);
  await writeFile(join(world.plane.folder, 'edit.sed'), `${script}\n`);
  const { code, stdout, stderr } = await kubectl(['edit', 'configmap', CONFIG_MAP, `--namespace=${namespace}`]);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: expect.stringContaining('edited'), stderr: '' });
}

/** As the Deployment would replace its Pods. */
async function rolled(old: Replica, release: Release): Promise<Replica> {
  const next = await startPodOf(world.plane, release);
  await old.stop();
  return next;
}
