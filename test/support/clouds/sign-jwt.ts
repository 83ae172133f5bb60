// Tokens of ServiceAccounts as an issuer would sign them, for tests that have no API server.

import { generateKeyPairSync, sign } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';

/** An issuer's key pair. */
export interface JwtSigner {
  /** The public half as a member of a JWKS. */
  readonly jwk: JsonWebKey;
  /** The public half as PEM. */
  readonly pem: string;
  /** Signs claims; `header` replaces fields of the header. */
  sign(claims: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): string;
}

/** Makes a new key pair: `RS256`, the API server's usual one, or `ES256`. */
export function createJwtSigner(alg: 'RS256' | 'ES256' = 'ES256', kid = 'sample-key'): JwtSigner {
  const { privateKey, publicKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' },
    pem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    sign: (claims, header = {}) => {
      const text = [{ alg, kid, ...header }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
      const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `${text}.${signature.toString('base64url')}`;
    },
  };
}
