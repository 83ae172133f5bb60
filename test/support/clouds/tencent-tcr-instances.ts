// The actions of tcr 2019-09-24 that describe instances: themselves, their domains and who reaches them (tcr.md section 11).

import type { ApiError } from './api-error.ts';
import { writeList } from './tencent-answers.ts';
import type { Action, Result, Turn } from './tencent-gateway.ts';
import type { Parameters } from './tencent-members.ts';
import { BOOLEAN, INTEGER, invalid, readPage, REQUIRED_TEXT } from './tencent-members.ts';
import type { TencentInstance, TencentState } from './tencent-state.ts';

/** What CAM is asked about for an action on one instance. */
export const INSTANCE_RESOURCE = ({ RegistryId }: Parameters): readonly string[] => [`instance/${String(RegistryId)}`];

/** For actions that may name several instances, or none for all. */
const instancesResource =
  (member: string) =>
  (parameters: Parameters): readonly string[] => {
    const ids = (parameters[member] ?? []) as readonly string[];
    return ids.length === 0 ? ['instance/*'] : ids.map((id) => `instance/${id}`);
  };

export const INSTANCE_ACTIONS: Readonly<Record<string, Action>> = {
  DescribeInstances: {
    members: {
      Registryids: { type: 'texts' },
      ...{ Offset: INTEGER, Limit: INTEGER, AllRegion: BOOLEAN },
      Filters: { type: 'objects', members: { Name: REQUIRED_TEXT, Values: { type: 'texts', required: true } } },
    },
    rate: 100,
    resources: instancesResource('Registryids'),
    run: describeInstances,
  },
  DescribeInstanceStatus: {
    members: { RegistryIds: { type: 'texts', required: true } },
    rate: 20,
    resources: instancesResource('RegistryIds'),
    run: describeInstanceStatus,
  },
  DescribeInternalEndpoints: {
    members: { RegistryId: REQUIRED_TEXT },
    rate: 20,
    resources: INSTANCE_RESOURCE,
    run: describeInternalEndpoints,
  },
  DescribeInstanceCustomizedDomain: {
    members: { RegistryId: REQUIRED_TEXT, Limit: INTEGER, Offset: INTEGER },
    rate: 20,
    resources: INSTANCE_RESOURCE,
    run: describeCustomizedDomains,
  },
  DescribeSecurityPolicies: {
    members: { RegistryId: REQUIRED_TEXT },
    rate: 20,
    resources: INSTANCE_RESOURCE,
    run: describeSecurityPolicies,
  },
  DescribeExternalEndpointStatus: {
    members: { RegistryId: REQUIRED_TEXT },
    rate: 20,
    resources: INSTANCE_RESOURCE,
    run: (turn) => withInstance(turn, (instance) => ({ Status: instance.publicAccess ?? 'Opened', Reason: '' })),
  },
};

/** The instance that a call names, which must be the caller's and of the region that was called. */
export function findInstance({ state, key, region, parameters }: Turn): TencentInstance | { readonly error: ApiError } {
  const instance = state.instances.get(String(parameters.RegistryId));
  const isOwn = instance?.regionName === region && instance.ownerUin === key?.ownerUin;
  if (isOwn) return instance;
  return {
    error: {
      status: 200,
      code: 'ResourceNotFound.TcrResourceNotFound',
      message: `The instance ${String(parameters.RegistryId)} is not found in ${region}.`,
    },
  };
}

/** The instance that a name leads to: `<name>` where it is open to the public, `<name>-vpc` where it is linked, or a custom domain. */
export function findInstanceByHost(state: TencentState, host: string): TencentInstance | undefined {
  const label = /^([a-z0-9-]+)\.tencentcloudcr\.com$/.exec(host)?.[1];
  const instances = [...state.instances.values()];
  return (
    instances.find(
      ({ registryName, publicAccess = 'Opened' }) => registryName === label && publicAccess === 'Opened',
    ) ??
    instances.find(({ registryName, vpcLinks = [] }) => `${registryName}-vpc` === label && vpcLinks.length > 0) ??
    instances.find(({ customDomains = [] }) => customDomains.some(({ domain }) => domain === host))
  );
}

function describeInstances(turn: Turn): Result {
  const { state, key, region, parameters } = turn;
  const page = readPage(parameters);
  if ('code' in page) return { error: page };
  const asked: {
    readonly Registryids?: readonly string[];
    readonly AllRegion?: boolean;
    readonly Filters?: readonly { readonly Name: string; readonly Values: readonly string[] }[];
  } = parameters;
  const { Registryids: ids = [], AllRegion: isEverywhere = false, Filters: filters = [] } = asked;
  const strange = filters.find(({ Name }) => Name !== 'RegistryName');
  if (strange !== undefined) return { error: invalid('Filters', `there is no filter ${strange.Name}`) };
  const found = [...state.instances.values()].filter(
    (instance) =>
      instance.ownerUin === key?.ownerUin &&
      (isEverywhere || instance.regionName === region) &&
      (ids.length === 0 || ids.includes(instance.registryId)) &&
      filters.every(({ Values }) => Values.includes(instance.registryName)),
  );
  const shown = found.slice(page.offset, page.offset + page.limit).map((instance) => writeInstance(state, instance));
  return { body: { TotalCount: found.length, Registries: writeList(state, shown) } };
}

function writeInstance(state: TencentState, instance: TencentInstance): Readonly<Record<string, unknown>> {
  return {
    RegistryId: instance.registryId,
    RegistryName: instance.registryName,
    RegistryType: instance.registryType ?? 'standard',
    Status: instance.status ?? 'Running',
    PublicDomain: `${instance.registryName}.tencentcloudcr.com`,
    InternalEndpoint: instance.vpcLinks?.[0]?.accessIp ?? '',
    RegionName: instance.regionName,
    RegionId: [...state.regions].indexOf(instance.regionName) + 1,
    TokenValidTime: state.longTermLifeMs / 3_600_000,
    ...{ EnableAnonymous: true, CreatedAt: '2026-01-01T08:00:00+08:00', ExpiredAt: '', PayMod: 0, RenewFlag: 0 },
    TagSpecification: { ResourceType: 'instance', Tags: [] },
    DeletionProtection: false,
  };
}

function describeInstanceStatus({ state, key, region, parameters }: Turn): Result {
  const { RegistryIds: ids } = parameters as { RegistryIds: readonly string[] };
  const found = ids.flatMap((id) => state.instances.get(id) ?? []);
  const own = found.filter(({ ownerUin, regionName }) => ownerUin === key?.ownerUin && regionName === region);
  const shown = own.map(({ registryId, status = 'Running' }) => ({
    ...{ RegistryId: registryId, Status: status, Conditions: writeList(state, []) },
  }));
  return { body: { RegistryStatusSet: writeList(state, shown) } };
}

function describeInternalEndpoints(turn: Turn): Result {
  const { state, now } = turn;
  return withInstance(turn, ({ vpcLinks = [] }) => {
    const links = vpcLinks.map(({ vpcId, subnetId, accessIp, readyAt = 0 }) => {
      const isReady = now >= readyAt;
      const status = isReady ? 'Running' : 'Pending';
      return { VpcId: vpcId, SubnetId: subnetId, Status: status, AccessIp: isReady ? accessIp : '' };
    });
    return { AccessVpcSet: writeList(state, links), TotalCount: links.length };
  });
}

function describeCustomizedDomains(turn: Turn): Result {
  const page = readPage(turn.parameters);
  if ('code' in page) return { error: page };
  return withInstance(turn, ({ registryId, customDomains = [] }) => {
    const domains = customDomains.map(({ domain, status = 'SUCCESS' }) => ({
      ...{ RegistryId: registryId, CertId: 'sample-certificate', DomainName: domain, Status: status },
    }));
    const shown = domains.slice(page.offset, page.offset + page.limit);
    return { DomainInfoList: writeList(turn.state, shown), TotalCount: domains.length };
  });
}

function describeSecurityPolicies(turn: Turn): Result {
  return withInstance(turn, ({ publicCidrBlocks = [] }) => ({
    SecurityPolicySet: writeList(
      turn.state,
      publicCidrBlocks.map((CidrBlock, PolicyIndex) => ({
        PolicyIndex,
        Description: '',
        CidrBlock,
        PolicyVersion: '1',
      })),
    ),
  }));
}

function withInstance(turn: Turn, write: (instance: TencentInstance) => Readonly<Record<string, unknown>>): Result {
  const instance = findInstance(turn);
  return 'error' in instance ? instance : { body: write(instance) };
}
