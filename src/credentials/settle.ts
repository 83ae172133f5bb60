// What the end of an attempt changes, and what is told of it.
import { ProviderError } from '../core/errors.ts';
import { placeOf } from '../core/resource-source.ts';
import { sourceOf } from '../core/source.ts';
import type { Credential, CredentialRequest, SecretReference } from '../core/types.ts';
import { pauseAfter } from './backoff.ts';
import { describe, validOf, type Entry, type Flight } from './entry.ts';
import type { CredentialStoreOptions } from './store-options.ts';

/** An attempt that ended. */
export interface Ended {
  readonly entry: Entry;
  readonly request: CredentialRequest;
  readonly flight: Pick<Flight, 'reads' | 'outdated'>;
}

type Told = Required<Pick<CredentialStoreOptions, 'world' | 'random' | 'onAttempt' | 'onChanged' | 'onOutcome'>>;

/** Puts a new credential in the place of the old. */
export function succeed({ entry, request, flight }: Ended, credential: Credential, told: Told): void {
  const { cacheKey, provider } = request;
  const revisions = [...flight.reads.values()].flatMap(({ reference, digest }) =>
    digest === undefined ? [] : [{ reference, digest }],
  );
  const digests = revisions.map((revision) => revision.digest);
  const recovered = entry.failed !== undefined;
  const isOther = isFirst(entry, credential);
  const isNews = isOther || hasNewRemark(entry, credential);
  if (isNews) {
    const now = (credential.warnings ?? []).map((warning) => [withoutInstants(warning), warning] as const);
    entry.told = new Map([...(isOther ? [] : entry.told), ...now]);
  }
  entry.held = { cacheKey, provider, credential, source: sourceOf(cacheKey, digests), revisions };
  entry.secrets = flight.outdated ? 'unknown' : 'same';
  entry.failed = undefined;
  told.onAttempt({ provider, cacheKey, ok: true, reason: undefined, ms: msSince(entry, told) });
  told.onChanged();
  if (isNews) told.onOutcome({ ok: true, request, credential: describe(entry.held), recovered });
}

/** Keeps the last good and remembers when to try again. */
export function fail({ entry, request, flight }: Ended, error: unknown, told: Told): void {
  const { cacheKey, provider } = request;
  const now = told.world.now();
  const { reason, message } = reasonOf(cacheKey, error);
  const attempts = (entry.failed?.attempts ?? 0) + 1;
  const retryAt = flight.outdated ? undefined : now + pauseAfter(error, attempts, told.random());
  const isNews = entry.failed?.reason !== reason;
  const since = isNews ? now : (entry.failed?.since ?? now);
  entry.failed = { reason, message, attempts, since, retryAt, references: readsOf(flight) };
  told.onAttempt({ provider, cacheKey, ok: false, reason, ms: msSince(entry, told) });
  if (!isNews) return;
  const held = validOf(entry, now);
  told.onOutcome({
    ok: false,
    request,
    failure: { reason, message, retryAt },
    error,
    since,
    ...(held === undefined ? {} : { validUntil: held.credential.expiresAt }),
  });
}

/** Secrets that an attempt read, or wanted to. */
export function readsOf(flight: Pick<Flight, 'reads'>): readonly SecretReference[] {
  return [...flight.reads.values()].map((read) => read.reference);
}

/** Every Secret that credentials, failed attempts, or calls under way read; each once. */
export function sourcesOf(entries: Iterable<Entry>): readonly SecretReference[] {
  const references = [...entries].flatMap(({ held, failed, flight }) => [
    ...(held?.revisions.map(({ reference }) => reference) ?? []),
    ...(failed?.references ?? []),
    ...(flight === undefined ? [] : readsOf(flight)),
  ]);
  return [...new Map(references.map((one) => [`${one.namespace}/${one.name}`, one])).values()];
}

/** The keys under which secrets of `dropped` are registered for redaction, and none of `kept`. */
export function unusedKeysOf(dropped: readonly Entry[], kept: readonly Entry[]): readonly string[] {
  const keysOf = (entries: readonly Entry[]): readonly string[] => [
    ...entries.map(({ cacheKey }) => cacheKey),
    ...sourcesOf(entries).map(placeOf),
  ];
  const used = new Set(keysOf(kept));
  return keysOf(dropped).filter((key) => !used.has(key));
}

/** True when it is the first of its kind: of this identity, or after a failure. */
function isFirst({ held, failed }: Entry, { identity }: Credential): boolean {
  if (held === undefined || failed !== undefined) return true;
  return withoutInstants(held.credential.identity) !== withoutInstants(identity);
}

/**
 * True when there is a remark that the last one had not and that was not told in these words: what could not be looked at now
 * and then is told once, and what ends at another instant each time that it comes.
 */
function hasNewRemark({ held, told }: Entry, { warnings = [] }: Credential): boolean {
  const before = new Set(held?.credential.warnings?.map(withoutInstants));
  return warnings.some((warning) => {
    const bare = withoutInstants(warning);
    return told.get(bare) !== warning && !before.has(bare);
  });
}

/** Instants are others at each renewal. */
function withoutInstants(text = ''): string {
  return text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '');
}

/** What is told of an error; the text of one that is not ours could hold anything. */
function reasonOf(cacheKey: string, error: unknown): Pick<ProviderError, 'reason' | 'message'> {
  if (error instanceof ProviderError) return error;
  const name = error instanceof Error ? error.name : typeof error;
  return { reason: 'Unexpected', message: `${cacheKey}: internal error (${name})` };
}

function msSince({ askedAt }: Entry, { world }: Told): number {
  const now = world.now();
  return Math.max(now - (askedAt ?? now), 0);
}
