// A whole world for integration tests: control plane, clouds, and the program as its own process with only the rights that
// `docs/rbac.yaml` documents.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterOf, type Cluster } from './cluster.ts';
import { startClouds, type Clouds, type CloudsOptions } from './clouds/clouds.ts';
import { startControlPlane, type ControlPlane, type ControlPlaneOptions } from './control-plane/control-plane.ts';
import { freePort } from './control-plane/ports.ts';
import type { RunningProcess } from './control-plane/processes.ts';
import { grantedRights } from './granted-rights.ts';
import { grantFurther, type FurtherInstallation } from './installation-rights.ts';
import { startReplica, type Replica } from './replica.ts';
import { PROGRAM_FILE } from './program.ts';

export type { Replica };

/** The user that the program is: the ServiceAccount of `docs/rbac.yaml`. */
export const PROGRAM_USER = 'system:serviceaccount:kube-system:registry-credential-helper';

/** As of every ServiceAccount. */
export const PROGRAM_GROUPS: readonly string[] = ['system:serviceaccounts'];

/** Everything together. */
export interface World {
  readonly plane: ControlPlane;
  readonly clouds: Clouds;
  readonly cluster: Cluster;
  /** Starts the program and waits until it is ready, unless `awaitReady` is false. */
  startController(options?: {
    readonly args?: readonly string[];
    /** What Node is given before those: its flags and the file of the program; default `PROGRAM_FILE`. */
    readonly program?: readonly string[];
    /** Variables besides those of the test's own environment. */
    readonly env?: Readonly<Record<string, string>>;
    readonly awaitReady?: boolean;
  }): Promise<Replica>;
  /** Writes `kube-system/acr-configuration`, as a whole. */
  configure(data: Readonly<Record<string, string>>): Promise<void>;
  /** The Secret with the simulated cloud's access key. */
  putAccessKey(secret?: string): Promise<void>;
  /** Throws when the test has given the program more rights than `docs/rbac.yaml` does: what it showed would not hold elsewhere. */
  stop(): Promise<void>;
}

/** What `--cloud-endpoints` takes. */
function cloudsOf(clouds: Clouds): Pick<ReturnType<Clouds['endpoints']>, 'alibaba' | 'tencent'> {
  const { alibaba, tencent } = clouds.endpoints();
  return { alibaba, tencent };
}

let replicas = 0;

/** Starts control plane and clouds, with RBAC applied; the program is started by the test. */
export async function startWorld(
  options: {
    readonly plane?: ControlPlaneOptions;
    readonly clouds?: CloudsOptions;
    /** `none`: the test gives the program its rights; default those of `docs/rbac.yaml`. */
    readonly rights?: 'none';
    /** What docs/rbac.md says that the program has besides, for a while, as `grantedRights` spells it; the test gives it. */
    readonly furtherRights?: readonly string[];
    /** Others in kube-system, of the same user, each with the documented rights on its own ConfigMap and Lease. */
    readonly furtherInstallations?: readonly FurtherInstallation[];
  } = {},
): Promise<World> {
  const clouds = await startClouds(options.clouds);
  const plane = await startControlPlane({
    audit: true,
    ...options.plane,
    users: [{ name: PROGRAM_USER, groups: PROGRAM_GROUPS }, ...(options.plane?.users ?? [])],
  }).catch(async (error: unknown) => {
    await clouds.stop();
    throw error;
  });
  const cluster = clusterOf(plane);
  const running: RunningProcess[] = [];
  if (options.rights !== 'none') await cluster.applyFile('docs/rbac.yaml');
  for (const installation of options.furtherInstallations ?? []) await grantFurther(plane, installation);
  const rights = () => grantedRights(plane, PROGRAM_USER, PROGRAM_GROUPS);
  const documented = options.rights === 'none' ? undefined : new Set(await rights());

  const world: World = {
    plane,
    clouds,
    cluster,
    async startController({ args = [], program = [PROGRAM_FILE], env = {}, awaitReady = true } = {}) {
      replicas += 1;
      const address = `127.0.0.1:${await freePort()}`;
      const endpoints = join(plane.folder, `endpoints-${replicas}.json`);
      await writeFile(endpoints, JSON.stringify(cloudsOf(clouds)));
      const replica = await startReplica({
        name: 'controller',
        args: [
          ...program,
          'controller',
          `--kubeconfig=${plane.kubeconfig(PROGRAM_USER)}`,
          '--config-map=kube-system/acr-configuration',
          `--cloud-endpoints=${endpoints}`,
          `--metrics-address=${address}`,
          '--log-level=debug',
          ...args,
        ],
        ...{ address, env, awaitReady },
        logFile: join(plane.folder, 'logs', `controller-${replicas}.log`),
      });
      running.push(replica.process);
      return replica;
    },
    async configure(data) {
      const name = 'acr-configuration';
      const present = await cluster.get('configmaps', name, 'kube-system');
      if (present === undefined) await cluster.create('configmaps', { metadata: { name }, data }, 'kube-system');
      else {
        const gone = Object.keys(present.data ?? {}).filter((key) => !(key in data));
        const patch = { data: { ...Object.fromEntries(gone.map((key) => [key, null])), ...data } };
        await cluster.patch('configmaps', name, patch, 'kube-system');
      }
    },
    async putAccessKey(secret = 'alibaba-addon-secret') {
      const key = [...clouds.state.accessKeys.values()][0];
      const stringData = { 'access-key-id': key?.accessKeyId, 'access-key-secret': key?.accessKeySecret };
      await cluster.create('secrets', { metadata: { name: secret }, stringData }, 'kube-system');
    },
    async stop() {
      await Promise.all(running.map((one) => one.stop({ graceMs: 2_000 })));
      // A suite may end with an API server that does not answer: it has written no right since.
      const granted = documented === undefined ? [] : await rights().catch((): readonly string[] => []);
      const isKnown = (right: string): boolean =>
        documented?.has(right) !== false || options.furtherRights?.includes(right) === true;
      const added = granted.filter((right) => !isKnown(right));
      await plane.stop();
      await clouds.stop();
      if (added.length > 0) throw new Error(`The test gave the program rights of its own: ${added.join('; ')}`);
    },
  };
  return world;
}
