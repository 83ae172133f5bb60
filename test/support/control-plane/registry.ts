// A real container registry (CNCF distribution) on loopback, with the token authentication that cloud registries use.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createApiClient } from './api-client.ts';
import { freePort } from './ports.ts';
import { startProcess } from './processes.ts';
import type { Progress } from './progress.ts';
import { createRunFolder } from './run-folder.ts';
import { findTools } from './tools.ts';

/** What a registry shall be like. */
export interface RegistryOptions {
  /** Whom it sends its clients to for tokens, and which tokens it believes; without it, everyone may do everything. */
  readonly auth?: RegistryAuth;
  /** PEM files; plain HTTP without them. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** A free one unless told. */
  readonly port?: number;
  /** Told about the build when the registry's binary is missing. */
  readonly progress?: Progress;
}

/** As in the registry's `auth.token` configuration. */
export interface RegistryAuth {
  /** URL of the token endpoint. */
  readonly realm: string;
  /** The `aud` of tokens. */
  readonly service: string;
  /** The `iss` of tokens. */
  readonly issuer: string;
  /** A PEM file with the certificates that sign tokens; a token carries its certificate as `x5c`. */
  readonly rootCertBundle: string;
}

/** A registry that runs. */
export interface Registry {
  readonly url: string;
  /** Host and port, as in image names. */
  readonly host: string;
  readonly logFile: string;
  /** Ends it and removes its images. May be called more than once. */
  stop(): Promise<void>;
}

/** Starts a registry and waits until it answers. It ends with this process, however that ends. */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const { registry: command } = await findTools(
    ['registry'],
    options.progress === undefined ? {} : { progress: options.progress },
  );
  const folder = await createRunFolder('registry');
  const host = `127.0.0.1:${options.port ?? (await freePort())}`;
  const url = `${options.tls === undefined ? 'http' : 'https'}://${host}`;
  const configFile = path.join(folder.path, 'config.json');
  const logFile = path.join(folder.path, 'registry.log');
  const probe = createApiClient(url);
  try {
    const config = buildRegistryConfig({ ...options, host, storage: path.join(folder.path, 'images') });
    await writeFile(configFile, JSON.stringify(config), { mode: 0o600 });
    const running = await startProcess({
      name: 'registry',
      command,
      args: ['serve', configFile],
      // It would look for a trace collector otherwise, and complain in its log every few seconds.
      env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
      logFile,
      ready: async () => [200, 401].includes((await probe.request({ path: '/v2/' })).status),
    });
    return {
      url,
      host,
      logFile,
      stop: async () => {
        await running.stop({ signal: 'SIGKILL' });
        await folder.remove();
      },
    };
  } catch (error) {
    await folder.remove();
    throw error;
  } finally {
    await probe.close();
  }
}

function buildRegistryConfig(
  of: Pick<RegistryOptions, 'auth' | 'tls'> & { readonly host: string; readonly storage: string },
): unknown {
  const { auth, tls } = of;
  return {
    version: '0.1',
    log: { level: 'info' },
    storage: { filesystem: { rootdirectory: of.storage }, delete: { enabled: true } },
    http: {
      addr: of.host,
      secret: randomBytes(16).toString('hex'),
      ...(tls === undefined ? {} : { tls: { certificate: tls.certFile, key: tls.keyFile } }),
    },
    ...(auth === undefined
      ? {}
      : {
          auth: {
            token: {
              realm: auth.realm,
              service: auth.service,
              issuer: auth.issuer,
              rootcertbundle: auth.rootCertBundle,
            },
          },
        }),
  };
}
