// What a registry of Alibaba Cloud says of itself when nobody has logged in: which instance it is, and where (acr.md section 22).

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
  if (header.length > 2_000 || !/^\s*Bearer\s/i.test(header)) return undefined;
  const field = (name: string): string => new RegExp(`[\\s,]${name}="([^"]*)"`, 'i').exec(header)?.[1] ?? '';
  const [, region, rest = ''] = /^registry\.aliyuncs\.com:([a-z0-9-]{2,40}):(.+)$/.exec(field('service')) ?? [];
  if (region === undefined) return undefined;
  const instanceId = /(?:^|:)(cri-[a-z0-9-]{1,60})$/.exec(rest)?.[1];
  return { realm: field('realm'), region, instanceId };
}
