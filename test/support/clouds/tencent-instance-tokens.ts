// The tokens of an instance: JWTs that it signs with its own key, temporary or long-term (tcr.md section 12).

import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import type { JwtSigner } from './sign-jwt.ts';
import { createJwtSigner } from './sign-jwt.ts';
import type { LongTermToken, TencentInstance, TencentKey, TencentState } from './tencent-state.ts';

/** What a token says. Instants are epoch seconds. */
export interface InstanceTokenClaims {
  readonly ownerUin: string;
  readonly operatorUin: string;
  readonly exp: number;
  readonly nbf: number;
  readonly iat: number;
  readonly tokenId?: string;
}

/** A new token. `expTime` is epoch milliseconds: later than the claim by some hundred, as the cloud has it. */
export interface MintedInstanceToken {
  readonly username: string;
  readonly token: string;
  readonly expTime: number;
  /** Empty for a temporary one. */
  readonly tokenId: string;
}

const EXTRA_MS = 123;

/** Mints a temporary token: nothing of it is remembered, so it cannot be revoked. */
export function mintTemporaryToken(
  state: TencentState,
  of: { readonly instance: TencentInstance; readonly key: TencentKey; readonly now: number },
): MintedInstanceToken {
  return mint({ ...of, lifeMs: state.tokenLifeMs });
}

/** Mints a long-term token and remembers that it is there; its text is not kept. */
export function mintLongTermToken(
  state: TencentState,
  of: {
    readonly instance: TencentInstance;
    readonly key: TencentKey;
    readonly now: number;
    readonly description: string;
  },
): MintedInstanceToken {
  const tokenId = `${randomBytes(10).toString('hex').slice(0, 19)}g`;
  const minted = mint({ ...of, lifeMs: state.longTermLifeMs, tokenId });
  state.tokens.set(tokenId, {
    tokenId,
    registryId: of.instance.registryId,
    description: of.description,
    enabled: true,
    createdAt: of.now,
    expiresAt: minted.expTime,
  });
  return minted;
}

/** The long-term tokens of an instance that are still there, deleted ones for a while too. */
export function listLongTermTokens(state: TencentState, registryId: string, now: number): readonly LongTermToken[] {
  return [...state.tokens.values()].filter(
    (token) => token.registryId === registryId && now < (token.deletedAt ?? now) + state.deletionDelayMs,
  );
}

/**
 * Decides whether a password is a token of an instance: signed by it, within its time, and (long-term) there and enabled.
 * Answers its claims, or `undefined`.
 */
export function verifyInstanceToken(
  state: TencentState,
  of: { readonly instance: TencentInstance; readonly token: string; readonly now: number },
): InstanceTokenClaims | undefined {
  const { instance, token, now } = of;
  const [header = '', payload = '', signature = '', ...rest] = token.split('.');
  const claims = parse(payload) as InstanceTokenClaims | undefined;
  if (claims === undefined || rest.length > 0) return undefined;
  // Whatever the header says: an instance signs with RS256 and one key.
  const text = Buffer.from(`${header}.${payload}`);
  const { pem } = signerOf(instance.registryId);
  if (!verify('sha256', text, createPublicKey(pem), Buffer.from(signature, 'base64url'))) return undefined;
  if (now >= claims.exp * 1000 || now < claims.nbf * 1000) return undefined;
  if (claims.tokenId === undefined) return claims;
  const kept = listLongTermTokens(state, instance.registryId, now).find(({ tokenId }) => tokenId === claims.tokenId);
  // Listed for a while, but good for nothing from the first moment: whoever still uses it must not get away with it.
  return kept?.enabled === true && kept.deletedAt === undefined ? claims : undefined;
}

/** The name of a key as the real one has it: twelve groups of four, from the digest of its public half. */
export function buildKeyId(pem: string): string {
  const der = createPublicKey(pem).export({ format: 'der', type: 'spki' });
  const digest = createHash('sha256').update(der).digest().subarray(0, 30);
  const bits = [...digest].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = (bits.match(/.{5}/g) ?? []).map((five) => BASE32.charAt(Number.parseInt(five, 2))).join('');
  return (letters.match(/.{4}/g) ?? []).join(':');
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Made when first needed and once for each instance's id, as making one takes a moment. */
const signers = new Map<string, JwtSigner>();

function signerOf(registryId: string): JwtSigner {
  const signer = signers.get(registryId) ?? createJwtSigner('RS256');
  signers.set(registryId, signer);
  return signer;
}

function mint(of: {
  readonly instance: TencentInstance;
  readonly key: TencentKey;
  readonly now: number;
  readonly lifeMs: number;
  readonly tokenId?: string;
}): MintedInstanceToken {
  const { instance, key, now, lifeMs, tokenId } = of;
  const signer = signerOf(instance.registryId);
  const iat = Math.floor(now / 1000);
  const exp = Math.floor((iat * 1000 + lifeMs) / 1000);
  const claims: InstanceTokenClaims = {
    ...{ ownerUin: key.ownerUin, operatorUin: key.uin, exp, nbf: iat, iat },
    ...(tokenId === undefined ? {} : { tokenId }),
  };
  const token = signer.sign({ ...claims }, { typ: 'JWT', kid: buildKeyId(signer.pem) });
  return { username: key.uin, token, expTime: exp * 1000 + EXTRA_MS, tokenId: tokenId ?? '' };
}

function parse(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
