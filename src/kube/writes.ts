// One function per kind of planned write: a single call each, guarded by what was observed, so that two writers cannot undo each
// other. Each gives the server's answer, for the caches to absorb. All throw KubeError.
import { DEFINITION_ANNOTATION, MANAGER, referencesAnnotation, SECRET_KEY, SECRET_TYPE } from '../core/names.ts';
import { isRecord } from '../core/records.ts';
import type { SecretContent, Write } from '../core/plan-types.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { unlessAbsent } from './errors.ts';

/** Writes of one kind. */
export type WriteOf<K extends Write['kind']> = Extract<Write, { kind: K }>;

/** Names one object of a namespace. */
export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

const FIELD_MANAGER = { fieldManager: MANAGER };

/** The object without its content. */
const METADATA = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json';

/** Makes the call for any kind of write, as `instance`. */
export function makeWrite(
  client: KubeClient,
  instance: string,
): (write: Write, signal: AbortSignal) => Promise<KubeObject> {
  return (write, signal) => {
    switch (write.kind) {
      case 'create-secret':
        return createSecret(client, write, signal);
      case 'update-secret':
        return updateSecret(client, write, signal);
      case 'replace-secret':
        return replaceSecret(client, write, signal);
      case 'mark-secret':
        return markSecret(client, write, signal);
      case 'delete-secret':
        return deleteSecret(client, write, signal);
      case 'patch-service-account':
        return patchServiceAccount(client, { ...write, instance }, signal);
    }
  };
}

/** POST; `AlreadyExists` tells of a foreign Secret under the name. */
export function createSecret(
  client: KubeClient,
  { namespace, name, content }: ObjectName & { readonly content: SecretContent },
  signal: AbortSignal | undefined,
): Promise<KubeObject> {
  const { labels, annotations } = content;
  const body = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name, labels, annotations },
    type: SECRET_TYPE,
    data: dataOf(content),
  };
  return client.call({ method: 'POST', path: secretsPath(namespace), query: FIELD_MANAGER, body, signal });
}

/** Merge patch in place: name and UID stay, and so do foreign labels, annotations and the type. `Conflict` = it changed. */
export function updateSecret(
  client: KubeClient,
  write: Omit<WriteOf<'update-secret' | 'replace-secret'>, 'kind' | 'reason'>,
  signal: AbortSignal,
): Promise<KubeObject> {
  const { namespace, name, uid, resourceVersion, content } = write;
  const { labels, annotations } = content;
  const body = { metadata: { uid, resourceVersion, labels, annotations }, data: dataOf(content) };
  const path = secretPath({ namespace, name });
  return client.call({ method: 'PATCH', path, query: FIELD_MANAGER, body, signal });
}

/** Merge patch of one annotation. `Conflict` = the Secret changed. */
export function markSecret(
  client: KubeClient,
  write: Omit<WriteOf<'mark-secret'>, 'kind' | 'reason'>,
  signal: AbortSignal,
): Promise<KubeObject> {
  const { uid, resourceVersion, definition } = write;
  const body = { metadata: { uid, resourceVersion, annotations: { [DEFINITION_ANNOTATION]: definition } } };
  return client.call({ method: 'PATCH', path: secretPath(write), query: FIELD_MANAGER, body, signal });
}

/** DELETE and POST, the only way to another type: the one write that is two calls. */
export async function replaceSecret(
  client: KubeClient,
  write: Omit<WriteOf<'update-secret' | 'replace-secret'>, 'kind' | 'reason'>,
  signal: AbortSignal,
): Promise<KubeObject> {
  await deleteSecret(client, write, signal);
  // What is deleted must come back, also when we are told to stop in between.
  return createSecret(client, write, undefined);
}

/** DELETE of exactly what was observed; `Conflict` = it changed or is another one. */
export function deleteSecret(
  client: KubeClient,
  { namespace, name, uid, resourceVersion }: ObjectName & { readonly uid: string; readonly resourceVersion: string },
  signal: AbortSignal,
): Promise<KubeObject> {
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
  const path = secretPath({ namespace, name });
  return client.call({ method: 'DELETE', path, body, signal });
}

/**
 * Merge patch of the whole list and of our annotation. The list is atomic: only the resourceVersion keeps other writers' entries
 * from being lost (`Conflict` = it changed).
 */
export function patchServiceAccount(
  client: KubeClient,
  write: Omit<WriteOf<'patch-service-account'>, 'kind' | 'reason' | 'added' | 'removed'> & {
    readonly instance: string;
  },
  signal: AbortSignal,
): Promise<KubeObject> {
  const { namespace, name, uid, resourceVersion, imagePullSecrets, recorded, instance } = write;
  const annotations = { [referencesAnnotation(instance)]: recorded.length === 0 ? null : recorded.join(',') };
  const body = {
    metadata: { uid, resourceVersion, annotations },
    // As projections keep it: '' is an entry without a name.
    imagePullSecrets: imagePullSecrets.map((secret) => (secret === '' ? {} : { name: secret })),
  };
  const path = serviceAccountPath({ namespace, name });
  return client.call({ method: 'PATCH', path, query: FIELD_MANAGER, body, signal });
}

/** One Secret as it is; undefined = there is none. */
export function readSecret(client: KubeClient, at: ObjectName, signal: AbortSignal): Promise<KubeObject | undefined> {
  return unlessAbsent(client.call({ method: 'GET', path: secretPath(at), signal }));
}

/** Field managers that own what we write to an object, newest first; ours may be among them. No content is read. */
export async function readFieldManagers(
  client: KubeClient,
  { kind, ...at }: ObjectName & { readonly kind: 'ServiceAccount' | 'Secret' },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const isSecret = kind === 'Secret';
  const path = isSecret ? secretPath(at) : serviceAccountPath(at);
  const { metadata } = await client.call({ method: 'GET', path, accept: METADATA, signal });
  const managed: unknown = isRecord(metadata) ? metadata.managedFields : undefined;
  const owners = (Array.isArray(managed) ? managed : [])
    .filter(isRecord)
    .filter(({ fieldsV1 }) => {
      if (!isRecord(fieldsV1)) return false;
      if (!isSecret) return 'f:imagePullSecrets' in fieldsV1;
      return isRecord(fieldsV1['f:data']) && `f:${SECRET_KEY}` in fieldsV1['f:data'];
    })
    .map(({ manager, time }) => ({ manager: String(manager), at: Date.parse(String(time)) || 0 }))
    .sort((a, b) => b.at - a.at);
  return [...new Set(owners.map(({ manager }) => manager))];
}

function dataOf(content: SecretContent): Readonly<Record<string, string>> {
  return { [SECRET_KEY]: Buffer.from(content.dockerConfigJson).toString('base64') };
}

function secretsPath(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
}

function secretPath({ namespace, name }: ObjectName): string {
  return `${secretsPath(namespace)}/${encodeURIComponent(name)}`;
}

function serviceAccountPath({ namespace, name }: ObjectName): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}`;
}
