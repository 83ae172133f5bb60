// Reads one Secret that our watch does not show: somebody else's, or our own where the cache was behind.
import { isManaged } from '../core/names.ts';
import type { KubeClient } from '../kube/client.ts';
import { projectSecret } from '../kube/projections.ts';
import { readSecret } from '../kube/writes.ts';
import type { ClusterCaches } from './cluster-caches.ts';
import type { PassWorld } from './pass-world.ts';

/** Builds the reader; what turns out to be ours goes into the cache. */
export function createSecretReader(of: {
  readonly client: KubeClient;
  readonly cluster: Pick<ClusterCaches, 'secrets'>;
  readonly instance: string;
  readonly signal: AbortSignal;
}): PassWorld['readSecret'] {
  const { client, cluster, instance, signal } = of;
  return async (namespace, name) => {
    const object = await readSecret(client, { namespace, name }, signal);
    const secret = object === undefined ? undefined : projectSecret(object);
    if (secret === undefined || !isManaged(secret.value, instance)) return secret?.value;
    cluster.secrets.absorb(object);
    return undefined;
  };
}
