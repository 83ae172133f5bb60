// Every field that an item may have, as we write it.

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
