// Writes the status of an `ImagePullSecret`: our fields only, on exactly the resource that was looked at.
import { MANAGER } from '../core/names.ts';
import type { WrittenStatus } from '../core/resource-status.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { RESOURCES_PATH, type Resource } from './resource-objects.ts';

/**
 * A merge patch of the status subresource: what others keep there stays, and the generation too. Throws KubeError; `Conflict` =
 * another resource has the name now.
 */
export function writeResourceStatus(
  client: KubeClient,
  { name, uid }: Pick<Resource, 'name' | 'uid'>,
  status: WrittenStatus,
  signal: AbortSignal,
): Promise<KubeObject> {
  // `null` removes a field; a field that is undefined would be left as it is.
  const fields = 'expiresAt' in status ? { ...status, expiresAt: status.expiresAt ?? null } : status;
  return client.call({
    method: 'PATCH',
    path: `${RESOURCES_PATH}/${encodeURIComponent(name)}/status`,
    query: { fieldManager: MANAGER },
    body: { metadata: { uid }, status: fields },
    signal,
  });
}
