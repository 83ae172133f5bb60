// The parts of the demo's world, how each is started, and what one can see of them.
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SAMPLE, startClouds, type Clouds } from '../../test/support/clouds/clouds.ts';
import { clusterOf, type AuthEntry, type Cluster } from '../../test/support/cluster.ts';
import { startControlPlane, type ControlPlane } from '../../test/support/control-plane/control-plane.ts';
import { pullImage, type ImageResult } from '../../test/support/control-plane/oci.ts';
import type { RegistryLogin } from '../../test/support/control-plane/oci-session.ts';
import { freePort } from '../../test/support/control-plane/ports.ts';
import { startProcess, type RunningProcess } from '../../test/support/control-plane/processes.ts';
import { startRegistry, type Registry } from '../../test/support/control-plane/registry.ts';
import { findTools } from '../../test/support/control-plane/tools.ts';
import { eventually } from '../../test/support/eventually.ts';
import { PROGRAM_USER } from '../../test/support/world.ts';
import type { Stage } from './stage.ts';
import { StepFailure, type Teller } from './steps.ts';

/** The Secret that the program writes for `acr-registry-info`. */
export const SECRET = 'acr-credential-secret-aggregation';

/** The private image. */
export const IMAGE = { repository: 'shop/web', tag: '1.0' } as const;

/** The simulated instance of the cloud. */
export const INSTANCE = SAMPLE.instance;

/** Control plane and how to talk to it. */
export interface Backstage {
  readonly stage: Stage;
  readonly plane: ControlPlane;
  readonly cluster: Cluster;
  /** Path of a kubectl of the control plane's version. */
  readonly kubectl: string;
}

/** Everything but the program. */
export interface Setting extends Backstage {
  readonly clouds: Clouds;
  readonly registry: Registry;
}

/** Everything, with the program running. */
export interface Scene extends Setting {
  readonly controller: RunningProcess;
}

/** Starts the control plane with the program's user and the rights of `docs/rbac.yaml`; builds what is missing. */
export async function startBackstage(stage: Stage, tell: Teller): Promise<Backstage> {
  const tools = await findTools(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl', 'registry'], {
    progress: tell.progress,
  });
  const plane = await stage.own(
    startControlPlane({
      audit: true,
      controllerManager: true,
      users: [{ name: PROGRAM_USER, groups: ['system:serviceaccounts'] }],
    }),
  );
  stage.watchFolder(plane.folder);
  const cluster = clusterOf(plane);
  await cluster.applyFile('docs/rbac.yaml');
  return { stage, plane, cluster, kubectl: tools.kubectl };
}

/** Starts the clouds, and a registry that believes only their tokens and is a custom domain of the instance. */
export async function startCloudsAndRegistry(backstage: Backstage): Promise<Setting> {
  const { stage } = backstage;
  const port = await freePort();
  const instance = { ...INSTANCE, userDomains: [`127.0.0.1:${port}`] };
  const clouds = await stage.own(startClouds({ instances: [instance] }));
  const registry = await stage.own(startRegistry({ port, auth: clouds.endpoints().registryAuth }));
  stage.watchFolder(dirname(registry.logFile));
  return { ...backstage, clouds, registry };
}

/** Starts the bundled program as a process of its own, with a kubeconfig of its own user, and waits until it is ready. */
export async function startController(setting: Setting): Promise<RunningProcess> {
  const { stage, plane, clouds } = setting;
  const address = `127.0.0.1:${await freePort()}`;
  const endpoints = join(plane.folder, 'cloud-endpoints.json');
  await writeFile(endpoints, JSON.stringify({ alibaba: clouds.endpoints().alibaba }));
  stage.logFile = join(plane.folder, 'controller.log');
  return stage.own(
    startProcess({
      name: 'controller',
      command: process.execPath,
      args: [
        'dist/main.mjs',
        'controller',
        `--kubeconfig=${plane.kubeconfig(PROGRAM_USER)}`,
        '--config-map=kube-system/acr-configuration',
        `--cloud-endpoints=${endpoints}`,
        `--metrics-address=${address}`,
        '--log-format=text',
      ],
      env: plainEnvironment(),
      logFile: stage.logFile,
      ready: async () => (await fetch(`http://${address}/readyz`)).status === 200,
      readyTimeoutMs: 30_000,
    }),
  );
}

/** This process's environment without what would change how the program or kubectl behave. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const changes = /^(REGISTRY_CREDENTIAL_HELPER_.*|KUBE.*|NODE_.*|.*_PROXY)$/i;
  const kept = Object.entries(process.env).filter(([name]) => !changes.test(name));
  return { ...Object.fromEntries(kept), KUBERC: 'off' };
}

/** Something to wait for. */
export interface Awaited<T> {
  /** In words; printed when it does not come. */
  readonly expected: string;
  readonly look: () => Promise<T>;
  readonly holds: (seen: T) => boolean;
  /** What was seen, in words; JSON unless given. */
  readonly describe?: (seen: T) => string;
  /** 30 s unless told. */
  readonly timeoutMs?: number;
}

/**
 * Waits until what is looked at holds, and returns it.
 *
 * @throws StepFailure with what was seen last, after the timeout or as soon as the program has ended
 */
export async function reach<T>({ controller }: Pick<Scene, 'controller'>, awaited: Awaited<T>): Promise<T> {
  const { expected, look, holds, describe = JSON.stringify, timeoutMs = 30_000 } = awaited;
  let last = 'nothing yet';
  const check = async (): Promise<{ readonly seen: T } | 'ended' | undefined> => {
    if (!controller.isRunning()) return 'ended';
    const seen = await look();
    last = describe(seen);
    return holds(seen) ? { seen } : undefined;
  };
  const outcome = await eventually(expected, check, timeoutMs).catch((error: unknown) => {
    const cause = (error as Error).cause;
    const why = cause instanceof Error ? `${last} (${cause.message})` : last;
    throw new StepFailure(`${expected}, within ${timeoutMs / 1000} s`, why, { cause: error });
  });
  if (outcome !== 'ended') return outcome.seen;
  const { code, signal } = await controller.exited();
  throw new StepFailure(expected, `the controller ended by itself (${signal ?? `exit code ${code ?? 'unknown'}`})`);
}

/** Fails the step unless `holds`. */
export function expectThat(holds: boolean, expected: string, seen: string): asserts holds {
  if (!holds) throw new StepFailure(expected, seen);
}

/** The entry for the registry in a namespace's Secret; undefined = there is none. */
export async function readLogin({ cluster, registry }: Setting, namespace: string): Promise<AuthEntry | undefined> {
  return (await cluster.auths(namespace, SECRET))?.[registry.host];
}

/** Pulls the image, all of it, in a session of its own; without `login` anonymously. */
export function pull({ registry }: Setting, login?: RegistryLogin): Promise<ImageResult> {
  return pullImage({ registryUrl: registry.url, login, ...IMAGE });
}

/** A pull's end in words. */
export function describePull(result: ImageResult): string {
  if (result.ok) return `pulled ${result.bytes} bytes`;
  return `refused: ${result.reason}${result.status === undefined ? '' : `, HTTP ${result.status}`}`;
}
