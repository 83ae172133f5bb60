// The labels that the configuration adds to our Secrets.
import { textOf } from './fields.ts';
import { DOMAIN, INSTANCE_LABEL, MANAGED_BY_LABEL } from './names.ts';
import { insideTypographicQuotes, TYPOGRAPHIC_QUOTES } from './quotes.ts';
import { isRecord } from './records.ts';
import { isLabel } from './scope.ts';
import type { Issue } from './types.ts';
import { parseYaml } from './yaml.ts';

type Report = (issues: readonly Issue[]) => void;

/** Reads `key: value` lines, or `key=value` joined by commas; what is no label is reported and left out. */
export function parseSecretLabels(text: string, report: Report): Readonly<Record<string, string>> {
  const path = 'managed-secret-labels';
  const cure = 'write one `key: value` a line, or `key=value` joined by commas';
  const fail = (message: string, value?: string): void =>
    report([{ severity: 'error', path, message, ...(value === undefined ? {} : { value: value.slice(0, 80) }) }]);

  const isPairs = text.includes('=') && !/[:{}]/.test(text);
  const parsed: unknown = isPairs
    ? Object.fromEntries(text.split(/[,\n]/).flatMap((pair) => (pair.trim() === '' ? [] : [pairOf(pair)])))
    : parseMap(text, { path, cure }, report);
  if (!isRecord(parsed)) {
    fail(`must be a map of labels: ${cure}`);
    return {};
  }
  const labels = new Map<string, string>();
  for (const [key, value] of Object.entries(parsed)) {
    const written = value === null ? '' : textOf(value);
    const inner = written === undefined ? undefined : insideTypographicQuotes(written);
    if (inner !== undefined) report([{ severity: 'warning', path, message: TYPOGRAPHIC_QUOTES }]);
    const label = inner ?? written;
    if (key === MANAGED_BY_LABEL || key === INSTANCE_LABEL || key.startsWith(`${DOMAIN}/`)) {
      fail('is a label that this program sets itself', key);
    } else if (label === undefined || !isLabel(key, label)) fail(`is not a label: ${cure}`, `${key}=${label ?? '…'}`);
    else labels.set(key, label);
  }
  return Object.fromEntries(labels);
}

function parseMap(
  text: string,
  { path, cure }: { readonly path: string; readonly cure: string },
  report: Report,
): unknown {
  const parsed = parseYaml(text, path, cure);
  report(parsed.issues);
  return parsed.ok ? (parsed.value ?? {}) : {};
}

function pairOf(pair: string): readonly [string, string] {
  const [key = '', ...value] = pair.split('=').map((part) => part.trim());
  return [key, value.join('=')];
}
