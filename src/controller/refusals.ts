// Remembers which ServiceAccounts may not be written (an admission policy, a quota), so that they neither hold up the others of
// their namespace nor are tried again in a hot loop.
import type { EpochMs } from '../core/types.ts';

const FIRST_PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 300_000;
/** Most ServiceAccounts that are remembered. */
const MAX_ACCOUNTS = 20_000;

interface Refusal {
  readonly pauseMs: number;
  readonly until: EpochMs;
}

/** Refused writes by UID; the pause doubles with each in a row. */
export class Refusals {
  readonly #refusals = new Map<string, Refusal>();

  /** A write to the ServiceAccount with this UID was refused for good. */
  refused(uid: string, now: EpochMs): void {
    const before = this.#refusals.get(uid);
    const pauseMs = before === undefined ? FIRST_PAUSE_MS : Math.min(before.pauseMs * 2, MAX_PAUSE_MS);
    this.#refusals.delete(uid);
    this.#refusals.set(uid, { pauseMs, until: now + pauseMs });
    const oldest = this.#refusals.keys().next();
    if (this.#refusals.size > MAX_ACCOUNTS && oldest.done !== true) this.#refusals.delete(oldest.value);
  }

  /** A write was accepted: what was refused is forgotten. */
  accepted(uid: string): void {
    this.#refusals.delete(uid);
  }

  /** Until when we hold back, of those among `uids` for which we do. A pause from a clock that has jumped back is over. */
  until(uids: Iterable<string>, now: EpochMs): ReadonlyMap<string, EpochMs> {
    const found = new Map<string, EpochMs>();
    if (this.#refusals.size === 0) return found;
    for (const uid of uids) {
      const refusal = this.#refusals.get(uid);
      if (refusal !== undefined && refusal.until > now && refusal.until <= now + MAX_PAUSE_MS)
        found.set(uid, refusal.until);
    }
    return found;
  }
}
