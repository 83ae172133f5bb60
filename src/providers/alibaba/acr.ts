// Provider `acr`: Alibaba Cloud Container Registry, Enterprise Edition. Instances of one hour's tokens (acr.md sections 3, 14, 20).
import { readFields, type FieldReader } from '../../core/fields.ts';
import { ProviderError } from '../../core/errors.ts';
import { isRegistryHost, parseHosts } from '../../core/registry-host.ts';
import type { Credential, SecretReference } from '../../core/types.ts';
import type { ProviderWorld, RegistryProvider } from '../provider.ts';
import { parseSecretReference } from '../secret-reference.ts';
import { ADDON_SECRET, createAccessKeyIdentity } from './access-key.ts';
import { createCrClient, type CrCall, type CrClient } from './client.ts';
import { crEndpoint } from './endpoints.ts';

/** One instance and how we authenticate for it. */
export interface AcrTarget {
  readonly instanceId: string;
  readonly region: string;
  /** undefined = every domain of the instance. */
  readonly domains: readonly string[] | undefined;
  readonly accessKeySecret: SecretReference;
}

/** Fields of the vendor's add-on that would mean another identity: never ignored in silence. */
const UNSERVED_FIELDS: readonly string[] = [
  'assumeRoleARN',
  'expireDuration',
  'rrsaRoleARN',
  'rrsaOIDCProviderRoleARN',
  'customAccessKey',
  'customAccessKeySecret',
];

/** Builds the provider on a client seam. */
export function createAcrProvider(client: CrClient = createCrClient()): RegistryProvider<AcrTarget> {
  return {
    name: 'acr',

    parseTarget(input, defaults) {
      const fields = readFields(input);
      const instanceId = parseInstanceId(fields);
      const region = parseRegion(fields, defaults.region);
      const domains = parseDomains(fields);
      const accessKeySecret = parseSecretReference(fields, 'accessKeySecretRef', {
        defaults,
        fallback: ADDON_SECRET,
        cure: 'name a Secret with the keys `access-key-id` and `access-key-secret`, e.g. `accessKeySecretRef: {name: acr-access-key}`',
      });
      for (const name of UNSERVED_FIELDS) reportUnserved(fields, name);
      const issues = fields.issues();
      if (
        instanceId === undefined ||
        region === undefined ||
        accessKeySecret === undefined ||
        issues.some((issue) => issue.severity === 'error')
      ) {
        return { ok: false, issues };
      }
      return { ok: true, value: { instanceId, region, domains, accessKeySecret }, issues };
    },

    registryHosts: (target) => target.domains,

    cacheKey: ({ region, instanceId, accessKeySecret }) =>
      `acr/${region}/${instanceId}/${createAccessKeyIdentity(accessKeySecret).key}`,

    secretUse: (target) => ({ reference: target.accessKeySecret, published: false }),

    async fetchCredential(target, world, signal) {
      const issuedAt = world.now();
      const call = await buildCall(target, world, signal);
      const [token, listing] = await Promise.allSettled([
        client.getAuthorizationToken(call, signal),
        client.listInstanceEndpoint(call, signal),
      ]);
      if (token.status === 'rejected') throw token.reason;
      const { username, token: password, expiresAt } = token.value;
      const hosts =
        listing.status === 'fulfilled' ? listedHosts(target, listing.value) : toleratedHosts(target, listing.reason);
      return { username, password, issuedAt, expiresAt, ...hosts };
    },
  };
}

function parseInstanceId(fields: FieldReader): string | undefined {
  const id = fields.text('instanceId');
  const wrong = instanceIdIssue(id);
  if (wrong === undefined) return id;
  fields.report('instanceId', wrong, id === undefined ? {} : { value: id.slice(0, 80) });
  return undefined;
}

function instanceIdIssue(id: string | undefined): string | undefined {
  if (id === undefined) {
    return 'is missing or empty, which means the Personal Edition; this version does not serve it: name an instance of the Enterprise Edition, `instanceId: cri-…`';
  }
  if (id.includes(',')) return 'names several instances: write one item for each, `- instanceId: cri-…`';
  if (/^crpi-/i.test(id)) {
    return 'is an instance of the Personal Edition: use `provider: static` with `domains` and `secretRef`';
  }
  return /^cri-[a-z0-9-]{1,60}$/.test(id)
    ? undefined
    : 'must be the id of an instance: `cri-` and lower-case letters and digits';
}

function parseRegion(fields: FieldReader, fallback: string | undefined): string | undefined {
  const own = fields.text('regionId');
  const region = (own ?? fallback)?.toLowerCase();
  if (region === undefined) {
    fields.report(
      'regionId',
      'is missing: write the region of the instance, e.g. `regionId: cn-hangzhou`, or set the key `region` of the ConfigMap for all items',
    );
    return undefined;
  }
  // It becomes part of a host name that is asked with a key.
  if (!/^[a-z0-9]+(-[a-z0-9]+){1,5}$/.test(region) || region.length > 40) {
    const place = own === undefined ? ' (from the key `region` of the ConfigMap)' : '';
    fields.report('regionId', `must be the id of a region, e.g. \`cn-hangzhou\`${place}`, {
      value: region.slice(0, 80),
    });
    return undefined;
  }
  return region;
}

function parseDomains(fields: FieldReader): readonly string[] | undefined {
  const members = fields.list('domains');
  if (members === undefined) return undefined;
  const hosts = parseHosts(fields, 'domains', members);
  for (const host of hosts.filter((name) => name.startsWith('crpi-'))) {
    fields.report(
      'domains',
      'is of the Personal Edition, which takes a fixed password: use `provider: static` for it',
      { value: host },
    );
  }
  return hosts;
}

function reportUnserved(fields: FieldReader, name: string): void {
  if (fields.text(name) === undefined) return;
  const cure = name.startsWith('customAccessKey')
    ? 'put the AccessKey pair into a Secret with the keys `access-key-id` and `access-key-secret`, name it in `accessKeySecretRef`, and remove it here'
    : 'name a Secret with an AccessKey pair of the instance’s account in `accessKeySecretRef`, and remove this field';
  fields.report(name, `is not served by this version, and to ignore it would mean another identity: ${cure}`);
}

async function buildCall(target: AcrTarget, world: ProviderWorld, signal: AbortSignal): Promise<CrCall> {
  const { instanceId, region } = target;
  const identity = createAccessKeyIdentity(target.accessKeySecret);
  const key = await identity.fetchKey(world, signal).catch((error: unknown) => {
    if (!(error instanceof ProviderError)) throw error;
    const { reason, message, cause } = error;
    // Several instances may share an identity: each says for itself that it has none.
    throw new ProviderError(reason, `GetAuthorizationToken of ${instanceId} in ${region} failed: ${message}`, {
      cause,
    });
  });
  return { instanceId, region, key, endpoint: crEndpoint(region, world.endpoints), now: world.now() };
}

function listedHosts(target: AcrTarget, listed: readonly string[]): Pick<Credential, 'hosts' | 'warnings'> {
  const usable = listed.filter(isRegistryHost);
  const strange = listed.length - usable.length;
  if (target.domains === undefined && usable.length === 0) {
    throw new ProviderError(
      'RequestRefused',
      `${target.instanceId} in ${target.region} has no enabled endpoint with a domain: enable its public or VPC endpoint, or name \`domains\``,
    );
  }
  const unlisted = (target.domains ?? []).filter((domain) => !usable.some((host) => covers(domain, host)));
  const warnings = [
    ...unlisted.map(
      (domain) =>
        `${target.instanceId} does not list the domain ${domain}: its credential is written for it all the same`,
    ),
    ...(strange === 0
      ? []
      : [`${target.instanceId} lists ${strange} domains that are no host names: they are left out`]),
  ];
  return { hosts: usable, ...(warnings.length === 0 ? {} : { warnings }) };
}

/** True when `pattern`, a host in which `*` may stand, means `host`; ports do not count. */
function covers(pattern: string, host: string): boolean {
  const bare = (text: string): string => text.replace(/:\d+$/, '');
  const source = bare(pattern)
    .replace(/[.[\]]/g, '\\$&')
    .replaceAll('*', '[^.]*');
  return new RegExp(`^${source}$`).test(bare(host));
}

/** Without the listing: fine when the domains are named, else the failure, with the way around it. */
function toleratedHosts(target: AcrTarget, error: unknown): Pick<Credential, 'hosts' | 'warnings'> {
  const denied = error instanceof ProviderError && error.reason === 'PermissionDenied';
  if (target.domains !== undefined) {
    if (!(error instanceof ProviderError)) throw error;
    return denied
      ? {
          warnings: [
            `whether ${target.instanceId} has the domains could not be checked: the action cr:ListInstanceEndpoint is not allowed`,
          ],
        }
      : {};
  }
  if (!denied) throw error;
  throw new ProviderError(
    'PermissionDenied',
    `${error.message}, or name the \`domains\` of the instance in the configuration`,
    {
      requestId: error.requestId,
      retryAfterMs: error.retryAfterMs,
    },
  );
}
