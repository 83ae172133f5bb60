// The store's answers -> the entries to write, and what failed.
import type { DockerEntry } from './docker-config.ts';
import { isValid } from './refresh.ts';
import type { CredentialAnswer, CredentialRequest, DesiredSecret, EntryRecord, EpochMs } from './types.ts';

/** How soon a failure is looked at again of which somebody should tell us: any event may be lost. */
const UNTOLD_MS = 600_000;

/** An entry to write, and the record of it. */
export interface NewEntry extends DockerEntry {
  readonly record: EntryRecord;
}

/** What the answers give. */
export interface Gathered {
  /** In the order of the rule; the first claim on a host wins. */
  readonly entries: readonly NewEntry[];
  /** Requests that got no usable credential, with a sentence. */
  readonly failures: readonly { readonly request: CredentialRequest; readonly message: string }[];
  /** When asking again makes sense, of failures and of credentials whose refresh failed. */
  readonly retries: readonly EpochMs[];
}

/** Gathers what the answers give for the Secret. Pure. */
export function newEntries(
  desired: DesiredSecret,
  answers: ReadonlyMap<string, CredentialAnswer>,
  now: EpochMs,
): Gathered {
  const entries = new Map<string, NewEntry>();
  const retries: EpochMs[] = [];
  const failures = desired.rule.requests.flatMap((request) => {
    const answer = answers.get(request.cacheKey);
    const fail = (message: string, retryAt: EpochMs): Gathered['failures'] => {
      retries.push(retryAt);
      return [{ request, message }];
    };
    // It became due, or expired, since the store was asked.
    if (answer === undefined) return fail(`${request.cacheKey} was not asked for`, now);
    if (answer.status === 'unavailable') return fail(answer.failure.message, answer.failure.retryAt ?? now + UNTOLD_MS);
    const { credential, source } = answer;
    if (!isValid(credential, now)) return fail(`${request.cacheKey} has just expired`, now);
    const hosts = request.hosts ?? credential.hosts ?? [];
    if (hosts.length === 0) {
      return fail(`${request.cacheKey}: the cloud names no registry host: set \`domains\``, now + UNTOLD_MS);
    }
    if (answer.status === 'stale') retries.push(answer.failure.retryAt ?? now + UNTOLD_MS);
    const record = { source, issuedAt: credential.issuedAt, expiresAt: credential.expiresAt };
    for (const host of hosts) if (!entries.has(host)) entries.set(host, { host, credential, record });
    return [];
  });
  return { entries: [...entries.values()], failures, retries };
}
