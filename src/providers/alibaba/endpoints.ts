// Where the services of Alibaba Cloud are: by pattern, since new regions appear, and overridable (acr.md section 12).
import type { CloudEndpoints } from '../provider.ts';
import { resolveEndpoint, type ResolvedEndpoint } from '../resolved-endpoint.ts';

/** Services that are called with a key. */
export type AlibabaService = 'cr' | 'sts';

/** The metadata service of every ECS node; `alibaba.metadata` of the endpoints wins. */
export const METADATA_URL = 'http://100.100.100.200';

/** Regions whose registry API has no address inside the VPC. */
const NO_CR_VPC: ReadonlySet<string> = new Set(['cn-wulanchabu', 'cn-huhehaote', 'cn-heyuan']);

/** Regions without an STS of their own, or whose public one is the global one. */
const GLOBAL_STS: ReadonlySet<string> = new Set([
  'cn-hangzhou-finance',
  'cn-shenzhen-finance-1',
  'us-southeast-1',
  'cn-zhengzhou-jva',
  'cn-heyuan-acdr-1',
  'ap-southeast-6',
  'ap-southeast-2',
  'ap-south-1',
]);

/** Of those, regions that have one inside the VPC all the same. */
const STS_VPC_ONLY: ReadonlySet<string> = new Set(['cn-shenzhen-finance-1']);

/**
 * Where `service` is asked for `region`, in the order to try: one that `endpoints` names alone; else inside the VPC when we are in
 * that region (`localRegion`), then in public.
 */
export function endpointsOf(
  service: AlibabaService,
  region: string,
  { endpoints, localRegion }: { readonly endpoints: CloudEndpoints; readonly localRegion: string | undefined },
): readonly ResolvedEndpoint[] {
  const override = endpoints.alibaba?.[service];
  if (override?.url !== undefined) return [resolveEndpoint(override, override.url, region)];
  const hosts = [...(localRegion === region ? vpcHosts(service, region) : []), publicHost(service, region)];
  return hosts.map((host) => resolveEndpoint(override, `https://${host}`, region));
}

/** True when only the region that we are in decides where `service` is. */
export function dependsOnLocalRegion(service: AlibabaService, endpoints: CloudEndpoints): boolean {
  return endpoints.alibaba?.[service]?.url === undefined;
}

function publicHost(service: AlibabaService, region: string): string {
  return service === 'sts' && GLOBAL_STS.has(region) ? 'sts.aliyuncs.com' : `${service}.${region}.aliyuncs.com`;
}

function vpcHosts(service: AlibabaService, region: string): readonly string[] {
  const isAbsent = service === 'cr' ? NO_CR_VPC.has(region) : GLOBAL_STS.has(region) && !STS_VPC_ONLY.has(region);
  return isAbsent ? [] : [`${service}-vpc.${region}.aliyuncs.com`];
}
