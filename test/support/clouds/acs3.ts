// Verifies Alibaba's ACS3-HMAC-SHA256 signatures, written from acr.md section 13 alone and sharing nothing with the
// program under test, so that a mistake in signing cannot hide behind the same mistake in verifying.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { ApiError } from './api-error.ts';

/** A request as it came from the wire. Header names are lower case; `query` is the raw text after the `?`. */
export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What the verifier must know of an access key. `expiresAt` is epoch milliseconds and set, like the token, for STS only. */
export interface SigningKey {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly status: 'Active' | 'Inactive';
  readonly securityToken?: string;
  readonly expiresAt?: number;
}

/** What the verifier asks of its surroundings. `now` is epoch milliseconds. */
export interface Acs3World<Key extends SigningKey> {
  readonly now: number;
  readonly findKey: (accessKeyId: string) => Key | undefined;
  readonly isNonceUsed: (nonce: string) => boolean;
}

/** The decision on one request: the key that signed it, or the refusal. The caller records the nonce of an accepted one. */
export type Acs3Verdict<Key> =
  { readonly ok: true; readonly key: Key; readonly nonce: string } | { readonly ok: false; readonly error: ApiError };

/** How far `x-acs-date` may be from the cloud's clock, in milliseconds (acr.md section 13). */
export const MAX_SKEW_MS = 15 * 60_000;

const ALGORITHM = 'ACS3-HMAC-SHA256';
const AUTHORIZATION = /^ACS3-HMAC-SHA256 +Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})$/;
const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;
const MANDATORY_HEADERS: readonly (readonly [header: string, code: string])[] = [
  ['x-acs-action', 'MissingAction'],
  ['x-acs-version', 'MissingVersion'],
  ['x-acs-date', 'MissingTimestamp'],
  ['x-acs-signature-nonce', 'MissingSignatureNonce'],
  ['x-acs-content-sha256', 'IncompleteSignature'],
];

/**
 * Decides whether a request is signed by a known, valid key. Pure: clock, keys and nonces come as `world`.
 *
 * Codes and statuses are those of acr.md section 21. A nonce counts as used only after an accepted signature; the
 * caller keeps that record.
 */
export function verifyAcs3<Key extends SigningKey>(request: SignedRequest, world: Acs3World<Key>): Acs3Verdict<Key> {
  const { headers } = request;
  for (const [header, code] of MANDATORY_HEADERS) {
    if ((headers[header] ?? '') === '') return refuse(400, code, `The header ${header} is mandatory for this action.`);
  }
  if (headers.authorization === undefined) {
    return refuse(400, 'MissingAccessKeyId', 'AccessKeyId is mandatory for this action.');
  }
  const authorization = parseAuthorization(headers.authorization);
  if (authorization === undefined) {
    return refuse(400, 'IncompleteSignature', 'The request signature does not conform to Aliyun standards.');
  }
  const key = world.findKey(authorization.accessKeyId);
  if (key === undefined) {
    return refuse(404, 'InvalidAccessKeyId.NotFound', 'Specified access key is not found.');
  }
  if (key.status === 'Inactive') {
    return refuse(400, 'InvalidAccessKeyId.Inactive', 'Specified access key is disabled.');
  }
  const error =
    checkDate(headers['x-acs-date'] ?? '', world.now) ??
    checkSecurityToken(request, key, world.now) ??
    checkSignedHeaders(request, authorization) ??
    checkSignature(request, authorization, key);
  if (error !== undefined) return { ok: false, error };
  const nonce = headers['x-acs-signature-nonce'] ?? '';
  if (world.isNonceUsed(nonce)) {
    return refuse(400, 'SignatureNonceUsed', 'Specified signature nonce was used already.');
  }
  return { ok: true, key, nonce };
}

/** The parts of an `Authorization` header; header names in lower case, in the order in which they were written. */
export interface Acs3Authorization {
  readonly accessKeyId: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** Parses an `Authorization` header, or answers `undefined` when it has another form. */
export function parseAuthorization(header: string): Acs3Authorization | undefined {
  const [, accessKeyId, names, signature] = AUTHORIZATION.exec(header) ?? [];
  if (accessKeyId === undefined || names === undefined || signature === undefined) return undefined;
  return { accessKeyId, signedHeaders: names.toLowerCase().split(';'), signature };
}

/**
 * Builds the canonical request over exactly the header names that the request says it signed (acr.md section 13),
 * sorted; the body hash is computed from the body that arrived.
 */
export function buildCanonicalRequest(request: SignedRequest, signedHeaders: readonly string[]): string {
  const names = [...signedHeaders].sort();
  return [
    request.method,
    buildCanonicalPath(request.path),
    buildCanonicalQuery(request.query),
    ...names.map((name) => `${name}:${(request.headers[name] ?? '').trim()}`),
    '',
    names.join(';'),
    sha256Hex(request.body),
  ].join('\n');
}

/** Builds the hex signature of a canonical request: one HMAC, no derived key. */
export function buildSignature(canonicalRequest: string, accessKeySecret: string): string {
  return createHmac('sha256', accessKeySecret)
    .update(`${ALGORITHM}\n${sha256Hex(canonicalRequest)}`)
    .digest('hex');
}

/** Hex SHA-256. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Refuses a date that is none, or too far from the cloud's clock; `undefined` when it is right. */
export function checkDate(date: string, now: number): ApiError | undefined {
  const at = DATE.test(date) ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(at)) {
    return {
      status: 400,
      code: 'InvalidTimeStamp.Format',
      message: 'Specified time stamp or date value is not well formatted.',
    };
  }
  if (Math.abs(now - at) <= MAX_SKEW_MS) return undefined;
  return { status: 400, code: 'InvalidTimeStamp.Expired', message: 'Specified time stamp or date value is expired.' };
}

function checkSecurityToken({ headers }: SignedRequest, key: SigningKey, now: number): ApiError | undefined {
  const token = headers['x-acs-security-token'] ?? '';
  const malformed = {
    status: 400,
    code: 'InvalidSecurityToken.Malformed',
    message: 'Specified SecurityToken is malformed.',
  };
  if (key.securityToken === undefined) return token === '' ? undefined : malformed;
  if (token === '') {
    return { status: 400, code: 'MissingSecurityToken', message: 'SecurityToken is mandatory for this action.' };
  }
  if (!isEqual(token, key.securityToken)) return malformed;
  if (key.expiresAt === undefined || now < key.expiresAt) return undefined;
  return { status: 400, code: 'InvalidSecurityToken.Expired', message: 'Specified SecurityToken is expired.' };
}

/** Everything that decides what a request means must be under the signature, else a man in the middle could change it. */
function checkSignedHeaders({ headers, body }: SignedRequest, authorization: Acs3Authorization): ApiError | undefined {
  const required = Object.keys(headers).filter((name) => name === 'host' || name.startsWith('x-acs-'));
  if (!required.includes('host')) required.push('host');
  if (body.length > 0) required.push('content-type');
  const signed = new Set(authorization.signedHeaders);
  const problems = [
    ...required.filter((name) => !signed.has(name)).map((name) => `${name} is not signed`),
    ...[...signed].filter((name) => headers[name] === undefined).map((name) => `${name} is signed but absent`),
    ...(signed.size === authorization.signedHeaders.length ? [] : ['a header is signed twice']),
  ];
  const announced = headers['x-acs-accesskey-id'];
  if (announced !== undefined && announced !== authorization.accessKeyId) {
    problems.push('x-acs-accesskey-id differs from Credential');
  }
  if (problems.length === 0) return undefined;
  return { status: 400, code: 'IncompleteSignature', message: `The signature is incomplete: ${problems.join(', ')}.` };
}

function checkSignature(
  request: SignedRequest,
  authorization: Acs3Authorization,
  key: SigningKey,
): ApiError | undefined {
  const canonicalRequest = buildCanonicalRequest(request, authorization.signedHeaders);
  const isBodyHashRight = request.headers['x-acs-content-sha256'] === sha256Hex(request.body);
  const isSignatureRight = isEqual(authorization.signature, buildSignature(canonicalRequest, key.accessKeySecret));
  if (isBodyHashRight && isSignatureRight) return undefined;
  return {
    status: 400,
    code: 'SignatureDoesNotMatch',
    message: `Specified signature is not matched with our calculation. server string to sign is:${ALGORITHM}\n${sha256Hex(canonicalRequest)}`,
  };
}

function buildCanonicalPath(path: string): string {
  return path
    .split('/')
    .map((segment) => encodeRfc3986(decodePercent(segment)))
    .join('/');
}

function buildCanonicalQuery(query: string): string {
  const pairs = [...new URLSearchParams(query)].map(
    ([name, value]) => [encodeRfc3986(name), encodeRfc3986(value)] as const,
  );
  return pairs
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Compares without leaking the place of the first difference; hashing makes the lengths equal. */
function isEqual(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

function refuse(status: number, code: string, message: string): { readonly ok: false; readonly error: ApiError } {
  return { ok: false, error: { status, code, message } };
}
