// Issues certificates. A file of its own, loaded when the first is made: the library is large, and statically imported here so that
// a bundle takes it as it is.
import 'reflect-metadata'; // first, or the next import throws
import * as x509 from '@peculiar/x509';
import type { webcrypto } from 'node:crypto';
import type { EpochMs } from '../core/types.ts';
import type { KeyPair } from './certificates.ts';

/** From when to when a certificate is valid. */
export interface Validity {
  readonly notBefore: EpochMs;
  readonly notAfter: EpochMs;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A self-signed authority that may sign leaves and nothing else. */
export async function makeAuthority(name: string, { notBefore, notAfter }: Validity): Promise<KeyPair> {
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return pairOf(certificate, keys);
}

/** A leaf for a server. Throws when the key of the authority cannot be read. */
export async function makeLeaf(
  authority: KeyPair,
  names: readonly string[],
  { notBefore, notAfter }: Validity,
): Promise<KeyPair> {
  const keys = await makeKeys();
  const issuer = new x509.X509Certificate(authority.cert);
  const der = x509.PemConverter.decodeFirst(authority.key);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=registry-credential-helper webhook',
    issuer: issuer.subject,
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    publicKey: keys.publicKey,
    signingKey: await crypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']),
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
  return pairOf(certificate, keys);
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** The library's PEM has no line break at its end: two of them joined can be read by nobody. */
async function pairOf(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair): Promise<KeyPair> {
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { cert: `${certificate.toString('pem').trimEnd()}\n`, key: `${key.trimEnd()}\n` };
}

function isAddress(name: string): boolean {
  return /^[\d.]+$|:/.test(name);
}
