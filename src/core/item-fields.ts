// Every field that an item may have, as we write it, and where it belongs.
import { foldName } from './fields.ts';
import { isRecord } from './records.ts';

/** How a field is written: a text, a comma list, or the name of an object. */
export type FieldKind = 'text' | 'list' | 'reference';

/** The fields that may be shown to anybody, in the order in which they are written. */
export const ITEM_FIELD_KINDS: ReadonlyMap<string, FieldKind> = new Map([
  ['provider', 'text'],
  ['instanceId', 'text'],
  ['regionId', 'text'],
  ['domains', 'list'],
  ['server', 'text'],
  ['assumeRoleARN', 'text'],
  ['expireDuration', 'text'],
  ['rrsaRoleARN', 'text'],
  ['rrsaOIDCProviderRoleARN', 'text'],
  ['tokenMode', 'text'],
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
      return kind === 'reference' && Object.keys(content).every((key) => REFERENCE_FIELDS.includes(foldName(key)));
    }),
  );
}
