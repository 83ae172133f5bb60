// Tells which names of the list DNS resolves inside of the network already (private DNS, automatic resolution): their items are not
// needed, and what the hosts file says wins over DNS for as long as they stay (tcr.md section 6).
import { BlockList, isIP } from 'node:net';
import type { HostPair } from '../core/host-names.ts';

/** Asks DNS alone, never a hosts file. */
export interface DnsResolver {
  resolve4(name: string): Promise<readonly string[]>;
  resolve6(name: string): Promise<readonly string[]>;
}

/** A name that needs no item. */
export interface ResolvedName {
  readonly domain: string;
  /** What the list says. */
  readonly ip: string;
  /** What DNS says. */
  readonly addresses: readonly string[];
}

/** Names that are asked for at a time, and in one go: the next pass goes on; a list may be long, and DNS is everybody's, and may be slow. */
const AT_A_TIME = 5;
const MAX_ASKED = 200;

const INSIDE = new BlockList();
for (const [net, bits] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  INSIDE.addSubnet(net, bits, 'ipv4');
INSIDE.addSubnet('fc00::', 7, 'ipv6');

/**
 * Gives a function that is told of every list that is in force, and asks DNS once for each pair that it has not seen, in the background;
 * `tell` hears of those that DNS resolves to the same address, or to one inside of a network. No answer is no news. While it asks it
 * returns at once, and what is new then is left to the next call.
 */
export function createPrivateDnsCheck(
  resolver: DnsResolver,
  tell: (resolved: ResolvedName) => void,
): (pairs: readonly HostPair[]) => Promise<void> {
  let seen: ReadonlySet<string> = new Set();
  let isAsking = false;
  return async (pairs) => {
    if (isAsking) return;
    isAsking = true;
    const news = pairs.filter((pair) => !seen.has(lineOf(pair))).slice(0, MAX_ASKED);
    const asked = new Set([...seen, ...news.map(lineOf)]);
    seen = new Set(pairs.map(lineOf).filter((line) => asked.has(line)));
    const queue = news.values();
    const ask = async (): Promise<void> => {
      for (const { domain, ip } of queue) {
        const addresses = await (isIP(ip) === 6 ? resolver.resolve6(domain) : resolver.resolve4(domain)).catch(
          () => [],
        );
        if (addresses.some((address) => address === ip || isInside(address))) tell({ domain, ip, addresses });
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_A_TIME }, ask));
    } finally {
      isAsking = false;
    }
  };
}

function lineOf({ ip, domain }: HostPair): string {
  return `${ip} ${domain}`;
}

function isInside(address: string): boolean {
  return INSIDE.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
