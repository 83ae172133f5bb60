// What Pods of the application are doing, and which credential the registry saw when they were pulled for.
import type { MintedToken } from '../../test/support/clouds/alibaba-state.ts';
import { fingerprintOf } from '../../test/support/clouds/registry-token.ts';
import type { AuthEntry } from '../../test/support/cluster.ts';
import { ADDRESSES } from '../../test/e2e/addresses.ts';
import { StepFailure } from '../demo-story/steps.ts';
import { APP_CHART, imageName, mustSucceed, reach, REPOSITORY, SECRET, type NodeWorld, type Tag } from './world.ts';

/** How long a Pod may take from its creation until it runs, with its image not on the node. */
export const PULL_LIMIT_MS = 10_000;

/** One container as the kubelet reports it. */
interface ContainerStatus {
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
}

/** A Pod as far as the story reads it. */
interface PodStatus {
  readonly phase?: string;
  readonly containerStatuses?: readonly ContainerStatus[];
}

/** Name of the application, of its Pod and its ServiceAccount. */
export const APP = 'web';

/** Installs the application in a namespace that is made where it is not there. */
export async function installApp(
  { helm }: NodeWorld,
  of: { readonly namespace: string; readonly tag?: Tag; readonly pullPolicy?: 'Always' | 'IfNotPresent' },
): Promise<void> {
  const args = ['install', APP, APP_CHART, '--namespace', of.namespace, '--create-namespace'];
  const values = [`image=${imageName(of.tag ?? '1.0')}`, `pullPolicy=${of.pullPolicy ?? 'IfNotPresent'}`];
  const sets = values.flatMap((value) => ['--set-string', value]);
  await mustSucceed(`helm install ${APP}`, helm.helm4([...args, ...sets]));
}

/** Waits until a Pod runs; returns the milliseconds from its creation, as the API server logged it, until this was seen. */
export async function untilRunning(world: NodeWorld, namespace: string): Promise<number> {
  const seenAt = await reach({
    expected: `Pod ${namespace}/${APP} runs`,
    look: () => readPod(world, namespace),
    holds: ({ phase }) => phase === 'Running',
    describe: describePod,
  }).then(() => Date.now());
  const events = await world.plane.auditEvents();
  // Helm 4 creates by a patch, Helm 3 by a create: the answer is 201 for both.
  const created = events.findLast(
    ({ resource, subresource, namespace: where, code }) =>
      resource === 'pods' && subresource === undefined && where === namespace && code === 201,
  );
  if (created === undefined) throw new StepFailure('the audit log knows when the Pod was created', 'it does not');
  return seenAt - created.at;
}

/** Waits until the kubelet cannot pull for a Pod; returns what it says. */
export async function untilPullRefused(world: NodeWorld, namespace: string): Promise<string> {
  const isRefused = (reason = ''): boolean => ['ErrImagePull', 'ImagePullBackOff'].includes(reason);
  const seen = await reach({
    expected: `the kubelet is refused the image of Pod ${namespace}/${APP}`,
    look: () => readPod(world, namespace),
    holds: (pod) => isRefused(waitingOf(pod)?.reason),
    describe: describePod,
  });
  return waitingOf(seen)?.message ?? '';
}

/** What a namespace's Secret holds for the registry; undefined = there is none. */
export async function readLogin({ cluster }: NodeWorld, namespace: string): Promise<AuthEntry | undefined> {
  return (await cluster.auths(namespace, SECRET))?.[ADDRESSES.registryName];
}

/**
 * The credential that the last pull since an instant (epoch ms) showed, as the log of the token endpoint has it.
 *
 * @throws StepFailure unless it is one that the cloud has minted
 */
export function lastPull({ clouds }: NodeWorld, since: number): MintedToken {
  const scope = `repository:${REPOSITORY}:pull`;
  const pulls = clouds.registryToken
    .calls()
    .filter((call) => call.at >= since && call.status === 200 && call.scopes.includes(scope));
  const shown = pulls.at(-1)?.credential;
  const minted = [...clouds.state.tokens.values()].find(({ token }) => fingerprintOf(token) === shown);
  if (minted !== undefined) return minted;
  throw new StepFailure('the log of the token server has a pull with a token of the cloud', shown ?? 'no pull');
}

async function readPod({ cluster }: NodeWorld, namespace: string): Promise<PodStatus> {
  const pod = await cluster.get('pods', APP, namespace);
  return pod?.status ?? {};
}

function waitingOf({ containerStatuses = [] }: PodStatus) {
  return containerStatuses[0]?.state?.waiting;
}

function describePod(pod: PodStatus): string {
  const { reason, message } = waitingOf(pod) ?? {};
  return [pod.phase ?? 'no Pod', reason, message].filter((part) => part !== undefined).join(', ');
}
