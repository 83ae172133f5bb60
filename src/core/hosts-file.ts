// Rewrites our marked block in the text of a hosts file: every byte outside of it stays (tcr.md section 6).
import { renderPair, sortPairs, type HostPair } from './host-names.ts';
import {
  BLOCK_BEGIN,
  BLOCK_END,
  linesOf,
  nameLines,
  ROOM,
  surveyHosts,
  type HostsRemark,
  type HostsSurvey,
  type Memory,
} from './hosts-survey.ts';

/** What the file should hold. */
export interface HostsWish extends Memory {
  /** None = no block. */
  readonly pairs: readonly HostPair[];
}

/** A line outside of the block that gives one of our names an address. */
export interface HostsConflict {
  readonly domain: string;
  readonly ip: string;
  /** One-based, in the rewritten text. */
  readonly line: number;
}

/** The text as it should be. */
export interface HostsRewrite {
  /** The same text when nothing is to be done. */
  readonly text: string;
  readonly remarks: readonly HostsRemark[];
}

/** A line of room, shortest form: `ROOM`, a mark of eight hexadecimal digits, line end. */
const ROOM_LENGTH = ROOM.length + 10;
const MAX_PADDING_LINE = 80;
const MAX_CONFLICTS = 100;

/**
 * The text with exactly one block of these pairs, sorted and each once, or with none. The block stays where it is; a new one comes
 * last, or first where the last line is unfinished. A block that is right but for padding stays as it is. `text` has one character
 * a byte (latin1), so that no byte is lost whatever its encoding.
 */
export function rewriteHosts(text: string, wish: HostsWish): HostsRewrite {
  const { survey, pairs, remarks } = look(text, wish);
  if (isSettled(text, survey, pairs)) return { text, remarks };
  return { text: `${survey.before}${renderBlock(pairs, 0)}${survey.after}`, remarks };
}

/** What `rewriteHostsInPlace` needs besides. */
export interface InPlaceWish extends HostsWish {
  /** What `renderRoom` gave and was appended for this rewrite. */
  readonly room?: string;
  /** True = leave blanks where nothing of ours is wanted, else room for the next block. */
  readonly isLast?: boolean;
}

/**
 * As `rewriteHosts`, for a file that must keep its length, since somebody may append to it at any moment: what is left over
 * becomes padding inside the block. `missing` = so many bytes must be appended first, with `renderRoom`.
 */
export function rewriteHostsInPlace(
  text: string,
  wish: InPlaceWish,
): HostsRewrite | { readonly missing: number; readonly remarks: readonly HostsRemark[] } {
  const { room = '', isLast = false } = wish;
  const { survey, pairs, remarks } = look(room === '' ? text : text.replace(room, ''), wish);
  const { before, after, shape } = survey;
  const isLeft = pairs.length === 0 && shape === 'room' && !isLast;
  if (room === '' && (isLeft || isSettled(text, survey, pairs))) return { text, remarks };
  const length = text.length - before.length - after.length;
  const spare = length - renderBlock(pairs, 0).length;
  if (spare < 0) return { missing: Math.max(-spare, ROOM_LENGTH), remarks };
  const block = pairs.length > 0 ? renderBlock(pairs, spare) : renderRest(length, isLast);
  return { text: `${before}${block}${after}`, remarks };
}

/**
 * A line of `length` bytes to append to `text`, which `surveyHosts` takes for ours; `mark` (eight hexadecimal digits) tells it from
 * others. After an unfinished line it begins with a line end, which is one byte more.
 */
export function renderRoom(text: string, length: number, mark: string): string {
  // An unfinished line of somebody's must not become one with ours.
  const start = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${start}${`${ROOM} ${mark}`.padEnd(length - 1)}\n`;
}

/** The pairs that whole blocks in `text` hold. */
export function heldPairs(text: string, memory: Memory): readonly HostPair[] {
  return surveyHosts(text, memory).held;
}

/** Lines outside of the block that name one of `pairs`: a hundred at most. */
export function findConflicts(text: string, wish: HostsWish): readonly HostsConflict[] {
  const names = new Set(wish.pairs.map(({ domain }) => domain));
  const { before, after, shape } = look(text, wish).survey;
  const first = linesOf(before);
  const blockLines = shape === 'block' ? linesOf(text).length - first.length - linesOf(after).length : 0;
  const conflicts: HostsConflict[] = [];
  for (const [index, line] of [...first, ...linesOf(after)].entries()) {
    const [ip = '', ...listed] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    for (const name of new Set(listed.map((one) => one.toLowerCase().replace(/\.$/, '')))) {
      if (!names.has(name) || conflicts.length >= MAX_CONFLICTS) continue;
      conflicts.push({ domain: name, ip, line: index + 1 + (index < first.length ? 0 : blockLines) });
    }
  }
  return conflicts;
}

interface Look {
  readonly survey: HostsSurvey;
  readonly pairs: readonly HostPair[];
  readonly remarks: readonly HostsRemark[];
}

function look(text: string, wish: HostsWish): Look {
  const pairs = sortPairs(wish.pairs);
  const wanted = new Set(pairs.map(renderPair));
  const survey = surveyHosts(text, { known: new Set([...wish.known, ...wanted]), isFirst: wish.isFirst });
  const dropped = wish.isFirst ? survey.held.map(renderPair).filter((line) => !wanted.has(line)) : [];
  const left = pairs.length === 0 ? survey.doubtful : new Set<string>();
  const named = [...nameLines('LineDropped', new Set(dropped)), ...nameLines('LineLeft', left)];
  return { survey, pairs, remarks: [...survey.remarks, ...named] };
}

function isSettled(text: string, { shape, held, before, after }: HostsSurvey, pairs: readonly HostPair[]): boolean {
  if (pairs.length === 0) return shape === 'none';
  const block = text.slice(before.length, text.length - after.length);
  const start = `${[BLOCK_BEGIN, ...pairs.map(renderPair)].join('\n')}\n`;
  return (
    shape === 'block' && held.length === pairs.length && block.startsWith(start) && block.endsWith(`\n${BLOCK_END}\n`)
  );
}

function renderBlock(pairs: readonly HostPair[], padding: number): string {
  if (pairs.length === 0) return '';
  return `${[BLOCK_BEGIN, ...pairs.map(renderPair)].join('\n')}\n${renderPadding(padding)}${BLOCK_END}\n`;
}

/** Lines of `#` and blanks that are exactly so many bytes. */
function renderPadding(length: number): string {
  let text = '';
  for (let left = length; left > 0; left -= Math.min(left, MAX_PADDING_LINE)) {
    const size = Math.min(left, MAX_PADDING_LINE);
    text += size === 1 ? '\n' : `${'#'.padEnd(size - 1)}\n`;
  }
  return text;
}

/** What stays where a block was in a file that keeps its length. */
function renderRest(length: number, isLast: boolean): string {
  if (length === 0) return '';
  const start = isLast || length < ROOM_LENGTH ? '' : `${ROOM} 00000000`;
  return `${start.padEnd(length - 1)}\n`;
}
