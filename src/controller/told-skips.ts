// What the last pass over each namespace left alone: told when it begins, and counted while it lasts.
import type { Skip } from '../core/plan-types.ts';

/** The memory. */
export class ToldSkips {
  readonly #names = new Map<string, ReadonlySet<string>>();

  /** Takes what a pass over the namespace left alone, and gives what the pass before had not. */
  take(namespace: string, skips: readonly Skip[]): readonly Skip[] {
    const before = this.#names.get(namespace);
    if (skips.length === 0) this.#names.delete(namespace);
    else this.#names.set(namespace, new Set(skips.map(nameOf)));
    return skips.filter((skip) => before?.has(nameOf(skip)) !== true);
  }

  /** The namespace is gone. */
  forget(namespace: string): void {
    this.#names.delete(namespace);
  }

  /** Everything goes. */
  clear(): void {
    this.#names.clear();
  }

  /** How many things are left alone, by reason. */
  counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const names of this.#names.values()) {
      for (const name of names) {
        const [reason = ''] = name.split(' ', 1);
        counts.set(reason, (counts.get(reason) ?? 0) + 1);
      }
    }
    return counts;
  }
}

/** Tells the skips of a namespace apart; the reason comes first. */
function nameOf({ reason, object, name }: Skip): string {
  return `${reason} ${object ?? ''} ${name}`;
}
