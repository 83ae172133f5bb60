// The identity of a node pool: the worker RAM role, whose sessions the metadata service gives (acr.md sections 7 and 17).
import { ProviderError } from '../../core/errors.ts';
import type { AlibabaIdentity } from './identity.ts';
import { fetchRoleSession, readLocalRegion } from './metadata.ts';

/** Builds the identity of the node's RAM role. */
export function createWorkerRoleIdentity(): AlibabaIdentity {
  return {
    key: 'worker-role',
    async fetchKey(world, _place, signal) {
      try {
        const fetch = (abort: AbortSignal): ReturnType<typeof fetchRoleSession> => fetchRoleSession(world, abort);
        const { roleName, ...key } = await world.identity('alibaba/worker-role', fetch, signal);
        return { ...key, origin: `the worker RAM role ${roleName}`, account: 'worker-role' };
      } catch (error) {
        // Silence that has lasted: there is nothing to wait for.
        const isSilence = error instanceof ProviderError && error.reason === 'CloudUnavailable';
        const local = isSilence ? await readLocalRegion(world, signal) : undefined;
        throw local?.kind === 'none' ? noNode(error) : error;
      }
    },
  };
}

function noNode(error: unknown): ProviderError {
  const message = error instanceof Error ? error.message : 'no metadata service answers';
  return new ProviderError(
    'IdentityUnavailable',
    `${message}: this is no node of Alibaba Cloud, or the service is blocked here`,
  );
}
