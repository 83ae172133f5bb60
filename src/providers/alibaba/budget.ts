// Bounds how many calls are made in one region: the cloud throttles all users of an account together, and which identities belong
// to the same account is not always known. So all of them share what one account may spend; only a pause is an account's own.
import { setTimeout as pause } from 'node:timers/promises';

/** Whose request it is. */
export interface Spender {
  readonly region: string;
  /** What is known of the account; two texts may mean the same one. */
  readonly account: string;
}

/** Spends requests, first come, first served. */
export interface RequestBudget {
  /** Resolves when a request may be made. Rejects when `signal` is aborted; then nothing is spent. */
  spend(spender: Spender, signal: AbortSignal): Promise<void>;
  /** The cloud asked to slow down: nothing is spent for this account in this region during the next `ms`. */
  hold(spender: Spender, ms: number): void;
}

/** Requests in a second that clouds bear from one account in one region without throttling (acr.md section 21). */
export const REQUESTS_PER_SECOND = 15;

const WINDOW_MS = 1_000;

interface Region {
  /** When the last requests were made, oldest first. */
  readonly spentAt: number[];
  /** Until when each account waits. */
  readonly heldUntil: Map<string, number>;
  /** Settles when everybody before has been served. */
  turn: Promise<unknown>;
}

/** Builds a budget of `perSecond` requests in any second for each region. `elapsed` = milliseconds on a clock that is never set. */
export function createRequestBudget(
  options: {
    readonly perSecond?: number;
    readonly elapsed?: () => number;
    readonly delay?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  } = {},
): RequestBudget {
  const {
    perSecond = REQUESTS_PER_SECOND,
    elapsed = () => performance.now(),
    delay = (ms, signal) => pause(ms, undefined, { signal, ref: false }),
  } = options;
  const regions = new Map<string, Region>();

  const regionOf = (name: string): Region => {
    const region = regions.get(name) ?? { spentAt: [], heldUntil: new Map(), turn: Promise.resolve() };
    regions.set(name, region);
    return region;
  };

  const heldMs = (region: Region, account: string): number => (region.heldUntil.get(account) ?? 0) - elapsed();

  /** Spends one when there is room. False = the account has been asked to wait meanwhile, which must not hold up the others. */
  const takeRoom = async (region: Region, account: string, signal: AbortSignal): Promise<boolean> => {
    for (;;) {
      signal.throwIfAborted();
      if (heldMs(region, account) > 0) return false;
      const waitMs = region.spentAt.length < perSecond ? 0 : (region.spentAt[0] ?? 0) + WINDOW_MS - elapsed();
      if (waitMs <= 0) break;
      await delay(waitMs, signal);
    }
    region.spentAt.push(elapsed());
    if (region.spentAt.length > perSecond) region.spentAt.shift();
    return true;
  };

  return {
    async spend({ region: name, account }, signal) {
      const region = regionOf(name);
      for (;;) {
        for (let ms = heldMs(region, account); ms > 0; ms = heldMs(region, account)) await delay(ms, signal);
        const room = region.turn.then(() => takeRoom(region, account, signal));
        // Whoever gives up does not hold up the next.
        region.turn = room.catch(() => undefined);
        if (await room) return;
      }
    },
    hold({ region: name, account }, ms) {
      const { heldUntil } = regionOf(name);
      heldUntil.set(account, Math.max(heldUntil.get(account) ?? 0, elapsed() + ms));
    },
  };
}
