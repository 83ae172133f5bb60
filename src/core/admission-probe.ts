// Which request would show that the admission webhook works: one that comes back with a reference that nobody wrote into it.
import { desiredFor } from './desired.ts';
import { UNASKED_NAMESPACE } from './names.ts';
import { includesServiceAccount, type Named } from './scope.ts';
import type { Config, Desired, ObservedNamespace, ObservedServiceAccount } from './types.ts';

/** A request about a ServiceAccount that is to be made as a dry run, and the references that are to come back. */
export type AdmissionProbe =
  | {
      readonly kind: 'create';
      readonly namespace: string;
      readonly name: string;
      readonly expected: readonly string[];
    }
  /** Our references are taken out of one that has them: the webhook puts them back. */
  | {
      readonly kind: 'change';
      readonly account: Pick<ObservedServiceAccount, 'namespace' | 'name' | 'uid' | 'resourceVersion'>;
      /** Names that stay. */
      readonly imagePullSecrets: readonly string[];
      readonly expected: readonly string[];
    };

/** What there is to choose from. */
export interface ProbeWorld {
  readonly config: Pick<Config, 'rules' | 'unknown'>;
  readonly namespaces: readonly ObservedNamespace[];
  readonly accounts: readonly ObservedServiceAccount[];
  /** Our own, which the webhook is never asked about. */
  readonly ownNamespace: string;
  /** The only ones that are served; undefined = all. */
  readonly served: readonly string[] | undefined;
}

/** Name of a ServiceAccount that nobody has. */
const NEW_NAME = 'registry-credential-helper-self-test';

/** The requests that would show it, the most telling first, one of each kind; empty = there is nothing in scope to show it with. */
export function findAdmissionProbes(world: ProbeWorld): readonly AdmissionProbe[] {
  const { config, accounts, ownNamespace, served } = world;
  const places = world.namespaces
    .filter(({ terminating }) => !terminating)
    .filter(({ name }) => name !== ownNamespace && name !== UNASKED_NAMESPACE && served?.includes(name) !== false)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((namespace) => ({ namespace: namespace.name, desired: desiredFor(config, namespace) }))
    .filter(({ desired }) => desired.secrets.length > 0);
  const accountsOf = Map.groupBy(accounts, ({ namespace }) => namespace);
  const first = (find: (place: Place, held: readonly ObservedServiceAccount[]) => AdmissionProbe | undefined) => {
    for (const place of places) {
      const found = find(place, accountsOf.get(place.namespace) ?? []);
      if (found !== undefined) return [found];
    }
    return [];
  };
  return [...first(creation), ...first(change)];
}

interface Place {
  readonly namespace: string;
  readonly desired: Desired;
}

function creation({ namespace, desired }: Place, held: readonly ObservedServiceAccount[]): AdmissionProbe | undefined {
  const listed = desired.secrets.flatMap(({ rule }) => [...rule.scope.serviceAccounts.names]);
  for (const name of [NEW_NAME, ...listed]) {
    const expected = wantedFor({ name, labels: {} }, desired);
    if (expected.length > 0 && held.every((account) => account.name !== name)) {
      return { kind: 'create', namespace, name, expected };
    }
  }
  return undefined;
}

function change({ desired }: Place, held: readonly ObservedServiceAccount[]): AdmissionProbe | undefined {
  for (const account of held) {
    const { namespace, name, uid, resourceVersion, imagePullSecrets, recorded } = account;
    const expected = wantedFor(account, desired).filter(
      (secret) => recorded.includes(secret) && imagePullSecrets.includes(secret),
    );
    if (expected.length === 0) continue;
    const kept = imagePullSecrets.filter((secret) => !expected.includes(secret));
    return {
      kind: 'change',
      account: { namespace, name, uid, resourceVersion },
      imagePullSecrets: kept,
      expected,
    };
  }
  return undefined;
}

function wantedFor(account: Named, { secrets }: Desired): readonly string[] {
  return secrets.filter(({ rule }) => includesServiceAccount(rule.scope, account)).map(({ name }) => name);
}
