// The lock that writers of a hosts file share: a file beside it that exists while somebody holds it, as `dotlockfile` makes it.
// It is not flock(2), which Node does not have: decision 10 says why this one.
import { closeSync, fstatSync, linkSync, lstatSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { codeOf, HostsFailure } from './failure.ts';

/** How old the file of a holder that died may get, milliseconds: what lockfile_create(3) takes for dead. */
const STALE_MS = 300_000;
const FIRST_PAUSE_MS = 2;
const MAX_PAUSE_MS = 50;

export interface LockOptions {
  readonly path: string;
  /** How long to wait for another holder, milliseconds. */
  readonly patienceMs: number;
  readonly now: () => number;
  readonly random: () => number;
}

/**
 * Runs `work` while this process holds the lock. Throws HostsFailure: `LockBusy` when somebody else holds it too long,
 * `LockUnavailable` when the file cannot be made.
 */
export async function withLock<T>(options: LockOptions, work: () => T): Promise<T> {
  const inode = await acquire(options);
  try {
    return work();
  } finally {
    release(options.path, inode);
  }
}

async function acquire({ path, patienceMs, now, random }: LockOptions): Promise<bigint> {
  let waitedMs = 0;
  let lookedAt = now();
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, MAX_PAUSE_MS)) {
    const inode = create(path) ?? (removeStale(path, now(), random) ? create(path) : undefined);
    if (inode !== undefined) return inode;
    // A clock that is set back must not make us wait for as long.
    waitedMs += Math.max(0, now() - lookedAt);
    lookedAt = now();
    if (waitedMs > patienceMs) {
      throw new HostsFailure(
        'LockBusy',
        `${path} is held by another writer: it is waited for; remove it if nobody runs`,
      );
    }
    await pause(wait * (0.5 + random()));
  }
}

/** undefined = somebody holds it. */
function create(path: string): bigint | undefined {
  try {
    // Nothing is written into it: a number would be taken for a process, which others look for in vain.
    const fd = openSync(path, 'wx', 0o644);
    try {
      return fstatSync(fd, { bigint: true }).ino;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    const cure = 'mount the folder of the hosts file writable, or name a place that other writers share: --lock-file';
    throw new HostsFailure('LockUnavailable', `${path} cannot be made (${codeOf(error)}): ${cure}`, error);
  }
}

/**
 * Takes the lock of a holder that died away. Of two who do so at a time the slower one may take the new lock of the faster one, and puts
 * it back; who comes in the moment between finds none, and then two hold it.
 */
function removeStale(path: string, now: number, random: () => number): boolean {
  try {
    const found = lstatSync(path, { bigint: true });
    if (now - Number(found.mtimeMs) < STALE_MS) return false;
    // Processes of different Pods have the same number.
    const aside = `${path}.stale-${Math.floor(random() * 2 ** 48).toString(16)}`;
    renameSync(path, aside);
    const moved = lstatSync(aside, { bigint: true });
    if (moved.ino !== found.ino || moved.mtimeNs !== found.mtimeNs) linkSync(aside, path);
    unlinkSync(aside);
    return true;
  } catch {
    // Somebody else was faster.
    return false;
  }
}

function release(path: string, inode: bigint): void {
  try {
    if (lstatSync(path, { bigint: true }).ino === inode) unlinkSync(path);
  } catch {
    // Taken away as stale: then it is no longer ours.
  }
}
