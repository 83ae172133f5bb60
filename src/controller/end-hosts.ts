// The end of the hosts block on every node: the Pods of the DaemonSet are replaced by such that remove it, and those are waited for.
import { KubeError } from '../core/errors.ts';
import {
  disownHosts,
  endHosts,
  hostsEndProgress,
  nodesOf,
  resumeHosts,
  type HostsEndProgress,
} from '../core/hosts-end.ts';
import { listDaemonPods, patchDaemonSet, readDaemonSet } from '../kube/daemon-set.ts';
import type { KubeClient } from '../kube/client.ts';
import { isFinal } from '../kube/errors.ts';
import { pause } from '../kube/pause.ts';
import type { ObjectName } from '../kube/writes.ts';

/** What it is given. */
export interface HostsEndOptions {
  readonly client: KubeClient;
  readonly daemonSet: ObjectName;
  /** Only say what would be done. */
  readonly dryRun: boolean;
  readonly print: (line: string) => void;
  /** Gives up waiting; what is left is still looked at. */
  readonly patience: AbortSignal;
  readonly signal: AbortSignal;
}

/** Between two looks, milliseconds: a Pod takes seconds to be replaced. */
const POLL_MS = 500;

/**
 * Tells the Pods; gives the nodes that they are on, undefined when there is nothing to wait for. Throws KubeError when the API server
 * refuses it, and `Aborted` when there was no time.
 */
export async function tellHosts({
  client,
  daemonSet,
  dryRun,
  print,
  patience,
  signal,
}: HostsEndOptions): Promise<readonly string[] | undefined> {
  const place = `DaemonSet ${daemonSet.namespace}/${daemonSet.name}`;
  for (;;) {
    try {
      const live = await readDaemonSet(client, daemonSet, signal);
      const ending = live === undefined ? undefined : endHosts(live);
      if (ending === undefined) {
        const why = live === undefined ? `there is no ${place}` : `${place} does not run the command hosts`;
        print(`${why}: no hosts block to remove`);
        return undefined;
      }
      const before = live === undefined ? [] : nodesOf(await listDaemonPods(client, live, signal));
      if (!ending.isEnding && !dryRun) await patchDaemonSet(client, { ...daemonSet, patch: ending.patch }, signal);
      print(`${dryRun ? 'would have' : 'had'} the Pods of ${place} remove the hosts block of their nodes`);
      return dryRun ? undefined : before;
    } catch (error) {
      // Its status changes all the time, and with it its version.
      if (!isTransient(error)) throw error;
      await pause(POLL_MS, patience);
    }
  }
}

/** Waits until every node is done, those that had Pods before among them; gives the progress when that is so, or when it gave up. Throws KubeError where a right is missing. */
export async function awaitHostsEnd({
  client,
  daemonSet,
  before,
  patience,
  signal,
}: Omit<HostsEndOptions, 'print' | 'dryRun'> & { readonly before: readonly string[] }): Promise<HostsEndProgress> {
  let progress: HostsEndProgress = { isDone: false, left: before, missing: 0 };
  for (;;) {
    try {
      const live = await readDaemonSet(client, daemonSet, signal);
      // Somebody was faster: with it went its Pods, and nobody knows how far they were.
      if (live === undefined) return progress;
      progress = hostsEndProgress(live, await listDaemonPods(client, live, signal), before);
      if (progress.isDone) return progress;
    } catch (error) {
      if (!isTransient(error)) throw error;
    }
    try {
      await pause(POLL_MS, patience);
    } catch {
      return progress;
    }
  }
}

/** What setting back needs. */
type SetBackOptions = Pick<HostsEndOptions, 'client' | 'daemonSet' | 'print' | 'signal'>;

/**
 * Has the Pods keep the block again, where `tellHosts` told them otherwise and the DaemonSet is still there. Throws KubeError; `Aborted` =
 * `signal`.
 */
export async function setHostsBack(options: SetBackOptions): Promise<void> {
  const { daemonSet, print } = options;
  if (!(await patchLive(options, resumeHosts))) return;
  print(`set DaemonSet ${daemonSet.namespace}/${daemonSet.name} back: its Pods keep the hosts block again`);
  try {
    // Leaves it to whoever applied it.
    await patchLive(options, disownHosts);
  } catch (error) {
    // The Pods do what they should.
    if (!(error instanceof KubeError)) throw error;
    print(`Helm 4 needs --force-conflicts to change DaemonSet ${daemonSet.name} again: ${error.message}`);
  }
}

/**
 * Patches it as `patchOf` says of what is there, again while that changes; true = it was patched, false = there was nothing to. Throws as
 * above.
 */
async function patchLive({ client, daemonSet, signal }: SetBackOptions, patchOf: typeof resumeHosts): Promise<boolean> {
  for (;;) {
    try {
      const live = await readDaemonSet(client, daemonSet, signal);
      const patch = live === undefined ? undefined : patchOf(live);
      if (patch === undefined) return false;
      await patchDaemonSet(client, { ...daemonSet, patch }, signal);
      return true;
    } catch (error) {
      if (!isTransient(error)) throw error;
      await pause(POLL_MS, signal);
    }
  }
}

/** Also the conflict with whoever writes the status; not what only a person can mend, nor our own end. */
function isTransient(error: unknown): boolean {
  return error instanceof KubeError && !isFinal(error) && !['Invalid', 'Aborted'].includes(error.reason);
}
