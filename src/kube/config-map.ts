// Reads one ConfigMap for commands that end.
import { documentData, type ConfigData } from '../core/managed-form.ts';
import { isRecord } from '../core/records.ts';
import type { KubeClient } from './client.ts';

/**
 * Its data; undefined when there is none. Read by a list: more is not granted to the controller, whose rights may be at hand.
 * Throws KubeError.
 */
export async function readConfigMap(
  client: KubeClient,
  place: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<ConfigData | undefined> {
  const path = `/api/v1/namespaces/${encodeURIComponent(place.namespace)}/configmaps`;
  const query = { fieldSelector: `metadata.name=${place.name}` };
  const { items } = await client.call({ method: 'GET', path, query, signal });
  const found: unknown = Array.isArray(items) ? items[0] : undefined;
  if (!isRecord(found)) return undefined;
  return isRecord(found.data) ? documentData(found.data) : {};
}
