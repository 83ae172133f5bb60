// The chart's release: its values, and what it takes to install, upgrade and remove it.
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { WEBHOOK_KINDS } from '../../src/core/names.ts';
import { ADDRESSES } from '../../test/e2e/addresses.ts';
import { expectThat } from '../demo-story/scene.ts';
import {
  CHART,
  CONFIG_MAP,
  findPodLogs,
  INSTANCE,
  KEY_SECRET,
  mustSucceed,
  PROGRAM_REPOSITORY,
  reach,
} from './world.ts';
import { RELEASE, SYSTEM, type HelmMajor, type NodeWorld } from './world.ts';

/** Values as one would write them into a file. */
export type Values = Readonly<Record<string, unknown>>;

const RELEASED_CHARTS = fileURLToPath(new URL('../../test/e2e/released/', import.meta.url));
const MUTATING = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
const VALIDATING = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const WAIT = ['--wait', '--timeout=180s'] as const;

/** What people write into their values file. */
export function buildValues({ clouds }: NodeWorld, more: Values = {}): Values {
  const { cr } = clouds.endpoints().alibaba;
  const { port } = new URL(cr.url);
  const endpoint = {
    url: `https://${ADDRESSES.backstage}:${port}`,
    host: cr.host,
    ...(cr.caFile === undefined ? {} : { ca: readFileSync(cr.caFile, 'utf8') }),
  };
  const { instanceId, regionId } = INSTANCE;
  return {
    image: { repository: PROGRAM_REPOSITORY, tag: 'today', pullPolicy: 'Never' },
    extraArgs: [`--cloud-endpoints=${JSON.stringify({ alibaba: { cr: endpoint } })}`],
    config: {
      'watch-namespace': 'shop, team-*',
      'service-account': 'web',
      'acr-registry-info': [{ instanceId, regionId, accessKeySecretRef: { name: KEY_SECRET } }],
      'webhook-configuration': { enable: true },
    },
    // As often as the kubelet can: what is waited for here is not what a probe waits for.
    readinessProbe: { periodSeconds: 1 },
    ...more,
  };
}

/** Installs or upgrades the release and waits until its Pods are ready. `chart` is this project's unless given. */
export async function release(
  world: NodeWorld,
  command: 'install' | 'upgrade',
  of: { readonly helm: HelmMajor; readonly values: Values; readonly chart?: string },
): Promise<void> {
  const file = path.join(world.folder, `values-${command}.json`);
  await writeFile(file, JSON.stringify(of.values));
  const args = [command, RELEASE, of.chart ?? CHART, '--namespace', SYSTEM, '--values', file, ...WAIT];
  await mustSucceed(`helm ${command}`, world.helm[of.helm](args));
}

/** Brings the release back to one of its revisions and waits until its Pods are ready. */
export async function rollBack({ helm }: NodeWorld, major: HelmMajor, revision: number): Promise<void> {
  await mustSucceed('helm rollback', helm[major](['rollback', RELEASE, `${revision}`, '--namespace', SYSTEM, ...WAIT]));
}

/** Runs `helm test`, which fails where a check does; returns the lines of the checks that passed. */
export async function runHelmTest({ helm }: NodeWorld, major: HelmMajor): Promise<readonly string[]> {
  await mustSucceed('helm test', helm[major](['test', RELEASE, '--namespace', SYSTEM, '--timeout=180s']));
  const [file = ''] = findPodLogs(`${RELEASE}-self-test`);
  // The kubelet's lines begin with a time, a stream and a flag.
  const said = readFileSync(file, 'utf8').replaceAll(/^\S+ \S+ \S /gm, '');
  const passed = said.split('\n').filter((line) => line.startsWith('PASS'));
  for (const subject of ['rights', 'configuration', ...WEBHOOK_KINDS, 'admission']) {
    const isIn = passed.some((line) => line.includes(`${subject}: `));
    expectThat(isIn, `the self-test says PASS of ${subject}`, said);
  }
  return passed;
}

/** Removes the release and waits until none of its Pods runs and the webhook objects are gone. */
export async function uninstall(world: NodeWorld, major: HelmMajor): Promise<void> {
  await mustSucceed('helm uninstall', world.helm[major](['uninstall', RELEASE, '--namespace', SYSTEM, ...WAIT]));
  await reach({
    expected: 'no Pod of the program runs, and no webhook is left',
    look: () => readTraces(world),
    holds: (left) => left.length === 0,
  });
}

/**
 * Waits until one of the ready Pods leads and the admission webhook is switched on; returns the webhook's name. After an uninstall
 * that takes a while: the rights to give the Lease back go before the Pods.
 */
export async function untilServing(world: NodeWorld): Promise<string> {
  await reach({
    expected: 'a Pod that is ready leads',
    look: async () => ({ leader: await readLeader(world), ready: await readyPods(world) }),
    holds: ({ leader, ready }) => ready.includes(leader),
  });
  const [name = ''] = await reach({
    expected: 'the admission webhook is switched on',
    look: () => readNames(world, MUTATING),
    holds: (names) => names.length > 0,
  });
  return name;
}

/** Name of the Pod that leads, or led last; empty = none. */
export async function readLeader({ plane }: NodeWorld): Promise<string> {
  const path_ = `/apis/coordination.k8s.io/v1/namespaces/${SYSTEM}/leases/${RELEASE}-default`;
  const { body } = await plane.request({ path: path_ });
  return (body as { spec?: { holderIdentity?: string } }).spec?.holderIdentity?.split('_')[0] ?? '';
}

/** The packaged chart of the release before this one; undefined = none is kept yet. */
export function findReleasedChart(): string | undefined {
  const packages = readdirSync(RELEASED_CHARTS).filter((name) => name.endsWith('.tgz'));
  const [newest] = packages.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  return newest === undefined ? undefined : path.join(RELEASED_CHARTS, newest);
}

/** The image that the controller's Pods run. */
export async function readRunningImage({ cluster }: NodeWorld): Promise<string> {
  const deployment = await cluster.get('deployments', RELEASE, SYSTEM);
  expectThat(deployment !== undefined, `Deployment ${SYSTEM}/${RELEASE}`, 'there is none');
  const { template } = deployment.spec as { template: { spec: { containers: readonly { image: string }[] } } };
  return template.spec.containers[0]?.image ?? '';
}

/** Names of the program's Pods of one component that are ready. */
export async function readyPods(
  { cluster }: NodeWorld,
  component: 'controller' | 'hosts' = 'controller',
): Promise<readonly string[]> {
  const pods = await cluster.list('pods', SYSTEM);
  return pods.flatMap(({ metadata, status }) => {
    const { conditions = [] } = (status ?? {}) as { conditions?: readonly { type: string; status: string }[] };
    const isReady = conditions.some(({ type, status: holds }) => type === 'Ready' && holds === 'True');
    const isAsked = (metadata.labels?.['app.kubernetes.io/component'] ?? 'controller') === component;
    return isReady && isAsked && !('deletionTimestamp' in metadata) ? [metadata.name] : [];
  });
}

/** The configuration as it is; undefined = there is none. */
export async function readConfiguration({ cluster }: NodeWorld): Promise<Readonly<Record<string, string>> | undefined> {
  return (await cluster.get('configmaps', CONFIG_MAP, SYSTEM))?.data;
}

/** Pods that have not ended, as that of the clean-up has: it stays for its log. */
async function readTraces(world: NodeWorld): Promise<readonly string[]> {
  const pods = (await world.cluster.list('pods', SYSTEM)).flatMap(({ metadata, status }) =>
    (status as { phase?: string } | undefined)?.phase === 'Succeeded' ? [] : [`Pod ${metadata.name}`],
  );
  return [...pods, ...(await readNames(world, MUTATING)), ...(await readNames(world, VALIDATING))];
}

async function readNames({ plane }: NodeWorld, path_: string): Promise<readonly string[]> {
  const { body } = await plane.request({ path: path_ });
  return (body as { items: readonly { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name);
}
