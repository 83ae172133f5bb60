// A release whose clean-up failed, by the Helm of either major version: what the documents say that one can do then. What the program does, it does
// with the rights that the hooks of Helm give it; a stand-in takes the place of the controller of Jobs.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { parseCleanupFlags } from '../../src/cmd/cleanup-settings.ts';
import { createStandstill } from '../../src/cmd/standstill.ts';
import { tellHosts } from '../../src/controller/end-hosts.ts';
import { ENDING_FLAG, endHosts } from '../../src/core/hosts-end.ts';
import { MANAGER } from '../../src/core/names.ts';
import { createKubeClient } from '../../src/kube/client.ts';
import { loadKubeConfig } from '../../src/kube/kube-config.ts';
import { clusterOf, type Cluster } from '../support/cluster.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { PROGRAM_GROUPS, PROGRAM_USER } from '../support/world.ts';
import type { HelmResult, Values } from './helm.ts';
import { createReleases, HELM_MAJORS, type Release } from './releases.ts';

const BUILD_MS = 900_000;
/** The program runs as the ServiceAccount of this name. */
const NAME = 'registry-credential-helper';
const NAMESPACE = 'kube-system';
const APPS = `/apis/apps/v1/namespaces/${NAMESPACE}`;
const JOB = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs/${NAME}-cleanup`;
const ITEM = { domain: 'acme.tencentcloudcr.com', ip: '10.20.0.7' };
const OFF = { crds: { install: false }, onUninstall: 'cleanup' };
const ON: Values = { ...OFF, hosts: { items: [ITEM] } };

interface Job {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly [{ args: string[] }] } } };
}

jest.setTimeout(180_000);

let plane: ControlPlane;
let cluster: Cluster;

const send = async (method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: object, kind = 'merge-patch') => {
  const contentType = method === 'PATCH' ? { contentType: `application/${kind}+json` } : {};
  const { status, body: answer } = await plane.request({ method, path, ...(body && { body }), ...contentType });
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
};

/** What the command does until it fails, with what the Job gives it; gives what it says. */
async function beginAndGiveUp(args: readonly string[]): Promise<string> {
  const issues: string[] = [];
  const pairs = args.slice(1).map((arg) => arg.slice(2).split('='));
  const cleanup = parseCleanupFlags(new Map(pairs.map(([name = '', value = 'true']) => [name, value])), issues);
  const { daemonSet } = cleanup;
  if (daemonSet === undefined) throw new Error(issues.join());
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const client = createKubeClient({
    kubeConfig: loadKubeConfig({ inCluster: false, file: plane.kubeconfig(PROGRAM_USER) }),
    userAgent: 'test',
  });
  const [patience, signal] = [AbortSignal.timeout(20_000), AbortSignal.timeout(20_000)];
  const common = { client, dryRun: false, print: say, patience, signal };
  const standstill = createStandstill({
    ...{ ...common, cleanup, namespace: NAMESPACE, instance: 'default', isWhole: true, complain: say },
    onUnknown: (what) => say(what),
  });
  expect(await standstill.begin()).toBeUndefined();
  await tellHosts({ ...common, daemonSet });
  expect([await isEnding(), await replicas()]).toEqual([true, 0]);
  await standstill.end();
  await client.close();
  return said.join('\n');
}

beforeAll(async () => {
  plane = await startControlPlane({ users: [{ name: PROGRAM_USER, groups: PROGRAM_GROUPS }] });
  cluster = clusterOf(plane);
}, BUILD_MS);
afterAll(() => plane.stop());

const daemonSet = async (): Promise<Readonly<Record<string, unknown>>> =>
  (await plane.request({ path: `${APPS}/daemonsets/${NAME}-hosts` })).body as Readonly<Record<string, unknown>>;
const isEnding = async (): Promise<boolean> => JSON.stringify(await daemonSet()).includes(`"${ENDING_FLAG}"]`);
const replicas = async (): Promise<number | undefined> =>
  ((await cluster.get('deployments', NAME, NAMESPACE)) as { spec?: { replicas?: number } } | undefined)?.spec?.replicas;

/** Helm uninstalls, and the Job fails after `during`, which is given the arguments of its container. */
async function failToUninstall(release: Release, during: (args: readonly string[]) => Promise<void>): Promise<void> {
  // One that an earlier attempt left would be taken for the new one.
  await plane.request({ method: 'DELETE', path: `${JOB}?propagationPolicy=Background` });
  const uninstalling: Promise<HelmResult> = release.run(['uninstall', '--timeout=60s']);
  const job = await eventually('Helm made the Job', async () => {
    const { status, body } = await plane.request({ path: JOB });
    return status === 200 && (body as Job);
  });
  await during(job.spec.template.spec.containers[0].args);
  const now = new Date().toISOString().replace(/\.\d+/, '');
  const condition = { status: 'True', reason: 'PodFailurePolicy', lastTransitionTime: now, lastProbeTime: now };
  const conditions = ['FailureTarget', 'Failed'].map((type) => ({ type, ...condition }));
  await send('PATCH', `${JOB}/status`, { status: { startTime: now, failed: 1, conditions } });
  expect((await uninstalling).code).not.toBe(0);
}

/** The last revision of the release, as `helm history` names it. */
const revisionOf = async (release: Release): Promise<string> => {
  const { stdout } = await release.run(['history', '--output=json']);
  return String((JSON.parse(stdout) as readonly { revision: number }[]).at(-1)?.revision);
};

describe.each(HELM_MAJORS)('a clean-up that failed, by %s', (major) => {
  let release: Release;
  beforeAll(async () => {
    release = (await createReleases(plane, major))(NAME, NAMESPACE);
    await release.install(ON);
  }, BUILD_MS);
  afterAll(() => release.run(['uninstall', '--no-hooks']));

  test('says that Helm can roll the release back, after which upgrades change what was set back', async () => {
    await failToUninstall(release, async (args) => {
      const output = await beginAndGiveUp(args);
      expect(output).toContain('helm rollback RELEASE REVISION');
      expect(output).toContain(`set Deployment ${NAMESPACE}/${NAME} back to 2 Pods`);
      expect([await isEnding(), await replicas()]).toEqual([false, 2]);
    });
    // Which is why the documents say how.
    expect((await release.run(['upgrade'], ON)).stderr).toContain('has no deployed releases');
    await release.rollback(Number(await revisionOf(release)));
    await release.upgrade({ ...ON, logLevel: 'debug', replicas: 3 });
    expect(JSON.stringify(await daemonSet())).toContain('--log-level=debug');
    await release.upgrade(OFF);
    expect(await isEnding()).toBe(true);
    await release.upgrade(ON);
    expect([await isEnding(), await replicas()]).toEqual([false, 2]);
  });

  test('and was killed leaves a release that a rollback sets back', async () => {
    await failToUninstall(release, async () => {
      const manager = `?fieldManager=${MANAGER}`;
      await send('PATCH', `${APPS}/deployments/${NAME}/scale${manager}`, { spec: { replicas: 0 } });
      const ending = endHosts(await daemonSet());
      if (ending?.isEnding !== false) throw new Error('the DaemonSet was told before');
      await send('PATCH', `${APPS}/daemonsets/${NAME}-hosts${manager}`, ending.patch, 'strategic-merge-patch');
    });
    expect([await isEnding(), await replicas()]).toEqual([true, 0]);
    const force = major === 'helm4' ? ['--force-conflicts'] : [];
    const { code, stderr } = await release.run(['rollback', await revisionOf(release), ...force]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect([await isEnding(), await replicas()]).toEqual([false, 2]);
    await release.upgrade({ ...ON, logLevel: 'debug' });
  });
});
