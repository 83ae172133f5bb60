// Stops the controllers of an installation before it is cleaned up: they would write everything again.
import { KubeError } from '../core/errors.ts';
import { listed } from '../core/take-over-words.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient } from '../kube/client.ts';
import { readScale, scaleToZero, type DeploymentScale } from '../kube/deployment-scale.ts';
import { isFinal } from '../kube/errors.ts';
import { readLeaseHolder } from '../kube/lease-holder.ts';
import { pause } from '../kube/pause.ts';
import { listWorkloadPods } from '../kube/workload-pods.ts';
import type { ObjectName } from '../kube/writes.ts';

/** What it is given. */
export interface StopControllerOptions {
  readonly client: KubeClient;
  readonly deployment: ObjectName;
  readonly lease: ObjectName;
  /** Only say what would be done. */
  readonly dryRun: boolean;
  readonly now: () => EpochMs;
  readonly print: (line: string) => void;
  /** Gives up waiting. */
  readonly signal: AbortSignal;
}

/** Between two looks, milliseconds: Pods take seconds to end. */
const POLL_MS = 500;

/**
 * Scales the Deployment to 0 and waits until its Pods are gone and nobody holds the Lease; gives what is still in the way when it gave
 * up, undefined when nothing is. A Deployment that is not there is stopped. Throws KubeError where a right is missing.
 */
export async function stopController(options: StopControllerOptions): Promise<string | undefined> {
  const { deployment, dryRun, print, signal } = options;
  const place = `Deployment ${deployment.namespace}/${deployment.name}`;
  let isTold = false;
  const tell = (scale: DeploymentScale | undefined): void => {
    if (isTold) return;
    isTold = true;
    if (scale === undefined) print(`there is no ${place}: nothing to stop`);
    else print(`${dryRun ? 'would stop' : 'stopped'} ${place}, which is to have ${scale.replicas} Pods`);
  };
  let inTheWay: string | undefined = 'whether the controller still runs was not looked at';
  try {
    for (;;) {
      inTheWay = await look(options, tell);
      if (inTheWay === undefined || dryRun) return undefined;
      await pause(POLL_MS, signal);
    }
  } catch (error) {
    if (error instanceof KubeError && error.reason === 'Aborted') return inTheWay;
    throw error;
  }
}

async function look(
  { client, deployment, lease, dryRun, now, signal }: StopControllerOptions,
  tell: (scale: DeploymentScale | undefined) => void,
): Promise<string | undefined> {
  try {
    const scale = await readScale(client, deployment, signal);
    // Also when somebody set it back meanwhile.
    if (scale !== undefined && scale.replicas > 0 && !dryRun) await scaleToZero(client, deployment, signal);
    tell(scale);
    const { namespace } = deployment;
    const pods =
      scale === undefined
        ? []
        : await listWorkloadPods(client, { namespace, labelSelector: scale.labelSelector, signal });
    // Whoever cleans up may run in a Pod with the same labels, which no ReplicaSet made.
    const running = pods.filter(({ owner, hasEnded }) => owner?.kind === 'ReplicaSet' && !hasEnded);
    if (running.length > 0) return `Pods of the controller are still there: ${listed(running.map(({ name }) => name))}`;
    const holder = await readLeaseHolder(client, { ...lease, now: now(), signal });
    return holder === undefined ? undefined : `${holder} still holds the Lease ${lease.namespace}/${lease.name}`;
  } catch (error) {
    if (!(error instanceof KubeError) || isFinal(error) || error.reason === 'Aborted') throw error;
    return `the cluster does not tell whether the controller still runs: ${error.message}`;
  }
}
