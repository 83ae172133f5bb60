// What the caches keep of each kind: only what decisions need, so that fifty thousand objects fit into a small process.
import {
  CREDENTIALS_ANNOTATION,
  DEFINITION_ANNOTATION,
  DIGEST_ANNOTATION,
  MANAGER,
  PLACE_ANNOTATION,
  referencesAnnotation,
  SECRET_KEY,
} from '../core/names.ts';
import { digestOf, parseEntries } from '../core/docker-config.ts';
import type { AdmittedAccount } from '../core/admission.ts';
import { isRecord } from '../core/records.ts';
import type { EntryRecord, ObservedNamespace, ObservedSecret, ObservedServiceAccount } from '../core/types.ts';
import type { Projected } from './object-cache.ts';

type Texts = Readonly<Record<string, string>>;

/** Metadata that every object of the API has. */
interface Metadata {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly createdAt: number;
  readonly labels: Texts;
  readonly annotations: Texts;
  readonly deleting: boolean;
  readonly updatedAt: number | undefined;
}

const NO_TEXTS: Texts = Object.freeze({});
const NO_NAMES: readonly string[] = Object.freeze([]);
/** Strings and lists that are shared among objects; more would mean that they are not alike. */
const MAX_SHARED = 20_000;
/** Longest list that is shared, characters: longer ones are rare, and would be kept after their owner is gone. */
const MAX_SHARED_LENGTH = 1_024;

/** Keeps of a Namespace what decisions need; undefined = not readable. */
export function projectNamespace(object: unknown): Projected<ObservedNamespace> | undefined {
  const metadata = readMetadata(object);
  if (metadata === undefined || !isRecord(object)) return undefined;
  const { name, labels, deleting } = metadata;
  const terminating = deleting || (isRecord(object.status) && object.status.phase === 'Terminating');
  return project({ ...metadata, namespace: '' }, { name, labels, terminating });
}

/** The projection of ServiceAccounts for one installation: `instance` says which annotation is ours. */
export function projectServiceAccount(
  instance: string,
): (object: unknown) => Projected<ObservedServiceAccount> | undefined {
  const ours = referencesAnnotation(instance);
  const sharedLists = new Map<string, readonly string[]>();
  const sharedNamespaces = new Map<string, string>();
  // Ten thousand accounts hold the same few lists and namespaces: one copy of each serves all.
  const shareList = (names: readonly string[]): readonly string[] => {
    if (names.length === 0) return NO_NAMES;
    // Not joined: names are free text, and ['x,y'] is not ['x', 'y'].
    const key = JSON.stringify(names);
    return key.length > MAX_SHARED_LENGTH ? names : share(sharedLists, key, names);
  };

  return (object) => {
    const metadata = readMetadata(object);
    if (metadata === undefined || !isRecord(object)) return undefined;
    const { name, uid, resourceVersion, createdAt, labels, annotations, updatedAt } = metadata;
    const namespace = share(sharedNamespaces, metadata.namespace, metadata.namespace);
    const imagePullSecrets = shareList(readReferences(object) ?? []);
    const recorded = shareList(splitNames(annotations[ours]));
    return project(
      { ...metadata, namespace },
      { namespace, name, uid, resourceVersion, createdAt, labels, imagePullSecrets, recorded, updatedAt },
    );
  };
}

/** What a request carries of a ServiceAccount, which may have neither UID nor version yet; undefined = not readable. */
export function readAdmittedAccount(object: unknown, instance: string): AdmittedAccount | undefined {
  if (!isRecord(object) || !isRecord(object.metadata)) return undefined;
  const { name, generateName, labels, annotations, deletionTimestamp } = object.metadata;
  return {
    name: textOf(name) ?? '',
    generateName: textOf(generateName) ?? '',
    labels: readTexts(labels),
    imagePullSecrets: readReferences(object),
    annotations: isRecord(annotations) ? readTexts(annotations) : undefined,
    recorded: splitNames(readTexts(annotations)[referencesAnnotation(instance)]),
    deleting: textOf(deletionTimestamp) !== undefined,
  };
}

/** Names in `imagePullSecrets`, in order; undefined = there is no list. */
function readReferences({ imagePullSecrets }: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  if (!Array.isArray(imagePullSecrets)) return undefined;
  const listed: readonly unknown[] = imagePullSecrets;
  // An entry without a name is kept as '': a patch sends the whole list, and what is missing in it would be lost.
  return listed.filter(isRecord).map((entry) => textOf(entry.name) ?? '');
}

/** Keeps of a Secret what decisions need, with a digest in place of its data; undefined = not readable. */
export function projectSecret(object: unknown): Projected<ObservedSecret> | undefined {
  const metadata = readMetadata(object);
  if (metadata === undefined || !isRecord(object)) return undefined;
  const { namespace, name, uid, resourceVersion, labels, annotations, updatedAt } = metadata;
  const encoded = isRecord(object.data) ? textOf(object.data[SECRET_KEY]) : undefined;
  const dockerConfigJson = Buffer.from(encoded ?? '', 'base64').toString('utf8');
  const entries = annotations[CREDENTIALS_ANNOTATION];
  return project(metadata, {
    namespace,
    name,
    uid,
    resourceVersion,
    type: textOf(object.type) ?? '',
    immutable: object.immutable === true,
    labels,
    place: annotations[PLACE_ANNOTATION],
    entries: parseEntries(entries),
    recordedDigest: annotations[DIGEST_ANNOTATION],
    contentDigest: digestOf({ dockerConfigJson, entries }),
    definition: annotations[DEFINITION_ANNOTATION],
    updatedAt,
  });
}

/** True when no decision can tell them apart. */
export function isSameNamespace(a: ObservedNamespace, b: ObservedNamespace): boolean {
  return a.terminating === b.terminating && isSameTexts(a.labels, b.labels);
}

/** True when no decision can tell them apart; the resourceVersion does not count. */
export function isSameServiceAccount(a: ObservedServiceAccount, b: ObservedServiceAccount): boolean {
  return (
    a.uid === b.uid &&
    isSameList(a.imagePullSecrets, b.imagePullSecrets) &&
    isSameList(a.recorded, b.recorded) &&
    isSameTexts(a.labels, b.labels)
  );
}

/** True when no decision can tell them apart; the resourceVersion does not count. */
export function isSameSecret(a: ObservedSecret, b: ObservedSecret): boolean {
  return (
    a.uid === b.uid &&
    a.type === b.type &&
    a.immutable === b.immutable &&
    a.place === b.place &&
    a.definition === b.definition &&
    a.recordedDigest === b.recordedDigest &&
    a.contentDigest === b.contentDigest &&
    isSameTexts(a.labels, b.labels) &&
    isSameEntries(a.entries, b.entries)
  );
}

function project<T>({ namespace, name, uid, resourceVersion }: Metadata, value: T): Projected<T> {
  return { namespace, name, uid, resourceVersion, value };
}

function readMetadata(object: unknown): Metadata | undefined {
  const metadata = isRecord(object) ? object.metadata : undefined;
  if (!isRecord(metadata)) return undefined;
  const { name, uid, resourceVersion } = metadata;
  if (typeof name !== 'string' || typeof uid !== 'string' || typeof resourceVersion !== 'string') return undefined;
  return {
    namespace: textOf(metadata.namespace) ?? '',
    name,
    uid,
    resourceVersion,
    createdAt: Date.parse(textOf(metadata.creationTimestamp) ?? '') || 0,
    labels: readTexts(metadata.labels),
    annotations: readTexts(metadata.annotations),
    deleting: metadata.deletionTimestamp !== undefined,
    updatedAt: writtenAt(metadata.managedFields),
  };
}

/** When our own writes came last, as the API server notes it (seconds). */
function writtenAt(managedFields: unknown): number | undefined {
  const entries: readonly unknown[] = Array.isArray(managedFields) ? managedFields : [];
  const instants = entries.flatMap((entry) =>
    isRecord(entry) && entry.manager === MANAGER ? Date.parse(textOf(entry.time) ?? '') || [] : [],
  );
  return instants.length === 0 ? undefined : Math.max(...instants);
}

function readTexts(value: unknown): Texts {
  if (!isRecord(value)) return NO_TEXTS;
  const texts = Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  return texts.length === 0 ? NO_TEXTS : Object.fromEntries(texts);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function splitNames(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function share<V>(known: Map<string, V>, key: string, value: V): V {
  const shared = known.get(key);
  if (shared !== undefined) return shared;
  if (known.size >= MAX_SHARED) known.clear();
  known.set(key, value);
  return value;
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((item, at) => item === b[at]));
}

function isSameTexts(a: Texts, b: Texts): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

function isSameEntries(a: ObservedSecret['entries'], b: ObservedSecret['entries']): boolean {
  if (a === undefined || b === undefined) return a === b;
  const hosts = Object.keys(a);
  return hosts.length === Object.keys(b).length && hosts.every((host) => isSameEntry(a[host], b[host]));
}

function isSameEntry(a: EntryRecord | undefined, b: EntryRecord | undefined): boolean {
  return a?.source === b?.source && a?.issuedAt === b?.issuedAt && a?.expiresAt === b?.expiresAt;
}
