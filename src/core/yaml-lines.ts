// Finds the lines that issues are about.
import { foldName } from './fields.ts';

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

/** One-based line of the first mention of `field` in the map that `text` holds; undefined when there is none. */
export function lineOfField(text: string, field: string): number | undefined {
  const lines = text.split('\n');
  return linesOfFields(lines, 0, lines.length).get(foldName(field));
}
