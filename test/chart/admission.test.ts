// What the chart renders, before a real API server of the newest and of the oldest version: no object is refused, no field unknown;
// and its Pods, before the real Pod Security admission.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { clusterOf, type TestObject } from '../support/cluster.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { kubectlOf, type Kubectl } from '../support/kubectl.ts';
import { CHART, createHelm, manifestsOf, type Helm, type Manifest } from './helm.ts';

const BUILD_MS = 900_000;
const RELEASE = 'registry-credential-helper';
const NAMESPACE = 'kube-system';
const VALUES_FOLDER = fileURLToPath(new URL('values/', import.meta.url));
const VALUES_FILES = readdirSync(VALUES_FOLDER).filter((name) => /\.(ya?ml|json)$/.test(name));
/** Definitions of the Prometheus operator as far as a chart writes resources of it; what is not in them is refused. */
const OPERATOR_DEFINITIONS = fileURLToPath(new URL('../support/prometheus-operator-crds.yaml', import.meta.url));
const LEVEL = 'pod-security.kubernetes.io/enforce';
const VERSIONS = [
  ['newest', { oldest: false }],
  ['oldest', { oldest: true }],
] as const;

jest.setTimeout(120_000);

let helm: Helm;
beforeAll(async () => {
  helm = await createHelm();
}, BUILD_MS);
afterAll(() => helm.remove());

test('there are values files to look at', () => {
  expect(VALUES_FILES.length).toBeGreaterThanOrEqual(3);
});

describe.each(VERSIONS)('the API server of the %s version', (_, options) => {
  let plane: ControlPlane;
  let kubectl: Kubectl;
  let version = '';
  beforeAll(async () => {
    plane = await startControlPlane(options);
    kubectl = await kubectlOf(plane);
    ({ gitVersion: version } = (await plane.request({ path: '/version' })).body as { gitVersion: string });
    await succeed(['apply', '-f', OPERATOR_DEFINITIONS]);
    await eventually('the API server serves what it defines', async () => {
      await succeed(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
      return true;
    });
  }, BUILD_MS);
  afterAll(() => plane.stop());

  const succeed = async (args: readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await kubectl(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  /** As Helm would render it for this API server. */
  const render = async (file: string): Promise<readonly Manifest[]> => {
    const text = await helm.succeed([
      ...['template', RELEASE, CHART, `--namespace=${NAMESPACE}`, `--values=${VALUES_FOLDER}${file}`],
      ...[`--kube-version=${version}`, ...apis.map((api) => `--api-versions=${api}`)],
    ]);
    return manifestsOf(text);
  };
  const apis = ['ServiceMonitor', 'PodMonitor', 'PrometheusRule'].map((kind) => `monitoring.coreos.com/v1/${kind}`);
  const ensureNamespaces = async (names: readonly string[]): Promise<void> => {
    for (const name of new Set(names))
      if ((await clusterOf(plane).get('namespaces', name)) === undefined) await clusterOf(plane).namespace(name);
  };
  const ensureAccount = async (namespace: string, name: string): Promise<void> => {
    if ((await clusterOf(plane).get('serviceaccounts', name, namespace)) === undefined)
      await clusterOf(plane).serviceAccount(namespace, name);
  };
  const dryRun = (manifests: readonly unknown[]) =>
    kubectl(
      ['apply', '--dry-run=server', '--validate=strict', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }),
    );

  test.each(VALUES_FILES)('takes every object of %s', async (file) => {
    const manifests = await render(file);
    await ensureNamespaces(manifests.flatMap(({ metadata }) => metadata.namespace ?? []));
    // A Pod is only accepted where its ServiceAccount is.
    for (const { kind, metadata } of manifests)
      if (kind === 'ServiceAccount') await ensureAccount(metadata.namespace ?? NAMESPACE, metadata.name);
    const { code, stdout, stderr } = await dryRun(manifests);
    expect({ code, stderr: stderr.replace(/^Warning: .*\n/gm, '') }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trim().split('\n')).toHaveLength(manifests.length);
  });

  test('refuses an object with a field that it does not know: it is really asked', async () => {
    const [first] = await render(VALUES_FILES[0] ?? '');
    const { code, stderr } = await dryRun([{ ...first, metadata: { ...first?.metadata, owner: 'nobody' } }]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/unknown field "(metadata\.)?owner"/) });
  });

  describe('in a namespace that enforces the Pod Security level', () => {
    const LEVELS = ['restricted', 'baseline', 'privileged'] as const;
    beforeAll(async () => {
      for (const level of LEVELS) await clusterOf(plane).namespace(level, { [LEVEL]: level });
    });

    /** Those of Kubernetes are there from the start; one of values is made by whoever names it. */
    const ensurePriorityClass = async (name = 'system-cluster-critical'): Promise<void> => {
      const path = '/apis/scheduling.k8s.io/v1/priorityclasses';
      if ((await plane.request({ path: `${path}/${name}` })).status === 200) return;
      await plane.request({ method: 'POST', path, body: { metadata: { name }, value: 1 } });
    };

    /** Creates the Pod for real, and removes it again; gives what was answered. */
    const admit = async (level: (typeof LEVELS)[number], pod: Manifest): Promise<string> => {
      const { serviceAccountName: account = 'default', priorityClassName } = pod.spec as unknown as {
        readonly serviceAccountName?: string;
        readonly priorityClassName?: string;
      };
      await ensurePriorityClass(priorityClassName);
      await ensureAccount(level, account);
      const path = `/api/v1/namespaces/${level}/pods`;
      const { status, body } = await plane.request({ method: 'POST', path, body: pod });
      if (status !== 201) return `${status} ${(body as { message: string }).message}`;
      await plane.request({
        method: 'DELETE',
        path: `${path}/${(body as TestObject).metadata.name}?gracePeriodSeconds=0`,
      });
      return 'admitted';
    };

    test.each(VALUES_FILES)(
      'restricted every Pod of %s is admitted, but for those of the hosts-updater',
      async (file) => {
        const pods = podsOf(await render(file));
        expect(pods.length).toBeGreaterThan(0);
        for (const { owner, pod } of pods.filter(({ isOfHosts }) => !isOfHosts))
          expect([owner, await admit('restricted', pod)]).toEqual([owner, 'admitted']);
      },
    );

    test('restricted the same Pod is refused when it may do more', async () => {
      const [first] = podsOf(await render(VALUES_FILES[0] ?? ''));
      const pod = structuredClone(first?.pod) as Manifest & { spec: { containers: [{ securityContext?: unknown }] } };
      pod.spec.containers[0].securityContext = { allowPrivilegeEscalation: true };
      expect(await admit('restricted', pod)).toMatch(/^403 .*violates PodSecurity "restricted/);
    });

    test.each(VALUES_FILES)(
      'privileged, and no lower one, the Pods of the hosts-updater of %s are admitted',
      async (file) => {
        for (const { owner, pod } of podsOf(await render(file)).filter(({ isOfHosts }) => isOfHosts)) {
          expect([owner, await admit('baseline', pod)]).toEqual([owner, expect.stringContaining('hostPath')]);
          expect([owner, await admit('privileged', pod)]).toEqual([owner, 'admitted']);
        }
      },
    );
  });
});

/** Every Pod that would come of the manifests: of workloads, Jobs, and the Pods themselves. */
function podsOf(
  manifests: readonly Manifest[],
): readonly { readonly owner: string; readonly pod: Manifest; readonly isOfHosts: boolean }[] {
  return manifests.flatMap((manifest) => {
    const { kind, metadata } = manifest;
    const template = kind === 'Pod' ? manifest : templateOf(manifest);
    if (template === undefined) return [];
    const { labels, annotations } = template.metadata;
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { generateName: 'pod-', labels, annotations },
      spec: template.spec,
    };
    const isOfHosts = kind === 'DaemonSet';
    return [{ owner: `${kind} ${metadata.name}`, pod: pod as unknown as Manifest, isOfHosts }];
  });
}

function templateOf({ kind, spec }: Manifest): Manifest | undefined {
  const inner = kind === 'CronJob' ? (spec as unknown as { jobTemplate: Manifest }).jobTemplate.spec : spec;
  return (inner as { readonly template?: Manifest } | undefined)?.template;
}
