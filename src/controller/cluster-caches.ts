// The caches of the cluster that every replica keeps: namespaces, ServiceAccounts, and our own Secrets.
import { managedSelector } from '../core/names.ts';
import type { Write } from '../core/plan-types.ts';
import type { EpochMs, ObservedNamespace, ObservedSecret, ObservedServiceAccount } from '../core/types.ts';
import type { KubeClient } from '../kube/client.ts';
import {
  isSameNamespace,
  isSameSecret,
  isSameServiceAccount,
  projectNamespace,
  projectSecret,
  projectServiceAccount,
} from '../kube/projections.ts';
import { ReflectorGroup, type Followed } from '../kube/reflector-group.ts';
import { Reflector, type ReflectorEvent, type ReflectorOptions } from '../kube/reflector.ts';
import type { Triggers } from './triggers.ts';

/** The kinds that are followed. */
export type CachedKind = 'namespaces' | 'serviceaccounts' | 'secrets';

/** The reflectors, and how our own writes get into them. */
export interface ClusterCaches {
  /** Where only some are served: those alone. */
  readonly namespaces: Followed<ObservedNamespace>;
  readonly serviceAccounts: Followed<ObservedServiceAccount>;
  readonly secrets: Followed<ObservedSecret>;
  readonly synced: boolean;
  /** False = what is held of the ServiceAccounts and Secrets there may not be relied on: they may not be read, or were not yet. */
  isRead(namespace: string): boolean;
  /** True when that holds for none of the namespaces that are there. */
  isWhole(): boolean;
  /** Puts the answer to a write into its cache, before the watch tells. */
  absorb(write: Write, answer: unknown): void;
  whenSynced(signal: AbortSignal): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

/** What the caches are built from. */
export interface ClusterCachesOptions {
  readonly client: KubeClient;
  readonly instance: string;
  /** The only ones that are served; absent = all, which takes rights in the whole cluster. */
  readonly namespaces?: readonly string[] | undefined;
  /** Absent = nobody is told of changes. */
  readonly triggers?: Pick<Triggers, 'onNamespace' | 'onServiceAccount' | 'onSecret' | 'onRead'>;
  /** `kind`: one of `CachedKind`, and in which namespace where each is followed by itself: `secrets in team-a`. */
  readonly report: (kind: string, event: ReflectorEvent) => void;
  readonly now: () => EpochMs;
  readonly random: () => number;
}

/** Builds the caches; nothing is read before `run`. */
export function createClusterCaches(options: ClusterCachesOptions): ClusterCaches {
  const { instance, triggers } = options;
  const served = options.namespaces === undefined ? undefined : new Set(options.namespaces);
  const isRead = (namespace: string): boolean =>
    [serviceAccounts, secrets].every((kind) => kind.isKnownIn?.(namespace) ?? true);
  const namespaces = follow(
    { ...options, namespaces: undefined },
    {
      kind: 'namespaces',
      project: projectNamespace,
      isEqual: isSameNamespace,
      ...(served === undefined ? {} : { isKept: ({ name }: { readonly name: string }) => served.has(name) }),
      ...(triggers === undefined ? {} : { onChange: triggers.onNamespace }),
    },
  );
  const serviceAccounts = follow(options, {
    kind: 'serviceaccounts',
    project: projectServiceAccount(instance),
    isEqual: isSameServiceAccount,
    ...(triggers === undefined ? {} : { onChange: triggers.onServiceAccount }),
  });
  const secrets = follow(options, {
    kind: 'secrets',
    labelSelector: managedSelector(instance),
    project: projectSecret,
    isEqual: isSameSecret,
    ...(triggers === undefined ? {} : { onChange: triggers.onSecret }),
  });
  const all = [namespaces, serviceAccounts, secrets] as const;
  return {
    namespaces,
    serviceAccounts,
    secrets,
    get synced() {
      return all.every((reflector) => reflector.synced);
    },
    isRead,
    isWhole: () => served === undefined || [...namespaces.all()].every(({ name }) => isRead(name)),
    absorb(write, answer) {
      if (write.kind === 'patch-service-account') serviceAccounts.absorb(answer);
      else if (write.kind === 'delete-secret') secrets.absorbDeletion(write.namespace, write.name, write.uid);
      else secrets.absorb(answer);
    },
    whenSynced: async (signal) => {
      await Promise.all(all.map((reflector) => reflector.whenSynced(signal)));
    },
    run: async (signal) => {
      await Promise.all(all.map((reflector) => reflector.run(signal)));
    },
  };
}

/** Follows one kind in the whole cluster, or in each namespace by itself. */
function follow<T>(
  { client, namespaces, triggers, report, now, random }: ClusterCachesOptions,
  {
    kind,
    ...what
  }: Pick<ReflectorOptions<T>, 'labelSelector' | 'project' | 'isKept' | 'isEqual' | 'onChange'> & {
    readonly kind: CachedKind;
  },
): Followed<T> {
  const shared = { client, ...what, now, random };
  if (namespaces === undefined) {
    return new Reflector({ ...shared, path: `/api/v1/${kind}`, report: (event) => report(kind, event) });
  }
  return new ReflectorGroup({
    ...shared,
    namespaces,
    resource: kind,
    report: (namespace, event) => report(`${kind} in ${namespace}`, event),
    // Also where both lists are empty, and nothing else wakes the namespace.
    onKnown: (namespace) => triggers?.onRead(namespace),
  });
}
