// In which namespace the controller of an installation is, for commands whose --namespace means something else: Secret references start there.
import { leaseName } from '../core/names.ts';
import type { Looked } from '../core/take-over-facts.ts';
import type { KubeClient } from '../kube/client.ts';
import { look } from '../kube/cluster-reads.ts';
import { findLeases, type FoundLease } from '../kube/lease-holder.ts';
import type { Settings } from './settings.ts';

/** The Leases of an installation: one, unless its name is used in several namespaces. Throws KubeError for what is not a missing right. */
export function lookForLeases(
  client: KubeClient,
  { instance }: Pick<Settings, 'instance'>,
  signal: AbortSignal,
): Promise<Looked<readonly FoundLease[]>> {
  return look('allow "list" of leases.coordination.k8s.io in every namespace', () =>
    findLeases(client, { name: leaseName(instance), now: Date.now(), signal }),
  );
}

/** Where its Lease is; where that may not be seen, or is not clear, the namespace of the ConfigMap. Throws KubeError as above. */
export async function findInstallation(
  client: KubeClient,
  { configMap, ...settings }: Pick<Settings, 'instance'> & { readonly configMap: { readonly namespace: string } },
  signal: AbortSignal,
): Promise<string> {
  const leases = await lookForLeases(client, settings, signal);
  const [only, ...others] = leases.ok ? leases.value : [];
  return only === undefined || others.length > 0 ? configMap.namespace : only.namespace;
}
