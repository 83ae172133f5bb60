// When a password ends that is a JSON Web Token (RFC 7519): read without any key, for people only.
import { parseRecord } from './records.ts';
import type { EpochMs } from './types.ts';

/** From when until when a token is valid. */
export interface TokenLife {
  /** undefined = it does not say. */
  readonly issuedAt: EpochMs | undefined;
  readonly expiresAt: EpochMs;
}

/** Longest text that is looked at, characters; tokens have about a thousand. */
const MAX_LENGTH = 16_384;

/** The latest instant that the API takes for a date: the end of the year 9999, milliseconds. */
const MAX_INSTANT = Date.UTC(9999, 11, 31);

/** The claims of a token, unverified; undefined = it is none. */
export function readClaims(text: string): Readonly<Record<string, unknown>> | undefined {
  const parts = text.trim().split('.');
  if (text.length > MAX_LENGTH || parts.length !== 3 || parts.some((part) => !/^[\w-]+=*$/.test(part)))
    return undefined;
  const [header, claims] = parts
    .slice(0, 2)
    .map((part) => parseRecord(Buffer.from(part, 'base64url').toString('utf8')));
  return header?.alg === undefined ? undefined : claims;
}

/** The life that a token's claims `iat` and `exp` (seconds) tell; undefined = no token, or it does not expire. */
export function readTokenLife(text: string): TokenLife | undefined {
  const claims = readClaims(text);
  const expiresAt = instantOf(claims?.exp);
  return expiresAt === undefined ? undefined : { issuedAt: instantOf(claims?.iat), expiresAt };
}

function instantOf(seconds: unknown): EpochMs | undefined {
  const ms = typeof seconds === 'number' ? Math.floor(seconds * 1_000) : Number.NaN;
  return ms > 0 && ms <= MAX_INSTANT ? ms : undefined;
}
