// A certificate authority that somebody else made, with another kind of key than ours.
import 'reflect-metadata'; // first, or the next import throws
import * as x509 from '@peculiar/x509';
import type { KeyPair } from '../../src/webhook/certificates.ts';

const ALGORITHMS = {
  'P-384': { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  RSA: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2_048, publicExponent: new Uint8Array([1, 0, 1]) },
} as const;

/** Makes one that lives from an hour before `now` for a year. */
export async function createForeignAuthority(kind: keyof typeof ALGORITHMS, now: number): Promise<KeyPair> {
  const algorithm = ALGORITHMS[kind];
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=foreign ${kind}`,
    notBefore: new Date(now - 3_600_000),
    notAfter: new Date(now + 365 * 86_400_000),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { cert: `${certificate.toString('pem').trimEnd()}\n`, key: `${key.trimEnd()}\n` };
}
