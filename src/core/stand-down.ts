// While the add-on that we replace still runs, it overwrites what we write: a plan less everything that it would fight over.
import { VENDOR_HELPER } from './names.ts';
import type { Plan, SkipReason, Write, WriteReason } from './plan-types.ts';

const REASON: SkipReason = 'VendorHelperRuns';

/** As people name it. */
const HELPER = `${VENDOR_HELPER.namespace}/${VENDOR_HELPER.name}`;

/** Renewals of what is ours already: nobody fights over those, and Pods may rely on them. */
const RENEWALS: ReadonlySet<WriteReason> = new Set([
  'CredentialDue',
  'SourceChanged',
  'RegistriesChanged',
  'LabelsChanged',
]);

/**
 * What is left of `plan` while the vendor's helper runs: no Secret is created, adopted or put right, no reference added. Ours are
 * still renewed, and what leaves the scope still goes. What is left out is one skip; when the helper ends, every namespace is
 * planned again.
 */
export function standDown(plan: Plan): Plan {
  const writes = plan.writes.filter(isUncontested);
  if (writes.length === plan.writes.length) return plan;
  const count = plan.writes.length - writes.length;
  const what = count === 1 ? '1 write waits' : `${count} writes wait`;
  const message = `${HELPER} runs and would undo it: ${what} until it is stopped`;
  return { ...plan, writes, skips: [...plan.skips, { reason: REASON, name: HELPER, message }], truncated: false };
}

function isUncontested(write: Write): boolean {
  switch (write.kind) {
    case 'create-secret':
    case 'replace-secret':
      return false;
    case 'update-secret':
      return RENEWALS.has(write.reason);
    case 'patch-service-account':
      return write.added.length === 0;
    case 'mark-secret':
    case 'delete-secret':
      return true;
  }
}
