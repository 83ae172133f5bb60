// Lets one thing at a time happen for each key: what is fetched must not be among what is revoked meanwhile.

/** Work by key, each after the other; nothing waits for another key. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Does `work` as soon as all that came before it for `key` has ended, well or not; at once when there is none. */
  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const mine = before === undefined ? work() : before.then(work);
    const end = (): void => {
      if (this.#last.get(key) === ended) this.#last.delete(key);
    };
    const ended: Promise<void> = mine.then(end, end);
    this.#last.set(key, ended);
    return mine;
  }
}
