// How long the webhook object is held back where there is none: until every replica has had time to serve with what it says.
import type { X509Certificate } from 'node:crypto';
import type { EpochMs } from '../core/types.ts';
import { issuedAt, SETTLING_MS } from './authority.ts';

/** Since when a process has seen what replicas are to serve with, whether it leads or not: a new leader need not wait anew. */
export class Settling {
  readonly #now: () => EpochMs;
  readonly #elapsed: () => number;
  /** Of the authority to serve with; undefined = switched off, or there is none. */
  #fingerprint: string | undefined;
  /** On the clock that is never set; undefined = nothing was seen yet. */
  #since: number | undefined;

  /** `elapsed`: milliseconds on a clock that is never set. */
  constructor({ now, elapsed }: { readonly now: () => EpochMs; readonly elapsed: () => number }) {
    this.#now = now;
    this.#elapsed = elapsed;
  }

  /** Configuration and Secret are known, and say this. What is seen first has been so for as long as the authority is old. */
  saw(isWanted: boolean, authority: X509Certificate | undefined): void {
    const served = isWanted ? authority : undefined;
    const isFirst = this.#since === undefined;
    if (!isFirst && this.#fingerprint === served?.fingerprint256) return;
    this.#fingerprint = served?.fingerprint256;
    // A clock that is behind the one that dated it must not hold anything up.
    const ageMs = isFirst && served !== undefined ? Math.max(0, this.#now() - issuedAt(served)) : 0;
    this.#since = this.#elapsed() - ageMs;
  }

  /** Milliseconds until every replica that has seen the same can be expected to serve; 0 = now. */
  leftMs(): number {
    if (this.#since === undefined || this.#fingerprint === undefined) return SETTLING_MS;
    return Math.max(0, this.#since + SETTLING_MS - this.#elapsed());
  }
}
