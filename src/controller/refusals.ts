// Remembers what may not be written (an admission policy, a quota), so that it neither holds up the others of its namespace nor
// is tried again in a hot loop.
import type { EpochMs } from '../core/types.ts';
import { ByNamespace, type Member } from './by-namespace.ts';

const FIRST_PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 300_000;

interface Refusal {
  readonly pauseMs: number;
  readonly until: EpochMs;
}

/**
 * Refused writes, ServiceAccounts by UID, Secrets by namespace and name; the pause doubles with each in a row. There is no bound:
 * a pause that is forgotten is a hot loop. `retain` keeps it to what is there.
 */
export class Refusals {
  readonly #refusals = new ByNamespace<Refusal>();

  /** A write to this object was refused for good. Returns until when we hold back. */
  refused(member: Member, now: EpochMs): EpochMs {
    const before = this.#refusals.get(member);
    const pauseMs = before === undefined ? FIRST_PAUSE_MS : Math.min(before.pauseMs * 2, MAX_PAUSE_MS);
    const until = now + pauseMs;
    this.#refusals.set(member, { pauseMs, until });
    return until;
  }

  /** A write was accepted: what was refused is forgotten. */
  accepted(member: Member): void {
    this.#refusals.delete(member);
  }

  /** Forgets everything in the namespace but these. */
  retain(namespace: string, ids: Iterable<string>): void {
    const refusals = this.#refusals.inNamespace(namespace);
    if (refusals.size === 0) return;
    const kept = new Set(ids);
    for (const id of [...refusals.keys()]) if (!kept.has(id)) this.#refusals.delete({ namespace, id });
  }

  /** The namespace is gone. */
  forgetNamespace(namespace: string): void {
    this.#refusals.deleteNamespace(namespace);
  }

  /** Everything goes, e.g. when the configuration changed: what is written then may be accepted. */
  clear(): void {
    this.#refusals.clear();
  }

  /** Until when we hold back, by id, of the objects of the namespace for which we do. A pause from a clock that has jumped back is over. */
  inNamespace(namespace: string, now: EpochMs): ReadonlyMap<string, EpochMs> {
    const found = new Map<string, EpochMs>();
    for (const [id, { until }] of this.#refusals.inNamespace(namespace)) {
      if (until > now && until <= now + MAX_PAUSE_MS) found.set(id, until);
    }
    return found;
  }
}
