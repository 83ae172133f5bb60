// The metadata service of a CVM without its socket: the role of the instance and its session (tcr.md section 14).

import type { SignedRequest } from './acs3.ts';
import type { Answer } from './api-error.ts';
import { buildErrorAnswer } from './api-error.ts';
import { writeUtc } from './tencent-answers.ts';
import { findRole, isServiceTrusted, parseRoleArn } from './tencent-cam.ts';
import type { TencentSession } from './tencent-sessions.ts';
import { mintTencentSession } from './tencent-sessions.ts';
import type { TencentState } from './tencent-state.ts';

/**
 * How the service behaves. `normal`; `no-role`: 404, as the instance has none; `failed`: a document whose Code is not `Success`;
 * `expired`: one that ended a minute ago, with Code `Success`.
 */
export type TencentMetadataMode = 'normal' | 'no-role' | 'failed' | 'expired';

/** Every mode, for checking settings that come from outside. */
export const TENCENT_METADATA_MODES: readonly TencentMetadataMode[] = ['normal', 'no-role', 'failed', 'expired'];

/** What the instance is. Free to change while the service runs. */
export interface TencentMetadataSettings {
  readonly mode: TencentMetadataMode;
  /** The role of the instance; it must exist and trust `cvm.qcloud.com`, else its document says that it failed. */
  readonly roleArn: string;
  readonly sessionSeconds: number;
  /** How long before its end a session is replaced, in milliseconds; at most half of its life. */
  readonly renewBeforeEndMs: number;
}

/** The session that was handed out last, and when (epoch milliseconds). */
export interface TencentMetadataMemory {
  session: (TencentSession & { readonly issuedAt: number }) | undefined;
}

/** Everything that an answer depends on. `now` is epoch milliseconds. */
export interface TencentMetadataWorld {
  readonly state: TencentState;
  readonly settings: TencentMetadataSettings;
  readonly memory: TencentMetadataMemory;
  readonly now: number;
}

const ROLES_PATH = '/latest/meta-data/cam/security-credentials/';
const EXPIRED_SINCE_MS = 60_000;

/** Answers one request. Writes to the memory, and a session to the state. */
export function answerTencentMetadata({ method, path }: SignedRequest, world: TencentMetadataWorld): Answer {
  const { settings, state, now } = world;
  if (!path.startsWith(ROLES_PATH) || settings.mode === 'no-role') return refuse(404, 'Not Found');
  if (method !== 'GET') return refuse(405, 'Not Allowed');
  const name = parseRoleArn(settings.roleArn)?.name;
  const asked = path.slice(ROLES_PATH.length);
  if (name === undefined || (asked !== '' && asked !== name)) return refuse(404, 'Not Found');
  if (asked === '') return { status: 200, headers: { 'content-type': 'text/plain' }, body: name };

  const role = findRole(state, settings.roleArn);
  if (settings.mode === 'failed' || role === undefined || !isServiceTrusted(role, 'cvm.qcloud.com')) {
    return document({ Code: 'InternalError.GetRoleError' });
  }
  if (settings.mode === 'expired') {
    const { sessionSeconds: lifeSeconds } = settings;
    const mintedAt = now - EXPIRED_SINCE_MS - Math.min(lifeSeconds * 1000, state.sessionLifeCapMs);
    return writeSession(mintTencentSession(state, { role, sessionName: name, lifeSeconds, now: mintedAt }));
  }
  const held = memoryOf(world);
  if (held !== undefined) return writeSession(held);
  const { sessionSeconds: lifeSeconds } = settings;
  const session = { ...mintTencentSession(state, { role, sessionName: name, lifeSeconds, now }), issuedAt: now };
  world.memory.session = session;
  return writeSession(session);
}

/** The same session for everyone who asks, until it is due: a reader cannot force a new one. */
function memoryOf({ state, settings, memory: { session }, now }: TencentMetadataWorld): TencentSession | undefined {
  if (session?.roleArn !== settings.roleArn || !state.keys.has(session.secretId)) return undefined;
  const margin = Math.min(settings.renewBeforeEndMs, (session.expiresAt - session.issuedAt) / 2);
  return now < session.expiresAt - margin ? session : undefined;
}

function writeSession(session: TencentSession): Answer {
  return document({
    ...{ TmpSecretId: session.secretId, TmpSecretKey: session.secretKey, Token: session.token },
    ...{ ExpiredTime: session.expiresAt / 1000, Expiration: writeUtc(session.expiresAt), Code: 'Success' },
  });
}

function document(content: Readonly<Record<string, unknown>>): Answer {
  return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: JSON.stringify(content) };
}

function refuse(status: number, message: string): Answer {
  return buildErrorAnswer({ status, code: message, message }, { host: '', form: 'page' });
}
