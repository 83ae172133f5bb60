// Compares one Secret with what it should be: why it must be written, if at all, and which credentials that takes.
import {
  INSTANCE_LABEL,
  isManaged,
  isVendorSecretName,
  MANAGED_BY_LABEL,
  managedLabels,
  MANAGER,
  SECRET_TYPE,
} from './names.ts';
import { dueAt, isDue, isPastHalf, spreadOf } from './refresh.ts';
import { keyOf, requestKey } from './source.ts';
import type { WriteReason } from './plan-types.ts';
import type { Config, CredentialRequest, DesiredSecret, EntryRecord, EpochMs, ObservedSecret } from './types.ts';

/** What every decision needs besides the world: the configuration and who we are. */
export interface PlanSettings extends Omit<Config, 'rules' | 'webhook'> {
  /** Value of our instance label. */
  readonly instance: string;
}

/** What the credential store holds of one cache key; undefined = nothing. */
export type CurrentSource = (cacheKey: string) => string | undefined;

/** One credential to ask the store for; `newerThan` = the Secret's own was issued then and is due. */
export interface WantedCredential {
  readonly request: CredentialRequest;
  readonly newerThan: EpochMs | undefined;
}

/** Records by the digest of the cache key that they were made for. */
export type RecordsByKey = ReadonlyMap<string, readonly EntryRecord[]>;

/** The comparison. */
export type SecretAssessment =
  /** Somebody else's, and not ours to take. */
  | { readonly kind: 'taken' }
  | {
      readonly kind: 'ours';
      /** Why it should be written, first of all; undefined = it is right. */
      readonly reason: WriteReason | undefined;
      /** True when it is there without labels that it should have, whatever else is wrong. */
      readonly lacksLabels: boolean;
      /** Credentials that writing it takes; empty when it is right. */
      readonly wanted: readonly WantedCredential[];
      /** Hosts of the Secret whose entry is due. */
      readonly dueHosts: ReadonlySet<string>;
      /** Records that still hold: what the annotation says, if the content is what we wrote. */
      readonly records: Readonly<Record<string, EntryRecord>>;
      /** The records of each request, by `requestKey`. */
      readonly recordsByKey: RecordsByKey;
      /** When the first entry that is not due becomes so. */
      readonly nextDueAt: EpochMs | undefined;
    };

/** Assesses the Secret `observed` (undefined = there is none) of a namespace against `desired`. Pure. */
export function assessSecret(
  desired: DesiredSecret,
  observed: ObservedSecret | undefined,
  context: {
    readonly settings: PlanSettings;
    readonly namespace: string;
    readonly currentSource: CurrentSource;
    readonly now: EpochMs;
  },
): SecretAssessment {
  const { settings, namespace, currentSource, now } = context;
  const { requests } = desired.rule;
  const takeover = observed === undefined ? 'SecretMissing' : takeoverReason(observed, settings);
  if (takeover === 'NameTaken') return { kind: 'taken' };

  const records = recordsOf(observed);
  const recordsByKey: RecordsByKey = Map.groupBy(Object.values(records), (record) => keyOf(record.source));
  const spread = spreadOf(`${namespace}/${desired.name}`);
  const due = Object.entries(records).filter(([, record]) => isDue(record, settings.thresholdMs, spread, now));
  const dueHosts = new Set(due.map(([host]) => host));
  const changed = requests.filter((request) => hasOtherSource(request, recordsByKey, currentSource));
  const lacksLabels = observed !== undefined && !hasLabels(observed, settings);
  const reason =
    takeover ??
    editReason(observed) ??
    (hasOtherHosts(requests, records, recordsByKey) ? 'RegistriesChanged' : undefined) ??
    (changed.length > 0 ? 'SourceChanged' : undefined) ??
    (due.length > 0 ? 'CredentialDue' : undefined) ??
    (lacksLabels ? 'LabelsChanged' : undefined);

  const upcoming = Object.entries(records)
    .filter(([host]) => !dueHosts.has(host))
    .flatMap(([, record]) => dueAt(record, settings.thresholdMs, spread) ?? []);
  const renew = (record: EntryRecord): boolean =>
    isDue(record, settings.thresholdMs, spread, now) || (due.length > 0 && isPastHalf(record, now));
  const wanted = requests.map((request) => {
    const issued = recordsFor(request, recordsByKey).flatMap((record) => (renew(record) ? [record.issuedAt] : []));
    // What was issued in the future (the clock jumped back) is older than anything that is issued now.
    const past = issued.filter((issuedAt) => issuedAt <= now);
    return { request, newerThan: past.length === 0 ? undefined : Math.max(...past) };
  });
  return {
    kind: 'ours',
    reason,
    wanted: reason === undefined ? [] : wanted,
    lacksLabels,
    dueHosts,
    records,
    recordsByKey,
    nextDueAt: upcoming.length === 0 ? undefined : Math.min(...upcoming),
  };
}

/** Labels of our Secrets: those that people ask for, and ours. */
export function secretLabels(settings: PlanSettings): Readonly<Record<string, string>> {
  return { ...settings.secretLabels, ...managedLabels(settings.instance) };
}

/** Entries of the Secret that were made for `request`. */
export function recordsFor(request: CredentialRequest, recordsByKey: RecordsByKey): readonly EntryRecord[] {
  return recordsByKey.get(requestKey(request)) ?? [];
}

/** May we write a Secret that is there, and why; undefined = it is ours already. */
function takeoverReason(observed: ObservedSecret, settings: PlanSettings): WriteReason | 'NameTaken' | undefined {
  const unusable = observed.type !== SECRET_TYPE || observed.immutable;
  if (isManaged(observed, settings.instance)) return unusable ? 'SecretTypeWrong' : undefined;
  if (unusable) return 'NameTaken';
  const manager = observed.labels[MANAGED_BY_LABEL];
  const holder = observed.labels[INSTANCE_LABEL] ?? settings.instance;
  const hasOurRecords = observed.entries !== undefined && (manager === undefined || manager === MANAGER);
  if (hasOurRecords && holder === settings.instance) return 'LabelsChanged';
  if (hasOurRecords || manager === MANAGER) return 'NameTaken';
  const adoptable =
    settings.adoptExisting === 'all' || (settings.adoptExisting === 'vendor' && isVendorSecretName(observed.name));
  return adoptable ? 'SecretAdopted' : 'NameTaken';
}

function recordsOf(observed: ObservedSecret | undefined): Readonly<Record<string, EntryRecord>> {
  return observed?.entries !== undefined && editReason(observed) === undefined ? observed.entries : {};
}

function editReason(observed: ObservedSecret | undefined): WriteReason | undefined {
  if (observed === undefined) return undefined;
  const isCopy = observed.place !== `${observed.namespace}/${observed.name}`;
  return isCopy || observed.entries === undefined || observed.recordedDigest !== observed.contentDigest
    ? 'SecretEdited'
    : undefined;
}

/** True when a wanted host has no entry of its request, or an entry belongs to no request. */
function hasOtherHosts(
  requests: readonly CredentialRequest[],
  records: Readonly<Record<string, EntryRecord>>,
  recordsByKey: RecordsByKey,
): boolean {
  const keyOfHost = new Map(Object.entries(records).map(([host, record]) => [host, keyOf(record.source)]));
  const hostsByKey = Map.groupBy(keyOfHost.keys(), (host) => keyOfHost.get(host) ?? '');
  // The first claim on a host wins, as when the entries are made.
  const owners = new Map<string, string>();
  for (const request of requests) {
    const key = requestKey(request);
    for (const host of request.hosts ?? hostsByKey.get(key) ?? []) if (!owners.has(host)) owners.set(host, key);
  }
  const missing = requests.some(
    (request) =>
      request.hosts?.some((host) => keyOfHost.get(host) !== owners.get(host)) ??
      recordsFor(request, recordsByKey).length === 0,
  );
  return missing || [...keyOfHost.keys()].some((host) => !owners.has(host));
}

/**
 * True when the store holds a credential made from something else, e.g. a changed key. One that never expires is asked for
 * once when the store knows nothing of it: nothing else would ever tell that its password has changed.
 */
function hasOtherSource(request: CredentialRequest, recordsByKey: RecordsByKey, currentSource: CurrentSource): boolean {
  const records = recordsFor(request, recordsByKey);
  if (records.length === 0) return false;
  const source = currentSource(request.cacheKey);
  return records.some((record) => (source === undefined ? record.expiresAt === undefined : record.source !== source));
}

function hasLabels(observed: ObservedSecret, settings: PlanSettings): boolean {
  return Object.entries(secretLabels(settings)).every(([key, value]) => observed.labels[key] === value);
}
