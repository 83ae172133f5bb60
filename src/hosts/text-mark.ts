// Knows a text again without keeping it: a hosts file may be long, and many are remembered.
import { createHash, type Hash } from 'node:crypto';

/** The beginning of a text, by its length and its digest. */
export interface TextMark {
  /** Characters, each of which is one byte (latin1). */
  readonly length: number;
  readonly hash: Hash;
}

export function markOf(text: string): TextMark {
  return { length: text.length, hash: createHash('sha256').update(text, 'latin1') };
}

/** The mark of the text of `mark` followed by `more`. */
export function extendMark(mark: TextMark, more: string): TextMark {
  return { length: mark.length + more.length, hash: mark.hash.copy().update(more, 'latin1') };
}

/** True when `text` begins with that of `mark`. */
export function beginsWith(text: string, mark: TextMark): boolean {
  return text.length >= mark.length && digest(markOf(text.slice(0, mark.length))) === digest(mark);
}

function digest({ hash }: TextMark): string {
  return hash.copy().digest('hex');
}
