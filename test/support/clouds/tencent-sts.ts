// sts 2018-08-13: AssumeRole, AssumeRoleWithWebIdentity and GetCallerIdentity (tcr.md section 14).

import type { ApiError } from './api-error.ts';
import { verifyOidcToken } from './oidc-token.ts';
import type { OidcClaims } from './oidc-token.ts';
import { writeUtc } from './tencent-answers.ts';
import { findProviderTrust, findRole, isTrusted, parseRoleArn, principalOf } from './tencent-cam.ts';
import type { Api, Result, Turn } from './tencent-gateway.ts';
import { INTEGER, REQUIRED_TEXT, TEXT } from './tencent-members.ts';
import type { Member } from './tencent-members.ts';
import { mintTencentSession } from './tencent-sessions.ts';
import type { TencentOidcProvider, TencentRole } from './tencent-state.ts';

const TAGS: Member = { type: 'objects', members: { Key: REQUIRED_TEXT, Value: REQUIRED_TEXT } };
const MAX_SECONDS = 43_200;
const DEFAULT_SECONDS = 7_200;

/** The security token service. */
export const STS: Api = {
  service: 'sts',
  version: '2018-08-13',
  isRegionRequired: false,
  actions: {
    AssumeRole: {
      members: {
        ...{ RoleArn: REQUIRED_TEXT, RoleSessionName: REQUIRED_TEXT, DurationSeconds: INTEGER, Policy: TEXT },
        ...{ ExternalId: TEXT, Tags: TAGS, SourceIdentity: TEXT },
      },
      rate: 20,
      resources: ({ RoleArn }) => [String(RoleArn)],
      run: assumeRole,
    },
    AssumeRoleWithWebIdentity: {
      members: {
        ...{ ProviderId: REQUIRED_TEXT, WebIdentityToken: REQUIRED_TEXT, RoleArn: REQUIRED_TEXT },
        ...{ RoleSessionName: REQUIRED_TEXT, DurationSeconds: INTEGER },
      },
      rate: 80,
      unsigned: true,
      resources: () => [],
      run: assumeRoleWithWebIdentity,
    },
    GetCallerIdentity: { members: {}, rate: 20, resources: () => [], run: getCallerIdentity },
  },
};

function assumeRole(turn: Turn): Result {
  const { state, key, parameters } = turn;
  const wanted = readWanted(turn);
  if ('error' in wanted) return wanted;
  if (parameters.Policy !== undefined) {
    return refuse('InvalidParameter.StrategyInvalid', 'Inline policies are not simulated, so they cannot be obeyed.');
  }
  const role = findRole(state, wanted.roleArn);
  if (role === undefined) return refuse('ResourceNotFound.RoleNotFound', 'The role does not exist.');
  const { ExternalId: externalId } = parameters as { ExternalId?: string };
  if (key === undefined || !isTrusted(role, key, externalId)) {
    return refuse(
      'UnauthorizedOperation',
      `The role ${role.arn} does not trust the caller, or not with this ExternalId.`,
    );
  }
  return openSession(turn, role, wanted);
}

function assumeRoleWithWebIdentity(turn: Turn): Result {
  const { state, parameters, now } = turn;
  const wanted = readWanted(turn);
  if ('error' in wanted) return wanted;
  const { ProviderId: providerId, WebIdentityToken: token } = parameters as Readonly<Record<string, string>>;
  const provider = state.oidcProviders.get(providerId ?? '');
  if (provider === undefined || provider.ownerUin !== parseRoleArn(wanted.roleArn)?.ownerUin) {
    return refuse('InvalidParameter.WebIdentityTokenError', 'The account of the role has no such identity provider.');
  }
  const claims = verifyWebIdentity(token ?? '', provider, now);
  if ('error' in claims) return claims;
  const role = findRole(state, wanted.roleArn);
  if (role === undefined) return refuse('InternalError.GetRoleError', 'The role does not exist.');
  const trusts = findProviderTrust(role, provider.providerId);
  if (trusts.length === 0) return refuse('InternalError.IllegalRole', 'The role does not trust the identity provider.');
  const isMeant = trusts.some(
    ({ issuer = provider.issuer, audiences = provider.clientIds, subjects }) =>
      issuer === claims.issuer &&
      claims.audiences.some((audience) => audiences.includes(audience)) &&
      (subjects === undefined || subjects.includes(claims.subject)),
  );
  if (!isMeant) return refuse('UnauthorizedOperation', 'The conditions of the role’s trust policy are not met.');
  return openSession(turn, role, wanted);
}

function getCallerIdentity({ key }: Turn): Result {
  if (key === undefined) return refuse('AuthFailure.InvalidAuthorization', 'There is no caller.');
  const isRole = key.roleArn !== undefined;
  return {
    body: {
      Arn: isRole ? `qcs::sts:${key.ownerUin}:assumed-role/${key.uin}` : principalOf(key),
      AccountId: key.ownerUin,
      UserId: isRole ? `${key.uin}:${key.sessionName ?? ''}` : key.uin,
      PrincipalId: key.uin,
      Type: isRole ? 'CAMRole' : 'CAMUser',
    },
  };
}

/** Signature, issuer, times and audience; of the algorithms RS256 alone. */
function verifyWebIdentity(
  token: string,
  provider: TencentOidcProvider,
  now: number,
): OidcClaims | { readonly error: ApiError } {
  const code = 'InvalidParameter.WebIdentityTokenError';
  const verdict = verifyOidcToken(token, { ...provider, arn: provider.providerId }, now);
  if ('error' in verdict) return refuse(code, verdict.error.message);
  const header = Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8');
  const { alg } = JSON.parse(header) as { alg?: unknown };
  return alg === 'RS256' ? verdict.claims : refuse(code, 'The token is not signed with RS256.');
}

interface Wanted {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly seconds: number;
}

function readWanted({ parameters }: Turn): Wanted | { readonly error: ApiError } {
  const {
    RoleArn: roleArn,
    RoleSessionName: sessionName,
    DurationSeconds: seconds = DEFAULT_SECONDS,
  } = parameters as { RoleArn: string; RoleSessionName: string; DurationSeconds?: number };
  if (parseRoleArn(roleArn) === undefined) return refuse('InvalidParameter.ParamError', 'RoleArn is wrongly formed.');
  if (!/^[\w+=,.@-]{2,128}$/.test(sessionName)) {
    return refuse('InvalidParameter.ParamError', 'RoleSessionName is 2 to 128 letters, digits or any of =,.@_+-.');
  }
  if (seconds < 1) return refuse('InvalidParameter.ParamError', 'DurationSeconds must be positive.');
  if (seconds > MAX_SECONDS) return tooLong(MAX_SECONDS);
  return { roleArn, sessionName, seconds };
}

function openSession({ state, now }: Turn, role: TencentRole, { sessionName, seconds }: Wanted): Result {
  const { maxSessionSeconds = MAX_SECONDS } = role;
  if (seconds > maxSessionSeconds) return tooLong(maxSessionSeconds);
  const session = mintTencentSession(state, { role, sessionName, lifeSeconds: seconds, now });
  return {
    body: {
      Credentials: { Token: session.token, TmpSecretId: session.secretId, TmpSecretKey: session.secretKey },
      ExpiredTime: session.expiresAt / 1000,
      Expiration: writeUtc(session.expiresAt),
    },
  };
}

function tooLong(seconds: number): { readonly error: ApiError } {
  return refuse('InvalidParameter.OverTimeError', `DurationSeconds is at most ${seconds}.`);
}

function refuse(code: string, message: string): { readonly error: ApiError } {
  return { error: { status: 200, code, message } };
}
