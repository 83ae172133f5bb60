// Tells whether somebody holds a Lease now, for commands that must not work beside a running controller.
import { isRecord } from '../core/records.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { unlessAbsent } from './errors.ts';

/** Identity of the process that holds the Lease; undefined when there is none, it was released, or it has run out. */
export async function readLeaseHolder(
  client: KubeClient,
  at: { readonly namespace: string; readonly name: string; readonly now: EpochMs; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${at.namespace}/leases/${at.name}`;
  const lease = await unlessAbsent(client.call({ method: 'GET', path, signal: at.signal }));
  return holderOf(lease, at.now);
}

/** Changes whenever somebody takes, renews or releases the Lease; undefined = there is none. Throws KubeError. */
export async function readLeaseVersion(
  client: KubeClient,
  at: { readonly namespace: string; readonly name: string; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${at.namespace}/leases/${at.name}`;
  const lease = await unlessAbsent(client.call({ method: 'GET', path, signal: at.signal }));
  return isRecord(lease?.metadata) ? String(lease.metadata.resourceVersion) : undefined;
}

/** The holder of every Lease of that name in the cluster, each with its namespace: who does not know where an installation is finds it so. */
export async function findLeaseHolders(
  client: KubeClient,
  at: { readonly name: string; readonly now: EpochMs; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const query = { fieldSelector: `metadata.name=${at.name}` };
  const path = '/apis/coordination.k8s.io/v1/leases';
  const { items } = await client.call({ method: 'GET', path, query, signal: at.signal });
  return (Array.isArray(items) ? items : []).flatMap((lease: unknown) =>
    isRecord(lease) ? (placed(lease, holderOf(lease, at.now)) ?? []) : [],
  );
}

function holderOf(lease: KubeObject | undefined, now: EpochMs): string | undefined {
  const spec = lease?.spec;
  if (!isRecord(spec) || typeof spec.holderIdentity !== 'string' || spec.holderIdentity === '') return undefined;
  const renewedAt = typeof spec.renewTime === 'string' ? Date.parse(spec.renewTime) : Number.NaN;
  const lifeMs = typeof spec.leaseDurationSeconds === 'number' ? spec.leaseDurationSeconds * 1_000 : 0;
  return renewedAt + lifeMs > now ? spec.holderIdentity : undefined;
}

function placed({ metadata }: KubeObject, holder: string | undefined): string | undefined {
  const namespace = isRecord(metadata) && typeof metadata.namespace === 'string' ? metadata.namespace : '?';
  return holder === undefined ? undefined : `${holder} in ${namespace}`;
}
