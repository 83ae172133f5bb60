// The master copy as text: what a new leader takes over. Written by us, but read as if by anybody.
import { isRecord, parseRecord } from '../core/records.ts';
import { isValid } from '../core/refresh.ts';
import { isResourceReference } from '../core/resource-source.ts';
import { sourceOf } from '../core/source.ts';
import type { Credential, EpochMs, Issue, SecretReference } from '../core/types.ts';

/** A Secret that was read for a credential, and as what. */
export interface SecretRevision {
  readonly reference: SecretReference;
  /** `ABSENT` = there was none. */
  readonly digest: string;
}

/** In place of the digest of a Secret that was not there: when it appears, it may mean another identity. */
export const ABSENT = 'absent';

/** A credential that is held. */
export interface StoredCredential {
  readonly cacheKey: string;
  readonly provider: string;
  readonly credential: Credential;
  readonly source: string;
  readonly revisions: readonly SecretRevision[];
}

const VERSION = 1;

/** Most bytes of credentials that are written: half of what a Secret holds, which has more to hold. */
const MAX_CREDENTIALS_BYTES = 524_288;

/** Bounds of what is read: a Secret holds no more than 1 MiB. */
const MAX_TEXT = 1_500_000;

/** Latest instant that a Date can hold. */
const MAX_INSTANT = 8_640_000_000_000_000;

/**
 * Renders credentials, in a stable order. Secret. Of more than there is room for, those are left out that are had again most easily, and of
 * equal ones the longest: whoever writes resources must not be able to stop the master copy. `omitted`: how many.
 */
export function formatSnapshot(stored: readonly StoredCredential[]): {
  readonly text: string;
  readonly omitted: number;
} {
  const kept: { readonly cacheKey: string; readonly text: string }[] = [];
  let bytes = 0;
  const sized = stored.map((one) => ({ ease: easeOf(one), cacheKey: one.cacheKey, text: JSON.stringify(one) }));
  const wanted = sized.toSorted(
    (a, b) => a.ease - b.ease || a.text.length - b.text.length || (a.cacheKey < b.cacheKey ? -1 : 1),
  );
  for (const { cacheKey, text } of wanted) {
    const length = Buffer.byteLength(text) + 1;
    if (bytes + length > MAX_CREDENTIALS_BYTES) continue;
    bytes += length;
    kept.push({ cacheKey, text });
  }
  const texts = kept.toSorted((a, b) => (a.cacheKey < b.cacheKey ? -1 : 1)).map(({ text }) => text);
  const text = `{"version":${VERSION},"credentials":[${texts.join(',')}]}`;
  return { text, omitted: stored.length - kept.length };
}

/** How easily it is had again: another one that leaves something behind is made last of all, and what a resource holds is at hand. */
function easeOf({ credential, revisions }: StoredCredential): number {
  if (credential.id !== undefined) return 0;
  if (credential.expiresAt !== undefined) return 1;
  return revisions.length > 0 && revisions.every(({ reference }) => isResourceReference(reference)) ? 3 : 2;
}

/**
 * Reads what `formatSnapshot` rendered; never throws. Expired credentials are left out in silence, nonsense and what another
 * version wrote with an issue.
 */
export function parseSnapshot(
  text: string,
  now: EpochMs,
): { readonly stored: readonly StoredCredential[]; readonly issues: readonly Issue[] } {
  const issues: Issue[] = [];
  const warn = (path: string, message: string): void => void issues.push({ severity: 'warning', path, message });
  const parsed = text.length > MAX_TEXT ? undefined : parseRecord(text);
  if (parsed?.version !== VERSION || !Array.isArray(parsed.credentials)) {
    warn('', 'the master copy of the credentials is not readable and is ignored');
    return { stored: [], issues };
  }
  const stored = parsed.credentials.flatMap((value: unknown, index) => {
    const one = parseStored(value);
    if (one === undefined)
      warn(`credentials[${index}]`, 'this credential of the master copy is not readable and is ignored');
    return one !== undefined && isValid(one.credential, now) ? [one] : [];
  });
  return { stored, issues };
}

function parseStored(value: unknown): StoredCredential | undefined {
  if (!isRecord(value)) return undefined;
  const { cacheKey, provider, source } = value;
  const credential = parseCredential(value.credential);
  const revisions = listOf(value.revisions, parseRevision);
  if (!isText(cacheKey) || !isText(provider) || credential === undefined || revisions === undefined) return undefined;
  const digests = revisions.map((revision) => revision.digest);
  return source === sourceOf(cacheKey, digests) ? { cacheKey, provider, credential, source, revisions } : undefined;
}

function parseCredential(value: unknown): Credential | undefined {
  if (!isRecord(value)) return undefined;
  const { username, password, issuedAt, expiresAt, endsAt, beganAt, id, identity } = value;
  const hosts = value.hosts === undefined ? [] : listOf(value.hosts, textOrNothing);
  const warnings = value.warnings === undefined ? [] : listOf(value.warnings, textOrNothing);
  if (!isText(username) || !isText(password) || !isInstant(issuedAt)) return undefined;
  if ((expiresAt !== undefined && !isInstant(expiresAt)) || hosts === undefined || warnings === undefined)
    return undefined;
  return {
    username,
    password,
    issuedAt,
    expiresAt,
    ...(isInstant(endsAt) ? { endsAt } : {}),
    ...(isInstant(beganAt) ? { beganAt } : {}),
    ...(isText(id) ? { id } : {}),
    ...(value.hosts === undefined ? {} : { hosts }),
    ...(value.warnings === undefined ? {} : { warnings }),
    ...(isText(identity) ? { identity } : {}),
  };
}

function parseRevision(value: unknown): SecretRevision | undefined {
  if (!isRecord(value) || !isRecord(value.reference) || !isText(value.digest)) return undefined;
  const { namespace, name } = value.reference;
  return typeof namespace === 'string' && isText(name)
    ? { reference: { namespace, name }, digest: value.digest }
    : undefined;
}

/** undefined unless every member is readable. */
function listOf<T>(value: unknown, parse: (member: unknown) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(value) || value.length > 10_000) return undefined;
  const members = value.flatMap((member: unknown) => parse(member) ?? []);
  return members.length === value.length ? members : undefined;
}

function textOrNothing(value: unknown): string | undefined {
  return isText(value) ? value : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isInstant(value: unknown): value is EpochMs {
  return typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= MAX_INSTANT;
}
