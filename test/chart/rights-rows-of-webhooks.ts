// What the rights on the two webhook objects are for.
import { eventually } from '../support/eventually.ts';
import type { RightRow, Run } from './rights-world.ts';

/** Switches it on. */
export const ON = { 'webhook-configuration': 'enable: true\n' };
/** Those that there are. */
export const KINDS = ['mutating', 'validating'] as const;

/** One of them. */
export type Kind = (typeof KINDS)[number];

/** They come a while after they are wanted: replicas get time to listen. */
export const whenThere = (run: Run, kind: Kind) =>
  eventually(`the ${kind} object is there`, () => run.webhook(kind), 45_000);
/** Where the API server has the object of an instance. */
export const pathOfObject = (kind: Kind, instance: string): string =>
  `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations/registry-credential-helper-${instance}`;
const timeoutOf = async (run: Run, kind: Kind): Promise<number | undefined> => {
  const webhooks = (await run.webhook(kind))?.webhooks as readonly { readonly timeoutSeconds: number }[] | undefined;
  return webhooks?.[0]?.timeoutSeconds;
};

/** Of both kinds, and of what they are owned by. */
export const WEBHOOK_ROWS: readonly RightRow[] = [
  ...KINDS.flatMap(rowsOf),
  {
    right: 'get clusterroles.rbac.authorization.k8s.io',
    state: 'the webhook objects are owned by the ClusterRole of the release',
    before: (run) => run.configure(ON),
    act: (run) => whenThere(run, 'mutating'),
    again: async (run) => {
      await run.world.plane.request({ method: 'DELETE', path: pathOfObject('mutating', run.instance) });
      await whenThere(run, 'mutating');
    },
    holds: async (run) =>
      ((await run.webhook('mutating'))?.metadata as { ownerReferences?: readonly unknown[] } | undefined)
        ?.ownerReferences?.length === 1,
  },
];

function rowsOf(kind: Kind): readonly RightRow[] {
  const resource = `${kind}webhookconfigurations.admissionregistration.k8s.io`;
  const isThere = async (run: Run): Promise<boolean> => (await run.webhook(kind)) !== undefined;
  const before = (run: Run): Promise<void> => run.configure(ON);
  return [
    { right: `list ${resource}`, state: `the ${kind} webhook is there`, before, holds: isThere },
    { right: `create ${resource}`, state: `the ${kind} webhook is there`, before, holds: isThere },
    {
      right: `watch ${resource}`,
      state: `the ${kind} webhook that somebody deletes comes back`,
      before,
      act: async (run) => {
        await whenThere(run, kind);
        await run.world.plane.request({ method: 'DELETE', path: pathOfObject(kind, run.instance) });
      },
      holds: isThere,
    },
    {
      right: `update ${resource}`,
      state: `the ${kind} webhook that somebody changes is put right`,
      before,
      act: async (run) => {
        const live = await whenThere(run, kind);
        const webhooks = (live.webhooks as readonly object[]).map((one) => ({ ...one, timeoutSeconds: 29 }));
        const path = pathOfObject(kind, run.instance);
        const { status } = await run.world.plane.request({ method: 'PUT', path, body: { ...live, webhooks } });
        if (status !== 200) throw new Error(`The ${kind} object could not be changed: ${status}`);
      },
      holds: async (run) => (await timeoutOf(run, kind)) === 3,
    },
    {
      right: `get ${resource}`,
      state: `the ${kind} webhook goes with cleanup`,
      before,
      act: (run) => whenThere(run, kind),
      holds: async (run) => !(await isThere(run)),
      byCleanup: true,
    },
    {
      right: `delete ${resource}`,
      state: `the ${kind} webhook goes with cleanup`,
      before,
      act: (run) => whenThere(run, kind),
      holds: async (run) => !(await isThere(run)),
      byCleanup: true,
    },
  ];
}
