// How long the webhook object is held back where there is none: until every replica has had time to serve with what it says.
import type { X509Certificate } from 'node:crypto';
import { SETTLING_MS } from './authority.ts';

/** Since when a process has seen what replicas are to serve with, whether it leads or not: a new leader need not wait anew. */
export class Settling {
  readonly #elapsed: () => number;
  /** Of the authority to serve with; undefined = switched off, or there is none, or nothing was seen yet. */
  #fingerprint: string | undefined;
  /** On the clock that is never set. */
  #since = 0;

  /** `elapsed`: milliseconds on a clock that is never set. */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
  }

  /** What configuration and Secret say now. How old either is says nothing of what other replicas have seen. */
  saw(isWanted: boolean, authority: X509Certificate | undefined): void {
    const fingerprint = isWanted ? authority?.fingerprint256 : undefined;
    if (fingerprint === this.#fingerprint) return;
    this.#fingerprint = fingerprint;
    this.#since = this.#elapsed();
  }

  /** Milliseconds until every replica that has seen the same can be expected to serve; 0 = now. */
  leftMs(): number {
    if (this.#fingerprint === undefined) return SETTLING_MS;
    return Math.max(0, this.#since + SETTLING_MS - this.#elapsed());
  }
}
