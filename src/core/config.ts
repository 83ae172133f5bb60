// ConfigMap data -> Config. Every key and every default of the configuration lives here and nowhere else.
import { parseDuration } from './duration.ts';
import { writeImpliedRegistry } from './implied-registry.ts';
import { parseItemDefaults, type ItemDefaults } from './item-defaults.ts';
import { nameAsWritten, toConfigMapForm, type ConfigData } from './managed-form.ts';
import { MASK, MASK_LEFT } from './mask.ts';
import { ACR_SECRET_NAME, EXAMPLE_KEY, SECRET_NAME } from './names.ts';
import { nearest } from './nearest.ts';
import { insideTypographicQuotes, TYPOGRAPHIC_QUOTES } from './quotes.ts';
import { isSecretName, parseItems, SECRET_NAME_FORM, type ItemParser, type RegistryItem } from './registry-items.ts';
import { buildRules } from './rules.ts';
import { NO_NAMES, parseLabelSelector, parseNamePatterns } from './scope.ts';
import { withoutKeys } from './secrecy.ts';
import { parseSecretLabels } from './secret-labels.ts';
import type { Config, Issue, LabelSelector, NamePatterns, Parsed, Scope } from './types.ts';
import { parseWebhookConfiguration, WEBHOOK_KEY } from './webhook-configuration.ts';
import { isBlank } from './yaml.ts';

/** Text of every key that has a default, as it would be written. */
export const CONFIG_DEFAULTS = {
  'watch-namespace': 'default',
  'service-account': 'default',
  'expiring-threshold': '15m',
  'exclude-namespace': '',
  'adopt-existing': 'vendor',
  'secret-name': SECRET_NAME,
  'acr-secret-name': ACR_SECRET_NAME,
  tokenMode: 'auto',
} as const;

/** Every key of the ConfigMap that is read. */
export const CONFIG_KEYS: readonly string[] = [
  ...Object.keys(CONFIG_DEFAULTS),
  'registry-info',
  'acr-registry-info',
  'tcr-registry-info',
  'watch-namespace-selector',
  'service-account-selector',
  'region',
  'managed-secret-labels',
  'notify-email',
  'rrsa',
  'rrsa-service-account',
  'acr-registry',
  WEBHOOK_KEY,
];

/** Keys that select nothing, and that nobody is told of. */
const SILENT_KEYS: readonly string[] = ['acr-api-version', EXAMPLE_KEY];

/** Keys whose text is YAML or a list of names: what stands there unquotes its own members. */
const STRUCTURED_KEYS: readonly string[] = [
  ...['registry-info', 'acr-registry-info', 'acr-registry', 'managed-secret-labels', 'rrsa'],
  ...[WEBHOOK_KEY, 'tcr-registry-info'],
];

/** What the parser must be told: how items become credential requests. */
export interface ConfigContext {
  readonly parseItem: ItemParser;
  /** Names of the providers, for messages. */
  readonly providers: readonly string[];
  /** Our own namespace: that of a ServiceAccount that is named without one. */
  readonly namespace: string;
}

/** Most issues that are handed on: each is a log line, and people mend a few at a time. */
const MAX_ISSUES = 100;

type Read = (key: string) => string | undefined;
type Report = (issues: readonly Issue[]) => void;

/** The data under the keys of the ConfigMap, whatever form it was written in. */
interface Source {
  readonly data: ConfigData;
  /** Trimmed text of a key; undefined when absent or empty. */
  readonly read: Read;
  /** See `writeImpliedRegistry`. */
  readonly impliedBy: string | undefined;
}

/**
 * Reads the data of the ConfigMap: every issue at once (past a hundred, the rest is counted). Errors refuse the whole; unknown keys are warnings.
 * Grammar and defaults: `docs/configuration.md`.
 */
export function parseConfig(written: ConfigData, context: ConfigContext): Parsed<Config> {
  const issues: Issue[] = [];
  const report: Report = (found) => {
    for (const issue of found) issues.push(issue);
  };
  const form = toConfigMapForm(written, report);
  const named: Report = (found) => report(found.map((issue) => nameAsWritten(issue, form.writtenAs)));
  named(unknownKeys(form.data));
  const { data, impliedBy } = writeImpliedRegistry(form.data, named);
  const read = readTexts(data, named);

  const scope = parseScope(read, named);
  const defaults = parseItemDefaults({ data, read, namespace: context.namespace }, named);
  const items = parseRegistries({ data, read, impliedBy }, named, { ...context, scope, defaults });
  const rules = buildRules(items, named);
  const thresholdMs = parseThreshold(read, named);
  const adoptExisting = parseAdoptExisting(read, named);
  const secretLabels = parseSecretLabels(data['managed-secret-labels'] ?? '', named);
  const webhook = take(parseWebhookConfiguration(data[WEBHOOK_KEY]), named, undefined);

  // Whatever was written where: what looks like a cloud's key is shown to nobody.
  const told = capped(issues).map(withoutKeys);
  if (issues.some((issue) => issue.severity === 'error')) return { ok: false, issues: told };
  return {
    ok: true,
    value: { rules, thresholdMs, adoptExisting, secretLabels, email: read('notify-email'), webhook },
    issues: told,
  };
}

/** Builds what gives the trimmed text of a key; typographic quotes around it are a warning, a mask in it is an error, each told once. */
export function readTexts(data: ConfigData, report: Report): Read {
  const texts = new Map<string, string>();
  for (const [key, written] of Object.entries(data)) {
    const isPlain = CONFIG_KEYS.includes(key) && !STRUCTURED_KEYS.includes(key);
    const inner = isPlain ? insideTypographicQuotes(written) : undefined;
    const isMasked = isPlain && written.includes(MASK);
    if (inner !== undefined) report([{ severity: 'warning', path: key, message: TYPOGRAPHIC_QUOTES }]);
    if (isMasked) report([{ severity: 'error', path: key, message: MASK_LEFT }]);
    texts.set(key, isMasked ? '' : (inner ?? written.trim()));
  }
  return (key) => {
    const text = texts.get(key);
    return text === '' ? undefined : text;
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

function unknownKeys(data: ConfigData): readonly Issue[] {
  return Object.keys(data).flatMap((key): Issue[] => {
    if (CONFIG_KEYS.includes(key) || SILENT_KEYS.includes(key)) return [];
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
  { data, read, impliedBy }: Source,
  report: Report,
  inherited: ConfigContext & { readonly scope: Scope; readonly defaults: ItemDefaults },
): readonly RegistryItem[] {
  const ofAll = secretName('secret-name');
  const lists = [
    { key: 'acr-registry-info', provider: 'acr', secretName: secretName('acr-secret-name') },
    { key: 'tcr-registry-info', provider: 'tcr', secretName: ofAll },
    { key: 'registry-info', provider: undefined, secretName: ofAll },
  ].flatMap((list) => {
    // As it was written: the first line's indentation counts, and so do empty lines before it.
    const text = read(list.key) === undefined ? undefined : data[list.key];
    return text === undefined ? [] : [{ ...list, text }];
  });
  if (lists.length === 0) {
    const message =
      'no registry configured: set `registry-info` to a YAML list, e.g. `- provider: acr` with `instanceId` and `regionId`, or ' +
      '`- provider: static` with `domains` and `secretRef`; or to `[]` to remove everything that was written';
    // An error, so that a key that got lost removes nothing.
    report([{ severity: 'error', path: 'registry-info', message }]);
    return [];
  }
  // A list that is only a comment is like none beside one that is not.
  const filled = lists.filter((list) => !isBlank(list.text));
  return (filled.length === 0 ? lists : filled).flatMap((list) => {
    const isImplied = impliedBy !== undefined && list.key === 'acr-registry-info';
    const told: Report = isImplied ? (issues) => report(issues.map((issue) => atKey(issue, impliedBy))) : report;
    return parseItems({ ...list, ...inherited }, told);
  });

  function secretName(key: 'secret-name' | 'acr-secret-name'): string {
    const name = read(key) ?? CONFIG_DEFAULTS[key];
    if (!isSecretName(name)) {
      report([{ severity: 'error', path: key, message: SECRET_NAME_FORM, value: name.slice(0, 80) }]);
    }
    return name;
  }
}

/** An issue of the item that a key implied: nobody wrote the list that it is in. */
function atKey(issue: Issue, key: string): Issue {
  const { severity, message, value } = issue;
  const path = issue.path.replace(/^[^.]*/, key);
  return { severity, path, message, ...(value === undefined ? {} : { value }) };
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
  const text = read('adopt-existing') ?? CONFIG_DEFAULTS['adopt-existing'];
  const word = text.toLowerCase();
  if (word === 'vendor' || word === 'all' || word === 'none') return word;
  const message = 'must be `vendor` (Secrets under a vendor’s well-known name), `all` or `none`';
  report([{ severity: 'error', path: 'adopt-existing', message, value: text.slice(0, 80) }]);
  return 'vendor';
}

/** The value, or `fallback` with every issue reported: parsing goes on to find them all. */
function take<T, F>(parsed: Parsed<T>, report: Report, fallback: F): T | F {
  report(parsed.issues);
  return parsed.ok ? parsed.value : fallback;
}
