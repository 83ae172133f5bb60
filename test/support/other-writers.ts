// Other programs that write `imagePullSecrets`: the careful ones, and those that replace the whole list.
import { createKubeClient } from '../../src/kube/client.ts';
import { loadKubeConfig } from '../../src/kube/kube-config.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { clusterOf, type Cluster, type TestObject } from './cluster.ts';
import type { ControlPlane } from './control-plane/control-plane.ts';
import { isRecord } from './control-plane/json.ts';

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

/** Alibaba's add-on as its managed edition works: on the side of the control plane, without a Deployment that could be seen. */
export interface ManagedHelper {
  /** What it is called in the audit log. */
  readonly user: string;
  /** Ends its watches. A write under way is waited for. */
  stop(): Promise<void>;
}

/** What it serves, and with which Secret. */
export interface ManagedHelperOptions {
  /** Known to the control plane, and allowed to write. */
  readonly user: string;
  /** The field manager of its writes. */
  readonly fieldManager: string;
  readonly namespace: string;
  readonly secret: string;
  /** Content of `.dockerconfigjson`. */
  readonly content: string;
}

/**
 * Starts it: as soon as its watch tells of a change it replaces the whole list of every ServiceAccount by its one entry, and the
 * content of its Secret by its own (acr.md section 10), as often as anybody else writes them.
 */
export async function startManagedHelper(plane: ControlPlane, options: ManagedHelperOptions): Promise<ManagedHelper> {
  const { user, fieldManager, namespace, secret, content } = options;
  const kubeConfig = loadKubeConfig({ inCluster: false, file: plane.kubeconfig(user) });
  const client = createKubeClient({ kubeConfig, userAgent: fieldManager });
  const ended = new AbortController();
  const writing = new Set<Promise<unknown>>();
  const write = (path: string, body: unknown): void => {
    const query = { fieldManager };
    const call = client.call({ method: 'PATCH', path: `/api/v1/namespaces/${namespace}/${path}`, query, body });
    // What is gone by now is gone; everything else would show as a list that stays as it is.
    const settled = call.catch(() => undefined).finally(() => writing.delete(settled));
    writing.add(settled);
  };
  const follow = (kind: string, onObject: (object: TestObject) => void): Reflector<TestObject> =>
    new Reflector<TestObject>({
      client,
      path: `/api/v1/namespaces/${namespace}/${kind}`,
      project: (value) => {
        if (!isRecord(value) || !isRecord(value.metadata)) return undefined;
        const object = value as unknown as TestObject;
        const { name, uid, resourceVersion } = object.metadata;
        return { namespace, name, uid, resourceVersion, value: object };
      },
      onChange: ({ after }) => {
        if (after !== undefined) onObject(after);
      },
      report: () => undefined,
      now: Date.now,
      random: Math.random,
    });
  const followers = [
    follow('serviceaccounts', ({ metadata, imagePullSecrets = [] }) => {
      if (imagePullSecrets.map(({ name }) => name).join() === secret) return;
      write(`serviceaccounts/${metadata.name}`, { imagePullSecrets: [{ name: secret }] });
    }),
    follow('secrets', ({ metadata, data }) => {
      if (metadata.name !== secret || data?.['.dockerconfigjson'] === content) return;
      write(`secrets/${secret}`, { data: { '.dockerconfigjson': content } });
    }),
  ];
  await clusterOf(plane, user).create(
    'secrets',
    { metadata: { name: secret }, type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': content } },
    namespace,
  );
  const running = followers.map((follower) => follower.run(ended.signal));
  return {
    user,
    async stop() {
      ended.abort();
      await Promise.all(running);
      await Promise.all(writing);
      await client.close();
    },
  };
}
