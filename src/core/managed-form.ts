// The form of Alibaba's managed edition, and other spellings of a key, -> the keys of the ConfigMap (acr.md section 4).
import { parseDuration } from './duration.ts';
import { foldName, textOf } from './fields.ts';
import { isRecord } from './records.ts';
import { parseNamePatterns } from './scope.ts';
import type { Issue } from './types.ts';
import { isBlank, parseYaml } from './yaml.ts';

/** Data of a ConfigMap, or of what becomes one. */
export type ConfigData = Readonly<Record<string, string>>;

/** Keys of the ConfigMap that the managed edition has, and their names there. */
export const MANAGED_NAMES: ReadonlyMap<string, string> = new Map([
  ['acr-registry-info', 'AcrInstanceInfo'],
  ['rrsa', 'enableRRSA'],
  ['expiring-threshold', 'expiringThreshold'],
  ['service-account', 'serviceAccount'],
  ['watch-namespace', 'watchNamespace'],
  ['notify-email', 'notifyEmail'],
]);

/** Every such name, folded, and the key that it equals. */
const EQUAL_KEYS: ReadonlyMap<string, string> = new Map(
  [...MANAGED_NAMES, ['tokenMode', 'tokenMode'] as const].map(([key, name]) => [foldName(name), key]),
);

/** The keys of the ConfigMap, and the names under which they were written where those differ. */
export interface ConfigMapForm {
  readonly data: ConfigData;
  readonly writtenAs: ReadonlyMap<string, string>;
}

type Report = (issues: readonly Issue[]) => void;

/** The key of the ConfigMap that `name` means, in any case of the managed edition's names; undefined when it is none of those. */
export function equalKey(name: string): string | undefined {
  const key = EQUAL_KEYS.get(foldName(name));
  // With dashes only as we write it: `watch_namespace` is a mistake, not a form.
  return key === name || /^[A-Za-z]+$/.test(name) || foldName(name) === 'tokenmode' ? key : undefined;
}

/**
 * `data` with the keys of the ConfigMap. A key that is given in both forms is an error that names both, unless they say the same;
 * an empty one says nothing.
 */
export function toConfigMapForm(written: ConfigData, report: Report): ConfigMapForm {
  const data = new Map<string, string>();
  const writtenAs = new Map<string, string>();
  // What bears its own name comes first: it keeps its text, and so its lines.
  const isOwn = (name: string): number => ((equalKey(name) ?? name) === name ? 1 : 0);
  const names = Object.keys(written).sort((a, b) => isOwn(b) - isOwn(a));
  for (const name of names) {
    const key = equalKey(name) ?? name;
    const text = name === key ? (written[name] ?? '') : textUnder(key, { name, text: written[name] ?? '' }, report);
    const known = data.get(key);
    if (known === undefined || (isBlank(known) && !isBlank(text))) {
      data.set(key, text);
      if (name === key) writtenAs.delete(key);
      else writtenAs.set(key, name);
    } else if (!isBlank(text) && meaningOf(key, known) !== meaningOf(key, text)) {
      const message = `means the same key as \`${writtenAs.get(key) ?? key}\`, and says something else: keep one of the two`;
      report([{ severity: 'error', path: name, message }]);
    }
  }
  return { data: Object.fromEntries(data), writtenAs };
}

/** The issue with the name under which its key was written. */
export function nameAsWritten(issue: Issue, writtenAs: ReadonlyMap<string, string>): Issue {
  const [, key = '', rest = ''] = /^([^[.]*)(.*)$/s.exec(issue.path) ?? [];
  const name = writtenAs.get(key);
  return name === undefined ? issue : { ...issue, path: `${name}${rest}` };
}

/** A document of the managed edition, as its API and Terraform take it, as data of a ConfigMap. */
export function documentData(document: Readonly<Record<string, unknown>>): ConfigData {
  return Object.fromEntries(
    Object.entries(document).flatMap(([name, value]) => {
      if (value === null || value === undefined) return [];
      // Several lines, so that issues have one.
      return [[name, textOf(value) ?? JSON.stringify(value, undefined, 2)] as const];
    }),
  );
}

/** What stands under the name of the managed edition, as the ConfigMap says it. */
function textUnder(
  key: string,
  { name, text }: { readonly name: string; readonly text: string },
  report: Report,
): string {
  // Its default, which is not our `[]`: it leaves the Personal Edition.
  if (key === 'acr-registry-info') return /^\s*\[\s*\]\s*$/.test(text) ? '' : text;
  if (key !== 'rrsa') return text;
  const word = /^\s*(?:(true|false)|["“”]\s*(true|false)\s*["“”])\s*$/i.exec(text);
  const flag = (word?.[1] ?? word?.[2])?.toLowerCase();
  if (flag === undefined && text.trim() !== '') {
    report([{ severity: 'error', path: name, message: 'must be `true` or `false`', value: text.trim().slice(0, 80) }]);
  }
  return flag === undefined ? '' : `enable: ${flag}`;
}

/** Equal for texts that mean the same under `key`. */
function meaningOf(key: string, text: string): string {
  switch (key) {
    case 'acr-registry-info':
    case 'rrsa': {
      const parsed = parseYaml(text, key, '');
      return parsed.ok ? JSON.stringify(plainOf(parsed.value)) : text.trim();
    }
    case 'expiring-threshold':
      return String(parseDuration(text) ?? text.trim());
    case 'service-account':
    case 'watch-namespace': {
      const parsed = parseNamePatterns(text, key);
      if (!parsed.ok) return text.trim();
      const { names, globs, excluded } = parsed.value;
      return JSON.stringify([[...names].sort(), [...globs].sort(), [...excluded].sort()]);
    }
    default:
      return text.trim().toLowerCase();
  }
}

/** Scalars as texts, names of fields folded and in order, empty ones left out. */
function plainOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainOf);
  if (!isRecord(value)) return textOf(value)?.trim() ?? '';
  const fields = Object.entries(value).map(([name, content]) => [foldName(name), plainOf(content)] as const);
  return fields.filter(([, content]) => content !== '').sort(([a], [b]) => (a < b ? -1 : 1));
}
