// Provider `acr`: Alibaba Cloud Container Registry, Enterprise and Personal Edition: tokens of an hour (acr.md sections 3, 14, 15, 20).
import { ProviderError } from '../../core/errors.ts';
import { isRegistryHost } from '../../core/registry-host.ts';
import type { Credential } from '../../core/types.ts';
import { about } from '../about.ts';
import { domainRemarks } from '../domain-remarks.ts';
import type { ProviderWorld, RegistryProvider } from '../provider.ts';
import { createAccessKeyIdentity, createHalfKeyIdentity, createInlineKeyIdentity } from './access-key.ts';
import { personalHosts } from './acr-personal.ts';
import { createAssumedRoleIdentity } from './assume-role.ts';
import { createAlibabaClient, type AlibabaClientOptions } from './client.ts';
import { createCrClient, type AuthorizationToken, type CrCall, type CrClient } from './cr.ts';
import { dependsOnLocalRegion, endpointsOf } from './endpoints.ts';
import type { AlibabaIdentity } from './identity.ts';
import { readLocalRegion } from './metadata.ts';
import { createRrsaIdentity } from './rrsa.ts';
import { createStsClient, type StsClient } from './sts.ts';
import { parseAcrTarget, type AcrTarget, type BaseIdentity } from './target.ts';
import { createTokenModeIdentity } from './token-mode.ts';

/** The services that it calls. */
export interface AcrServices {
  readonly cr: CrClient;
  readonly sts: StsClient;
}

/** Builds the services on one client, which all of them share. */
export function createAcrServices(options: AlibabaClientOptions = {}): AcrServices {
  const client = createAlibabaClient(options);
  return { cr: createCrClient(client), sts: createStsClient(client) };
}

/** Builds the provider. */
export function createAcrProvider({ cr, sts }: AcrServices = createAcrServices()): RegistryProvider<AcrTarget> {
  return {
    name: 'acr',

    parseTarget: parseAcrTarget,

    registryHosts: ({ instanceId, region, domains }) =>
      domains ?? (instanceId === undefined && region !== undefined ? personalHosts(region) : undefined),

    cacheKey: (target) =>
      `acr/${target.region ?? 'local'}/${target.instanceId ?? 'personal'}/${identityOf(target, sts).key}`,

    secretUse: ({ base }) => (base.kind === 'secret' ? { reference: base.secret, published: false } : undefined),

    async fetchCredential(target, world, signal) {
      const issuedAt = world.now();
      const call = await buildCall(target, { world, identity: identityOf(target, sts) }, signal);
      const { instanceId } = target;
      const { token, ...hosts } =
        instanceId === undefined
          ? { token: await cr.getPersonalToken(call, signal), hosts: target.domains ?? personalHosts(call.region) }
          : await fetchEnterprise({ ...target, instanceId, region: call.region }, { cr, call }, signal);
      const { username, token: password, expiresAt } = token;
      const { choice, origin, warnings: remarks = [] } = call.key;
      const warnings = [...remarks, ...('warnings' in hosts ? (hosts.warnings ?? []) : [])];
      return {
        ...{ username, password, issuedAt, expiresAt, ...hosts },
        ...(warnings.length === 0 ? {} : { warnings }),
        identity: choice === undefined ? origin : `${origin} (${choice})`,
      };
    },

    // Its tokens end by themselves within the hour.
    mints: () => false,
    revocationTarget: (target) => target,
    revokeCredentials: () => Promise.resolve([]),
  };
}

/** An instance in a region that is known. */
type Instance = AcrTarget & { readonly instanceId: string; readonly region: string };

type Hosts = Pick<Credential, 'hosts' | 'warnings'>;

async function fetchEnterprise(
  target: Instance,
  { cr, call }: { readonly cr: CrClient; readonly call: CrCall },
  signal: AbortSignal,
): Promise<Hosts & { readonly token: AuthorizationToken }> {
  const { instanceId } = target;
  const [token, listing] = await Promise.allSettled([
    cr.getAuthorizationToken({ ...call, instanceId }, signal),
    cr.listInstanceEndpoint({ ...call, instanceId }, signal),
  ]);
  if (token.status === 'rejected') throw token.reason;
  const hosts =
    listing.status === 'fulfilled' ? listedHosts(target, listing.value) : toleratedHosts(target, listing.reason);
  return { token: token.value, ...hosts };
}

function identityOf({ base, assumedRole }: AcrTarget, sts: StsClient): AlibabaIdentity {
  const own = baseIdentity(base, { sts, isBase: assumedRole !== undefined });
  return assumedRole === undefined ? own : createAssumedRoleIdentity(sts, own, assumedRole);
}

function baseIdentity(
  base: BaseIdentity,
  { sts, isBase }: { readonly sts: StsClient; readonly isBase: boolean },
): AlibabaIdentity {
  switch (base.kind) {
    case 'secret':
      return createAccessKeyIdentity(base.secret);
    case 'inline':
      return createInlineKeyIdentity(base.pair);
    case 'half':
      return createHalfKeyIdentity(base.present, base.missing);
    case 'rrsa':
      return createRrsaIdentity(sts, base.role, createTokenModeIdentity(base.mode, { isBase }));
    case 'token-mode':
      return createTokenModeIdentity(base.mode, { isBase });
  }
}

async function buildCall(
  { instanceId, region: written }: AcrTarget,
  { world, identity }: { readonly world: ProviderWorld; readonly identity: AlibabaIdentity },
  signal: AbortSignal,
): Promise<CrCall> {
  const needsLocal = written === undefined || dependsOnLocalRegion('cr', world.endpoints);
  const local = needsLocal ? await readLocalRegion(world, signal) : undefined;
  const localRegion = local?.kind === 'known' ? local.region : undefined;
  const region = written ?? localRegion;
  if (region === undefined) {
    throw new ProviderError(
      local?.kind === 'unknown' ? local.error.reason : 'IdentityUnavailable',
      `the region of ${instanceId ?? 'the Personal Edition'} is not known, and the local one neither (${local?.kind === 'known' ? '' : (local?.error.message ?? '')}): write \`regionId\`, or set the key \`region\` of the ConfigMap for all items`,
    );
  }
  // Several registries may share an identity: each says for itself that it has none.
  const key = await about(`GetAuthorizationToken of ${instanceId ?? 'the Personal Edition'} in ${region}`, () =>
    identity.fetchKey(world, { region }, signal),
  );
  const endpoints = endpointsOf('cr', region, { endpoints: world.endpoints, localRegion });
  return { region, key, endpoints, now: world.now() };
}

function listedHosts(target: Instance, listed: readonly string[]): Hosts {
  const usable = listed.filter(isRegistryHost);
  const strange = listed.length - usable.length;
  if (target.domains === undefined && usable.length === 0) {
    throw new ProviderError(
      'RequestRefused',
      `${target.instanceId} in ${target.region} has no enabled endpoint with a domain: enable its public or VPC endpoint, or name \`domains\``,
    );
  }
  const warnings = domainRemarks(target.instanceId, { wanted: target.domains ?? [], hosts: usable, strange });
  return { hosts: usable, ...(warnings.length === 0 ? {} : { warnings }) };
}

/** Without the listing: fine when the domains are named, else the failure, with the way around it. */
function toleratedHosts(target: Instance, error: unknown): Hosts {
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
