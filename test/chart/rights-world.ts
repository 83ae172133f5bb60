// One run of the program with one right taken away: it is refused, something named does not come about, and it does once the
// right is given back. Each run is an installation of its own, so that several can go on side by side.
import { expect } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { webhookName } from '../../src/core/names.ts';
import type { TestObject } from '../support/cluster.ts';
import type { AuditEvent } from '../support/control-plane/audit-log.ts';
import { startProcess } from '../support/control-plane/processes.ts';
import { eventually } from '../support/eventually.ts';
import type { Kubectl } from '../support/kubectl.ts';
import { linesSaying } from '../support/signs.ts';
import type { Replica, World } from '../support/world.ts';
import { deploymentOf, type Manifest } from './helm.ts';
import { startPod, writeTokenKubeconfig } from './pod.ts';
import { isOfRbac, withoutRight, type Right } from './single-rights.ts';

/** What the manifests are rendered for, of which each run has another. */
export const RENDERED = 'renderedname';

/** What a row of the table may look at and touch. */
export interface Run {
  readonly world: World;
  readonly kubectl: Kubectl;
  /** Names the installation; its webhook objects end with it. */
  readonly instance: string;
  /** The namespace of the release. */
  readonly home: string;
  /** A namespace in scope, with the ServiceAccount `default`. */
  readonly tenant: string;
  /** The ConfigMap of the chart's values. */
  readonly valuesName: string;
  readonly replica: () => Replica;
  /** Writes the configuration: registries for the tenant, and more. */
  configure(more?: Readonly<Record<string, string>>): Promise<void>;
  /** Starts the program anew: some failures it does not try again for minutes. */
  restart(): Promise<void>;
  /** Stops the program and runs `cleanup` with the same rights; gives what it printed. */
  cleanup(): Promise<string>;
  /** A webhook object; undefined = there is none. */
  webhook(kind: 'mutating' | 'validating'): Promise<TestObject | undefined>;
}

/** A line of the table. */
export interface RightRow {
  /** As `nameOfRight` has it. */
  readonly right: string;
  /** What does not come about without it: the end of a sentence that begins with the right. */
  readonly state: string;
  /** Before the program starts. */
  readonly before?: (run: Run) => Promise<unknown>;
  /** While it runs; it is awaited. */
  readonly act?: (run: Run) => Promise<unknown>;
  readonly holds: (run: Run) => Promise<boolean>;
  /** What uses the right uses it once, and not again until this is done, when the right is back. */
  readonly again?: (run: Run) => Promise<unknown>;
  /** The controller never uses it; `cleanup` does, once. */
  readonly byCleanup?: true;
}

/** Host of the registry in every configuration here. */
export const HOST = 'registry.example.com';
/** Secret of the tenant. */
export const SECRET = 'registry-credentials';
/** The ConfigMap that people edit. */
export const CONFIG_MAP = 'acr-configuration';
const LOGIN = { username: 'somebody', password: 'fake-password-of-a-row' };
const CONFIGURATION = {
  'registry-info': `- provider: static\n  server: ${HOST}\n  secretRef: {name: password}\n`,
  'service-account': 'default',
};

/** What every row shares. */
export interface Ground {
  readonly world: World;
  readonly kubectl: Kubectl;
  /** Rendered for `RENDERED`. */
  readonly manifests: readonly Manifest[];
}

/** Runs one row. Throws when the program does without the right, when it does not say so, or when the state never comes about. */
export async function runWithout(ground: Ground, { row, right, instance }: Case): Promise<void> {
  const { world } = ground;
  const manifests = renamed(ground.manifests, instance);
  const removed = renamed(right, instance);
  const pod = deploymentOf(manifests).template.spec;
  const home = `home-${instance}`;
  const user = `system:serviceaccount:${home}:${pod.serviceAccountName}`;
  const began = (await world.plane.auditEvents()).length;
  const isRefused = async (since: number): Promise<boolean> =>
    (await world.plane.auditEvents())
      .slice(since)
      .some((event) => event.user === user && event.code === 403 && isCallOf(event, removed));
  const run = await createRun(ground, { instance, home, manifests });
  try {
    await giveRights(world, withoutRight(manifests, removed));
    await row.before?.(run);
    await run.start();
    await row.act?.(run);
    const isAskedAgain = row.again === undefined && row.byCleanup === undefined;
    const acted = isAskedAgain ? (await world.plane.auditEvents()).length : began;
    if (row.byCleanup === true) await run.cleanup();
    await eventually(`the API server refuses to ${removed.verb} ${removed.resource}`, () => isRefused(acted));
    // What a watch would have told at once, the list before the next attempt at it finds: soon, or by chance before this look.
    if (removed.verb !== 'watch')
      expect({ withoutIt: row.state, holds: await row.holds(run) }).toEqual({ withoutIt: row.state, holds: false });
    const told = await toldOf(run);
    expect(told.length).toBeGreaterThan(0);
    expect(told.filter((one) => !one.startsWith(`may not ${removed.verb} ${resourceOf(removed)} `))).toEqual([]);

    await giveRights(world, manifests);
    await row.again?.(run);
    if (row.byCleanup === true) await run.cleanup();
    await eventually(`with it ${row.state}`, () => row.holds(run));
  } catch (error) {
    // The folder of the world goes with it.
    const said = (await run.replica().lines()).filter(({ level }) => level !== 'debug' && level !== 'info').slice(-10);
    throw new Error(
      `${(error as Error).message}\nThe program said:\n${said.map((line) => JSON.stringify(line)).join('\n')}`,
      {
        cause: error,
      },
    );
  } finally {
    await run.stop();
  }
}

/** A row, the right that it is about, and the name of its installation. */
export interface Case {
  readonly row: RightRow;
  readonly right: Right;
  readonly instance: string;
}

function renamed<T>(value: T, instance: string): T {
  return JSON.parse(JSON.stringify(value).replaceAll(RENDERED, instance)) as T;
}

/** The missing rights that the program named at its start. */
async function toldOf(run: Run): Promise<readonly string[]> {
  return (await linesSaying(run.replica(), 'A right is missing')).map(({ detail }) => String(detail));
}

function resourceOf({ resource, group }: Right): string {
  return `${resource}${group === '' ? '' : `.${group}`}`;
}

function isCallOf({ verb, resource, subresource, namespace }: AuditEvent, right: Right): boolean {
  const full = subresource === undefined ? resource : `${resource ?? ''}/${subresource}`;
  const isThere = right.namespace === undefined || namespace === right.namespace;
  return verb === right.verb && full === right.resource && isThere;
}

/** Creates or replaces what gives rights; bindings never change. Throws with what was answered. */
export async function giveRights({ plane }: World, manifests: readonly Manifest[]): Promise<void> {
  for (const manifest of manifests.filter(isOfRbac)) {
    const path = pathOf(manifest);
    const created = await plane.request({ method: 'POST', path: path.slice(0, path.lastIndexOf('/')), body: manifest });
    if (created.status === 201 || (created.status === 409 && manifest.kind.endsWith('Binding'))) continue;
    const { status, body } = await plane.request({ method: 'PUT', path, body: manifest });
    if (status !== 200)
      throw new Error(`${manifest.kind} ${manifest.metadata.name}: ${status} ${JSON.stringify(body)}`);
  }
}

/** Where the API server has an object of RBAC. */
export function pathOf({ apiVersion, kind, metadata }: Manifest): string {
  const place = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `/apis/${apiVersion}${place}/${kind.toLowerCase()}s/${metadata.name}`;
}

type StartedRun = Run & { start(): Promise<void>; stop(): Promise<void> };

async function createRun(
  { world, kubectl }: Ground,
  {
    instance,
    home,
    manifests,
  }: { readonly instance: string; readonly home: string; readonly manifests: readonly Manifest[] },
): Promise<StartedRun> {
  const { plane, cluster } = world;
  const tenant = `tenant-${instance}`;
  const spec = deploymentOf(manifests).template.spec;
  let replica: Replica | undefined;
  for (const name of [home, tenant]) await cluster.namespace(name);
  await cluster.serviceAccount(home, spec.serviceAccountName);
  await cluster.serviceAccount(tenant, 'default');
  await cluster.create('secrets', { metadata: { name: 'password' }, stringData: LOGIN }, home);
  const running = (): Replica => {
    if (replica === undefined) throw new Error('The program has not been started');
    return replica;
  };
  const stop = async (): Promise<void> => {
    await replica?.process.stop({ signal: 'SIGKILL' });
  };
  const start = async (): Promise<void> => {
    const endpoints = join(plane.folder, 'endpoints.json');
    const { alibaba, tencent } = world.clouds.endpoints();
    await writeFile(endpoints, JSON.stringify({ alibaba, tencent }));
    const args = [`--cloud-endpoints=${endpoints}`];
    replica = await startPod(plane, { namespace: home, spec, args, awaitReady: false });
  };
  const run: StartedRun = {
    ...{ start, stop },
    restart: async () => {
      await replica?.stop();
      await start();
    },
    ...{ world, kubectl, instance, home, tenant, valuesName: `${spec.serviceAccountName}-values`, replica: running },
    async configure(more = {}) {
      const data = { ...CONFIGURATION, 'watch-namespace': tenant, ...more };
      const present = await cluster.get('configmaps', CONFIG_MAP, home);
      if (present === undefined) await cluster.create('configmaps', { metadata: { name: CONFIG_MAP }, data }, home);
      else await cluster.patch('configmaps', CONFIG_MAP, { data }, home);
    },
    async cleanup() {
      await running().stop();
      return cleanUp(world, { instance, home, serviceAccount: spec.serviceAccountName });
    },
    async webhook(kind) {
      const path = `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations/${webhookName(instance)}`;
      const { status, body } = await plane.request({ path });
      return status === 200 ? (body as TestObject) : undefined;
    },
  };
  await run.configure();
  return run;
}

async function cleanUp(
  { plane }: World,
  of: { readonly instance: string; readonly home: string; readonly serviceAccount: string },
): Promise<string> {
  const logFile = join(plane.folder, 'logs', `cleanup-${randomUUID()}.log`);
  const running = await startProcess({
    name: 'cleanup',
    command: process.execPath,
    args: [
      ...['src/main.ts', 'cleanup', `--instance=${of.instance}`, `--config-map=${of.home}/${CONFIG_MAP}`],
      `--kubeconfig=${await writeTokenKubeconfig(plane, of.home, of.serviceAccount)}`,
    ],
    env: { ...process.env, NODE_OPTIONS: '', POD_NAMESPACE: of.home },
    logFile,
  });
  await running.exited();
  return readFile(logFile, 'utf8');
}
