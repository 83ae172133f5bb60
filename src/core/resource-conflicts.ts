// Two resources must not use one Secret, one as the key that makes its credential, the other as the password that it publishes: one of
// them is not served. Which one follows from what was in force, so that nobody can switch off the resource of another.
import { isRecord } from './records.ts';
import type { CredentialRequest, EpochMs, Issue, Rule, SecretReference } from './types.ts';

/** Reason of the conditions of a resource that is refused; of `Ready` also while the vendor's add-on runs. */
export const KEY_CONFLICT = 'KeyConflict';

/** What a resource was, as its status says: served as it is, served before its last edit, not known yet, or refused. */
export type Standing = 'served' | 'edited' | 'new' | 'refused';

/** What decides who goes first. */
export interface Claim {
  readonly standing: Standing;
  readonly createdAt: EpochMs | undefined;
}

/** A rule, and the resource that it is of. */
export interface Claimant extends Partial<Claim> {
  readonly name: string;
  /** undefined = it claims nothing. */
  readonly rule: Rule | undefined;
}

const ORDER: readonly Standing[] = ['served', 'edited', 'new', 'refused'];

/**
 * Reads it of a resource; `status` is unchecked. One that was refused stays so until the conflict ends, however often it is edited, and
 * while the vendor's add-on runs, when nothing is decided.
 */
export function claimOf(resource: {
  readonly generation: number;
  readonly status: unknown;
  readonly createdAt?: EpochMs | undefined;
}): Claim {
  const { observedGeneration } = isRecord(resource.status) ? resource.status : {};
  const isRefused = wasRefused(resource.status);
  const served = observedGeneration === resource.generation ? 'served' : 'edited';
  const standing = typeof observedGeneration === 'number' ? served : 'new';
  return { standing: isRefused ? 'refused' : standing, createdAt: resource.createdAt };
}

/** True when a status, which is unchecked, says that its resource was refused when that was decided last. */
export function wasRefused(status: unknown): boolean {
  const { conditions } = isRecord(status) ? status : {};
  const known: readonly unknown[] = Array.isArray(conditions) ? conditions : [];
  return known.some((one) => isRecord(one) && one.type === 'Ready' && one.reason === KEY_CONFLICT);
}

/**
 * The resources that are not served, and why. Keys of the configuration (`own`) go before everything; then what is served goes before
 * what is not, and among equals the key before what would publish it, and the older before the younger.
 */
export function conflictsAmong(own: readonly Rule[], resources: readonly Claimant[]): ReadonlyMap<string, Issue> {
  const keepers = new Set(own.flatMap((rule) => secretsOf(rule, false)));
  const publishers = new Map<string, string>();
  const refused = new Map<string, Issue>();
  for (const { name, rule } of contested(keepers, resources).toSorted(byClaim)) {
    if (rule === undefined) continue;
    const [keys, published] = [secretsOf(rule, false), secretsOf(rule, true)];
    const stolen = published.find((secret) => keepers.has(secret));
    const spoilt = keys.find((secret) => publishers.has(secret));
    if (stolen !== undefined) {
      const message = `names the Secret ${stolen}, which holds a key that must not be published: name a Secret made for this registry`;
      refused.set(name, { severity: 'error', path: 'spec.docker.passwordSecretRef', message });
    } else if (spoilt !== undefined) {
      const message = `names the Secret ${spoilt} as its key, which ImagePullSecret ${publishers.get(spoilt) ?? ''} publishes: name a Secret that holds nothing but a key`;
      refused.set(name, { severity: 'error', path: 'spec.tcr', message });
    } else {
      for (const secret of keys) keepers.add(secret);
      for (const secret of published) publishers.set(secret, name);
    }
  }
  return refused;
}

/** Of thousands, those few that name a Secret as a key which others publish, or the other way round. */
function contested(own: ReadonlySet<string>, resources: readonly Claimant[]): readonly Claimant[] {
  const namesOf = (published: boolean): readonly string[] =>
    resources.flatMap(({ rule }) => (rule === undefined ? [] : secretsOf(rule, published)));
  const kept = new Set([...own, ...namesOf(false)]);
  if (kept.size === 0) return [];
  const both = new Set(namesOf(true).filter((secret) => kept.has(secret)));
  if (both.size === 0) return [];
  const isBoth = (secret: string): boolean => both.has(secret);
  return resources.filter(
    ({ rule }) => rule !== undefined && [...secretsOf(rule, false), ...secretsOf(rule, true)].some(isBoth),
  );
}

function byClaim(a: Claimant, b: Claimant): number {
  const rank = ({ standing = 'new' }: Claimant): number => ORDER.indexOf(standing);
  const keeps = ({ rule }: Claimant): number => (rule !== undefined && secretsOf(rule, false).length > 0 ? 0 : 1);
  const made = ({ createdAt = 0 }: Claimant): number => createdAt;
  return rank(a) - rank(b) || keeps(a) - keeps(b) || made(a) - made(b) || (a.name < b.name ? -1 : 1);
}

/** The Secrets that it publishes, or keeps as keys, as `namespace/name`. */
export function secretsOf({ requests }: Rule, published: boolean): readonly string[] {
  const nameOf = ({ namespace, name }: SecretReference): string => `${namespace}/${name}`;
  return requests.flatMap(({ secret }: CredentialRequest) =>
    secret?.published === published ? nameOf(secret.reference) : [],
  );
}
