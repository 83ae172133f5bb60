// What the caches say of one namespace: no call, no decision.
import type { EpochMs, Observed, ObservedNamespace, ObservedSecret, ObservedServiceAccount } from '../core/types.ts';
import type { Contention } from './contention.ts';
import type { ForeignSecrets } from './foreign-secrets.ts';

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
  readonly foreignSecrets: ForeignSecrets;
  readonly contention: Contention;
}

/** Reads the caches; undefined = there is no such namespace. */
export function observe(caches: Caches, name: string, now: EpochMs): Observed | undefined {
  const namespace = caches.namespaces.get('', name);
  if (namespace === undefined) return undefined;
  const serviceAccounts = [...caches.serviceAccounts.inNamespace(name).values()];
  return {
    namespace,
    serviceAccounts,
    secrets: new Map([...caches.foreignSecrets.inNamespace(name, now), ...caches.secrets.inNamespace(name)]),
    contendedUntil: caches.contention.until(
      serviceAccounts.map((account) => account.uid),
      now,
    ),
  };
}
