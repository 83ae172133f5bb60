// The identity that ACK lends its add-ons: a session of a managed role, kept encrypted in a Secret (acr.md section 18).
import { createDecipheriv } from 'node:crypto';
import { ProviderError } from '../../core/errors.ts';
import { managedRoleError, MANAGED_ROLE_KEY } from '../../core/managed-role.ts';
import { ALIBABA_KEY_SECRETS } from '../../core/names.ts';
import { parseRecord } from '../../core/records.ts';
import type { EpochMs, SecretReference } from '../../core/types.ts';
import { shortDigest } from '../../core/short-digest.ts';
import type { IdentitySession, ProviderWorld } from '../provider.ts';
import type { AlibabaIdentity, AlibabaKey } from './identity.ts';

/** Secrets that the control plane writes: of ACK, and of ACS. */
export const MANAGED_ROLE_SECRETS: readonly SecretReference[] = ALIBABA_KEY_SECRETS.managedRole.map((name) => ({
  namespace: 'kube-system',
  name,
}));

const ADVICE =
  'the control plane writes it for the add-on that is installed through ACK with the role AliyunCSManagedAcrRole granted';

/** Less than this is left and nobody has renewed it: worth a remark, milliseconds. */
const RENEWAL_OVERDUE_MS = 600_000;

/** Builds the identity of the managed role. */
export function createManagedRoleIdentity(): AlibabaIdentity {
  return { key: 'managed-role', fetchKey: (world, _place, signal) => fetchManagedRoleKey(world, signal) };
}

/**
 * The managed role's key. Throws ProviderError `IdentityUnavailable`: there is no such Secret (no `cause`), it could not be
 * read (`cause`), it is not readable, holds an error of the control plane, or has expired.
 */
export async function fetchManagedRoleKey(
  world: Pick<ProviderWorld, 'now' | 'identity' | 'readSecret'>,
  signal: AbortSignal,
): Promise<AlibabaKey> {
  let missing: unknown;
  for (const secret of MANAGED_ROLE_SECRETS) {
    try {
      const data = await world.readSecret(secret, signal);
      return await keyFrom(world, { text: data[MANAGED_ROLE_KEY] ?? '', secret }, signal);
    } catch (error) {
      if (!isAbsent(error)) throw error;
      missing ??= error;
    }
  }
  throw new ProviderError('IdentityUnavailable', `${missing instanceof Error ? missing.message : ''}: ${ADVICE}`);
}

/** True when there is no such Secret, false when it could not be read or is of no use. */
function isAbsent(error: unknown): boolean {
  return error instanceof ProviderError && error.cause === undefined && error.message.startsWith('There is no Secret ');
}

async function keyFrom(
  world: Pick<ProviderWorld, 'now' | 'identity'>,
  { text, secret }: { readonly text: string; readonly secret: SecretReference },
  signal: AbortSignal,
): Promise<AlibabaKey> {
  const place = `${secret.namespace}/${secret.name}`;
  const origin = `the managed role (Secret ${place})`;
  // What it holds is the key of what was made from it: another text is another session.
  const decoded = decodeManagedRoleToken(text, place, world.now());
  const key = await world.identity(`alibaba/managed-role/${shortDigest(text)}`, () => Promise.resolve(decoded), signal);
  const leftMs = (decoded.expiresAt ?? Infinity) - world.now();
  if (leftMs <= 0) {
    throw unusable(
      place,
      `expired at ${iso(decoded.expiresAt)} and was not renewed: ${ADVICE}; or use another tokenMode`,
    );
  }
  const overdue = `the Secret ${place} ends at ${iso(decoded.expiresAt)} and has not been renewed: ${ADVICE}; set \`tokenMode: workerRole\`, RRSA or an AccessKey before that`;
  return { ...key, origin, account: 'managed-role', ...(leftMs < RENEWAL_OVERDUE_MS ? { warnings: [overdue] } : {}) };
}

type ManagedKey = Pick<AlibabaKey, 'accessKeyId' | 'accessKeySecret'> & { readonly securityToken: string };

/**
 * Reads the value of `addon.token.config`: JSON with base64 of IV and AES-CBC ciphertext, the AES key (16, 24 or 32 bytes) in
 * `keyring`. Throws ProviderError `IdentityUnavailable` that names `place`; never quotes what it read.
 */
export function decodeManagedRoleToken(text: string, place: string, now: EpochMs): IdentitySession<ManagedKey> {
  const document = parseRecord(text);
  if (document === undefined) throw unusable(place, `holds no JSON under ${MANAGED_ROLE_KEY}`);
  const error = managedRoleError(document);
  if (error !== undefined) {
    throw unusable(
      place,
      `says that the control plane could not assume the role (${plain(error.code)}: ${plain(error.message)}): grant AliyunCSManagedAcrRole to the cluster`,
    );
  }
  const expiresAt = typeof document.expiration === 'string' ? Date.parse(document.expiration) : Number.NaN;
  if (Number.isNaN(expiresAt)) throw unusable(place, 'has no readable `expiration`');
  const keyring = Buffer.from(typeof document.keyring === 'string' ? document.keyring : '', 'utf8');
  if (![16, 24, 32].includes(keyring.length))
    throw unusable(place, 'has a `keyring` that is not 16, 24 or 32 bytes long');
  const decrypt = (name: string): string => {
    try {
      const encoded = document[name];
      const bytes = Buffer.from(typeof encoded === 'string' ? encoded : '', 'base64');
      const decipher = createDecipheriv(`aes-${keyring.length * 8}-cbc`, keyring, bytes.subarray(0, 16));
      const plainText = Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()]).toString('utf8');
      if (/^[\x21-\x7e]+$/.test(plainText)) return plainText;
    } catch {
      // Told below, without what the library says of the bytes.
    }
    throw unusable(place, `has a \`${name}\` that its \`keyring\` does not decrypt`);
  };
  const value = {
    accessKeyId: decrypt('access.key.id'),
    accessKeySecret: decrypt('access.key.secret'),
    securityToken: decrypt('security.token'),
  };
  return { value, issuedAt: now, expiresAt, secrets: [value.accessKeySecret, value.securityToken] };
}

function unusable(place: string, what: string): ProviderError {
  return new ProviderError('IdentityUnavailable', `The Secret ${place} ${what}`);
}

/** Text from outside goes into messages: short, on one line. */
function plain(value: unknown): string {
  return typeof value === 'string' ? value.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200) : 'unknown';
}

function iso(at: EpochMs | undefined): string {
  return at === undefined ? 'no time' : new Date(at).toISOString();
}
