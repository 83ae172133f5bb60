// The `ImagePullSecret` resources as the API has them: where they are, and what is kept of one.
import { DEFINITION_NAME, RESOURCE_KIND } from '../core/names.ts';
import type { FoundResource } from '../core/plan-declared.ts';
import { isRecord } from '../core/records.ts';
import { sameJson } from '../core/same-json.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeObject } from './client.ts';
import type { Projected } from './object-cache.ts';
import type { ObjectPlace } from './one-object.ts';

/** A resource as it is written. `generation` changes with every edit of the spec. */
export interface Resource extends FoundResource {
  /** Unchecked. */
  readonly status: unknown;
  /** undefined = it does not say. */
  readonly createdAt?: EpochMs | undefined;
}

/** What became of one resource. */
export interface ResourceChange {
  readonly before: Resource | undefined;
  readonly after: Resource | undefined;
  /** Somebody deleted it: it did not go with its definition. */
  readonly isDeleted?: boolean;
}

const { group, version, plural } = RESOURCE_KIND;

/** Where the resources are. */
export const RESOURCES_PATH = `/apis/${group}/${version}/${plural}`;

/** The definition. */
export const DEFINITION: ObjectPlace = {
  collection: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  name: DEFINITION_NAME,
};

/** True when it is established and not being removed. */
export function isServed({ metadata, status }: KubeObject): boolean {
  if (!isRecord(metadata) || metadata.deletionTimestamp !== undefined) return false;
  const conditions: readonly unknown[] = isRecord(status) && Array.isArray(status.conditions) ? status.conditions : [];
  return conditions.some((one) => isRecord(one) && one.type === 'Established' && one.status === 'True');
}

/** When an object was made; undefined = it does not say. */
export function createdAtOf({ metadata }: KubeObject): EpochMs | undefined {
  const at = isRecord(metadata) ? Date.parse(String(metadata.creationTimestamp)) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** UID of an object; empty when it has none. */
export function uidOf({ metadata }: KubeObject): string {
  return isRecord(metadata) && typeof metadata.uid === 'string' ? metadata.uid : '';
}

/** Another text after each change of what an object says should be, and for another object of its name. */
export function versionOf({ metadata }: KubeObject): string {
  const { uid, generation } = isRecord(metadata) ? metadata : {};
  return `${String(uid)}/${String(generation)}`;
}

/** True when nothing changed that anybody asks for: the status is our own. */
export function isAsBefore(a: Resource, b: Resource): boolean {
  return a.uid === b.uid && a.generation === b.generation && sameJson([a.labels, a.spec], [b.labels, b.spec]);
}

/** What is kept of a resource; undefined = not readable. */
export function projectResource(object: unknown): Projected<Resource> | undefined {
  if (!isRecord(object) || !isRecord(object.metadata)) return undefined;
  const { name, uid, resourceVersion, generation } = object.metadata;
  if (typeof name !== 'string' || typeof uid !== 'string' || typeof resourceVersion !== 'string') return undefined;
  const labels = Object.entries(isRecord(object.metadata.labels) ? object.metadata.labels : {});
  const value = {
    ...{ name, uid, resourceVersion },
    generation: typeof generation === 'number' ? generation : 0,
    labels: Object.fromEntries(labels.map(([key, label]) => [key, String(label)])),
    spec: object.spec,
    status: object.status,
    createdAt: createdAtOf({ metadata: object.metadata }),
  };
  return { namespace: '', name, uid, resourceVersion, value };
}
