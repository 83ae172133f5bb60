// A temporary folder that outlives nobody: a small shell waits for our end of a pipe to close and removes it,
// however this process ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A temporary folder and the way to remove it. */
export interface RunFolder {
  readonly path: string;
  /** Removes the folder and ends its watcher. May be called more than once. */
  remove(): Promise<void>;
}

// A line means "remove now"; end of file without one means that we were killed: then processes that use the folder are
// being stopped at this moment and may still create files, so it is removed a second time after they are gone.
const JANITOR = `
if read -r _; then later=''; else later='3'; fi
sweep() {
  i=0
  while [ -e "$1" ] && [ "$i" -lt 50 ]; do rm -rf -- "$1" 2>/dev/null || sleep 0.1; i=$((i+1)); done
}
sweep "$1"
[ -z "$later" ] || { sleep "$later"; sweep "$1"; }
`;

/**
 * Makes a folder that is removed on every way this process can end, SIGKILL included.
 *
 * @param parent - where to make it; the system's temporary folder unless told
 */
export async function createRunFolder(prefix: string, parent = tmpdir()): Promise<RunFolder> {
  const folder = await realpath(await mkdtemp(path.join(parent, `${prefix}-`)));
  const janitor = spawn('/bin/sh', ['-c', JANITOR, 'janitor', folder], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const gone = once(janitor, 'exit');
  gone.catch(() => undefined);
  janitor.stdin.on('error', () => undefined);
  janitor.unref();
  (janitor.stdin as Socket).unref();

  return {
    path: folder,
    remove: async () => {
      janitor.ref();
      janitor.stdin.end('now\n');
      await gone;
    },
  };
}
