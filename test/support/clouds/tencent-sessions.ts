// The sessions of roles that STS and the metadata service of the simulated Tencent Cloud hand out (tcr.md section 14).

import { randomBytes } from 'node:crypto';
import type { TencentKey, TencentRole, TencentState } from './tencent-state.ts';
import { parseRoleArn } from './tencent-cam.ts';

/** The key that a role is for a while. `expiresAt` is epoch milliseconds, of a whole second. */
export interface TencentSession extends TencentKey {
  readonly token: string;
  readonly expiresAt: number;
  readonly roleArn: string;
  readonly sessionName: string;
}

/** Mints a session and remembers its key, so that every API of the cloud accepts it until it expires. */
export function mintTencentSession(
  state: TencentState,
  of: {
    readonly role: TencentRole;
    readonly sessionName: string;
    readonly lifeSeconds: number;
    /** Epoch milliseconds. */
    readonly now: number;
  },
): TencentSession {
  const { role, sessionName, lifeSeconds, now } = of;
  const life = Math.min(lifeSeconds * 1000, state.sessionLifeCapMs);
  const session: TencentSession = {
    secretId: `${state.tmpSecretIdPrefix}${randomBytes(24).toString('base64url')}`,
    secretKey: randomBytes(24).toString('base64'),
    token: randomBytes(120).toString('base64url'),
    uin: role.roleId,
    ownerUin: parseRoleArn(role.arn)?.ownerUin ?? '',
    roleArn: role.arn,
    sessionName,
    expiresAt: Math.floor((now + life) / 1000) * 1000,
  };
  state.keys.set(session.secretId, session);
  return session;
}
