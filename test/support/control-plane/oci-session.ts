// Calls a registry as container runtimes do: try, read the 401 challenge, fetch a token with the given login, try again.
import { Agent, request } from 'undici';
import { isRecord, text } from './json.ts';

/** User name and password, as in `.dockerconfigjson`. */
export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
}

/** Which registry, and as whom. */
export interface RegistryAccess {
  /** `http://HOST:PORT` or `https://…`. */
  readonly registryUrl: string;
  /** Anonymous when absent. */
  readonly login?: RegistryLogin | undefined;
  /** PEM of the CA of the registry and its token endpoint. */
  readonly ca?: string;
  /** How long one call may take, 15 s unless told. */
  readonly timeoutMs?: number;
  /** Shows the login to an unencrypted token endpoint too, as that of the simulated clouds on loopback is. */
  readonly plainTokens?: boolean;
}

/** One call of the registry's API. */
export interface RegistryCall {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  /** A path, or a URL that the registry gave. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** What the registry answered. */
export interface RegistryAnswer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: Buffer;
}

/**
 * Why something was refused. `TokenRefused`: by the token endpoint, so the login is wrong. `TokenEndpointPlain`: by us, since an
 * encrypted registry asks for the login to be sent unencrypted.
 */
export type RefusalReason =
  | 'Unreachable'
  | 'TokenRefused'
  | 'TokenMissing'
  | 'TokenEndpointPlain'
  | 'Unauthorized'
  | 'Denied'
  | 'NotFound'
  | 'TooManyRequests'
  | 'UnexpectedStatus'
  | 'NoUploadLocation'
  | 'DigestMismatch';

/** Why a call did not come to an answer that means success. */
export class RegistryRefusal extends Error {
  override readonly name = 'RegistryRefusal';
  readonly reason: RefusalReason;
  readonly status: number | undefined;

  constructor(reason: RefusalReason, status: number | undefined, message: string) {
    super(message);
    this.reason = reason;
    this.status = status;
  }
}

/** Calls of one client; the last token is used until the registry asks for another. */
export interface RegistrySession {
  /** @throws RegistryRefusal when the status is not one of those expected */
  call(call: RegistryCall, expected: readonly number[]): Promise<RegistryAnswer>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 15_000;

/** Opens a session; nothing is sent yet. */
export function openRegistrySession({
  registryUrl,
  login,
  ca,
  timeoutMs = TIMEOUT_MS,
  plainTokens = false,
}: RegistryAccess): RegistrySession {
  const agent = new Agent({ allowH2: false, connect: ca === undefined ? {} : { ca } });
  let authorization: string | undefined;

  const send = async (url: URL, call: Omit<RegistryCall, 'path'>): Promise<RegistryAnswer> => {
    const answer = await request(url, {
      method: call.method,
      dispatcher: agent,
      signal: AbortSignal.timeout(timeoutMs),
      headers: { ...call.headers },
      ...(call.body === undefined ? {} : { body: call.body }),
    }).catch((error: unknown) => {
      throw new RegistryRefusal('Unreachable', undefined, `${url.host}: ${(error as Error).message}`);
    });
    return {
      status: answer.statusCode,
      header: (name) => [answer.headers[name.toLowerCase()]].flat()[0],
      body: Buffer.from(await answer.body.arrayBuffer()),
    };
  };
  const sendAuthorized = (call: RegistryCall): Promise<RegistryAnswer> =>
    send(new URL(call.path, registryUrl), {
      ...call,
      headers: { ...call.headers, ...(authorization === undefined ? {} : { authorization }) },
    });
  const fetchToken = async (challenge: Challenge): Promise<string> => {
    const url = new URL(challenge.parameters.realm ?? '', registryUrl);
    if (url.protocol !== 'https:' && registryUrl.startsWith('https:') && !plainTokens)
      throw new RegistryRefusal('TokenEndpointPlain', undefined, `its tokens are at ${url.origin}, unencrypted`);
    for (const name of ['service', 'scope']) {
      const value = challenge.parameters[name];
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const headers: Record<string, string> = login === undefined ? {} : { authorization: basic(login) };
    const answer = await send(url, { method: 'GET', headers });
    if (answer.status !== 200) throw refusal('TokenRefused', answer);
    const body: unknown = JSON.parse(answer.body.toString('utf8'));
    const token = isRecord(body) ? (text(body.token) ?? text(body.access_token)) : undefined;
    if (token === undefined) throw refusal('TokenMissing', answer);
    return token;
  };

  return {
    call: async (call, expected) => {
      let answer = await sendAuthorized(call);
      if (answer.status === 401) {
        const challenge = parseChallenge(answer.header('www-authenticate') ?? '');
        if (challenge?.scheme === 'bearer') authorization = `Bearer ${await fetchToken(challenge)}`;
        else if (challenge?.scheme === 'basic' && login !== undefined) authorization = basic(login);
        else throw refusal('Unauthorized', answer);
        answer = await sendAuthorized(call);
      }
      if (expected.includes(answer.status)) return answer;
      throw refusal(REASONS[answer.status] ?? 'UnexpectedStatus', answer);
    },
    close: () => agent.destroy(),
  };
}

/** A parsed `WWW-Authenticate` header. */
export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Parses `Bearer realm="…",service="…",scope="…"` or `Basic realm="…"`; undefined for anything else. */
export function parseChallenge(header: string): Challenge | undefined {
  const match = /^\s*(Bearer|Basic)\s+(.*)$/i.exec(header);
  if (match === null) return undefined;
  const parameters: Record<string, string> = {};
  for (const [, name = '', quoted, plain] of (match[2] ?? '').matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)) {
    parameters[name.toLowerCase()] = quoted ?? plain ?? '';
  }
  return { scheme: (match[1] ?? '').toLowerCase(), parameters };
}

const REASONS: Readonly<Record<number, RefusalReason>> = {
  401: 'Unauthorized',
  403: 'Denied',
  404: 'NotFound',
  429: 'TooManyRequests',
};

function refusal(reason: RefusalReason, answer: RegistryAnswer): RegistryRefusal {
  return new RegistryRefusal(reason, answer.status, answer.body.toString('utf8').slice(0, 300));
}

function basic({ username, password }: RegistryLogin): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
