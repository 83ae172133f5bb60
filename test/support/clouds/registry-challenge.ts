// The door of every registry of a simulated cloud: by which name one knocks decides the challenge. Images are not here.

import type { SignedRequest } from './acs3.ts';
import type { Answer } from './api-error.ts';
import { buildJsonAnswer } from './api-error.ts';
import type { CertificateAuthority } from './certificates.ts';
import { createServerTls } from './certificates.ts';
import type { Listener } from './listener.ts';
import { startListener } from './listener.ts';

/** What a registry sends its clients to: `realm` is the URL of a token endpoint. */
export interface RegistryChallenge {
  readonly realm: string;
  readonly service: string;
}

/** How to start the door. */
export interface RegistryChallengeOptions {
  /** The cloud's clock, epoch milliseconds. */
  readonly now: () => number;
  /** The challenge of the registry that has a name, with or without a port; `undefined`: nobody has it. */
  readonly findChallenge: (host: string) => RegistryChallenge | undefined;
  /** Answers what else is asked under the name of a registry; default 404. */
  readonly otherwise?: (request: SignedRequest) => Answer;
  /** Issues the server certificates; without it the door is plain HTTP. `file` names those of loopback. */
  readonly authority?: CertificateAuthority;
  readonly file: string;
  readonly port?: number;
}

/** Starts the door on 127.0.0.1: 401 with the challenge for every registry, 404 for a name that nobody has. */
export async function startRegistryChallenge(options: RegistryChallengeOptions): Promise<Listener> {
  const { now, findChallenge, otherwise = notFound, authority, file, port = 0 } = options;
  const handle = (request: SignedRequest): Answer => {
    const challenge = findChallenge(request.headers.host ?? '');
    if (challenge === undefined) return notFound();
    return request.path.startsWith('/v2/') ? buildChallenge(challenge) : otherwise(request);
  };
  const tls = authority && (await createServerTls(authority, file, (name) => findChallenge(name) !== undefined));
  return startListener({
    ...{ port, now, handle: (request) => ({ answer: handle(request) }) },
    ...(tls === undefined ? {} : { tls }),
  });
}

function notFound(): Answer {
  return buildJsonAnswer(404, { errors: [{ code: 'NOT_FOUND', message: 'page not found' }] });
}

function buildChallenge({ realm, service }: RegistryChallenge): Answer {
  return buildJsonAnswer(
    401,
    { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required', detail: null }] },
    {
      'docker-distribution-api-version': 'registry/2.0',
      'www-authenticate': `Bearer realm="${realm}",service="${service}"`,
    },
  );
}
