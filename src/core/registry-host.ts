// Reads lists of registry hosts as people write them, so that every key under `auths` is one that kubelet finds.
import type { FieldReader } from './fields.ts';
import { matchesGlob } from './scope.ts';

/** Docker Hub's names; kubelet looks all of them up under the last. */
const DOCKER_HUB: readonly string[] = [
  'docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
  'index.docker.io',
];

/** The one of them that kubelet looks up. */
export const DOCKER_HUB_KEY = 'index.docker.io';

/** Most hosts of one Secret: our annotation tells of each, and the API server bounds it. */
export const MAX_HOSTS = 1_000;

/** What is wrong with more, for people. */
export const TOO_MANY_HOSTS = 'more than 1,000 hosts in one Secret cannot be written: split over several `secret-name`';

/**
 * Reads `members` as hosts with an optional port; `*` may stand in a label, as kubelet allows. Lower case, each once, in order.
 * What is no host is an error, and so are more hosts than a Secret takes; a scheme or API path is a warning and stripped; issues go to `fields` under `name`.
 */
export function parseHosts(fields: FieldReader, name: string, members: readonly string[]): readonly string[] {
  if (new Set(members).size > MAX_HOSTS) {
    fields.report(name, TOO_MANY_HOSTS);
    return [];
  }
  const hosts = members.flatMap((member) => parseHost(fields, name, member) ?? []);
  return [...new Set(hosts)];
}

/** True for a host name, an IP address (v6 in brackets), each with an optional port; `*` may stand in a label. Lower case. */
export function isRegistryHost(text: string): boolean {
  const [, host = '', port] = /^(\[[0-9a-f:.]{2,45}\]|[^:]{1,253})(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return false;
  if (host.startsWith('[')) return true;
  return host !== '' && host.split('.').every((label) => /^[a-z0-9*]([a-z0-9*_-]{0,61}[a-z0-9*])?$/.test(label));
}

/** True when `pattern`, a host in which `*` may stand for any part of a label, means `host`; ports do not count. */
export function coversHost(pattern: string, host: string): boolean {
  const labelsOf = (text: string): readonly string[] => text.replace(/:\d+$/, '').split('.');
  const [wanted, labels] = [labelsOf(pattern), labelsOf(host)];
  return wanted.length === labels.length && wanted.every((label, at) => matchesGlob(label, labels[at] ?? ''));
}

function parseHost(fields: FieldReader, name: string, member: string): string | undefined {
  const value = member.slice(0, 80);
  const withoutScheme = member.toLowerCase().replace(/^[a-z][a-z0-9+.-]*:\/\//, '');
  const bare = withoutScheme.replace(/\/(v[12]\/?)?$/, '');
  if (!isRegistryHost(bare)) {
    // What stands before an @ could be a password.
    const shown = member.includes('@') ? {} : { value };
    fields.report(
      name,
      'is not a registry host: write the name alone, e.g. `registry.example.com` or `registry.example.com:5000`',
      shown,
    );
    return undefined;
  }
  if (withoutScheme !== member.toLowerCase() || /\/v[12]\/?$/.test(withoutScheme)) {
    fields.report(name, `is read as ${bare}: write the host without scheme and path`, { severity: 'warning', value });
  }
  if (bare !== DOCKER_HUB_KEY && DOCKER_HUB.includes(bare)) {
    fields.report(name, `is read as ${DOCKER_HUB_KEY}, the name under which kubelet looks Docker Hub up`, {
      severity: 'warning',
      value,
    });
    return DOCKER_HUB_KEY;
  }
  return bare;
}
