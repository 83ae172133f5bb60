// Where the services of Alibaba Cloud are: by pattern, since new regions appear, and overridable (acr.md section 12).
import type { CloudEndpoints } from '../provider.ts';

/** One service in one region. */
export interface ResolvedEndpoint {
  readonly scheme: 'http' | 'https';
  /** `host[:port]` to connect to. */
  readonly address: string;
  /** Host to sign, to send as `Host` and to verify the certificate against. */
  readonly host: string;
  /** PEM text of the authorities to trust in place of the public ones. */
  readonly ca: string | undefined;
}

/** The registry API (`cr`) of `region`; `alibaba.cr` of `endpoints` wins. */
export function crEndpoint(region: string, endpoints: CloudEndpoints): ResolvedEndpoint {
  const override = endpoints.alibaba?.cr;
  const fill = (template: string): string => template.replaceAll('{region}', region);
  const url = new URL(fill(override?.url ?? 'https://cr.{region}.aliyuncs.com'));
  return {
    scheme: url.protocol === 'http:' ? 'http' : 'https',
    address: url.host,
    host: override?.host === undefined ? url.host : fill(override.host),
    ca: override?.ca,
  };
}
