// A credential store in memory whose clouds always answer.
import type { WantedCredential } from '../../src/core/assess-secret.ts';
import { dueAt } from '../../src/core/refresh.ts';
import type { CredentialAnswer, EpochMs } from '../../src/core/types.ts';
import { buildSource, HOUR } from './builders.ts';

/** A store whose clouds always answer; each key has a life of its own, in milliseconds. */
export class HealthyStore {
  readonly #lives: Readonly<Record<string, number>>;
  readonly #thresholdMs: number;
  readonly #held = new Map<string, { issuedAt: EpochMs; expiresAt: EpochMs }>();
  /** Calls of the clouds. */
  fetches = 0;

  constructor(lives: Readonly<Record<string, number>>, thresholdMs: number) {
    this.#lives = lives;
    this.#thresholdMs = thresholdMs;
  }

  /** The source of what is held; undefined = nothing. */
  current(cacheKey: string): string | undefined {
    return this.#held.has(cacheKey) ? buildSource(cacheKey) : undefined;
  }

  /** Answers as the real store does: what is held serves until it is due, or as old as what the Secret holds. */
  resolve(wanted: readonly WantedCredential[], now: EpochMs): ReadonlyMap<string, CredentialAnswer> {
    const answers = wanted.map(({ request: { cacheKey }, newerThan }): [string, CredentialAnswer] => {
      const held = this.#held.get(cacheKey);
      const isUsable =
        held !== undefined &&
        held.issuedAt > (newerThan ?? -Infinity) &&
        (dueAt(held, this.#thresholdMs, 0) ?? Infinity) > now;
      if (!isUsable) this.fetches += 1;
      const life = isUsable ? held : { issuedAt: now, expiresAt: now + (this.#lives[cacheKey] ?? HOUR) };
      this.#held.set(cacheKey, life);
      const credential = { username: 'user', password: `of ${cacheKey}, issued at ${life.issuedAt}`, ...life };
      return [cacheKey, { status: 'fresh', credential, source: buildSource(cacheKey) }];
    });
    return new Map(answers);
  }
}
