// Whether the new entries of a Secret differ in substance from what is there, and whether writing them now would harm somebody.
import type { Gathered, NewEntry } from './new-entries.ts';
import { isValid } from './refresh.ts';
import { keyOf, requestKey } from './source.ts';
import type { WriteReason } from './plan-types.ts';
import type { EntryRecord, EpochMs } from './types.ts';

/**
 * Until when writing would harm, because an entry that works, or may work, would be dropped for a request that failed;
 * undefined = it harms nobody, Infinity = until the request succeeds. Reasons: `docs/decisions/0009-whole-or-not-at-all.md`.
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

/** The Secret as it is. */
interface Before {
  /** What is wrong with it first of all. */
  readonly reason: WriteReason;
  readonly lacksLabels: boolean;
  readonly records: Readonly<Record<string, EntryRecord>>;
  readonly dueHosts: ReadonlySet<string>;
  /** Records of requests without a credential. */
  readonly failed: ReadonlySet<EntryRecord>;
}

/**
 * Why the entries should be written; undefined = they should not. A fixpoint needs no write, no longer life is given up for a
 * shorter one, and `failed` entries that are already dead are no reason to write. What cannot be mended yet holds up no labels.
 */
export function reasonToWrite(entries: readonly NewEntry[], before: Before, now: EpochMs): WriteReason | undefined {
  const { reason, records, lacksLabels } = before;
  if (reason !== 'RegistriesChanged' && reason !== 'SourceChanged' && reason !== 'CredentialDue') return reason;
  if (differsInSubstance(entries, before, now)) return reason;
  const livesShorter = entries.some(
    ({ host, record }) => (record.expiresAt ?? Infinity) < (records[host]?.expiresAt ?? -Infinity),
  );
  return lacksLabels && !livesShorter ? 'LabelsChanged' : undefined;
}

function differsInSubstance(entries: readonly NewEntry[], before: Before, now: EpochMs): boolean {
  const { records, failed, dueHosts } = before;
  const hosts = new Set(entries.map((entry) => entry.host));
  if (Object.entries(records).some(([host, record]) => !hosts.has(host) && !failed.has(record))) return true;
  return entries.some(({ host, record }) => {
    const old = records[host];
    if (old?.source !== record.source) return true;
    if (!dueHosts.has(host)) return false;
    const isFromFuture = old.issuedAt > now && record.issuedAt <= now;
    return isFromFuture || (record.expiresAt ?? Infinity) > (old.expiresAt ?? Infinity);
  });
}
