// The lists `registry-info` and `acr-registry-info`: items -> credential requests -> rules.
import { foldName, readFields } from './fields.ts';
import { isRecord } from './records.ts';
import { MAX_HOSTS, TOO_MANY_HOSTS } from './registry-host.ts';
import { parseNamePatterns } from './scope.ts';
import type { CredentialRequest, Issue, NamePatterns, Parsed, Rule, Scope } from './types.ts';
import { findLines, mayHoldSecret, parseYaml } from './yaml.ts';

/**
 * Reads the provider's part of an item; undefined = no such provider. `region` is the local region. Paths of issues are
 * relative to the item.
 */
export type ItemParser = (
  provider: string,
  item: Readonly<Record<string, unknown>>,
  region: string | undefined,
) => Parsed<CredentialRequest> | undefined;

/** One item, understood. */
export interface RegistryItem {
  /** `registry-info[1]`. */
  readonly path: string;
  /** Adds the line to an issue about this item, where it is known. */
  readonly located: (issue: Issue) => Issue;
  /** Key of the ConfigMap. */
  readonly origin: string;
  readonly secretName: string;
  readonly scope: Scope;
  readonly request: CredentialRequest;
}

/** One list and what its items inherit. */
export interface ItemList {
  readonly key: string;
  readonly text: string;
  /** The provider of every item; undefined = each names its own. */
  readonly provider: string | undefined;
  readonly secretName: string;
  readonly scope: Scope;
  readonly region: string | undefined;
  readonly parseItem: ItemParser;
  readonly providers: readonly string[];
}

/** Fields that every item may have, whatever its provider. */
export const ITEM_FIELDS: readonly string[] = ['provider', 'watch-namespace', 'service-account', 'secret-name'];

/** What is wrong with a name that is none. */
export const SECRET_NAME_FORM = 'must be the name of a Secret: lower-case letters, digits, - and .';

/** Most characters of the hosts of one Secret: with what is told of each they fit into an annotation, 256 KiB. */
const MAX_HOST_TEXT = 100_000;

/** Most items that are read: a bound for what a mistake can cost. */
const MAX_ITEMS = 1_000;

type Fields = Readonly<Record<string, unknown>>;
type Report = (issues: readonly Issue[]) => void;

/** True when the API server accepts `name` for a Secret. */
export function isSecretName(name: string): boolean {
  return name.length <= 253 && name.split('.').every((part) => /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(part));
}

/** Reads one list; items with errors are left out, all issues go to `report`. */
export function parseItems(list: ItemList, report: Report): readonly RegistryItem[] {
  const example = list.provider === 'acr' ? '- instanceId: cri-…' : '- provider: …';
  const cure = `write a list with one item a registry, each beginning with \`${example}\` and its fields in the same column`;
  const parsed = parseYaml(list.text, list.key, cure);
  report(parsed.issues);
  if (!parsed.ok) return [];
  if (parsed.value === undefined || parsed.value === null) {
    report([emptyList(list)]);
    return [];
  }
  if (!Array.isArray(parsed.value) || parsed.value.length > MAX_ITEMS) {
    const message = `must be a YAML list of at most ${MAX_ITEMS} items: ${cure}`;
    report([{ severity: 'error', path: list.key, message, line: 1 }]);
    return [];
  }
  const lineOf = findLines(list.text);
  return parsed.value.flatMap((value: unknown, index) => {
    const issues: Issue[] = [];
    const located = (issue: Issue): Issue => withLine(withoutSecret(issue), lineOf, index);
    const item = parseItem(value, list, index, (found) => {
      for (const issue of found) issues.push(located(issue));
    });
    report(issues);
    return item === undefined || issues.some((issue) => issue.severity === 'error') ? [] : [{ ...item, located }];
  });
}

function emptyList({ key, provider }: ItemList): Issue {
  const message =
    provider === 'acr'
      ? 'is empty, which means the Personal Edition of the local region; this version does not serve it: name an `instanceId`'
      : 'holds no item: write a YAML list, or `[]` to remove everything that was written';
  return { severity: 'error', path: key, message };
}

function parseItem(
  value: unknown,
  list: ItemList,
  index: number,
  report: Report,
): Omit<RegistryItem, 'located'> | undefined {
  const path = `${list.key}[${index}]`;
  if (!isRecord(value)) {
    report([{ severity: 'error', path, message: 'must be a map of fields, e.g. `- provider: static`' }]);
    return undefined;
  }
  const { own, rest } = splitItem(value);
  const fields = readFields(own, path);
  const named = fields.text('provider');
  const ownName = fields.text('secret-name');
  if (ownName !== undefined && !isSecretName(ownName)) {
    fields.report('secret-name', SECRET_NAME_FORM, { value: ownName.slice(0, 80) });
  }
  const secretName = ownName ?? list.secretName;
  const scope: Scope = {
    ...list.scope,
    ...override('watch-namespace', (namespaces) => ({ namespaces, namespaceSelector: undefined })),
    ...override('service-account', (serviceAccounts) => ({ serviceAccounts, serviceAccountSelector: undefined })),
  };
  const request = requestOf(named ?? list.provider);
  report(fields.issues());
  return request === undefined ? undefined : { path, origin: list.key, secretName, scope, request };

  function override(field: string, build: (patterns: NamePatterns) => Partial<Scope>): Partial<Scope> {
    const text = fields.list(field)?.join(',');
    if (text === undefined) return {};
    const parsed = parseNamePatterns(text, `${path}.${field}`);
    report(parsed.issues);
    return parsed.ok ? build(parsed.value) : {};
  }

  function requestOf(provider: string | undefined): CredentialRequest | undefined {
    const known = `one of ${list.providers.join(', ')}`;
    if (provider === undefined) {
      fields.report('provider', `is missing: write ${known}`);
      return undefined;
    }
    const parsed = list.parseItem(provider, rest, list.region);
    if (parsed === undefined) {
      fields.report('provider', `unknown provider: write ${known}`, { value: provider.slice(0, 80) });
      return undefined;
    }
    report(parsed.issues.map((issue) => ({ ...issue, path: issue.path === '' ? path : `${path}.${issue.path}` })));
    return parsed.ok ? parsed.value : undefined;
  }
}

/**
 * Items -> rules: one for each Secret name. Items under one name must have one scope; the same credential twice is an error,
 * more hosts than a Secret takes too, the same host twice a warning (the first item wins).
 */
export function buildRules(items: readonly RegistryItem[], report: Report): readonly Rule[] {
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

/** Parts the fields that every item may have from those of its provider. */
function splitItem(item: Fields): { readonly own: Fields; readonly rest: Fields } {
  const shared = new Set(ITEM_FIELDS.map(foldName));
  const pick = (wanted: boolean): Fields =>
    Object.fromEntries(Object.entries(item).filter(([name]) => shared.has(foldName(name)) === wanted));
  return { own: pick(true), rest: pick(false) };
}

/** A text that YAML took for the value of one field may hold other fields: an indentation is enough. */
function withoutSecret(issue: Issue): Issue {
  const { value, ...rest } = issue;
  return value === undefined || !mayHoldSecret(value) ? issue : rest;
}

function withLine(issue: Issue, lineOf: ReturnType<typeof findLines>, index: number): Issue {
  const field = /\]\.([\w-]+)/.exec(issue.path)?.[1];
  const line = issue.line ?? lineOf(index, field);
  return line === undefined ? issue : { ...issue, line };
}
