// The identity of a node pool: the worker RAM role, whose sessions the metadata service gives (acr.md sections 7 and 17).
import { ProviderError } from '../../core/errors.ts';
import type { ProviderWorld } from '../provider.ts';
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
        throw (await isElsewhere(world, error, signal)) ? noNode(error) : error;
      }
    },
  };
}

/** True when no metadata service has ever answered here: that will not pass. */
async function isElsewhere(world: ProviderWorld, error: unknown, signal: AbortSignal): Promise<boolean> {
  const isSilence = error instanceof ProviderError && error.reason === 'CloudUnavailable';
  return isSilence && (await readLocalRegion(world, signal)) === undefined;
}

function noNode(error: unknown): ProviderError {
  const message = error instanceof Error ? error.message : 'no metadata service answers';
  return new ProviderError(
    'IdentityUnavailable',
    `${message}: this is no node of Alibaba Cloud, or the service is blocked here`,
  );
}
