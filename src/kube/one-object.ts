// One object by its name: followed whole, and written by guarded calls. For the few objects that are this program's own.
import {
  AUTHORITY_KEYS,
  isManaged,
  MANAGER,
  RESOURCE_WEBHOOK_NAME,
  STATE_KEYS,
  stateLabels,
  WEBHOOK_NAME,
  webhookName,
  type WebhookKind,
} from '../core/names.ts';
import { isRecord } from '../core/records.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { unlessAbsent } from './errors.ts';
import { Reflector, type ReflectorEvent } from './reflector.ts';

/** Where it is. */
export interface ObjectPlace {
  /** Path of its collection: `/api/v1/namespaces/NAMESPACE/secrets`. */
  readonly collection: string;
  readonly name: string;
}

/** The calls; each gives the server's answer and throws KubeError. */
export interface ObjectCalls {
  /** undefined = there is none. */
  read(signal: AbortSignal): Promise<KubeObject | undefined>;
  /** `AlreadyExists` = somebody was faster. */
  create(object: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  /** PUT of an object that carries the version that was observed; `Conflict` = it changed. */
  replace(object: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  /** Merge patch on exactly what was observed; `Conflict` = it changed. */
  patch(observed: KubeObject, patch: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  /** DELETE of exactly what was observed; `Conflict` = it changed or is another one. */
  remove(observed: KubeObject, signal: AbortSignal): Promise<void>;
}

/** The place of the webhook object `name`. */
export function webhookPlace(kind: WebhookKind, name: string): ObjectPlace {
  return { collection: `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}s`, name };
}

/** The place of a Secret. */
export function secretPlace(namespace: string, name: string): ObjectPlace {
  return { collection: `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`, name };
}

/** Builds the calls. */
export function createObjectCalls(client: KubeClient, { collection, name }: ObjectPlace): ObjectCalls {
  const path = `${collection}/${encodeURIComponent(name)}`;
  const query = { fieldManager: MANAGER };
  return {
    read: (signal) => unlessAbsent(client.call({ method: 'GET', path, signal })),
    create: (body, signal) => client.call({ method: 'POST', path: collection, query, body, signal }),
    replace: (body, signal) => client.call({ method: 'PUT', path, query, body, signal }),
    patch: (observed, patch, signal) => {
      const metadata = { ...(isRecord(patch.metadata) ? patch.metadata : {}), ...versionOf(observed) };
      return client.call({ method: 'PATCH', path, query, body: { ...patch, metadata }, signal });
    },
    remove: async (observed, signal) => {
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: versionOf(observed) };
      await client.call({ method: 'DELETE', path, body, signal });
    },
  };
}

/** What became of an object that may be ours; `foreign` = somebody else's has its name and stays. */
export type Removal = 'absent' | 'foreign' | 'removed';

/**
 * Removes exactly the object that was looked at, unless it is somebody else's. `dryRun` only looks. Throws KubeError: `Conflict` =
 * it changed meanwhile.
 */
export async function removeOwn(
  client: KubeClient,
  of: {
    readonly place: ObjectPlace;
    readonly isOwn: (live: KubeObject) => boolean;
    readonly dryRun: boolean;
    readonly signal: AbortSignal;
  },
): Promise<Removal> {
  const calls = createObjectCalls(client, of.place);
  const live = await calls.read(of.signal);
  if (live === undefined) return 'absent';
  if (!of.isOwn(live)) return 'foreign';
  if (!of.dryRun) await unlessAbsent(calls.remove(live, of.signal));
  return 'removed';
}

/** Removes one of the webhook objects of `instance`, like `removeOwn`. */
export function removeWebhook(
  client: KubeClient,
  kind: WebhookKind,
  { instance, dryRun, signal }: { readonly instance: string; readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<Removal> {
  const isOwn = (live: KubeObject): boolean => isOwnWebhook(live, instance);
  return removeOwn(client, { place: webhookPlace(kind, webhookName(instance)), isOwn, dryRun, signal });
}

/** True unless the object under our name is somebody else's: it bears our labels, or lost them and still has a webhook of ours in it. */
export function isOwnWebhook(live: KubeObject, instance: string): boolean {
  const webhooks: readonly unknown[] = Array.isArray(live.webhooks) ? live.webhooks : [];
  const names: readonly unknown[] = [WEBHOOK_NAME, RESOURCE_WEBHOOK_NAME];
  const isNamed = webhooks.some((webhook) => isRecord(webhook) && names.includes(webhook.name));
  return isNamed || isManaged({ labels: labelsOf(live) }, instance);
}

/** True when the Secret bears the labels of those that remember something for `instance`. */
function isOwnState(live: KubeObject, instance: string): boolean {
  const labels = labelsOf(live);
  return Object.entries(stateLabels(instance)).every(([key, value]) => labels[key] === value);
}

/** True when the Secret is the master copy of `instance`: one that lost its labels still holds all that we write. */
export function isOwnMasterCopy(live: KubeObject, instance: string): boolean {
  const data = dataOf(live);
  return isOwnState(live, instance) || [STATE_KEYS.credentials, STATE_KEYS.configuration].every((key) => key in data);
}

/** True when the Secret is the certificate authority of `instance`: one that lost its labels still holds what nobody else writes. */
export function isOwnAuthority(live: KubeObject, instance: string): boolean {
  return isOwnState(live, instance) || AUTHORITY_KEYS.previous in dataOf(live);
}

function labelsOf({ metadata }: KubeObject): Readonly<Record<string, string>> {
  const labels = isRecord(metadata) && isRecord(metadata.labels) ? metadata.labels : {};
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)]));
}

/** Follows the object; keeps it as it is. */
export function followObject(options: {
  readonly client: KubeClient;
  readonly place: ObjectPlace;
  readonly onChange: () => void;
  readonly report: (event: ReflectorEvent) => void;
  readonly now: () => EpochMs;
  readonly random: () => number;
}): Reflector<KubeObject> {
  const { place, ...rest } = options;
  return new Reflector<KubeObject>({
    ...rest,
    path: place.collection,
    fieldSelector: `metadata.name=${place.name}`,
    project: (object) => {
      if (!isRecord(object) || !isRecord(object.metadata)) return undefined;
      const { namespace = '', name, uid, resourceVersion } = object.metadata;
      if (typeof namespace !== 'string' || typeof name !== 'string') return undefined;
      if (typeof uid !== 'string' || typeof resourceVersion !== 'string') return undefined;
      return { namespace, name, uid, resourceVersion, value: object };
    },
  });
}

/** UID and version of an object that was read. */
export function versionOf({ metadata }: KubeObject): { readonly uid: unknown; readonly resourceVersion: unknown } {
  const { uid, resourceVersion } = isRecord(metadata) ? metadata : {};
  return { uid, resourceVersion };
}

/** Data of a Secret, decoded; empty when there is none. */
export function dataOf(secret: KubeObject | undefined): Readonly<Record<string, string>> {
  const pairs = Object.entries(isRecord(secret?.data) ? secret.data : {});
  const texts = pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  return Object.fromEntries(texts.map(([key, text]) => [key, Buffer.from(text, 'base64').toString('utf8')]));
}

/** Data of a Secret, encoded. */
export function encodeData(data: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
}
