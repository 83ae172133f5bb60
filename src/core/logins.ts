// To which registries one logs in to see whether the credentials work: each host that is configured, once.
import { DOCKER_HUB_KEY } from './registry-host.ts';
import type { Config, Credential } from './types.ts';

/** A host, and what to log in with. */
export interface WantedLogin {
  /** As it is written in the configuration. */
  readonly host: string;
  /** Where it is asked; undefined = nowhere: the host is a pattern. */
  readonly address: string | undefined;
  /** undefined = none is held. */
  readonly credential: Pick<Credential, 'username' | 'password'> | undefined;
}

/** Where Docker Hub answers, which kubelet knows by another name. */
const DOCKER_HUB_ADDRESS = 'registry-1.docker.io';

/** The hosts of all rules, sorted, each with the credential that is held for it by the key of its request. */
export function wantedLogins(
  { rules }: Pick<Config, 'rules'>,
  held: ReadonlyMap<string, Credential>,
): readonly WantedLogin[] {
  const found = new Map<string, WantedLogin>();
  for (const { cacheKey, hosts } of rules.flatMap(({ requests }) => requests)) {
    const credential = held.get(cacheKey);
    for (const host of hosts ?? credential?.hosts ?? []) {
      if (found.get(host)?.credential === undefined) found.set(host, { host, address: addressOf(host), credential });
    }
  }
  return [...found.values()].sort((a, b) => (a.host < b.host ? -1 : 1));
}

/** Requests whose hosts only the cloud knows, and has not told yet, by their keys. */
export function unknownHosts(
  { rules }: Pick<Config, 'rules'>,
  held: ReadonlyMap<string, Credential>,
): readonly string[] {
  const keys = rules
    .flatMap(({ requests }) => requests)
    .filter(({ cacheKey, hosts }) => hosts === undefined && held.get(cacheKey)?.hosts === undefined)
    .map(({ cacheKey }) => cacheKey);
  return [...new Set(keys)].sort();
}

function addressOf(host: string): string | undefined {
  if (host.includes('*')) return undefined;
  return host === DOCKER_HUB_KEY ? DOCKER_HUB_ADDRESS : host;
}
