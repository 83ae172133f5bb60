// The chart on a real API server: every object is accepted, and a release comes, changes and goes without a trace.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { load } from 'js-yaml';
import { createItemParser } from '../../src/credentials/requests.ts';
import { parseConfig } from '../../src/core/config.ts';
import { createProviders } from '../../src/providers/table.ts';
import { clusterOf } from '../support/cluster.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane/control-plane.ts';
import {
  CHART,
  createHelm,
  deploymentOf,
  EVERY_VALUE,
  manifestsOf,
  type Helm,
  type Manifest,
  type PodTemplate,
  type Values,
} from './helm.ts';

const BUILD_MS = 900_000;
const RELEASE = 'registry-credential-helper';

jest.setTimeout(60_000);

let helm: Helm;
let plane: ControlPlane;
beforeAll(async () => {
  helm = await createHelm();
  plane = await startControlPlane();
}, BUILD_MS);
afterAll(async () => {
  await plane.stop();
  await helm.remove();
});

test.each<[string, Values]>([
  ['its defaults', {}],
  ['every value set', EVERY_VALUE],
])('with %s every object is accepted, and no field of it is unknown', async (_, values) => {
  await ensureNamespace('platform');
  for (const manifest of manifestsOf(await helm.render(values))) await dryRun(manifest);
});

describe('a namespace that enforces the Pod Security level restricted', () => {
  const namespace = 'restricted';
  beforeAll(async () => {
    await clusterOf(plane).namespace(namespace, { 'pod-security.kubernetes.io/enforce': namespace });
    await clusterOf(plane).serviceAccount(namespace, RELEASE);
  });

  test('accepts the Pod of the Deployment', async () => {
    await dryRun(await podOf({}), namespace);
  });

  test.each<[string, readonly string[], Values]>([
    ['without RRSA', [], {}],
    ['with RRSA', ['rrsa-oidc-token'], { rrsa: EVERY_VALUE.rrsa }],
  ])('has in the Pod %s beside the token for the API server only the volumes %j', async (_, expected, values) => {
    const { spec } = await dryRun(await podOf(values), namespace);
    const { volumes = [], containers } = (spec ?? {}) as unknown as Partial<PodTemplate['spec']>;
    const others = (names: readonly { readonly name: string }[] = []): readonly string[] =>
      names.map(({ name }) => name).filter((name) => !name.startsWith('kube-api-access-'));
    expect(others(volumes)).toEqual(expected);
    expect(others(containers?.[0].volumeMounts)).toEqual(expected);
    expect(volumes).toHaveLength(expected.length + 1);
  });

  test('accepts the Pod of the README that cleans up', async () => {
    const readme = readFileSync(path.join(CHART, 'README.md'), 'utf8');
    const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(readme) ?? [];
    await dryRun(load(yaml) as Manifest, namespace);
  });

  test('refuses a Pod that may do more: the level is really enforced', async () => {
    const values = { containerSecurityContext: { allowPrivilegeEscalation: true } };
    await expect(dryRun(await podOf(values), namespace)).rejects.toThrow('violates PodSecurity');
  });
});

describe('a release', () => {
  const namespace = 'pulls';
  let before: ReadonlySet<string>;
  let notes = '';
  beforeAll(async () => {
    await ensureNamespace(namespace);
    before = await objectNames();
  });

  test('is installed with all its objects', async () => {
    notes = await release('install', {});
    const created = [...(await objectNames())].filter((name) => !before.has(name));
    expect(created.sort()).toEqual([
      `clusterrolebindings /${RELEASE}`,
      `clusterroles /${RELEASE}`,
      `clusterroles /${RELEASE}-resources-edit`,
      `clusterroles /${RELEASE}-resources-view`,
      `deployments ${namespace}/${RELEASE}`,
      `rolebindings kube-system/${RELEASE}-take-over`,
      `rolebindings ${namespace}/${RELEASE}`,
      `roles kube-system/${RELEASE}-take-over`,
      `roles ${namespace}/${RELEASE}`,
      `secrets ${namespace}/sh.helm.release.v1.${RELEASE}.v1`,
      `serviceaccounts ${namespace}/${RELEASE}`,
      `services ${namespace}/${RELEASE}`,
    ]);
  });

  test('tells how to create the ConfigMap, and the program takes what it tells', async () => {
    const [, yaml = ''] = /<<'END'\n(.*?)\nEND\n/s.exec(notes) ?? [];
    const configMap = load(yaml) as Manifest & { readonly data: Readonly<Record<string, string>> };
    expect(configMap.metadata).toEqual({ namespace, name: 'acr-configuration' });
    await dryRun(configMap);
    const providers = createProviders();
    const parseItem = createItemParser(providers, { namespace, secretNamespaces: [] });
    const { issues } = parseConfig(configMap.data, { parseItem, providers: [...providers.keys()], namespace });
    expect(issues).toEqual([]);
  });

  test('is upgraded in place, and keeps what the controller wrote into its own ServiceAccount', async () => {
    const cluster = clusterOf(plane);
    const annotation = { 'registry-credential-helper.io/references.default': '["registry-credentials"]' };
    await cluster.patch(
      'serviceaccounts',
      RELEASE,
      { metadata: { annotations: annotation }, imagePullSecrets: [{ name: 'registry-credentials' }] },
      namespace,
    );
    const old = await installed();

    await release('upgrade', { ...EVERY_VALUE, configMap: {}, replicas: 1 });

    const now = await installed();
    expect(now.metadata.uid).toBe(old.metadata.uid);
    expect(now.spec.replicas).toBe(1);
    expect(now.spec.template.spec.containers[0].args).toContain('--log-level=debug');
    expect(await cluster.references(namespace, RELEASE)).toEqual(['registry-credentials']);
    expect((await cluster.get('serviceaccounts', RELEASE, namespace))?.metadata.annotations).toMatchObject({
      ...annotation,
      ...EVERY_VALUE.serviceAccount.annotations,
    });
  });

  test('is rolled back to what it was', async () => {
    await helm.succeed(['rollback', RELEASE, '1', ...flags()]);
    const { replicas, template } = (await installed()).spec;
    expect(replicas).toBe(2);
    expect(template.spec.containers[0].args).toEqual(
      deploymentOf(manifestsOf(await helm.render({}, [`--namespace=${namespace}`]))).template.spec.containers[0].args,
    );
  });

  test('leaves nothing behind when it is uninstalled', async () => {
    await helm.succeed(['uninstall', RELEASE, ...flags()]);
    expect([...(await objectNames())].filter((name) => !before.has(name))).toEqual([]);
  });

  const flags = (): readonly string[] => [`--namespace=${namespace}`, `--kubeconfig=${plane.adminKubeconfig}`];
  const release = async (command: 'install' | 'upgrade', values: Values): Promise<string> =>
    helm.succeed([command, RELEASE, CHART, ...flags(), ...(await helm.values(values))]);
  const installed = async () => {
    const { body } = await plane.request({ path: `/apis/apps/v1/namespaces/${namespace}/deployments/${RELEASE}` });
    return body as Required<Pick<Manifest, 'spec'>> & { readonly metadata: { readonly uid: string } };
  };
});

async function ensureNamespace(name: string): Promise<void> {
  if ((await clusterOf(plane).get('namespaces', name)) === undefined) await clusterOf(plane).namespace(name);
}

/** The Pod that the Deployment would make. */
async function podOf(values: Values): Promise<Manifest> {
  const { metadata, spec } = deploymentOf(manifestsOf(await helm.render(values))).template;
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'pod' }, spec } as unknown as Manifest;
}

/** What the API server would create; throws with its answer when it would not. */
async function dryRun(manifest: Manifest, namespace = manifest.metadata.namespace): Promise<Manifest> {
  const { apiVersion, kind } = manifest;
  const place = namespace === undefined ? '' : `/namespaces/${namespace}`;
  const path = `${groupPath(apiVersion)}${place}/${kind.toLowerCase()}s?dryRun=All&fieldValidation=Strict`;
  const { status, body } = await plane.request({ method: 'POST', path, body: manifest });
  if (status !== 201) throw new Error(`${kind}: ${status} ${JSON.stringify(body)}`);
  return body as Manifest;
}

/** `resource namespace/name` of every object of the cluster, except those that come and go by themselves. */
async function objectNames(): Promise<ReadonlySet<string>> {
  const { groups } = await read<{ groups: readonly { preferredVersion: { groupVersion: string } }[] }>('/apis');
  const names = new Set<string>();
  for (const groupVersion of ['v1', ...groups.map(({ preferredVersion }) => preferredVersion.groupVersion)]) {
    const group = groupPath(groupVersion);
    const { resources } = await read<{ resources: readonly { name: string; verbs: readonly string[] }[] }>(group);
    for (const { name, verbs } of resources) {
      if (!verbs.includes('list') || ['events', 'leases', 'componentstatuses', 'ipaddresses'].includes(name)) continue;
      const { items } = await read<{ items: readonly Pick<Manifest, 'metadata'>[] }>(`${group}/${name}`);
      for (const { metadata } of items) names.add(`${name} ${metadata.namespace ?? ''}/${metadata.name}`);
    }
  }
  return names;
}

async function read<T>(path: string): Promise<T> {
  const { status, body } = await plane.request({ path });
  if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
  return body as T;
}

function groupPath(apiVersion: string): string {
  return apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
}
