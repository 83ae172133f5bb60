// Tells whether somebody holds a Lease now, for commands that must not work beside a running controller.
import { isRecord } from '../core/records.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient } from './client.ts';
import { unlessAbsent } from './errors.ts';

/** Identity of the process that holds the Lease; undefined when there is none, it was released, or it has run out. */
export async function readLeaseHolder(
  client: KubeClient,
  at: { readonly namespace: string; readonly name: string; readonly now: EpochMs; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${at.namespace}/leases/${at.name}`;
  const lease = await unlessAbsent(client.call({ method: 'GET', path, signal: at.signal }));
  const spec = lease?.spec;
  if (!isRecord(spec) || typeof spec.holderIdentity !== 'string' || spec.holderIdentity === '') return undefined;
  const renewedAt = typeof spec.renewTime === 'string' ? Date.parse(spec.renewTime) : Number.NaN;
  const lifeMs = typeof spec.leaseDurationSeconds === 'number' ? spec.leaseDurationSeconds * 1_000 : 0;
  return renewedAt + lifeMs > at.now ? spec.holderIdentity : undefined;
}
