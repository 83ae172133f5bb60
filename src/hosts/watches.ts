// Says that files may have changed. Only a hint: what is watched may be replaced or unmounted, so a slow cycle looks anyway.
import { statSync, watch, type FSWatcher } from 'node:fs';

interface Watched {
  readonly inode: bigint;
  readonly watcher: FSWatcher;
}

/** Watches a few paths, each by the inode that is there now; `arm` again after something may have been replaced. */
export class Watches {
  readonly #paths: readonly string[];
  readonly #onChange: (path: string, name: string | undefined) => void;
  readonly #watched = new Map<string, Watched>();

  /** `onChange` is given the path as it stands in `paths`, and for a folder the name in it where it is known. */
  constructor(paths: readonly string[], onChange: (path: string, name: string | undefined) => void) {
    this.#paths = paths;
    this.#onChange = onChange;
  }

  /** Watches what is not watched yet. Never throws. */
  arm(): void {
    for (const path of this.#paths) this.#armOne(path);
  }

  close(): void {
    for (const path of this.#paths) this.#drop(path);
  }

  #armOne(path: string): void {
    try {
      const { ino } = statSync(path, { bigint: true });
      if (this.#watched.get(path)?.inode === ino) return;
      this.#drop(path);
      const watcher = watch(path, { persistent: false }, (_, name) => this.#onChange(path, name ?? undefined));
      watcher.on('error', () => this.#drop(path));
      this.#watched.set(path, { inode: ino, watcher });
    } catch {
      // Missing, or no watches are left: the cycle sees it.
      this.#drop(path);
    }
  }

  #drop(path: string): void {
    this.#watched.get(path)?.watcher.close();
    this.#watched.delete(path);
  }
}
