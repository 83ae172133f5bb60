// The token endpoint behind the registries of a simulated cloud. It issues what a real `distribution` registry with
// `auth: token` accepts, so that tests can pull with what the cloud's API minted.

import { createHash, createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { buildJsonAnswer } from './api-error.ts';
import type { Answer } from './api-error.ts';
import type { SignedRequest } from './acs3.ts';
import type { KeyPair } from './certificates.ts';
import type { Listener } from './listener.ts';
import { startListener } from './listener.ts';
import { parseBasic } from './registry-auth.ts';
import type { Grant, RegistryUser, TokenRequest } from './registry-auth.ts';

/** How to start the token endpoint. */
export interface RegistryTokenOptions {
  /** Decides on a request with the fixed users of the registry, at an instant in epoch milliseconds; `undefined` means 401. */
  readonly authorize: (
    request: TokenRequest,
    at: { readonly users: readonly RegistryUser[]; readonly now: number },
  ) => Grant | undefined;
  /** The page of the endpoint, such as `/auth`. */
  readonly path: string;
  /** The host of the registry that a request is about, where they have one page each; `undefined`: none, and 404. */
  readonly findRegistry?: (request: SignedRequest) => string | undefined;
  /** The cloud's clock, epoch milliseconds. A real registry beside it has the real time. */
  readonly now: () => number;
  /** A self-signed P-256 certificate: it signs the tokens, and the registry trusts it as `rootcertbundle`. */
  readonly signer: KeyPair;
  readonly users?: readonly RegistryUser[];
  readonly port?: number;
}

/** One request to the token endpoint. `username` is empty for an anonymous one; `at` is epoch milliseconds. */
export interface TokenCall {
  /** Its host, where the endpoint tells registries apart. */
  readonly registry: string;
  readonly service: string;
  readonly username: string;
  /** Which password was shown, by `fingerprintOf`; empty for an anonymous request. */
  readonly credential: string;
  readonly scopes: readonly string[];
  readonly status: number;
  readonly at: number;
}

/** A running token endpoint; `realm`, `issuer` and `rootCertBundle` go into the registry's configuration. */
export interface RegistryToken extends Listener {
  readonly realm: string;
  readonly issuer: string;
  readonly rootCertBundle: string;
  /** Adds a fixed user, or replaces the one of the same name. */
  setUser(user: RegistryUser): void;
  /** Answers a request that came in by another door. */
  answer(request: SignedRequest): Answer;
  calls(): readonly TokenCall[];
  clearCalls(): void;
}

/** The `iss` claim of every token. */
export const REGISTRY_TOKEN_ISSUER = 'simulated-dockerauth';

/** Longest life of an issued bearer token, in seconds; it also never outlives the credential that asked for it. */
export const BEARER_LIFE_SECONDS = 300;

/** Tells passwords apart in a log that must not hold them: 12 hexadecimal digits of the SHA-256. */
export function fingerprintOf(password: string): string {
  return createHash('sha256').update(password).digest('hex').slice(0, 12);
}

/** Starts the token endpoint on plain HTTP at 127.0.0.1. */
export async function startRegistryToken(options: RegistryTokenOptions): Promise<RegistryToken> {
  const {
    authorize,
    path,
    findRegistry = (request) => (request.path === path ? '' : undefined),
    now,
    signer,
    port = 0,
  } = options;
  const users = new Map((options.users ?? []).map((user) => [user.username, user]));
  const calls: TokenCall[] = [];
  const key = createPrivateKey(signer.key);
  const x5c = [new X509Certificate(signer.cert).raw.toString('base64')];

  const answer = (request: SignedRequest): Answer => {
    const registry = findRegistry(request);
    if (registry === undefined) return refuse(404, 'NOT_FOUND', 'no such page');
    // Container runtimes try the OAuth2 POST first and fall back to GET on this status.
    if (request.method !== 'GET') return refuse(405, 'UNSUPPORTED', 'only GET is supported');
    const asked = { ...parseTokenRequest(request), registry };
    const at = now();
    const grant = authorize(asked, { users: [...users.values()], now: at });
    const { username = '', password, service, scopes } = asked;
    const credential = password === undefined ? '' : fingerprintOf(password);
    calls.push({ registry, service, username, credential, scopes, status: grant === undefined ? 401 : 200, at });
    if (grant === undefined) {
      return refuse(401, 'UNAUTHORIZED', 'incorrect username or password', {
        'www-authenticate': 'Basic realm="simulated-dockerauth"',
      });
    }
    return buildTokenAnswer({ grant, username, service, now: at }, { key, x5c });
  };

  const listener = await startListener({ port, now, handle: (request) => ({ answer: answer(request) }) });
  return {
    ...listener,
    realm: `${listener.url}${path}`,
    issuer: REGISTRY_TOKEN_ISSUER,
    rootCertBundle: signer.certFile,
    answer,
    setUser: (user) => void users.set(user.username, user),
    calls: () => [...calls],
    clearCalls: () => void calls.splice(0),
  };
}

function parseTokenRequest(request: SignedRequest): TokenRequest {
  const query = new URLSearchParams(request.query);
  return {
    ...parseBasic(request.headers.authorization),
    service: query.get('service') ?? '',
    scopes: query.getAll('scope'),
  };
}

function buildTokenAnswer(
  caller: { readonly grant: Grant; readonly username: string; readonly service: string; readonly now: number },
  signer: { readonly key: KeyObject; readonly x5c: readonly string[] },
): Answer {
  const { grant, username, service, now } = caller;
  const iat = Math.floor(now / 1000);
  const exp = Math.min(iat + BEARER_LIFE_SECONDS, Math.floor((grant.expiresAt ?? Number.POSITIVE_INFINITY) / 1000));
  const header = { typ: 'JWT', alg: 'ES256', x5c: signer.x5c };
  const claims = {
    iss: REGISTRY_TOKEN_ISSUER,
    sub: username,
    aud: service,
    exp,
    nbf: iat,
    iat,
    jti: randomUUID(),
    access: grant.access,
  };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('sha256', Buffer.from(text), { key: signer.key, dsaEncoding: 'ieee-p1363' });
  const token = `${text}.${signature.toString('base64url')}`;
  return buildJsonAnswer(200, {
    token,
    access_token: token,
    expires_in: exp - iat,
    issued_at: new Date(iat * 1000).toISOString(),
  });
}

function refuse(status: number, code: string, message: string, headers: Record<string, string> = {}): Answer {
  return buildJsonAnswer(status, { errors: [{ code, message }] }, headers);
}
