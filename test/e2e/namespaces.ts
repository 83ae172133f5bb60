// Private namespaces in which a whole cluster runs and outside of which it leaves nothing, see `namespaces.sh`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cgroups } from './cgroups.ts';
import { ADDRESSES } from './addresses.ts';

/** What runs in the namespaces. */
export interface Namespaced {
  /** Resolves with the exit code, once every process in the namespaces has ended. */
  readonly ended: Promise<number>;
  /** Ends all of them at once. */
  kill(): void;
}

const SCRIPT = fileURLToPath(new URL('namespaces.sh', import.meta.url));

// A member of the cgroups before the namespaces are made: the hierarchies then begin there. Of version 2, who hands controllers
// down has no members: all are in a cgroup below.
const ENTER = `
while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs"; shift; done
shift
exec unshare --cgroup /bin/sh -c '
  [ -z "$RUNNER" ] || echo $$ >"$RUNNER/cgroup.procs"
  exec unshare --mount --net --pid --ipc --uts --fork --kill-child --mount-proc /bin/sh "$@"
' enter "$@"
`;

/**
 * Runs a command as the only one in new namespaces and cgroups; its output is ours. It is killed when this process ends.
 *
 * @param folder - an empty folder; what the namespaces write is below `state` in it
 */
export async function startInNamespaces(of: {
  readonly command: readonly string[];
  readonly folder: string;
  readonly cgroups: Cgroups;
  readonly env: NodeJS.ProcessEnv;
}): Promise<Namespaced> {
  const mounts = of.cgroups.mounts.map(({ mountPoint, controllers = '' }) => `${mountPoint} ${controllers}\n`);
  await writeFile(path.join(of.folder, 'cgroup-mounts'), mounts.join(''));
  const child = spawn('/bin/sh', ['-c', ENTER, 'enter', ...of.cgroups.folders, '--', SCRIPT, ...of.command], {
    env: {
      ...of.env,
      FOLDER: of.folder,
      RUNNER: of.cgroups.runner ?? '',
      TMPDIR: path.join(of.folder, 'state', 'tmp'),
      NODE_NAME: ADDRESSES.nodeName,
      NODE_ADDRESS: ADDRESSES.node,
      BACKSTAGE: ADDRESSES.backstage,
      SERVICES: ADDRESSES.services,
      REGISTRY_NAME: ADDRESSES.registryName,
    },
    detached: true, // a Ctrl-C in the terminal reaches us alone
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'exit').then(([code]) => (typeof code === 'number' ? code : 1));
  ended.catch(() => undefined);
  return { ended, kill: () => void child.stdin.end() };
}
