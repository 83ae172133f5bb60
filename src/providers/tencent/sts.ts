// The Security Token Service, 2018-08-13: sessions of roles (tcr.md section 14).
import { ProviderError } from '../../core/errors.ts';
import { isRecord } from '../../core/records.ts';
import type { EpochMs } from '../../core/types.ts';
import { SESSION_NAME } from '../assumed-session.ts';
import type { OidcClaims } from '../oidc-claims.ts';
import type { CloudEndpoints, IdentitySession, ProviderWorld } from '../provider.ts';
import type { CloudAnswer, TencentClient } from './cloud-request.ts';
import type { TencentKey } from './identity.ts';
import { roleCodes, webIdentityCodes } from './sts-errors.ts';

/** Where, and for which role. */
interface RoleCall {
  readonly region: string;
  readonly endpoints: CloudEndpoints;
  /** Our clock. */
  readonly now: () => EpochMs;
  readonly roleArn: string;
  readonly sessionName: string;
  readonly durationSeconds: number;
}

/** A session as STS gives it: a key without what we say of it. */
export type SessionKey = Pick<TencentKey, 'secretId' | 'secretKey'> & { readonly token: string };

/** The calls. Every failure is a ProviderError that names the role, the hop, and what to check. */
export interface StsClient {
  assumeRole(call: AssumeRoleCall, signal: AbortSignal): Promise<IdentitySession<SessionKey>>;
  /** Not signed: the token is the proof. */
  assumeRoleWithWebIdentity(call: WebIdentityCall, signal: AbortSignal): Promise<IdentitySession<SessionKey>>;
}

interface AssumeRoleCall extends RoleCall {
  readonly key: TencentKey;
  readonly externalId: string | undefined;
  /** Field or variable that the role is from, for messages. */
  readonly namedBy: string;
}

interface WebIdentityCall extends RoleCall {
  readonly providerId: string;
  /** Secret. */
  readonly token: string;
  readonly claims: OidcClaims;
  /** Where the token is from, for messages. */
  readonly tokenFile: string;
}

/** How long a session may be asked for, seconds. */
export const DURATION_SECONDS = { default: 7_200, max: 43_200 } as const;

/** No session of a role lives longer than half a day; this only keeps nonsense out, milliseconds. */
const MAX_LIFE_MS = 366 * 86_400_000;

/** The account in `qcs::cam::uin/<uin>:…`, or the text as it is. */
export function accountOfArn(arn: string): string {
  return /^qcs::cam::uin\/(\d+):/.exec(arn)?.[1] ?? arn;
}

/** Name of our sessions in the cloud's audit log. Throws ProviderError `RequestRefused` that names the variable that is wrong. */
export function sessionNameOf({ TENCENTCLOUD_ROLE_SESSION_NAME: name = SESSION_NAME }: ProviderWorld['env']): string {
  if (/^[\w+=,.@-]{2,128}$/.test(name)) return name;
  throw new ProviderError(
    'RequestRefused',
    `TENCENTCLOUD_ROLE_SESSION_NAME (${name.replace(/[^\x20-\x7e]/g, '?').slice(0, 140)}) is no name of a session: set it to 2 to 128 letters, digits and + = , . @ _ -, or leave it out`,
  );
}

/** Builds the calls on the client seam. */
export function createStsClient(client: TencentClient): StsClient {
  return {
    async assumeRole({ roleArn, sessionName, durationSeconds, externalId, namedBy, ...call }, signal) {
      const role = { RoleArn: roleArn, RoleSessionName: sessionName, DurationSeconds: durationSeconds };
      const parameters = { ...role, ExternalId: externalId };
      const codes = roleCodes({ roleArn, durationSeconds, externalId, namedBy });
      const action = { service: 'sts', action: 'AssumeRole', parameters } as const;
      const issuedAt = call.now();
      const answer = await client.call({ ...call, ...action, subject: roleArn, codes }, signal);
      return sessionOf(answer, issuedAt);
    },
    async assumeRoleWithWebIdentity(wish, signal) {
      const { roleArn, sessionName, durationSeconds, providerId, token, claims, tokenFile, ...call } = wish;
      const role = { RoleArn: roleArn, RoleSessionName: sessionName, DurationSeconds: durationSeconds };
      const parameters = { ...role, ProviderId: providerId, WebIdentityToken: token };
      const codes = webIdentityCodes({ roleArn, durationSeconds, providerId, claims, tokenFile, now: call.now() });
      const action = { service: 'sts', action: 'AssumeRoleWithWebIdentity', parameters, key: undefined } as const;
      const issuedAt = call.now();
      const answer = await client.call({ ...call, ...action, subject: roleArn, codes }, signal);
      return sessionOf(answer, issuedAt);
    },
  };
}

function sessionOf({ response, malformed, clockOffsetMs = 0 }: CloudAnswer, now: EpochMs): IdentitySession<SessionKey> {
  const { Credentials: credentials } = response;
  if (!isRecord(credentials)) throw malformed('Credentials');
  const text = (name: string): string => {
    const value = credentials[name];
    if (typeof value !== 'string' || value === '') throw malformed(name);
    return value;
  };
  const expiresAt = expiryOf(response, now);
  if (expiresAt === undefined) throw malformed('ExpiredTime');
  const value = { secretId: text('TmpSecretId'), secretKey: text('TmpSecretKey'), token: text('Token') };
  // By our clock, as all that is held.
  return { value, issuedAt: now, expiresAt: expiresAt - clockOffsetMs, secrets: [value.secretKey, value.token] };
}

/** When a session ends, of STS and of the metadata service: `ExpiredTime` in seconds, or `Expiration` as text. */
export function expiryOf(
  { ExpiredTime, Expiration }: Readonly<Record<string, unknown>>,
  now: EpochMs,
): EpochMs | undefined {
  const seconds = typeof ExpiredTime === 'string' && ExpiredTime !== '' ? Number(ExpiredTime) : ExpiredTime;
  const at =
    typeof seconds === 'number' ? seconds * 1_000 : Date.parse(typeof Expiration === 'string' ? Expiration : '');
  return at > 0 && at <= now + MAX_LIFE_MS ? at : undefined;
}
