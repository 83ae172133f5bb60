// Pushes a layout to a registry: contents that are not there yet, then manifests, the tag last.
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import {
  openRegistrySession,
  RegistryRefusal,
  type RefusalReason,
  type RegistryLogin,
  type RegistrySession,
} from '../../test/support/control-plane/oci-session.ts';
import { blobFile, type Descriptor, type Layout } from './layout.ts';

/** How to reach the registry. */
export interface PushAccess {
  readonly host: string;
  readonly plainHttp: boolean;
  readonly caFile?: string | undefined;
}

/** A layer takes its time on a slow line. */
const PUSH_TIMEOUT_MS = 600_000;

/** Opens a session with the login of this machine. Throws when the file with the authority cannot be read. */
export async function openPushSession(access: PushAccess, env = process.env): Promise<RegistrySession> {
  const ca = access.caFile === undefined ? {} : { ca: await readFile(access.caFile, 'utf8') };
  return openRegistrySession({
    registryUrl: `${access.plainHttp ? 'http' : 'https'}://${access.host}`,
    login: await readLogin(access.host, env),
    timeoutMs: PUSH_TIMEOUT_MS,
    ...ca,
  });
}

/** The login for a registry: of the environment, else of the files that docker and podman keep; undefined = anonymous. */
export async function readLogin(host: string, env: NodeJS.ProcessEnv): Promise<RegistryLogin | undefined> {
  const { REGISTRY_USERNAME: username, REGISTRY_PASSWORD: password } = env;
  if ((username === undefined) !== (password === undefined))
    throw new Error('REGISTRY_USERNAME and REGISTRY_PASSWORD: one of them is missing');
  if (username !== undefined && password !== undefined) return { username, password };
  const files = [
    path.join(env.DOCKER_CONFIG ?? path.join(homedir(), '.docker'), 'config.json'),
    env.REGISTRY_AUTH_FILE ?? path.join(env.XDG_RUNTIME_DIR ?? '/run', 'containers', 'auth.json'),
  ];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '{}');
    const { auths } = JSON.parse(text) as { readonly auths?: Readonly<Record<string, { readonly auth?: string }>> };
    const [, user, secret] = /^([^:]+):(.*)$/s.exec(Buffer.from(auths?.[host]?.auth ?? '', 'base64').toString()) ?? [];
    if (user !== undefined && secret !== undefined) return { username: user, password: secret };
  }
  return undefined;
}

/** A sentence with a cure about what a registry refused; other errors as they are. */
export function explainRefusal(error: unknown, host: string): Error {
  if (!(error instanceof RegistryRefusal)) return error instanceof Error ? error : new Error(String(error));
  const status = error.status === undefined ? '' : ` with HTTP ${error.status}`;
  return new Error(`${host} refused${status} (${error.reason}): ${CURES[error.reason] ?? error.message}`, {
    cause: error,
  });
}

const LOG_IN = 'set REGISTRY_USERNAME and REGISTRY_PASSWORD, or log in with docker or podman.';
const CURES: Readonly<Partial<Record<RefusalReason, string>>> = {
  Unauthorized: LOG_IN,
  TokenRefused: `the login is wrong: ${LOG_IN}`,
  Denied: 'this login may not push there.',
  Unreachable: 'is the name right? A registry that is not encrypted needs --plain-http, one of your own --ca-file.',
};

/** Pushes everything; the tag is set last, so that nobody sees half of it. */
export async function pushLayout(
  session: RegistrySession,
  { folder, root, images }: Layout,
  repository: string,
  tag: string,
): Promise<void> {
  const read = (descriptor: Descriptor) => readFile(blobFile(folder, descriptor));
  for (const { config, layers, descriptor } of images) {
    for (const blob of [config, ...layers]) await pushBlob(session, repository, blob.digest, () => read(blob));
    await pushManifest(
      session,
      { repository, reference: descriptor.digest, mediaType: descriptor.mediaType },
      await read(descriptor),
    );
  }
  await pushManifest(session, { repository, reference: tag, mediaType: root.mediaType }, await read(root));
}

/** Pushes content unless it is there. */
export async function pushBlob(
  session: RegistrySession,
  repository: string,
  digest: string,
  read: () => Promise<Buffer> | Buffer,
): Promise<void> {
  const { status } = await session.call({ method: 'HEAD', path: `/v2/${repository}/blobs/${digest}` }, [200, 404]);
  if (status === 200) return;
  const started = await session.call({ method: 'POST', path: `/v2/${repository}/blobs/uploads/` }, [202]);
  const location = started.header('location');
  if (location === undefined) throw new Error(`${repository}: the registry does not say where to upload to`);
  const upload = `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
  const headers = { 'content-type': 'application/octet-stream' };
  await session.call({ method: 'PUT', path: upload, headers, body: await read() }, [201]);
}

/** Pushes a manifest; true when the registry keeps its own list of what refers to the manifest's subject. */
export async function pushManifest(
  session: RegistrySession,
  {
    repository,
    reference,
    mediaType,
  }: { readonly repository: string; readonly reference: string; readonly mediaType: string },
  body: Buffer,
): Promise<boolean> {
  const path = `/v2/${repository}/manifests/${reference}`;
  const answer = await session.call({ method: 'PUT', path, headers: { 'content-type': mediaType }, body }, [201]);
  return answer.header('oci-subject') !== undefined;
}
