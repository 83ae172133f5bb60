// Finds what is ours in the text of a hosts file, whatever happened to it, and keeps everything else.
import { parsePair, renderPair, sortPairs, type HostPair } from './host-names.ts';

/** First and last line of our block (tcr.md section 6). */
export const BLOCK_BEGIN = '# BEGIN registry-credential-helper';
export const BLOCK_END = '# END registry-credential-helper';

/** Beginning of a line that holds bytes of a file that cannot be shortened, until a block needs them. */
export const ROOM = '# room for registry-credential-helper';

/**
 * What is wrong with what was found. `ForeignLine`: moved out of the block; `LineDropped`: found in it at the start of the program and
 * not wanted; `LineLeft`: stays although it may be ours, where the block goes. At most `MAX_NAMED_LINES` of a kind are named, cut, each once; the others are counted.
 */
export type HostsRemark =
  | { readonly reason: 'BlockTorn' | 'BlockDoubled' }
  | { readonly reason: LineReason; readonly line: string }
  | { readonly reason: LineReason; readonly more: number };
type LineReason = 'ForeignLine' | 'LineDropped' | 'LineLeft';

/** Most lines that remarks name. */
const MAX_NAMED_LINES = 20;
const MAX_NAMED_LENGTH = 200;

/** What may be taken for ours between markers. */
export interface Memory {
  /** Lines that this process wants, wanted or found in a whole block. */
  readonly known: ReadonlySet<string>;
  /** True = the file was not seen before: every line of a whole block is ours that is a list as we write it. */
  readonly isFirst: boolean;
}

/** A hosts file, taken apart. */
export interface HostsSurvey {
  /** Foreign text before and after the place of the block; together every foreign byte, in its order. */
  readonly before: string;
  readonly after: string;
  /** What whole blocks hold of ours, as it stands there. */
  readonly held: readonly HostPair[];
  /** Lines in our form where only ours should be, but not provably ours: they are among the foreign ones. */
  readonly doubtful: ReadonlySet<string>;
  /** `none`: nothing of ours; `room`: only that; `block`: one whole block with nothing else in it; `other`: to be put right. */
  readonly shape: 'none' | 'room' | 'block' | 'other';
  readonly remarks: readonly HostsRemark[];
}

type Piece = { readonly kind: 'foreign'; readonly text: string } | { readonly kind: Ours };
/** Best place for a block first. */
type Ours = (typeof OURS)[number];
const OURS = ['whole', 'torn', 'room'] as const;

/**
 * Takes `text` (one character a byte) apart. A block without its end, or its beginning, ends where lines stop being known ones:
 * what could be somebody's line stays. So does, in a file that was not seen before, what is unknown in a block that is no list as we
 * write it: halves of two copies may have become one.
 */
export function surveyHosts(text: string, memory: Memory): HostsSurvey {
  const pieces: Piece[] = [];
  const held: HostPair[] = [];
  const moved = new Set<string>();
  const doubtful = new Set<string>();
  /** Lines from a BEGIN on. */
  let open: string[] | undefined;

  const isKnown = (line: string): boolean => memory.known.has(bare(line));
  /** Once the file was seen, what is not known is not ours. */
  const isDoubtful = (line: string): boolean => memory.isFirst && !isKnown(line) && parsePair(bare(line)) !== undefined;
  /** The lines next to a marker, nearest first. */
  const doubt = (lines: readonly string[]): void => {
    const end = lines.findIndex((line) => !isKnown(line) && !isDoubtful(line) && !isPadding(line));
    for (const line of end === -1 ? lines : lines.slice(0, end)) if (isDoubtful(line)) doubtful.add(bare(line));
  };
  const torn = (lines: readonly string[]): void => {
    pieces.push({ kind: 'torn' });
    doubt(lines);
    const end = lines.findIndex((line) => !isKnown(line) && !isPadding(line));
    const reach = end === -1 ? lines : lines.slice(0, end);
    // Padding behind the last known line may be somebody's.
    for (const line of lines.slice(reach.findLastIndex(isKnown) + 1)) pieces.push(pieceOf(line));
  };
  const whole = (lines: readonly string[]): void => {
    pieces.push({ kind: 'whole' });
    const isTrusted = memory.isFirst && isList(lines);
    for (const line of lines) {
      const pair = parsePair(bare(line));
      if (pair !== undefined && (isTrusted || isKnown(line))) held.push(pair);
      else if (!isPadding(line)) {
        moved.add(bare(line));
        if (isDoubtful(line)) doubtful.add(bare(line));
        pieces.push(pieceOf(line));
      }
    }
  };
  /** An END without its BEGIN: the known lines right before it are what was between them. */
  const orphan = (): void => {
    for (let last = pieces.at(-1); last?.kind === 'foreign' && isKnown(last.text); last = pieces.at(-1)) pieces.pop();
    const start = pieces.findLastIndex((piece) => piece.kind !== 'foreign' || !isDoubtful(piece.text)) + 1;
    doubt(pieces.slice(start).map((piece) => (piece.kind === 'foreign' ? piece.text : '')));
    pieces.push({ kind: 'torn' });
  };

  for (const line of linesOf(text)) {
    const marker = bare(line).trimEnd();
    if (marker === BLOCK_BEGIN) {
      if (open !== undefined) torn(open);
      open = [];
    } else if (marker === BLOCK_END) {
      if (open === undefined) orphan();
      else whole(open);
      open = undefined;
    } else if (open !== undefined) open.push(line);
    else pieces.push(pieceOf(line));
  }
  if (open !== undefined) torn(open);

  const count = (kind: Ours): number => pieces.filter((piece) => piece.kind === kind).length;
  const remarks: HostsRemark[] = [...nameLines('ForeignLine', moved)];
  if (count('torn') > 0) remarks.push({ reason: 'BlockTorn' });
  if (count('whole') > 1) remarks.push({ reason: 'BlockDoubled' });
  const ours = OURS.map(count).join(' ');
  const isClean = remarks.length === 0;
  const shape =
    ours === '0 0 0' ? 'none' : ours === '1 0 0' && isClean ? 'block' : /^0 0 1$/.test(ours) ? 'room' : 'other';
  return { ...around(pieces), held, doubtful, shape, remarks };
}

/** The lines of a text, each with its end. */
export function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Remarks about lines. */
export function nameLines(reason: LineReason, lines: ReadonlySet<string>): readonly HostsRemark[] {
  const named = [...lines].slice(0, MAX_NAMED_LINES);
  const more = lines.size - named.length;
  return [
    ...named.map((line) => ({ reason, line: line.slice(0, MAX_NAMED_LENGTH) })),
    ...(more > 0 ? [{ reason, more }] : []),
  ];
}

/** Each once, and a bounded number of them however often another writer comes in between. */
export function addRemark(remarks: Map<string, HostsRemark>, remark: HostsRemark): void {
  const key = 'line' in remark ? `${remark.reason} ${remark.line}` : `${remark.reason} more`;
  if (!('line' in remark) || remarks.size < 3 * MAX_NAMED_LINES) remarks.set(key, remark);
}

/** True for lines between markers as `rewriteHosts` writes them: pairs, sorted and each once, then padding. */
function isList(lines: readonly string[]): boolean {
  const bareLines = lines.map(bare);
  const listed = bareLines.slice(0, lines.findLastIndex((line) => !isPadding(line)) + 1);
  const pairs = listed.map(parsePair).filter((pair) => pair !== undefined);
  return sortPairs(pairs).map(renderPair).join('\n') === listed.join('\n');
}

/** Lines that fill a block up: no resolver reads them. */
function isPadding(line: string): boolean {
  return /^(# *)?$/.test(bare(line)) || isRoom(line);
}

function isRoom(line: string): boolean {
  return line.startsWith(ROOM) && /^ [0-9a-f]{8} *$/.test(bare(line).slice(ROOM.length));
}

/** A line without its end, also when an editor made that CRLF. */
function bare(line: string): string {
  return line.replace(/\r?\n$/, '');
}

function pieceOf(line: string): Piece {
  return isRoom(line) ? { kind: 'room' } : { kind: 'foreign', text: line };
}

function around(pieces: readonly Piece[]): { readonly before: string; readonly after: string } {
  const textOf = (some: readonly Piece[]): string =>
    some.map((piece) => (piece.kind === 'foreign' ? piece.text : '')).join('');
  const best = OURS.find((kind) => pieces.some((piece) => piece.kind === kind));
  if (best !== undefined) {
    const at = pieces.findIndex(({ kind }) => kind === best);
    return { before: textOf(pieces.slice(0, at)), after: textOf(pieces.slice(at + 1)) };
  }
  // After an unfinished line there is no place for a block but before everything: no byte is added to somebody's line.
  const text = textOf(pieces);
  return text === '' || text.endsWith('\n') ? { before: text, after: '' } : { before: '', after: text };
}
