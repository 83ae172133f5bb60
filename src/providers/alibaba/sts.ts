// The Security Token Service, 2015-04-01: sessions of roles (acr.md section 16).
import type { EpochMs } from '../../core/types.ts';
import { isRecord } from '../../core/records.ts';
import { malformed, type CallContext } from '../call-failure.ts';
import type { CodeRow } from '../error-codes.ts';
import type { OidcClaims } from '../oidc-claims.ts';
import type { IdentitySession } from '../provider.ts';
import type { ResolvedEndpoint } from '../resolved-endpoint.ts';
import type { AlibabaClient, CloudAnswer } from './cloud-request.ts';
import type { AlibabaKey } from './identity.ts';

/** Where, and for which role. */
interface RoleCall {
  readonly region: string;
  readonly endpoints: readonly ResolvedEndpoint[];
  readonly now: EpochMs;
  readonly roleArn: string;
  readonly sessionName: string;
  readonly durationSeconds: number;
}

/** A session as STS gives it: a key without what we say of it. */
export type SessionKey = Pick<AlibabaKey, 'accessKeyId' | 'accessKeySecret'> & { readonly securityToken: string };

/** The calls. Every failure is a ProviderError that names the role, the hop, and what to check. */
export interface StsClient {
  assumeRole(call: RoleCall & { readonly key: AlibabaKey }, signal: AbortSignal): Promise<IdentitySession<SessionKey>>;
  /** Not signed: the token is the proof. It goes into the body, since URLs are logged. */
  assumeRoleWithOidc(
    call: RoleCall & { readonly providerArn: string; readonly token: string; readonly claims: OidcClaims },
    signal: AbortSignal,
  ): Promise<IdentitySession<SessionKey>>;
}

/** No session of a role lives longer than half a day; this only keeps nonsense out, milliseconds. */
const MAX_LIFE_MS = 366 * 86_400_000;

/** The account in `acs:ram::<uid>:role/<name>`, or the text as it is. */
export function accountOfArn(arn: string): string {
  return /^acs:ram::(\d+):/.exec(arn)?.[1] ?? arn;
}

/** Builds the calls on the client seam. */
export function createStsClient(client: AlibabaClient): StsClient {
  return {
    async assumeRole({ roleArn, sessionName, durationSeconds, ...call }, signal) {
      const query = { RoleArn: roleArn, RoleSessionName: sessionName, DurationSeconds: String(durationSeconds) };
      const answer = await client.call(
        {
          ...{ ...call, action: 'AssumeRole', version: '2015-04-01', method: 'POST', pathname: '/' },
          ...{ query, subject: roleArn, codes: roleCodes(roleArn, durationSeconds) },
        },
        signal,
      );
      return sessionOf(answer, call.now);
    },
    async assumeRoleWithOidc({ roleArn, providerArn, token, claims, sessionName, durationSeconds, ...call }, signal) {
      const action = 'AssumeRoleWithOIDC';
      const query = {
        ...{ Action: action, Version: '2015-04-01', Format: 'JSON' },
        Timestamp: `${new Date(call.now).toISOString().slice(0, 19)}Z`,
        SignatureNonce: crypto.randomUUID(),
      };
      const form = {
        ...{ RoleArn: roleArn, OIDCProviderArn: providerArn, OIDCToken: token },
        ...{ RoleSessionName: sessionName, DurationSeconds: String(durationSeconds) },
      };
      const answer = await client.call(
        {
          ...{ ...call, action, version: '2015-04-01', method: 'POST', pathname: '/', key: undefined },
          ...{ query, form, subject: roleArn, codes: oidcCodes({ roleArn, providerArn, claims }) },
        },
        signal,
      );
      return sessionOf(answer, call.now);
    },
  };
}

function sessionOf({ document, context }: CloudAnswer, now: EpochMs): IdentitySession<SessionKey> {
  const credentials: unknown = document.Credentials;
  if (!isRecord(credentials)) throw malformed(context, document, 'Credentials');
  const text = (name: string): string => textAt(credentials, name, { document, context });
  const expiresAt = Date.parse(text('Expiration'));
  if (Number.isNaN(expiresAt) || expiresAt > now + MAX_LIFE_MS) throw malformed(context, document, 'Expiration');
  const value = {
    accessKeyId: text('AccessKeyId'),
    accessKeySecret: text('AccessKeySecret'),
    securityToken: text('SecurityToken'),
  };
  return { value, issuedAt: now, expiresAt, secrets: [value.accessKeySecret, value.securityToken] };
}

function textAt(
  credentials: Readonly<Record<string, unknown>>,
  name: string,
  { document, context }: { readonly document: Readonly<Record<string, unknown>>; readonly context: CallContext },
): string {
  const value = credentials[name];
  if (typeof value !== 'string' || value === '') throw malformed(context, document, name);
  return value;
}

const noRole = (roleArn: string): CodeRow => [
  /EntityNotExist\.Role/,
  'IdentityUnavailable',
  () => `there is no role ${roleArn}: check account and name`,
];

const badSessionName: CodeRow = [
  /.*RoleSessionName.*/,
  'RequestRefused',
  () =>
    'the name of the session is refused: set ALIBABA_CLOUD_ROLE_SESSION_NAME to 2 to 64 letters, digits and . @ - _',
];

/** Whatever else is wrong with a parameter: what was sent came from `fields`. */
const badParameter = (fields: string): CodeRow => [
  /MissingParameter.*|Missing(Role|OIDC).+|InvalidParameter.*/,
  'RequestRefused',
  () => `the cloud refused the request: check ${fields}`,
];

function roleCodes(roleArn: string, durationSeconds: number): readonly CodeRow[] {
  return [
    noRole(roleArn),
    [
      /(InvalidParameter\.)?DurationSeconds.*|InvalidParameter\.DurationSeconds.*/,
      'RequestRefused',
      () =>
        `a session of ${durationSeconds} s is longer than the role ${roleArn} allows (its MaxSessionDuration): lower expireDuration or raise that`,
    ],
    badSessionName,
    badParameter(`assumeRoleARN (${roleArn}) and expireDuration`),
    [
      /NoPermission(\..+)?|NoPrivilege(\..+)?|Forbidden(\..+)?/,
      'PermissionDenied',
      ({ origin }) =>
        `${origin} may not assume ${roleArn}: allow it the action sts:AssumeRole (policy AliyunSTSAssumeRoleAccess), and let the trust policy of the role name it`,
    ],
  ];
}

function oidcCodes(of: {
  readonly roleArn: string;
  readonly providerArn: string;
  readonly claims: OidcClaims;
}): readonly CodeRow[] {
  const { roleArn, providerArn, claims } = of;
  const { subject = 'unknown', issuer = 'unknown', audience = 'unknown' } = claims;
  return [
    noRole(roleArn),
    [
      /EntityNotExist.*/,
      'IdentityUnavailable',
      () => `there is no OIDC provider ${providerArn}: enable RRSA for the cluster, and check rrsaOIDCProviderRoleARN`,
    ],
    [
      /AuthenticationFail\.(OIDCToken\.)?(Token)?Expired.*/,
      'SessionExpired',
      () => 'the token of the ServiceAccount has expired; a new one will be read',
    ],
    [
      /AuthenticationFail\..*Audience.*/,
      'PermissionDenied',
      () =>
        `the token’s audience is ${audience}, and the OIDC provider ${providerArn} must accept it: sts.aliyuncs.com`,
    ],
    [
      /AuthenticationFail\..*(Signature|Invalid|Issuer).*/,
      'PermissionDenied',
      () =>
        `${providerArn} does not accept the token of the issuer ${issuer}: the provider must be that of this cluster, with its present keys`,
    ],
    badSessionName,
    badParameter(`rrsaRoleARN (${roleArn}) and rrsaOIDCProviderRoleARN (${providerArn})`),
    [
      /AuthenticationFail(\..*)?|NoPermission(\..*)?|NoPrivilege(\..*)?|Forbidden(\..*)?/,
      'PermissionDenied',
      () =>
        `the trust policy of ${roleArn} does not admit the subject ${subject} (audience ${audience}, issuer ${issuer}): name it in oidc:sub, or set \`rrsa-service-account\` to the one that it names`,
    ],
  ];
}
