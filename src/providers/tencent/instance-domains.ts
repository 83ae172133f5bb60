// Which instance domains belong to (tcr.md sections 11 and 16): `<name>.tencentcloudcr.com` and `<name>-vpc.tencentcloudcr.com`.
import type { FieldReader } from '../../core/fields.ts';
import { coversHost } from '../../core/registry-host.ts';

const SUFFIX = '.tencentcloudcr.com';
const VPC = '-vpc';

/** Services of the vendor that share the suffix: mirrors and charts, no instances (tcr.md section 16). */
const NO_INSTANCE: ReadonlySet<string> = new Set(['quay', 'nvcr', 'helmhub']);

/** The domain of an instance inside VPCs. */
export function vpcDomain(name: string): string {
  return `${name}${VPC}${SUFFIX}`;
}

/** The domain of an instance on the public network, where the cloud names none. */
export function publicDomain(name: string): string {
  return `${name}${SUFFIX}`;
}

/** Reports every one of `hosts` that no instance has, and what to do instead; their sum is not judged. */
export function reportForeignDomains(fields: FieldReader, hosts: readonly string[]): void {
  for (const host of hosts) {
    const wrong = foreignIssue(host);
    if (wrong !== undefined) fields.report('domains', wrong, { value: host });
  }
}

/**
 * Names that an instance with all of these domains may have, in the order to try: the first labels as they are, then without
 * `-vpc`, since a name may itself end so. Empty = they belong to several instances, or to none that they name.
 */
export function instanceNames(hosts: readonly string[]): readonly string[] {
  const labels = [...new Set(hosts.flatMap((host) => labelOf(host) ?? []))];
  const bases = labels.flatMap((label) => (label.endsWith(VPC) ? [label.slice(0, -VPC.length)] : []));
  return [...new Set([...labels, ...bases])].filter(
    (name) => name !== '' && labels.every((label) => label === name || label === `${name}${VPC}`),
  );
}

/** The first label of an instance's domain; undefined for every other host. */
function labelOf(host: string): string | undefined {
  const name = withoutPort(host);
  return name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : undefined;
}

function foreignIssue(host: string): string | undefined {
  if (/(^|\.)ccs\.tencentyun\.com$/.test(withoutPort(host))) {
    return 'is the Personal Edition (CCR), which takes a fixed password: use `provider: static` with `domains` and `secretRef` for it';
  }
  const label = labelOf(host);
  if (label === undefined) return isTooWide(host) ? TOO_WIDE : undefined;
  if (NO_INSTANCE.has(label)) {
    return 'is a service of the vendor and no instance: it gets no credential; take it out';
  }
  // A wildcard would hand the credential to those services, too.
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)
    ? undefined
    : 'is no domain of an instance: write `<name>.tencentcloudcr.com` or `<name>-vpc.tencentcloudcr.com`, without a wildcard';
}

const TOO_WIDE =
  'is too wide: it could hand the credential to registries of others, the vendor’s mirrors among them; write the domain that is yours without a wildcard, e.g. `*.acme.example`';

/** kubelet goes by the pattern alone: one that means a mirror of the vendor, or domains of anybody, would send the credential there. */
function isTooWide(host: string): boolean {
  const labels = withoutPort(host).split('.');
  // Below these, anybody has a domain: `*.com.cn` is as wide as `*.com`.
  const isPublicSuffix = /^(ac|co|com|edu|gov|net|org)\.[a-z]{2}$/.test(labels.slice(-2).join('.'));
  const isOpen = labels.slice(isPublicSuffix ? -3 : -2).some((label) => label.includes('*'));
  return isOpen || [...NO_INSTANCE].some((name) => coversHost(host, publicDomain(name)));
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '');
}
