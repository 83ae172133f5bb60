// The chart and the real Helm that renders and installs it.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAll } from 'js-yaml';
import { createRunFolder } from '../support/control-plane/run-folder.ts';
import { findTools } from '../support/control-plane/tools.ts';

/** The folder of the chart. */
export const CHART = fileURLToPath(new URL('../../charts/registry-credential-helper', import.meta.url));

/** Values as one would write them into a file. */
export type Values = Readonly<Record<string, unknown>>;

/** Every value of the chart, each other than its default. */
export const EVERY_VALUE = {
  replicas: 3,
  image: {
    repository: 'registry.example.com/tools/registry-credential-helper',
    tag: '9.9.9',
    digest: `sha256:${'0123456789abcdef'.repeat(4)}`,
    pullPolicy: 'Always',
    pullSecrets: [{ name: 'mirror' }],
  },
  instance: 'blue',
  configMap: { namespace: 'platform', name: 'registries' },
  allowSecretNamespaces: ['vault', 'shop'],
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
  rrsa: {
    enabled: true,
    roleArn: 'acs:ram::1000000000000001:role/acr-a',
    oidcProviderArn: 'acs:ram::1000000000000001:oidc-provider/ack-rrsa-c0ffee',
  },
  serviceAccount: { annotations: { 'pod-identity.alibabacloud.com/role-name': 'acr-a' } },
  resources: { requests: { cpu: 1, memory: '1Gi' }, limits: { cpu: '2', memory: '2Gi' } },
  podSecurityContext: { fsGroup: 65532 },
  containerSecurityContext: { runAsGroup: 65531 },
  podAnnotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' },
  priorityClassName: 'system-cluster-critical',
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
  nodeSelector: { 'kubernetes.io/os': 'linux' },
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
  metrics: { dashboard: { enabled: true } },
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

/** Finds or builds Helm. */
export async function createHelm(): Promise<Helm> {
  const { helm4 } = await findTools(['helm4']);
  const folder = await createRunFolder('helm');
  let files = 0;
  const run = (args: readonly string[]): Promise<HelmResult> =>
    new Promise((resolve) => {
      // Nothing of the person who runs the tests: no plugins, no cluster, no default namespace.
      const env = { PATH: process.env.PATH, HOME: folder.path, TMPDIR: folder.path };
      execFile(helm4, args, { env, cwd: folder.path, timeout: 60_000 }, (error, stdout, stderr) => {
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
