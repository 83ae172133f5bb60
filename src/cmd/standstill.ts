// What stands still while `cleanup` works, and runs again when that failed: the controller, and the keeping of the hosts block. A release
// whose uninstallation failed stays, and must go on working.
import { setHostsBack } from '../controller/end-hosts.ts';
import { removeWebhooks } from '../controller/clean-up-shared.ts';
import { ControllerStop } from '../controller/stop-controller.ts';
import { KubeError } from '../core/errors.ts';
import { leaseName } from '../core/names.ts';
import type { KubeClient } from '../kube/client.ts';
import { readLeaseHolder, readLeaseVersion } from '../kube/lease-holder.ts';
import type { CleanupFlags } from './cleanup-settings.ts';

/** What it is given. */
export interface StandstillOptions {
  readonly client: KubeClient;
  readonly cleanup: CleanupFlags;
  /** Namespace of the Lease. */
  readonly namespace: string;
  readonly instance: string;
  /** True = no other namespace is served: the webhooks go. */
  readonly isWhole: boolean;
  readonly dryRun: boolean;
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
  readonly onUnknown: (what: string, error: KubeError) => void;
  /** Gives up waiting. */
  readonly patience: AbortSignal;
  readonly signal: AbortSignal;
}

/** How long setting back may take, milliseconds: a process that was asked to end has 20 s for all that it does. */
const SET_BACK_MS = 10_000;

/** Helm calls a release whose hook failed `uninstalling`, and upgrades none of that state. */
const AFTER_HELM =
  'where helm uninstall ran this, run it again when the cause is mended; to keep the release, run helm rollback RELEASE REVISION with the last revision of helm history RELEASE (Helm 4: with --force-conflicts): until then helm upgrade finds no deployed release';

/** The standstill of one installation. */
export interface Standstill {
  /** Begins it, or looks whether it still holds; gives what is in the way of it, undefined when nothing is. Throws KubeError. */
  begin(): Promise<string | undefined>;
  /** Another value than before: somebody led meanwhile, and may have written. Throws KubeError. */
  ledVersion(): Promise<string | undefined>;
  /** Ends it where it was begun, and says what to do where that is refused. Throws no KubeError. */
  end(): Promise<void>;
}

/** Builds it; nothing is read or written before `begin`. */
export function createStandstill(options: StandstillOptions): Standstill {
  const { client, cleanup, namespace, instance, dryRun, print, complain, signal } = options;
  const lease = { namespace, name: leaseName(instance) };
  const { deployment, daemonSet } = cleanup;
  const controller =
    deployment === undefined
      ? undefined
      : new ControllerStop({
          ...{ ...options, deployment, replicas: cleanup.replicas, lease, now: Date.now },
          onLeaderless: () => (options.isWhole ? removeWebhooks(options) : Promise.resolve()),
        });
  const tried = async (run: (within: AbortSignal) => Promise<void> | undefined, cure: string): Promise<void> => {
    try {
      await run(AbortSignal.timeout(SET_BACK_MS));
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      complain(`${cure}: ${error.message}`);
    }
  };
  return {
    async begin() {
      if (controller !== undefined) return controller.stop();
      const holder = await readLeaseHolder(client, { ...lease, now: Date.now(), signal });
      if (holder === undefined || dryRun) return undefined;
      return `${holder} runs this installation and would write everything again: stop it first`;
    },
    ledVersion: () => readLeaseVersion(client, { ...lease, signal }),
    async end() {
      if (dryRun) return;
      const { namespace: place = '', name = '' } = deployment ?? {};
      const { namespace: hostsPlace = '', name: hostsName = '' } = daemonSet ?? {};
      await Promise.all([
        tried(
          (within) => controller?.setBack(within),
          `the controller stays stopped, run kubectl -n ${place} scale deployment ${name} --replicas=${controller?.had ?? 0}`,
        ),
        tried(
          (within) => daemonSet && setHostsBack({ client, daemonSet, print, signal: within }),
          `the hosts block is no longer kept, take --cleanup-and-stay out of the arguments of the DaemonSet ${hostsPlace}/${hostsName}`,
        ),
      ]);
      if (deployment !== undefined) complain(AFTER_HELM);
    },
  };
}
