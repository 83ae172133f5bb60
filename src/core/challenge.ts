// What a cloud's registry says of itself when nobody has logged in: of Alibaba's which instance it is, and where (acr.md section 22);
// of Tencent's which edition (tcr.md section 16).

/** An Enterprise Edition instance, or without its id the Personal Edition, of a region. */
export interface ChallengedRegistry {
  /** Where clients are sent for tokens. */
  readonly realm: string;
  readonly region: string;
  readonly instanceId: string | undefined;
}

/**
 * Reads `Www-Authenticate` of `GET /v2/`; undefined = it is no registry of Alibaba Cloud. The service is
 * `registry.aliyuncs.com:<region>:china:<instance>` for the Enterprise Edition and `registry.aliyuncs.com:<region>:<number>` for the
 * Personal one.
 */
export function parseChallenge(header: string): ChallengedRegistry | undefined {
  const { realm, service } = readBearer(header);
  const [, region, rest = ''] = /^registry\.aliyuncs\.com:([a-z0-9-]{2,40}):(.+)$/.exec(service) ?? [];
  if (region === undefined) return undefined;
  const instanceId = /(?:^|:)(cri-[a-z0-9-]{1,60})$/.exec(rest)?.[1];
  return { realm, region, instanceId };
}

/** A registry of Tencent Cloud: what clients ask for a token there, and whose user names it takes. */
export interface TencentRegistry {
  /** Where clients are sent for tokens. */
  readonly realm: string;
  /** `personal` = CCR, which takes the account's fixed password and no minted token. */
  readonly edition: 'enterprise' | 'personal';
}

/** Reads `Www-Authenticate` of `GET /v2/`; undefined = it is no registry of Tencent Cloud. */
export function parseTencentChallenge(header: string): TencentRegistry | undefined {
  const { realm, service } = readBearer(header);
  const edition = EDITIONS.get(service);
  return edition !== undefined && /^https?:\/\/[^/\s]+\/service\/token$/.test(realm) ? { realm, edition } : undefined;
}

/** By the service that tokens are asked for. */
const EDITIONS: ReadonlyMap<string, TencentRegistry['edition']> = new Map([
  ['harbor-registry', 'enterprise'],
  ['token-service', 'personal'],
]);

/** Where clients are sent for tokens, and for which service; undefined = it is no Bearer challenge with a realm. */
export function parseBearer(header: string): { readonly realm: string; readonly service: string } | undefined {
  const bearer = readBearer(header);
  return bearer.realm === '' ? undefined : bearer;
}

/** Realm and service of a Bearer challenge, in any order; empty = there is none. */
function readBearer(header: string): { readonly realm: string; readonly service: string } {
  if (header.length > 2_000 || !/^\s*Bearer\s/i.test(header)) return { realm: '', service: '' };
  const field = (name: string): string => new RegExp(`[\\s,]${name}="([^"]*)"`, 'i').exec(header)?.[1] ?? '';
  return { realm: field('realm'), service: field('service') };
}
