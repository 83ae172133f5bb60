// Reads the fields of one item as vendors and people write them: any case, quoted numbers, empty means absent.
import { MASK, MASK_LEFT } from './mask.ts';
import { nearest } from './nearest.ts';
import { insideTypographicQuotes, TYPOGRAPHIC_QUOTES } from './quotes.ts';
import { isRecord } from './records.ts';
import type { Issue } from './types.ts';

/** Most unknown fields of one map that are named. */
const MAX_UNKNOWN = 20;

/** Reads fields by name and collects every issue on the way. */
export interface FieldReader {
  /** Trimmed text of a string or number; undefined when absent, empty or of another type (then an issue). A mask is an issue. */
  text(name: string): string | undefined;
  /** As `text`, and an issue when absent; `cure` says how to write it. */
  requiredText(name: string, cure: string): string | undefined;
  /** Members of a comma or YAML list, trimmed, quotes removed, empty ones dropped; undefined when absent or empty. A mask: as `text`. */
  list(name: string): readonly string[] | undefined;
  /** True or false, quoted or not; undefined when absent, empty or anything else (then an issue). */
  flag(name: string): boolean | undefined;
  /** A nested map, read with the same rules; undefined when absent. */
  object(name: string): FieldReader | undefined;
  /** Records an error (or warning) at `name`; not where a mask was found, which says it all. */
  report(name: string, message: string, options?: { severity?: Issue['severity']; value?: string }): void;
  /** Every issue so far, one warning for each field that nobody read included. */
  issues(): readonly Issue[];
}

/** Reads `input`; `path` precedes field names in issues ('' at the top). Field names match in any case, `-` and `_` ignored. */
export function readFields(input: Readonly<Record<string, unknown>>, path = ''): FieldReader {
  const known = new Set<string>();
  const found: Issue[] = [];
  /** Fields that hold the mask: nothing else is said of them, since nobody knows what belongs there. */
  const masked = new Set<string>();
  const nested: FieldReader[] = [];
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);

  const report: FieldReader['report'] = (name, message, options = {}) => {
    if (masked.has(name)) return;
    found.push({
      severity: options.severity ?? 'error',
      path: at(name),
      message,
      ...(options.value === undefined ? {} : { value: options.value }),
    });
  };

  const raw = (name: string): unknown => {
    known.add(name);
    const wanted = foldName(name);
    const keys = Object.keys(input).filter((key) => foldName(key) === wanted);
    if (keys.length > 1) report(name, `${keys.join(' and ')} mean the same field: keep one of them`);
    return keys[0] === undefined ? undefined : input[keys[0]];
  };

  /** Trimmed, and without typographic quotes around it, of which one warning tells; with a mask in it, one error. */
  const plain = (name: string, written: string): string => {
    if (written.includes(MASK)) {
      report(name, MASK_LEFT);
      masked.add(name);
    }
    const inner = insideTypographicQuotes(written);
    if (inner === undefined) return written.trim();
    const isTold = found.some((issue) => issue.path === at(name) && issue.message === TYPOGRAPHIC_QUOTES);
    if (!isTold) report(name, TYPOGRAPHIC_QUOTES, { severity: 'warning' });
    return inner;
  };

  const text = (name: string): string | undefined => {
    const value = raw(name);
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'object' || typeof value === 'boolean') {
      const what = typeof value === 'boolean' ? String(value) : Array.isArray(value) ? 'a list' : 'a map';
      report(name, `must be text, not ${what}`);
      return undefined;
    }
    const trimmed = plain(name, textOf(value) ?? '');
    return trimmed === '' ? undefined : trimmed;
  };

  return {
    text,
    requiredText(name, cure) {
      const before = found.length;
      const value = text(name);
      if (value === undefined && found.length === before) report(name, `is missing: ${cure}`);
      return value;
    },
    list(name) {
      const value = raw(name);
      const members = Array.isArray(value)
        ? value.map((member: unknown) => textOf(member) ?? '')
        : (text(name) ?? '').split(',');
      if (Array.isArray(value) && value.some((member) => typeof member === 'object')) {
        report(name, 'must be a list of plain texts');
      }
      const clean = members.map((member) =>
        plain(name, member)
          .replace(/^["'](.*)["']$/, '$1')
          .trim(),
      );
      const kept = clean.filter((member) => member !== '');
      return kept.length === 0 ? undefined : kept;
    },
    flag(name) {
      const value = raw(name);
      if (typeof value === 'boolean' || value === undefined || value === null) return value ?? undefined;
      const word = typeof value === 'string' ? plain(name, value).toLowerCase() : '?';
      if (word !== 'true' && word !== 'false' && word !== '') report(name, 'must be `true` or `false`');
      return word === 'true' || word === 'false' ? word === 'true' : undefined;
    },
    object(name) {
      const value = raw(name);
      if (value === undefined || value === null || value === '') return undefined;
      if (!isRecord(value)) {
        report(name, 'must be a map of fields');
        return undefined;
      }
      const reader = readFields(value, at(name));
      nested.push(reader);
      return reader;
    },
    report,
    issues() {
      const read = new Set([...known].map(foldName));
      const unknown = Object.keys(input).filter((key) => !read.has(foldName(key)));
      const warnings = unknown.slice(0, MAX_UNKNOWN).map((key): Issue => {
        const close = nearest(key, [...known]);
        const hint = close === undefined ? `known are ${[...known].join(', ')}` : `did you mean ${close}?`;
        return { severity: 'warning', path: at(nameOf(key)), message: `unknown field, ignored: ${hint}` };
      });
      if (unknown.length > MAX_UNKNOWN) {
        const message = `${unknown.length - MAX_UNKNOWN} more unknown fields, ignored`;
        warnings.push({ severity: 'warning', path: at('…'), message });
      }
      return [...found, ...nested.flatMap((reader) => reader.issues()), ...warnings];
    },
  };
}

/** Text of a string, number or boolean; undefined for everything else. */
export function textOf(value: unknown): string | undefined {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}

/** The part of a key that is surely a name: where the space after the colon is forgotten, the value is part of the key. */
function nameOf(key: string): string {
  return /^[\w-]{1,64}/.exec(key)?.[0] ?? '…';
}

/** Two spellings of a field name are the same field when this gives the same text: `instanceId`, `InstanceID`, `instance-id`. */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '');
}
