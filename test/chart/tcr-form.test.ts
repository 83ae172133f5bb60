// The values of Tencent's add-on, as tcr.md section 7 has them, given to our chart unchanged: installed, changed in place, and
// installed beside the add-on itself.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { load } from 'js-yaml';
import { HOSTS_UPDATER, TCR_ASSISTANT } from '../../src/core/names.ts';
import type { TestObject } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { CRD_NAME, vendorCrd } from '../support/image-pull-secrets.ts';
import { kubectlOf, type Kubectl } from '../support/kubectl.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';
import { controllerOf, startPodOf } from './pod.ts';
import { createReleases, type Release } from './releases.ts';

const BUILD_MS = 900_000;
const CR = 'tcr-a1b2c3d4-public';
const SECRET = `tcr.ips${CR}`;
const HOST = 'acme-prod.tencentcloudcr.com';
const JWT = 'fake-password-of-the-values';
/** tcr.md section 7, word for word but for the password, and with members of `global` that TKE adds to every add-on. */
const VALUES = {
  global: {
    image: { host: 'ccr.ccs.tencentyun.com' },
    cluster: { region: 'gz', longregion: 'ap-guangzhou', id: 'cls-a1b2c3d4', kubeminor: '30', appid: 1250000001 },
    imagePullSecretsCrs: [
      {
        name: CR,
        namespaces: '*',
        serviceAccounts: '*',
        type: 'docker',
        dockerUsername: '100099990001',
        dockerPassword: JWT,
        dockerServer: HOST,
      },
    ],
    hosts: [{ domain: HOST, ip: '10.20.0.7', disabled: false }],
  },
};
const [ITEM] = VALUES.global.imagePullSecretsCrs;
/** The same, changed as somebody would. */
const CHANGED = {
  global: {
    ...VALUES.global,
    imagePullSecretsCrs: [{ ...ITEM, namespaces: 'web', serviceAccounts: 'default', dockerPassword: `${JWT}-rotated` }],
    hosts: [
      { domain: HOST, ip: '10.20.0.8', disabled: false },
      { domain: `vpc.${HOST}`, ip: '10.20.0.9', disabled: true },
    ],
  },
};

jest.setTimeout(120_000);

let world: World;
let kubectl: Kubectl;
let releases: Awaited<ReturnType<typeof createReleases>>;
beforeAll(async () => {
  world = await startWorld({ rights: 'none' });
  kubectl = await kubectlOf(world.plane);
  releases = await createReleases(world.plane, 'helm4');
  for (const name of ['web', 'api', 'tcr', 'beside', TCR_ASSISTANT.namespace]) await world.cluster.namespace(name);
  for (const name of ['web', 'api']) await world.cluster.serviceAccount(name, 'default', ['theirs']);
}, BUILD_MS);
afterAll(() => world.stop());

const specOf = async (): Promise<unknown> => (await world.cluster.get('imagepullsecrets', CR))?.spec;
const passwordIn = async (namespace: string): Promise<string | undefined> =>
  (await world.cluster.auths(namespace, SECRET))?.[HOST]?.password;
const listOf = async (namespace: string): Promise<{ readonly object: TestObject; readonly items: unknown }> => {
  const object = await world.cluster.get('configmaps', HOSTS_UPDATER.configMap, namespace);
  if (object === undefined) throw new Error('There is no updater-config');
  return { object, items: load(object.data?.[HOSTS_UPDATER.key] ?? '') };
};

describe('a release with these values', () => {
  let release: Release;
  let pod: Replica;
  beforeAll(async () => {
    release = releases('tcr', 'tcr');
    await release.install(VALUES);
    pod = await startPodOf(world.plane, release);
  }, 120_000);
  afterAll(async () => {
    await pod.stop();
    await release.uninstall();
    await kubectl(['delete', 'crd', CRD_NAME, '--wait=true']);
  });

  test('[tcr M1] is installed: the definition is there, the controller makes the resource, and delivers it', async () => {
    await eventually('the resource is made', async () => (await specOf()) !== undefined);
    expect(await specOf()).toEqual({
      namespaces: '*',
      serviceAccounts: '*',
      docker: { server: HOST, username: ITEM?.dockerUsername, password: JWT },
    });
    for (const namespace of ['web', 'api']) {
      await eventually(`${namespace} is served`, async () => (await passwordIn(namespace)) === JWT);
      await eventually(`${namespace} refers to it`, async () =>
        (await world.cluster.references(namespace, 'default')).includes(SECRET),
      );
      expect(await world.cluster.references(namespace, 'default')).toEqual(['theirs', SECRET]);
    }
  });

  test('[tcr M1] holds the list of hosts as updater-config, for the updater on every node', async () => {
    expect((await listOf('tcr')).items).toEqual(VALUES.global.hosts);
    const { body } = await world.plane.request({ path: '/apis/apps/v1/namespaces/tcr/daemonsets' });
    const [daemonSet, ...others] = (body as { items: readonly { spec: { template: { spec: PodSpec } } }[] }).items;
    expect(others).toEqual([]);
    const { containers, volumes } = daemonSet?.spec.template.spec ?? { containers: [], volumes: [] };
    expect(containers.map(({ args }) => args[0])).toEqual(['hosts']);
    expect(volumes).toContainEqual(
      expect.objectContaining({ configMap: expect.objectContaining({ name: HOSTS_UPDATER.configMap }) }),
    );
  });

  test('[tcr M3] is upgraded with another password, narrower lists and other hosts: all of it changes in place', async () => {
    const before = {
      resource: (await world.cluster.get('imagepullsecrets', CR))?.metadata.uid,
      secret: (await world.cluster.get('secrets', SECRET, 'web'))?.metadata.uid,
      list: (await listOf('tcr')).object.metadata.uid,
      deployment: (await controllerOf(world.plane, release)).metadata.uid,
    };

    await release.upgrade(CHANGED);

    await eventually('the new password is there', async () => (await passwordIn('web')) === `${JWT}-rotated`);
    await eventually('the other namespace is left', async () => (await passwordIn('api')) === undefined);
    await eventually(
      'its reference goes',
      async () => !(await world.cluster.references('api', 'default')).includes(SECRET),
    );
    expect(await world.cluster.references('api', 'default')).toEqual(['theirs']);
    expect((await listOf('tcr')).items).toEqual(CHANGED.global.hosts);
    expect({
      resource: (await world.cluster.get('imagepullsecrets', CR))?.metadata.uid,
      secret: (await world.cluster.get('secrets', SECRET, 'web'))?.metadata.uid,
      list: (await listOf('tcr')).object.metadata.uid,
      deployment: (await controllerOf(world.plane, release)).metadata.uid,
    }).toEqual(before);
  });

  test('[tcr M3] is upgraded with nothing in the lists: what was delivered goes', async () => {
    await release.upgrade({ global: { ...VALUES.global, imagePullSecretsCrs: [], hosts: [] } });
    await eventually('the resource goes', async () => (await specOf()) === undefined);
    await eventually('its Secret goes', async () => (await passwordIn('web')) === undefined);
    expect(await world.cluster.references('web', 'default')).toEqual(['theirs']);
  });
});

interface PodSpec {
  readonly containers: readonly { readonly args: readonly string[] }[];
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
}

describe('beside Tencent’s add-on, which has the definition', () => {
  let release: Release;
  let pod: Replica;
  beforeAll(async () => {
    release = releases('beside', 'beside');
    await eventually('the definition is that of the vendor', async () => {
      const { code } = await kubectl(['apply', '-f', '-'], JSON.stringify(vendorCrd()));
      return code === 0;
    });
    await startVendor();
  }, 120_000);
  afterAll(() => pod.stop());

  test('a release is refused that would take the definition, and the failure says what to set', async () => {
    const { code, stderr } = await release.run(['install'], VALUES);
    expect(code).not.toBe(0);
    expect(stderr).toContain('crds.install=false');
  });

  test('[tcr M6] it stands down while the vendor’s controller runs, and takes over when that is removed', async () => {
    await release.run(['uninstall']);
    await release.install({ ...VALUES, crds: { install: false } });
    pod = await startPodOf(world.plane, release);
    await eventually('it says that it stands down', async () =>
      ((await world.cluster.list('events', 'beside')) as unknown as readonly { reason: string }[]).some(
        ({ reason }) => reason === 'VendorHelperRuns',
      ),
    );
    expect(await specOf()).toBeUndefined();
    expect(await passwordIn('web')).toBeUndefined();

    await world.cluster.remove('deployments', TCR_ASSISTANT.name, TCR_ASSISTANT.namespace);

    await eventually('the resource is made', async () => (await specOf()) !== undefined);
    await eventually('it is delivered', async () => (await passwordIn('web')) === JWT);
  });
});

/** Its manager, as far as it matters whether there is one. */
async function startVendor(): Promise<void> {
  const labels = { 'control-plane': 'tcr-assistant' };
  const container = { name: 'manager', image: 'vendor.example/tcr-assistant:1' };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  const spec = { selector: { matchLabels: labels }, template };
  await world.cluster.create('deployments', { metadata: { name: TCR_ASSISTANT.name }, spec }, TCR_ASSISTANT.namespace);
}
