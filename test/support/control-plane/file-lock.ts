// A lock between processes, so that two test runs that start at once build each tool once. It only saves work: what it
// guards is also correct without it.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 250;
const HOLDER_STARTS_MS = 2_000;

/**
 * Runs `work` while holding the lock; a lock whose holder is dead is taken over.
 *
 * @param onWait - called once when another process holds the lock; what it returns is called when the wait is over
 */
export async function withFileLock<T>(
  lockFile: string,
  work: () => Promise<T>,
  onWait: () => () => void = () => () => undefined,
): Promise<T> {
  await mkdir(path.dirname(lockFile), { recursive: true });
  let endOfWait: (() => void) | undefined;
  let unreadableSince: number | undefined;
  while (!(await create(lockFile))) {
    const holder = await readHolder(lockFile);
    unreadableSince = holder === undefined ? (unreadableSince ?? Date.now()) : undefined;
    const abandoned =
      holder === undefined
        ? unreadableSince !== undefined && Date.now() - unreadableSince > HOLDER_STARTS_MS
        : !isAlive(holder);
    if (abandoned) {
      await rm(lockFile, { force: true });
      continue;
    }
    endOfWait ??= onWait();
    await delay(POLL_MS);
  }
  endOfWait?.();
  try {
    return await work();
  } finally {
    await rm(lockFile, { force: true });
  }
}

async function create(lockFile: string): Promise<boolean> {
  try {
    await writeFile(lockFile, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function readHolder(lockFile: string): Promise<number | undefined> {
  const text = await readFile(lockFile, 'utf8').catch(() => '');
  const pid = Number(text);
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code;
}
