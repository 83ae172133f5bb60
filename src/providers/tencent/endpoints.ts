// Where the services of Tencent Cloud are: the China site, unless the process is told otherwise (tcr.md section 9).
import type { CloudEndpoints } from '../provider.ts';
import { resolveEndpoint, type ResolvedEndpoint } from '../resolved-endpoint.ts';
import type { TencentService } from './cloud-request.ts';

/** Where `service` is asked for `region`; what `endpoints` name wins. */
export function endpointOf(service: TencentService, region: string, endpoints: CloudEndpoints): ResolvedEndpoint {
  const override = endpoints.tencent?.[service];
  return resolveEndpoint(override, override?.url ?? `https://${hostOf(service, region)}`, region);
}

/** Finance zones are separate: only their own host serves them. */
function hostOf(service: TencentService, region: string): string {
  const zone = region.endsWith('-fsi') ? `.${region}` : '';
  return `${service}${zone}.tencentcloudapi.com`;
}
