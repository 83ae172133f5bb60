// What a person or another program does in a cluster, as short calls: create, read, edit, delete.
import { readFile } from 'node:fs/promises';
import { loadAll } from 'js-yaml';
import type { ControlPlane } from './control-plane/control-plane.ts';

/** A Kubernetes object as far as the tests read it. */
export interface TestObject {
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  readonly [field: string]: unknown;
}

/** One entry under `auths`. */
export interface AuthEntry {
  readonly username: string;
  readonly password: string;
  readonly auth: string;
  readonly email?: string;
}

/** The kinds that the tests touch, by path. */
type Kind =
  | 'namespaces'
  | 'pods'
  | 'serviceaccounts'
  | 'secrets'
  | 'configmaps'
  | 'events'
  | 'imagepullsecrets'
  | 'deployments'
  | 'daemonsets';

/** Calls as `admin`, unless another user is named at the start. Each throws with status and answer when it is refused. */
export interface Cluster {
  create(kind: Kind, object: Readonly<Record<string, unknown>>, namespace?: string): Promise<TestObject>;
  /** undefined = there is none. */
  get(kind: Kind, name: string, namespace?: string): Promise<TestObject | undefined>;
  list(kind: Kind, namespace?: string): Promise<readonly TestObject[]>;
  /** A merge patch. */
  patch(kind: Kind, name: string, patch: unknown, namespace?: string): Promise<TestObject>;
  /** A merge patch; false = conflict. */
  tryPatch(kind: Kind, name: string, patch: unknown, namespace?: string): Promise<boolean>;
  /** Nothing happens when there is none. */
  remove(kind: Kind, name: string, namespace?: string): Promise<void>;
  namespace(name: string, labels?: Readonly<Record<string, string>>): Promise<TestObject>;
  serviceAccount(namespace: string, name: string, imagePullSecrets?: readonly string[]): Promise<TestObject>;
  /** Names in `imagePullSecrets`, in order. */
  references(namespace: string, name: string): Promise<readonly string[]>;
  /** Entries of a `.dockerconfigjson` Secret by host; undefined = there is no such Secret. */
  auths(namespace: string, name: string): Promise<Readonly<Record<string, AuthEntry>> | undefined>;
  /** Creates every object of a file of plain manifests. */
  applyFile(file: string): Promise<void>;
}

/** Entries of a `.dockerconfigjson` Secret as it was read, by host; undefined = it holds none. */
export function authsOf(secret: TestObject): Readonly<Record<string, AuthEntry>> | undefined {
  const text = secret.data?.['.dockerconfigjson'];
  if (text === undefined) return undefined;
  return (JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as { auths: Record<string, AuthEntry> }).auths;
}

/** Where kinds are that are not in the core group. */
const GROUPS: Readonly<Partial<Record<Kind, string>>> = {
  imagepullsecrets: '/apis/tcr.tencentcloudcr.com/v1',
  deployments: '/apis/apps/v1',
  daemonsets: '/apis/apps/v1',
};

/** The calls of `user` on a control plane. */
export function clusterOf(plane: ControlPlane, user = 'admin'): Cluster {
  const path = (kind: Kind, namespace?: string, name?: string): string =>
    `${GROUPS[kind] ?? '/api/v1'}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${kind}${name === undefined ? '' : `/${name}`}`;
  const call = async (
    request: { method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'; path: string; body?: unknown; contentType?: string },
    accept: readonly number[] = [],
  ): Promise<{ status: number; body: unknown }> => {
    const answer = await plane.request({ ...request, user });
    if (answer.status < 300 || accept.includes(answer.status)) return answer;
    throw new Error(`${request.method ?? 'GET'} ${request.path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  };
  const patchCall = (kind: Kind, name: string, body: unknown, namespace?: string) =>
    ({
      method: 'PATCH',
      path: path(kind, namespace, name),
      body,
      contentType: 'application/merge-patch+json',
    }) as const;

  const cluster: Cluster = {
    create: async (kind, object, namespace) =>
      (await call({ method: 'POST', path: path(kind, namespace), body: object })).body as TestObject,
    get: async (kind, name, namespace) => {
      const answer = await call({ path: path(kind, namespace, name) }, [404]);
      return answer.status === 404 ? undefined : (answer.body as TestObject);
    },
    list: async (kind, namespace) =>
      ((await call({ path: path(kind, namespace) })).body as { items: readonly TestObject[] }).items,
    patch: async (kind, name, patch, namespace) =>
      (await call(patchCall(kind, name, patch, namespace))).body as TestObject,
    tryPatch: async (kind, name, patch, namespace) =>
      (await call(patchCall(kind, name, patch, namespace), [409])).status !== 409,
    remove: async (kind, name, namespace) => {
      await call({ method: 'DELETE', path: path(kind, namespace, name) }, [404]);
    },
    namespace: (name, labels = {}) => cluster.create('namespaces', { metadata: { name, labels } }),
    serviceAccount: (namespace, name, imagePullSecrets = []) =>
      cluster.create(
        'serviceaccounts',
        { metadata: { name }, imagePullSecrets: imagePullSecrets.map((secret) => ({ name: secret })) },
        namespace,
      ),
    references: async (namespace, name) =>
      ((await cluster.get('serviceaccounts', name, namespace))?.imagePullSecrets ?? []).map((secret) => secret.name),
    auths: async (namespace, name) => {
      const secret = await cluster.get('secrets', name, namespace);
      return secret === undefined ? undefined : authsOf(secret);
    },
    applyFile: async (file) => {
      for (const object of loadAll(await readFile(file, 'utf8')) as TestObject[]) {
        const { kind = '', apiVersion, metadata } = object as TestObject & { apiVersion: string };
        const group = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
        const place = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
        await call({ method: 'POST', path: `${group}${place}/${kind.toLowerCase()}s`, body: object });
      }
    },
  };
  return cluster;
}
