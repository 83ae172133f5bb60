// The chart on a real API server: every object is accepted, and a release comes, changes and goes without a trace.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadAll } from 'js-yaml';
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
const CRD = 'imagepullsecrets.tcr.tencentcloudcr.com';
const CRD_PATH = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${CRD}`;
/** Those that the values files speak of. */
const NAMESPACES = ['platform', 'node-hosts', 'team-a', 'team-b', 'vault', 'shop'];

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

// The files of values are tried in admission.test.ts.
test('with every value set every object is accepted, and no field of it is unknown', async () => {
  for (const namespace of NAMESPACES) await ensureNamespace(namespace);
  for (const manifest of manifestsOf(await helm.render(EVERY_VALUE))) await dryRun(manifest);
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
    ['without RRSA', ['api-token'], {}],
    ['with RRSA', ['api-token', 'rrsa-oidc-token'], { rrsa: EVERY_VALUE.rrsa }],
  ])('has in the Pod %s only the volumes %j', async (_, expected, values) => {
    const { spec } = await dryRun(await podOf(values), namespace);
    const { volumes = [], containers } = (spec ?? {}) as unknown as Partial<PodTemplate['spec']>;
    const names = (items: readonly { readonly name: string }[] = []): readonly string[] =>
      items.map(({ name }) => name);
    expect(names(volumes)).toEqual(expected);
    expect(names(containers?.[0].volumeMounts)).toEqual(expected);
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
    const duties = (kind: string, place: string, names: readonly string[]): readonly string[] =>
      names.flatMap((name) => [`${kind}s ${place}/${RELEASE}${name}`, `${kind}bindings ${place}/${RELEASE}${name}`]);
    expect(created.sort()).toEqual(
      [
        ...duties('clusterrole', '', ['', '-events', '-references', '-resources', '-secrets', '-webhooks']),
        `clusterroles /${RELEASE}-resources-edit`,
        `clusterroles /${RELEASE}-resources-view`,
        `configmaps ${namespace}/${RELEASE}-values`,
        `customresourcedefinitions /${CRD}`,
        `deployments ${namespace}/${RELEASE}`,
        `poddisruptionbudgets ${namespace}/${RELEASE}`,
        ...duties('role', 'kube-system', ['-take-over']),
        ...duties('role', namespace, ['-configuration', '-leader-election', '-made-configuration', '-values']),
        `secrets ${namespace}/registry-credential-helper-resources-default`,
        `secrets ${namespace}/sh.helm.release.v1.${RELEASE}.v1`,
        `serviceaccounts ${namespace}/${RELEASE}`,
        `services ${namespace}/${RELEASE}`,
      ].sort(),
    );
  });

  test('tells how to name a first registry, and the program takes what it tells', async () => {
    const [, yaml = ''] = /<<'END'\n(.*?)\nEND\n/s.exec(notes) ?? [];
    const [patch] = loadAll(yaml) as { readonly data: Readonly<Record<string, string>> }[];
    const made = (await clusterOf(plane).get('configmaps', `${RELEASE}-values`, namespace)) as Manifest | undefined;
    const providers = createProviders();
    const parseItem = createItemParser(providers, { namespace, secretNamespaces: [] });
    const { issues } = parseConfig(
      { ...made?.data, ...patch?.data },
      { parseItem, providers: [...providers.keys()], namespace },
    );
    expect(Object.keys(patch?.data ?? {})).toEqual(['registry-info']);
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

    const { annotations } = EVERY_VALUE.podServiceAccount;
    await release('upgrade', { replicas: 1, logLevel: 'debug', podServiceAccount: { annotations } });

    const now = await installed();
    expect(now.metadata.uid).toBe(old.metadata.uid);
    expect(now.spec.replicas).toBe(1);
    expect(now.spec.template.spec.containers[0].args).toContain('--log-level=debug');
    expect(await cluster.references(namespace, RELEASE)).toEqual(['registry-credentials']);
    expect((await cluster.get('serviceaccounts', RELEASE, namespace))?.metadata.annotations).toMatchObject({
      ...annotation,
      ...annotations,
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

  test('leaves nothing behind when it is uninstalled but the definition of resources', async () => {
    await helm.succeed(['uninstall', RELEASE, ...flags()]);
    const left = [...(await objectNames())].filter((name) => !before.has(name));
    expect(left).toEqual([`customresourcedefinitions /${CRD}`]);
  });

  test('takes that definition again', async () => {
    await release('install', {});
    await helm.succeed(['uninstall', RELEASE, ...flags()]);
  });

  test.each<[string, Readonly<Record<string, string | null>>, string]>([
    [
      'another release',
      { 'meta.helm.sh/release-name': 'tcr', 'meta.helm.sh/release-namespace': 'tcr-assistant-system' },
      'belongs to the Helm release tcr in the namespace tcr-assistant-system',
    ],
    [
      'nobody',
      { 'meta.helm.sh/release-name': null, 'meta.helm.sh/release-namespace': null },
      'belongs to no Helm release',
    ],
  ])(
    'of a definition that belongs to %s says what to do, and does with it what was told',
    async (_, annotations, whose) => {
      await annotate(annotations);
      const { version } = await definition();
      const refusal = release('install', {});
      await expect(refusal).rejects.toThrow(`The definition ${CRD} is there already and ${whose}`);
      await expect(refusal).rejects.toThrow('Set crds.install=false to use it as it is');
      await release('install', { crds: { install: false } });
      await helm.succeed(['uninstall', RELEASE, ...flags()]);
      expect((await definition()).version).toBe(version);
    },
  );

  test('is handed the definition as the README says', async () => {
    const readme = readFileSync(path.join(CHART, 'README.md'), 'utf8');
    const commands = /```sh\n(kubectl annotate .*?)```/s.exec(readme)?.[1] ?? '';
    const pairs = [...commands.matchAll(/(\S+\/\S+?)=(\S+)/g)].map(([, key = '', value = '']) => [key, value] as const);
    const { label, ...owner } = Object.fromEntries(
      pairs.map(([key, value]) => [key.replace('app.kubernetes.io/managed-by', 'label'), value]),
    );
    await annotate(
      { ...owner, 'meta.helm.sh/release-namespace': namespace },
      { 'app.kubernetes.io/managed-by': label ?? '' },
    );
    await release('install', {});
    await helm.succeed(['uninstall', RELEASE, ...flags()]);
  });

  const annotate = async (
    annotations: Readonly<Record<string, string | null>>,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    const body = { metadata: { annotations, labels } };
    const contentType = 'application/merge-patch+json';
    const { status } = await plane.request({ method: 'PATCH', path: CRD_PATH, body, contentType });
    expect(status).toBe(200);
  };
  const definition = async (): Promise<{ readonly version: string }> => {
    const { metadata } = await read<{ readonly metadata: { readonly resourceVersion: string } }>(CRD_PATH);
    return { version: metadata.resourceVersion };
  };

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
  const plural = `${kind.toLowerCase()}s`.replace(/ys$/, 'ies');
  const path = `${groupPath(apiVersion)}${place}/${plural}?dryRun=All&fieldValidation=Strict`;
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
      if (
        !verbs.includes('list') ||
        ['events', 'leases', 'componentstatuses', 'ipaddresses', 'apiservices', 'imagepullsecrets'].includes(name)
      )
        continue;
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
