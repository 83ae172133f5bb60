// With what the webhook objects go: cluster-scoped objects can only be owned by another one.
import { KubeError } from '../core/errors.ts';
import { isRecord } from '../core/records.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Owner } from './object.ts';

/** The ClusterRole; undefined = there is none, or it may not be read: then nothing owns the objects. */
export async function readClusterRole(
  client: KubeClient,
  name: string,
  signal: AbortSignal,
): Promise<Owner | undefined> {
  const path = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${encodeURIComponent(name)}`;
  try {
    const { metadata } = await client.call({ method: 'GET', path, signal });
    return isRecord(metadata) && typeof metadata.uid === 'string' ? { name, uid: metadata.uid } : undefined;
  } catch (error) {
    if (error instanceof KubeError && ['NotFound', 'Forbidden'].includes(error.reason)) return undefined;
    throw error;
  }
}
