// Other programs that write `imagePullSecrets`: the careful ones, and those that replace the whole list.
import type { Cluster } from './cluster.ts';
import type { ControlPlane } from './control-plane/control-plane.ts';

/** A ServiceAccount by namespace and name. */
export interface AccountName {
  readonly namespace: string;
  readonly name: string;
}

/** Appends one entry by a guarded read-modify-write, again and again until it succeeds. Returns how often it had to. */
export async function appendReference(
  cluster: Cluster,
  { namespace, name }: AccountName,
  entry: string,
): Promise<number> {
  for (let attempts = 1; ; attempts += 1) {
    const account = await cluster.get('serviceaccounts', name, namespace);
    if (account === undefined) throw new Error(`ServiceAccount ${namespace}/${name} is gone`);
    const patch = {
      metadata: { resourceVersion: account.metadata.resourceVersion },
      imagePullSecrets: [...(account.imagePullSecrets ?? []), { name: entry }],
    };
    if (await cluster.tryPatch('serviceaccounts', name, patch, namespace)) return attempts;
  }
}

/** Replaces the whole list without a guard, as GitOps tools and `helm upgrade` do. */
export async function replaceReferences(
  plane: ControlPlane,
  { namespace, name, fieldManager = 'other-writer' }: AccountName & { readonly fieldManager?: string },
  entries: readonly string[],
): Promise<void> {
  const answer = await plane.request({
    method: 'PATCH',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}?fieldManager=${fieldManager}`,
    contentType: 'application/merge-patch+json',
    body: { imagePullSecrets: entries.map((entry) => ({ name: entry })) },
  });
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
}

/** PUTs the ServiceAccount as a manifest has it: without a version, without annotations that the manifest does not know. */
export async function putAccount(
  plane: ControlPlane,
  { namespace, name }: AccountName,
  entries: readonly string[],
): Promise<void> {
  const answer = await plane.request({
    method: 'PUT',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}?fieldManager=kubectl-replace`,
    body: {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace, name },
      imagePullSecrets: entries.map((entry) => ({ name: entry })),
    },
  });
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
}
