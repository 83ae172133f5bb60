// Who a caller of the simulated Alibaba Cloud is, what it may do, and the sessions of roles that STS, the metadata service
// and the managed-role token hand out (acr.md sections 16 to 18).

import { createHash, randomBytes } from 'node:crypto';
import type { AccessKey, AlibabaState, Role } from './alibaba-state.ts';
import type { OidcClaims, OidcProvider } from './oidc-token.ts';

/** An STS key: what a role is for a while. `expiresAt` is epoch milliseconds, of a whole second. */
export interface Session extends AccessKey {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly securityToken: string;
  readonly expiresAt: number;
}

/** What a session shall be. `lifeSeconds` is not checked here: only STS callers have limits. */
export interface SessionRequest {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly lifeSeconds: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Mints a session and remembers its key, so that every API of the cloud accepts it until it expires. */
export function mintSession(state: AlibabaState, request: SessionRequest): Session {
  const { roleArn, sessionName, lifeSeconds, now } = request;
  const life = Math.min(lifeSeconds * 1000, state.sessionLifeCapMs);
  const session: Session = {
    accessKeyId: `STS.N${randomBytes(12).toString('hex')}`,
    accessKeySecret: randomBytes(24).toString('base64url'),
    securityToken: `CAIS${randomBytes(120).toString('base64')}`,
    status: 'Active',
    accountId: parseArn(roleArn)?.accountId ?? '',
    roleArn,
    sessionName,
    expiresAt: Math.floor((now + life) / 1000) * 1000,
  };
  state.accessKeys.set(session.accessKeyId, session);
  return session;
}

/** The parts of `acs:ram::<account>:<kind>/<name>`; `undefined` for any other text. */
export function parseArn(
  arn: string,
): { readonly accountId: string; readonly kind: string; readonly name: string } | undefined {
  const [, accountId, kind, name] = /^acs:ram::(\d+):(role|user|oidc-provider)\/([A-Za-z0-9._-]+)$/.exec(arn) ?? [];
  return accountId === undefined || kind === undefined || name === undefined ? undefined : { accountId, kind, name };
}

/** The principal behind a key, as a trust policy names it: its role, or its RAM user. */
export function principalOf(key: AccessKey): string {
  return key.roleArn ?? `acs:ram::${key.accountId}:user/${key.userName ?? key.accessKeyId}`;
}

/** Whether the trust policy of a role names the principal of a key, or the account of that principal. */
export function isTrusted(role: Role, key: AccessKey): boolean {
  const names = [principalOf(key), `acs:ram::${key.accountId}:root`];
  return role.trust.some((trust) => 'ram' in trust && names.includes(trust.ram));
}

/** Whether the trust policy of a role names a service of the cloud, such as `ecs.aliyuncs.com`. */
export function isServiceTrusted(role: Role, service: string): boolean {
  return role.trust.some((trust) => 'service' in trust && trust.service === service);
}

/** Whether the trust policy of a role names the subject of a token: provider, `oidc:iss`, `oidc:aud` and `oidc:sub`. */
export function isSubjectTrusted(role: Role, provider: OidcProvider, claims: OidcClaims): boolean {
  return role.trust.some(
    (trust) =>
      'oidcProviderArn' in trust &&
      trust.oidcProviderArn === provider.arn &&
      (trust.issuer ?? provider.issuer) === claims.issuer &&
      claims.audiences.includes(trust.audience ?? 'sts.aliyuncs.com') &&
      trust.subjects.includes(claims.subject),
  );
}

/** The code to refuse an action of a key with; `undefined` when it is allowed. */
export function findDenial(state: AlibabaState, key: AccessKey, action: string): string | undefined {
  const role = key.roleArn === undefined ? undefined : state.roles.get(key.roleArn);
  return key.denied?.[action] ?? role?.denied?.[action];
}

/** Whether the principal of a key has a user of the Personal Edition. */
export function hasRegistryUser(state: AlibabaState, key: AccessKey): boolean {
  const principal = key.roleArn === undefined ? key : state.roles.get(key.roleArn);
  return principal?.hasRegistryUser ?? true;
}

/** `AssumedRoleUser` of an STS answer. */
export function buildAssumedRoleUser(session: Session): { readonly Arn: string; readonly AssumedRoleId: string } {
  const roleId = BigInt(`0x${createHash('sha256').update(session.roleArn).digest('hex').slice(0, 14)}`);
  return {
    Arn: `${session.roleArn}/${session.sessionName}`,
    AssumedRoleId: `3${roleId.toString().padStart(17, '0')}:${session.sessionName}`,
  };
}

/** An instant as the cloud writes it: `YYYY-MM-DDTHH:MM:SSZ`. */
export function formatInstant(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}
