// The decisions about `imagePullSecrets`: ours are appended and recorded, only what is recorded is ever removed.
import { mayBeWanted } from './desired.ts';
import type { SecretDecisions } from './plan-secrets.ts';
import { includesServiceAccount } from './scope.ts';
import type { Skip, Write } from './plan-types.ts';
import type { Desired, EpochMs, Observed, ObservedServiceAccount } from './types.ts';

type ReferenceWrite = Extract<Write, { kind: 'patch-service-account' }>;

/** The decisions about ServiceAccounts. */
export interface ServiceAccountDecisions {
  /** References to add, newest ServiceAccount first. */
  readonly additions: readonly Write[];
  /** References to remove, and records to correct. */
  readonly removals: readonly Write[];
  /** Names whose unwanted reference cannot be removed now: their Secrets must stay. */
  readonly stillReferenced: ReadonlySet<string>;
  readonly skips: readonly Skip[];
  readonly nextCheckAt: EpochMs | undefined;
}

/** Plans the references of every ServiceAccount in the namespace, after what was decided about Secrets. */
export function planServiceAccounts(
  desired: Desired,
  observed: Observed,
  secrets: Pick<SecretDecisions, 'ready' | 'refused'>,
  now: EpochMs,
): ServiceAccountDecisions {
  const additions: { readonly write: Write; readonly createdAt: EpochMs }[] = [];
  const removals: Write[] = [];
  const skips: Skip[] = [];
  const checks: EpochMs[] = [];
  const stillReferenced = new Set<string>();
  for (const account of observed.serviceAccounts) {
    const { write, kept } = planServiceAccount(account, desired, secrets);
    for (const name of kept) stillReferenced.add(name);
    if (write === undefined) continue;
    const refusedUntil = observed.refusedUntil.get(account.uid) ?? 0;
    if (refusedUntil > now) {
      const message = `ServiceAccount ${account.namespace}/${account.name} may not be written: waiting before trying again`;
      skips.push({ reason: 'WriteRefused', name: account.name, uid: account.uid, message });
      checks.push(refusedUntil);
      for (const name of write.removed) stillReferenced.add(name);
      continue;
    }
    const until = observed.contendedUntil.get(account.uid) ?? 0;
    if (write.added.length === 0) removals.push(write);
    else if (until > now) {
      const message = `ServiceAccount ${account.namespace}/${account.name} keeps losing ${write.added.join(', ')} to another writer: waiting before adding it again`;
      skips.push({ reason: 'Contended', name: account.name, uid: account.uid, message });
      checks.push(until);
      // What is to go does not wait: its Secret may be deleted in the same pass.
      const { write: removal } = planServiceAccount(account, desired, { ...secrets, ready: new Set() });
      if (removal !== undefined) removals.push(removal);
    } else additions.push({ write, createdAt: account.createdAt });
  }
  additions.sort((a, b) => b.createdAt - a.createdAt);
  return {
    additions: additions.map((addition) => addition.write),
    removals,
    stillReferenced,
    skips,
    nextCheckAt: checks.length === 0 ? undefined : Math.min(...checks),
  };
}

/** `kept`: references that are to go, but may be the predecessor of one that cannot be added. */
function planServiceAccount(
  account: ObservedServiceAccount,
  desired: Desired,
  secrets: Pick<SecretDecisions, 'ready' | 'refused'>,
): { readonly write: ReferenceWrite | undefined; readonly kept: readonly string[] } {
  const { added, removed, recorded, kept } = referenceChanges(account, desired, secrets);
  if (added.length === 0 && removed.length === 0 && sameMembers(recorded, account.recorded)) {
    return { write: undefined, kept };
  }
  const write: ReferenceWrite = {
    kind: 'patch-service-account',
    namespace: account.namespace,
    name: account.name,
    uid: account.uid,
    resourceVersion: account.resourceVersion,
    imagePullSecrets: [...account.imagePullSecrets.filter((name) => !removed.includes(name)), ...added],
    recorded,
    added,
    removed,
    reason: added.length > 0 ? 'ReferenceMissing' : 'ReferenceUnwanted',
  };
  return { write, kept };
}

/** What the rules change about one ServiceAccount; the planner and the admission webhook both ask here. */
export interface ReferenceChanges {
  /** Wanted, ready and not there, in the order of the rules. */
  readonly added: readonly string[];
  /** Recorded as ours and no longer wanted. */
  readonly removed: readonly string[];
  /** To go, but perhaps the predecessor of one that cannot be added: they stay. */
  readonly kept: readonly string[];
  /** Our record afterwards. */
  readonly recorded: readonly string[];
}

/** Decides it. `ready`: Secrets that it is sound to refer to; `refused`: those that cannot be written. */
export function referenceChanges(
  account: Pick<ObservedServiceAccount, 'name' | 'labels' | 'imagePullSecrets' | 'recorded'>,
  desired: Desired,
  { ready, refused }: Pick<SecretDecisions, 'ready' | 'refused'>,
): ReferenceChanges {
  const wanted = desired.secrets
    .filter((secret) => includesServiceAccount(secret.rule.scope, account))
    .map((secret) => secret.name);
  const present = new Set(account.imagePullSecrets);
  const isUnwanted = (name: string): boolean => !wanted.includes(name) && !mayBeWanted(name, desired);
  const unwanted = account.recorded.filter((name) => isUnwanted(name) && present.has(name));
  const kept = wanted.some((name) => refused.has(name)) ? unwanted : [];
  const removed = unwanted.filter((name) => !kept.includes(name));
  const added = wanted.filter((name) => !present.has(name) && ready.has(name));
  const stays = (name: string): boolean =>
    isUnwanted(name) ? kept.includes(name) : present.has(name) || !ready.has(name);
  return { added, removed, kept, recorded: [...new Set([...account.recorded.filter(stays), ...added])] };
}

function sameMembers(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((member) => b.includes(member));
}
