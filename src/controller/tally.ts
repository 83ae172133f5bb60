// Counts what became of a resource's Secrets and references, from the caches: no call, and the same world gives the same figures.
import { assessSecret, type CurrentSource, type PlanSettings } from '../core/assess-secret.ts';
import type { WriteReason } from '../core/plan-types.ts';
import type { FailedPlace, SuccessfulPlace, Tally } from '../core/resource-status.ts';
import { includesNamespace, includesServiceAccount } from '../core/scope.ts';
import type { EpochMs, ObservedSecret, Rule } from '../core/types.ts';
import type { NotedSkip } from './noted-skips.ts';
import type { Caches } from './observe.ts';

/** What counting reads. */
export interface TallyWorld {
  readonly caches: Pick<Caches, 'namespaces' | 'serviceAccounts' | 'secrets'>;
  readonly settings: PlanSettings;
  readonly currentSource: CurrentSource;
  /** What the last pass over a namespace left alone, and why. */
  readonly skipsOf: (namespace: string) => readonly NotedSkip[];
  readonly now: EpochMs;
}

/** A Secret that only waits for its turn works. */
const WORKING: ReadonlySet<WriteReason> = new Set(['CredentialDue', 'LabelsChanged']);

/** Counts the Secrets and ServiceAccounts that `rule` means. */
export function tally(rule: Rule, world: TallyWorld): { readonly secrets: Tally; readonly accounts: Tally } {
  const secrets = new Count();
  const accounts = new Count();
  for (const namespace of world.caches.namespaces.all()) {
    if (namespace.terminating || !includesNamespace(rule.scope, namespace)) continue;
    const { name } = namespace;
    const skips = world.skipsOf(name);
    const secret = world.caches.secrets.get(name, rule.secretName);
    const unreadable = skips.find((skip) => skip.reason === 'NamespaceUnreadable');
    if (unreadable !== undefined) {
      // What is remembered proves nothing, and ServiceAccounts cannot be counted: the Secret stands for all.
      secrets.add(`${name}/${rule.secretName}`, false, undefined, unreadable);
      continue;
    }
    const skipped = skips.find((skip) => skip.name === rule.secretName);
    secrets.add(`${name}/${rule.secretName}`, isRight(rule, secret, world), secret?.updatedAt, skipped);
    for (const account of world.caches.serviceAccounts.inNamespace(name).values()) {
      if (!includesServiceAccount(rule.scope, account)) continue;
      const isDone = account.imagePullSecrets.includes(rule.secretName);
      const why = skips.find((skip) => skip.name === account.name && skip.object === undefined);
      accounts.add(`${name}/${account.name}`, isDone, account.updatedAt ?? account.createdAt, why);
    }
  }
  return { secrets, accounts };
}

class Count implements Tally {
  desired = 0;
  readonly successful: SuccessfulPlace[] = [];
  readonly failed: FailedPlace[] = [];

  add(namespacedName: string, isDone: boolean, updatedAt: EpochMs | undefined, skip: NotedSkip | undefined): void {
    this.desired += 1;
    if (isDone) this.successful.push({ namespacedName, updatedAt });
    else if (skip !== undefined) {
      const { reason, message, since } = skip;
      this.failed.push({ namespacedName, reason, message, since });
    }
  }
}

function isRight(rule: Rule, secret: ObservedSecret | undefined, world: TallyWorld): boolean {
  if (secret === undefined) return false;
  const { settings, currentSource, now } = world;
  const { namespace, name } = secret;
  const assessment = assessSecret({ name, rule }, secret, { settings, namespace, currentSource, now });
  if (assessment.kind === 'taken') return false;
  return assessment.reason === undefined || WORKING.has(assessment.reason);
}
