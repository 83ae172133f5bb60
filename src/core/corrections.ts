// Mistakes that the vendors' own guides make in YAML, and how the same text is written right (acr.md section 5).

import { MASK } from './mask.ts';

/** Longest text that is corrected, characters: what people write by hand. */
const MAX_TEXT = 16_384;

const QUOTED = `"(?:[^"\\\\]|\\\\.)*"|'(?:[^']|'')*'`;
const KEY = `[A-Za-z][\\w-]*`;
/** One or more quoted texts with commas between, or one word. */
const VALUE = `(?:${QUOTED})(?:\\s*,\\s*(?:${QUOTED}))*|[^\\s"'#|>\\[{][^\\s"']*`;

/** Indentation, dashes, and what follows from the first key on. */
const LINE = new RegExp(`^( *)((?:- +)*)(${KEY}\\s*:(?:\\s.*)?)$`);
const PAIR = new RegExp(`\\s*(${KEY})\\s*:(?:\\s+(${VALUE}))?(?=\\s|$)`, 'y');
const SEVERAL_TEXTS = new RegExp(`^(?:${QUOTED})(?:\\s*,\\s*(?:${QUOTED}))+$`);
const WRONG_COMMENT = /^\s+\/\//;
const COMMENT = /^\s+#/;
const BLOCK = /:\s*[|>][-+0-9]*\s*$/;

/** The map that a line belongs to: the column of its keys, and that of the dash before it, -1 when there is none. */
interface Frame {
  readonly column: number;
  readonly dash: number;
}

/**
 * The text without the mistakes that are known: a key that is further to the right (or left) than the one before, several
 * `key: value` in one line, several quoted texts after one key, a comment that begins with `//`. Undefined when there is nothing to
 * mend, or the text is longer than anybody writes. Whether the answer is YAML is for the caller to find out.
 */
export function correctYaml(text: string): string | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const lines = text.split('\n').map((line) => line.trimEnd());
  const frames: Frame[] = [];
  const mended: string[] = [];
  /** Lines further to the right than this are the text of a block, or of a value that goes on. */
  let verbatimBeyond: number | undefined;
  let opensMap = false;
  for (const line of lines) {
    const indent = line.search(/\S/);
    if (indent < 0 || line[indent] === '#' || (verbatimBeyond !== undefined && indent > verbatimBeyond)) {
      mended.push(line);
      continue;
    }
    verbatimBeyond = undefined;
    const [, spaces = '', dashes = '', content = ''] = LINE.exec(line) ?? [];
    if (content === '') {
      mended.push(line);
      verbatimBeyond = indent;
      continue;
    }
    const column = columnOf(frames, { indent: spaces.length, dashes: dashes.length, opensMap });
    const margin = ' '.repeat(Math.max(0, column - dashes.length));
    const pairs = pairsOf(content);
    if (pairs === undefined) {
      mended.push(`${margin}${dashes}${content}`);
      opensMap = false;
      verbatimBeyond = BLOCK.test(content) || /:\s*[[{]/.test(content) ? column : undefined;
      continue;
    }
    pairs.forEach((pair, index) => mended.push(`${index === 0 ? margin + dashes : ' '.repeat(column)}${pair}`));
    opensMap = /:(?:\s+#.*)?$/.test(pairs.at(-1) ?? '');
  }
  const result = mended.join('\n');
  return result.trimEnd() === lines.join('\n').trimEnd() ? undefined : result;
}

/** The column where the keys of this line belong; `frames` afterwards end with the map of this line. */
function columnOf(
  frames: Frame[],
  { indent, dashes, opensMap }: { readonly indent: number; readonly dashes: number; readonly opensMap: boolean },
): number {
  if (dashes > 0) {
    while ((frames.at(-1)?.column ?? -1) > indent) frames.pop();
    frames.push({ column: indent + dashes, dash: indent });
    return indent + dashes;
  }
  let top = frames.at(-1);
  while (top !== undefined && indent < top.column) {
    // Left of its map, yet right of where the map around it is: it belongs here.
    const isInside = top.dash >= 0 ? indent > top.dash : indent > (frames.at(-2)?.column ?? -1) && frames.length > 1;
    if (isInside) return top.column;
    frames.pop();
    top = frames.at(-1);
  }
  if (top === undefined || (opensMap && indent > top.column)) {
    frames.push({ column: indent, dash: -1 });
    return indent;
  }
  return top.column;
}

/** The `key: value` pairs of a line, each as it should stand alone; undefined when it is not made of such pairs. */
function pairsOf(content: string): readonly string[] | undefined {
  const pairs: string[] = [];
  PAIR.lastIndex = 0;
  let at = 0;
  while (at < content.length) {
    const [whole, key = '', value] = PAIR.exec(content) ?? [];
    if (whole === undefined) break;
    at = PAIR.lastIndex;
    pairs.push(value === undefined ? `${key}:` : `${key}: ${SEVERAL_TEXTS.test(value) ? joined(value) : value}`);
  }
  const rest = content.slice(at);
  const last = pairs.pop();
  if (last === undefined || !(rest === '' || COMMENT.test(rest) || WRONG_COMMENT.test(rest))) return undefined;
  return [...pairs, WRONG_COMMENT.test(rest) ? last : `${last}${rest}`];
}

/** `"a","b"` as `"a,b"`. */
function joined(value: string): string {
  const members = [...value.matchAll(new RegExp(QUOTED, 'g'))].map(([member]) => member.slice(1, -1));
  return `"${members.join(',')}"`;
}

/** The right text of a key as it stands in a ConfigMap that is edited, below a line that says so. */
export function correctedKey(key: string, text: string): string {
  const fill = text.includes(MASK) ? ` (write your own for ${MASK})` : '';
  const lines = text.trimEnd().split('\n');
  return [
    `Corrected ${key}, ready to paste below \`data:\`${fill}:`,
    `  ${key}: |`,
    ...lines.map((line) => (line === '' ? line : `    ${line}`)),
  ].join('\n');
}
