// The decisions about the certificate authority and the leaf: when each is renewed, and which earlier authorities are still trusted.
import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { AUTHORITY_KEYS } from '../core/names.ts';
import type { EpochMs } from '../core/types.ts';
import { BACKDATED_MS, isTrusted, LEAF_LIFE_MS, readBundle, type KeyPair } from './certificates.ts';

/** The authority as its Secret holds it. */
export interface Authority extends KeyPair {
  readonly certificate: X509Certificate;
  /** Earlier ones whose leaves may still be in use. */
  readonly previous: readonly X509Certificate[];
}

/** A leaf that this process serves with. */
export interface Leaf extends KeyPair {
  readonly certificate: X509Certificate;
  /** Fingerprint of the authority that signed it. */
  readonly issuedBy: string;
}

/** A replica may have minted from the earlier authority until it heard of the next: two lives of a leaf are enough for all. */
const OVERLAP_MS = 2 * LEAF_LIFE_MS;
/**
 * How long a new authority must have been in the bundle before leaves of it are served: every API server knows it by then. And how
 * long replicas have, where there is no webhook object, before it is made: every one of them serves by then.
 */
export const SETTLING_MS = 10_000;
/** Somebody who deletes the Secret again and again must not make the bundle grow. */
const MAX_PREVIOUS = 3;

/**
 * Reads the data of the Secret; undefined = there is no authority in it that leaves can be made from, or one of another kind of key
 * than EC P-256. The key comes out as PKCS #8, whatever it was.
 */
export function parseAuthority(data: Readonly<Record<string, string>>): Authority | undefined {
  const cert = data[AUTHORITY_KEYS.cert];
  const [certificate, ...more] = readBundle(cert ?? '');
  const key = readKey(data[AUTHORITY_KEYS.key] ?? '');
  if (cert === undefined || key === undefined || certificate === undefined || more.length > 0) return undefined;
  if (!certificate.ca || !certificate.checkPrivateKey(key)) return undefined;
  return {
    cert,
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate,
    previous: readBundle(data[AUTHORITY_KEYS.previous] ?? ''),
  };
}

/** A private key in any form; undefined = none of the one kind that leaves are signed with. */
function readKey(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined;
  } catch {
    return undefined;
  }
}

/** The data of the Secret. */
export function authorityData({ cert, key }: KeyPair, previous: readonly X509Certificate[]): Record<string, string> {
  return { [AUTHORITY_KEYS.cert]: cert, [AUTHORITY_KEYS.key]: key, [AUTHORITY_KEYS.previous]: bundleOf(previous) };
}

/** PEM of the certificates, each with a line break at its end. */
export function bundleOf(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => `${certificate.toString().trimEnd()}\n`).join('');
}

/** The `caBundle`: the authority, then those before it. */
export function trustedBundle({ certificate, previous }: Pick<Authority, 'certificate' | 'previous'>): string {
  return bundleOf([certificate, ...previous]);
}

/** What is to be done about the authority. */
export type AuthorityPlan =
  /** A new one; `previous` stay trusted beside it. */
  | { readonly kind: 'create'; readonly previous: readonly X509Certificate[] }
  /** The same one, with others before it. */
  | { readonly kind: 'amend'; readonly previous: readonly X509Certificate[] }
  | { readonly kind: 'keep'; readonly checkAt: EpochMs };

/**
 * Decides it. It is renewed at two thirds of its life; the one before stays trusted until the last leaf of it is dead. Where the
 * Secret is gone, spoilt or replaced, those in the live `bundle` count as earlier ones: leaves of them are in use at this moment.
 */
export function planAuthority(
  held: Authority | undefined,
  bundle: readonly X509Certificate[],
  now: EpochMs,
): AuthorityPlan {
  const living = (certificates: readonly X509Certificate[]): readonly X509Certificate[] =>
    certificates.filter((certificate) => now < certificate.validToDate.getTime()).slice(0, MAX_PREVIOUS);
  if (held === undefined) return { kind: 'create', previous: living(bundle) };
  const { certificate, previous } = held;
  // Not trusted yet: just made, or put there by somebody.
  const isNew = bundle.length > 0 && !has(bundle, certificate);
  const inUse = isNew ? bundle : [];
  const others = previous.filter((one) => !has(inUse, one));
  const replacement = { kind: 'create', previous: living([...inUse, certificate, ...others]) } as const;
  // One from the future was made by a clock that was set back since.
  if (now >= renewAt(certificate) || now < certificate.validFromDate.getTime()) return replacement;
  const overlapEndsAt = issuedAt(certificate) + OVERLAP_MS;
  const isOver = now >= overlapEndsAt;
  if (living(inUse).some((one) => !has(previous, one))) {
    // How long the earlier ones stay is told from the age of this one: an old one, from a backup, must be made anew.
    return isOver ? replacement : { kind: 'amend', previous: living([...inUse, ...others]) };
  }
  const kept = isOver && !isNew ? [] : living(previous);
  if (kept.length < previous.length) return { kind: 'amend', previous: kept };
  if (isOver && isNew) return { kind: 'keep', checkAt: now + SETTLING_MS };
  return { kind: 'keep', checkAt: previous.length === 0 ? renewAt(certificate) : overlapEndsAt };
}

function has(certificates: readonly X509Certificate[], { fingerprint256 }: X509Certificate): boolean {
  return certificates.some((one) => one.fingerprint256 === fingerprint256);
}

/** What is to be done about the leaf. */
export type LeafPlan = { readonly kind: 'mint' } | { readonly kind: 'wait'; readonly checkAt: EpochMs | undefined };

/**
 * Decides it: a new one where there is none, at two thirds of its life, and where nobody trusts it; after a rotation only when the
 * new authority has been in the live bundle for a while, as an API server may hear of it later than we do.
 */
export function planLeaf(of: {
  readonly leaf: Leaf | undefined;
  readonly authority: Authority | undefined;
  /** Of the live webhook. */
  readonly bundle: readonly X509Certificate[];
  /** Since when this process has seen the authority in the live bundle; undefined = it is not there. */
  readonly trustedSince: EpochMs | undefined;
  readonly now: EpochMs;
}): LeafPlan {
  const { leaf, authority, bundle, trustedSince, now } = of;
  // Of one that has ended, only dead leaves could be made: the leader makes another.
  const isUsable = authority !== undefined && now < authority.certificate.validToDate.getTime();
  if (!isUsable) return { kind: 'wait', checkAt: undefined };
  if (leaf === undefined || now < leaf.certificate.validFromDate.getTime()) return { kind: 'mint' };
  const due = renewAt(leaf.certificate);
  if (leaf.issuedBy === authority.certificate.fingerprint256) {
    return now >= due ? { kind: 'mint' } : { kind: 'wait', checkAt: due };
  }
  if (!isTrusted(leaf.certificate, bundle, now)) return { kind: 'mint' };
  const settledAt = trustedSince === undefined ? undefined : trustedSince + SETTLING_MS;
  if (settledAt !== undefined && now >= settledAt) return { kind: 'mint' };
  return { kind: 'wait', checkAt: settledAt ?? leaf.certificate.validToDate.getTime() };
}

/** When a certificate was made: it is dated back. */
function issuedAt(certificate: X509Certificate): EpochMs {
  return certificate.validFromDate.getTime() + BACKDATED_MS;
}

/** Two thirds of its life. */
export function renewAt(certificate: X509Certificate): EpochMs {
  const from = issuedAt(certificate);
  return from + ((certificate.validToDate.getTime() - from) * 2) / 3;
}
