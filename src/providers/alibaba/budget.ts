// Bounds how many calls one account makes in one region: the cloud throttles all of its users together.
import { setTimeout as pause } from 'node:timers/promises';

/** Spends requests, first come, first served. */
export interface RequestBudget {
  /** Resolves when a request may be made for `key`. Rejects when `signal` is aborted; then nothing is spent. */
  spend(key: string, signal: AbortSignal): Promise<void>;
  /** The cloud asked to slow down: nothing is spent for `key` during the next `ms`. */
  hold(key: string, ms: number): void;
}

/** Requests in a second that clouds bear without throttling (acr.md section 21). */
export const REQUESTS_PER_SECOND = 15;

const WINDOW_MS = 1_000;

interface Account {
  /** When the last requests were made, oldest first. */
  readonly spentAt: number[];
  heldUntil: number;
  /** Settles when everybody before has been served. */
  turn: Promise<void>;
}

/** Builds a budget of `perSecond` requests in any second for each key. `elapsed` = milliseconds on a clock that is never set. */
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
  const accounts = new Map<string, Account>();

  const accountOf = (key: string): Account => {
    const account = accounts.get(key) ?? { spentAt: [], heldUntil: 0, turn: Promise.resolve() };
    accounts.set(key, account);
    return account;
  };

  const waitForRoom = async (account: Account, signal: AbortSignal): Promise<void> => {
    for (;;) {
      signal.throwIfAborted();
      const full = account.spentAt.length < perSecond ? 0 : (account.spentAt[0] ?? 0) + WINDOW_MS;
      const waitMs = Math.max(full, account.heldUntil) - elapsed();
      if (waitMs <= 0) break;
      await delay(waitMs, signal);
    }
    account.spentAt.push(elapsed());
    if (account.spentAt.length > perSecond) account.spentAt.shift();
  };

  return {
    spend(key, signal) {
      const account = accountOf(key);
      const room = account.turn.then(() => waitForRoom(account, signal));
      // Whoever gives up does not hold up the next.
      account.turn = room.catch(() => undefined);
      return room;
    },
    hold(key, ms) {
      const account = accountOf(key);
      account.heldUntil = Math.max(account.heldUntil, elapsed() + ms);
    },
  };
}
