// When a credential is due: the one rule that every provider and every Secret follows.
import { createHash } from 'node:crypto';
import type { EpochMs } from './types.ts';

/** Life of a credential as the rule sees it. */
export interface Life {
  readonly issuedAt: EpochMs;
  /** undefined = it does not expire, and is never due. */
  readonly expiresAt: EpochMs | undefined;
}

/**
 * When to renew: at the earlier of `expiresAt − threshold` and 80 % of life, less `spread` (0 up to, not including, 1) of a
 * window as long as the threshold, so that a rotation is no burst. The threshold counts as at most half of the life, the
 * window as at most a third of what precedes it: a short-lived token is never due at birth. With the spread 1, which no
 * credential has, it is when whatever must be newer than all of them is due: a third of the life at the earliest.
 * Returns undefined when it never is.
 */
export function dueAt(life: Life, thresholdMs: number, spread: number): EpochMs | undefined {
  if (life.expiresAt === undefined) return undefined;
  const lifeMs = life.expiresAt - life.issuedAt;
  if (lifeMs <= 0) return life.issuedAt;
  const threshold = Math.min(thresholdMs, lifeMs / 2);
  const latest = Math.min(lifeMs - threshold, lifeMs * 0.8);
  const window = Math.min(threshold, latest / 3);
  return Math.ceil(life.issuedAt + latest - window * spread);
}

/** True when it is time to renew. A credential from the future (the clock jumped back) is due now. */
export function isDue(life: Life, thresholdMs: number, spread: number, now: EpochMs): boolean {
  if (life.issuedAt > now) return life.expiresAt !== undefined;
  const at = dueAt(life, thresholdMs, spread);
  return at !== undefined && at <= now;
}

/** True when half of the life is over: then it is renewed together with a due neighbour in the same Secret. */
export function isPastHalf(life: Life, now: EpochMs): boolean {
  return (
    life.expiresAt !== undefined && (life.issuedAt > now || now - life.issuedAt >= (life.expiresAt - life.issuedAt) / 2)
  );
}

/** True while the registry accepts it. */
export function isValid(life: Life, now: EpochMs): boolean {
  return life.expiresAt === undefined || life.expiresAt > now;
}

/** A number from 0 up to, not including, 1 that depends on `name` only. */
export function spreadOf(name: string): number {
  return createHash('sha256').update(name).digest().readUInt32BE(0) / 2 ** 32;
}
