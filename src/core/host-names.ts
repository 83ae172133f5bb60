// Names and addresses as a hosts file takes them, and the one line that says which name is at which address.

/** One name at one address, both in their normal form. */
export interface HostPair {
  readonly domain: string;
  readonly ip: string;
}

/** What is wrong with a name that is none. */
export const HOST_NAME_FORM =
  'must be a host name: letters, digits and -, parts of at most 63 joined by dots, e.g. acme-prod.tencentcloudcr.com';

/** What is wrong with an address that is none. */
export const ADDRESS_FORM = 'must be an IPv4 or IPv6 address, e.g. 10.20.0.7 or fd00::7';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const OCTET = /^(0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])$/;

/**
 * The name in lower case, without a dot at its end; undefined when it is none (RFC 1123): so are wildcards, URLs, a last part of
 * digits alone, which would be an address, and the names of the node itself under `localhost`.
 */
export function parseHostName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, '');
  const labels = name.split('.');
  if (name.length > 253 || !labels.every((label) => LABEL.test(label))) return undefined;
  if (/^\d+$/.test(labels.at(-1) ?? '') || labels.at(-1) === 'localhost' || name === 'localhost.localdomain') {
    return undefined;
  }
  return name;
}

/** The address in its normal form (IPv6 as RFC 5952 writes it); undefined when it is none. No zone, no leading zeros, no prefix. */
export function parseAddress(text: string): string | undefined {
  const octets = text.split('.');
  if (octets.length === 4 && octets.every((octet) => OCTET.test(octet))) return text;
  // The URL parser of the platform knows IPv6, and nothing but IPv6 between brackets.
  if (text.length > 45 || !/^[0-9a-f:.]+$/i.test(text) || !URL.canParse(`http://[${text}]/`)) return undefined;
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}

/** True for an address of IPv6, false for one of IPv4. */
export function isIpv6(ip: string): boolean {
  return ip.includes(':');
}

/** The line of a pair, without its end. */
export function renderPair({ ip, domain }: HostPair): string {
  return `${ip} ${domain}`;
}

/** The pair of a line that `renderPair` could have written; undefined for every other line. */
export function parsePair(line: string): HostPair | undefined {
  const [ip = '', domain = '', ...more] = line.split(' ');
  const isPlain = more.length === 0 && parseAddress(ip) === ip && parseHostName(domain) === domain;
  return isPlain ? { ip, domain } : undefined;
}

/** Each pair once, by name, IPv4 before IPv6, then by address: the order does not depend on that of `pairs`. */
export function sortPairs(pairs: readonly HostPair[]): readonly HostPair[] {
  const unique = [...new Map(pairs.map((pair) => [renderPair(pair), pair])).values()];
  const key = ({ domain, ip }: HostPair): string => `${domain} ${isIpv6(ip) ? 6 : 4} ${ip}`;
  return unique.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
