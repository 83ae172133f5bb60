// An installation of its own for one row of the tables: its namespaces, its configuration, the program and the hooks of the chart as
// processes with the tokens of its ServiceAccount.
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { webhookName } from '../../src/core/names.ts';
import type { TestObject } from '../support/cluster.ts';
import { startProcess } from '../support/control-plane/processes.ts';
import { eventually } from '../support/eventually.ts';
import type { Replica, World } from '../support/world.ts';
import { deploymentOf, type Manifest } from './helm.ts';
import { startPod, writeTokenKubeconfig } from './pod.ts';
import { objectOf } from './rendered.ts';
import { CONFIG_MAP, HOST, type Ground, type Hook, type Run } from './rights-world.ts';
import { isOfRbac } from './single-rights.ts';
import { PROGRAM_FILE } from '../support/program.ts';

/** How long a start may take where many run at a time. */
const START_MS = 90_000;
const LOGIN = { username: 'somebody', password: 'fake-password-of-a-row' };
const CONFIGURATION = {
  'registry-info': `- provider: static\n  server: ${HOST}\n  secretRef: {name: password}\n`,
  'service-account': 'default',
};

/** What the test of a row does with it besides. */
export type StartedRun = Run & { start(): Promise<void>; stop(): Promise<void> };

/** Prepares everything but the rights. */
export async function createRun(
  { world, kubectl }: Pick<Ground, 'world' | 'kubectl'>,
  {
    instance,
    home,
    manifests,
    hooks,
  }: {
    readonly instance: string;
    readonly home: string;
    /** Of the installation, and of the hooks. */
    readonly manifests: readonly Manifest[];
    readonly hooks: readonly Manifest[];
  },
): Promise<StartedRun> {
  const { plane, cluster } = world;
  const tenant = `tenant-${instance}`;
  const spec = deploymentOf(manifests).template.spec;
  let replica: Replica | undefined;
  const places = [...manifests, ...hooks].filter(isOfRbac).flatMap(({ metadata }) => metadata.namespace ?? []);
  for (const name of new Set([home, tenant, ...places]))
    if ((await cluster.get('namespaces', name)) === undefined) await cluster.namespace(name);
  await cluster.serviceAccount(home, spec.serviceAccountName);
  await cluster.serviceAccount(tenant, 'default');
  await cluster.create('secrets', { metadata: { name: 'password' }, stringData: LOGIN }, home);
  const running = (): Replica => {
    if (replica === undefined) throw new Error('The program has not been started');
    return replica;
  };
  const start = async (): Promise<void> => {
    // One for each start: others start beside it, and a file that is being written is read as cut off.
    const endpoints = join(plane.folder, `endpoints-${randomUUID()}.json`);
    const { alibaba, tencent } = world.clouds.endpoints();
    await writeFile(endpoints, JSON.stringify({ alibaba, tencent }));
    const args = [`--cloud-endpoints=${endpoints}`];
    const started = await startPod(plane, { namespace: home, spec, args, awaitReady: false });
    replica = started;
    // It may never be ready, and on a busy machine it takes a while until it runs at all.
    const answers = async (): Promise<boolean> =>
      !started.process.isRunning() || (await started.http('/livez')) !== undefined;
    await eventually('the program answers', answers, START_MS);
    if (!started.process.isRunning()) throw new Error('The program ended at its start');
  };
  const runHook = (args: readonly string[]): Promise<string> =>
    runOnce(world, { args, home, serviceAccount: spec.serviceAccountName });
  const run: StartedRun = {
    start,
    stop: async () => {
      await replica?.process.stop({ signal: 'SIGKILL' });
    },
    restart: async () => {
      await replica?.stop();
      await start();
    },
    ...{ world, kubectl, instance, home, tenant, valuesName: `${spec.serviceAccountName}-values`, replica: running },
    manifests,
    async configure(more = {}) {
      const data = { ...CONFIGURATION, 'watch-namespace': tenant, ...more };
      const present = await cluster.get('configmaps', CONFIG_MAP, home);
      if (present === undefined) await cluster.create('configmaps', { metadata: { name: CONFIG_MAP }, data }, home);
      else await cluster.patch('configmaps', CONFIG_MAP, { data }, home);
    },
    async cleanup() {
      await running().stop();
      // A person who has stopped the controller.
      return runHook(argsOf(hooks, 'cleanup').filter((arg) => !/^--(stop-deployment|end-hosts)=/.test(arg)));
    },
    hook: (hook) => runHook(argsOf(hooks, hook)),
    async webhook(kind) {
      const path = `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations/${webhookName(instance)}`;
      const { status, body } = await plane.request({ path });
      return status === 200 ? (body as TestObject) : undefined;
    },
  };
  await run.configure();
  return run;
}

function argsOf(hooks: readonly Manifest[], hook: Hook): readonly string[] {
  const spec = hook === 'cleanup' ? objectOf(hooks, 'Job').spec?.template.spec : objectOf(hooks, 'Pod').spec;
  return (spec as unknown as { readonly containers: readonly [{ readonly args: readonly string[] }] }).containers[0]
    .args;
}

/** Runs a command to its end; gives what it printed. */
async function runOnce(
  { plane }: World,
  of: { readonly args: readonly string[]; readonly home: string; readonly serviceAccount: string },
): Promise<string> {
  const logFile = join(plane.folder, 'logs', `once-${randomUUID()}.log`);
  const running = await startProcess({
    name: of.args[0] ?? '',
    command: process.execPath,
    args: [PROGRAM_FILE, ...of.args, `--kubeconfig=${await writeTokenKubeconfig(plane, of.home, of.serviceAccount)}`],
    env: { ...process.env, NODE_OPTIONS: '', POD_NAMESPACE: of.home },
    logFile,
  });
  await running.exited();
  return readFile(logFile, 'utf8');
}
