// Remembers which objects keep losing what we write to another writer, and holds back: never a hot loop.
import type { EpochMs } from '../core/types.ts';

/** Losses that are forgiven before we hold back: a GitOps tool or `helm upgrade` may replace the list now and then. */
const FORGIVEN = 3;
const FIRST_PAUSE_MS = 10_000;
/** Long enough to be no storm, short enough that a tool which re-syncs every few minutes costs Pods little. */
const MAX_PAUSE_MS = 300_000;
/** Losses older than this do not count. */
const MEMORY_MS = 600_000;
/** Most objects that are remembered. */
const MAX_OBJECTS = 20_000;

interface Fight {
  additions: number;
  lastAt: EpochMs;
  until: EpochMs;
}

/**
 * Counts how often the same thing was written to the same object. An object has any id that stays the same while it is fought
 * over: for a ServiceAccount its UID; for a Secret, which comes back with another UID, its namespace and name.
 */
export class Contention {
  readonly #fights = new Map<string, Fight>();

  /** Ours was added to this object. Returns the pause that follows, milliseconds; 0 = none yet. */
  added(id: string, now: EpochMs): number {
    const before = this.#fights.get(id);
    const pauseBefore = before === undefined ? 0 : before.until - before.lastAt;
    const recent = before !== undefined && now - before.lastAt <= MEMORY_MS + pauseBefore;
    const additions = recent ? before.additions + 1 : 1;
    const excess = additions - FORGIVEN - 1;
    const pause = excess < 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** Math.min(excess, 20), MAX_PAUSE_MS);
    this.#fights.delete(id);
    this.#fights.set(id, { additions, lastAt: now, until: now + pause });
    if (this.#fights.size > MAX_OBJECTS) {
      const oldest = this.#fights.keys().next();
      if (oldest.done !== true) this.#fights.delete(oldest.value);
    }
    return pause;
  }

  /** We took ours away ourselves: adding it again is no loss. */
  removed(id: string): void {
    const fight = this.#fights.get(id);
    if (fight !== undefined) fight.additions = Math.max(0, fight.additions - 1);
  }

  /** Until when we hold back, by id, of those among `ids` for which we do. */
  until(ids: Iterable<string>, now: EpochMs): ReadonlyMap<string, EpochMs> {
    const found = new Map<string, EpochMs>();
    if (this.#fights.size === 0) return found;
    for (const id of ids) {
      const fight = this.#fights.get(id);
      // One further ahead than any pause comes from a clock that was set back.
      if (fight !== undefined && fight.until > now && fight.until - now <= MAX_PAUSE_MS) found.set(id, fight.until);
    }
    return found;
  }
}
