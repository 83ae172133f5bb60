// Verifies Tencent's TC3-HMAC-SHA256 signatures, written from tcr.md section 10 alone and sharing nothing with the program
// under test or with the signing client of the tests, so that a mistake in signing cannot hide behind the same in verifying.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { SignedRequest } from './acs3.ts';
import type { ApiError } from './api-error.ts';

/** What the verifier must know of a key. `token` and `expiresAt` (epoch milliseconds) are set for sessions only. */
export interface Tc3Key {
  readonly secretId: string;
  readonly secretKey: string;
  readonly token?: string;
  readonly expiresAt?: number;
}

/** What the verifier asks of its surroundings. `now` is epoch milliseconds; `service` is `tcr` or `sts`. */
export interface Tc3World<Key extends Tc3Key> {
  readonly now: number;
  readonly service: string;
  readonly findKey: (secretId: string) => Key | undefined;
}

/** The decision on one request: the key that signed it, or the refusal. */
export type Tc3Verdict<Key> = { readonly key: Key } | { readonly error: ApiError };

/** How far `X-TC-Timestamp` may be from the cloud's clock, in seconds. */
export const MAX_SKEW_SECONDS = 300;

const ALGORITHM = 'TC3-HMAC-SHA256';
const AUTHORIZATION =
  /^TC3-HMAC-SHA256 +Credential=([^/,\s]+)\/(\d{4}-\d{2}-\d{2})\/([^/,\s]+)\/tc3_request, *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})$/;

/**
 * Decides whether a request is signed by a known, valid key. Pure: clock and keys come as `world`.
 *
 * Codes are those of tcr.md section 13. The host may be signed with its port or without (section 10, traps).
 */
export function verifyTc3<Key extends Tc3Key>(request: SignedRequest, world: Tc3World<Key>): Tc3Verdict<Key> {
  const { headers } = request;
  const authorization = parseAuthorization(headers.authorization ?? '');
  if (authorization === undefined) {
    return refuse('InvalidAuthorization', 'The Authorization header is absent or wrongly formed.');
  }
  const late = checkTimestamp(headers['x-tc-timestamp'], world.now);
  if (late !== undefined) return { error: late };
  const key = world.findKey(authorization.secretId);
  if (key === undefined) return refuse('SecretIdNotFound', 'The SecretId is not found. Please check that it is right.');
  const stale = checkToken(headers['x-tc-token'] ?? '', key, world.now);
  if (stale !== undefined) return { error: stale };
  const problem =
    checkScope(authorization, headers['x-tc-timestamp'] ?? '', world.service) ??
    checkSignedHeaders(request, authorization) ??
    checkSignature(request, authorization, key);
  return problem === undefined ? { key } : refuse('SignatureFailure', `The signature cannot be validated: ${problem}.`);
}

/** The parts of an `Authorization` header; header names as they were written. */
export interface Tc3Authorization {
  readonly secretId: string;
  readonly date: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** Parses an `Authorization` header, or answers `undefined` when it has another form. */
export function parseAuthorization(header: string): Tc3Authorization | undefined {
  const [, secretId, date, service, names, signature] = AUTHORIZATION.exec(header) ?? [];
  if (secretId === undefined || date === undefined || service === undefined) return undefined;
  if (names === undefined || signature === undefined) return undefined;
  return { secretId, date, service, signedHeaders: names.split(';'), signature };
}

/** Refuses a timestamp that is none, or too far from the cloud's clock; `undefined` when it is right. `now` is epoch ms. */
export function checkTimestamp(timestamp: string | undefined, now: number): ApiError | undefined {
  if (timestamp === undefined) {
    return {
      status: 200,
      code: 'MissingParameter',
      message: 'The request is missing a required parameter `Timestamp`.',
    };
  }
  if (!/^\d{1,12}$/.test(timestamp)) {
    return { status: 200, code: 'InvalidParameter', message: 'The value type of parameter `Timestamp` is not valid.' };
  }
  if (Math.abs(Math.floor(now / 1000) - Number(timestamp)) <= MAX_SKEW_SECONDS) return undefined;
  return { status: 200, code: 'AuthFailure.SignatureExpire', message: 'The signature is expired: check your clock.' };
}

/** Builds the canonical request over the header names that the request says it signed, with `host` in the given form. */
export function buildCanonicalRequest(
  request: SignedRequest,
  { signedHeaders, host }: { readonly signedHeaders: readonly string[]; readonly host: string },
): string {
  const values: Readonly<Record<string, string>> = { ...request.headers, host };
  const block = signedHeaders.map((name) => `${name}:${(values[name] ?? '').trim()}\n`).join('');
  const { method, query, body } = request;
  return `${method}\n/\n${query}\n${block}\n${signedHeaders.join(';')}\n${sha256Hex(body)}`;
}

/** Derives the key that signs for one day and one service. */
export function deriveSigningKey(secretKey: string, date: string, service: string): Buffer {
  return [date, service, 'tc3_request'].reduce<Buffer>((key, part) => hmac(key, part), Buffer.from(`TC3${secretKey}`));
}

/** Builds the hex signature of a canonical request. */
export function buildSignature(
  canonicalRequest: string,
  scope: {
    readonly secretKey: string;
    readonly date: string;
    readonly service: string;
    readonly timestamp: string;
  },
): string {
  const { secretKey, date, service, timestamp } = scope;
  const text = `${ALGORITHM}\n${timestamp}\n${date}/${service}/tc3_request\n${sha256Hex(canonicalRequest)}`;
  return hmac(deriveSigningKey(secretKey, date, service), text).toString('hex');
}

/** Hex SHA-256. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function checkToken(token: string, key: Tc3Key, now: number): ApiError | undefined {
  const isRight = isEqual(token, key.token ?? '') && (key.expiresAt === undefined || now < key.expiresAt);
  if (isRight) return undefined;
  return { status: 200, code: 'AuthFailure.TokenFailure', message: 'The token is absent, wrong or expired.' };
}

function checkScope({ date, service }: Tc3Authorization, timestamp: string, wanted: string): string | undefined {
  if (date !== new Date(Number(timestamp) * 1000).toISOString().slice(0, 10)) {
    return 'the date of the credential scope is not the UTC date of X-TC-Timestamp';
  }
  return service === wanted ? undefined : `the service of the credential scope is not ${wanted}`;
}

function checkSignedHeaders({ headers }: SignedRequest, { signedHeaders }: Tc3Authorization): string | undefined {
  const missing = ['content-type', 'host'].find((name) => !signedHeaders.includes(name));
  if (missing !== undefined) return `${missing} is not signed`;
  const absent = signedHeaders.find((name) => headers[name] === undefined);
  if (absent !== undefined) return `${absent} is signed but absent`;
  const sorted = [...new Set(signedHeaders)].sort();
  return sorted.join(';') === signedHeaders.join(';') ? undefined : 'the signed headers are not sorted, each once';
}

function checkSignature(request: SignedRequest, authorization: Tc3Authorization, key: Tc3Key): string | undefined {
  const { signedHeaders, date, service, signature } = authorization;
  const timestamp = request.headers['x-tc-timestamp'] ?? '';
  const host = request.headers.host ?? '';
  const isRight = [host, host.replace(/:\d+$/, '')].some((form) => {
    const canonical = buildCanonicalRequest(request, { signedHeaders, host: form });
    return isEqual(signature, buildSignature(canonical, { secretKey: key.secretKey, date, service, timestamp }));
  });
  return isRight ? undefined : 'it is not that of this request with this key';
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** Compares without leaking the place of the first difference; hashing makes the lengths equal. */
function isEqual(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

function refuse(code: string, message: string): { readonly error: ApiError } {
  return { error: { status: 200, code: `AuthFailure.${code}`, message } };
}
