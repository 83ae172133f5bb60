// What the rights on the two webhook objects are for while the webhook is switched off: what was made while it was on must go, since the
// API server would ask nobody.
import { managedLabels } from '../../src/core/names.ts';
import { KINDS, pathOfObject, type Kind } from './rights-rows-of-webhooks.ts';
import type { RightRow, Run } from './rights-world.ts';

/** What is left of an earlier time; it is about nothing. */
async function leave({ world, instance }: Run, kind: Kind): Promise<void> {
  const path = pathOfObject(kind, instance);
  const [collection, name] = [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)];
  const body = { metadata: { name, labels: managedLabels(instance) }, webhooks: [] };
  const { status, body: answer } = await world.plane.request({ method: 'POST', path: collection, body });
  if (status !== 201) throw new Error(`The ${kind} object: ${status} ${JSON.stringify(answer)}`);
}

/** Of both kinds. */
export const ROWS_WITHOUT_WEBHOOK: readonly RightRow[] = KINDS.flatMap((kind) =>
  (['get', 'delete'] as const).map((verb): RightRow => ({
    right: `${verb} ${kind}webhookconfigurations.admissionregistration.k8s.io`,
    state: `the ${kind} webhook that was left goes`,
    before: (run) => leave(run, kind),
    // It is looked for once by each leader.
    again: (run) => run.restart(),
    holds: async (run) => (await run.webhook(kind)) === undefined,
  })),
);
