// What the program asked the API server for, from the audit log, and what it said in Events.
import type { AuditEvent } from './control-plane/audit-log.ts';
import { PROGRAM_USER, type World } from './world.ts';

const NOT_WORK = new Set(['leases', 'selfsubjectaccessreviews']);
const WRITE_VERBS = new Set(['create', 'patch', 'update', 'delete']);

/** A place in the audit log: now. */
export async function markCalls(world: World): Promise<number> {
  return (await world.plane.auditEvents()).length;
}

/** Calls of the program after `mark` but for its Lease and the question what it may do, in the order of their answers. */
export async function programCalls(world: World, mark = 0): Promise<readonly AuditEvent[]> {
  const events = await world.plane.auditEvents();
  return events.slice(mark).filter((event) => event.user === PROGRAM_USER && !NOT_WORK.has(event.resource ?? ''));
}

/** Those of them that write Secrets and ServiceAccounts of tenants, whether they succeeded or not. */
export async function programWrites(world: World, mark = 0): Promise<readonly AuditEvent[]> {
  return (await programCalls(world, mark)).filter(
    ({ verb, resource, namespace }) =>
      WRITE_VERBS.has(verb) &&
      (resource === 'secrets' || resource === 'serviceaccounts') &&
      namespace !== 'kube-system',
  );
}

/** An Event as far as the tests read it. */
export interface TestEvent {
  readonly reason: string;
  readonly message: string;
  readonly type: string;
  readonly involvedObject: { readonly kind: string; readonly name: string; readonly uid: string };
}

/** Events in `namespace`, in any order. */
export async function eventsIn(world: World, namespace: string): Promise<readonly TestEvent[]> {
  return (await world.cluster.list('events', namespace)) as unknown as readonly TestEvent[];
}
