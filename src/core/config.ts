// ConfigMap data -> Config. Every key and every default of the configuration lives here and nowhere else.
import { parseDuration } from './duration.ts';
import { ACR_SECRET_NAME, DOMAIN, INSTANCE_LABEL, MANAGED_BY_LABEL, SECRET_NAME } from './names.ts';
import { nearest } from './nearest.ts';
import { isRecord } from './records.ts';
import { textOf } from './fields.ts';
import { isSecretName, parseItems, SECRET_NAME_FORM, type ItemParser, type RegistryItem } from './registry-items.ts';
import { buildRules } from './rules.ts';
import { isLabel, NO_NAMES, parseLabelSelector, parseNamePatterns } from './scope.ts';
import type { Config, Issue, LabelSelector, NamePatterns, Parsed, Scope } from './types.ts';
import { parseWebhookConfiguration, WEBHOOK_KEY } from './webhook-configuration.ts';
import { isBlank, parseYaml } from './yaml.ts';

/** Text of every key that has a default, as it would be written. */
export const CONFIG_DEFAULTS = {
  'watch-namespace': 'default',
  'service-account': 'default',
  'expiring-threshold': '15m',
  'exclude-namespace': '',
  'adopt-existing': 'vendor',
  'secret-name': SECRET_NAME,
  'acr-secret-name': ACR_SECRET_NAME,
} as const;

/** Every key of the ConfigMap that is read. */
export const CONFIG_KEYS: readonly string[] = [
  ...Object.keys(CONFIG_DEFAULTS),
  'registry-info',
  'acr-registry-info',
  'watch-namespace-selector',
  'service-account-selector',
  'region',
  'managed-secret-labels',
  'notify-email',
  WEBHOOK_KEY,
];

/** Keys of the vendor's that need nothing of us: read by nobody, reported by nobody. */
const SILENT_KEYS: readonly string[] = ['acr-api-version', '_example'];

/** Keys of the vendor's that this version does not serve. */
const UNSERVED_KEYS: readonly string[] = ['rrsa', 'acr-registry'];

/** What the parser must be told: how items become credential requests. */
export interface ConfigContext {
  readonly parseItem: ItemParser;
  /** Names of the providers, for messages. */
  readonly providers: readonly string[];
}

/** Most issues that are handed on: each is a log line, and people mend a few at a time. */
const MAX_ISSUES = 100;

type Read = (key: string) => string | undefined;
type Report = (issues: readonly Issue[]) => void;

/**
 * Reads the data of the ConfigMap: every issue at once (past a hundred, the rest is counted). Errors refuse the whole; unknown keys are warnings.
 * Grammar and defaults: `docs/configuration.md`.
 */
export function parseConfig(data: Readonly<Record<string, string>>, context: ConfigContext): Parsed<Config> {
  const issues: Issue[] = [];
  const report: Report = (found) => {
    for (const issue of found) issues.push(issue);
  };
  const read: Read = (key) => {
    const text = data[key]?.trim();
    return text === undefined || text === '' ? undefined : text;
  };

  report(unknownKeys(data));
  const scope = parseScope(read, report);
  const items = parseRegistries(data, read, report, { ...context, scope });
  const rules = buildRules(items, report);
  const thresholdMs = parseThreshold(read, report);
  const adoptExisting = parseAdoptExisting(read, report);
  const secretLabels = parseSecretLabels(data, read, report);
  const webhook = take(parseWebhookConfiguration(data[WEBHOOK_KEY]), report, undefined);

  if (issues.some((issue) => issue.severity === 'error')) return { ok: false, issues: capped(issues) };
  return {
    ok: true,
    value: { rules, thresholdMs, adoptExisting, secretLabels, email: read('notify-email'), webhook },
    issues: capped(issues),
  };
}

/** All of them in their order; too many: errors first, and one more issue that counts the rest. */
function capped(issues: readonly Issue[]): readonly Issue[] {
  if (issues.length <= MAX_ISSUES) return issues;
  const errors = issues.filter((issue) => issue.severity === 'error');
  const warnings = issues.filter((issue) => issue.severity === 'warning');
  const left = issues.length - MAX_ISSUES;
  const severity = errors.length > MAX_ISSUES ? 'error' : 'warning';
  return [...[...errors, ...warnings].slice(0, MAX_ISSUES), { severity, path: '', message: `… and ${left} more` }];
}

function unknownKeys(data: Readonly<Record<string, string>>): readonly Issue[] {
  return Object.keys(data).flatMap((key): Issue[] => {
    if (CONFIG_KEYS.includes(key) || SILENT_KEYS.includes(key)) return [];
    if (UNSERVED_KEYS.includes(key)) {
      return [{ severity: 'warning', path: key, message: 'is not served by this version and has no effect' }];
    }
    const close = nearest(key, CONFIG_KEYS);
    const hint = close === undefined ? `known keys are ${CONFIG_KEYS.join(', ')}` : `did you mean ${close}?`;
    return [{ severity: 'warning', path: key, message: `unknown key, ignored: ${hint}` }];
  });
}

function parseScope(read: Read, report: Report): Scope {
  const patterns = (key: keyof typeof CONFIG_DEFAULTS, selectorKey?: string): NamePatterns => {
    const selected = selectorKey !== undefined && read(selectorKey) !== undefined;
    const text = read(key) ?? (selected ? undefined : CONFIG_DEFAULTS[key]);
    return text === undefined || text === '' ? NO_NAMES : take(parseNamePatterns(text, key), report, NO_NAMES);
  };
  const selector = (key: string, listKey: string): LabelSelector | undefined => {
    const text = read(key);
    if (text === undefined) return undefined;
    if (/(^|,)\s*(\*|all)\s*(,|$)/i.test(read(listKey) ?? '')) {
      const message = `adds nothing beside ${listKey}, which already means everything: remove one of the two`;
      report([{ severity: 'warning', path: key, message }]);
    }
    return take(parseLabelSelector(text, key), report, undefined);
  };
  return {
    namespaces: patterns('watch-namespace', 'watch-namespace-selector'),
    namespaceSelector: selector('watch-namespace-selector', 'watch-namespace'),
    excludedNamespaces: patterns('exclude-namespace'),
    serviceAccounts: patterns('service-account', 'service-account-selector'),
    serviceAccountSelector: selector('service-account-selector', 'service-account'),
  };
}

function parseRegistries(
  data: Readonly<Record<string, string>>,
  read: Read,
  report: Report,
  inherited: ConfigContext & { readonly scope: Scope },
): readonly RegistryItem[] {
  const lists = [
    { key: 'acr-registry-info', provider: 'acr', secretName: secretName('acr-secret-name') },
    { key: 'registry-info', provider: undefined, secretName: secretName('secret-name') },
  ].flatMap((list) => {
    // As it was written: the first line's indentation counts, and so do empty lines before it.
    const text = read(list.key) === undefined ? undefined : data[list.key];
    return text === undefined ? [] : [{ ...list, text }];
  });
  if (lists.length === 0) {
    const message =
      'no registry is configured: set `registry-info` to a YAML list, e.g. `- provider: static` with `domains` and ' +
      '`secretRef`, or to `[]` to remove everything that was written';
    report([{ severity: 'error', path: 'registry-info', message }]);
    return [];
  }
  // A list that is only a comment is like none beside one that is not.
  const filled = lists.filter((list) => !isBlank(list.text));
  return (filled.length === 0 ? lists : filled).flatMap((list) =>
    parseItems({ ...list, ...inherited, region: read('region') }, report),
  );

  function secretName(key: 'secret-name' | 'acr-secret-name'): string {
    const name = read(key) ?? CONFIG_DEFAULTS[key];
    if (!isSecretName(name)) {
      report([{ severity: 'error', path: key, message: SECRET_NAME_FORM, value: name.slice(0, 80) }]);
    }
    return name;
  }
}

function parseThreshold(read: Read, report: Report): number {
  const text = read('expiring-threshold') ?? CONFIG_DEFAULTS['expiring-threshold'];
  const thresholdMs = parseDuration(text);
  if (thresholdMs === undefined) {
    const message = 'must be a duration with a unit, above zero: `15m`, `900s` or `1h30m`';
    report([{ severity: 'error', path: 'expiring-threshold', message, value: text.slice(0, 80) }]);
  }
  return thresholdMs ?? 0;
}

function parseAdoptExisting(read: Read, report: Report): Config['adoptExisting'] {
  const text = (read('adopt-existing') ?? CONFIG_DEFAULTS['adopt-existing']).toLowerCase();
  if (text === 'vendor' || text === 'all' || text === 'none') return text;
  const message = 'must be `vendor` (Secrets under a vendor’s well-known name), `all` or `none`';
  report([{ severity: 'error', path: 'adopt-existing', message, value: text.slice(0, 80) }]);
  return 'vendor';
}

function parseSecretLabels(
  data: Readonly<Record<string, string>>,
  read: Read,
  report: Report,
): Readonly<Record<string, string>> {
  const path = 'managed-secret-labels';
  const text = read(path);
  if (text === undefined) return {};
  const cure = 'write one `key: value` a line, or `key=value` joined by commas';
  const fail = (message: string, value?: string): void =>
    report([{ severity: 'error', path, message, ...(value === undefined ? {} : { value: value.slice(0, 80) }) }]);

  const isPairs = text.includes('=') && !/[:{}]/.test(text);
  const parsed: unknown = isPairs
    ? Object.fromEntries(text.split(/[,\n]/).flatMap((pair) => (pair.trim() === '' ? [] : [pairOf(pair)])))
    : (take(parseYaml(data[path] ?? '', path, cure), report, {}) ?? {});
  if (!isRecord(parsed)) {
    fail(`must be a map of labels: ${cure}`);
    return {};
  }
  const labels = new Map<string, string>();
  for (const [key, value] of Object.entries(parsed)) {
    const label = value === null ? '' : textOf(value);
    if (key === MANAGED_BY_LABEL || key === INSTANCE_LABEL || key.startsWith(`${DOMAIN}/`)) {
      fail('is a label that this program sets itself', key);
    } else if (label === undefined || !isLabel(key, label)) fail(`is not a label: ${cure}`, `${key}=${label ?? '…'}`);
    else labels.set(key, label);
  }
  return Object.fromEntries(labels);
}

function pairOf(pair: string): readonly [string, string] {
  const [key = '', ...value] = pair.split('=').map((part) => part.trim());
  return [key, value.join('=')];
}

/** The value, or `fallback` with every issue reported: parsing goes on to find them all. */
function take<T, F>(parsed: Parsed<T>, report: Report, fallback: F): T | F {
  report(parsed.issues);
  return parsed.ok ? parsed.value : fallback;
}
