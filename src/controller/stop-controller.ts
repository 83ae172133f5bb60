// Stops the controllers of an installation before it is cleaned up after: they would write everything again. And lets them run again when
// cleaning up gave up: an installation that stays must work.
import { KubeError } from '../core/errors.ts';
import { listed } from '../core/take-over-words.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient } from '../kube/client.ts';
import { readScale, writeScale, type DeploymentScale } from '../kube/deployment-scale.ts';
import { isFinal } from '../kube/errors.ts';
import { readLeaseHolder } from '../kube/lease-holder.ts';
import { pause } from '../kube/pause.ts';
import { listWorkloadPods } from '../kube/workload-pods.ts';
import type { ObjectName } from '../kube/writes.ts';

/** What it is given. */
export interface ControllerStopOptions {
  readonly client: KubeClient;
  readonly deployment: ObjectName;
  /** How many Pods it is to get back where it was found with 0, as a run that was killed leaves it; undefined = none. */
  readonly replicas: number | undefined;
  readonly lease: ObjectName;
  /** Only say what would be done. */
  readonly dryRun: boolean;
  readonly now: () => EpochMs;
  readonly print: (line: string) => void;
  /**
   * Nobody leads any more, while Pods may still be there that do not end: called until it succeeds, again when somebody led since. For
   * what must not stay behind without a controller. Throws KubeError.
   */
  readonly onLeaderless: () => Promise<void>;
  /** Gives up waiting; what is left is still looked at. */
  readonly patience: AbortSignal;
  readonly signal: AbortSignal;
}

/** Between two looks, milliseconds: Pods take seconds to end. */
const POLL_MS = 500;

/** One Deployment of the controller. */
export class ControllerStop {
  readonly #options: ControllerStopOptions;
  #had: number | undefined;
  #isTold = false;
  #isLeaderless = false;

  constructor(options: ControllerStopOptions) {
    this.#options = options;
  }

  /** How many Pods it is to get back; undefined = nothing is known of it, or it is not there. */
  get had(): number | undefined {
    return this.#had;
  }

  /**
   * Scales it to 0 and waits until its Pods are gone and nobody holds the Lease; gives what is still in the way when it gave up, undefined
   * when nothing is. A Deployment that is not there is stopped. Throws KubeError where a right is missing.
   */
  async stop(): Promise<string | undefined> {
    const { dryRun, patience } = this.#options;
    let inTheWay: string | undefined = 'whether the controller still runs was not looked at';
    try {
      for (;;) {
        inTheWay = await this.#look();
        if (inTheWay === undefined || dryRun) return undefined;
        await pause(POLL_MS, patience);
      }
    } catch (error) {
      if (error instanceof KubeError && error.reason === 'Aborted') return inTheWay;
      throw error;
    }
  }

  /** Gives it the Pods back that `stop` took, unless somebody was faster. Throws KubeError; `Aborted` = `signal`. */
  async setBack(signal: AbortSignal): Promise<void> {
    const { client, deployment, print } = this.#options;
    const replicas = this.#had;
    if (replicas === undefined || replicas === 0) return;
    for (;;) {
      try {
        const scale = await readScale(client, deployment, signal);
        if (scale?.replicas !== 0) return;
        await writeScale(client, { ...deployment, replicas }, signal);
        print(`set ${placeOf(deployment)} back to ${replicas} Pods: the installation goes on as before`);
        return;
      } catch (error) {
        if (!(error instanceof KubeError) || isFinal(error) || error.reason === 'Aborted') throw error;
        await pause(POLL_MS, signal);
      }
    }
  }

  async #look(): Promise<string | undefined> {
    const { client, deployment, replicas, lease, dryRun, now, onLeaderless, signal } = this.#options;
    try {
      const scale = await readScale(client, deployment, signal);
      // Also when somebody set it back meanwhile.
      if (scale !== undefined && scale.replicas > 0 && !dryRun) {
        this.#had = scale.replicas;
        await writeScale(client, { ...deployment, replicas: 0 }, signal);
      }
      if (scale?.replicas === 0) this.#had ??= replicas;
      this.#tell(scale);
      const { namespace } = deployment;
      const pods =
        scale === undefined
          ? []
          : await listWorkloadPods(client, { namespace, labelSelector: scale.labelSelector, signal });
      const holder = await readLeaseHolder(client, { ...lease, now: now(), signal });
      if (holder !== undefined) this.#isLeaderless = false;
      else if (!this.#isLeaderless && !dryRun) {
        await onLeaderless();
        this.#isLeaderless = true;
      }
      // Whoever cleans up may run in a Pod with the same labels, which no ReplicaSet made.
      const running = pods.filter(({ owner, hasEnded }) => owner?.kind === 'ReplicaSet' && !hasEnded);
      if (running.length > 0)
        return `Pods of the controller are still there: ${listed(running.map(({ name }) => name))}`;
      return holder === undefined ? undefined : `${holder} still holds the Lease ${lease.namespace}/${lease.name}`;
    } catch (error) {
      if (!(error instanceof KubeError) || isFinal(error) || error.reason === 'Aborted') throw error;
      return `the cluster does not tell whether the controller still runs: ${error.message}`;
    }
  }

  #tell(scale: DeploymentScale | undefined): void {
    const { deployment, dryRun, print } = this.#options;
    if (this.#isTold) return;
    this.#isTold = true;
    const place = placeOf(deployment);
    if (scale === undefined) print(`there is no ${place}: nothing to stop`);
    else print(`${dryRun ? 'would stop' : 'stopped'} ${place}, which is to have ${scale.replicas} Pods`);
  }
}

function placeOf({ namespace, name }: ObjectName): string {
  return `Deployment ${namespace}/${name}`;
}
