// What a token of a ServiceAccount says of itself, unverified: for messages.
import { parseRecord } from '../core/records.ts';
import type { EpochMs } from '../core/types.ts';

/** Short texts on one line, which may be shown; what the token does not say is undefined. */
export interface OidcClaims {
  readonly subject?: string | undefined;
  readonly issuer?: string | undefined;
  /** Several are joined by commas. */
  readonly audience?: string | undefined;
  readonly expiresAt?: EpochMs | undefined;
}

/** Reads them; anything that is no such token has none. */
export function oidcClaimsOf(token: string): OidcClaims {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
  const { sub, iss, aud, exp } = parseRecord(payload) ?? {};
  const text = (value: unknown): string | undefined =>
    typeof value === 'string' ? value.replace(/[^\x21-\x7e]/g, '?').slice(0, 200) : undefined;
  const audience = Array.isArray(aud) ? aud.slice(0, 10).map(text).join(', ') : text(aud);
  // A date that can be shown.
  const expiresAt = typeof exp === 'number' && exp > 0 && exp < 1e11 ? exp * 1_000 : undefined;
  return { subject: text(sub), issuer: text(iss), audience, expiresAt };
}
