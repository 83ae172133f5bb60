// Every field that an item may have, as we write it, and where it belongs.
import { foldName } from './fields.ts';
import { isRecord } from './records.ts';

/** How a field is written: a text, a comma list, the name of an object, or a map of texts. */
export type FieldKind = 'text' | 'list' | 'reference' | 'map';

/** The fields that may be shown to anybody, in the order in which they are written. */
export const ITEM_FIELD_KINDS: ReadonlyMap<string, FieldKind> = new Map([
  ['provider', 'text'],
  ['instanceId', 'text'],
  ['registryId', 'text'],
  ['regionId', 'text'],
  ['region', 'text'],
  ['domains', 'list'],
  ['server', 'text'],
  ['namespaces', 'list'],
  ['description', 'text'],
  ['assumeRoleARN', 'text'],
  ['externalId', 'text'],
  ['expireDuration', 'text'],
  ['rrsaRoleARN', 'text'],
  ['rrsaOIDCProviderRoleARN', 'text'],
  ['tokenMode', 'text'],
  ['identity', 'text'],
  ['webIdentity', 'map'],
  ['apiKeySecretRef', 'reference'],
  ['accessKeySecretRef', 'reference'],
  ['secretRef', 'reference'],
  ['usernameKey', 'text'],
  ['passwordKey', 'text'],
  ['watch-namespace', 'list'],
  ['service-account', 'list'],
  ['secret-name', 'text'],
]);

/** The fields that hold a secret as it is. */
export const SECRET_ITEM_FIELDS: readonly string[] = ['customAccessKey', 'customAccessKeySecret'];

/** The fields of a reference. */
const REFERENCE_FIELDS: readonly string[] = ['name', 'namespace'];

/** The fields of a map: of pod identity. */
export const MAP_FIELDS: readonly string[] = ['providerId', 'roleARN', 'tokenFile'];

/** What may stand inside of a field, by its kind. */
const NESTED_FIELDS: Readonly<Record<FieldKind, readonly string[]>> = {
  ...{ text: [], list: [] },
  reference: REFERENCE_FIELDS,
  map: MAP_FIELDS.map(foldName),
};

const KINDS: ReadonlyMap<string, FieldKind> = new Map([
  ...[...ITEM_FIELD_KINDS].map(([name, kind]) => [foldName(name), kind] as const),
  ...SECRET_ITEM_FIELDS.map((name) => [foldName(name), 'text'] as const),
]);

/**
 * False when a field stands where nobody reads it: one of an item inside of a reference or of another key's map, one of a
 * reference beside it. `value` is a list of items, or the map of another key.
 */
export function isEachInPlace(value: unknown): boolean {
  if (!Array.isArray(value)) {
    return !isRecord(value) || Object.entries(value).every(([name, of]) => !KINDS.has(foldName(name)) && !isRecord(of));
  }
  return value.filter(isRecord).every((item) =>
    Object.entries(item).every(([name, content]) => {
      const kind = KINDS.get(foldName(name));
      if (!isRecord(content)) return kind !== undefined;
      const nested = kind === undefined ? [] : NESTED_FIELDS[kind];
      return nested.length > 0 && Object.keys(content).every((key) => nested.includes(foldName(key)));
    }),
  );
}
