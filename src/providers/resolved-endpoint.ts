// Where one service of a cloud is: what is connected to, and what is signed, may differ.
import type { ServiceEndpoint } from './provider.ts';

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

/** The endpoint at `template` (`https://host[:port]`) with what `override` says otherwise; `{region}` is replaced in both. */
export function resolveEndpoint(
  override: ServiceEndpoint | undefined,
  template: string,
  region: string,
): ResolvedEndpoint {
  const fill = (text: string): string => text.replaceAll('{region}', region);
  const url = new URL(fill(template));
  return {
    scheme: url.protocol === 'http:' ? 'http' : 'https',
    address: url.host,
    host: override?.host === undefined ? url.host : fill(override.host),
    ca: override?.ca,
  };
}
