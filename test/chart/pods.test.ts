// The Pods that the chart makes: what the program is told, what it runs with, and where.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { load } from 'js-yaml';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CHART, createHelm, deploymentOf, EVERY_VALUE, manifestsOf, type Helm, type Values } from './helm.ts';
import { objectOf, settingsFrom } from './rendered.ts';

const BUILD_MS = 900_000;
const DEFAULTS = load(readFileSync(path.join(CHART, 'values.yaml'), 'utf8')) as Values;

jest.setTimeout(60_000);

let helm: Helm;
beforeAll(async () => {
  helm = await createHelm();
}, BUILD_MS);
afterAll(() => helm.remove());

const podSpecOf = async (values: Values) => deploymentOf(manifestsOf(await helm.render(values))).template.spec;
const containerOf = async (values: Values) => (await podSpecOf(values)).containers[0];
const settingsOf = async (values: Values) => settingsFrom((await containerOf(values)).args);

describe('the container', () => {
  test('gets arguments that the program accepts', async () => {
    expect(await settingsOf({})).toMatchObject({
      namespace: 'kube-system',
      configMap: { namespace: 'kube-system', name: 'acr-configuration' },
      instance: 'default',
      namespaces: undefined,
      leaderElect: true,
      secretNamespaces: [],
      declaredResources: undefined,
      logLevel: 'info',
      logFormat: 'json',
    });
    expect(await settingsOf(EVERY_VALUE)).toMatchObject({
      configMap: { namespace: 'platform', name: 'registries' },
      instance: 'blue',
      namespaces: ['shop', 'vault'],
      leaderElect: false,
      cloudEndpoints: { alibaba: { cr: { url: 'https://cr-vpc.{region}.aliyuncs.com' } } },
      secretNamespaces: ['vault', 'shop'],
      metricsAddress: ':9090',
      logLevel: 'debug',
      logFormat: 'text',
    });
  });

  test('is told of the ConfigMap with the values, unless the configuration is only read', async () => {
    expect((await settingsOf({})).valuesConfigMap).toBe('registry-credential-helper-values');
    const { args } = await containerOf({ config: { existingConfigMap: 'mine' } });
    expect(args).toContain('--config-map=kube-system/mine');
    expect(args.filter((arg) => arg.startsWith('--values-config-map'))).toEqual([]);
  });

  test('is told of a Secret of declared resources that is not the chart’s', async () => {
    const values = { declaredResources: { existingSecret: 'mine' } };
    expect(await settingsOf(values)).toMatchObject({ declaredResources: 'mine' });
    expect(manifestsOf(await helm.render(values)).some(({ kind }) => kind === 'Secret')).toBe(false);
  });

  test('takes a further flag over one that the chart sets', async () => {
    expect(await settingsOf({ extraArgs: ['--log-level=error'] })).toMatchObject({ logLevel: 'error' });
  });

  test('takes another Service of the webhook among the further flags', async () => {
    const { webhook } = await settingsOf({ extraArgs: ['--webhook-service=a/b:8443'] });
    expect(webhook.target).toEqual({ kind: 'service', namespace: 'a', name: 'b', port: 8443 });
  });

  test.each([8080, 9090])('is probed on the port %d that the program serves', async (port) => {
    const { metricsAddress } = await settingsOf({ metrics: { port } });
    const container = await containerOf({ metrics: { port } });
    expect(container.ports[0]).toEqual({ name: 'http', containerPort: port, protocol: 'TCP' });
    expect(metricsAddress).toBe(`:${port}`);
    expect(container).toMatchObject({
      livenessProbe: { httpGet: { path: '/livez', port: 'http' }, timeoutSeconds: 5 },
      readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, timeoutSeconds: 5 },
    });
  });

  test.each<[Values, string]>([
    [{}, 'registry-credential-helper:0.1.0'],
    [{ image: { repository: 'registry.example.com/a/b', tag: '1.0' } }, 'registry.example.com/a/b:1.0'],
    [{ image: { registry: 'registry.example.com/a/', repository: 'b' } }, 'registry.example.com/a/b:0.1.0'],
    [
      { image: { tag: '1.0', digest: EVERY_VALUE.image.digest } },
      `registry-credential-helper@${EVERY_VALUE.image.digest}`,
    ],
    [
      { global: { imageRegistry: 'mirror.example.com/quay' }, image: { registry: 'registry.example.com' } },
      'mirror.example.com/quay/registry-credential-helper:0.1.0',
    ],
  ])('with %j runs %s, and so does every other Pod', async (values, expected) => {
    const manifests = manifestsOf(await helm.render({ ...values, hosts: { enabled: true } }));
    expect(deploymentOf(manifests).template.spec.containers[0].image).toBe(expected);
    expect(objectOf(manifests, 'DaemonSet').spec?.template.spec.containers[0].image).toBe(expected);
  });

  test('has limits, and no security context where a cluster sets its own', async () => {
    expect(await containerOf({})).toMatchObject({ resources: { limits: { memory: '256Mi' } } });
    const { podSecurityContext, containerSecurityContext } = DEFAULTS as Record<string, Record<string, unknown>>;
    const unset = (context: Record<string, unknown> = {}): Values =>
      Object.fromEntries(Object.keys(context).map((key) => [key, null]));
    const values = {
      podSecurityContext: unset(podSecurityContext),
      containerSecurityContext: unset(containerSecurityContext),
      selfTest: { enabled: false },
    };
    expect(await helm.render(values)).not.toContain('securityContext');
  });
});

describe('the webhook', () => {
  test.each(['registry-credential-helper', 'shop', '2shop.eu'])(
    'of release `%s` is reached by the API server at the port that it serves, through the Service',
    async (release) => {
      const manifests = manifestsOf(await helm.succeed(['template', release, CHART, '--namespace=pulls']));
      const service = manifests.find(
        ({ kind, spec }) => kind === 'Service' && JSON.stringify(spec).includes('"webhook"'),
      );
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
      const role = objectOf(manifests, 'ClusterRole', webhook.clusterRole);
      const readable = (role.rules as readonly { resources: readonly string[]; resourceNames?: unknown }[]).find(
        ({ resources }) => resources.includes('clusterroles'),
      );
      expect(readable?.resourceNames).toEqual([webhook.clusterRole]);
    },
  );

  test('is reached at a URL in the place of the Service', async () => {
    const values = { webhook: { url: 'https://hook.example' } };
    expect((await settingsOf(values)).webhook.target).toEqual({ kind: 'url', url: 'https://hook.example' });
    expect(await helm.render(values)).not.toContain('targetPort: webhook');
  });

  test('is not there when it is switched off', async () => {
    const values = { webhook: { enabled: false } };
    expect((await settingsOf(values)).webhook).toMatchObject({ address: '', target: undefined });
    expect((await containerOf(values)).ports.map(({ name }) => name)).toEqual(['http']);
    expect(await helm.render(values)).not.toContain('targetPort: webhook');
  });

  test('in the network of the node has a port that is free there', async () => {
    const values = { webhook: { hostNetwork: true, port: 10443 } };
    expect(await podSpecOf(values)).toMatchObject({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' });
    expect((await settingsOf(values)).webhook.address).toBe(':10443');
  });
});

describe('the environment', () => {
  const own = { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } };
  const environmentOf = async (values: Values) =>
    Object.fromEntries((await containerOf(values)).env.map(({ name, value }) => [name, value]));

  test('is that of the chart, then that of the value extraEnv as it is written', async () => {
    expect((await containerOf({})).env).toEqual([own]);
    const { extraEnv } = EVERY_VALUE;
    expect((await containerOf({ extraEnv })).env).toEqual([own, ...extraEnv]);
  });

  test('leads Node through a proxy, but never to the API server and to metadata services', async () => {
    const { NO_PROXY = '', ...others } = await environmentOf({
      proxy: { https: 'http://proxy.example.com:3128', noProxy: ['.example.com'] },
    });
    expect(others).toMatchObject({ NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: 'http://proxy.example.com:3128' });
    expect(others).not.toHaveProperty('HTTP_PROXY');
    expect(NO_PROXY.split(',')).toEqual([
      '.example.com',
      ...['localhost', '127.0.0.1', '$(KUBERNETES_SERVICE_HOST)', '.svc', '.cluster.local'],
      ...['100.100.100.200', 'metadata.tencentyun.com', '169.254.0.23'],
    ]);
  });

  test('without a proxy says nothing of one', async () => {
    expect(await environmentOf({ proxy: { noProxy: ['.example.com'] } })).toEqual({ POD_NAMESPACE: undefined });
  });

  test.each<[Values, Values]>([
    [{ secretName: 'company-ca' }, { secret: { secretName: 'company-ca' } }],
    [{ configMapName: 'company-ca' }, { configMap: { name: 'company-ca' } }],
  ])('names the further authorities of %j, where they are mounted', async (extraCa, source) => {
    const { containers, volumes = [] } = await podSpecOf({ extraCa });
    const [{ env, volumeMounts = [] }] = containers;
    expect(volumes).toContainEqual({ name: 'extra-ca', ...source });
    const mount = volumeMounts.find(({ name }) => name === 'extra-ca') as { mountPath?: string } | undefined;
    expect(env).toContainEqual({ name: 'NODE_EXTRA_CA_CERTS', value: `${mount?.mountPath ?? ''}/ca.crt` });
  });
});

describe('tokens', () => {
  const { roleArn, oidcProviderArn } = EVERY_VALUE.rrsa;
  const names = (items: readonly { readonly name: string }[] = []) => items.map(({ name }) => name);
  const identityOf = ({ args, env }: Awaited<ReturnType<typeof containerOf>>) =>
    settingsFrom(args, Object.fromEntries(env.map(({ name, value }) => [name, value]))).identityEnvironment;

  test('for the API server live an hour, and lie where clients look for them', async () => {
    const { automountServiceAccountToken, volumes = [], containers } = await podSpecOf({});
    expect(automountServiceAccountToken).toBe(false);
    expect(JSON.stringify(volumes[0])).toContain('{"serviceAccountToken":{"expirationSeconds":3600,"path":"token"}}');
    expect(containers[0].volumeMounts).toEqual([
      { name: 'api-token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
    ]);
  });

  test.each<[string, Values]>([
    ['by default', {}],
    ['with ARNs that are not switched on', { rrsa: { roleArn, oidcProviderArn } }],
    ['with a role of TKE that is not switched on', { tke: { roleArn: EVERY_VALUE.tke.roleArn } }],
  ])('for clouds are not there %s', async (_, values) => {
    const { volumes, containers } = await podSpecOf(values);
    expect(names(volumes)).toEqual(['api-token']);
    expect(identityOf(containers[0])).toEqual({});
  });

  test.each<[string, Values, string, Values]>([
    [
      'Alibaba Cloud',
      { rrsa: EVERY_VALUE.rrsa },
      'sts.aliyuncs.com',
      {
        ALIBABA_CLOUD_ROLE_ARN: roleArn,
        ALIBABA_CLOUD_OIDC_PROVIDER_ARN: oidcProviderArn,
        ALIBABA_CLOUD_OIDC_TOKEN_FILE: '/var/run/secrets/ack.alibabacloud.com/rrsa-tokens/token',
      },
    ],
    [
      'Tencent Cloud',
      { tke: { enabled: true, providerId: 'cls-a1b2c3d4' }, global: { cluster: { longregion: 'ap-guangzhou' } } },
      'sts.cloud.tencent.com',
      {
        TKE_PROVIDER_ID: 'cls-a1b2c3d4',
        TKE_REGION: 'ap-guangzhou',
        TKE_WEB_IDENTITY_TOKEN_FILE: '/var/run/secrets/tke.cloud.tencent.com/serviceaccount/token',
      },
    ],
  ])('for %s lie where the environment says that they are', async (_, values, audience, expected) => {
    const { volumes = [], containers } = await podSpecOf(values);
    const [container] = containers;
    expect(identityOf(container)).toEqual(expected);
    const token = { audience, expirationSeconds: 3600, path: 'token' };
    expect(volumes[1]).toMatchObject({ projected: { sources: [{ serviceAccountToken: token }] } });
    const mount = container.volumeMounts?.[1] as { name: string; mountPath: string; readOnly: boolean };
    expect(mount).toMatchObject({ name: volumes[1]?.name, readOnly: true });
    expect(Object.values(expected)).toContain(`${mount.mountPath}/token`);
  });
});

describe('the place of the Pods', () => {
  test.each([
    ['kube-system', 'system-cluster-critical', 'system-node-critical'],
    ['pulls', undefined, undefined],
  ])('in %s is kept by the priority classes %s and %s', async (namespace, controller, hosts) => {
    const manifests = manifestsOf(await helm.render({ hosts: { enabled: true } }, [`--namespace=${namespace}`]));
    expect(deploymentOf(manifests).template.spec.priorityClassName).toBe(controller);
    expect(objectOf(manifests, 'DaemonSet').spec?.template.spec.priorityClassName).toBe(hosts);
  });

  test('is spread over nodes and zones, counting the Pods of the controller', async () => {
    const { template } = deploymentOf(manifestsOf(await helm.render()));
    const spread = template.spec.topologySpreadConstraints as readonly Values[];
    expect(spread.map(({ topologyKey }) => topologyKey)).toEqual([
      'kubernetes.io/hostname',
      'topology.kubernetes.io/zone',
    ]);
    for (const { labelSelector } of spread) expect(labelSelector).toEqual({ matchLabels: template.metadata.labels });
  });

  test('has no Pod of another component in the selectors of the controller', async () => {
    const manifests = manifestsOf(await helm.render({ hosts: { enabled: true }, networkPolicy: { enabled: true } }));
    const { metadata } = deploymentOf(manifests).template;
    const hosts = objectOf(manifests, 'DaemonSet').spec?.template.metadata.labels;
    expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/component': 'controller' });
    expect(hosts).toEqual({ ...metadata.labels, 'app.kubernetes.io/component': 'hosts' });
    const selectors = [
      ['PodDisruptionBudget', 'registry-credential-helper', 'selector'],
      ['Deployment', 'registry-credential-helper', 'selector'],
      ['NetworkPolicy', 'registry-credential-helper', 'podSelector'],
    ] as const;
    for (const [kind, name, field] of selectors) {
      const spec = objectOf(manifests, kind, name).spec as unknown as Record<string, unknown>;
      expect(spec[field]).toEqual({ matchLabels: metadata.labels });
    }
  });
});

test('annotations of the ServiceAccount are on that object, and on no other', async () => {
  const { annotations } = EVERY_VALUE.podServiceAccount;
  const manifests = manifestsOf(await helm.render({ podServiceAccount: { annotations } }));
  const annotated = manifests.filter(({ metadata }) =>
    JSON.stringify(metadata.annotations ?? {}).includes('pod-identity'),
  );
  expect(annotated.map(({ kind, metadata }) => [kind, metadata.annotations])).toEqual([
    ['ServiceAccount', annotations],
  ]);
});

describe('labels and annotations for Pods', () => {
  const values = {
    podLabels: { team: 'of-pods', 'example.com/tier': 'system' },
    podAnnotations: { 'sidecar.istio.io/inject': 'false', 'helm.sh/hook': 'not-for-us' },
    commonLabels: { team: 'of-all' },
    commonAnnotations: { 'example.com/owner': 'platform' },
    onUninstall: 'cleanup',
  };
  const labels = { team: 'of-pods', 'example.com/tier': 'system' };

  test.each(['Deployment', 'Job'])('reach those of the %s', async (kind) => {
    const { template } = objectOf(manifestsOf(await helm.render(values)), kind).spec ?? {};
    expect(template?.metadata).toMatchObject({ labels, annotations: { 'sidecar.istio.io/inject': 'false' } });
  });

  test('reach the Pod of `helm test`, and leave it what it is', async () => {
    const { metadata } = objectOf(manifestsOf(await helm.render(values)), 'Pod');
    expect(metadata).toMatchObject({
      labels: { ...labels, 'app.kubernetes.io/component': 'self-test', 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: {
        'sidecar.istio.io/inject': 'false',
        'helm.sh/hook': 'test',
        'example.com/owner': 'platform',
      },
    });
  });
});

describe('the Deployment replaces its Pods', () => {
  const strategyOf = async (values: Values): Promise<unknown> =>
    (deploymentOf(manifestsOf(await helm.render(values))) as { readonly strategy?: unknown }).strategy;
  const hostNetwork = { webhook: { hostNetwork: true, port: 10443 } };

  test.each<[string, Values, unknown]>([
    ['one after the other is there', {}, { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } }],
    ['at once, without a word on rolling', { strategy: { type: 'Recreate' } }, { type: 'Recreate' }],
    [
      'one after the other is gone, where both need a port of the node',
      hostNetwork,
      { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    ],
    [
      'as somebody says who has nodes to spare',
      { ...hostNetwork, strategy: { rollingUpdate: { maxSurge: 2 } } },
      { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 2 } },
    ],
    [
      'one after the other is gone there, also where nothing is said of it',
      { ...hostNetwork, strategy: null },
      { rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    ],
    ['as Kubernetes does, where that is wanted', { strategy: null }, undefined],
  ])('%s', async (_, values, strategy) => {
    expect(await strategyOf(values)).toEqual(strategy);
  });
});

describe('the hosts DaemonSet', () => {
  const items = [{ domain: 'acme.tencentcloudcr.com', ip: '10.20.0.7', disabled: false }];
  const isThere = async (values: Values) =>
    manifestsOf(await helm.render(values)).some(({ kind }) => kind === 'DaemonSet');

  test.each<[string, Values, boolean]>([
    ['nobody names a host', {}, false],
    ['hosts.items has some', { hosts: { items } }, true],
    ['global.hosts has some', { global: { hosts: items } }, true],
    ['it is switched off all the same', { hosts: { items, enabled: false } }, false],
    ['it is switched on for a list of one’s own', { hosts: { enabled: true, existingConfigMap: 'mine' } }, true],
  ])('when %s: %#', async (_, values, expected) => {
    expect(await isThere(values)).toBe(expected);
  });

  test('gets arguments that the program accepts, and mounts the folder of the file that they name', async () => {
    const values = { hosts: { items, folder: '/run/net', file: 'names', inPlace: true, interval: '2m' } };
    const { template } = objectOf(manifestsOf(await helm.render(values)), 'DaemonSet').spec ?? {};
    const [container] = template?.spec.containers ?? [];
    const { hosts, metricsAddress } = settingsFrom(container?.args ?? []);
    expect(hosts).toMatchObject({ configFolder: '/config', file: '/host/folder/names', inPlace: true });
    expect(hosts.intervalMs).toBe(120_000);
    expect(metricsAddress).toBe(':8080');
    expect(container?.volumeMounts).toContainEqual({ name: 'folder', mountPath: '/host/folder' });
    expect(template?.spec.volumes).toContainEqual({
      name: 'folder',
      hostPath: { path: '/run/net', type: 'Directory' },
    });
  });

  test('runs on every node but virtual ones, with no capability', async () => {
    const { template } = objectOf(manifestsOf(await helm.render({ hosts: { items } })), 'DaemonSet').spec ?? {};
    expect(template?.spec.tolerations).toEqual([{ operator: 'Exists' }]);
    expect(JSON.stringify(template?.spec.affinity)).toContain('["virtual-kubelet"]');
    expect(JSON.stringify(template?.spec.affinity)).toContain('["eklet"]');
    expect(template?.spec.containers[0].securityContext).toMatchObject({
      capabilities: { drop: ['ALL'] },
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
    });
  });

  test('reads a list of one’s own, and the chart makes none', async () => {
    const manifests = manifestsOf(await helm.render({ hosts: { enabled: true, existingConfigMap: 'mine' } }));
    const { volumes = [] } = objectOf(manifests, 'DaemonSet').spec?.template.spec ?? {};
    expect(volumes[0]).toEqual({ name: 'config', configMap: { name: 'mine', optional: true } });
    expect(manifests.filter(({ kind }) => kind === 'ConfigMap')).toHaveLength(1);
  });
});
