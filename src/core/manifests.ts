// A file -> the configurations in it: ConfigMaps, and the documents that the managed edition's API and Terraform take.
import { CONFIG_KEYS } from './config.ts';
import { correctYaml } from './corrections.ts';
import { textOf } from './fields.ts';
import { documentData, equalKey, type ConfigData } from './managed-form.ts';
import { isRecord } from './records.ts';
import type { Issue, Parsed } from './types.ts';
import { parseDocuments } from './yaml.ts';

/** One configuration in a file. */
export interface FoundConfiguration {
  /** Of the ConfigMap; undefined where the file does not say. */
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly data: ConfigData;
}

const CURE = 'write a ConfigMap as YAML or JSON, or the JSON document of the managed edition';

/** JSON inside of JSON, as APIs pass it on: how deep it is followed. */
const MAX_DEPTH = 4;

type Report = (issues: readonly Issue[]) => void;

/**
 * Reads every configuration of a file; lines of issues are those of the file. What `kubectl` refuses is told: a misindented field
 * of `metadata` is read as if it were aligned, everything else that is not YAML is an error.
 */
export function parseManifests(text: string): Parsed<readonly FoundConfiguration[]> {
  const issues: Issue[] = [];
  const report: Report = (found) => void issues.push(...found);
  const documents = readDocuments(text, report);
  const found = documents.flatMap((document) => configurationsIn(document, report, 0));
  if (found.length === 0 && !issues.some(({ severity }) => severity === 'error')) {
    report([{ severity: 'error', path: 'file', message: `holds no configuration: ${CURE}` }]);
  }
  return issues.some(({ severity }) => severity === 'error')
    ? { ok: false, issues }
    : { ok: true, value: found, issues };
}

function readDocuments(text: string, report: Report): readonly unknown[] {
  const parsed = parseDocuments(text, 'file', CURE);
  if (parsed.ok) return parsed.value;
  const corrected = correctYaml(text);
  const line = corrected === undefined ? undefined : lineInMetadata(text, corrected);
  const again = corrected === undefined || line === undefined ? undefined : parseDocuments(corrected, 'file', CURE);
  if (again?.ok !== true) {
    report(parsed.issues);
    return [];
  }
  const message =
    'stands in another column than the fields of `metadata` beside it, and kubectl refuses the file for it: it is read as if they were aligned';
  report([{ severity: 'warning', path: 'file', message, ...(line === undefined ? {} : { line }) }]);
  return again.value;
}

/** One-based number of the first line that differs; undefined when one outside of `metadata` does. */
function lineInMetadata(text: string, corrected: string): number | undefined {
  const [before, after] = [text, corrected].map((whole) => whole.split('\n').map((line) => line.trimEnd()));
  if (before === undefined || before.length !== after?.length) return undefined;
  let key = '';
  let first: number | undefined;
  for (const [at, line] of before.entries()) {
    key = /^([\w-]+)\s*:/.exec(line)?.[1] ?? key;
    if (line === after[at]) continue;
    if (key !== 'metadata') return undefined;
    first ??= at + 1;
  }
  return first;
}

function configurationsIn(document: unknown, report: Report, depth: number): readonly FoundConfiguration[] {
  if (depth > MAX_DEPTH) return [];
  if (Array.isArray(document)) {
    return document.flatMap((member: unknown) => configurationsIn(member, report, depth + 1));
  }
  if (typeof document === 'string') {
    const parsed = parseDocuments(document, 'file', CURE);
    report(parsed.issues);
    return parsed.ok ? parsed.value.flatMap((member) => configurationsIn(member, report, depth + 1)) : [];
  }
  if (!isRecord(document)) return [];
  const { kind, items, config } = document;
  if (Array.isArray(items) && (kind === undefined || (textOf(kind) ?? '').endsWith('List'))) {
    return configurationsIn(items, report, depth + 1);
  }
  if (kind === 'ConfigMap' || (kind === undefined && isRecord(document.data))) return [configMapIn(document, report)];
  if (kind !== undefined) return [];
  if (Object.keys(document).some((key) => CONFIG_KEYS.includes(key) || equalKey(key) !== undefined)) {
    return [{ namespace: undefined, name: undefined, data: documentData(document) }];
  }
  return typeof config === 'string' || isRecord(config) ? configurationsIn(config, report, depth + 1) : [];
}

function configMapIn(document: Readonly<Record<string, unknown>>, report: Report): FoundConfiguration {
  const metadata = isRecord(document.metadata) ? document.metadata : {};
  const data = isRecord(document.data) ? document.data : {};
  if (metadata.selfLink !== undefined) {
    const message = 'is set by the API server, and newer ones know it no more: leave it out';
    report([{ severity: 'warning', path: 'metadata.selfLink', message }]);
  }
  const strange = Object.keys(data).filter((key) => typeof data[key] !== 'string' && data[key] !== null);
  for (const key of strange) {
    const message = 'is no text, and kubectl refuses the file for it: put it into quotes, or write `|` after the colon';
    report([{ severity: 'warning', path: key, message }]);
  }
  const nameAt = (field: 'namespace' | 'name'): string | undefined => {
    const text = textOf(metadata[field]);
    if (text === undefined || /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(text)) return text;
    // It stands in commands that people paste.
    const message = 'must be a name as Kubernetes takes it: lower-case letters, digits, - and .';
    report([{ severity: 'error', path: `metadata.${field}`, message, value: text.slice(0, 80) }]);
    return undefined;
  };
  return { namespace: nameAt('namespace'), name: nameAt('name'), data: documentData(data) };
}
