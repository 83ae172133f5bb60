// One DaemonSet by its name: read, and changed in exactly the version that was read.
import { MANAGER } from '../core/names.ts';
import { isRecord } from '../core/records.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { unlessAbsent } from './errors.ts';
import { listWorkloadPods, type WorkloadPod } from './workload-pods.ts';
import type { ObjectName } from './writes.ts';

/** Reads it; undefined = there is none. Throws KubeError. */
export function readDaemonSet(
  client: KubeClient,
  at: ObjectName,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  return unlessAbsent(client.call({ method: 'GET', path: pathOf(at), signal }));
}

/** Strategic merge patch: containers are told apart by their names. `Conflict` = it changed since. Throws KubeError. */
export function patchDaemonSet(
  client: KubeClient,
  at: ObjectName & { readonly patch: KubeObject },
  signal: AbortSignal,
): Promise<KubeObject> {
  return client.call({
    method: 'PATCH',
    path: pathOf(at),
    query: { fieldManager: MANAGER },
    contentType: 'application/strategic-merge-patch+json',
    body: at.patch,
    signal,
  });
}

/** The Pods that it made. Throws KubeError. */
export async function listDaemonPods(
  client: KubeClient,
  daemonSet: KubeObject,
  signal: AbortSignal,
): Promise<readonly WorkloadPod[]> {
  const { metadata, spec } = daemonSet;
  const { namespace, uid } = isRecord(metadata) ? metadata : {};
  const selector = isRecord(spec) && isRecord(spec.selector) ? spec.selector : {};
  const labels = Object.entries(isRecord(selector.matchLabels) ? selector.matchLabels : {});
  const labelSelector = labels.map(([key, value]) => `${key}=${String(value)}`).join(',');
  const pods = await listWorkloadPods(client, { namespace: String(namespace), labelSelector, signal });
  return pods.filter(({ owner, hasEnded }) => owner?.uid === uid && !hasEnded);
}

function pathOf({ namespace, name }: ObjectName): string {
  return `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/daemonsets/${encodeURIComponent(name)}`;
}
