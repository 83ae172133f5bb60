// Signatures by cosign, where it is there.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readLogin, type PushAccess } from '../image-build/push.ts';
import { runLong, succeeds } from '../image-build/output-of.ts';

/** What to sign, and with what. */
export interface Signing {
  /** `HOST/PATH@sha256:…` */
  readonly references: readonly string[];
  /** A file or the name of a key in a key service; without one, cosign asks the identity of who runs it. */
  readonly key?: string | undefined;
  readonly access: PushAccess;
  readonly scratch: string;
}

/** Whether there is a cosign. */
export function hasCosign(): Promise<boolean> {
  return succeeds('cosign', ['version']);
}

/** Signs each. The login is in a file that goes with the scratch folder: arguments can be read by everybody. */
export async function sign({ references, key, access, scratch }: Signing): Promise<void> {
  const config = path.join(scratch, 'cosign');
  const login = await readLogin(access.host, process.env);
  const auth = login === undefined ? undefined : Buffer.from(`${login.username}:${login.password}`).toString('base64');
  await mkdir(config, { recursive: true });
  await writeFile(
    path.join(config, 'config.json'),
    JSON.stringify({ auths: auth === undefined ? {} : { [access.host]: { auth } } }),
    { mode: 0o600 },
  );
  for (const reference of references) {
    await runLong({
      what: `the signature of ${reference}`,
      command: 'cosign',
      args: [
        ...['sign', '--yes', ...(key === undefined ? [] : ['--key', key])],
        ...(access.plainHttp ? ['--allow-http-registry'] : []),
        reference,
      ],
      env: {
        ...process.env,
        DOCKER_CONFIG: config,
        ...(access.caFile === undefined ? {} : { SSL_CERT_FILE: path.resolve(access.caFile) }),
      },
      logFile: path.join(scratch, 'cosign.log'),
    });
  }
}
