// What is remarked about the domains of an instance that a cloud lists.
import { coversHost } from '../core/registry-host.ts';

/** `wanted`: domains that the configuration names; `hosts`: those listed that are host names; `strange`: how many listed are none. */
export function domainRemarks(
  instance: string,
  listing: { readonly wanted: readonly string[]; readonly hosts: readonly string[]; readonly strange: number },
): readonly string[] {
  const { wanted, hosts, strange } = listing;
  const unlisted = wanted.filter((domain) => !hosts.some((host) => coversHost(domain, host)));
  return [
    ...unlisted.map(
      (domain) => `${instance} does not list the domain ${domain}: its credential is written for it all the same`,
    ),
    ...(strange === 0 ? [] : [`${instance} lists ${strange} domains that are no host names: they are left out`]),
  ];
}
