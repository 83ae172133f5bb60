// Certificates: a certificate authority that lives a year, and leaves of it that live a day. Node reads certificates but issues
// none: what does is loaded when the first one is made.
import { X509Certificate } from 'node:crypto';
import type { EpochMs } from '../core/types.ts';

/** A certificate with its private key, PEM; both end with a line break, so that they may be joined. */
export interface KeyPair {
  readonly cert: string;
  /** PKCS #8. Secret. */
  readonly key: string;
}

/** How long an authority lives, milliseconds. */
export const AUTHORITY_LIFE_MS = 365 * 86_400_000;
/** How long a leaf lives, milliseconds. */
export const LEAF_LIFE_MS = 86_400_000;
/** How far certificates reach back, milliseconds: clocks of nodes differ. */
export const BACKDATED_MS = 3_600_000;

/** Makes a self-signed authority that may sign leaves and nothing else. `name` is its common name. */
export async function createAuthority(name: string, now: EpochMs): Promise<KeyPair> {
  const issuing = await import('./issuing.ts');
  return issuing.makeAuthority(name, { notBefore: now - BACKDATED_MS, notAfter: now + AUTHORITY_LIFE_MS });
}

/**
 * Issues a leaf for a server under these DNS names and IP addresses. It never outlives its authority. Throws when the key of the
 * authority cannot be read.
 */
export async function issueLeaf(authority: KeyPair, names: readonly string[], now: EpochMs): Promise<KeyPair> {
  const issuing = await import('./issuing.ts');
  const authorityEndsAt = new X509Certificate(authority.cert).validToDate.getTime();
  const notAfter = Math.min(now + LEAF_LIFE_MS, authorityEndsAt);
  return issuing.makeLeaf(authority, names, { notBefore: now - BACKDATED_MS, notAfter });
}

/** The certificates of a PEM bundle, whatever else is in it; what cannot be read is left out. */
export function readBundle(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      return [];
    }
  });
}

/** True when one of the authorities signed the leaf and both live at `now`. */
export function isTrusted(leaf: X509Certificate, authorities: readonly X509Certificate[], now: EpochMs): boolean {
  const lives = (certificate: X509Certificate): boolean =>
    certificate.validFromDate.getTime() <= now && now < certificate.validToDate.getTime();
  return lives(leaf) && authorities.some((one) => lives(one) && leaf.checkIssued(one) && leaf.verify(one.publicKey));
}
