// The Secret in which the control plane of ACK hands out a session of the managed role (acr.md section 18).

import { createCipheriv, randomBytes } from 'node:crypto';

/** Name of the Secret, in `kube-system`; on ACS it is `addon.aliyunccmanagedacrrole.token`. */
export const MANAGED_ROLE_TOKEN_SECRET = 'addon.aliyuncsmanagedacrrole.token';

/** Its only data key. */
export const MANAGED_ROLE_TOKEN_KEY = 'addon.token.config';

/** What the document shall say. */
export interface ManagedRoleToken {
  /** Absent when the control plane could not assume the role. `expiresAt` is epoch milliseconds. */
  readonly session?: {
    readonly accessKeyId: string;
    readonly accessKeySecret: string;
    readonly securityToken: string;
    readonly expiresAt: number;
  };
  readonly error?: { readonly roleName: string; readonly code: string; readonly message: string };
  /** 16, 24 or 32 ASCII characters, used as they are for the AES key. Default: 32 obviously fake ones. */
  readonly keyring?: string;
  /** 16 bytes, for every field. Default: random ones for each. */
  readonly iv?: Uint8Array;
  /** `garbage`: bytes that no padding ends with, as from a document that does not belong to its keyring. */
  readonly padding?: 'pkcs7' | 'garbage';
}

const FAKE_KEYRING = '0123456789abcdef0123456789abcdef';
const BLOCK_BYTES = 16;

/** Builds the Secret, without its namespace, ready to be created. @throws RangeError for a keyring of another length. */
export function buildManagedRoleTokenSecret(token: ManagedRoleToken): {
  readonly metadata: { readonly name: string };
  readonly type: 'Opaque';
  readonly data: Readonly<Record<string, string>>;
} {
  const document = Buffer.from(buildManagedRoleToken(token)).toString('base64');
  return {
    metadata: { name: MANAGED_ROLE_TOKEN_SECRET },
    type: 'Opaque',
    data: { [MANAGED_ROLE_TOKEN_KEY]: document },
  };
}

/** Builds the document alone: JSON. @throws RangeError for a keyring of another length. */
export function buildManagedRoleToken(token: ManagedRoleToken): string {
  const { session, error, keyring = FAKE_KEYRING } = token;
  const encrypt = (text: string): string => encryptField(text, { ...token, keyring });
  return JSON.stringify({
    ...(session === undefined
      ? {}
      : {
          'access.key.id': encrypt(session.accessKeyId),
          'access.key.secret': encrypt(session.accessKeySecret),
          'security.token': encrypt(session.securityToken),
          expiration: `${new Date(session.expiresAt).toISOString().slice(0, 19)}Z`,
        }),
    keyring,
    ...(error === undefined ? {} : { error }),
  });
}

function encryptField(
  text: string,
  { keyring, iv, padding = 'pkcs7' }: ManagedRoleToken & { readonly keyring: string },
): string {
  const key = Buffer.from(keyring);
  if (![16, 24, 32].includes(key.length)) throw new RangeError(`A keyring has 16, 24 or 32 bytes, not ${key.length}`);
  const vector = iv ?? randomBytes(BLOCK_BYTES);
  const cipher = createCipheriv(`aes-${key.length * 8}-cbc`, key, vector).setAutoPadding(false);
  const plain = Buffer.from(text);
  const fill = BLOCK_BYTES - (plain.length % BLOCK_BYTES);
  // No padding is longer than a block, so its last byte never is.
  const end = Buffer.alloc(fill, padding === 'pkcs7' ? fill : BLOCK_BYTES + 1);
  return Buffer.concat([vector, cipher.update(Buffer.concat([plain, end])), cipher.final()]).toString('base64');
}
