// What the simulated Alibaba Cloud holds: accounts' access keys, registry instances, and the tokens that it minted.
// One plain object that the cr API writes and the registry's token endpoint reads; no I/O, time is always a parameter.

import { randomBytes } from 'node:crypto';
import type { SigningKey } from './acs3.ts';

/** An access key of a RAM user (long-lived) or of a role session (STS: with `securityToken` and `expiresAt`, epoch ms). */
export interface AccessKey extends SigningKey {
  readonly accountId: string;
  /** Refused actions and the code to refuse them with. `PullRepository` acts at the registry, not at the cr API. */
  readonly denied?: Readonly<Record<string, 'NoPermission' | 'Forbidden.RAM'>>;
}

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
  readonly instanceId: string;
  readonly regionId: string;
  readonly accessKeyId: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** One call of a simulated API. `code` is `success`, the code of the refusal, or `fault:<kind>`; `at` is epoch ms. */
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
  readonly accessKeys: Map<string, AccessKey>;
  readonly instances: Map<string, Instance>;
  readonly tokens: Map<string, MintedToken>;
  readonly calls: Call[];
  /** Nonce to the instant of its use, epoch ms. */
  readonly nonces: Map<string, number>;
  /** Life of new tokens in ms, before the life left of an STS key caps it (acr.md section 20). */
  tokenLifeMs: number;
  tempUsername: string;
  /** Ends every new token: for tests that look for it, or that need characters which careless programs break. */
  tokenSuffix: string;
  /** What the region's API says of an instance of another region or account: both are seen (acr.md section 21). */
  unknownInstanceStatus: 200 | 404;
}

/** Life of a token when a long-lived key asked for it, in milliseconds (acr.md section 20). */
export const DEFAULT_TOKEN_LIFE_MS = 3_600_000;

/** Builds the state of a cloud that holds the given keys and instances. */
export function buildAlibabaState(
  content: { readonly accessKeys?: readonly AccessKey[]; readonly instances?: readonly Instance[] } = {},
): AlibabaState {
  return {
    accessKeys: new Map(content.accessKeys?.map((key) => [key.accessKeyId, key])),
    instances: new Map(content.instances?.map((instance) => [instance.instanceId, instance])),
    tokens: new Map(),
    calls: [],
    nonces: new Map(),
    tokenLifeMs: DEFAULT_TOKEN_LIFE_MS,
    tempUsername: 'cr_temp_user',
    tokenSuffix: '',
    unknownInstanceStatus: 200,
  };
}

/** Mints and remembers a token: it expires after the token life, and never after the STS key that asked for it. */
export function mintToken(state: AlibabaState, instance: Instance, key: AccessKey, now: number): MintedToken {
  const payload = { instanceId: instance.instanceId, time: String(now), type: 'sub', userId: key.accountId };
  const minted: MintedToken = {
    token: `${Buffer.from(JSON.stringify(payload)).toString('base64')}:${randomBytes(20).toString('hex')}${state.tokenSuffix}`,
    username: state.tempUsername,
    instanceId: instance.instanceId,
    regionId: instance.regionId,
    accessKeyId: key.accessKeyId,
    issuedAt: now,
    expiresAt: Math.min(now + state.tokenLifeMs, key.expiresAt ?? Number.POSITIVE_INFINITY),
  };
  state.tokens.set(minted.token, minted);
  return minted;
}

/** Builds the value of `service` in the registry's challenge for an instance (acr.md section 22). */
export function buildRegistryService(instance: Pick<Instance, 'instanceId' | 'regionId'>): string {
  return `registry.aliyuncs.com:${instance.regionId}:china:${instance.instanceId}`;
}
