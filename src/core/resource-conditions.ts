// Conditions of an `ImagePullSecret`, as `kubectl wait` and Helm read them: `Ready`, and the abnormal `Reconciling` and `Stalled`
// (https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md).
import { instantText, type Ending } from './password-end.ts';
import { KEY_CONFLICT, wasRefused } from './resource-conflicts.ts';
import type { ResourceFacts } from './resource-status.ts';

/** A condition in the form of the API. */
export interface Condition {
  readonly type: 'Ready' | 'Reconciling' | 'Stalled' | 'PasswordExpiring';
  readonly status: 'True' | 'False';
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

/** Longest message, characters: the whole object stays small. */
const MAX_MESSAGE = 1_024;

/** Nothing is decided while the vendor's add-on runs: who was refused must not count as served afterwards. */
const STILL_REFUSED = {
  reason: KEY_CONFLICT,
  message:
    'It was refused because of a Secret that another uses too; that is decided anew when tcr-assistant is stopped',
} as const;

interface Verdict {
  readonly state: 'ready' | 'reconciling' | 'stalled';
  readonly reason: string;
  readonly message: string;
}

/** Builds them; a transition that did not happen keeps its instant from `previous`. */
export function buildConditions(
  facts: ResourceFacts,
  ending: Ending | undefined,
  previous: unknown,
): readonly Condition[] {
  const verdict = judge(facts);
  const { state } = verdict;
  const of = (type: Condition['type'], isTrue: boolean, said: Pick<Verdict, 'reason' | 'message'>): Condition => {
    const status = isTrue ? 'True' : 'False';
    return {
      type,
      status,
      observedGeneration: facts.generation,
      lastTransitionTime: sinceOf(previous, type, status) ?? instantText(facts.now),
      reason: said.reason,
      message: said.message.slice(0, MAX_MESSAGE),
    };
  };
  const quiet = (isTrue: boolean): Pick<Verdict, 'reason' | 'message'> =>
    isTrue ? verdict : { reason: verdict.reason, message: '' };
  return [
    of('Ready', state === 'ready', facts.isStandingDown && wasRefused(previous) ? STILL_REFUSED : verdict),
    of('Reconciling', state === 'reconciling', quiet(state === 'reconciling')),
    of('Stalled', state === 'stalled', quiet(state === 'stalled')),
    ...(ending === undefined ? [] : [of('PasswordExpiring', ending.stage !== 'valid', sayEnding(ending))]),
  ];
}

/** What is said of an ending, with the cure. */
export function sayEnding({ endsAt, stage }: Ending): Pick<Verdict, 'reason' | 'message'> {
  const at = instantText(endsAt);
  const cure = 'put a new one into the resource, or let it be minted with spec.tcr';
  switch (stage) {
    case 'valid':
      return { reason: 'PasswordValid', message: `The password ends at ${at}` };
    case 'near':
      return { reason: 'PasswordExpires', message: `The password ends at ${at}: ${cure}` };
    case 'over':
      return { reason: 'PasswordExpired', message: `The password ended at ${at}: ${cure}` };
  }
}

function judge(facts: ResourceFacts): Verdict {
  const { issues, conflict, isStandingDown, secrets, accounts, credential, failure } = facts;
  const errors = [...issues, ...(conflict === undefined ? [] : [conflict])].filter(
    ({ severity }) => severity === 'error',
  );
  const wrong = errors.map(({ path, message: what }) => `${path} ${what}`).join('; ');
  if (isStandingDown) {
    const waits = 'The vendor’s tcr-assistant runs and serves it: it is taken over when that is stopped';
    const message = errors.length === 0 ? waits : `${waits}. To be corrected before: ${wrong}`;
    return { state: 'stalled', reason: 'VendorHelperRuns', message };
  }
  const reason = conflict === undefined ? 'SpecInvalid' : KEY_CONFLICT;
  if (errors.length > 0) return { state: 'stalled', reason, message: wrong };
  if (credential === undefined && failure !== undefined) return { state: 'reconciling', ...failure };
  const [first] = [...secrets.failed, ...accounts.failed].toSorted((a, b) =>
    a.namespacedName < b.namespacedName ? -1 : 1,
  );
  const progress = `${secrets.successful.length} of ${secrets.desired} Secrets and ${accounts.successful.length} of ${accounts.desired} ServiceAccounts are done`;
  if (first !== undefined) {
    return {
      state: 'reconciling',
      reason: first.reason,
      message: `${progress}; ${first.namespacedName}: ${first.message}`,
    };
  }
  if (secrets.successful.length < secrets.desired || accounts.successful.length < accounts.desired) {
    return { state: 'reconciling', reason: 'Progressing', message: progress };
  }
  if (secrets.desired === 0) return { state: 'ready', reason: 'NothingMatches', message: 'No namespace matches' };
  return { state: 'ready', reason: 'Distributed', message: progress };
}

function sinceOf(previous: unknown, type: string, status: string): string | undefined {
  const { conditions } = (previous ?? {}) as Readonly<Record<string, unknown>>;
  const known: readonly unknown[] = Array.isArray(conditions) ? conditions : [];
  for (const one of known) {
    const { lastTransitionTime: since, ...condition } = (one ?? {}) as Readonly<Record<string, unknown>>;
    if (condition.type !== type || condition.status !== status || typeof since !== 'string') continue;
    return Number.isNaN(Date.parse(since)) ? undefined : since;
  }
  return undefined;
}
