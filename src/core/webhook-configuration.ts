// The key `webhook-configuration`: the only switch of the admission webhook, in the words of Alibaba's add-on.
import { foldName, readFields } from './fields.ts';
import { insideTypographicQuotes, TYPOGRAPHIC_QUOTES } from './quotes.ts';
import { isRecord } from './records.ts';
import type { Issue, Parsed } from './types.ts';
import { parseYaml } from './yaml.ts';

/** How the API server asks the webhook. */
export interface WebhookConfiguration {
  /** What becomes of a ServiceAccount while the webhook does not answer: `Ignore` = it passes, `Fail` = it is refused. */
  readonly failurePolicy: 'Ignore' | 'Fail';
  /** How long the API server waits for an answer: 1 to 30. */
  readonly timeoutSeconds: number;
}

/** The name of the key. */
export const WEBHOOK_KEY = 'webhook-configuration';

const DEFAULTS: WebhookConfiguration = { failurePolicy: 'Ignore', timeoutSeconds: 3 };
const CURE = 'write `enable: true`, and where wanted `failure-policy: Ignore` and `timeout-seconds: 3`, each on a line';

/**
 * Reads the text of the key; undefined = the webhook is off, which it also is without the key. Other values than the documented
 * ones are errors with path, line and cure; `Fail` is a warning that says what it means.
 */
export function parseWebhookConfiguration(written: string | undefined): Parsed<WebhookConfiguration | undefined> {
  const inner = insideTypographicQuotes(written ?? '');
  const text = inner ?? written ?? '';
  const parsed = parseYaml(text, WEBHOOK_KEY, CURE);
  if (!parsed.ok) return parsed;
  if (parsed.value === undefined) return { ok: true, value: undefined, issues: [] };
  if (!isRecord(parsed.value)) {
    return { ok: false, issues: [{ severity: 'error', path: WEBHOOK_KEY, message: `must be a map: ${CURE}` }] };
  }
  // A reader of fields takes texts; `enable: true` is a boolean in YAML and a text in quotes.
  const pairs = Object.entries(parsed.value).map(([key, value]) => [key, isBoolean(value) ? String(value) : value]);
  const reader = readFields(Object.fromEntries(pairs) as Record<string, unknown>, WEBHOOK_KEY);
  const refuse = (field: string, message: string, value: string): void =>
    reader.report(field, message, { value: value.slice(0, 80) });

  const enable = reader.text('enable');
  const enabled = enable?.toLowerCase();
  if (enable === undefined) {
    reader.report('enable', 'is missing, so the webhook is off: write `enable: true`', { severity: 'warning' });
  } else if (enabled !== 'true' && enabled !== 'false') refuse('enable', 'must be `true` or `false`', enable);

  const policy = reader.text('failure-policy');
  const failurePolicy = policy === undefined ? DEFAULTS.failurePolicy : parsePolicy(policy);
  if (policy !== undefined && failurePolicy === undefined) {
    refuse('failure-policy', 'must be `Ignore` (while no replica answers, the watch repairs later) or `Fail`', policy);
  }
  if (failurePolicy === 'Fail' && enabled === 'true') {
    const message =
      'means that no ServiceAccount can be created or changed while no replica answers, by nobody, in any namespace that the webhook covers: `Ignore` lets them pass, and the watch repairs them';
    reader.report('failure-policy', message, { severity: 'warning' });
  }

  const timeout = reader.text('timeout-seconds');
  const timeoutSeconds = timeout === undefined ? DEFAULTS.timeoutSeconds : Number(timeout);
  if (timeout !== undefined && (!Number.isInteger(timeoutSeconds) || timeoutSeconds < 1 || timeoutSeconds > 30)) {
    refuse('timeout-seconds', 'must be a whole number of seconds from 1 to 30, without a unit', timeout);
  }

  const quotes: Issue = { severity: 'warning', path: WEBHOOK_KEY, message: TYPOGRAPHIC_QUOTES };
  const issues = [...(inner === undefined ? [] : [quotes]), ...reader.issues().map((issue) => withLine(issue, text))];
  if (failurePolicy === undefined || issues.some((issue) => issue.severity === 'error')) return { ok: false, issues };
  return { ok: true, value: enabled === 'true' ? { failurePolicy, timeoutSeconds } : undefined, issues };
}

function parsePolicy(text: string): WebhookConfiguration['failurePolicy'] | undefined {
  return (['Ignore', 'Fail'] as const).find((policy) => policy.toLowerCase() === text.toLowerCase());
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

/** The line on which the field of the issue stands, where it is found. */
function withLine(issue: Issue, text: string): Issue {
  const field = foldName(issue.path.slice(WEBHOOK_KEY.length + 1));
  const at = text.split('\n').findIndex((line) => {
    const key = /^\s*\{?\s*["']?([\w-]+)["']?\s*:/.exec(line)?.[1];
    return key !== undefined && foldName(key) === field;
  });
  return at < 0 ? issue : { ...issue, line: at + 1 };
}
