// The decision for one namespace, as one pure function: what to write, what to leave alone and why, when to look again.
import { withEarlier } from './definition-mark.ts';
import { planSecrets, soonest, type PlanContext } from './plan-secrets.ts';
import { planServiceAccounts } from './plan-service-accounts.ts';
import type { Plan, Write } from './plan-types.ts';
import type { CredentialAnswer, Desired, ObservedNamespace } from './types.ts';

/** Most writes in one pass: ten thousand ServiceAccounts in one namespace must not make a new one wait. */
export const MAX_WRITES = 200;

/**
 * Decides for one namespace. `answers` holds the store's answer to each of `wantedCredentials`.
 *
 * | Secret that is there | and | then |
 * |---|---|---|
 * | none | a credential | create |
 * | none | no credential | leave (`CredentialUnavailable`) |
 * | foreign | vendor's name or `adopt-existing: all`, right type, every credential | update in place (`SecretAdopted`) |
 * | foreign | the same, but a credential is missing | leave (`LastGoodKept`): what it holds may still work |
 * | foreign | otherwise | leave (`NameTaken`) |
 * | ours, wrong type or immutable | a credential | replace: the only delete-and-create |
 * | ours, its content or our annotations edited, or our labels lost | a credential | update in place |
 * | ours, other registries or another source | every still valid entry can be written | update in place |
 * | ours, other registries or another source | one cannot | leave (`LastGoodKept`) |
 * | ours, an entry is due | the new one lives longer | update in place |
 * | ours, lacks labels, whatever else is wrong | no life gets shorter, and every still valid entry can be written | update in place |
 * | any, and what we wrote was undone again and again | a write to make, whatever the reason | wait (`Contended`) |
 * | any, and the API server refused the last write to it | a write to make, whatever the reason | wait (`WriteRefused`) |
 * | ours, all right | | nothing |
 * | ours, of a resource that is known, bears another definition | no other write | mark (`DefinitionChanged`) |
 * | ours, of a resource that is not known, bears another definition | | leave, and references to it: it went with its definition |
 * | ours, no rule wants it | | references go, then delete |
 *
 * | ServiceAccount | then |
 * |---|---|
 * | in scope, lacks the reference, Secret is there or being written | append, record it |
 * | in scope, keeps losing it | wait (`Contended`) |
 * | its last write was refused by the API server | wait (`WriteRefused`); a Secret that it still refers to stays |
 * | has a recorded reference that no rule wants | remove it |
 * | the same, and a Secret that it lacks is refused by the API server | leave: it may be the predecessor |
 * | has an unrecorded reference, whatever its name | leave: it is its owner's |
 *
 * Order: missing Secrets, references to add (newest ServiceAccount first), other Secrets, references to remove, deletions. At
 * most `MAX_WRITES` of them, in that order, but Secrets to update always fit: they are few, and what they renew is about to end.
 */
export function planNamespace(
  wanted: Desired,
  answers: ReadonlyMap<string, CredentialAnswer>,
  context: PlanContext,
): Plan {
  const { observed, now } = context;
  const desired = withEarlier(wanted, observed);
  if (observed.namespace.terminating) {
    const message = `Namespace ${observed.namespace.name} is being deleted`;
    return {
      writes: [],
      skips: [{ reason: 'NamespaceTerminating', name: observed.namespace.name, message }],
      nextCheckAt: undefined,
      truncated: false,
    };
  }
  const secrets = planSecrets(desired, answers, context);
  const accounts = planServiceAccounts(desired, observed, secrets, now);
  const ofKind = (...kinds: readonly Write['kind'][]): readonly Write[] =>
    secrets.writes.filter((write) => kinds.includes(write.kind));
  const writes = [
    ...ofKind('create-secret', 'replace-secret'),
    ...accounts.additions,
    ...ofKind('update-secret', 'mark-secret'),
    ...accounts.removals,
    ...ofKind('delete-secret').filter((write) => !accounts.stillReferenced.has(write.name)),
  ];
  return {
    writes: fitting(writes),
    skips: [...secrets.skips, ...accounts.skips],
    nextCheckAt: soonest(secrets.nextCheckAt, accounts.nextCheckAt),
    truncated: writes.length > MAX_WRITES,
  };
}

/** The plan for a namespace whose ServiceAccounts and Secrets may not be read: nothing is known, so nothing is touched. */
export function planUnread({ name, terminating }: ObservedNamespace): Plan {
  const message = `ServiceAccounts and Secrets of ${name} may not be read: put the Role and the RoleBinding of docs/rbac-namespaced.yaml into it`;
  const skips = terminating ? [] : [{ reason: 'NamespaceUnreadable', name, message } as const];
  return { writes: [], skips, nextCheckAt: undefined, truncated: false };
}

/** What one pass makes of the writes, in their order. */
function fitting(writes: readonly Write[]): readonly Write[] {
  const updates = writes.filter((write) => write.kind === 'update-secret').slice(0, MAX_WRITES);
  const others = writes.filter((write) => write.kind !== 'update-secret').slice(0, MAX_WRITES - updates.length);
  const fit = new Set([...updates, ...others]);
  return writes.filter((write) => fit.has(write));
}
