// Builds and reads `.dockerconfigjson` and the annotation that says what each of its entries was made from.
import { createHash } from 'node:crypto';
import { isRecord, parseRecord } from './records.ts';
import type { Credential, EntryRecord } from './types.ts';

/** One registry host with the credential to write for it. */
export interface DockerEntry {
  /** Key under `auths`: registry host, port allowed, globs allowed. */
  readonly host: string;
  readonly credential: Credential;
}

/** What our digest covers. */
export interface DigestedTexts {
  readonly dockerConfigJson: string;
  /** As `formatEntries` gives it; absent = there is no such annotation. */
  readonly entries?: string | undefined;
}

/** Longest annotation that is read, characters: the API server's own limit for all annotations together. */
const MAX_ANNOTATION = 262_144;

/**
 * The text of `.dockerconfigjson`, keys sorted, so that equal entries give equal text. `email` is written when given.
 * Format: https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/
 */
export function buildDockerConfig(entries: readonly DockerEntry[], email: string | undefined): string {
  const auths = [...entries]
    .sort((a, b) => compareText(a.host, b.host))
    .map(({ host, credential: { username, password } }) => [
      host,
      {
        username,
        password,
        ...(email === undefined ? {} : { email }),
        auth: Buffer.from(`${username}:${password}`).toString('base64'),
      },
    ]);
  return JSON.stringify({ auths: Object.fromEntries(auths) as unknown });
}

/**
 * Digest of a `.dockerconfigjson` text and of the annotation that tells of it: `sha256:` and 64 hex digits. Whoever edits either
 * is noticed: an expiry that was put off would end renewal.
 */
export function digestOf({ dockerConfigJson, entries = '' }: DigestedTexts): string {
  const texts = JSON.stringify([dockerConfigJson, entries]);
  return `sha256:${createHash('sha256').update(texts).digest('hex')}`;
}

/** The annotation text for what was written; instants as RFC 3339, keys sorted. */
export function formatEntries(entries: Readonly<Record<string, EntryRecord>>): string {
  const byHost = Object.entries(entries).sort(([a], [b]) => compareText(a, b));
  const pairs = byHost.map(([host, { source, issuedAt, expiresAt }]) => [
    host,
    {
      source,
      issuedAt: new Date(issuedAt).toISOString(),
      ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
    },
  ]);
  return JSON.stringify(Object.fromEntries(pairs) as unknown);
}

/** Reads that annotation; undefined when there is none or it is not ours as we write it: anybody may have edited it. */
export function parseEntries(text: string | undefined): Readonly<Record<string, EntryRecord>> | undefined {
  if (text === undefined || text.length > MAX_ANNOTATION) return undefined;
  const parsed = parseRecord(text);
  if (parsed === undefined) return undefined;
  const entries = new Map<string, EntryRecord>();
  for (const [host, value] of Object.entries(parsed)) {
    const record = parseEntry(value);
    if (record === undefined) return undefined;
    entries.set(host, record);
  }
  return Object.fromEntries(entries);
}

function parseEntry(value: unknown): EntryRecord | undefined {
  if (!isRecord(value) || typeof value.source !== 'string') return undefined;
  const issuedAt = parseInstant(value.issuedAt);
  const expiresAt = value.expiresAt === undefined ? undefined : parseInstant(value.expiresAt);
  if (issuedAt === undefined || (expiresAt === undefined && value.expiresAt !== undefined)) return undefined;
  return { source: value.source, issuedAt, expiresAt };
}

function parseInstant(value: unknown): number | undefined {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** Order of code units: the same everywhere, unlike a locale's. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
