// Clones of the working tree in which images are built and released, as on two machines of two people.
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { findEngine } from '../../scripts/image-build/engines.ts';
import { createRunFolder } from '../support/control-plane/run-folder.ts';

const execute = promisify(execFile);
const MAX_BYTES = 16 * 1024 * 1024;
/** Clones of the same tree have the same commit, whenever they are made. */
const AUTHOR = { name: 'A U Thor', email: 'author@example.com', date: '2026-01-02T03:04:05Z' };

/** A login to npm that must turn up nowhere. */
export const NPM_MARKER = 'npm_login-that-must-not-be-seen';

/** How a script ended. */
export interface ScriptResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder for clones. */
export interface Workshop {
  readonly folder: string;
  /** A clone of the tree as it is now, what is not committed included. Another `umask` gives other modes. */
  clone(name: string, umask?: string): Promise<string>;
  /** Runs `scripts/NAME.ts` of a clone; never throws for an exit code. */
  run(
    clone: string,
    name: 'image' | 'release',
    args: readonly string[],
    env?: NodeJS.ProcessEnv,
  ): Promise<ScriptResult>;
  remove(): Promise<void>;
}

/** Why no image can be built and run here; undefined when it can. */
export async function whyNotHere(): Promise<string | undefined> {
  const found = await findEngine();
  if ('why' in found) return found.why;
  return process.getuid?.() === 0 ? undefined : 'The image is run in a root of its own: that needs root.';
}

/** Makes the folder. */
export async function createWorkshop(): Promise<Workshop> {
  const made = await createRunFolder('workshop');
  const folder = made.path;
  const npmrc = path.join(folder, 'npmrc');
  const { stdout: own } = await execute('npm', ['config', 'get', 'userconfig']);
  const settings = await readFile(own.trim(), 'utf8').catch(() => '');
  await writeFile(npmrc, `${settings}\n//npm.example.test/:_authToken=${NPM_MARKER}\n`);

  const origin = path.join(folder, 'origin');
  const git = (cwd: string, ...args: readonly string[]) =>
    execute('git', args, {
      cwd,
      maxBuffer: MAX_BYTES,
      env: {
        PATH: process.env.PATH,
        ...{ GIT_AUTHOR_NAME: AUTHOR.name, GIT_AUTHOR_EMAIL: AUTHOR.email, GIT_AUTHOR_DATE: AUTHOR.date },
        ...{ GIT_COMMITTER_NAME: AUTHOR.name, GIT_COMMITTER_EMAIL: AUTHOR.email, GIT_COMMITTER_DATE: AUTHOR.date },
      },
    });
  const { stdout } = await git(process.cwd(), 'ls-files', '-z', '--cached', '--others', '--exclude-standard');
  await mkdir(origin);
  for (const file of stdout.split('\0').filter((name) => name !== ''))
    await cp(file, path.join(origin, file)).catch((error: unknown) => {
      // Deleted, and not committed yet.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
  await git(origin, 'init', '--quiet');
  await git(origin, 'add', '--all');
  await git(origin, 'commit', '--quiet', '--message=The tree as it is');

  return {
    folder,
    remove: () => made.remove(),
    clone: async (name, umask = '022') => {
      const clone = path.join(folder, name);
      await execute('sh', ['-c', `umask ${umask} && exec git clone --quiet "$1" "$2"`, 'sh', origin, clone]);
      await symlink(path.resolve('node_modules'), path.join(clone, 'node_modules'));
      await writeFile(path.join(clone, '.git/info/exclude'), 'node_modules\n');
      return clone;
    },
    run: (clone, name, args, env = {}) =>
      new Promise((resolve) => {
        const all = { ...process.env, NODE_OPTIONS: '', npm_config_userconfig: npmrc, ...env };
        const command = [path.join(clone, 'scripts', `${name}.ts`), ...args];
        execFile(process.execPath, command, { cwd: clone, env: all, maxBuffer: MAX_BYTES }, (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
          resolve({ code, stdout, stderr });
        });
      }),
  };
}
