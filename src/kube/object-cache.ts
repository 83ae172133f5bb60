// The cached copy of one kind of object, and the rules by which lists, watch events and our own writes change it. Versions
// decide: nothing older ever replaces something newer, so that no pass plans from a view that misses our own writes.

/** What the cache holds of one object. */
export interface Projected<T> {
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly value: T;
}

/** A change of one object in the cache. */
export interface Change<T> {
  /** `namespace/name`, or the name alone for cluster-scoped kinds. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly before: T | undefined;
  readonly after: T | undefined;
  /** `list` = the first full list. */
  readonly source: 'list' | 'watch' | 'relist' | 'write';
}

/** Our own deletions that are remembered until the watch tells of them. */
const MAX_DELETIONS = 10_000;

interface Identity {
  readonly uid: string;
  readonly resourceVersion: string;
}

interface Deletion {
  /** How many lists had begun when we deleted: a list that began later knows better. */
  readonly afterList: number;
}

/** Objects by namespace and name. Single-threaded and synchronous: every method leaves it consistent. */
export class ObjectCache<T> {
  readonly #values = new Map<string, Map<string, T>>();
  readonly #identities = new Map<string, Map<string, Identity>>();
  readonly #deletions = new Map<string, Deletion>();
  readonly #isEqual: (a: T, b: T) => boolean;
  readonly #onChange: (change: Change<T>) => void;
  #size = 0;
  #lists = 0;
  #seen: string | undefined;

  constructor(isEqual: (a: T, b: T) => boolean, onChange: (change: Change<T>) => void) {
    this.#isEqual = isEqual;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#size;
  }

  /** The resourceVersion up to which everything is known; undefined before the first list. */
  get seen(): string | undefined {
    return this.#seen;
  }

  get(namespace: string, name: string): T | undefined {
    return this.#values.get(namespace)?.get(name);
  }

  inNamespace(namespace: string): ReadonlyMap<string, T> {
    return this.#values.get(namespace) ?? EMPTY;
  }

  *all(): Generator<T> {
    for (const names of this.#values.values()) yield* names.values();
  }

  /** A list begins: what we delete from now on, it may still show. */
  beginList(): void {
    this.#lists += 1;
  }

  /**
   * Takes over a full list that was read at `resourceVersion`. Returns how many changes the watch should have shown: objects
   * older than what it had reached that differ, and objects that are gone. What we wrote after the list was read stays.
   * A list is never older than what a watch has shown, except when the cluster was restored from a backup: then it is right.
   */
  replace(items: readonly Projected<T>[], resourceVersion: string, source: 'list' | 'relist'): number {
    const reached = this.#seen;
    if (reached !== undefined && isNewer(reached, resourceVersion)) this.#forgetVersions();
    const listed = new Map<string, Set<string>>();
    let missed = 0;
    for (const [uid, { afterList }] of this.#deletions) if (afterList < this.#lists) this.#deletions.delete(uid);
    for (const item of items) {
      const names = listed.get(item.namespace) ?? new Set();
      listed.set(item.namespace, names.add(item.name));
      if (this.#deletions.has(item.uid)) continue;
      const changed = this.#put(item, source);
      if (changed && reached !== undefined && !isNewer(item.resourceVersion, reached)) missed += 1;
    }
    for (const [namespace, identities] of [...this.#identities]) {
      for (const [name, identity] of [...identities]) {
        const isListed = listed.get(namespace)?.has(name) === true;
        if (isListed || isNewer(identity.resourceVersion, resourceVersion)) continue;
        this.#remove(namespace, name, source);
        missed += 1;
      }
    }
    this.#seen = resourceVersion;
    return missed;
  }

  /** ADDED or MODIFIED. */
  apply(item: Projected<T>): void {
    this.advance(item.resourceVersion);
    if (!this.#deletions.has(item.uid)) this.#put(item, 'watch');
  }

  /** DELETED; `item` carries the version of the deletion. */
  applyDeletion(item: Projected<T>): void {
    this.advance(item.resourceVersion);
    this.#deletions.delete(item.uid);
    const held = this.#identities.get(item.namespace)?.get(item.name);
    if (held === undefined || !isNewer(item.resourceVersion, held.resourceVersion)) return;
    this.#remove(item.namespace, item.name, 'watch');
  }

  /** A bookmark, or the version of an event: everything up to it is known. */
  advance(resourceVersion: string): void {
    if (this.#seen === undefined || isNewer(resourceVersion, this.#seen)) this.#seen = resourceVersion;
  }

  /** Takes the answer of our own write, unless the watch has passed it: then what the watch said holds. Fires no change. */
  absorb(item: Projected<T>): void {
    if (this.#seen === undefined || !isNewer(item.resourceVersion, this.#seen)) return;
    this.#put(item, undefined);
  }

  /** Takes out what we have deleted, and keeps it out until the watch or a later list tells what became of it. */
  absorbDeletion(namespace: string, name: string, uid: string): void {
    const held = this.#identities.get(namespace)?.get(name);
    // Not there: the watch was faster, and no event will come that ends the memory.
    if (held?.uid !== uid) return;
    this.#remove(namespace, name, undefined);
    const [oldest] = this.#deletions.keys();
    if (this.#deletions.size >= MAX_DELETIONS && oldest !== undefined) this.#deletions.delete(oldest);
    this.#deletions.set(uid, { afterList: this.#lists });
  }

  /** True when something changed that is worth telling. */
  #put(item: Projected<T>, source: Change<T>['source'] | undefined): boolean {
    const { namespace, name, uid, resourceVersion, value } = item;
    const held = this.#identities.get(namespace)?.get(name);
    if (held !== undefined && !isNewer(resourceVersion, held.resourceVersion)) return false;
    const before = this.get(namespace, name);
    const identities = this.#identities.get(namespace) ?? new Map<string, Identity>();
    const values = this.#values.get(namespace) ?? new Map<string, T>();
    if (held === undefined) this.#size += 1;
    this.#identities.set(namespace, identities.set(name, { uid, resourceVersion }));
    this.#values.set(namespace, values.set(name, value));
    // Another uid under the same name is another object, however alike.
    if (before !== undefined && held?.uid === uid && this.#isEqual(before, value)) return false;
    if (source !== undefined) this.#tell({ namespace, name, before, after: value, source });
    return true;
  }

  #remove(namespace: string, name: string, source: Change<T>['source'] | undefined): void {
    const before = this.get(namespace, name);
    const identities = this.#identities.get(namespace);
    const values = this.#values.get(namespace);
    if (identities?.delete(name) !== true) return;
    values?.delete(name);
    this.#size -= 1;
    if (identities.size === 0) {
      this.#identities.delete(namespace);
      this.#values.delete(namespace);
    }
    if (source !== undefined) this.#tell({ namespace, name, before, after: undefined, source });
  }

  #forgetVersions(): void {
    this.#deletions.clear();
    for (const identities of this.#identities.values()) {
      for (const [name, { uid }] of identities) identities.set(name, { uid, resourceVersion: '0' });
    }
  }

  #tell(change: Omit<Change<T>, 'key'>): void {
    const { namespace, name } = change;
    this.#onChange({ key: namespace === '' ? name : `${namespace}/${name}`, ...change });
  }
}

/**
 * True when version `a` is newer than `b`: decimal numbers of any length, comparable among objects of one kind (KEP-5504).
 * A version that is no number is newer than everything: then the last event wins.
 */
export function isNewer(a: string, b: string): boolean {
  if (!DECIMAL.test(a) || !DECIMAL.test(b)) return a !== b;
  return a.length === b.length ? a > b : a.length > b.length;
}

const DECIMAL = /^(0|[1-9]\d*)$/;
const EMPTY: ReadonlyMap<string, never> = new Map<string, never>();
