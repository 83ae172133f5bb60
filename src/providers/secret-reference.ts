// Which Secrets the configuration may name: who may edit it must not be able to publish any Secret of the cluster.
import type { FieldReader } from '../core/fields.ts';
import { ProviderError } from '../core/errors.ts';
import { isIdentitySecretName } from '../core/names.ts';
import type { SecretReference } from '../core/types.ts';
import type { ProviderWorld, TargetDefaults } from './provider.ts';

/**
 * Reads `{name, namespace?}` at `name`; `fallback` stands in when it is absent, and is always allowed. Otherwise the namespace
 * is ours, or one that the process was told to allow. Returns undefined after reporting an error to `fields`.
 */
export function parseSecretReference(
  fields: FieldReader,
  name: string,
  options: {
    readonly defaults: TargetDefaults;
    readonly fallback?: SecretReference;
    readonly cure: string;
    /** True = what it holds is written into namespaces as it is. */
    readonly published?: boolean;
    /** Reads further fields of the map. */
    readonly readMore?: (reference: FieldReader) => void;
  },
): SecretReference | undefined {
  const { defaults, fallback, cure, published = false } = options;
  const errors = (): number => fields.issues().filter((issue) => issue.severity === 'error').length;
  const before = errors();
  const reference = fields.object(name);
  if (reference === undefined) {
    if (fallback === undefined && errors() === before) fields.report(name, `is missing: ${cure}`);
    return errors() === before ? fallback : undefined;
  }
  options.readMore?.(reference);
  const secret = reference.requiredText('name', cure);
  const namespace = reference.text('namespace') ?? defaults.namespace;
  if (secret === undefined) return undefined;
  if (!isObjectName(secret)) {
    reference.report('name', 'must be the name of a Secret: lower-case letters, digits, dashes and dots', {
      value: secret.slice(0, 80),
    });
    return undefined;
  }
  if (published && (isIdentitySecretName(secret) || defaults.keptSecrets?.includes(secret) === true)) {
    reference.report(
      'name',
      'holds keys that must not be written into namespaces: name a Secret made for this registry',
      {
        value: secret,
      },
    );
    return undefined;
  }
  const isFallback = secret === fallback?.name && namespace === fallback.namespace;
  if (!isFallback && namespace !== defaults.namespace && !defaults.secretNamespaces.includes(namespace)) {
    reference.report(
      'namespace',
      `may not be read: put the Secret into ${defaults.namespace}, or start the controller with --allow-secret-namespaces=${namespace.slice(0, 63)} and give it the right to read there`,
      { value: namespace.slice(0, 80) },
    );
    return undefined;
  }
  return { namespace, name: secret };
}

/**
 * Values of `keys` in a Secret, without the line break that `echo` leaves. Throws ProviderError `IdentityUnavailable` that names
 * the Secret, what it lacks and how to create it.
 */
export async function readSecretKeys<Key extends string>(
  world: Pick<ProviderWorld, 'readSecret'>,
  secret: SecretReference,
  keys: readonly Key[],
  signal: AbortSignal,
): Promise<Readonly<Record<Key, string>>> {
  return readSecretValues(world, { secret, required: keys, optional: [] }, signal);
}

/** As `readSecretKeys`; of `optional` keys those that hold something. */
export async function readSecretValues<Key extends string, Optional extends string>(
  world: Pick<ProviderWorld, 'readSecret'>,
  wish: { readonly secret: SecretReference; readonly required: readonly Key[]; readonly optional: readonly Optional[] },
  signal: AbortSignal,
): Promise<Readonly<Record<Key, string> & Partial<Record<Optional, string>>>> {
  const { secret, required, optional } = wish;
  const data = await world.readSecret(secret, signal).catch((error: unknown) => {
    if (!(error instanceof ProviderError) || error.cause !== undefined) throw error;
    throw new ProviderError('IdentityUnavailable', `${error.message}: ${creation(secret, required)}`);
  });
  const valueOf = (key: string): string => (Object.hasOwn(data, key) ? (data[key] ?? '').trim() : '');
  const missing = required.filter((key) => valueOf(key) === '');
  if (missing.length > 0) {
    const what = missing.length === 1 ? `key ${missing.join()}` : `keys ${missing.join(' and ')}`;
    throw new ProviderError(
      'IdentityUnavailable',
      `The Secret ${secret.namespace}/${secret.name} lacks the ${what}, or holds nothing there: ${creation(secret, required)}`,
    );
  }
  const present = [...required, ...optional.filter((key) => valueOf(key) !== '')];
  const values = Object.fromEntries(present.map((key) => [key, valueOf(key)]));
  return values as Record<Key, string> & Partial<Record<Optional, string>>;
}

function creation({ namespace, name }: SecretReference, keys: readonly string[]): string {
  const literals = keys.map((key) => `--from-literal=${key}=…`).join(' ');
  return `create it with \`kubectl -n ${namespace} create secret generic ${name} ${literals}\``;
}

function isObjectName(name: string): boolean {
  return /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name);
}
