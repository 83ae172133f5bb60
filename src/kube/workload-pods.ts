// The Pods of a Deployment or a DaemonSet, as far as one waits for them.
import { isRecord } from '../core/records.ts';
import type { KubeClient } from './client.ts';
import { listAll } from './cluster-reads.ts';

/** A Pod. */
export interface WorkloadPod {
  readonly name: string;
  /** undefined = it has none yet. */
  readonly node: string | undefined;
  /** What made it; undefined = nobody but a person. */
  readonly owner: { readonly kind: string; readonly uid: string } | undefined;
  readonly isReady: boolean;
  /** True when none of its containers runs any more, or ever will. */
  readonly hasEnded: boolean;
  /** Of all its containers. */
  readonly args: readonly string[];
}

/** Lists those that a label selector means, as the API takes it. Throws KubeError. */
export function listWorkloadPods(
  client: KubeClient,
  at: { readonly namespace: string; readonly labelSelector: string; readonly signal: AbortSignal },
): Promise<readonly WorkloadPod[]> {
  const { namespace, labelSelector, signal } = at;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  return listAll({ client, signal }, path, { query: { labelSelector }, project: projectWorkloadPod });
}

function projectWorkloadPod(object: unknown): WorkloadPod | undefined {
  if (!isRecord(object) || !isRecord(object.metadata) || !isRecord(object.spec)) return undefined;
  const { metadata, spec } = object;
  const status = isRecord(object.status) ? object.status : {};
  if (!isRecord(metadata) || !isRecord(spec) || typeof metadata.name !== 'string') return undefined;
  const owner = recordsOf(metadata.ownerReferences).find(({ controller }) => controller === true);
  return {
    name: metadata.name,
    node: typeof spec.nodeName === 'string' && spec.nodeName !== '' ? spec.nodeName : undefined,
    owner: owner === undefined ? undefined : { kind: String(owner.kind), uid: String(owner.uid) },
    isReady: recordsOf(status.conditions).some((one) => one.type === 'Ready' && one.status === 'True'),
    hasEnded: status.phase === 'Succeeded' || status.phase === 'Failed',
    args: recordsOf(spec.containers).flatMap(({ args }) =>
      Array.isArray(args) ? args.filter((arg) => typeof arg === 'string') : [],
    ),
  };
}

function recordsOf(list: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(list) ? list.filter(isRecord) : [];
}
