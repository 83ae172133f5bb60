// How long the store leaves a cloud alone after a failure, and after a success.
import { disposition, KubeError } from '../core/errors.ts';
import { isValid, type Life } from '../core/refresh.ts';
import type { EpochMs } from '../core/types.ts';

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 300_000;
const MAX_ASKED_MS = 60_000;

/** How often it is looked whether what only a person can cure has been cured, milliseconds. */
export const TERMINAL_RECHECK_MS = 600_000;

/** One credential is asked for at most this often, milliseconds; a short-lived one four times in its life. */
const MIN_INTERVAL_MS = 10_000;

/** Pause after the failed attempt number `attempts` (from 1) in a row, milliseconds; `random` from 0 to 1 spreads it by ±20 %. */
export function pauseAfter(error: unknown, attempts: number, random: number): number {
  // A Secret that could not be read: what the Kubernetes API said decides.
  const cause = error instanceof Error && error.cause instanceof KubeError ? error.cause : error;
  const what = disposition(cause);
  const jitter = 0.8 + 0.4 * random;
  if (what.kind === 'terminal') return TERMINAL_RECHECK_MS * jitter;
  const asked = what.kind === 'retry' ? Math.min(what.afterMs ?? 0, MAX_ASKED_MS) : 0;
  return Math.max(asked, Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempts - 1, 30), MAX_RETRY_MS) * jitter);
}

/** True while `retryAt` must be waited for. One further away than any pause comes from a clock that jumped back. */
export function isBackingOff(retryAt: EpochMs | undefined, now: EpochMs): boolean {
  return retryAt !== undefined && retryAt > now && retryAt - now <= TERMINAL_RECHECK_MS * 1.2;
}

/** When a credential that was asked for at `askedAt` and then held may be asked for again. */
export function nextAskAt(askedAt: EpochMs, life: Life, now: EpochMs): EpochMs {
  if (askedAt > now || !isValid(life, now)) return now;
  const quarter = life.expiresAt === undefined ? MIN_INTERVAL_MS : (life.expiresAt - life.issuedAt) / 4;
  return askedAt + Math.min(MIN_INTERVAL_MS, quarter);
}
