// A cgroup of its own for one node, in every hierarchy of the machine, that is gone afterwards however this process ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import path from 'node:path';

/** One hierarchy of cgroups, as this process sees it. */
export interface CgroupMount {
  readonly mountPoint: string;
  /** Mount options that select a hierarchy of version 1, such as `cpu,cpuacct`; undefined = version 2. */
  readonly controllers: string | undefined;
  /** The folder of this process's own cgroup. */
  readonly own: string;
}

/** A cgroup in every hierarchy, and the way to remove them. */
export interface Cgroups {
  readonly mounts: readonly CgroupMount[];
  /** Folders; who shall be a member writes its process id into `cgroup.procs` of each. */
  readonly folders: readonly string[];
  /** The folder below, where there is only version 2, that members move to once the namespace of cgroups is theirs. */
  readonly runner: string | undefined;
  /** Waits until their members have ended, and removes them. May be called more than once. */
  remove(): Promise<void>;
}

/** Controllers without which a kubelet does not work. */
const NEEDED: readonly string[] = ['cpu', 'cpuset', 'memory', 'pids'];

/**
 * Reads the hierarchies from the texts of `/proc/self/mountinfo` and `/proc/self/cgroup`.
 *
 * @see man 5 proc, man 7 cgroups
 */
export function parseCgroupMounts(mountinfo: string, membership: string): readonly CgroupMount[] {
  const places = membership.split('\n').flatMap((line) => {
    const [, name, place] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    return name === undefined || place === undefined ? [] : [{ name, place }];
  });
  const placeOf = (controllers: string | undefined): string =>
    places.find(({ name }) => isNamed(name, controllers))?.place ?? '/';
  return mountinfo.split('\n').flatMap((line) => {
    const [fields = '', rest] = line.split(' - ');
    const [, , , root = '/', mountPoint = ''] = fields.split(' ');
    const [type, , options = ''] = (rest ?? '').split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') return [];
    const controllers = type === 'cgroup2' ? undefined : readControllers(options);
    return [{ mountPoint, controllers, own: path.join(mountPoint, below(root, placeOf(controllers))) }];
  });
}

/** Makes a cgroup named `name` in every hierarchy. Rejects, leaving none behind, when the machine does not allow it. */
export async function createCgroups(name: string): Promise<Cgroups> {
  const mounts = parseCgroupMounts(
    await readFile('/proc/self/mountinfo', 'utf8'),
    await readFile('/proc/self/cgroup', 'utf8'),
  );
  if (mounts.length === 0) throw new Error('no hierarchy of cgroups is mounted');
  const isUnified = mounts.every(({ controllers }) => controllers === undefined);
  // Of version 2 a cgroup hands controllers down only while it has no members itself, which the topmost alone is free of.
  const folders = mounts.map(({ mountPoint, own }) => path.join(isUnified ? mountPoint : own, name));
  const remove = startJanitor(folders);
  try {
    for (const folder of folders) {
      await mkdir(folder);
      if (isUnified) await handDown(path.dirname(folder));
      else await inheritCpuset(folder);
    }
    const [first = ''] = folders;
    const runner = isUnified ? path.join(first, 'runner') : undefined;
    if (runner !== undefined) await mkdir(runner);
    return { mounts, folders, runner, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function isNamed(name: string, controllers: string | undefined): boolean {
  if (controllers === undefined) return name === '';
  const wanted = controllers.split(',');
  return name !== '' && name.split(',').every((one) => wanted.includes(one));
}

/** Options such as `rw,xattr,name=systemd` without those that every mount may have. */
function readControllers(options: string): string {
  const general = ['rw', 'ro', 'xattr', 'seclabel', 'none', 'noprefix', 'clone_children', 'cpuset_v2_mode'];
  return options
    .split(',')
    .filter((option) => !general.includes(option) && !option.startsWith('release_agent='))
    .join(',');
}

/** Where `place` is below a mount that shows the hierarchy from `root` on. */
function below(root: string, place: string): string {
  const relative = path.posix.relative(root, place);
  return relative.startsWith('..') ? '' : relative;
}

async function handDown(parent: string): Promise<void> {
  const there = await readFile(path.join(parent, 'cgroup.controllers'), 'utf8');
  const missing = NEEDED.filter((name) => !there.trim().split(' ').includes(name));
  if (missing.length > 0) throw new Error(`${parent} lacks the controllers ${missing.join(', ')}`);
  await writeFile(path.join(parent, 'cgroup.subtree_control'), NEEDED.map((name) => `+${name}`).join(' '));
}

/** A cpuset of version 1 begins empty, and takes no member then. */
async function inheritCpuset(folder: string): Promise<void> {
  for (const name of ['cpuset.cpus', 'cpuset.mems']) {
    const own = path.join(folder, name);
    const text = await readFile(own, 'utf8').catch(() => undefined);
    if (text?.trim() !== '') continue;
    await writeFile(own, await readFile(path.join(path.dirname(folder), name), 'utf8'));
  }
}

// Members end a moment after whoever started them: a folder is tried until it goes.
const JANITOR = `
read -r _
i=0
while [ "$i" -lt 200 ]; do
  left=''
  for folder; do
    [ ! -d "$folder" ] || find "$folder" -depth -type d -exec rmdir {} \\; 2>/dev/null
    [ ! -d "$folder" ] || left=1
  done
  [ -n "$left" ] || exit 0
  sleep 0.1
  i=$((i+1))
done
`;

/** A shell that removes the folders as soon as it is told, or this process has ended. */
function startJanitor(folders: readonly string[]): () => Promise<void> {
  const janitor = spawn('/bin/sh', ['-c', JANITOR, 'janitor', ...folders], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const gone = once(janitor, 'exit');
  gone.catch(() => undefined);
  janitor.stdin.on('error', () => undefined);
  janitor.unref();
  (janitor.stdin as Socket).unref();
  return async () => {
    janitor.ref();
    janitor.stdin.end('now\n');
    await gone;
  };
}
