// What the chart renders, and what it refuses; no cluster is needed for that.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import { readSettings } from '../../src/cmd/settings.ts';
import { CHART, createHelm, deploymentOf, EVERY_VALUE, manifestsOf, type Helm, type Values } from './helm.ts';

const BUILD_MS = 900_000;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const VALUES_TEXT = readFileSync(path.join(CHART, 'values.yaml'), 'utf8');
/** Sections whose members are values of their own. */
const SECTIONS: readonly string[] = ['image', 'configMap', 'rrsa', 'serviceAccount'];
/** Values without which others of their section count for nothing. */
const SWITCHES: Readonly<Record<string, Values>> = {
  'rrsa.roleArn': { enabled: true },
  'rrsa.oidcProviderArn': { enabled: true },
};
const DEFAULTS = load(VALUES_TEXT) as Values;

jest.setTimeout(60_000);

let helm: Helm;
beforeAll(async () => {
  helm = await createHelm();
}, BUILD_MS);
afterAll(() => helm.remove());

describe('the chart', () => {
  test('passes helm lint --strict, with its defaults and with every value set', async () => {
    await helm.succeed(['lint', '--strict', CHART]);
    await helm.succeed(['lint', '--strict', CHART, ...(await helm.values(EVERY_VALUE))]);
  });

  test('installs the version of the program that it is released with', () => {
    const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(load(readFileSync(path.join(CHART, 'Chart.yaml'), 'utf8'))).toMatchObject({ version, appVersion: version });
  });

  test('renders the same text every time', async () => {
    expect(await helm.render(EVERY_VALUE)).toBe(await helm.render(EVERY_VALUE));
  });

  test('renders the same text, whether it is installed or upgraded', async () => {
    expect(await helm.render({}, ['--is-upgrade'])).toBe(await helm.render());
  });

  test('serves Kubernetes from 1.22 on', async () => {
    await helm.render({}, ['--kube-version=1.22.0']);
    await helm.render({}, ['--kube-version=1.22.17-vendor.1']);
    await expect(helm.render({}, ['--kube-version=1.21.14'])).rejects.toThrow('requires kubeVersion: >=1.22.0-0');
  });

  test('holds one ServiceAccount, its rights, a Service and a Deployment: no ConfigMap, which people edit, and no hook', async () => {
    const text = await helm.render();
    expect(manifestsOf(text).map(({ kind }) => kind)).toEqual([
      'ServiceAccount',
      'ClusterRole',
      'ClusterRole',
      'ClusterRole',
      'ClusterRoleBinding',
      'Role',
      'Role',
      'RoleBinding',
      'RoleBinding',
      'Service',
      'Deployment',
    ]);
    expect(text).not.toContain('helm.sh/hook');
  });

  test('bears the labels that Kubernetes recommends on every object, and no namespace but its own', async () => {
    for (const { kind, metadata } of manifestsOf(await helm.render())) {
      expect(metadata.labels).toEqual({
        'app.kubernetes.io/name': 'registry-credential-helper',
        'app.kubernetes.io/instance': 'registry-credential-helper',
        'app.kubernetes.io/version': '0.1.0',
        'app.kubernetes.io/managed-by': 'Helm',
        'helm.sh/chart': 'registry-credential-helper-0.1.0',
      });
      expect(metadata.namespace).toBe(kind.startsWith('Cluster') ? undefined : 'kube-system');
    }
  });

  test('names its objects after the release', async () => {
    const text = await helm.succeed(['template', 'shop', CHART, '--namespace=pulls']);
    expect(new Set(manifestsOf(text).map(({ metadata }) => metadata.name))).toEqual(
      new Set([
        'shop-registry-credential-helper',
        'shop-registry-credential-helper-take-over',
        'shop-registry-credential-helper-resources-view',
        'shop-registry-credential-helper-resources-edit',
      ]),
    );
  });
});

describe('the rights', () => {
  test('equal docs/rbac.yaml: object by object, rule by rule', async () => {
    const documented = manifestsOf(readFileSync(path.join(ROOT, 'docs/rbac.yaml'), 'utf8'));
    const inOrder = <T extends { readonly kind: string; readonly metadata: { readonly name: string } }>(
      objects: readonly T[],
    ) => objects.toSorted((a, b) => (`${a.kind}/${a.metadata.name}` < `${b.kind}/${b.metadata.name}` ? -1 : 1));
    const rendered = manifestsOf(await helm.render())
      .filter(({ kind }) => kind !== 'Deployment' && kind !== 'Service')
      .map((object) => ({ ...object, metadata: { ...object.metadata, labels: undefined } }));
    const expected = documented.map((object) => ({
      ...object,
      ...(object.kind === 'ServiceAccount' ? { automountServiceAccountToken: false } : {}),
    }));
    expect(inOrder(rendered)).toEqual(inOrder(expected));
  });

  test('to read the configuration follow it into another namespace, and are only there', async () => {
    const roles = manifestsOf(await helm.render({ configMap: { namespace: 'platform' } })).filter(
      ({ kind }) => kind === 'Role',
    );
    const configMaps = { apiGroups: [''], resources: ['configmaps'] };
    expect(roles.map(({ metadata, rules }) => [metadata.namespace, rules])).toEqual([
      [
        'kube-system',
        [
          { ...configMaps, resourceNames: ['registry-credential-helper-values'], verbs: ['list', 'watch'] },
          expect.objectContaining({ resources: ['leases'] }),
        ],
      ],
      [
        'platform',
        [
          { ...configMaps, verbs: ['list', 'watch'] },
          { ...configMaps, verbs: ['create'] },
          { ...configMaps, resourceNames: ['acr-configuration'], verbs: ['patch', 'delete'] },
        ],
      ],
      ['kube-system', expect.arrayContaining([expect.objectContaining({ resources: ['serviceaccounts/token'] })])],
    ]);
  });
});

describe('the container', () => {
  test('gets arguments that the program accepts', async () => {
    expect(await settingsOf({})).toMatchObject({
      namespace: 'kube-system',
      configMap: { namespace: 'kube-system', name: 'acr-configuration' },
      instance: 'default',
      leaderElect: true,
      secretNamespaces: [],
      logLevel: 'info',
      logFormat: 'json',
    });
    expect(await settingsOf(EVERY_VALUE)).toMatchObject({
      configMap: { namespace: 'platform', name: 'registries' },
      instance: 'blue',
      leaderElect: false,
      cloudEndpoints: { alibaba: { cr: { url: 'https://cr-vpc.{region}.aliyuncs.com' } } },
      secretNamespaces: ['vault', 'shop'],
      logLevel: 'debug',
      logFormat: 'text',
    });
  });

  test('takes a further flag over one that the chart sets', async () => {
    expect(await settingsOf({ extraArgs: ['--log-level=error'] })).toMatchObject({ logLevel: 'error' });
  });

  test('takes a URL of the webhook among the further flags in the place of the Service', async () => {
    const { webhook } = await settingsOf({ extraArgs: ['--log-level=error', '--webhook-url=https://hook.example'] });
    expect(webhook.target).toEqual({ kind: 'url', url: 'https://hook.example' });
  });

  test('takes another Service of the webhook among the further flags', async () => {
    const { webhook } = await settingsOf({ extraArgs: ['--webhook-service=a/b:8443'] });
    expect(webhook.target).toEqual({ kind: 'service', namespace: 'a', name: 'b', port: 8443 });
  });

  test('is probed on the port that the program serves', async () => {
    const { metricsAddress } = await settingsOf({});
    const container = await containerOf({});
    expect(container.ports[0]).toEqual({ name: 'http', containerPort: 8080, protocol: 'TCP' });
    expect(metricsAddress).toBe(':8080');
    expect(container).toMatchObject({
      livenessProbe: { httpGet: { path: '/livez', port: 'http' } },
      readinessProbe: { httpGet: { path: '/readyz', port: 'http' } },
    });
  });

  test.each(['registry-credential-helper', 'shop', '2shop.eu'])(
    'of release `%s` is reached by the API server at the port that the webhook serves, through the Service',
    async (release) => {
      const manifests = manifestsOf(await helm.succeed(['template', release, CHART, '--namespace=pulls']));
      const service = manifests.find(({ kind }) => kind === 'Service');
      const role = manifests.find(({ kind }) => kind === 'ClusterRole');
      const { template } = deploymentOf(manifests);
      const [container] = template.spec.containers;
      const { webhook } = settingsFrom(container.args);
      const { namespace, name } = service?.metadata ?? {};
      expect(webhook.target).toEqual({ kind: 'service', namespace, name, port: 443 });
      expect(namespace).toBe('pulls');
      // What the API server asks of the name of a Service, and of no other object here.
      expect(name).toMatch(/^[a-z]([a-z0-9-]*[a-z0-9])?$/);
      expect(service?.spec).toEqual({
        selector: template.metadata.labels,
        ports: [{ name: 'webhook', port: 443, targetPort: 'webhook', protocol: 'TCP' }],
      });
      expect(container.ports[1]).toEqual({ name: 'webhook', containerPort: 10250, protocol: 'TCP' });
      expect(webhook.address).toBe(':10250');
      // The object goes with the installation when it is owned by what the installation brings.
      expect(webhook.clusterRole).toBe(role?.metadata.name);
      const readable = (role?.rules as readonly { resources: readonly string[]; resourceNames?: unknown }[]).find(
        ({ resources }) => resources.includes('clusterroles'),
      );
      expect(readable?.resourceNames).toEqual([webhook.clusterRole]);
    },
  );

  test.each([
    [{}, 'registry-credential-helper:0.1.0'],
    [{ repository: 'registry.example.com/a/b', tag: '1.0' }, 'registry.example.com/a/b:1.0'],
    [{ tag: '1.0', digest: EVERY_VALUE.image.digest }, `registry-credential-helper@${EVERY_VALUE.image.digest}`],
  ])('with image %j runs %s', async (image, expected) => {
    expect((await containerOf({ image })).image).toBe(expected);
  });

  test('has limits, and no security context where a cluster sets its own', async () => {
    expect(await containerOf({})).toMatchObject({ resources: { limits: { memory: '256Mi' } } });
    const { podSecurityContext, containerSecurityContext } = DEFAULTS as Record<string, Record<string, unknown>>;
    const unset = (context: Record<string, unknown> = {}): Values =>
      Object.fromEntries(Object.keys(context).map((key) => [key, null]));
    const values = {
      podSecurityContext: unset(podSecurityContext),
      containerSecurityContext: unset(containerSecurityContext),
    };
    expect(await helm.render(values)).not.toContain('securityContext');
  });
});

describe('the environment', () => {
  test('is that of the chart, then that of the value extraEnv as it is written', async () => {
    const own = { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } };
    expect((await containerOf({})).env).toEqual([own]);
    const { extraEnv } = EVERY_VALUE;
    expect((await containerOf({ extraEnv })).env).toEqual([own, ...extraEnv]);
  });

  test.each<[string, Values]>([
    ['POD_NAMESPACE', { extraEnv: [{ name: 'POD_NAMESPACE', value: 'a' }] }],
    ['ALIBABA_CLOUD_ROLE_ARN', { rrsa: EVERY_VALUE.rrsa, extraEnv: [{ name: 'ALIBABA_CLOUD_ROLE_ARN', value: 'a' }] }],
    ['TWICE', { extraEnv: [{ name: 'TWICE', value: 'a' }, { name: 'TWICE' }] }],
  ])('that names %s a second time is refused with one sentence', async (name, values) => {
    await expect(helm.render(values)).rejects.toThrow(
      `The value extraEnv sets ${name}, which is set already: keep one of them.`,
    );
  });
});

describe('the value rrsa', () => {
  const { roleArn, oidcProviderArn } = EVERY_VALUE.rrsa;
  const FOLDER = '/var/run/secrets/ack.alibabacloud.com/rrsa-tokens';

  test.each<[string, Values]>([
    ['by default', {}],
    ['with ARNs that are not switched on', { rrsa: { roleArn, oidcProviderArn } }],
  ])('%s: adds nothing to the Pod', async (_, values) => {
    const spec = await podSpecOf(values);
    expect(spec).not.toHaveProperty('volumes');
    expect(spec.containers[0]).not.toHaveProperty('volumeMounts');
    expect(identityOf(spec.containers[0])).toEqual({});
  });

  test('mounts a token for the cloud, and nothing else, where the environment says that it is', async () => {
    const { volumes, containers } = await podSpecOf({ rrsa: { enabled: true } });
    const token = { audience: 'sts.aliyuncs.com', expirationSeconds: 3600, path: 'token' };
    expect(volumes).toEqual([{ name: 'rrsa-oidc-token', projected: { sources: [{ serviceAccountToken: token }] } }]);
    const [container] = containers;
    expect(container.volumeMounts).toEqual([{ name: 'rrsa-oidc-token', mountPath: FOLDER, readOnly: true }]);
    expect(identityOf(container)).toEqual({ ALIBABA_CLOUD_OIDC_TOKEN_FILE: `${FOLDER}/${token.path}` });
  });

  test('gives the program the role and the provider that it names', async () => {
    expect(identityOf((await podSpecOf({ rrsa: EVERY_VALUE.rrsa })).containers[0])).toEqual({
      ALIBABA_CLOUD_ROLE_ARN: roleArn,
      ALIBABA_CLOUD_OIDC_PROVIDER_ARN: oidcProviderArn,
      ALIBABA_CLOUD_OIDC_TOKEN_FILE: `${FOLDER}/token`,
    });
  });

  /** As the program reads it. */
  const identityOf = ({ args, env }: Awaited<ReturnType<typeof containerOf>>) =>
    settingsFrom(args, Object.fromEntries(env.map(({ name, value }) => [name, value]))).identityEnvironment;
});

test('annotations of the ServiceAccount are on that object, and on no other', async () => {
  const { annotations } = EVERY_VALUE.serviceAccount;
  const manifests = manifestsOf(await helm.render({ serviceAccount: { annotations } }));
  const annotated = manifests.filter(({ metadata }) => metadata.annotations !== undefined);
  expect(annotated.map(({ kind, metadata }) => [kind, metadata.annotations])).toEqual([
    ['ServiceAccount', annotations],
  ]);
});

describe('the values', () => {
  test('are the same in values.yaml, in the schema and in the tests', () => {
    const schema = JSON.parse(readFileSync(path.join(CHART, 'values.schema.json'), 'utf8')) as Schema;
    const paths = [...valuesOf(DEFAULTS).keys()].sort();
    expect([...valuesOf(EVERY_VALUE).keys()].sort()).toEqual(paths);
    expect(
      schemaPaths(schema)
        .filter((name) => name !== 'global')
        .sort(),
    ).toEqual(paths);
  });

  test('have a comment each', () => {
    const lines = VALUES_TEXT.split('\n');
    const bare = [...valuesOf(DEFAULTS).keys()].filter((name) => {
      const at = lines.findIndex((line) => line.startsWith(`${name.includes('.') ? '  ' : ''}${lastPart(name)}:`));
      return !/^ *# ./.test(lines[at - 1] ?? '');
    });
    expect(bare).toEqual([]);
  });

  test.each([...valuesOf(EVERY_VALUE)])('%s changes what is rendered', async (name, one) => {
    const [section = ''] = name.split('.');
    const on = SWITCHES[name];
    const rest = on === undefined ? {} : { [section]: on };
    const both = on === undefined ? one : { [section]: { ...on, ...(one[section] as Values) } };
    expect(await helm.render(both)).not.toBe(await helm.render(rest));
  });

  test('may hold `global`, which Helm gives to every subchart', async () => {
    expect(await helm.render({ global: { imageRegistry: 'registry.example.com' } })).toBe(await helm.render());
  });

  test.each<[string, Values, string]>([
    ['an unknown key', { replicaCount: 2 }, "additional properties 'replicaCount' not allowed"],
    ['an unknown key of a section', { image: { name: 'x' } }, "at '/image': additional properties 'name' not allowed"],
    ['a text for a number', { replicas: 'two' }, "at '/replicas': got string, want integer"],
    ['a number for a tag', { image: { tag: 1.1 } }, "at '/image/tag': got number, want string"],
    ['a text for a list', { allowSecretNamespaces: 'a,b' }, "at '/allowSecretNamespaces': got string, want array"],
    ['a boolean annotation', { podAnnotations: { a: true } }, "at '/podAnnotations/a': got boolean, want string"],
    [
      'a level that there is not',
      { logLevel: 'trace' },
      "at '/logLevel': value must be one of 'error', 'warn', 'info'",
    ],
    ['an instance that is no label', { instance: 'A_B' }, "at '/instance': 'A_B' does not match pattern"],
    ['a digest without algorithm', { image: { digest: 'abc' } }, "at '/image/digest': 'abc' does not match pattern"],
    ['a variable that is no text', { extraEnv: [{ name: 'A', value: 1 }] }, "at '/extraEnv/0/value': got number, want"],
    ['a variable without a name', { extraEnv: [{ value: 'a' }] }, "at '/extraEnv/0': missing property 'name'"],
    ['the ARN of another thing', { rrsa: { roleArn: EVERY_VALUE.rrsa.oidcProviderArn } }, "at '/rrsa/roleArn': 'acs:"],
    ['an argument that is no flag', { extraArgs: ['cleanup'] }, "at '/extraArgs/0': 'cleanup' does not match pattern"],
  ])('with %s are refused, and the message says where and why', async (_, values, message) => {
    await expect(helm.render(values)).rejects.toThrow(message);
  });
});

/** A part of a JSON Schema. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** Every value by its path, each as values that set it alone. */
function valuesOf(values: Values): ReadonlyMap<string, Values> {
  const found = Object.entries(values).flatMap(([key, value]): [string, Values][] =>
    SECTIONS.includes(key)
      ? Object.entries(value as Values).map(([name, inner]) => [`${key}.${name}`, { [key]: { [name]: inner } }])
      : [[key, { [key]: value }]],
  );
  return new Map(found);
}

function schemaPaths({ properties = {} }: Schema): string[] {
  return Object.entries(properties).flatMap(([key, inner]) =>
    SECTIONS.includes(key) ? schemaPaths(inner).map((name) => `${key}.${name}`) : [key],
  );
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

async function podSpecOf(values: Values) {
  return deploymentOf(manifestsOf(await helm.render(values))).template.spec;
}

async function containerOf(values: Values) {
  return (await podSpecOf(values)).containers[0];
}

async function settingsOf(values: Values) {
  return settingsFrom((await containerOf(values)).args);
}

function settingsFrom([command = '', ...args]: readonly string[], env: NodeJS.ProcessEnv = {}) {
  expect(command).toBe('controller');
  return readSettings(command, args, { ...env, POD_NAMESPACE: 'kube-system', KUBERNETES_SERVICE_HOST: '10.0.0.1' });
}
