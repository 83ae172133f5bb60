// What the caches say of one namespace: no call, no decision.
import type { EpochMs, Observed, ObservedNamespace, ObservedSecret, ObservedServiceAccount } from '../core/types.ts';
import { Contention } from './contention.ts';
import { ForeignSecrets } from './foreign-secrets.ts';
import { Refusals } from './refusals.ts';

/** A cache of one kind of object, by namespace and name. */
export interface ObjectCache<T> {
  get(namespace: string, name: string): T | undefined;
  inNamespace(namespace: string): ReadonlyMap<string, T>;
  all(): Iterable<T>;
}

/** Everything that a pass reads. */
export interface Caches {
  readonly namespaces: ObjectCache<ObservedNamespace>;
  readonly serviceAccounts: ObjectCache<ObservedServiceAccount>;
  /** Only Secrets with our labels. */
  readonly secrets: ObjectCache<ObservedSecret>;
  /** False = what the two above hold of a namespace may not be relied on. */
  readonly isRead: (namespace: string) => boolean;
  readonly foreignSecrets: ForeignSecrets;
  readonly contention: Contention;
  readonly refusals: Refusals;
}

/** The caches of a cluster, with nothing known yet of other writers. */
export function createCaches(
  cluster: Pick<Caches, 'namespaces' | 'serviceAccounts' | 'secrets'> & Partial<Pick<Caches, 'isRead'>>,
): Caches {
  const { namespaces, serviceAccounts, secrets, isRead = () => true } = cluster;
  return {
    namespaces,
    serviceAccounts,
    secrets,
    isRead,
    foreignSecrets: new ForeignSecrets(),
    contention: new Contention(),
    refusals: new Refusals(),
  };
}

/** Forgets what was learnt of other writers, and of the API server's refusals. */
export function forgetWriters({ foreignSecrets, contention, refusals }: Caches): void {
  for (const memory of [foreignSecrets, contention, refusals]) memory.clear();
}

/**
 * Reads the caches; undefined = there is no such namespace. `secretNames`: those that rules want, there or not. What was refused
 * of objects that are neither there nor wanted is forgotten.
 */
export function observe(
  caches: Caches,
  name: string,
  { secretNames, now }: { readonly secretNames: readonly string[]; readonly now: EpochMs },
): Observed | undefined {
  const namespace = caches.namespaces.get('', name);
  if (namespace === undefined) return undefined;
  const serviceAccounts = [...caches.serviceAccounts.inNamespace(name).values()];
  const secrets = new Map([...caches.foreignSecrets.inNamespace(name, now), ...caches.secrets.inNamespace(name)]);
  const places = [...secrets.keys(), ...secretNames].map((secret) => `${name}/${secret}`);
  caches.refusals.retain(name, [...serviceAccounts.map((account) => account.uid), ...places]);
  return {
    namespace,
    serviceAccounts,
    secrets,
    contendedUntil: caches.contention.inNamespace(name, now),
    refusedUntil: caches.refusals.inNamespace(name, now),
  };
}
