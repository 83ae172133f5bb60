// The registry API: of the Enterprise Edition (2018-12-01, acr.md section 14) and of the Personal Edition (2016-06-07, section 15).
import type { EpochMs } from '../../core/types.ts';
import { malformed, type CallContext } from '../call-failure.ts';
import type { CodeRow } from '../error-codes.ts';
import type { ResolvedEndpoint } from '../resolved-endpoint.ts';
import type { AlibabaClient } from './cloud-request.ts';
import type { AlibabaKey } from './identity.ts';

/** Who asks, and where. */
export interface CrCall {
  readonly region: string;
  readonly endpoints: readonly ResolvedEndpoint[];
  readonly key: AlibabaKey;
  readonly now: EpochMs;
}

/** A call about one instance. */
export interface InstanceCall extends CrCall {
  readonly instanceId: string;
}

/** What registries take as user name and password. */
export interface AuthorizationToken {
  readonly username: string;
  /** Secret. */
  readonly token: string;
  readonly expiresAt: EpochMs;
}

/** The calls. Every failure is a ProviderError. */
export interface CrClient {
  getAuthorizationToken(call: InstanceCall, signal: AbortSignal): Promise<AuthorizationToken>;
  /** Domains of the enabled endpoints of the registry, public and VPC, the vendor's and the customer's. */
  listInstanceEndpoint(call: InstanceCall, signal: AbortSignal): Promise<readonly string[]>;
  /** The one token of the Personal Edition for all hosts of a region. */
  getPersonalToken(call: CrCall, signal: AbortSignal): Promise<AuthorizationToken>;
}

/** No token of a registry lives longer: what says so is no instant, milliseconds. */
const MAX_LIFE_MS = 366 * 86_400_000;

const PERSONAL_CODES: readonly CodeRow[] = [
  [
    /USER_NOT_EXIST/,
    'PermissionDenied',
    ({ origin }) =>
      `the RAM user or role of ${origin} has no registry user in the Personal Edition yet: open the registry’s console as that user once and set a password, or use the main account`,
  ],
];

/** Builds the calls on the client seam. */
export function createCrClient(client: AlibabaClient): CrClient {
  const callInstance = (action: string, call: InstanceCall, query: Record<string, string>, signal: AbortSignal) => {
    const { instanceId, ...rest } = call;
    const subject = `${instanceId} in ${call.region}`;
    const rpc = { action, version: '2018-12-01', method: 'POST', pathname: '/' } as const;
    return client.call({ ...rest, ...rpc, subject, query: { InstanceId: instanceId, ...query } }, signal);
  };
  return {
    async getAuthorizationToken(call, signal) {
      const { document, context } = await callInstance('GetAuthorizationToken', call, {}, signal);
      const { TempUsername, AuthorizationToken, ExpireTime } = document;
      return tokenOf({ TempUsername, AuthorizationToken, ExpireTime }, { document, context });
    },
    async listInstanceEndpoint(call, signal) {
      const query = { ModuleName: 'Registry' };
      const { document, context } = await callInstance('ListInstanceEndpoint', call, query, signal);
      if (!Array.isArray(document.Endpoints)) throw malformed(context, document, 'Endpoints');
      return domainsOf(document.Endpoints as readonly ListedEndpoint[]);
    },
    async getPersonalToken(call, signal) {
      const roa = {
        action: 'GetAuthorizationToken',
        version: '2016-06-07',
        method: 'GET',
        pathname: '/tokens',
      } as const;
      const subject = `the Personal Edition in ${call.region}`;
      const { document, context } = await client.call(
        { ...call, ...roa, subject, query: {}, codes: PERSONAL_CODES },
        signal,
      );
      const { tempUserName, authorizationToken, expireDate } = (document.data ?? {}) as Readonly<
        Record<string, unknown>
      >;
      return tokenOf({ tempUserName, authorizationToken, expireDate }, { document, context });
    },
  };
}

/** `fields`: user name, token and expiry (epoch milliseconds), in this order, under the names that the answer has for them. */
function tokenOf(
  fields: Readonly<Record<string, unknown>>,
  { document, context }: { readonly document: Readonly<Record<string, unknown>>; readonly context: CallContext },
): AuthorizationToken {
  const [userField = '', tokenField = '', expiryField = ''] = Object.keys(fields);
  const username = fields[userField];
  const token = fields[tokenField];
  const expiresAt = Number(fields[expiryField] ?? Number.NaN);
  if (typeof username !== 'string' || username === '' || username.includes(':')) {
    throw malformed(context, document, userField);
  }
  if (typeof token !== 'string' || token === '') throw malformed(context, document, tokenField);
  if (!Number.isInteger(expiresAt) || expiresAt <= 0 || expiresAt > context.now + MAX_LIFE_MS) {
    throw malformed(context, document, expiryField);
  }
  return { username, token, expiresAt };
}

/** Only what is read of an endpoint; everything may be missing. */
type ListedEndpoint = { readonly Enable?: unknown; readonly Domains?: unknown } | null;

function domainsOf(endpoints: readonly ListedEndpoint[]): readonly string[] {
  const enabled = endpoints.filter((endpoint) => endpoint?.Enable !== false);
  const listed = enabled.flatMap((endpoint) =>
    Array.isArray(endpoint?.Domains) ? (endpoint.Domains as unknown[]) : [],
  );
  const names = listed.flatMap((entry) => {
    const name = typeof entry === 'string' ? entry : (entry as { readonly Domain?: unknown } | null)?.Domain;
    return typeof name === 'string' ? [name.trim().toLowerCase()] : [];
  });
  return [...new Set(names)].filter((name) => name !== '');
}
