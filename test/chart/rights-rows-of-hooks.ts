// What the rights are for that the chart gives only while a hook runs: the Job before the release goes, and `helm test`.
import { ENDING_FLAG } from '../../src/core/hosts-end.ts';
import { objectOf } from './rendered.ts';
import { whenServed } from './rights-rows.ts';
import { ON, whenThere } from './rights-rows-of-webhooks.ts';
import type { RightRow, Run } from './rights-world.ts';

const OWN = 'in its own namespace';
const HOSTS = 'in the namespace of the hosts Pods';

/** As Helm has made it, which no controller of Deployments looks at. */
async function makeDeployment({ world, manifests, home }: Run): Promise<void> {
  await world.cluster.create('deployments', { ...objectOf(manifests, 'Deployment') }, home);
}

async function isStopped({ world, manifests, home }: Run): Promise<boolean> {
  const { name } = objectOf(manifests, 'Deployment').metadata;
  const { replicas } = (await world.cluster.get('deployments', name, home))?.spec as { readonly replicas: number };
  return replicas === 0;
}

/** As its controller would have it in a cluster without nodes: looked at, with no Pod to wait for. */
async function makeDaemonSet({ world, manifests }: Run): Promise<void> {
  const daemonSet = objectOf(manifests, 'DaemonSet');
  const { name, namespace } = daemonSet.metadata;
  await world.cluster.create('daemonsets', { ...daemonSet }, namespace);
  const none = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };
  const { status, body } = await world.plane.request({
    method: 'PATCH',
    path: `/apis/apps/v1/namespaces/${namespace ?? ''}/daemonsets/${name}/status`,
    body: { status: { ...none, observedGeneration: 100 } },
    contentType: 'application/merge-patch+json',
  });
  if (status !== 200) throw new Error(`The status of the DaemonSet: ${status} ${JSON.stringify(body)}`);
}

async function isEnding({ world, manifests }: Run): Promise<boolean> {
  const { name, namespace } = objectOf(manifests, 'DaemonSet').metadata;
  return JSON.stringify((await world.cluster.get('daemonsets', name, namespace))?.spec).includes(ENDING_FLAG);
}

const STOP = {
  state: 'the controller stays stopped, so that it writes nothing again',
  before: makeDeployment,
  holds: isStopped,
  byHook: 'cleanup',
} as const;

const END = {
  state: 'the Pods on the nodes are told to remove the hosts block',
  before: makeDaemonSet,
  holds: isEnding,
  byHook: 'cleanup',
} as const;

/** Of the Job, and of the Pod of `helm test`. */
export const HOOK_ROWS: readonly RightRow[] = [
  { right: `get deployments/scale.apps ${OWN}`, ...STOP },
  { right: `patch deployments/scale.apps ${OWN}`, ...STOP },
  { right: `list pods ${OWN}`, ...STOP },
  { right: `get daemonsets.apps ${HOSTS}`, ...END },
  { right: `patch daemonsets.apps ${HOSTS}`, ...END },
  { right: `list pods ${HOSTS}`, ...END },
  selfTestRow('create serviceaccounts'),
];

/** With `namespaces` the one of `helm test` is in each of them. */
export const HOOK_ROWS_IN_NAMESPACES: readonly RightRow[] = [
  selfTestRow('create serviceaccounts in a served namespace'),
];

function selfTestRow(right: string): RightRow {
  return {
    right,
    state: 'the test of the release shows what a new ServiceAccount gets',
    before: (run) => run.configure({ ...ON, 'service-account': '*' }),
    act: async (run) => {
      await whenServed(run);
      await whenThere(run, 'mutating');
    },
    holds: (run, printed) => Promise.resolve(printed.includes(`A new ServiceAccount ${run.tenant}/`)),
    byHook: 'self-test',
  };
}
