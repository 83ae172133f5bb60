// Keys and certificates for the simulators, made at start with the openssl command because Node can read certificates
// but not issue them. Valid for two days, in a folder that goes away with the simulators.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { ServerOptions } from 'node:https';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { promisify } from 'node:util';

/** A PEM certificate with its PEM private key, and the paths of both. */
export interface KeyPair {
  readonly certFile: string;
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of our own that issues server certificates. */
export interface CertificateAuthority extends KeyPair {
  /** Issues a P-256 certificate for DNS names and IP addresses. `file` names its files, without a suffix. */
  issue(file: string, names: readonly string[]): Promise<KeyPair>;
}

const run = promisify(execFile);
const DAYS = '2';

/** Makes a certificate authority in a folder that exists. Needs `openssl` 1.1.1 or later in the PATH. */
export async function createCertificateAuthority(dir: string): Promise<CertificateAuthority> {
  const authority = await createSelfSigned(dir, 'ca', 'Simulated clouds CA');
  return {
    ...authority,
    issue: async (file, names) => {
      const path = (suffix: string) => join(dir, `${file}.${suffix}`);
      const subjectAltName = names.map((name) => `${/^[\d.]+$/.test(name) ? 'IP' : 'DNS'}:${name}`).join(',');
      await writeFile(path('ext'), `subjectAltName=${subjectAltName}\nextendedKeyUsage=serverAuth\n`);
      await openssl(['req', '-new', ...P256, '-config', join(dir, 'ca.cnf'), '-subj', `/CN=${file}`], {
        keyout: path('key'),
        out: path('csr'),
      });
      await openssl(
        [
          'x509',
          '-req',
          '-days',
          DAYS,
          '-in',
          path('csr'),
          '-CA',
          authority.certFile,
          '-CAkey',
          join(dir, 'ca.key'),
        ].concat(['-set_serial', `0x01${randomBytes(15).toString('hex')}`, '-extfile', path('ext')]),
        { out: path('pem') },
      );
      return readKeyPair(path('pem'), path('key'));
    },
  };
}

/** Makes a self-signed P-256 certificate that may sign; it is its own root (for TLS, or for `rootcertbundle`). */
export async function createSelfSigned(dir: string, file: string, commonName: string): Promise<KeyPair> {
  const path = (suffix: string) => join(dir, `${file}.${suffix}`);
  // A configuration of our own: the system's adds extensions that differ from one distribution to the next.
  await writeFile(
    path('cnf'),
    ['[req]', 'distinguished_name=dn', 'x509_extensions=ca', '[dn]', '[ca]', 'basicConstraints=critical,CA:TRUE']
      .concat(['keyUsage=critical,keyCertSign,cRLSign,digitalSignature', 'subjectKeyIdentifier=hash', ''])
      .join('\n'),
  );
  await openssl(['req', '-x509', ...P256, '-days', DAYS, '-config', path('cnf'), '-subj', `/CN=${commonName}`], {
    keyout: path('key'),
    out: path('pem'),
  });
  return readKeyPair(path('pem'), path('key'));
}

/**
 * Builds the TLS options of a server on loopback that also has a certificate for each server name that `accepts`. `file`
 * names the files of the loopback certificate.
 */
export async function createServerTls(
  authority: CertificateAuthority,
  file: string,
  accepts: (serverName: string) => boolean,
): Promise<ServerOptions> {
  const { cert, key } = await authority.issue(file, ['localhost', '127.0.0.1']);
  return { cert, key, SNICallback: createSniCallback(authority, accepts) };
}

/**
 * Builds an SNI callback that issues a certificate for each server name that `accepts`, once. Regions are open-ended and
 * `cr.*.aliyuncs.com` is no valid wildcard, so a fixed list of names would not do.
 */
function createSniCallback(
  authority: CertificateAuthority,
  accepts: (serverName: string) => boolean,
): (serverName: string, done: (error: Error | null, context?: SecureContext) => void) => void {
  const contexts = new Map<string, Promise<SecureContext>>();
  return (serverName, done) => {
    if (!accepts(serverName)) {
      done(null); // the server's default certificate, which will not match: as on the real cloud
      return;
    }
    const context = contexts.get(serverName) ?? authority.issue(serverName, [serverName]).then(createSecureContext);
    contexts.set(serverName, context);
    context.then(
      (ready) => done(null, ready),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
  };
}

const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-sha256'];

async function openssl(args: readonly string[], files: Readonly<Record<string, string>>): Promise<void> {
  await run('openssl', [...args, ...Object.entries(files).flatMap(([option, file]) => [`-${option}`, file])]);
}

async function readKeyPair(certFile: string, keyFile: string): Promise<KeyPair> {
  return { certFile, cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
}
