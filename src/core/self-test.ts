// What `self-test` says of what it tried: one verdict for each, with its cure.
import type { Finding } from './doctor.ts';
import { plain } from './take-over-words.ts';
import type { EpochMs } from './types.ts';

/** What a TLS connection to where a webhook object leads came to. */
export type ServedWebhook =
  | { readonly ok: true; readonly expiresAt: EpochMs }
  /** A sentence without a full stop. */
  | { readonly ok: false; readonly why: string };

/** One of the two webhook objects. */
export interface SeenWebhook {
  readonly kind: string;
  readonly name: string;
  /** False = nothing makes one: it is switched off, or there is no way to it. undefined = it is not known. */
  readonly isWanted: boolean | undefined;
  readonly object:
    | 'absent'
    | 'foreign'
    | {
        /** Where the API server goes. */
        readonly address: string;
        /** One for each connection. */
        readonly served: readonly ServedWebhook[];
      };
}

/** What came back from a ServiceAccount that was sent as a dry run. */
export type SeenAdmission =
  | { readonly kind: 'skipped'; readonly why: string }
  /** The API server would not take it. */
  | { readonly kind: 'refused'; readonly why: string }
  /** It could not: a webhook that has to answer did not, ours or another. */
  | { readonly kind: 'webhook-failed'; readonly why: string }
  | {
      readonly kind: 'answered';
      readonly how: 'create' | 'change';
      /** `team-a/default`. */
      readonly place: string;
      readonly expected: readonly string[];
      readonly references: readonly string[];
    };

/** A login at one registry. */
export interface SeenLogin {
  readonly host: string;
  readonly outcome:
    | { readonly kind: 'accepted'; readonly how: 'token' | 'basic' | 'open' }
    | { readonly kind: 'skipped'; readonly why: string }
    | {
        readonly kind: 'failed';
        readonly why: string;
        readonly cure: string;
        /** It may come out otherwise without anybody doing anything; what refuses a credential does so again, and may count it. */
        readonly mayPass: boolean;
      };
}

/** What one attempt of a trial came to. */
export interface Tried {
  readonly findings: readonly Finding[];
  /** True when another attempt may find it otherwise. */
  readonly mayPass: boolean;
}

/** An attempt of which everything that fails may pass: after a start the webhook takes a moment. */
export function triedOf(findings: readonly Finding[]): Tried {
  return { findings, mayPass: findings.some(({ level }) => level === 'FAIL') };
}

/** Whether all rights are there; `missing` are sentences. */
export function rightsFinding(missing: readonly string[]): Finding {
  const about = { subject: 'rights', page: 'rbac.md' };
  if (missing.length === 0) return { ...about, level: 'PASS', sentences: ['All that are needed are there.'] };
  return {
    ...about,
    level: 'FAIL',
    sentences: [`${missing.length} that are needed are missing.`, ...missing.map((one) => `It ${one}.`)],
    cure: 'grant them: the chart, and docs/rbac.yaml, hold them all',
  };
}

/** Whether the token that RRSA shows to the cloud may be asked for; `account` is its ServiceAccount, namespace/name. */
export function tokenFinding(account: string, isAllowed: boolean): Finding {
  const about = { subject: `RRSA with ${account}`, page: 'identities-alibaba.md' };
  if (isAllowed) return { ...about, level: 'PASS', sentences: ['Its token may be asked for.'] };
  return {
    ...about,
    level: 'FAIL',
    sentences: ['The configuration names it for RRSA, and its token may not be asked for.'],
    cure: `set the value rrsa.tokenServiceAccount=${account} of the chart; without the chart allow "create" on serviceaccounts/token of that name`,
  };
}

/** What needs a right that is missing. */
export function unseenFinding(subject: string, why: string): Finding {
  const sentences = [`It may not be looked at: ${plain(why)}.`];
  return { subject, level: 'FAIL', sentences, cure: 'grant the rights that are named above', page: 'rbac.md' };
}

/** Whether what the API server would meet is what the object says. */
export function webhookFinding({ kind, name, isWanted, object }: SeenWebhook): Finding {
  const about = { subject: `webhook ${kind}`, page: 'configuration.md' };
  if (object === 'foreign') {
    const sentences = [`${name} is somebody else's.`];
    return {
      ...about,
      level: 'FAIL',
      sentences,
      cure: 'rename or delete it, or give this installation another --instance',
    };
  }
  if (object === 'absent') {
    if (isWanted !== true) {
      const why = isWanted === false ? 'it is switched off' : 'whether it is switched on is not known';
      return { ...about, level: 'SKIP', sentences: [`There is none: ${why}.`] };
    }
    const cure = 'see whether a replica leads, and what it logs about the webhook';
    return { ...about, level: 'FAIL', sentences: [`${name} is not there, although it is switched on.`], cure };
  }
  const failed = object.served.find((one) => !one.ok);
  if (failed !== undefined) {
    return {
      ...about,
      level: 'FAIL',
      sentences: [`${object.address}: ${failed.why}.`],
      cure: 'see whether the Pods are ready, what their /readyz?verbose says of the webhook, and whether a NetworkPolicy is in between',
    };
  }
  const ends = object.served.flatMap((one) => (one.ok ? [one.expiresAt] : []));
  const until = new Date(Math.min(...ends)).toISOString();
  const sentences = [`The caBundle verifies what ${object.address} serves, by name, until ${until}.`];
  return { ...about, level: 'PASS', sentences };
}

/** Whether a ServiceAccount comes back with what the rules want. */
export function admissionFinding(seen: SeenAdmission): Finding {
  const about = { subject: 'admission', page: 'configuration.md' };
  if (seen.kind === 'skipped') return { ...about, level: 'SKIP', sentences: [`Not tried: ${seen.why}.`] };
  const cure =
    'see whether the API server reaches the webhook: its metrics apiserver_admission_webhook_*, and the log of the controller';
  if (seen.kind === 'refused') {
    const sentences = [`The API server refused the dry run: ${plain(seen.why)}.`];
    return { ...about, level: 'FAIL', sentences, cure: 'see what refuses it: another webhook, a policy, a quota' };
  }
  if (seen.kind === 'webhook-failed') {
    return {
      ...about,
      level: 'FAIL',
      sentences: [`The API server could not take the dry run: ${plain(seen.why)}.`],
      cure: 'see whether the Pods behind that webhook are ready and the API server reaches them; with failurePolicy Ignore (for ours the key webhook-configuration) it holds nothing up',
    };
  }
  const { how, place, expected, references } = seen;
  const lost = expected.filter((name) => !references.includes(name));
  const what = how === 'create' ? `A new ServiceAccount ${place}` : `The ServiceAccount ${place} without it`;
  if (lost.length === 0) {
    const sentences = [`${what} came back, from a dry run, with the reference to ${expected.join(', ')}.`];
    return { ...about, level: 'PASS', sentences };
  }
  const sentences = [`${what} came back, from a dry run, without the reference to ${lost.join(', ')}.`];
  return { ...about, level: 'FAIL', sentences, cure };
}

/** Whether each registry takes what is held for it. */
export function loginFinding({ host, outcome }: SeenLogin): Finding {
  const about = { subject: `registry ${host}`, page: 'reasons.md' };
  switch (outcome.kind) {
    case 'accepted':
      return { ...about, level: 'PASS', sentences: [ACCEPTED[outcome.how]] };
    case 'skipped':
      return { ...about, level: 'SKIP', sentences: [`Not tried: ${outcome.why}.`] };
    case 'failed':
      return { ...about, level: 'FAIL', sentences: [`${outcome.why}.`], cure: outcome.cure };
  }
}

const ACCEPTED = {
  token: 'Its token service takes the credential.',
  basic: 'It takes the credential.',
  open: 'It asks for none.',
} as const;
