// Finds the instance that an item means, where it is, and the domains that it has (tcr.md sections 11 and 16).
import { ProviderError } from '../../core/errors.ts';
import { isRegionId } from '../../core/item-defaults.ts';
import { isRegistryHost } from '../../core/registry-host.ts';
import type { Credential } from '../../core/types.ts';
import { about } from '../about.ts';
import { domainRemarks } from '../domain-remarks.ts';
import type { ProviderWorld } from '../provider.ts';
import type { TencentIdentity } from './identity.ts';
import { publicDomain, vpcDomain } from './instance-domains.ts';
import type { TcrTarget } from './target.ts';
import type { InstanceCall, Registry, TcrApi, TcrCall } from './tcr-api.ts';

/** What it is looked for with. */
export interface Search {
  readonly world: ProviderWorld;
  readonly api: TcrApi;
  readonly identity: TencentIdentity;
}

/** An instance, and how calls about it are made. */
export interface LocatedInstance {
  readonly call: InstanceCall;
  /** undefined = it was not looked for, since its id and region are known. */
  readonly registry: Registry | undefined;
}

/** The domains of an instance. */
export type InstanceHosts = Pick<Credential, 'hosts'> & {
  readonly warnings: readonly string[];
  /** Its state in the cloud’s words; undefined = not known. */
  readonly status?: string | undefined;
};

/** Any region of the China site answers for all of them. */
const SEARCH_REGION = 'ap-guangzhou';

/**
 * The instance of `target`. One that is known by its name is looked for each time, with one call or two: whoever deletes it and makes it
 * again gives it another id, and often enough another region.
 */
export async function locateInstance(
  { instance, region: written }: TcrTarget,
  { world, api, identity }: Search,
  signal: AbortSignal,
): Promise<LocatedInstance> {
  const region = written ?? world.env.TENCENTCLOUD_REGION ?? world.env.TKE_REGION;
  const subject = instance.kind === 'id' ? instance.registryId : `the instance ${instance.names.join(' or ')}`;
  if (region === undefined && instance.kind === 'id') {
    throw new ProviderError(
      'IdentityUnavailable',
      `the region of ${subject} is not known: write \`regionId\`, or set the key \`region\` of the ConfigMap for all items`,
    );
  }
  if (region !== undefined && !isRegionId(region)) {
    throw new ProviderError('RequestRefused', 'TENCENTCLOUD_REGION or TKE_REGION is no region: write `regionId`');
  }
  const at = region ?? SEARCH_REGION;
  // Several registries may share an identity: each says for itself that it has none.
  const key = await about(`The credential of ${subject} in ${at}`, () =>
    identity.fetchKey(world, { region: at }, signal),
  );
  const call: TcrCall = { region: at, endpoints: world.endpoints, key, now: () => world.now() };
  if (instance.kind === 'id') return { call: { ...call, registryId: instance.registryId }, registry: undefined };
  const registry = await findByName(instance.names, { api, call }, signal);
  const home = registry.region ?? at;
  if (!isRegionId(home)) throw new ProviderError('CloudUnavailable', `${subject} is in a region without a usable name`);
  return { call: { ...call, region: home, registryId: registry.registryId }, registry };
}

/** Its domains, and what is wrong with them. Throws ProviderError when none can be told. */
export async function fetchHosts(
  target: TcrTarget,
  { api, located }: { readonly api: TcrApi; readonly located: LocatedInstance },
  signal: AbortSignal,
): Promise<InstanceHosts> {
  const { call } = located;
  const registry = await describe(target, { api, located }, signal);
  if (registry.kind === 'tolerated') return { warnings: registry.warnings };
  const custom = await customHosts(target, { api, call }, signal);
  const { name, publicDomain: domain = publicDomain(name) } = registry.value;
  const listed = [domain, vpcDomain(name), ...custom.hosts];
  const hosts = [...new Set(listed.filter(isRegistryHost))];
  const strange = listed.filter((host) => !isRegistryHost(host)).length;
  // What could not be listed may well have the rest.
  const wanted = custom.isWhole ? (target.domains ?? []) : [];
  return {
    hosts,
    status: registry.value.status,
    warnings: [...custom.warnings, ...domainRemarks(call.registryId, { wanted, hosts, strange })],
  };
}

async function findByName(
  names: readonly string[],
  { api, call }: { readonly api: TcrApi; readonly call: TcrCall },
  signal: AbortSignal,
): Promise<Registry> {
  for (const name of names) {
    const registry = await api.findInstance({ ...call, name }, signal);
    if (registry !== undefined) return registry;
  }
  throw new ProviderError(
    'InstanceNotFound',
    `there is no instance ${names.join(' or ')} in any region for the account of ${call.key.origin}: check \`domains\` and whose key it is, or write \`registryId\` and \`regionId\``,
  );
}

type Described =
  | { readonly kind: 'known'; readonly value: Registry }
  | { readonly kind: 'tolerated'; readonly warnings: readonly string[] };

/** Without an answer: fine when the domains are named, else the failure, with the way around it. */
async function describe(
  target: TcrTarget,
  { api, located: { call, registry } }: { readonly api: TcrApi; readonly located: LocatedInstance },
  signal: AbortSignal,
): Promise<Described> {
  if (registry !== undefined) return { kind: 'known', value: registry };
  try {
    const value = await api.describeInstance(call, signal);
    if (value !== undefined) return { kind: 'known', value };
  } catch (error) {
    if (!isTolerable(error)) throw error;
    const isDenied = error.reason === 'PermissionDenied';
    if (target.domains !== undefined) {
      const warning = `whether ${call.registryId} has the domains could not be checked: the action tcr:DescribeInstances is not allowed`;
      return { kind: 'tolerated', warnings: isDenied ? [warning] : [] };
    }
    if (!isDenied) throw error;
    const { requestId, retryAfterMs } = error;
    const way = 'or name the `domains` of the instance in the configuration';
    throw new ProviderError('PermissionDenied', `${error.message}, ${way}`, { requestId, retryAfterMs });
  }
  throw new ProviderError(
    'InstanceNotFound',
    `there is no instance ${call.registryId} in ${call.region} for the account of ${call.key.origin}: check registryId, regionId and whose key it is`,
  );
}

interface CustomHosts {
  readonly hosts: readonly string[];
  readonly isWhole: boolean;
  readonly warnings: readonly string[];
}

/** Customers' own domains; a right that is missing for good is told, and costs only these. */
async function customHosts(
  target: TcrTarget,
  { api, call }: { readonly api: TcrApi; readonly call: InstanceCall },
  signal: AbortSignal,
): Promise<CustomHosts> {
  try {
    return { hosts: await api.customizedDomains(call, signal), isWhole: true, warnings: [] };
  } catch (error) {
    // The instance is there: it has none.
    if (error instanceof ProviderError && error.reason === 'InstanceNotFound') {
      return { hosts: [], isWhole: true, warnings: [] };
    }
    if (!isTolerable(error)) throw error;
    const isDenied = error.reason === 'PermissionDenied';
    if (!isDenied && target.domains === undefined) throw error;
    const warning = `whether ${call.registryId} has domains of its own could not be asked: allow the action tcr:DescribeInstanceCustomizedDomain, or name the \`domains\` in the configuration`;
    return { hosts: [], isWhole: false, warnings: isDenied && target.domains === undefined ? [warning] : [] };
  }
}

/** False for what fails every other call, too: nothing is to be made then. */
function isTolerable(error: unknown): error is ProviderError {
  if (!(error instanceof ProviderError)) return false;
  return ['PermissionDenied', 'Throttled', 'CloudUnavailable', 'RequestRefused'].includes(error.reason);
}
