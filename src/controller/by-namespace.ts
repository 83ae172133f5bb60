// What is remembered of things in namespaces: forgotten with the namespace, and bounded where a bound is given.

/** Names one thing in a namespace. */
export interface Member {
  readonly namespace: string;
  /** Any text that names it there. */
  readonly id: string;
}

/** Values by namespace and id. */
export class ByNamespace<V> {
  readonly #limit: number;
  readonly #namespaces = new Map<string, Map<string, V>>();
  #size = 0;

  /** `limit`: most values that are kept; the one that was set longest ago, of the namespace that was, goes first. */
  constructor(limit = Infinity) {
    this.#limit = limit;
  }

  get({ namespace, id }: Member): V | undefined {
    return this.#namespaces.get(namespace)?.get(id);
  }

  /** The values of one namespace, by id. */
  inNamespace(namespace: string): ReadonlyMap<string, V> {
    return this.#namespaces.get(namespace) ?? new Map<string, V>();
  }

  set({ namespace, id }: Member, value: V): void {
    const values = this.#namespaces.get(namespace) ?? new Map<string, V>();
    if (values.delete(id)) this.#size -= 1;
    // Maps keep the order of insertion: what is set last comes last.
    this.#namespaces.delete(namespace);
    this.#namespaces.set(namespace, values.set(id, value));
    this.#size += 1;
    if (this.#size > this.#limit) this.#dropOldest();
  }

  delete({ namespace, id }: Member): void {
    const values = this.#namespaces.get(namespace);
    if (values?.delete(id) !== true) return;
    this.#size -= 1;
    if (values.size === 0) this.#namespaces.delete(namespace);
  }

  deleteNamespace(namespace: string): void {
    this.#size -= this.inNamespace(namespace).size;
    this.#namespaces.delete(namespace);
  }

  clear(): void {
    this.#namespaces.clear();
    this.#size = 0;
  }

  #dropOldest(): void {
    for (const [namespace, values] of this.#namespaces) {
      for (const id of values.keys()) {
        this.delete({ namespace, id });
        return;
      }
    }
  }
}
