// Brings a hosts file to what is wished, under the lock, so that nothing that others write meanwhile is lost. The order of the
// steps is what guarantees that: decision 10 gives the reasons.
import { closeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { renderRoom, rewriteHosts, rewriteHostsInPlace, type HostsWish } from '../core/hosts-file.ts';
import { addRemark, type HostsRemark } from '../core/hosts-survey.ts';
import { codeOf, HostsFailure, isReadOnly } from './failure.ts';
import {
  append,
  failureOf,
  openFile,
  overwrite,
  refuseStale,
  replaceFile,
  stampOf,
  syncFolder,
  type OpenFile,
} from './file-access.ts';
import { isHalfWritten } from './half-written.ts';
import { withLock } from './lock.ts';
import { RetiredFiles } from './retired.ts';
import { endUpdate, startUpdate, type HostsUpdate, type UpdateProgress } from './update.ts';

export interface KeptFileOptions {
  readonly path: string;
  readonly lockPath: string;
  /** Never replace the file. */
  readonly inPlace: boolean;
  /** Somebody wrote into a file that was replaced: call `update`. */
  readonly onLateWrite: () => void;
  readonly now: () => number;
  readonly random: () => number;
}

/** What the file should hold, from what it holds. */
export type Wish = (text: string) => HostsWish;

/** Attempts before a writer that takes no lock is left alone until the next cycle. */
const MAX_ATTEMPTS = 50;
const LOCK_PATIENCE_MS = 5_000;
/** Between two looks at a file that seems to be half written. */
const PAUSE_MS = 10;
/** An attempt found a file that seems to be half written. */
const HALF_WRITTEN = Symbol('half written');

interface Plan {
  /** Nothing of ours is to stay, not even room. */
  readonly isLast: boolean;
  /** How long a file was waited for that seemed to be half written, milliseconds. */
  readonly waitedMs: number;
  /** Replaced files are looked at for the last time. */
  readonly isEnd: boolean;
}

/** One hosts file, and those that it replaced. */
export class KeptFile {
  readonly #options: KeptFileOptions;
  readonly #retired: RetiredFiles;
  #inPlace: boolean;
  /** Of the file, when the last update found nothing to do. */
  #rightStamp: string | undefined;
  #last: { readonly wish: Wish; readonly isLast: boolean } | undefined;

  constructor(options: KeptFileOptions) {
    this.#options = options;
    this.#inPlace = options.inPlace;
    this.#retired = new RetiredFiles({ onChange: options.onLateWrite, now: options.now });
  }

  /**
   * Brings the file to what `wish` says of it; takes no lock when nothing differs. `isLast` = nothing of ours is to stay, not
   * even room. Throws HostsFailure; nothing of others is harmed then.
   */
  async update(wish: Wish, { isLast = false } = {}): Promise<HostsUpdate> {
    this.#last = { wish, isLast };
    this.#rightStamp = undefined;
    const progress = startUpdate();
    for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
      const update = await this.#attempt(wish, progress, { isLast, waitedMs, isEnd: false });
      if (update !== HALF_WRITTEN) return update;
      // Without the lock: the other writer may hold it.
      await pause(PAUSE_MS);
    }
  }

  /** True = nothing was written since the last update, which found nothing to do: the same wish needs no other one. */
  isAsLeft(): boolean {
    const right = this.#rightStamp;
    return right !== undefined && stampOf(this.#options.path) === right && !this.#retired.hasNews();
  }

  /** Milliseconds since a file was replaced that is still watched; undefined = none is. */
  sinceReplaced(): number | undefined {
    return this.#retired.age();
  }

  /**
   * Brings what was written into replaced files, unfinished lines too, as the last update wished, and lets them go. undefined = there
   * was none. Throws HostsFailure.
   */
  async close(): Promise<HostsUpdate | undefined> {
    try {
      if (this.#retired.age() === undefined || this.#last === undefined) return undefined;
      const { wish, isLast } = this.#last;
      const update = await this.#write(wish, startUpdate(), { isLast, waitedMs: Infinity, isEnd: true });
      return update === HALF_WRITTEN ? undefined : update;
    } finally {
      this.#retired.close();
    }
  }

  async #attempt(wish: Wish, progress: UpdateProgress, plan: Plan): Promise<HostsUpdate | typeof HALF_WRITTEN> {
    const found = this.#read();
    if (isHalfWritten(found, plan.waitedMs)) return HALF_WRITTEN;
    if (!this.#retired.hasNews()) {
      const { text, remarks, missing } = this.#rewrite(found.text, wish, '', plan.isLast);
      if (text === found.text && missing === 0) {
        this.#rightStamp = found.stamp;
        for (const remark of remarks) addRemark(progress.remarks, remark);
        return endUpdate(progress, text);
      }
    }
    return this.#write(wish, progress, plan);
  }

  async #write(wish: Wish, progress: UpdateProgress, plan: Plan): Promise<HostsUpdate | typeof HALF_WRITTEN> {
    const { path, lockPath, now, random } = this.#options;
    try {
      return await withLock({ path: lockPath, patienceMs: LOCK_PATIENCE_MS, now, random }, () => {
        for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
          const text = this.#step(wish, progress, plan);
          if (text === HALF_WRITTEN) return text;
          if (text !== undefined) return endUpdate(progress, text);
        }
        const cure = 'another writer keeps changing it without the lock; it is tried again in the next cycle';
        throw new HostsFailure('FileUnstable', `${path} did not hold still: ${cure}`);
      });
    } catch (error) {
      // What made us write in place may be over.
      this.#inPlace = this.#options.inPlace;
      throw failureOf(path, error);
    }
  }

  /** One look, and one write at most; the text when nothing is left to do. */
  #step(wish: Wish, progress: UpdateProgress, plan: Plan): string | typeof HALF_WRITTEN | undefined {
    const { isLast, waitedMs, isEnd } = plan;
    const open = openFile(this.#options.path, this.#inPlace ? 'write' : 'read');
    let isKept = false;
    try {
      refuseStale(open);
      if (open.links > 1 && !this.#inPlace) {
        // Another name of the file would be left behind.
        this.#inPlace = true;
        return undefined;
      }
      if (isHalfWritten(open, waitedMs)) return HALF_WRITTEN;
      const late = this.#retired.collect(open.text, { all: isEnd, inPlace: this.#inPlace });
      const settle = (): void => {
        late.settle();
        progress.carried += late.appended.length;
        progress.unread += late.unread;
        progress.lost += late.lost;
      };
      if (late.appended !== '' && late.rewritten === undefined) {
        append(open.path, late.appended);
        settle();
        return undefined;
      }
      const base = late.rewritten === undefined ? open.text : `${late.rewritten}${late.appended}`;
      const { text, remarks, missing } = this.#rewrite(base, wish, progress.room, isLast);
      if (text === open.text && missing === 0) {
        settle();
        return text;
      }
      for (const remark of remarks) addRemark(progress.remarks, remark);
      if (this.#inPlace) this.#writeInPlace(open, { text, missing }, progress);
      else isKept = this.#replace(open, text, progress, settle);
      return undefined;
    } finally {
      if (!isKept) closeSync(open.fd);
    }
  }

  /** Returns true when the replaced file is kept, to see what is still written into it. */
  #replace(open: OpenFile, text: string, progress: UpdateProgress, settle: () => void): boolean {
    try {
      if (!replaceFile(open, text)) return false;
    } catch (error) {
      // A mount point, another file system, or a folder that only the file can be written in.
      if (!['EBUSY', 'EXDEV'].includes(codeOf(error)) && !isReadOnly(error)) throw failureOf(open.path, error);
      this.#inPlace = true;
      return false;
    }
    settle();
    // From here on others may write into it without being seen.
    this.#retired.add({ fd: open.fd, text: open.text, successor: text });
    progress.how = 'replaced';
    progress.unsynced = syncFolder(open.path);
    return true;
  }

  #writeInPlace(open: OpenFile, { text, missing }: { text: string; missing: number }, progress: UpdateProgress): void {
    if (missing > 0) {
      const mark = Math.floor(this.#options.random() * 2 ** 32);
      progress.room = renderRoom(open.text, missing, mark.toString(16).padStart(8, '0'));
      append(open.path, progress.room);
      return;
    }
    if (overwrite(open.fd, open.text, text)) progress.how = 'in-place';
    progress.room = '';
  }

  /** `missing` > 0: so many bytes must be appended first; `text` is not to be written then. */
  #rewrite(
    text: string,
    wish: Wish,
    room: string,
    isLast: boolean,
  ): { readonly text: string; readonly remarks: readonly HostsRemark[]; readonly missing: number } {
    const wished = wish(text);
    if (!this.#inPlace) return { ...rewriteHosts(text, wished), missing: 0 };
    const rewrite = rewriteHostsInPlace(text, { ...wished, room: text.includes(room) ? room : '', isLast });
    return 'missing' in rewrite ? { ...rewrite, text: '' } : { ...rewrite, missing: 0 };
  }

  #read(): OpenFile {
    const open = openFile(this.#options.path, 'read');
    closeSync(open.fd);
    refuseStale(open);
    return open;
  }
}
