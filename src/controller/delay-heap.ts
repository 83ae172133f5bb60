// Keys with an instant each, earliest first: a binary heap whose outdated places are dropped when they come up.
import type { EpochMs } from '../core/types.ts';

interface Place {
  readonly key: string;
  readonly at: EpochMs;
}

/** At most one instant for each key. */
export class DelayHeap {
  readonly #at = new Map<string, EpochMs>();
  #heap: Place[] = [];

  /** The key's instant; undefined when it has none. */
  at(key: string): EpochMs | undefined {
    return this.#at.get(key);
  }

  /** Sets, moves or (undefined) removes the key's instant. */
  set(key: string, at: EpochMs | undefined): void {
    if (this.#at.get(key) === at) return;
    if (at === undefined) this.#at.delete(key);
    else {
      this.#at.set(key, at);
      this.#push({ key, at });
    }
    if (this.#heap.length > 64 && this.#heap.length > 4 * this.#at.size) this.#rebuild();
  }

  /** The earliest instant; undefined when empty. */
  get firstAt(): EpochMs | undefined {
    this.#dropOutdated();
    return this.#heap[0]?.at;
  }

  /** Removes and returns the keys whose instant is `now` or earlier, earliest first. */
  take(now: EpochMs): readonly string[] {
    const keys: string[] = [];
    for (let at = this.firstAt; at !== undefined && at <= now; at = this.firstAt) {
      const place = this.#pop();
      if (place === undefined) break;
      this.#at.delete(place.key);
      keys.push(place.key);
    }
    return keys;
  }

  clear(): void {
    this.#at.clear();
    this.#heap = [];
  }

  #dropOutdated(): void {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#at.get(first.key) === first.at) return;
      this.#pop();
    }
  }

  #rebuild(): void {
    this.#heap = [];
    for (const [key, at] of this.#at) this.#push({ key, at });
  }

  #push(place: Place): void {
    const heap = this.#heap;
    let index = heap.push(place) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#isOrdered(parent, index)) return;
      this.#swap(parent, index);
      index = parent;
    }
  }

  #pop(): Place | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return first;
    heap[0] = last;
    for (let index = 0; ;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const child = right < heap.length && !this.#isOrdered(left, right) ? right : left;
      if (child >= heap.length || this.#isOrdered(index, child)) return first;
      this.#swap(index, child);
      index = child;
    }
  }

  #isOrdered(a: number, b: number): boolean {
    return (this.#heap[a]?.at ?? 0) <= (this.#heap[b]?.at ?? 0);
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    const place = heap[a];
    const other = heap[b];
    if (place === undefined || other === undefined) return;
    heap[a] = other;
    heap[b] = place;
  }
}
