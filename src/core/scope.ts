// Which namespaces and ServiceAccounts a list, a pattern or a selector means.
import { IGNORE_LABEL } from './names.ts';
import { hasTypographicQuotes, TYPOGRAPHIC_QUOTES, withPlainQuotes } from './quotes.ts';
import type { Issue, LabelRequirement, LabelSelector, NamePatterns, Parsed, Scope } from './types.ts';

/** What scope decisions need to know of a namespace or ServiceAccount. */
export interface Named {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Matches nothing. */
export const NO_NAMES: NamePatterns = { names: new Set(), globs: [], excluded: [] };

const NAME = /^[a-z0-9*?]([a-z0-9.*?-]*[a-z0-9*?])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$/;
const LABEL_KEY = /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/**
 * Reads a comma list of names: `*` or `all` in any case; globs with `*` and `?`; a leading `!` excludes; members may be
 * quoted, spaces and empty members are dropped. A list of exclusions alone means everything else. `path` names it in issues.
 */
export function parseNamePatterns(text: string, path: string): Parsed<NamePatterns> {
  const issues: Issue[] = [];
  if (hasTypographicQuotes(text)) issues.push({ severity: 'warning', path, message: TYPOGRAPHIC_QUOTES });
  const names = new Set<string>();
  const globs: string[] = [];
  const excluded: string[] = [];
  for (const member of members(text)) {
    const negative = member.startsWith('!');
    const word = (negative ? unquote(member.slice(1)) : member).toLowerCase();
    const pattern = word === 'all' ? '*' : word;
    if (!NAME.test(pattern)) {
      issues.push({
        severity: 'error',
        path,
        message:
          'not a name or pattern: use lower-case letters, digits, -, . and the wildcards * and ?, separated by commas',
        value: member.slice(0, 80),
      });
    } else if (negative) excluded.push(pattern);
    else if (/[*?]/.test(pattern)) globs.push(pattern);
    else names.add(pattern);
  }
  if (issues.some((issue) => issue.severity === 'error')) return { ok: false, issues };
  if (names.size === 0 && globs.length === 0 && excluded.length > 0) globs.push('*');
  return { ok: true, value: { names, globs, excluded }, issues };
}

/**
 * Reads a label selector as kubectl takes it: `a=b,c!=d,e in (f, g),h notin (i),j,!k`.
 * Grammar: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
export function parseLabelSelector(text: string, path: string): Parsed<LabelSelector> {
  const requirements: LabelRequirement[] = [];
  const issues: Issue[] = [];
  const parts = splitRequirements(text).filter((part) => part !== '');
  // Without a requirement it would mean everything: nobody writes that on purpose.
  for (const part of parts.length === 0 ? [text] : parts) {
    const requirement = parseRequirement(part);
    if (requirement === undefined) {
      issues.push({
        severity: 'error',
        path,
        message: 'not a label selector: write it as kubectl takes it, e.g. `team=shop,tier in (web, api),!legacy`',
        value: part.slice(0, 80),
      });
    } else requirements.push(requirement);
  }
  return issues.length > 0 ? { ok: false, issues } : { ok: true, value: requirements, issues };
}

/** True when the labels meet every requirement. */
export function matchesSelector(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  return selector.every((requirement) => {
    const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
    switch (requirement.operator) {
      case 'in':
        return value !== undefined && requirement.values.includes(value);
      case 'notin':
        return value === undefined || !requirement.values.includes(value);
      case 'exists':
        return value !== undefined;
      case 'absent':
        return value === undefined;
    }
  });
}

/** True when the list means `name`: listed or matched by a glob, and not excluded. */
export function matchesName(patterns: NamePatterns, name: string): boolean {
  if (patterns.excluded.some((pattern) => matchesGlob(pattern, name))) return false;
  return patterns.names.has(name) || patterns.globs.some((glob) => matchesGlob(glob, name));
}

/** True when the rule reaches this namespace. A listed name wins over `exclude-namespace`; the ignore label wins over all. */
export function includesNamespace(scope: Scope, namespace: Named): boolean {
  if (isIgnored(namespace)) return false;
  if (scope.namespaces.names.has(namespace.name)) return matchesName(scope.namespaces, namespace.name);
  if (matchesName(scope.excludedNamespaces, namespace.name)) return false;
  return isMember(scope.namespaces, scope.namespaceSelector, namespace);
}

/** True when the rule reaches this ServiceAccount of a namespace that it reaches. */
export function includesServiceAccount(scope: Scope, serviceAccount: Named): boolean {
  return !isIgnored(serviceAccount) && isMember(scope.serviceAccounts, scope.serviceAccountSelector, serviceAccount);
}

function isMember(patterns: NamePatterns, selector: LabelSelector | undefined, { name, labels }: Named): boolean {
  if (matchesName(patterns, name)) return true;
  if (selector === undefined || patterns.excluded.some((pattern) => matchesGlob(pattern, name))) return false;
  return matchesSelector(selector, labels);
}

/** True when the opt-out label is set. */
export function isIgnored({ labels }: Pick<Named, 'labels'>): boolean {
  return labels[IGNORE_LABEL] === 'true';
}

/** Matches `*` (any text) and `?` (one character) in linear time and without a regular expression: people write globs. */
export function matchesGlob(glob: string, name: string): boolean {
  if (glob === '*') return true;
  let g = 0;
  let n = 0;
  let star = -1;
  let resume = 0;
  while (n < name.length) {
    if (g < glob.length && (glob[g] === '?' || glob[g] === name[n]) && glob[g] !== '*') {
      g += 1;
      n += 1;
    } else if (glob[g] === '*') {
      star = g;
      resume = n;
      g += 1;
    } else if (star >= 0) {
      g = star + 1;
      resume += 1;
      n = resume;
    } else return false;
  }
  while (glob[g] === '*') g += 1;
  return g === glob.length;
}

function members(text: string): readonly string[] {
  return withPlainQuotes(text)
    .split(/[,\n]/)
    .map(unquote)
    .filter((member) => member !== '');
}

function unquote(member: string): string {
  return member
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2')
    .trim();
}

function parseRequirement(part: string): LabelRequirement | undefined {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/i.exec(part);
  if (set !== null) {
    const values = (set[3] ?? '').split(',').map((value) => value.trim());
    const operator = (set[2] ?? '').toLowerCase() === 'in' ? 'in' : 'notin';
    return requirement(set[1], operator, values);
  }
  const equality = /^([^=!\s]+)\s*(==|=|!=)\s*([^=!\s]*)$/.exec(part);
  if (equality !== null) {
    return requirement(equality[1], equality[2] === '!=' ? 'notin' : 'in', [equality[3] ?? '']);
  }
  const absent = part.startsWith('!');
  const key = absent ? part.slice(1).trim() : part;
  return isLabelKey(key) ? { key, operator: absent ? 'absent' : 'exists' } : undefined;
}

/** Parts at the commas outside of parentheses, in one go through the text: people write selectors. */
function splitRequirements(text: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  let isInside = false;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '(') isInside = true;
    else if (text[at] === ')') isInside = false;
    else if (text[at] === ',' && !isInside) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  return [...parts, text.slice(start).trim()];
}

function requirement(
  key: string | undefined,
  operator: 'in' | 'notin',
  values: readonly string[],
): LabelRequirement | undefined {
  return key !== undefined && values.every((value) => isLabel(key, value)) ? { key, operator, values } : undefined;
}

/** True when the API server accepts `key: value` as a label. */
export function isLabel(key: string, value: string): boolean {
  return isLabelKey(key) && value.length <= 63 && LABEL_VALUE.test(value);
}

function isLabelKey(key: string): boolean {
  const slash = key.indexOf('/');
  return LABEL_KEY.test(key) && slash <= 253 && key.length - slash - 1 <= 63;
}
