// Remembers which objects keep losing what we write to another writer, and holds back: never a hot loop.
import type { EpochMs } from '../core/types.ts';
import { ByNamespace, type Member } from './by-namespace.ts';

/** Losses that are forgiven before we hold back: a GitOps tool or `helm upgrade` may replace the list now and then. */
const FORGIVEN = 3;
const FIRST_PAUSE_MS = 10_000;
/** Long enough to be no storm, short enough that a tool which re-syncs every few minutes costs Pods little. */
const MAX_PAUSE_MS = 300_000;
/** Losses older than this do not count. */
const MEMORY_MS = 600_000;
/** Most objects that are remembered. */
const MAX_OBJECTS = 20_000;

/** Something of ours was written to an object. */
export interface Addition extends Member {
  /** Names what was written; something else than the last time is no loss. Absent = it is always the same. */
  readonly written?: string;
  /** It is a loss whatever was written. */
  readonly isLoss?: boolean;
}

interface Fight {
  readonly additions: number;
  readonly lastAt: EpochMs;
  readonly until: EpochMs;
  readonly written: string | undefined;
}

/**
 * Counts how often the same thing was written to the same object. An object has any id that stays the same while it is fought
 * over: for a ServiceAccount its UID; for a Secret, which comes back with another UID, its namespace and name.
 */
export class Contention {
  readonly #fights = new ByNamespace<Fight>(MAX_OBJECTS);

  /** Ours was added to this object. Returns the pause that follows, milliseconds; 0 = none yet. */
  added(addition: Addition, now: EpochMs): number {
    const { written, isLoss = false } = addition;
    const before = this.#fights.get(addition);
    const pauseBefore = before === undefined ? 0 : before.until - before.lastAt;
    const recent = before !== undefined && now - before.lastAt <= MEMORY_MS + pauseBefore;
    if (recent && before.written !== written && !isLoss) {
      this.#fights.set(addition, { ...before, written });
      return 0;
    }
    const additions = recent ? before.additions + 1 : 1;
    const excess = additions - FORGIVEN - 1;
    const pause = excess < 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** Math.min(excess, 20), MAX_PAUSE_MS);
    this.#fights.set(addition, { additions, lastAt: now, until: now + pause, written });
    return pause;
  }

  /** We took ours away ourselves: adding it again is no loss. */
  removed(member: Member): void {
    const fight = this.#fights.get(member);
    if (fight !== undefined) this.#fights.set(member, { ...fight, additions: Math.max(0, fight.additions - 1) });
  }

  /** The namespace is gone, and everybody who fought over its objects: what comes under the same names is new. */
  forgetNamespace(namespace: string): void {
    this.#fights.deleteNamespace(namespace);
  }

  /** Everything goes. */
  clear(): void {
    this.#fights.clear();
  }

  /** Until when we hold back, by id, of the objects of the namespace for which we do. */
  inNamespace(namespace: string, now: EpochMs): ReadonlyMap<string, EpochMs> {
    const found = new Map<string, EpochMs>();
    for (const [id, { until }] of this.#fights.inNamespace(namespace)) {
      // One further ahead than any pause comes from a clock that was set back.
      if (until > now && until - now <= MAX_PAUSE_MS) found.set(id, until);
    }
    return found;
  }
}
