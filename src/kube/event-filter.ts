// Decides which Events are worth posting: each thing is said once an hour, and no object may talk without end.
import type { EpochMs } from '../core/types.ts';

/** What an Event would say, and of which object. */
export interface EventKey {
  readonly uid: string;
  readonly reason: string;
  readonly message: string;
}

/** The same thing is said again after this time, milliseconds. */
const REPEAT_MS = 3_600_000;
/** After client-go's spam filter: a burst of 25 for each object, then one every five minutes. */
const BURST = 25;
const REFILL_MS = 300_000;
/** Most messages, and most objects, that are remembered; the oldest go. */
const MAX_KEYS = 1_000;

/** Remembers what was said. */
export class EventFilter {
  readonly #saidAt = new Map<string, EpochMs>();
  readonly #buckets = new Map<string, { readonly tokens: number; readonly at: EpochMs }>();

  /** Why not to post; undefined = post it, and it counts as said. */
  refuse({ uid, reason, message }: EventKey, now: EpochMs): 'duplicate' | 'spam' | undefined {
    const key = JSON.stringify([uid, reason, message]);
    const saidAt = this.#saidAt.get(key);
    if (saidAt !== undefined && now - saidAt < REPEAT_MS) return 'duplicate';
    const bucket = this.#buckets.get(uid) ?? { tokens: BURST, at: now };
    const tokens = Math.min(BURST, bucket.tokens + Math.max(0, now - bucket.at) / REFILL_MS);
    if (tokens < 1) return 'spam';
    setNewest(this.#buckets, uid, { tokens: tokens - 1, at: now });
    setNewest(this.#saidAt, key, now);
    return undefined;
  }

  /** It was not posted after all: it may be said again at once. */
  forget({ uid, reason, message }: EventKey): void {
    this.#saidAt.delete(JSON.stringify([uid, reason, message]));
  }
}

function setNewest<V>(known: Map<string, V>, key: string, value: V): void {
  known.delete(key);
  const [oldest] = known.keys();
  if (known.size >= MAX_KEYS && oldest !== undefined) known.delete(oldest);
  known.set(key, value);
}
