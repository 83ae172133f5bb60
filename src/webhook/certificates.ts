// Makes certificates: a certificate authority that lives a year, and leaves of it that live a day. Node reads certificates but
// issues none, hence the library, which is loaded when the first one is made.
import { X509Certificate, type webcrypto } from 'node:crypto';
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

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** Makes a self-signed authority that may sign leaves and nothing else. `name` is its common name. */
export async function createAuthority(name: string, now: EpochMs): Promise<KeyPair> {
  const { x509, keys } = await begin();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(now + AUTHORITY_LIFE_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return pairOf(x509, certificate, keys);
}

/**
 * Issues a leaf for a server under these DNS names and IP addresses. It never outlives its authority. Throws when the key of the
 * authority cannot be read.
 */
export async function issueLeaf(authority: KeyPair, names: readonly string[], now: EpochMs): Promise<KeyPair> {
  const { x509, keys } = await begin();
  const issuer = new x509.X509Certificate(authority.cert);
  const der = x509.PemConverter.decodeFirst(authority.key);
  const signingKey = await crypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=registry-credential-helper webhook',
    issuer: issuer.subject,
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(Math.min(now + LEAF_LIFE_MS, issuer.notAfter.getTime())),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isAddress(value) ? 'ip' : 'dns', value })),
      ),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.BasicConstraintsExtension(false),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return pairOf(x509, certificate, keys);
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

type Library = typeof import('@peculiar/x509');

/** The library, and a new pair of keys. */
async function begin(): Promise<{ readonly x509: Library; readonly keys: webcrypto.CryptoKeyPair }> {
  // In this order: the second does not load without the first.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  return { x509, keys: await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) };
}

/** The library's PEM has no line break at its end: two of them joined can be read by nobody. */
async function pairOf(
  x509: Library,
  certificate: { toString(format: 'pem'): string },
  keys: webcrypto.CryptoKeyPair,
): Promise<KeyPair> {
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { cert: `${certificate.toString('pem').trimEnd()}\n`, key: `${key.trimEnd()}\n` };
}

function isAddress(name: string): boolean {
  return /^[\d.]+$|:/.test(name);
}
