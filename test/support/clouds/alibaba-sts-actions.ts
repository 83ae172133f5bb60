// The STS 2015-04-01 API without its sockets: from one request and the cloud's state to the answer that the real API would
// give (acr.md sections 16 and 19).

import { checkDate } from './acs3.ts';
import type { SignedRequest } from './acs3.ts';
import { authenticate, isNonceUsed, readClaimedKeyId } from './alibaba-authentication.ts';
import type { Session } from './alibaba-sessions.ts';
import {
  buildAssumedRoleUser,
  findDenial,
  formatInstant,
  isSubjectTrusted,
  isTrusted,
  mintSession,
  parseArn,
} from './alibaba-sessions.ts';
import type { AccessKey, AlibabaState, Role } from './alibaba-state.ts';
import type { Answer, ApiError, ErrorReader } from './api-error.ts';
import { buildErrorAnswer, buildJsonAnswer, buildRequestId, readErrorReader } from './api-error.ts';
import type { OidcClaims } from './oidc-token.ts';
import { verifyOidcToken } from './oidc-token.ts';

/** One call of STS. `accessKeyId` is empty for AssumeRoleWithOIDC; `at` is epoch milliseconds. */
export interface StsCall {
  readonly action: string;
  /** Of the host that was called; `global` for `sts.aliyuncs.com`. */
  readonly region: string;
  readonly accessKeyId: string;
  readonly roleArn: string;
  readonly sessionName: string;
  /** As it was asked for; empty when it was not. */
  readonly durationSeconds: string;
  /** `success`, the code of the refusal, or `fault:<kind>`. */
  readonly code: string;
  readonly at: number;
  /** Path and query as they came. */
  readonly url: string;
}

/** The decision on one call, as for the cr API. */
export interface StsOutcome {
  readonly answer: Answer;
  readonly reader: ErrorReader;
  readonly call: StsCall;
  /** The signature, or the OIDC token, is right. */
  readonly authenticated: boolean;
}

interface Turn {
  readonly state: AlibabaState;
  readonly request: SignedRequest;
  readonly parameters: URLSearchParams;
  readonly now: number;
}

interface Result {
  readonly authenticated: boolean;
  readonly result: { readonly body: Readonly<Record<string, unknown>> } | { readonly error: ApiError };
}

const VERSION = '2015-04-01';
const OIDC_ACTION = 'AssumeRoleWithOIDC';
const MIN_SESSION_SECONDS = 900;
const DEFAULT_SESSION_SECONDS = 3600;

/** Answers one request of STS. Writes to `state` only: the used nonce and a minted session. `region` as for the cr API. */
export function answerSts(
  state: AlibabaState,
  request: SignedRequest,
  { region, now }: { readonly region: string | undefined; readonly now: number },
): StsOutcome {
  const query = new URLSearchParams(request.query);
  const parameters = readParameters(request, query);
  const reader = readErrorReader(request);
  const action = request.headers['x-acs-action'] ?? query.get('Action') ?? '';
  const { result, authenticated } = decide({ state, request, parameters, now }, { region, action, query });
  return {
    answer: 'error' in result ? buildErrorAnswer(result.error, reader) : buildJsonAnswer(200, result.body),
    reader,
    authenticated,
    call: {
      action,
      region: region ?? '',
      accessKeyId: action === OIDC_ACTION ? '' : readClaimedKeyId(request),
      roleArn: parameters.get('RoleArn') ?? '',
      sessionName: parameters.get('RoleSessionName') ?? '',
      durationSeconds: parameters.get('DurationSeconds') ?? '',
      code: 'error' in result ? result.error.code : 'success',
      at: now,
      url: request.query === '' ? request.path : `${request.path}?${request.query}`,
    },
  };
}

function decide(
  turn: Turn,
  asked: { readonly region: string | undefined; readonly action: string; readonly query: URLSearchParams },
): Result {
  const { request } = turn;
  const { region, action, query } = asked;
  const version = request.headers['x-acs-version'] ?? query.get('Version') ?? '';
  if (request.method !== 'POST' && (request.method !== 'GET' || action === OIDC_ACTION)) {
    return refuse(405, 'UnsupportedHTTPMethod', 'This http method is not supported.');
  }
  if (region === undefined) return refuse(404, 'InvalidApi.NotFound', 'Specified api is not found on this host.');
  if (action === OIDC_ACTION) {
    if (request.path !== '/' || version !== VERSION) return refuse(404, 'InvalidApi.NotFound', 'No such api.');
    return assumeRoleWithOidc(turn, query);
  }
  const verdict = authenticate(turn.state, request, turn.now);
  if (!verdict.ok) return { authenticated: false, result: { error: verdict.error } };
  return { ...act(turn, { key: verdict.key, action, version }), authenticated: true };
}

function act(turn: Turn, call: { readonly key: AccessKey; readonly action: string; readonly version: string }): Result {
  if (turn.request.path !== '/' || call.version !== VERSION) {
    return refuse(404, 'InvalidApi.NotFound', 'Specified api is not found, please check your url and method.');
  }
  if (call.action !== 'AssumeRole') return refuse(404, 'InvalidAction.NotFound', 'Specified api is not found.');
  return assumeRole(turn, call.key);
}

function assumeRole(turn: Turn, key: AccessKey): Result {
  const wanted = readWanted(turn);
  if ('result' in wanted) return wanted;
  if (findDenial(turn.state, key, 'AssumeRole') !== undefined || !isTrusted(wanted.role, key)) {
    return refuse(403, 'NoPermission', 'You are not authorized to do this action. You should be authorized by RAM.');
  }
  return openSession(turn, wanted, {});
}

function assumeRoleWithOidc(turn: Turn, query: URLSearchParams): Result {
  const { state, parameters, now } = turn;
  const unsigned = checkUnsigned(turn, query);
  if (unsigned !== undefined) return { authenticated: false, result: { error: unsigned } };
  if (query.has('OIDCToken')) {
    return refuse(400, 'InvalidParameter.OIDCToken', 'The OIDC token belongs into the body: addresses get logged.');
  }
  const wanted = readWanted(turn);
  if ('result' in wanted) return wanted;
  const providerArn = parameters.get('OIDCProviderArn') ?? '';
  const token = parameters.get('OIDCToken') ?? '';
  if (providerArn === '') return refuse(400, 'MissingOIDCProviderArn', 'OIDCProviderArn is mandatory for this action.');
  if (token === '') return refuse(400, 'MissingOIDCToken', 'OIDCToken is mandatory for this action.');
  const provider = state.oidcProviders.get(providerArn);
  if (provider === undefined) {
    return refuse(404, 'EntityNotExist.OIDCProvider', `The OIDC provider does not exist: ${providerArn}.`);
  }
  const verdict = verifyOidcToken(token, provider, now);
  if ('error' in verdict) return { authenticated: false, result: verdict };
  if (!isSubjectTrusted(wanted.role, provider, verdict.claims)) {
    const message = 'This operation is not permitted by the trust policy of the role.';
    return { ...refuse(401, 'AuthenticationFail.NoPermission', message), authenticated: true };
  }
  return openSession(turn, wanted, { OIDCTokenInfo: buildTokenInfo(verdict.claims) });
}

/** The common parameters, which a signature does not cover here, must still be there and be right. */
function checkUnsigned({ state, request, now }: Turn, query: URLSearchParams): ApiError | undefined {
  const date = request.headers['x-acs-date'] ?? query.get('Timestamp') ?? '';
  const nonce = request.headers['x-acs-signature-nonce'] ?? query.get('SignatureNonce') ?? '';
  if (date === '') return { status: 400, code: 'MissingTimestamp', message: 'Timestamp is mandatory.' };
  if (nonce === '') return { status: 400, code: 'MissingSignatureNonce', message: 'SignatureNonce is mandatory.' };
  const error = checkDate(date, now);
  if (error !== undefined) return error;
  if (isNonceUsed(state, nonce, now)) {
    return { status: 400, code: 'SignatureNonceUsed', message: 'Specified signature nonce was used already.' };
  }
  state.nonces.set(nonce, now);
  return undefined;
}

interface Wanted {
  readonly role: Role;
  readonly sessionName: string;
  readonly seconds: number;
}

/** What both actions ask for. The role's maximum is not checked yet: who may not assume a role learns nothing of it. */
function readWanted({ state, parameters }: Turn): Wanted | Result {
  const roleArn = parameters.get('RoleArn') ?? '';
  const sessionName = parameters.get('RoleSessionName') ?? '';
  const duration = parameters.get('DurationSeconds') ?? String(DEFAULT_SESSION_SECONDS);
  if (roleArn === '') return refuse(400, 'MissingRoleArn', 'RoleArn is mandatory for this action.');
  if (sessionName === '') return refuse(400, 'MissingRoleSessionName', 'RoleSessionName is mandatory for this action.');
  if (parseArn(roleArn)?.kind !== 'role') {
    return refuse(400, 'InvalidParameter.RoleArn', 'The parameter RoleArn is wrongly formed.');
  }
  if (!/^[A-Za-z0-9.@_-]{2,64}$/.test(sessionName)) {
    return refuse(400, 'InvalidParameter.RoleSessionName', 'The parameter RoleSessionName is wrongly formed.');
  }
  if (!/^\d+$/.test(duration) || Number(duration) < MIN_SESSION_SECONDS) {
    return refuse(400, 'InvalidParameter.DurationSeconds', `The minimum of DurationSeconds is ${MIN_SESSION_SECONDS}.`);
  }
  if (parameters.has('Policy')) {
    return refuse(400, 'InvalidParameter.Policy', 'Inline policies are not simulated, so they cannot be obeyed.');
  }
  const role = state.roles.get(roleArn);
  if (role === undefined) return refuse(404, 'EntityNotExist.Role', `The role not exists: ${roleArn}.`);
  return { role, sessionName, seconds: Number(duration) };
}

function openSession(turn: Turn, wanted: Wanted, extra: Readonly<Record<string, unknown>>): Result {
  const { role, sessionName, seconds } = wanted;
  const { maxSessionSeconds = DEFAULT_SESSION_SECONDS } = role;
  if (seconds > maxSessionSeconds) {
    const message = `DurationSeconds exceeds the MaxSessionDuration of the role, which is ${maxSessionSeconds}.`;
    return { ...refuse(400, 'InvalidParameter.DurationSeconds', message), authenticated: true };
  }
  const { state, now } = turn;
  const session = mintSession(state, { roleArn: role.arn, sessionName, lifeSeconds: seconds, now });
  return { authenticated: true, result: { body: buildAnswer(session, extra) } };
}

function buildAnswer(session: Session, extra: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return {
    RequestId: buildRequestId(),
    AssumedRoleUser: buildAssumedRoleUser(session),
    Credentials: {
      AccessKeyId: session.accessKeyId,
      AccessKeySecret: session.accessKeySecret,
      SecurityToken: session.securityToken,
      Expiration: formatInstant(session.expiresAt),
    },
    ...extra,
  };
}

function buildTokenInfo(claims: OidcClaims): Readonly<Record<string, string>> {
  return {
    Subject: claims.subject,
    Issuer: claims.issuer,
    ClientIds: claims.audiences.join(','),
    ...(claims.issuedAt === undefined ? {} : { IssuanceTime: formatInstant(claims.issuedAt * 1000) }),
    ExpirationTime: formatInstant(claims.expiresAt * 1000),
    VerificationInfo: 'Success',
  };
}

/** Query and form; the same name in both counts as the form has it. */
function readParameters(request: SignedRequest, query: URLSearchParams): URLSearchParams {
  const isForm = (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
  const form = isForm ? new URLSearchParams(Buffer.from(request.body).toString('utf8')) : new URLSearchParams();
  return new URLSearchParams({ ...Object.fromEntries(query), ...Object.fromEntries(form) });
}

function refuse(status: number, code: string, message: string): Result {
  return { authenticated: false, result: { error: { status, code, message } } };
}
