// The decision of the admission webhook about one ServiceAccount: which references it lacks. It only ever adds; what is to be
// removed, and everything that memory alone cannot judge, is left to the watch.
import { desiredFor } from './desired.ts';
import { MANAGER, referencesAnnotation } from './names.ts';
import { referenceChanges } from './plan-service-accounts.ts';
import type { Config, Desired, ObservedNamespace } from './types.ts';

/** A ServiceAccount as a request carries it: it may have neither UID nor version yet. */
export interface AdmittedAccount {
  /** Empty while only `generateName` is known: the API server makes the name after it asked. */
  readonly name: string;
  /** What a name that is yet to be made begins with; empty = none is made. */
  readonly generateName: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Names in `imagePullSecrets`; undefined = there is no such list. */
  readonly imagePullSecrets: readonly string[] | undefined;
  /** undefined = there are none. */
  readonly annotations: Readonly<Record<string, string>> | undefined;
  /** Names that our annotation says we added. */
  readonly recorded: readonly string[];
  readonly deleting: boolean;
}

/** What the API server asks. */
export interface AdmissionRequest {
  readonly namespace: string;
  /** Who writes, as it calls itself; empty = unknown. */
  readonly fieldManager: string;
  readonly account: AdmittedAccount;
  /** As it was before a change; undefined = it is being created. */
  readonly before: Pick<AdmittedAccount, 'recorded'> | undefined;
}

/** Why the answer is as it is: the same word in metric and test. */
export type AdmissionReason =
  'ReferenceMissing' | 'NothingMissing' | 'LeftToWatch' | 'OwnWrite' | 'NamespaceTerminating' | 'NamespaceUnserved';

/** One operation of a JSON patch (RFC 6902). */
export interface PatchOperation {
  readonly op: 'add';
  readonly path: string;
  readonly value: unknown;
}

/** The answer; without operations the ServiceAccount passes as it is. */
export interface Admission {
  readonly reason: AdmissionReason;
  readonly patch: readonly PatchOperation[];
}

/** What the answer is made from: memory only. */
export interface AdmissionWorld {
  /** undefined = no good configuration is known. */
  readonly config: Pick<Config, 'rules'> | undefined;
  readonly instance: string;
  /** undefined = not seen yet: rules by name and pattern decide, rules by selector are left to the watch. */
  readonly namespace: ObservedNamespace | undefined;
  /** The only namespaces that are served; undefined = all. */
  readonly served?: ReadonlySet<string> | undefined;
}

/**
 * Decides for one request.
 *
 * | Request | then |
 * |---|---|
 * | written by this program | nothing: it never undoes its own removals |
 * | in a namespace that this installation does not serve | nothing |
 * | no good configuration, or an add-on that this one replaces runs | nothing (`LeftToWatch`) |
 * | namespace or ServiceAccount is being deleted | nothing |
 * | creation, lacks what a rule wants | append it after all others, record it |
 * | creation with `generateName`, lacks what a rule wants whatever name is made | append it after all others, record it |
 * | creation with `generateName`, otherwise | nothing (`LeftToWatch`) |
 * | change, has lost what we had recorded before and a rule still wants | append it again, record it |
 * | change, lacks something that we had not recorded before | nothing (`LeftToWatch`) |
 * | otherwise | nothing |
 *
 * The last but one is what keeps a replica whose memory is behind from bringing back what the leader has removed: with the
 * reference the leader removes the record, and without a record in the old object nothing is repaired here.
 */
export function decideAdmission(request: AdmissionRequest, world: AdmissionWorld): Admission {
  const { account, before } = request;
  if (request.fieldManager === MANAGER) return nothing('OwnWrite');
  if (world.served?.has(request.namespace) === false) return nothing('NamespaceUnserved');
  if (world.namespace?.terminating === true) return nothing('NamespaceTerminating');
  if (account.deleting) return nothing('NothingMissing');
  if (world.config === undefined) return nothing('LeftToWatch');
  const isNamed = account.name !== '';
  if (!isNamed && account.generateName === '') return nothing('LeftToWatch');

  const inNamespace = desiredIn(request.namespace, world.config, world.namespace);
  const desired = isNamed ? inNamespace : withoutExclusions(inNamespace);
  const name = isNamed ? account.name : standInName(account.generateName);
  const present = { ...account, name, imagePullSecrets: account.imagePullSecrets ?? [] };
  // Names are known before the Secrets are there: a Pod waits for a Secret, but never gets a reference that it was made without.
  const ready = new Set(desired.secrets.map((secret) => secret.name));
  const { added } = referenceChanges(present, desired, { ready, refused: new Set() });
  const missing = before === undefined ? added : added.filter((name) => before.recorded.includes(name));
  if (missing.length > 0) {
    const recorded = [...new Set([...account.recorded, ...missing])];
    return { reason: 'ReferenceMissing', patch: buildPatch(account, { missing, recorded, instance: world.instance }) };
  }
  const isOpen = !isNamed || added.length > 0 || (world.namespace === undefined && hasSelectors(world.config));
  return nothing(isOpen ? 'LeftToWatch' : 'NothingMissing');
}

function nothing(reason: AdmissionReason): Admission {
  return { reason, patch: [] };
}

/** What the namespace should hold; of one that was not seen yet, what follows from its name alone. */
function desiredIn(name: string, config: Pick<Config, 'rules'>, namespace: ObservedNamespace | undefined): Desired {
  if (namespace !== undefined) return desiredFor(config, namespace);
  const byName = config.rules.map((rule) => ({ ...rule, scope: { ...rule.scope, namespaceSelector: undefined } }));
  return desiredFor({ rules: byName }, { name, labels: {} });
}

/** Without the rules that exclude ServiceAccounts by name: an exclusion might match the name that is made. */
function withoutExclusions({ secrets }: Desired): Desired {
  return { secrets: secrets.filter(({ rule }) => rule.scope.serviceAccounts.excluded.length === 0) };
}

/** The API server keeps this much of `generateName`, and appends the rest: k8s.io/apiserver/pkg/storage/names/generate.go. */
const MAX_GENERATED_FROM = 58;
const RANDOM_LENGTH = 5;

/** Stands for every name that may be made: what is appended is of a character that no pattern holds, so only `*` and `?` match it. */
function standInName(generateName: string): string {
  return generateName.slice(0, MAX_GENERATED_FROM) + '\0'.repeat(RANDOM_LENGTH);
}

function hasSelectors({ rules }: Pick<Config, 'rules'>): boolean {
  return rules.some((rule) => rule.scope.namespaceSelector !== undefined);
}

function buildPatch(
  { imagePullSecrets, annotations }: Pick<AdmittedAccount, 'imagePullSecrets' | 'annotations'>,
  { missing, recorded, instance }: { missing: readonly string[]; recorded: readonly string[]; instance: string },
): readonly PatchOperation[] {
  const entries = missing.map((name) => ({ name }));
  const key = referencesAnnotation(instance);
  const value = recorded.join(',');
  return [
    ...(imagePullSecrets === undefined
      ? [{ op: 'add', path: '/imagePullSecrets', value: entries } as const]
      : entries.map((entry) => ({ op: 'add', path: '/imagePullSecrets/-', value: entry }) as const)),
    annotations === undefined
      ? { op: 'add', path: '/metadata/annotations', value: { [key]: value } }
      : { op: 'add', path: `/metadata/annotations/${escapePointer(key)}`, value },
  ];
}

/** A member name inside a JSON pointer (RFC 6901, section 3). */
function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
