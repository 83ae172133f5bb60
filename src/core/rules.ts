// Items of the configuration -> rules, and what is wrong among items that are right for themselves.
import { MAX_HOSTS, TOO_MANY_HOSTS } from './registry-host.ts';
import type { RegistryItem } from './registry-items.ts';
import type { Issue, Rule, Scope, SecretReference } from './types.ts';

/** Most characters of the hosts of one Secret: with what is told of each they fit into an annotation, 256 KiB. */
const MAX_HOST_TEXT = 100_000;

type Report = (issues: readonly Issue[]) => void;

/**
 * Items -> rules: one for each Secret name. Items under one name must have one scope; the same credential twice is an error,
 * more hosts than a Secret takes too, and a Secret that one item publishes and another keeps as a key; the same host twice is a
 * warning (the first item wins).
 */
export function buildRules(items: readonly RegistryItem[], report: Report): readonly Rule[] {
  report(publishedKeys(items));
  const bySecret = new Map<string, RegistryItem[]>();
  for (const item of items) {
    const group = bySecret.get(item.secretName);
    if (group === undefined) bySecret.set(item.secretName, [item]);
    else group.push(item);
  }
  return [...bySecret].flatMap(([secretName, group]) => {
    const first = group[0];
    if (first === undefined) return [];
    report(conflicts(group, first));
    const origins = [...new Set(group.map((item) => item.origin))];
    return [
      { origin: origins.join(' and '), secretName, scope: first.scope, requests: group.map((item) => item.request) },
    ];
  });
}

/** Whoever may edit the configuration must not be able to publish the keys that it names. */
function publishedKeys(items: readonly RegistryItem[]): readonly Issue[] {
  const nameOf = ({ namespace, name }: SecretReference): string => `${namespace}/${name}`;
  const keepers = new Map<string, RegistryItem>();
  for (const item of items) {
    const { secret } = item.request;
    if (secret?.published === false) keepers.set(nameOf(secret.reference), item);
  }
  return items.flatMap((item) => {
    const { secret } = item.request;
    const name = secret?.published === true ? nameOf(secret.reference) : '';
    const keeper = keepers.get(name);
    if (keeper === undefined) return [];
    const message = `publishes the Secret ${name}, in which ${keeper.path} has its key: name a Secret made for this registry`;
    return [item.located({ severity: 'error', path: item.path, message })];
  });
}

/** What is wrong among the items of one Secret; one look at each item and host, however many there are. */
function conflicts(group: readonly RegistryItem[], first: RegistryItem): readonly Issue[] {
  const issues: Issue[] = [];
  const scopeOfFirst = scopeKey(first.scope);
  const byCacheKey = new Map<string, RegistryItem>();
  const byHost = new Map<string, RegistryItem>();
  for (const item of group) {
    if (!isSameScope(item.scope, first.scope) && scopeKey(item.scope) !== scopeOfFirst) {
      const message = `goes into the Secret ${item.secretName} as ${first.path} does, but for other namespaces or ServiceAccounts: give it a \`secret-name\` of its own, or the same scope`;
      issues.push(item.located({ severity: 'error', path: item.path, message }));
    }
    const twin = byCacheKey.get(item.request.cacheKey);
    if (twin === undefined) byCacheKey.set(item.request.cacheKey, item);
    else {
      const message = `asks for the same credential as ${twin.path} (${item.request.cacheKey}): keep one item, with the domains of both`;
      issues.push(item.located({ severity: 'error', path: item.path, message }));
    }
    const claimed: { readonly host: string; readonly owner: RegistryItem }[] = [];
    for (const host of new Set(item.request.hosts)) {
      const owner = byHost.get(host);
      if (owner === undefined) byHost.set(host, item);
      else if (owner !== twin) claimed.push({ host, owner });
    }
    const [clash, ...more] = claimed;
    if (clash !== undefined) {
      const others = more.length === 0 ? '' : `, and ${more.length} more like it`;
      const message = `is claimed by ${clash.owner.path} already, which wins: remove it here or there${others}`;
      issues.push(item.located({ severity: 'warning', path: `${item.path}.domains`, message, value: clash.host }));
    }
  }
  return [...issues, ...tooManyHosts([...byHost.keys()], group)];
}

/** Told at the last item: that is the one to move. */
function tooManyHosts(hosts: readonly string[], group: readonly RegistryItem[]): readonly Issue[] {
  const last = group.at(-1);
  const isTooLong = hosts.reduce((length, host) => length + host.length, 0) > MAX_HOST_TEXT;
  if (last === undefined || (hosts.length <= MAX_HOSTS && !isTooLong)) return [];
  const message =
    hosts.length > MAX_HOSTS
      ? TOO_MANY_HOSTS
      : 'hosts of more than 100,000 characters in one Secret cannot be written: split over several `secret-name`';
  return [last.located({ severity: 'error', path: last.path, message, value: last.secretName })];
}

/** Equal without a look inside: items without a scope of their own inherit the very same lists. */
function isSameScope(a: Scope, b: Scope): boolean {
  return a.namespaces === b.namespaces && a.serviceAccounts === b.serviceAccounts;
}

/** Text that is equal for scopes that mean the same; the order of names does not matter. */
function scopeKey(scope: Scope): string {
  return JSON.stringify(scope, (_key, value: unknown) => {
    const members: readonly unknown[] = value instanceof Set ? [...value] : Array.isArray(value) ? value : [];
    if (!members.every((member) => typeof member === 'string')) return value;
    return value instanceof Set || Array.isArray(value) ? [...members].sort() : value;
  });
}
