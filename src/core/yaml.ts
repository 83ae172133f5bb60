// Reads YAML that people wrote inside a ConfigMap value, and finds the lines that issues are about.
import { load, YAMLException } from 'js-yaml';
import type { Issue, Parsed } from './types.ts';

/** Longest text that is read, characters: a ConfigMap holds no more. */
const MAX_TEXT = 1_048_576;

/** Words that make a line unfit to be quoted. */
const SECRET_WORDS = /secret|password|passwd|token|key/i;

/**
 * Reads one YAML (or JSON) document; a blank or comment-only text is `undefined`. Never half-reads: what is not YAML is one
 * issue with its line, which is quoted unless it could hold a secret. `cure` says how it should look.
 */
export function parseYaml(text: string, path: string, cure: string): Parsed<unknown> {
  if (text.split('\n').every((line) => /^\s*(#.*)?$/.test(line))) return { ok: true, value: undefined, issues: [] };
  if (text.length > MAX_TEXT) {
    return { ok: false, issues: [{ severity: 'error', path, message: `is longer than ${MAX_TEXT} characters` }] };
  }
  try {
    return { ok: true, value: load(text), issues: [] };
  } catch (error) {
    const line = error instanceof YAMLException && error.mark !== undefined ? error.mark.line + 1 : undefined;
    const why = error instanceof YAMLException ? error.reason : 'unreadable';
    const quoted = line === undefined ? undefined : quotable(text.split('\n')[line - 1]);
    const issue: Issue = {
      severity: 'error',
      path,
      message: `is not YAML (${why}): ${cure}`,
      ...(line === undefined ? {} : { line }),
      ...(quoted === undefined ? {} : { value: quoted }),
    };
    return { ok: false, issues: [issue] };
  }
}

/**
 * One-based line of item `index` of the block list in `text`, or of its `field` where that is found; undefined for a list
 * that is written in one line.
 */
export function lineOfItem(text: string, index: number, field?: string): number | undefined {
  const lines = text.split('\n');
  const dashes = lines.flatMap((line, at) => (/^\s*-(\s|$)/.test(line) ? [{ at, indent: line.search(/\S/) }] : []));
  const outer = Math.min(...dashes.map((dash) => dash.indent));
  const starts = dashes.filter((dash) => dash.indent === outer).map((dash) => dash.at);
  const start = starts[index];
  if (start === undefined) return undefined;
  if (field === undefined) return start + 1;
  const wanted = field.toLowerCase();
  for (let at = start; at < (starts[index + 1] ?? lines.length); at += 1) {
    const key = /^\s*(?:-\s*)?["']?([A-Za-z_-]+)["']?\s*:/.exec(lines[at] ?? '')?.[1];
    if (key?.toLowerCase() === wanted) return at + 1;
  }
  return start + 1;
}

function quotable(line: string | undefined): string | undefined {
  return line === undefined || SECRET_WORDS.test(line) ? undefined : line.trim().slice(0, 120);
}
