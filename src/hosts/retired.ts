// Files that were replaced by rename, kept open for a while: who had one open writes into it and not into its successor.
import { closeSync, fstatSync, watch, type FSWatcher } from 'node:fs';
import { readAll } from './file-access.ts';
import { beginsWith, extendMark, markOf, type TextMark } from './text-mark.ts';

/** How long a writer may hold a replaced file open, milliseconds. */
const MEMORY_MS = 600_000;
/** Most files that are kept open. */
const MAX_FILES = 64;
/** Longest text that is remembered of what was carried from one file, bytes: a rewrite of the file may hold it again. */
const MAX_CARRIED = 65_536;
const MAX_ENDING = 200;

interface RetiredFile {
  readonly fd: number;
  /** What was dealt with. */
  known: TextMark;
  /** The line within which that ended, its last `MAX_ENDING` bytes; empty = it ended with a line. */
  ending: string;
  /** Its length and time when that was read. */
  stamp: string;
  /** What the file that took its place held at first. */
  readonly successor: TextMark;
  /** What was appended here and brought there; undefined = too much to be remembered. */
  carried: string | undefined;
  readonly retiredAt: number;
  readonly watcher: FSWatcher | undefined;
}

/** What others wrote into files that were replaced. */
export interface LateWrites {
  /** Appended: belongs to the end of the file. */
  readonly appended: string;
  /** Rewritten as a whole: belongs into the place of the file. */
  readonly rewritten: string | undefined;
  /** Rewritten as a whole, but so was the file since, and nobody can say which counts; or it is written in place. */
  readonly lost: number;
  /** Too long to be read by now, or not readable: they are let go. */
  readonly unread: number;
  /** To be called when all that was brought: it is not told again then. */
  readonly settle: () => void;
}

/** The replaced files that are watched. */
export class RetiredFiles {
  #files: readonly RetiredFile[] = [];
  readonly #onChange: () => void;
  readonly #now: () => number;

  constructor(options: { readonly onChange: () => void; readonly now: () => number }) {
    this.#onChange = options.onChange;
    this.#now = options.now;
  }

  /** Takes a replaced file over, its descriptor included; `text` is what its successor was made from. */
  add({ fd, text, successor }: { readonly fd: number; readonly text: string; readonly successor: string }): void {
    const watcher = watchDescriptor(fd, this.#onChange);
    const marks = { known: markOf(text), ending: endingOf(text), successor: markOf(successor) };
    const added = { fd, ...marks, stamp: '', carried: '', retiredAt: this.#now(), watcher };
    // The last `collect` has looked at the oldest one for the last time.
    this.#drop(this.#files.slice(0, Math.max(0, this.#files.length + 1 - MAX_FILES)));
    this.#files = [...this.#files, added];
  }

  /** True when somebody wrote into one since `collect`, or when one is to be looked at for the last time. */
  hasNews(): boolean {
    return this.#files.some((file) => this.#isExpired(file) || stampOf(file.fd) !== file.stamp);
  }

  /**
   * What is new, unfinished lines only with `all` and of files that go. `current` is what the hosts file holds now; `inPlace` = it is not
   * replaced: what was appended goes to its end, and nothing else takes its place.
   */
  collect(current: string, { all, inPlace }: { readonly all: boolean; readonly inPlace: boolean }): LateWrites {
    const pieces: Piece[] = [];
    let rewritten: string | undefined;
    let lost = 0;
    const settled: (() => void)[] = [];
    const unread: RetiredFile[] = [];
    const expired = this.#files.filter((file) => this.#isExpired(file));
    for (const [index, file] of this.#files.entries()) {
      const stamp = stampOf(file.fd);
      // One more may come and take the place of the oldest.
      const isLast = all || expired.includes(file) || index <= this.#files.length - MAX_FILES;
      if (stamp === file.stamp && !isLast) continue;
      const text = textOf(file);
      if (text === undefined) {
        unread.push(file);
        continue;
      }
      // Emptied: what is to stand there is about to be written.
      if (text === '' && file.known.length > 0) continue;
      let taken = '';
      const isAppended = beginsWith(text, file.known);
      if (isAppended) {
        const news = text.slice(file.known.length);
        taken = isLast ? news : news.slice(0, news.lastIndexOf('\n') + 1);
        const end = isLast && !all && !taken.endsWith('\n') ? '\n' : '';
        if (taken !== '') pieces.push({ text: `${taken}${end}`, continues: file.ending });
      } else if (!inPlace && rewritten === undefined && beginsWith(current, file.successor)) {
        rewritten = join(text, [{ text: sinceThen(current, file, text), continues: '' }]);
      } else lost += 1;
      const known = isAppended ? extendMark(file.known, taken) : markOf(text);
      const carried = carriedWith(file, taken);
      const ending = taken === '' && isAppended ? file.ending : endingOf(isAppended ? taken : text);
      settled.push(() => Object.assign(file, { stamp, known, ending, carried }));
    }
    const settle = (): void => {
      for (const one of settled) one();
      this.#drop([...expired, ...unread]);
    };
    const base = rewritten ?? current;
    const appended = join(base, pieces).slice(base.length);
    return { appended, rewritten, lost, unread: unread.length, settle };
  }

  /** Milliseconds since the last one was added, at least none, whatever the clock says; undefined = there is none. */
  age(): number | undefined {
    const last = this.#files.at(-1);
    return last === undefined ? undefined : Math.max(0, this.#now() - last.retiredAt);
  }

  close(): void {
    this.#drop(this.#files);
  }

  /** Lets go of those that are still held. */
  #drop(files: readonly RetiredFile[]): void {
    const dropped = this.#files.filter((file) => files.includes(file));
    this.#files = this.#files.filter((file) => !dropped.includes(file));
    for (const { watcher, fd } of dropped) {
      watcher?.close();
      closeSync(fd);
    }
  }

  #isExpired({ retiredAt }: RetiredFile): boolean {
    return retiredAt < this.#now() - MEMORY_MS;
  }
}

/** What was appended to the successor, without what came from the file itself and is in its new text. */
function sinceThen(current: string, { successor, carried }: RetiredFile, text: string): string {
  const tail = current.slice(successor.length);
  return carried !== undefined && tail.startsWith(carried) && text.includes(carried)
    ? tail.slice(carried.length)
    : tail;
}

interface Piece {
  readonly text: string;
  /** End of the unfinished line that it goes on with in its own file; empty = it begins a line. */
  readonly continues: string;
}

/** Two lines must not become one, unless they were one. */
function join(base: string, pieces: readonly Piece[]): string {
  let joined = base;
  for (const { text, continues } of pieces) {
    const isOne = joined === '' || joined.endsWith('\n') || (continues !== '' && joined.endsWith(continues));
    joined += isOne || text === '' ? text : `\n${text}`;
  }
  return joined;
}

function endingOf(text: string): string {
  return copyOf(text.slice(Math.max(text.lastIndexOf('\n') + 1, text.length - MAX_ENDING)));
}

/** A part of a text would keep the whole of it. */
function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

function carriedWith({ carried }: RetiredFile, taken: string): string | undefined {
  if (carried === undefined || carried.length + taken.length > MAX_CARRIED) return undefined;
  return copyOf(carried + taken);
}

/** undefined = it cannot be read. */
function textOf({ fd }: RetiredFile): string | undefined {
  try {
    return readAll(fd);
  } catch {
    return undefined;
  }
}

function stampOf(fd: number): string {
  const { size, mtimeNs } = fstatSync(fd, { bigint: true });
  return `${size} ${mtimeNs}`;
}

/** By its descriptor, since it has no name any more; without /proc the next cycle finds what was written. */
function watchDescriptor(fd: number, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(`/proc/self/fd/${fd}`, { persistent: false }, onChange);
    return watcher.on('error', () => watcher.close());
  } catch {
    return undefined;
  }
}
