// Reads YAML that people wrote inside a ConfigMap value, and writes what they should have written.
import {
  CORE_SCHEMA,
  defineScalarTag,
  dump,
  floatCoreTag,
  intCoreTag,
  load,
  loadAll,
  NOT_RESOLVED,
  parseEvents,
  YAMLException,
} from 'js-yaml';
import { correctYaml } from './corrections.ts';
import { isEachInPlace } from './item-fields.ts';
import { mayHoldSecret, withoutSecrets } from './secrecy.ts';
import type { Issue, Parsed } from './types.ts';

/** Longest text that is read, characters: a ConfigMap holds no more. */
const MAX_TEXT = 1_048_576;

/** Why it is refused; a glob without quotes is the most likely cause. */
const NO_ANCHORS =
  'anchors and aliases are not read: write it out, or put a text that begins with `&` or `*` into quotes';

/** Numbers whose own text says the same stay numbers; `0123`, `12e4`, `1.10` and more digits than a number holds are texts. */
const SCHEMA = CORE_SCHEMA.withTags(
  [intCoreTag, floatCoreTag].map((tag) =>
    defineScalarTag<number>(tag.tagName, {
      ...tag,
      resolve: (source, ...rest) => {
        const value = tag.resolve(source, ...rest);
        return String(value) === source && !source.includes('e') ? value : NOT_RESOLVED;
      },
    }),
  ),
);

/** Why a text is not read. */
interface Refusal {
  readonly message: string;
  /** One-based. */
  readonly line: number | undefined;
}

/**
 * Reads one YAML (or JSON) document; a blank or comment-only text is `undefined`. Never half-reads: what is not YAML is one
 * issue with its line, which is quoted unless it could hold a secret, and with the corrected text where the mistake is a known
 * one. `cure` says how it should look. Digits that a number would change are texts. Anchors and aliases are refused: a few lines
 * with them stand for more than any memory holds.
 */
export function parseYaml(text: string, path: string, cure: string): Parsed<unknown> {
  if (isBlank(text)) return { ok: true, value: undefined, issues: [] };
  const read = readOnce(text, loadOne, cure);
  if (read.ok) return { ok: true, value: read.value, issues: [] };
  return { ok: false, issues: [issueOf(text, path, { ...read, correction: correctionOf(text) })] };
}

/** Reads a file of one or more YAML or JSON documents, empty ones left out; issues as those of `parseYaml`, without a correction. */
export function parseDocuments(text: string, path: string, cure: string): Parsed<readonly unknown[]> {
  if (isBlank(text)) return { ok: true, value: [], issues: [] };
  const read = readOnce(text, (all) => loadAll(all, { schema: SCHEMA }), cure);
  if (!read.ok) return { ok: false, issues: [issueOf(text, path, read)] };
  return { ok: true, value: read.value.filter((document) => document !== null), issues: [] };
}

/** The value as YAML, no line folded. Throws for what YAML cannot say. */
export function renderYaml(value: unknown): string {
  return dump(value, { lineWidth: -1, noRefs: true });
}

function loadOne(text: string): unknown {
  return load(text, { schema: SCHEMA });
}

function readOnce<T>(
  text: string,
  read: (text: string) => T,
  cure: string,
): { readonly ok: true; readonly value: T } | ({ readonly ok: false } & Refusal) {
  if (text.length > MAX_TEXT) return { ok: false, message: `is longer than ${MAX_TEXT} characters`, line: undefined };
  try {
    const line = lineOfAnchor(text);
    return line === undefined ? { ok: true, value: read(text) } : { ok: false, message: NO_ANCHORS, line };
  } catch (error) {
    const line = error instanceof YAMLException && error.mark !== undefined ? error.mark.line + 1 : undefined;
    // A reason may quote what it found: names of anchors and tags, which a password without quotes looks like.
    const why = error instanceof YAMLException ? error.reason.replace(/["<!*&%].*$/s, '').trim() : 'unreadable';
    return { ok: false, message: `is not YAML (${why}): ${cure}`, line };
  }
}

function issueOf(text: string, path: string, refusal: Refusal & { readonly correction?: string | undefined }): Issue {
  const { message, line, correction } = refusal;
  const value = line === undefined ? undefined : quotable(text.split('\n').slice(0, line));
  return {
    severity: 'error',
    path,
    message,
    ...(line === undefined ? {} : { line }),
    ...(value === undefined ? {} : { value }),
    ...(correction === undefined ? {} : { correction }),
  };
}

/**
 * The text as it should be, secrets masked; undefined when that is not known, or a field would come to stand where nobody reads it.
 * Made from what the text says: no comment survives.
 */
function correctionOf(text: string): string | undefined {
  const corrected = correctYaml(text);
  const read = corrected === undefined ? undefined : readOnce(corrected, loadOne, '');
  const shown = read?.ok === true && isEachInPlace(read.value) ? withoutSecrets(read.value) : undefined;
  return typeof shown === 'object' && shown !== null ? renderYaml(shown) : undefined;
}

/** One-based line of the first anchor or alias; undefined when there is none. Throws YAMLException. */
function lineOfAnchor(text: string): number | undefined {
  for (const event of parseEvents(text, {})) {
    if ('anchorStart' in event && event.anchorStart >= 0) {
      return text.slice(0, event.anchorStart).split('\n').length;
    }
  }
  return undefined;
}

/** The last of `lines`, unless it could hold a secret: its own, or the rest of one that began further up. */
function quotable(lines: readonly string[]): string | undefined {
  return lines.some(mayHoldSecret) ? undefined : lines.at(-1)?.trim().slice(0, 120);
}

/** True when there is nothing but white space and comments. */
export function isBlank(text: string): boolean {
  return text.split('\n').every((line) => /^\s*(#.*)?$/.test(line));
}
