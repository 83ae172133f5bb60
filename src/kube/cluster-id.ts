// What tells this cluster from every other one: the UID of a namespace that is never deleted.
import { isRecord } from '../core/records.ts';
import { KubeError } from '../core/errors.ts';
import type { KubeClient } from './client.ts';

const NAMESPACE = 'kube-system';

/**
 * Builds the question, which is asked until it is answered and never again. By a list, a right that we have anyway. Throws KubeError.
 */
export function createClusterIdReader(client: Pick<KubeClient, 'call'>): (signal: AbortSignal) => Promise<string> {
  let known: string | undefined;
  return async (signal) => {
    known ??= await readUid(client, signal);
    return known;
  };
}

async function readUid(client: Pick<KubeClient, 'call'>, signal: AbortSignal): Promise<string> {
  const query = { fieldSelector: `metadata.name=${NAMESPACE}`, limit: 1 };
  const { items } = await client.call({ method: 'GET', path: '/api/v1/namespaces', query, signal });
  const [item] = Array.isArray(items) ? (items as readonly unknown[]) : [];
  const metadata = isRecord(item) && isRecord(item.metadata) ? item.metadata : {};
  if (metadata.name === NAMESPACE && typeof metadata.uid === 'string' && /^[\w-]{8,64}$/.test(metadata.uid)) {
    return metadata.uid;
  }
  throw new KubeError('NotFound', `The list of namespaces has no ${NAMESPACE} with a UID`);
}
