// The chart and the real Helm that renders and installs it.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { load, loadAll } from 'js-yaml';
import { createRunFolder } from '../support/control-plane/run-folder.ts';
import { findTools } from '../support/control-plane/tools.ts';

/** The folder of the chart. */
export const CHART = fileURLToPath(new URL('../../charts/registry-credential-helper', import.meta.url));

const VALUES_FOLDER = fileURLToPath(new URL('values', import.meta.url));

/** Values as one would write them into a file. */
export type Values = Readonly<Record<string, unknown>>;

/** Every value of the chart that goes with the others, each other than its default. */
export const EVERY_VALUE = {
  image: {
    registry: 'registry.example.com/tools',
    repository: 'registry-credential-helper-image',
    tag: '9.9.9',
    digest: `sha256:${'0123456789abcdef'.repeat(4)}`,
    pullPolicy: 'Always',
    pullSecrets: [{ name: 'mirror' }],
  },
  replicas: 3,
  instance: 'blue',
  namespaces: ['shop', 'vault'],
  config: {
    name: 'registries',
    namespace: 'platform',
    'registry-info': [{ provider: 'static', server: 'registry.example.com', secretRef: { name: 'password' } }],
    'acr-registry-info': '- instanceId: cri-aaaa0000bbbb1111',
    'tcr-registry-info': [{ registryId: 'tcr-a1b2c3d4' }],
    'watch-namespace': ['shop', 'team-*'],
    'watch-namespace-selector': 'team=shop',
    'exclude-namespace': 'kube-*',
    'service-account': '*',
    'service-account-selector': 'pulls=yes',
    'expiring-threshold': '20m',
    region: 'cn-hangzhou',
    'secret-name': 'pull',
    'acr-secret-name': 'pull-acr',
    'adopt-existing': 'all',
    'managed-secret-labels': { 'example.com/accelerated': 'true' },
    'notify-email': 'team@example.com',
    rrsa: { enable: true },
    'rrsa-service-account': 'vault/reader',
    tokenMode: 'workerRole',
    'webhook-configuration': { enable: true, 'failure-policy': 'Fail' },
    'acr-registry': 'registry.*.aliyuncs.com',
    'acr-api-version': '2018-12-01',
  },
  imagePullSecrets: [{ name: 'minted', spec: { namespaces: '*', tcr: { registryId: 'tcr-a1b2c3d4' } } }],
  global: {
    imageRegistry: 'mirror.example.com/quay',
    imagePullSecretsCrs: [
      {
        ...{ name: 'tcr-a1b2c3d4-vpc', type: 'docker', dockerServer: 'acme-vpc.tencentcloudcr.com' },
        ...{ dockerUsername: '100099990001', dockerPassword: 'not-a-real-password' },
      },
    ],
    hosts: [{ domain: 'acme-vpc.tencentcloudcr.com', ip: '10.20.0.7', disabled: false }],
    cluster: { region: 'gz', longregion: 'ap-guangzhou' },
  },
  rrsa: {
    enabled: true,
    roleArn: 'acs:ram::1000000000000001:role/acr-a',
    oidcProviderArn: 'acs:ram::1000000000000001:oidc-provider/ack-rrsa-c0ffee',
    tokenServiceAccount: 'vault/reader',
  },
  tke: {
    enabled: true,
    providerId: 'cls-a1b2c3d4',
    roleArn: 'qcs::cam::uin/100000000001:roleName/tcr-reader',
    region: 'ap-shanghai',
    audience: 'sts.example.com',
  },
  allowSecretNamespaces: ['vault', 'shop'],
  proxy: {
    http: 'http://proxy.example.com:3128',
    https: 'http://proxy.example.com:3129',
    noProxy: ['registry.example.com'],
  },
  extraCa: { secretName: 'company-ca', key: 'bundle.pem' },
  nameOverride: 'pulls',
  fullnameOverride: 'all-pulls',
  commonLabels: { 'example.com/team': 'platform' },
  commonAnnotations: { 'example.com/owner': 'platform' },
  podServiceAccount: { create: false, name: 'puller', annotations: { 'pod-identity.alibabacloud.com/role-name': 'a' } },
  rbac: { create: true, takeOver: false },
  crds: { install: true, keep: false },
  logLevel: 'debug',
  logFormat: 'text',
  extraArgs: [
    '--leader-elect=false',
    '--cloud-endpoints={"alibaba":{"cr":{"url":"https://cr-vpc.{region}.aliyuncs.com"}}}',
  ],
  extraEnv: [
    { name: 'ALIBABA_CLOUD_ECS_METADATA_DISABLED', value: 'true' },
    { name: 'REGISTRY_CREDENTIAL_HELPER_LOG_LEVEL', valueFrom: { configMapKeyRef: { name: 'levels', key: 'level' } } },
  ],
  extraEnvFrom: [{ secretRef: { name: 'tencent-keys', optional: true } }],
  extraVolumes: [{ name: 'credentials-file', secret: { secretName: 'credentials-file' } }],
  extraVolumeMounts: [{ name: 'credentials-file', mountPath: '/etc/tencentcloud', readOnly: true }],
  resources: { requests: { cpu: 1, memory: '1Gi' }, limits: { cpu: '2', memory: '2Gi' } },
  podSecurityContext: { fsGroup: 65532 },
  containerSecurityContext: { runAsGroup: 65531 },
  podLabels: { 'example.com/tier': 'system' },
  podAnnotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' },
  livenessProbe: { initialDelaySeconds: 5, periodSeconds: 20, timeoutSeconds: 6, failureThreshold: 6 },
  readinessProbe: { initialDelaySeconds: 5, periodSeconds: 20, timeoutSeconds: 6, failureThreshold: 6 },
  terminationGracePeriodSeconds: 60,
  revisionHistoryLimit: 5,
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
  priorityClassName: 'platform-critical',
  nodeSelector: { 'kubernetes.io/arch': 'arm64' },
  tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' }],
  affinity: {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: {
            topologyKey: 'kubernetes.io/hostname',
            labelSelector: { matchLabels: { 'app.kubernetes.io/name': 'registry-credential-helper' } },
          },
        },
      ],
    },
  },
  topologySpreadConstraints: [{ maxSkew: 2, topologyKey: 'rack', whenUnsatisfiable: 'DoNotSchedule' }],
  podDisruptionBudget: { enabled: true, maxUnavailable: '50%' },
  webhook: { enabled: true, url: 'https://hook.example', port: 10443, hostNetwork: true },
  networkPolicy: {
    enabled: true,
    metricsFrom: [{ namespaceSelector: {} }],
    egressPorts: [6443],
    extraEgress: [{ to: [{ ipBlock: { cidr: '10.0.0.9/32' } }] }],
  },
  hosts: {
    enabled: true,
    namespace: 'platform',
    items: [{ domain: 'acme.tencentcloudcr.com', ip: '10.20.0.8' }],
    configMapName: 'names-of-hosts',
    folder: '/run/hosts',
    file: 'hosts.txt',
    inPlace: true,
    interval: '1m',
    extraArgs: ['--lock-file=/host/folder/lock'],
    resources: { requests: { cpu: '20m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    containerSecurityContext: { runAsUser: 1 },
    podLabels: { 'example.com/tier': 'node' },
    podAnnotations: { 'prometheus.io/scrape': 'true' },
    priorityClassName: 'platform-critical',
    nodeSelector: { 'kubernetes.io/arch': 'arm64' },
    tolerations: [{ key: 'special', operator: 'Exists' }],
    affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
    updateStrategy: { type: 'OnDelete' },
  },
  metrics: { port: 9090, dashboard: { enabled: true } },
  selfTest: { enabled: false },
  onUninstall: 'cleanup',
  cleanup: { deadlineSeconds: 120 },
  extraObjects: [
    '{apiVersion: v1, kind: ConfigMap, metadata: {name: "{{ .Release.Name }}-extra", namespace: kube-system}}',
  ],
} as const satisfies Values;

/** An object of the chart as far as the tests read it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly rules?: unknown;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: { readonly replicas: number; readonly template: PodTemplate };
}

/** The Pod that the Deployment makes. */
export interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly serviceAccountName: string;
    readonly containers: readonly [Container];
    readonly volumes?: readonly { readonly name: string }[];
    readonly [field: string]: unknown;
  };
}

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly { readonly name: string }[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** How a run of Helm ended. */
export interface HelmResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Helm with a home of its own. */
export interface Helm {
  /** Never throws for an exit code. */
  run(args: readonly string[]): Promise<HelmResult>;
  /** Standard output; throws with what Helm said when it fails. */
  succeed(args: readonly string[]): Promise<string>;
  /** Flags that set values. */
  values(values: Values): Promise<readonly string[]>;
  /** The chart's manifests as text, of a release `registry-credential-helper` in `kube-system`. */
  render(values?: Values, args?: readonly string[]): Promise<string>;
  /** Removes what Helm kept. */
  remove(): Promise<void>;
}

/** Finds or builds Helm of a major version. */
export async function createHelm(major: 'helm3' | 'helm4' = 'helm4'): Promise<Helm> {
  const { [major]: program } = await findTools([major]);
  const folder = await createRunFolder('helm');
  let files = 0;
  const run = (args: readonly string[]): Promise<HelmResult> =>
    new Promise((resolve) => {
      // Nothing of the person who runs the tests: no plugins, no cluster, no default namespace.
      const env = { PATH: process.env.PATH, HOME: folder.path, TMPDIR: folder.path };
      execFile(program, args, { env, cwd: folder.path, timeout: 60_000 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, stdout, stderr });
      });
    });
  const succeed = async (args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(args);
    if (code === 0) return stdout;
    throw new Error(`helm ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
  };
  const values = async (content: Values): Promise<readonly string[]> => {
    files += 1;
    const file = path.join(folder.path, `values-${files}.json`);
    await writeFile(file, JSON.stringify(content));
    return ['--values', file];
  };
  return {
    run,
    succeed,
    values,
    render: async (content = {}, args = []) =>
      succeed([
        'template',
        'registry-credential-helper',
        CHART,
        '--namespace=kube-system',
        ...(await values(content)),
        ...args,
      ]),
    remove: () => folder.remove(),
  };
}

/** Values files, each a way to install the chart: by name. */
export function valuesFiles(): ReadonlyMap<string, Values> {
  const files = readdirSync(VALUES_FOLDER).sort();
  return new Map(
    files.map((file) => [
      file.replace(/\.yaml$/, ''),
      load(readFileSync(path.join(VALUES_FOLDER, file), 'utf8')) as Values,
    ]),
  );
}

/** The objects of rendered text. */
export function manifestsOf(text: string): readonly Manifest[] {
  return (loadAll(text) as (Manifest | null)[]).filter((manifest) => manifest !== null);
}

/** The one Deployment among them. */
export function deploymentOf(manifests: readonly Manifest[]): {
  readonly replicas: number;
  readonly template: PodTemplate;
} {
  const spec = manifests.find(({ kind }) => kind === 'Deployment')?.spec;
  if (spec === undefined) throw new Error('There is no Deployment');
  return spec;
}
