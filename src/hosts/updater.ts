// Keeps the block in the hosts file as the mounted list says, until stopped. Every pass looks at everything anew: an event only
// says when, and may be lost.
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findConflicts, heldPairs, type HostsConflict, type HostsWish } from '../core/hosts-file.ts';
import { parseHostsItems, wantedPairs, type HostsItems } from '../core/hosts-items.ts';
import type { HostPair } from '../core/host-names.ts';
import type { Issue } from '../core/types.ts';
import { readList } from './config-folder.ts';
import { HostsFailure } from './failure.ts';
import { failureOf } from './file-access.ts';
import { KeptFile } from './kept-file.ts';
import { KnownLines } from './known-lines.ts';
import type { HostsUpdate } from './update.ts';
import { Watches } from './watches.ts';

/** What the mounted list is worth. */
export interface ListState {
  /** `unknown` = there is no list, or it cannot be used and none was good before: the block stays as it is. */
  readonly status: 'valid' | 'lastGood' | 'unknown';
  /** Why there is no list at all. */
  readonly why: string | undefined;
  readonly issues: readonly Issue[];
}

/** Why the file was written. */
export type HostsWriteReason = 'ListChanged' | 'BlockDamaged' | 'Removed';

/** One pass that came to its end. */
export interface Kept {
  readonly update: HostsUpdate;
  readonly reason: HostsWriteReason;
  readonly pairs: readonly HostPair[];
  readonly conflicts: readonly HostsConflict[];
}

/** Is told what happens; must not throw. */
export interface HostsObserver {
  /** The list was read, and is not what it was. */
  listRead(state: ListState): void;
  kept(kept: Kept): void;
  failed(failure: HostsFailure): void;
  /** Another writer keeps undoing the block: it is put right once a cycle from now on; `false` = no longer. */
  contended(isContended: boolean): void;
}

export interface HostsUpdaterOptions {
  readonly folder: string;
  readonly file: string;
  readonly lockPath: string;
  readonly inPlace: boolean;
  /** One cycle: how long a lost event may cost, milliseconds. */
  readonly intervalMs: number;
  readonly observer: HostsObserver;
  readonly now: () => number;
  readonly random: () => number;
}

/** Events of one change come together. */
const DEBOUNCE_MS = 10;
/** How long a file that we replaced is still looked at before the process ends, milliseconds. */
const LINGER_MS = 1_000;
/** Repairs within `FIGHT_MS` before another writer is fought no more than once a cycle. */
const FORGIVEN = 5;
const FIGHT_MS = 600_000;

/** Follows one list and keeps one file. */
export class HostsUpdater {
  readonly #options: HostsUpdaterOptions;
  readonly #file: KeptFile;
  readonly #watches: Watches;
  readonly #known = new KnownLines();
  /** Text and state of the list when it was last read. */
  #list: { readonly text: string | undefined; readonly state: ListState } | undefined;
  #items: HostsItems | undefined;
  /** What the block held when it was last right; undefined = the file was not seen yet. */
  #last: readonly HostPair[] | undefined;
  #kept: Kept | undefined;
  #isListNew = true;
  #repairs: number[] = [];
  #isContended = false;
  #isDue = false;
  #wake: (() => void) | undefined;

  constructor(options: HostsUpdaterOptions) {
    const { folder, file, lockPath, inPlace, now, random } = options;
    this.#options = options;
    this.#file = new KeptFile({
      path: file,
      lockPath,
      inPlace,
      now,
      random,
      onLateWrite: () => this.#dueUnlessContended(),
    });
    this.#watches = new Watches([folder, path.dirname(file), file], (where, name) => this.#onEvent(where, name));
  }

  /** Passes until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        this.#watches.arm();
        await this.#pass();
        await this.#rest(signal);
      }
    } finally {
      this.#watches.close();
    }
  }

  /** Takes the block out of the file; false = lines stay that may be ours, of which it was told. Throws HostsFailure. */
  async remove(): Promise<boolean> {
    // A block that is torn, or has lines of others in it, is ours as far as the list knows its lines.
    const read = readList(this.#options.folder);
    const parsed = read.ok ? parseHostsItems(read.text) : undefined;
    if (parsed?.ok === true) this.#known.remember(parsed.value.pairs);
    const wish = (text: string): HostsWish => this.#wish(text, () => []);
    const update = await this.#file.update(wish, { isLast: true });
    this.#tell({ update, reason: 'Removed', pairs: [], conflicts: [] });
    return !update.remarks.some(({ reason }) => reason === 'LineLeft');
  }

  /** Waits for those who had a file open that was replaced, and brings what they wrote. Throws HostsFailure. */
  async close(): Promise<void> {
    const since = this.#file.sinceReplaced();
    if (since !== undefined && since < LINGER_MS) await pause(LINGER_MS - since);
    const update = await this.#file.close();
    if (update !== undefined && this.#kept !== undefined) this.#options.observer.kept({ ...this.#kept, update });
  }

  async #pass(): Promise<void> {
    const { observer, file } = this.#options;
    this.#readList();
    const items = this.#items;
    if (items === undefined) return;
    if (!this.#isListNew && this.#kept !== undefined && this.#file.isAsLeft()) {
      observer.kept(this.#kept);
      this.#judge(false);
      return;
    }
    try {
      let wished: HostsWish | undefined;
      const update = await this.#file.update((text) => {
        wished = this.#wish(text, (held) => wantedPairs(items, [...held, ...(this.#last ?? [])]));
        return wished;
      });
      if (wished === undefined) return;
      const isRepair = update.how !== undefined && !this.#isListNew;
      this.#isListNew = false;
      this.#last = wished.pairs;
      this.#known.remember(wished.pairs);
      const conflicts = findConflicts(update.text, wished);
      this.#tell({ update, reason: isRepair ? 'BlockDamaged' : 'ListChanged', pairs: wished.pairs, conflicts });
      this.#judge(isRepair);
    } catch (error) {
      const failure = failureOf(file, error);
      observer.failed(failure);
      // Another writer undid every attempt: as good as a repair that did not last.
      if (failure.reason === 'FileUnstable') this.#judge(true);
    }
  }

  #tell(kept: Kept): void {
    this.#kept = kept;
    this.#options.observer.kept(kept);
  }

  /** A wish that knows which lines are ours; `choose` gives the pairs from those that the block holds. */
  #wish(text: string, choose: (held: readonly HostPair[]) => readonly HostPair[]): HostsWish {
    const memory = { known: this.#known.lines, isFirst: this.#last === undefined };
    const held = heldPairs(text, memory);
    this.#known.remember(held);
    return { ...memory, pairs: choose(held) };
  }

  #readList(): void {
    const read = readList(this.#options.folder);
    const text = read.ok ? read.text : undefined;
    const why = read.ok ? undefined : read.why;
    if (this.#list !== undefined && this.#list.text === text && this.#list.state.why === why) return;
    const parsed = text === undefined ? undefined : parseHostsItems(text);
    if (parsed?.ok === true) {
      this.#items = parsed.value;
      this.#isListNew = true;
    }
    const bad = this.#items === undefined ? 'unknown' : 'lastGood';
    const status = parsed?.ok === true ? 'valid' : bad;
    this.#list = { text, state: { status, why, issues: parsed?.issues ?? [] } };
    this.#options.observer.listRead(this.#list.state);
  }

  /** Counts repairs, those that came to nothing too: never a hot loop with a writer that undoes them. */
  #judge(isRepair: boolean): void {
    const now = this.#options.now();
    if (isRepair) this.#repairs.push(now);
    this.#repairs = this.#repairs.filter((at) => Math.abs(now - at) < FIGHT_MS).slice(-2 * FORGIVEN);
    const isContended = this.#repairs.length > FORGIVEN;
    if (isContended !== this.#isContended) this.#options.observer.contended(isContended);
    this.#isContended = isContended;
  }

  #onEvent(where: string, name: string | undefined): void {
    const { folder, file } = this.#options;
    if (where === folder) this.#due();
    // Its folder tells of many other files.
    else if (where === file || name === undefined || name === path.basename(file)) this.#dueUnlessContended();
  }

  #dueUnlessContended(): void {
    if (!this.#isContended) this.#due();
  }

  #due(): void {
    this.#isDue = true;
    this.#wake?.();
  }

  /** Until something may have changed, a cycle has passed, or the process is to end. */
  async #rest(signal: AbortSignal): Promise<void> {
    if (!this.#isDue && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimeout(done, this.#options.intervalMs);
        signal.addEventListener('abort', done, { once: true });
        this.#wake = done;
      });
    }
    this.#wake = undefined;
    if (this.#isDue) await pause(DEBOUNCE_MS);
    this.#isDue = false;
  }
}
