// The lines that a process knows to be ours: those that it wanted, and those that it found in a whole block.
import { renderPair, type HostPair } from '../core/host-names.ts';

/** Most lines that are remembered. */
const MAX_KNOWN = 10_000;

/** Remembers the lines that were ours last, a bounded number of them. */
export class KnownLines {
  readonly #lines = new Set<string>();

  /** For `Memory`; changes with `remember`. */
  get lines(): ReadonlySet<string> {
    return this.#lines;
  }

  remember(pairs: readonly HostPair[]): void {
    for (const line of pairs.map(renderPair)) {
      // Used again = youngest.
      this.#lines.delete(line);
      this.#lines.add(line);
    }
    for (const line of this.#lines) {
      if (this.#lines.size <= MAX_KNOWN) return;
      this.#lines.delete(line);
    }
  }
}
