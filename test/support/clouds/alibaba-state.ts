// What the simulated Alibaba Cloud holds: accounts' access keys and roles, registry instances, and the tokens that it
// minted. One plain object that the APIs write and the registry's token endpoint reads; no I/O, time is always a parameter.

import { randomBytes } from 'node:crypto';
import type { SigningKey } from './acs3.ts';
import type { OidcProvider } from './oidc-token.ts';

/** Refused actions and the code to refuse them with. `PullRepository` acts at the registry, not at an API. */
export type Denied = Readonly<Record<string, 'NoPermission' | 'Forbidden.RAM'>>;

/** An access key of a RAM user (long-lived) or of a role session (STS: with `securityToken` and `expiresAt`, epoch ms). */
export interface AccessKey extends SigningKey {
  readonly accountId: string;
  /** Name of the RAM user, as trust policies name it. Default: the id of the key. */
  readonly userName?: string;
  /** Set for a session of a role: the role is then the principal, and what it may not do is looked up there. */
  readonly roleArn?: string;
  readonly denied?: Denied;
  /** Whether it ever initialised a user of the Personal Edition (acr.md section 15). Default true. */
  readonly hasRegistryUser?: boolean;
}

/** A RAM role. What may assume it: RAM principals, services of the cloud, or subjects of an OIDC provider. */
export interface Role {
  /** `acs:ram::<account>:role/<name>` */
  readonly arn: string;
  readonly trust: readonly Trust[];
  /** MaxSessionDuration in seconds. Default 3600, the cloud's own. */
  readonly maxSessionSeconds?: number;
  /** Looked up on every call: a change acts on sessions that exist. */
  readonly denied?: Denied;
  /** As on `AccessKey`. */
  readonly hasRegistryUser?: boolean;
}

/**
 * One statement of a trust policy. `ram` is `acs:ram::<account>:root`, `…:user/<name>` or `…:role/<name>`; `service` such
 * as `ecs.aliyuncs.com`; for OIDC the conditions `oidc:aud` (default `sts.aliyuncs.com`), `oidc:sub` and `oidc:iss`
 * (default: the provider's issuer).
 */
export type Trust =
  | { readonly ram: string }
  | { readonly service: string }
  | {
      readonly oidcProviderArn: string;
      readonly subjects: readonly string[];
      readonly audience?: string;
      readonly issuer?: string;
    };

/** A registry instance of the Enterprise Edition. */
export interface Instance {
  readonly instanceId: string;
  readonly instanceName: string;
  readonly regionId: string;
  readonly accountId: string;
  /** Default `RUNNING`; with any other the API answers INSTANCE_STATUS_NOT_SUPPORT. */
  readonly status?: string;
  /** Custom domains, listed with type USER under the internet endpoint. */
  readonly userDomains?: readonly string[];
  /** Default true. A disabled endpoint is still listed, with `Enable: false`. */
  readonly internetEnabled?: boolean;
  /** VPCs linked to the instance; with none the vpc endpoint is listed with `Enable: false`. Default one. */
  readonly linkedVpcIds?: readonly string[];
}

/** A registry token that GetAuthorizationToken answered. Instants are epoch milliseconds. */
export interface MintedToken {
  readonly token: string;
  readonly username: string;
  /** Absent for the Personal Edition, where a token is for every host of its region. */
  readonly instanceId?: string;
  readonly regionId: string;
  readonly accessKeyId: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** One call of the cr API; of the Personal Edition's when `url` is `/tokens`. `code` is `success`, the code of the refusal, or `fault:<kind>`; `at` is epoch ms. */
export interface Call {
  readonly action: string;
  readonly instanceId: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly code: string;
  readonly at: number;
  /** Path and query as they came. */
  readonly url: string;
}

/** Everything that the cloud knows; maps are keyed by the id that their values carry. Free to change while it runs. */
export interface AlibabaState {
  /** Sessions of roles too, once they are minted. */
  readonly accessKeys: Map<string, AccessKey>;
  readonly roles: Map<string, Role>;
  readonly oidcProviders: Map<string, OidcProvider>;
  readonly instances: Map<string, Instance>;
  readonly tokens: Map<string, MintedToken>;
  readonly calls: Call[];
  /** Nonce to the instant of its use, epoch ms. */
  readonly nonces: Map<string, number>;
  /** Life of new tokens in ms, before the life left of an STS key caps it (acr.md section 20). */
  tokenLifeMs: number;
  /** Ends new sessions of roles early, in ms, whatever was asked for: the cloud's least is 15 minutes, too long for a test. */
  sessionLifeCapMs: number;
  tempUsername: string;
  /** Ends every new token: for tests that look for it, or that need characters which careless programs break. */
  tokenSuffix: string;
  /** What the region's API says of an instance of another region or account: both are seen (acr.md section 21). */
  unknownInstanceStatus: 200 | 404;
}

/** Life of a token when a long-lived key asked for it, in milliseconds (acr.md section 20). */
export const DEFAULT_TOKEN_LIFE_MS = 3_600_000;

/** What a cloud holds at start. */
export interface AlibabaContent {
  readonly accessKeys?: readonly AccessKey[];
  readonly roles?: readonly Role[];
  readonly oidcProviders?: readonly OidcProvider[];
  readonly instances?: readonly Instance[];
}

/** Builds the state of a cloud that holds `content`. */
export function buildAlibabaState(content: AlibabaContent = {}): AlibabaState {
  return {
    accessKeys: new Map(content.accessKeys?.map((key) => [key.accessKeyId, key])),
    roles: new Map(content.roles?.map((role) => [role.arn, role])),
    oidcProviders: new Map(content.oidcProviders?.map((provider) => [provider.arn, provider])),
    instances: new Map(content.instances?.map((instance) => [instance.instanceId, instance])),
    tokens: new Map(),
    calls: [],
    nonces: new Map(),
    tokenLifeMs: DEFAULT_TOKEN_LIFE_MS,
    sessionLifeCapMs: Number.POSITIVE_INFINITY,
    tempUsername: 'cr_temp_user',
    tokenSuffix: '',
    unknownInstanceStatus: 200,
  };
}

/**
 * Mints and remembers a token for an instance, or (without `instanceId`) for the Personal Edition of a region: it expires
 * after the token life, and never after the STS key that asked for it.
 */
export function mintToken(state: AlibabaState, registry: RegistryId, key: AccessKey, now: number): MintedToken {
  const { instanceId, regionId } = registry;
  const time = { time: String(now), type: 'sub' };
  const payload = instanceId === undefined ? time : { instanceId, ...time, userId: key.accountId };
  const minted: MintedToken = {
    token: `${Buffer.from(JSON.stringify(payload)).toString('base64')}:${randomBytes(20).toString('hex')}${state.tokenSuffix}`,
    username: state.tempUsername,
    ...(instanceId === undefined ? {} : { instanceId }),
    regionId,
    accessKeyId: key.accessKeyId,
    issuedAt: now,
    expiresAt: Math.min(now + state.tokenLifeMs, key.expiresAt ?? Number.POSITIVE_INFINITY),
  };
  state.tokens.set(minted.token, minted);
  return minted;
}

/** A registry: an instance of the Enterprise Edition, or without its id the Personal Edition of a region. */
export interface RegistryId {
  readonly instanceId?: string;
  readonly regionId: string;
}

/** Builds the value of `service` in the registry's challenge (acr.md section 22). */
export function buildRegistryService({ instanceId, regionId }: RegistryId): string {
  return `registry.aliyuncs.com:${regionId}:${instanceId === undefined ? PERSONAL_SERVICE : `china:${instanceId}`}`;
}

const PERSONAL_SERVICE = '26842';
