// Whether the new entries of a Secret differ in substance from what is there, and whether writing them now would harm somebody.
import type { Gathered, NewEntry } from './new-entries.ts';
import { isValid } from './refresh.ts';
import { keyOf, requestKey } from './source.ts';
import type { EntryRecord, EpochMs, WriteReason } from './types.ts';

/**
 * Until when writing would harm, because an entry that works, or may work, would be dropped for a request that failed;
 * undefined = it harms nobody, Infinity = until the request succeeds. Reasons: `docs/decisions/0006-whole-or-not-at-all.md`.
 */
export function holdBackUntil(of: {
  readonly reason: WriteReason;
  readonly entries: readonly NewEntry[];
  readonly failures: Gathered['failures'];
  readonly records: Readonly<Record<string, EntryRecord>>;
  readonly now: EpochMs;
}): EpochMs | undefined {
  if (of.failures.length === 0) return undefined;
  // What somebody else wrote says neither which hosts it serves nor for how long.
  if (of.reason === 'SecretAdopted') return Infinity;
  const requests = of.failures.map(({ request }) => request);
  const keys = new Set(requests.map(requestKey));
  const claimed = new Set(requests.flatMap((request) => request.hosts ?? []));
  // Hosts that only the cloud names may be any, but what a cloud gives expires: an entry that never does is none of its.
  const mayClaimAny = requests.some((request) => request.hosts === undefined);
  const covered = new Set(of.entries.map((entry) => entry.host));
  const lost = Object.entries(of.records).filter(
    ([host, record]) =>
      !covered.has(host) &&
      isValid(record, of.now) &&
      ((mayClaimAny && record.expiresAt !== undefined) || claimed.has(host) || keys.has(keyOf(record.source))),
  );
  return lost.length === 0 ? undefined : Math.min(...lost.map(([, record]) => record.expiresAt ?? Infinity));
}

/**
 * True when the new entries differ in substance: a fixpoint needs no write, no longer life is given up for a shorter one, and
 * `failed` entries (of requests without a credential) that are already dead are no reason to write.
 */
export function isWorthWriting(
  entries: readonly NewEntry[],
  old: {
    readonly reason: WriteReason;
    readonly records: Readonly<Record<string, EntryRecord>>;
    readonly dueHosts: ReadonlySet<string>;
    readonly failed: ReadonlySet<EntryRecord>;
  },
  now: EpochMs,
): boolean {
  if (old.reason !== 'RegistriesChanged' && old.reason !== 'SourceChanged' && old.reason !== 'CredentialDue')
    return true;
  const hosts = new Set(entries.map((entry) => entry.host));
  const isDropped = ([host, record]: [string, EntryRecord]): boolean => !hosts.has(host) && !old.failed.has(record);
  if (Object.entries(old.records).some(isDropped)) return true;
  return entries.some(({ host, record }) => {
    const before = old.records[host];
    if (before?.source !== record.source) return true;
    if (!old.dueHosts.has(host)) return false;
    const isFromFuture = before.issuedAt > now && record.issuedAt <= now;
    return isFromFuture || (record.expiresAt ?? Infinity) > (before.expiresAt ?? Infinity);
  });
}
