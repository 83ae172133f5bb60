// Reads YAML that people wrote inside a ConfigMap value, and finds the lines that issues are about.
import { load, parseEvents, YAMLException } from 'js-yaml';
import { foldName } from './fields.ts';
import type { Parsed } from './types.ts';

/** Longest text that is read, characters: a ConfigMap holds no more. */
const MAX_TEXT = 1_048_576;

/** Why it is refused; a glob without quotes is the most likely cause. */
const NO_ANCHORS =
  'anchors and aliases are not read: write it out, or put a text that begins with `&` or `*` into quotes';

/** Words that make a line unfit to be quoted. */
const SECRET_WORDS = /secret|password|passwd|token|key/i;

/**
 * Reads one YAML (or JSON) document; a blank or comment-only text is `undefined`. Never half-reads: what is not YAML is one
 * issue with its line, which is quoted unless it could hold a secret. `cure` says how it should look. Anchors and aliases are
 * refused: a few lines with them stand for more than any memory holds.
 */
export function parseYaml(text: string, path: string, cure: string): Parsed<unknown> {
  if (isBlank(text)) return { ok: true, value: undefined, issues: [] };
  if (text.length > MAX_TEXT) {
    return { ok: false, issues: [{ severity: 'error', path, message: `is longer than ${MAX_TEXT} characters` }] };
  }
  const refuse = (message: string, line: number | undefined): Parsed<never> => {
    const value = line === undefined ? undefined : quotable(text.split('\n').slice(0, line));
    return {
      ok: false,
      issues: [
        {
          severity: 'error',
          path,
          message,
          ...(line === undefined ? {} : { line }),
          ...(value === undefined ? {} : { value }),
        },
      ],
    };
  };
  try {
    const line = lineOfAnchor(text);
    return line === undefined ? { ok: true, value: load(text), issues: [] } : refuse(NO_ANCHORS, line);
  } catch (error) {
    const line = error instanceof YAMLException && error.mark !== undefined ? error.mark.line + 1 : undefined;
    // A reason may quote what it found: names of anchors and tags, which a password without quotes looks like.
    const why = error instanceof YAMLException ? error.reason.replace(/["<!*&%].*$/s, '').trim() : 'unreadable';
    return refuse(`is not YAML (${why}): ${cure}`, line);
  }
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

/**
 * Builds what finds the one-based line of item `index` of the block list in `text`, or of its `field` where that is found;
 * undefined for a list that is written in one line. Reads the text once, whatever is asked.
 */
export function findLines(text: string): (index: number, field?: string) => number | undefined {
  const lines = text.split('\n');
  const dashes = lines.flatMap((line, at) => (/^\s*-(\s|$)/.test(line) ? [{ at, indent: line.search(/\S/) }] : []));
  const outer = dashes.reduce((least, dash) => Math.min(least, dash.indent), Infinity);
  const starts = dashes.filter((dash) => dash.indent === outer).map((dash) => dash.at);
  const fieldsOf = new Map<number, ReadonlyMap<string, number>>();
  return (index, field) => {
    const start = starts[index];
    if (start === undefined) return undefined;
    if (field === undefined) return start + 1;
    const fields = fieldsOf.get(index) ?? linesOfFields(lines, start, starts[index + 1] ?? lines.length);
    fieldsOf.set(index, fields);
    return fields.get(foldName(field)) ?? start + 1;
  };
}

/** One-based line of the first mention of each field, by folded name. */
function linesOfFields(lines: readonly string[], start: number, end: number): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (let at = start; at < end; at += 1) {
    const key = /^\s*(?:-\s*)?["']?([\w-]+)["']?\s*:/.exec(lines[at] ?? '')?.[1];
    if (key !== undefined && !found.has(foldName(key))) found.set(foldName(key), at + 1);
  }
  return found;
}

/** The last of `lines`, unless it could hold a secret: its own, or the rest of one that began further up. */
function quotable(lines: readonly string[]): string | undefined {
  return lines.some(mayHoldSecret) ? undefined : lines.at(-1)?.trim().slice(0, 120);
}

/** True when the text names something that is secret: then it is not to be quoted. */
export function mayHoldSecret(text: string): boolean {
  return SECRET_WORDS.test(text);
}

/** True when there is nothing but white space and comments. */
export function isBlank(text: string): boolean {
  return text.split('\n').every((line) => /^\s*(#.*)?$/.test(line));
}
