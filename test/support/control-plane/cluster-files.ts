// The files of a control plane: keys, tokens, policy and kubeconfigs, all in its temporary folder.
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AUDIT_POLICY } from './audit-log.ts';
import { buildKubeconfig } from './users.ts';

/** Where each file is. */
export interface ClusterFiles {
  readonly folder: string;
  readonly tokenFile: string;
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
  /** Where kube-apiserver keeps the certificate that it makes for itself. */
  readonly certDir: string;
  /** That certificate with its CA; exists once kube-apiserver has started. */
  readonly caFile: string;
  readonly auditPolicyFile: string;
  /** Written by kube-apiserver. */
  readonly auditLogFile: string;
}

/** Writes what the processes need to start. */
export async function writeClusterFiles(folder: string, tokens: string): Promise<ClusterFiles> {
  const inFolder = (name: string): string => path.join(folder, name);
  const files: ClusterFiles = {
    folder,
    tokenFile: inFolder('tokens.csv'),
    serviceAccountKey: inFolder('service-account.key'),
    serviceAccountPublicKey: inFolder('service-account.pub'),
    certDir: inFolder('certificates'),
    caFile: inFolder('certificates/apiserver.crt'),
    auditPolicyFile: inFolder('audit-policy.json'),
    auditLogFile: inFolder('audit.log'),
  };
  const keys = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  await mkdir(files.certDir);
  await writeFile(files.serviceAccountKey, keys.privateKey, { mode: 0o600 });
  await writeFile(files.serviceAccountPublicKey, keys.publicKey);
  await writeFile(files.tokenFile, tokens, { mode: 0o600 });
  await writeFile(files.auditPolicyFile, JSON.stringify(AUDIT_POLICY));
  return files;
}

/** Writes a kubeconfig for each user; returns their paths by user name. */
export async function writeKubeconfigs(of: {
  readonly url: string;
  readonly ca: string;
  readonly tokens: ReadonlyMap<string, string>;
  readonly folder: string;
}): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const [user, token] of of.tokens) {
    const file = path.join(of.folder, `kubeconfig-${files.size}-${user.replaceAll(/[^\w.-]/g, '-')}`);
    await writeFile(file, buildKubeconfig({ url: of.url, ca: of.ca, user, token }), { mode: 0o600 });
    files.set(user, file);
  }
  return files;
}
