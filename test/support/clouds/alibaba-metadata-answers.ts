// The metadata service of an ECS instance without its socket (acr.md section 17).

import { randomBytes } from 'node:crypto';
import type { SignedRequest } from './acs3.ts';
import type { Session } from './alibaba-sessions.ts';
import { formatInstant, isServiceTrusted, mintSession, parseArn } from './alibaba-sessions.ts';
import type { AlibabaState } from './alibaba-state.ts';
import type { Answer } from './api-error.ts';
import { buildErrorAnswer } from './api-error.ts';

/**
 * How the service behaves. `normal`: with and without a token; `v1-only`: knows no tokens; `hardened`: nothing without a
 * valid token; `no-role`: the instance has no RAM role; `limited`: 429 for everything.
 */
export type MetadataMode = 'normal' | 'v1-only' | 'hardened' | 'no-role' | 'limited';

/** Every mode, for checking settings that come from outside. */
export const METADATA_MODES: readonly MetadataMode[] = ['normal', 'v1-only', 'hardened', 'no-role', 'limited'];

/** What the instance is. Free to change while the service runs. */
export interface MetadataSettings {
  readonly mode: MetadataMode;
  /** What a hardened service answers to who has no valid token: no document says which, so all must be borne. Default 403. */
  readonly refusalStatus?: 401 | 403 | 404;
  readonly regionId: string;
  readonly accountId: string;
  readonly instanceId: string;
  /** The role of the instance; it must exist and trust `ecs.aliyuncs.com`, else its document says why it failed. */
  readonly roleArn: string;
  readonly sessionSeconds: number;
  /** How long before its end a session is replaced, in milliseconds; at most half of its life. */
  readonly renewBeforeEndMs: number;
}

/** What the service remembers: its tokens with the instants at which they expire (epoch ms), and the role's session. */
export interface MetadataMemory {
  readonly tokens: Map<string, number>;
  session: (Session & { readonly issuedAt: number }) | undefined;
}

/** Everything that an answer depends on. `now` is epoch milliseconds. */
export interface MetadataWorld {
  readonly state: AlibabaState;
  readonly settings: MetadataSettings;
  readonly memory: MetadataMemory;
  readonly now: number;
}

const TTL_HEADER = 'x-aliyun-ecs-metadata-token-ttl-seconds';
const TOKEN_HEADER = 'x-aliyun-ecs-metadata-token';
const MAX_TTL_SECONDS = 21_600;
const PROXY_HEADERS: readonly string[] = ['forwarded', 'x-forwarded-for', 'via'];
const TOKEN_PATH = '/latest/api/token';
const DATA_PATH = '/latest/meta-data/';
const ROLES_PATH = 'ram/security-credentials/';

/** Answers one request. Writes to the memory, and a session to the state. */
export function answerMetadata(request: SignedRequest, world: MetadataWorld): Answer {
  const { method, path, headers } = request;
  const { settings } = world;
  if (PROXY_HEADERS.some((name) => headers[name] !== undefined)) {
    return refuse(403, 'Forbidden', 'The request came through a proxy.');
  }
  if (settings.mode === 'limited') return refuse(429, 'Too Many Requests', 'Too many requests.');
  if (path === TOKEN_PATH && settings.mode !== 'v1-only') {
    return method === 'PUT' ? issueToken(headers[TTL_HEADER] ?? '', world) : refuse(405, 'Not Allowed', 'Use PUT.');
  }
  if (!path.startsWith(DATA_PATH)) return notFound();
  if (method !== 'GET') return refuse(405, 'Not Allowed', 'Use GET.');
  if (!mayRead(headers[TOKEN_HEADER], world)) {
    return refuse(settings.refusalStatus ?? 403, 'Forbidden', 'The token is missing or not valid.');
  }
  return readItem(path.slice(DATA_PATH.length), world);
}

/** Whether a GET carries the token that the service asked for in its answer to PUT, before that expired. */
export function hasValidToken(headers: SignedRequest['headers'], { memory, now }: MetadataWorld): boolean {
  return now < (memory.tokens.get(headers[TOKEN_HEADER] ?? '') ?? 0);
}

function issueToken(ttl: string, { memory, now }: MetadataWorld): Answer {
  const seconds = /^\d+$/.test(ttl) ? Number(ttl) : 0;
  if (seconds < 1 || seconds > MAX_TTL_SECONDS) {
    return refuse(400, 'Bad Request', `${TTL_HEADER} must be 1 to ${MAX_TTL_SECONDS}.`);
  }
  const token = randomBytes(24).toString('base64url');
  memory.tokens.set(token, now + seconds * 1000);
  return plain(token);
}

function mayRead(token: string | undefined, world: MetadataWorld): boolean {
  if (world.settings.mode === 'v1-only') return true;
  if (token === undefined) return world.settings.mode !== 'hardened';
  return hasValidToken({ [TOKEN_HEADER]: token }, world);
}

function readItem(item: string, world: MetadataWorld): Answer {
  const { settings } = world;
  switch (item) {
    case 'region-id':
      return plain(settings.regionId);
    case 'owner-account-id':
      return plain(settings.accountId);
    case 'instance-id':
      return plain(settings.instanceId);
    default:
      return item.startsWith(ROLES_PATH) ? readRole(item.slice(ROLES_PATH.length), world) : notFound();
  }
}

function readRole(asked: string, world: MetadataWorld): Answer {
  const name = parseArn(world.settings.roleArn)?.name;
  if (world.settings.mode === 'no-role' || name === undefined) return notFound();
  if (asked === '') return plain(name);
  if (asked !== name) return notFound();
  const role = world.state.roles.get(world.settings.roleArn);
  if (role === undefined || !isServiceTrusted(role, 'ecs.aliyuncs.com')) {
    return document({ Code: 'Failed', Message: 'The role cannot be assumed.', LastUpdated: formatInstant(world.now) });
  }
  const session = currentSession(world);
  return document({
    AccessKeyId: session.accessKeyId,
    AccessKeySecret: session.accessKeySecret,
    SecurityToken: session.securityToken,
    Expiration: formatInstant(session.expiresAt),
    LastUpdated: formatInstant(session.issuedAt),
    Code: 'Success',
  });
}

/** The same session for everyone who asks, until it is due: a reader cannot force a new one. */
function currentSession({ state, settings, memory, now }: MetadataWorld): Session & { readonly issuedAt: number } {
  const { roleArn, instanceId: sessionName, sessionSeconds: lifeSeconds } = settings;
  const held = memory.session;
  if (held?.roleArn === roleArn && held.sessionName === sessionName && state.accessKeys.has(held.accessKeyId)) {
    const margin = Math.min(settings.renewBeforeEndMs, (held.expiresAt - held.issuedAt) / 2);
    if (now < held.expiresAt - margin) return held;
  }
  const session = { ...mintSession(state, { roleArn, sessionName, lifeSeconds, now }), issuedAt: now };
  memory.session = session;
  return session;
}

function plain(body: string): Answer {
  return { status: 200, headers: { 'content-type': 'text/plain' }, body };
}

function document(content: Readonly<Record<string, string>>): Answer {
  return plain(JSON.stringify(content, null, 2));
}

function notFound(): Answer {
  return refuse(404, 'Not Found', 'Not Found');
}

function refuse(status: number, code: string, message: string): Answer {
  return buildErrorAnswer({ status, code, message }, { host: '', form: 'page' });
}
