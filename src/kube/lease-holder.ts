// Tells whether somebody holds a Lease now, for commands that must not work beside a running controller.
import { KubeError } from '../core/errors.ts';
import { isRecord } from '../core/records.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient } from './client.ts';

/** Identity of the process that holds the Lease; undefined when there is none, it was released, or it has run out. */
export async function readLeaseHolder(
  client: KubeClient,
  at: { readonly namespace: string; readonly name: string; readonly now: EpochMs; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${at.namespace}/leases/${at.name}`;
  try {
    const { spec } = await client.call({ method: 'GET', path, signal: at.signal });
    if (!isRecord(spec) || typeof spec.holderIdentity !== 'string' || spec.holderIdentity === '') return undefined;
    const renewedAt = typeof spec.renewTime === 'string' ? Date.parse(spec.renewTime) : Number.NaN;
    const lifeMs = typeof spec.leaseDurationSeconds === 'number' ? spec.leaseDurationSeconds * 1_000 : 0;
    return renewedAt + lifeMs > at.now ? spec.holderIdentity : undefined;
  } catch (error) {
    if (error instanceof KubeError && error.reason === 'NotFound') return undefined;
    throw error;
  }
}
