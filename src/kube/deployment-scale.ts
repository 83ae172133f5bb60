// How many Pods a Deployment is to have: its subresource `scale`, which gives no say over what the Pods are.
import { MANAGER } from '../core/names.ts';
import { isRecord } from '../core/records.ts';
import type { KubeClient } from './client.ts';
import { unlessAbsent } from './errors.ts';
import type { ObjectName } from './writes.ts';

/** What it says. */
export interface DeploymentScale {
  readonly replicas: number;
  /** Of its Pods, as the API takes it. */
  readonly labelSelector: string;
}

/** Reads it; undefined = there is no such Deployment. Throws KubeError. */
export async function readScale(
  client: KubeClient,
  at: ObjectName,
  signal: AbortSignal,
): Promise<DeploymentScale | undefined> {
  const scale = await unlessAbsent(client.call({ method: 'GET', path: scalePath(at), signal }));
  if (scale === undefined) return undefined;
  const spec = isRecord(scale.spec) ? scale.spec : {};
  const status = isRecord(scale.status) ? scale.status : {};
  return {
    replicas: typeof spec.replicas === 'number' ? spec.replicas : 0,
    labelSelector: typeof status.selector === 'string' ? status.selector : '',
  };
}

/** Sets it, whatever it was. Throws KubeError. */
export async function writeScale(
  client: KubeClient,
  at: ObjectName & { readonly replicas: number },
  signal: AbortSignal,
): Promise<void> {
  const body = { spec: { replicas: at.replicas } };
  await client.call({ method: 'PATCH', path: scalePath(at), query: { fieldManager: MANAGER }, body, signal });
}

function scalePath({ namespace, name }: ObjectName): string {
  return `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/deployments/${encodeURIComponent(name)}/scale`;
}
