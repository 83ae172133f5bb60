// Remembers which ServiceAccounts keep losing our reference to another writer, and holds back: never a hot loop.
import type { EpochMs } from '../core/types.ts';

/** Losses that are forgiven before we hold back: a GitOps tool or `helm upgrade` may replace the list now and then. */
const FORGIVEN = 3;
const FIRST_PAUSE_MS = 10_000;
/** Long enough to be no storm, short enough that a tool which re-syncs every few minutes costs Pods little. */
const MAX_PAUSE_MS = 300_000;
/** Losses older than this do not count. */
const MEMORY_MS = 600_000;
/** Most ServiceAccounts that are remembered. */
const MAX_ACCOUNTS = 20_000;

interface Fight {
  additions: number;
  lastAt: EpochMs;
  until: EpochMs;
}

/** Counts how often a reference was added to the same ServiceAccount. */
export class Contention {
  readonly #fights = new Map<string, Fight>();

  /** A reference was added to the ServiceAccount with this UID. Returns the pause that follows, milliseconds; 0 = none yet. */
  added(uid: string, now: EpochMs): number {
    const before = this.#fights.get(uid);
    const pauseBefore = before === undefined ? 0 : before.until - before.lastAt;
    const recent = before !== undefined && now - before.lastAt <= MEMORY_MS + pauseBefore;
    const additions = recent ? before.additions + 1 : 1;
    const excess = additions - FORGIVEN - 1;
    const pause = excess < 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** Math.min(excess, 20), MAX_PAUSE_MS);
    this.#fights.delete(uid);
    this.#fights.set(uid, { additions, lastAt: now, until: now + pause });
    if (this.#fights.size > MAX_ACCOUNTS) {
      const oldest = this.#fights.keys().next();
      if (oldest.done !== true) this.#fights.delete(oldest.value);
    }
    return pause;
  }

  /** We took a reference away ourselves: adding it again is no loss. */
  removed(uid: string): void {
    const fight = this.#fights.get(uid);
    if (fight !== undefined) fight.additions = Math.max(0, fight.additions - 1);
  }

  /** Until when we hold back, by UID, of those among `uids` for which we do. */
  until(uids: Iterable<string>, now: EpochMs): ReadonlyMap<string, EpochMs> {
    const found = new Map<string, EpochMs>();
    if (this.#fights.size === 0) return found;
    for (const uid of uids) {
      const fight = this.#fights.get(uid);
      if (fight !== undefined && fight.until > now) found.set(uid, fight.until);
    }
    return found;
  }
}
