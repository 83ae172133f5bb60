// The lists `registry-info` and `acr-registry-info`: items -> credential requests.
import { foldName, readFields } from './fields.ts';
import { expandInstances } from './instance-lists.ts';
import type { ItemDefaults } from './item-defaults.ts';
import { isRecord } from './records.ts';
import { MAX_NAME, RESOURCE_SECRET_PREFIX } from './names.ts';
import { parseNamePatterns } from './scope.ts';
import { mayHoldSecret } from './secrecy.ts';
import type { CredentialRequest, Issue, NamePatterns, Parsed, Scope } from './types.ts';
import { findLines } from './yaml-lines.ts';
import { parseYaml } from './yaml.ts';

/**
 * Reads the provider's part of an item; undefined = no such provider. `defaults` is what the ConfigMap says for every item. Paths
 * of issues are relative to the item.
 */
export type ItemParser = (
  provider: string,
  item: Readonly<Record<string, unknown>>,
  defaults: ItemDefaults,
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
  readonly defaults: ItemDefaults;
  readonly parseItem: ItemParser;
  readonly providers: readonly string[];
}

/** Fields that every item may have, whatever its provider. */
export const ITEM_FIELDS: readonly string[] = ['provider', 'watch-namespace', 'service-account', 'secret-name'];

/** What is wrong with a name that is none. */
export const SECRET_NAME_FORM = `must be the name of a Secret: lower-case letters, digits, - and .; names with ${RESOURCE_SECRET_PREFIX} are kept for ImagePullSecret resources`;

/** How an item of a list begins whose provider is given. */
const EXAMPLES: ReadonlyMap<string, string> = new Map([
  ['acr', '- instanceId: cri-…'],
  ['tcr', '- registryId: tcr-…'],
]);

/** Most items that are read: a bound for what a mistake can cost. */
const MAX_ITEMS = 1_000;

type Fields = Readonly<Record<string, unknown>>;
type Report = (issues: readonly Issue[]) => void;

/** True when the API server accepts `name` for a Secret, and it is not one of those of resources. */
export function isSecretName(name: string): boolean {
  if (name.length > MAX_NAME || name.startsWith(RESOURCE_SECRET_PREFIX)) return false;
  return name.split('.').every((part) => /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(part));
}

/** Reads one list; items with errors are left out, all issues go to `report`. */
export function parseItems(list: ItemList, report: Report): readonly RegistryItem[] {
  const example = EXAMPLES.get(list.provider ?? '') ?? '- provider: …';
  const cure = `write a list with one item a registry, each beginning with \`${example}\` and its fields in the same column`;
  const parsed = parseYaml(list.text, list.key, cure);
  report(parsed.issues);
  if (!parsed.ok) return [];
  if (parsed.value === undefined || parsed.value === null) {
    const message = 'holds no item: write a YAML list, or `[]` to remove everything that was written';
    report([{ severity: 'error', path: list.key, message }]);
    return [];
  }
  if (!Array.isArray(parsed.value) || parsed.value.length > MAX_ITEMS) {
    const message = `must be a YAML list of at most ${MAX_ITEMS} items: ${cure}`;
    report([{ severity: 'error', path: list.key, message, line: 1 }]);
    return [];
  }
  const lineOf = findLines(list.text);
  let count = parsed.value.length;
  return parsed.value.flatMap((value: unknown, index) => {
    const issues: Issue[] = [];
    const located = (issue: Issue): Issue => withLine(withoutSecret(issue), lineOf, index);
    const addAll: Report = (found) => {
      for (const issue of found) issues.push(located(issue));
    };
    // Several items that were written as one say the same of what they share.
    const members = expand(value, index, addAll);
    const items = members.flatMap((member) => parseItem(member, list, index, addAll) ?? []);
    report(members.length > 1 ? distinct(issues) : issues);
    return issues.some((issue) => issue.severity === 'error') ? [] : items.map((item) => ({ ...item, located }));
  });

  /** One item for each instance, in the vendor's grammar; bounded like the items themselves. */
  function expand(value: unknown, index: number, add: Report): readonly unknown[] {
    if (list.provider !== 'acr' || !isRecord(value)) return [value];
    const expanded = expandInstances(value, `${list.key}[${index}]`);
    count += expanded.items.length - 1;
    if (count > MAX_ITEMS) {
      const message = `names more than ${MAX_ITEMS} instances, with the items before it`;
      add([{ severity: 'error', path: `${list.key}[${index}].instanceId`, message }]);
      return [];
    }
    add(expanded.issues);
    return expanded.items;
  }
}

function distinct(issues: readonly Issue[]): readonly Issue[] {
  return [...new Map(issues.map((issue) => [JSON.stringify(issue), issue])).values()];
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
    const parsed = list.parseItem(provider, rest, list.defaults);
    if (parsed === undefined) {
      fields.report('provider', `unknown provider: write ${known}`, { value: provider.slice(0, 80) });
      return undefined;
    }
    report(parsed.issues.map((issue) => ({ ...issue, path: issue.path === '' ? path : `${path}.${issue.path}` })));
    return parsed.ok ? parsed.value : undefined;
  }
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
