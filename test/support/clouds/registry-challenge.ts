// The door of every registry of the simulated cloud: by which name one knocks decides the challenge (acr.md sections 22 and
// 23). Images are not here; a real registry with the same `service` serves them.

import type { AlibabaState, RegistryId } from './alibaba-state.ts';
import { buildRegistryService } from './alibaba-state.ts';
import type { Answer } from './api-error.ts';
import { buildJsonAnswer } from './api-error.ts';
import type { CertificateAuthority } from './certificates.ts';
import { createServerTls } from './certificates.ts';
import type { Listener } from './listener.ts';
import { startListener } from './listener.ts';

/** How to start the door. */
export interface RegistryChallengeOptions {
  readonly state: AlibabaState;
  /** The cloud's clock, epoch milliseconds. */
  readonly now: () => number;
  /** URL of the token endpoint: the real one is at `dockerauth.<region>.aliyuncs.com`. */
  readonly realm: string;
  /** Issues the server certificates; without it the door is plain HTTP. */
  readonly authority?: CertificateAuthority;
  readonly port?: number;
}

const PERSONAL_HOST = /^registry(?:-vpc|-internal|-intl|-intl-vpc)?\.([a-z0-9-]+)\.aliyuncs\.com$/;
const NEW_PERSONAL_HOST = /^crpi-[a-z0-9]+(?:-vpc)?\.([a-z0-9-]+)\.personal\.cr\.aliyuncs\.com$/;

/**
 * Finds the registry behind a Host header: an instance by its own names (public only where enabled, VPC only where linked)
 * or by a custom domain, or the Personal Edition of a region. `undefined`: nobody has that name.
 */
export function findRegistry(state: AlibabaState, host: string): RegistryId | undefined {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  const regionId = (PERSONAL_HOST.exec(name) ?? NEW_PERSONAL_HOST.exec(name))?.[1];
  if (regionId !== undefined) return { regionId };
  return [...state.instances.values()].find((instance) => {
    const { instanceName, userDomains = [], internetEnabled = true, linkedVpcIds = [''] } = instance;
    const names = [
      ...(internetEnabled ? [`${instanceName}-registry`] : []),
      ...(linkedVpcIds.length > 0 ? [`${instanceName}-registry-vpc`] : []),
    ].map((label) => `${label}.${instance.regionId}.cr.aliyuncs.com`);
    return names.includes(name) || (internetEnabled && userDomains.some((domain) => [host, name].includes(domain)));
  });
}

/** Starts the door on 127.0.0.1: 401 with the challenge for every registry, 404 for a name that nobody has. */
export async function startRegistryChallenge(options: RegistryChallengeOptions): Promise<Listener> {
  const { state, now, realm, authority, port = 0 } = options;
  return startListener({
    port,
    now,
    ...(authority === undefined
      ? {}
      : { tls: await createServerTls(authority, 'registry', (name) => findRegistry(state, name) !== undefined) }),
    handle: (request) => ({ answer: answer(findRegistry(state, request.headers.host ?? ''), request.path, realm) }),
  });
}

function answer(registry: RegistryId | undefined, path: string, realm: string): Answer {
  if (registry === undefined || !path.startsWith('/v2/')) {
    return buildJsonAnswer(404, { errors: [{ code: 'NOT_FOUND', message: 'page not found' }] });
  }
  return buildJsonAnswer(
    401,
    { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required', detail: null }] },
    {
      'docker-distribution-api-version': 'registry/2.0',
      'www-authenticate': `Bearer realm="${realm}",service="${buildRegistryService(registry)}"`,
    },
  );
}
