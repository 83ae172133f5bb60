// Tells whether somebody holds a Lease now, for commands that must not work beside a running controller.
import { isRecord } from '../core/records.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { unlessAbsent } from './errors.ts';

/** One Lease, and how long it may be read. */
interface LeasePlace {
  readonly namespace: string;
  readonly name: string;
  readonly signal: AbortSignal;
}

/** Identity of the process that holds the Lease; undefined when there is none, it was released, or it has run out. */
export async function readLeaseHolder(
  client: KubeClient,
  at: LeasePlace & { readonly now: EpochMs },
): Promise<string | undefined> {
  return holderOf(await readLease(client, at), at.now);
}

/** Changes whenever somebody takes, renews or releases the Lease; undefined = there is none. Throws KubeError. */
export async function readLeaseVersion(client: KubeClient, at: LeasePlace): Promise<string | undefined> {
  const lease = await readLease(client, at);
  return isRecord(lease?.metadata) ? String(lease.metadata.resourceVersion) : undefined;
}

/** A Lease, and who holds it now. */
export interface FoundLease {
  readonly namespace: string;
  readonly holder: string | undefined;
}

/** The same for every Lease of that name in the cluster: who does not know where an installation is finds it so. */
export async function findLeases(
  client: KubeClient,
  at: { readonly name: string; readonly now: EpochMs; readonly signal: AbortSignal },
): Promise<readonly FoundLease[]> {
  const query = { fieldSelector: `metadata.name=${at.name}` };
  const path = '/apis/coordination.k8s.io/v1/leases';
  const { items } = await client.call({ method: 'GET', path, query, signal: at.signal });
  return (Array.isArray(items) ? items : []).flatMap((lease: unknown) => {
    if (!isRecord(lease) || !isRecord(lease.metadata) || typeof lease.metadata.namespace !== 'string') return [];
    return [{ namespace: lease.metadata.namespace, holder: holderOf(lease, at.now) }];
  });
}

function readLease(client: KubeClient, { namespace, name, signal }: LeasePlace): Promise<KubeObject | undefined> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`;
  return unlessAbsent(client.call({ method: 'GET', path, signal }));
}

function holderOf(lease: KubeObject | undefined, now: EpochMs): string | undefined {
  const spec = lease?.spec;
  if (!isRecord(spec) || typeof spec.holderIdentity !== 'string' || spec.holderIdentity === '') return undefined;
  const renewedAt = typeof spec.renewTime === 'string' ? Date.parse(spec.renewTime) : Number.NaN;
  const lifeMs = typeof spec.leaseDurationSeconds === 'number' ? spec.leaseDurationSeconds * 1_000 : 0;
  return renewedAt + lifeMs > now ? spec.holderIdentity : undefined;
}
