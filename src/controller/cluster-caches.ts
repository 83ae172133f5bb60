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
import { Reflector, type ReflectorEvent } from '../kube/reflector.ts';
import type { Triggers } from './triggers.ts';

/** The kinds that are followed in the whole cluster. */
export type CachedKind = 'namespaces' | 'serviceaccounts' | 'secrets';

/** The reflectors, and how our own writes get into them. */
export interface ClusterCaches {
  readonly namespaces: Reflector<ObservedNamespace>;
  readonly serviceAccounts: Reflector<ObservedServiceAccount>;
  readonly secrets: Reflector<ObservedSecret>;
  readonly synced: boolean;
  /** Puts the answer to a write into its cache, before the watch tells. */
  absorb(write: Write, answer: unknown): void;
  whenSynced(signal: AbortSignal): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

/** Builds the caches; nothing is read before `run`. Without `triggers` nobody is told of changes. */
export function createClusterCaches(options: {
  readonly client: KubeClient;
  readonly instance: string;
  readonly triggers?: Pick<Triggers, 'onNamespace' | 'onServiceAccount' | 'onSecret'>;
  readonly report: (kind: CachedKind, event: ReflectorEvent) => void;
  readonly now: () => EpochMs;
  readonly random: () => number;
}): ClusterCaches {
  const { client, instance, triggers, now, random } = options;
  const shared = (kind: CachedKind) => ({
    client,
    path: `/api/v1/${kind}`,
    report: (event: ReflectorEvent) => options.report(kind, event),
    now,
    random,
  });
  const namespaces = new Reflector({
    ...shared('namespaces'),
    project: projectNamespace,
    isEqual: isSameNamespace,
    ...(triggers === undefined ? {} : { onChange: triggers.onNamespace }),
  });
  const serviceAccounts = new Reflector({
    ...shared('serviceaccounts'),
    project: projectServiceAccount(instance),
    isEqual: isSameServiceAccount,
    ...(triggers === undefined ? {} : { onChange: triggers.onServiceAccount }),
  });
  const secrets = new Reflector({
    ...shared('secrets'),
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
