// The status of an `ImagePullSecret`: the vendor's counters and lists (tcr.md section 2), bounded, and conditions of ours.
import { endingOf, instantText } from './password-end.ts';
import { buildConditions, type Condition } from './resource-conditions.ts';
import type { EpochMs, Issue } from './types.ts';

/** A Secret or ServiceAccount that is as it should be. */
export interface SuccessfulPlace {
  /** `namespace/name`. */
  readonly namespacedName: string;
  /** When we wrote it last; undefined = not known. */
  readonly updatedAt: EpochMs | undefined;
}

/** One that is not, and why, where a reason is known. */
export interface FailedPlace {
  readonly namespacedName: string;
  readonly reason: string;
  /** One sentence. No secrets. */
  readonly message: string;
  /** When it was first seen by this process; what the status says of it may be older. */
  readonly since: EpochMs;
}

/** What became of all Secrets, or of all ServiceAccounts, that a resource means. */
export interface Tally {
  readonly desired: number;
  readonly successful: readonly SuccessfulPlace[];
  /** Of those that are neither here nor among the successful nothing is known to be wrong: they are being written. */
  readonly failed: readonly FailedPlace[];
}

/** What is known of the credential of a resource. */
export interface CredentialFacts {
  /** When it ends, and will be renewed before. */
  readonly expiresAt: EpochMs | undefined;
  /** When it ends, and only a person can renew it. */
  readonly endsAt: EpochMs | undefined;
  /** When what ends so was issued; absent = it does not tell. */
  readonly beganAt?: EpochMs | undefined;
  /** When it was issued, or read. */
  readonly issuedAt: EpochMs;
}

/** Everything that a status says. */
export interface ResourceFacts {
  readonly generation: number;
  /** What is wrong with the spec; only errors count. */
  readonly issues: readonly Issue[];
  /** Why it is refused because of another; absent = it is not. */
  readonly conflict?: Issue | undefined;
  /** The vendor's add-on runs and serves it. */
  readonly isStandingDown: boolean;
  readonly secrets: Tally;
  readonly accounts: Tally;
  /** undefined = there is none. */
  readonly credential: CredentialFacts | undefined;
  /** Why the last attempt to obtain one failed. No secrets. */
  readonly failure: { readonly reason: string; readonly message: string } | undefined;
  readonly now: EpochMs;
}

/** What we write under `status`; absent fields are removed. */
export interface ResourceStatus {
  readonly secretsDesired: number;
  readonly secretsSuccess: number;
  readonly sAsDesired: number;
  readonly sAsSuccess: number;
  readonly secretUpdateSuccessful: readonly ListedPlace[];
  readonly secretUpdateFailed: readonly ListedPlace[];
  readonly serviceAccountsModifySuccessful: readonly ListedPlace[];
  readonly serviceAccountsModifyFailed: readonly ListedPlace[];
  readonly observedGeneration: number;
  /** RFC 3339; undefined = it does not end, or there is none. */
  readonly expiresAt: string | undefined;
  readonly conditions: readonly Condition[];
}

/** While the vendor's add-on serves a resource, all of its status but our conditions is that add-on's to write. */
export type WrittenStatus = ResourceStatus | Pick<ResourceStatus, 'conditions'>;

/** A place as the status lists it. */
export interface ListedPlace {
  readonly namespacedName: string;
  readonly updatedAt: string;
  readonly reason?: string;
  readonly message?: string;
}

/** Most places of one list (tcr.md section 20, D3). */
export const MAX_LISTED = 20;

/** Most bytes of all lists together: with spec and metadata the whole object stays under 32 KiB. */
const MAX_LIST_BYTES = 12_000;

const MAX_MESSAGE = 200;

/** What of the status is ours to write now; `previous` as with `buildResourceStatus`. */
export function buildWrittenStatus(facts: ResourceFacts, previous: unknown): WrittenStatus {
  const status = buildResourceStatus(facts, previous);
  return facts.isStandingDown ? { conditions: status.conditions } : status;
}

/** Builds the status. `previous`: the one that is there, unchecked; instants of what has not changed are taken from it. */
export function buildResourceStatus(facts: ResourceFacts, previous: unknown): ResourceStatus {
  const { secrets, accounts, credential, now } = facts;
  const before = instantsOf(previous);
  const failedAt = (list: string, place: FailedPlace): string =>
    before.get(`${list} ${place.namespacedName} ${place.reason}`) ?? instantText(place.since);
  const lists = withinBytes({
    secretUpdateFailed: listFailed(secrets, (place) => failedAt('secretUpdateFailed', place)),
    serviceAccountsModifyFailed: listFailed(accounts, (place) => failedAt('serviceAccountsModifyFailed', place)),
    secretUpdateSuccessful: listSuccessful(secrets),
    serviceAccountsModifySuccessful: listSuccessful(accounts),
  });
  const endsAt = credential?.expiresAt ?? credential?.endsAt;
  return {
    secretsDesired: secrets.desired,
    secretsSuccess: secrets.successful.length,
    sAsDesired: accounts.desired,
    sAsSuccess: accounts.successful.length,
    ...lists,
    observedGeneration: facts.generation,
    expiresAt: endsAt === undefined ? undefined : instantText(endsAt),
    conditions: buildConditions(facts, endingOf(credential, now), previous),
  };
}

/** Newest first; equal instants by name, so that the same world gives the same list. */
function listSuccessful({ successful }: Tally): readonly ListedPlace[] {
  return newest(successful, ({ updatedAt = 0 }) => updatedAt).map(({ namespacedName, updatedAt = 0 }) => ({
    namespacedName,
    updatedAt: instantText(updatedAt),
  }));
}

function listFailed({ failed }: Tally, since: (place: FailedPlace) => string): readonly ListedPlace[] {
  return newest(failed, (place) => Date.parse(since(place))).map((place) => ({
    namespacedName: place.namespacedName,
    updatedAt: since(place),
    reason: place.reason,
    message: place.message.slice(0, MAX_MESSAGE),
  }));
}

function newest<T extends { readonly namespacedName: string }>(places: readonly T[], at: (place: T) => EpochMs): T[] {
  const byName = (a: T, b: T): number => (a.namespacedName < b.namespacedName ? -1 : 1);
  return places.toSorted((a, b) => at(b) - at(a) || byName(a, b)).slice(0, MAX_LISTED);
}

type Lists = Pick<
  ResourceStatus,
  'secretUpdateSuccessful' | 'secretUpdateFailed' | 'serviceAccountsModifySuccessful' | 'serviceAccountsModifyFailed'
>;

/** Long names take room: the oldest of the longest list goes first, failures last. */
function withinBytes(lists: Lists): Lists {
  const sizes = { ...lists };
  const bytes = (): number => Buffer.byteLength(JSON.stringify(sizes));
  while (bytes() > MAX_LIST_BYTES) {
    const [longest] = (Object.keys(sizes) as (keyof Lists)[]).toSorted(
      (a, b) => weightOf(b, sizes[b]) - weightOf(a, sizes[a]),
    );
    if (longest === undefined || sizes[longest].length === 0) break;
    sizes[longest] = sizes[longest].slice(0, -1);
  }
  return sizes;
}

function weightOf(name: keyof Lists, list: readonly ListedPlace[]): number {
  return name.endsWith('Failed') ? list.length / (MAX_LISTED + 1) : list.length;
}

/** When each failure that is listed was first seen. */
function instantsOf(previous: unknown): ReadonlyMap<string, string> {
  const status = (previous ?? {}) as Readonly<Record<string, unknown>>;
  const found = new Map<string, string>();
  for (const list of ['secretUpdateFailed', 'serviceAccountsModifyFailed']) {
    const places: readonly unknown[] = Array.isArray(status[list]) ? status[list] : [];
    for (const place of places) {
      const { namespacedName, reason, updatedAt } = (place ?? {}) as Partial<Record<string, unknown>>;
      if (typeof updatedAt !== 'string' || Number.isNaN(Date.parse(updatedAt))) continue;
      found.set(`${list} ${String(namespacedName)} ${String(reason)}`, updatedAt);
    }
  }
  return found;
}
