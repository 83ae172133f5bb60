// Tells a hosts file that somebody seems to be writing anew from one that is done: who rewrites a file empties it first, and then writes
// it in pieces, which end anywhere.
import { BLOCK_END } from '../core/hosts-survey.ts';
import type { OpenFile } from './file-access.ts';

/** How long an empty file is looked at until it is taken for one, milliseconds. */
const EMPTY_MS = 200;
/** How long one is that changed a moment before, has no block, and ends within a line. */
const UNFINISHED_MS = 5_000;
/**
 * How long it is with a block: an appended line that goes over the end of a page is seen in two pieces for a moment. Not longer, since a
 * file may end within a line for good, and be written again and again.
 */
const TORN_MS = 10;

/** True while it should not be written: what is ours would move what somebody goes on to write. `waitedMs` = so far. */
export function isHalfWritten({ text, stamp }: Pick<OpenFile, 'text' | 'stamp'>, waitedMs: number): boolean {
  if (text === '') return waitedMs < EMPTY_MS;
  const isYoung = stamp === undefined;
  return isYoung && !text.endsWith('\n') && waitedMs < (text.includes(BLOCK_END) ? TORN_MS : UNFINISHED_MS);
}
