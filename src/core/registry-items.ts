// The lists `registry-info` and `acr-registry-info`: items -> credential requests -> rules.
import { foldName, readFields } from './fields.ts';
import { isRecord } from './records.ts';
import { parseNamePatterns } from './scope.ts';
import type { CredentialRequest, Issue, NamePatterns, Parsed, Rule, Scope } from './types.ts';
import { lineOfItem, parseYaml } from './yaml.ts';

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

/** Most items that are read: a bound for what a mistake can cost. */
const MAX_ITEMS = 1_000;

type Fields = Readonly<Record<string, unknown>>;
type Report = (issues: readonly Issue[]) => void;

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
  return parsed.value.flatMap((value: unknown, index) => {
    const issues: Issue[] = [];
    const item = parseItem(value, list, index, (found) => void issues.push(...found));
    report(issues.map((issue) => withLine(issue, list, index)));
    return item === undefined || issues.some((issue) => issue.severity === 'error') ? [] : [item];
  });
}

function emptyList({ key, provider }: ItemList): Issue {
  const message =
    provider === 'acr'
      ? 'is empty, which means the Personal Edition of the local region; this version does not serve it: name an `instanceId`'
      : 'holds no item: write a YAML list, or `[]` to remove everything that was written';
  return { severity: 'error', path: key, message };
}

function parseItem(value: unknown, list: ItemList, index: number, report: Report): RegistryItem | undefined {
  const path = `${list.key}[${index}]`;
  if (!isRecord(value)) {
    report([{ severity: 'error', path, message: 'must be a map of fields, e.g. `- provider: static`' }]);
    return undefined;
  }
  const { own, rest } = splitItem(value);
  const fields = readFields(own, path);
  const named = fields.text('provider');
  const secretName = fields.text('secret-name') ?? list.secretName;
  if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(secretName)) {
    fields.report('secret-name', 'must be the name of a Secret: lower-case letters, digits, - and .', {
      value: secretName,
    });
  }
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
 * the same host twice a warning (the first item wins).
 */
export function buildRules(items: readonly RegistryItem[], report: Report): readonly Rule[] {
  const bySecret = new Map<string, RegistryItem[]>();
  for (const item of items) {
    const group = bySecret.get(item.secretName) ?? [];
    bySecret.set(item.secretName, [...group, item]);
  }
  return [...bySecret].flatMap(([secretName, group]) => {
    const first = group[0];
    if (first === undefined) return [];
    report(group.slice(1).flatMap((item, at) => conflicts(item, group.slice(0, at + 1), first)));
    const origins = [...new Set(group.map((item) => item.origin))];
    return [
      { origin: origins.join(' and '), secretName, scope: first.scope, requests: group.map((item) => item.request) },
    ];
  });
}

function conflicts(item: RegistryItem, earlier: readonly RegistryItem[], first: RegistryItem): readonly Issue[] {
  const issues: Issue[] = [];
  if (scopeKey(item.scope) !== scopeKey(first.scope)) {
    const message = `goes into the Secret ${item.secretName} as ${first.path} does, but for other namespaces or ServiceAccounts: give it a \`secret-name\` of its own, or the same scope`;
    issues.push({ severity: 'error', path: item.path, message });
  }
  const twin = earlier.find((other) => other.request.cacheKey === item.request.cacheKey);
  if (twin !== undefined) {
    const message = `asks for the same credential as ${twin.path} (${item.request.cacheKey}): keep one item, with the domains of both`;
    issues.push({ severity: 'error', path: item.path, message });
  }
  for (const host of item.request.hosts ?? []) {
    const owner = earlier.find((other) => other.request.hosts?.includes(host));
    if (owner === undefined || owner === twin) continue;
    const message = `is claimed by ${owner.path} already, which wins: remove it here or there`;
    issues.push({ severity: 'warning', path: `${item.path}.domains`, message, value: host });
  }
  return issues;
}

function scopeKey(scope: Scope): string {
  return JSON.stringify(scope, (_key, value: unknown) => (value instanceof Set ? [...value].sort() : value));
}

/** Parts the fields that every item may have from those of its provider. */
function splitItem(item: Fields): { readonly own: Fields; readonly rest: Fields } {
  const shared = new Set(ITEM_FIELDS.map(foldName));
  const pick = (wanted: boolean): Fields =>
    Object.fromEntries(Object.entries(item).filter(([name]) => shared.has(foldName(name)) === wanted));
  return { own: pick(true), rest: pick(false) };
}

function withLine(issue: Issue, list: ItemList, index: number): Issue {
  const field = /\]\.([\w-]+)/.exec(issue.path)?.[1];
  const line = issue.line ?? lineOfItem(list.text, index, field);
  return line === undefined ? issue : { ...issue, line };
}
