// Verifies the tokens of ServiceAccounts as STS does for RRSA: against the keys of the issuer, whatever it signs with.

import { createPublicKey, verify } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import type { ApiError } from './api-error.ts';

/** An OIDC provider of an account: the cluster's issuer, who its tokens may be for, and its public keys. */
export interface OidcProvider {
  /** `acs:ram::<account>:oidc-provider/<name>` */
  readonly arn: string;
  readonly issuer: string;
  /** Audiences that a token may have. */
  readonly clientIds: readonly string[];
  /** PEM public keys, or the members of a JWKS as an API server publishes it at `/openid/v1/jwks`. */
  readonly keys: readonly (string | JsonWebKey)[];
}

/** What a verified token says. Instants are epoch seconds, as in the token. */
export interface OidcClaims {
  readonly issuer: string;
  readonly subject: string;
  /** Those of its audiences that the provider knows. */
  readonly audiences: readonly string[];
  readonly issuedAt: number | undefined;
  readonly expiresAt: number;
}

/** What a token that does not verify is refused with: HTTP 401, and a code of acr.md section 16. */
export type OidcVerdict = { readonly claims: OidcClaims } | { readonly error: ApiError };

/** Decides whether a raw JWT is one of the provider's: signature, issuer, times, audience, in that order. */
export function verifyOidcToken(token: string, provider: OidcProvider, now: number): OidcVerdict {
  const parts = token.split('.');
  const [header, claims] = parts.slice(0, 2).map(parseObject);
  if (parts.length !== 3 || header === undefined || claims === undefined) {
    return refuse('Invalid', 'The OIDC token is not a JSON Web Token.');
  }
  const algorithm = typeof header.alg === 'string' ? ALGORITHMS.get(header.alg) : undefined;
  if (algorithm === undefined) return refuse('Invalid', 'The algorithm of the OIDC token is not supported.');
  if (!isSigned(token, { algorithm, kid: header.kid, keys: provider.keys })) {
    return refuse('InvalidSignature', 'The signature of the OIDC token is invalid.');
  }
  const { iss, sub, aud, exp, nbf, iat } = claims;
  if (typeof iss !== 'string' || typeof sub !== 'string' || typeof exp !== 'number') {
    return refuse('Invalid', 'The OIDC token lacks iss, sub or exp.');
  }
  if (iss !== provider.issuer) return refuse('Invalid', 'The issuer of the OIDC token is not that of the provider.');
  if (now >= exp * 1000) return refuse('Expired', 'The OIDC token is expired.');
  if (typeof nbf === 'number' && now < nbf * 1000) return refuse('Invalid', 'The OIDC token is not valid yet.');
  const audiences = (Array.isArray(aud) ? aud : [aud]).filter((name): name is string => typeof name === 'string');
  const known = audiences.filter((name) => provider.clientIds.includes(name));
  if (known.length === 0) {
    return refuse('AudienceNotMatch', 'The audience of the OIDC token is no client ID of the provider.');
  }
  const issuedAt = typeof iat === 'number' ? iat : undefined;
  return { claims: { issuer: iss, subject: sub, audiences: known, issuedAt, expiresAt: exp } };
}

interface Algorithm {
  readonly hash: string;
  readonly keyType: 'rsa' | 'ec';
}

const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ['RS256', { hash: 'sha256', keyType: 'rsa' }],
  ['RS384', { hash: 'sha384', keyType: 'rsa' }],
  ['RS512', { hash: 'sha512', keyType: 'rsa' }],
  ['ES256', { hash: 'sha256', keyType: 'ec' }],
  ['ES384', { hash: 'sha384', keyType: 'ec' }],
  ['ES512', { hash: 'sha512', keyType: 'ec' }],
]);

/** A key of a JWKS counts only for tokens that name it; a PEM key has no name. */
function isSigned(
  token: string,
  by: { readonly algorithm: Algorithm; readonly kid: unknown; readonly keys: OidcProvider['keys'] },
): boolean {
  const end = token.lastIndexOf('.');
  const text = Buffer.from(token.slice(0, end));
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  return by.keys
    .filter((key) => typeof key === 'string' || key.kid === undefined || key.kid === by.kid)
    .map((key): KeyObject => createPublicKey(typeof key === 'string' ? key : { key, format: 'jwk' }))
    .filter((key) => key.asymmetricKeyType === by.algorithm.keyType)
    .some((key) => verify(by.algorithm.hash, text, { key, dsaEncoding: 'ieee-p1363' }, signature));
}

function parseObject(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function refuse(kind: string, message: string): { readonly error: ApiError } {
  return { error: { status: 401, code: `AuthenticationFail.OIDCToken.${kind}`, message } };
}
