// Bounds how many calls are made of what a cloud throttles as one: it does so for all users of an account together, and which
// identities belong to the same account is not always known. So all of them share what one account may spend; only a pause is an
// account's own.
import { setTimeout as pause } from 'node:timers/promises';

/** Whose request it is. */
export interface Spender {
  /** What the cloud counts by itself: a region, or an action in it. */
  readonly scope: string;
  /** What is known of the account; two texts may mean the same one. */
  readonly account: string;
}

/** Spends requests, first come, first served. */
export interface RequestBudget {
  /** Resolves when a request may be made. Rejects when `signal` is aborted; then nothing is spent. */
  spend(spender: Spender, signal: AbortSignal): Promise<void>;
  /** The cloud asked to slow down: nothing is spent for this account in this scope during the next `ms`. */
  hold(spender: Spender, ms: number): void;
}

const WINDOW_MS = 1_000;

/** Pause of an account after throttling, milliseconds, when the cloud does not say how long. */
const THROTTLED_MS = 1_000;

/** Longest such pause: what was throttled waits as long as it was told, but must not hold up the others for long. */
const MAX_HOLD_MS = 5_000;

interface Scope {
  /** When the last requests were made, oldest first. */
  readonly spentAt: number[];
  /** Until when each account waits. */
  readonly heldUntil: Map<string, number>;
  /** Settles when everybody before has been served. */
  turn: Promise<unknown>;
}

/** Builds a budget of `perSecond` requests in any second for each scope. `elapsed` = milliseconds on a clock that is never set. */
export function createRequestBudget(options: {
  readonly perSecond: number;
  readonly elapsed?: () => number;
  readonly delay?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}): RequestBudget {
  const {
    perSecond,
    elapsed = () => performance.now(),
    delay = (ms, signal) => pause(ms, undefined, { signal, ref: false }),
  } = options;
  const scopes = new Map<string, Scope>();

  const scopeOf = (name: string): Scope => {
    const scope = scopes.get(name) ?? { spentAt: [], heldUntil: new Map(), turn: Promise.resolve() };
    scopes.set(name, scope);
    return scope;
  };

  const heldMs = (scope: Scope, account: string): number => (scope.heldUntil.get(account) ?? 0) - elapsed();

  /** Spends one when there is room. False = the account has been asked to wait meanwhile, which must not hold up the others. */
  const takeRoom = async (scope: Scope, account: string, signal: AbortSignal): Promise<boolean> => {
    for (;;) {
      signal.throwIfAborted();
      if (heldMs(scope, account) > 0) return false;
      const waitMs = scope.spentAt.length < perSecond ? 0 : (scope.spentAt[0] ?? 0) + WINDOW_MS - elapsed();
      if (waitMs <= 0) break;
      await delay(waitMs, signal);
    }
    scope.spentAt.push(elapsed());
    if (scope.spentAt.length > perSecond) scope.spentAt.shift();
    return true;
  };

  return {
    async spend({ scope: name, account }, signal) {
      const scope = scopeOf(name);
      for (;;) {
        for (let ms = heldMs(scope, account); ms > 0; ms = heldMs(scope, account)) await delay(ms, signal);
        const room = scope.turn.then(() => takeRoom(scope, account, signal));
        // Whoever gives up does not hold up the next.
        scope.turn = room.catch(() => undefined);
        if (await room) return;
      }
    },
    hold({ scope: name, account }, ms) {
      const { heldUntil } = scopeOf(name);
      heldUntil.set(account, Math.max(heldUntil.get(account) ?? 0, elapsed() + ms));
    },
  };
}

/** Holds the account back after a call was throttled: as long as the cloud asked for, within bounds. */
export function holdAfterThrottling(
  budget: Pick<RequestBudget, 'hold'>,
  spender: Spender,
  retryAfterMs: number | undefined,
): void {
  budget.hold(spender, Math.min(retryAfterMs ?? THROTTLED_MS, MAX_HOLD_MS));
}
