// Finds the programs that tests and the demo start, and builds those that are missing.
import { constants } from 'node:fs';
import { access, mkdir, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { withFileLock } from './file-lock.ts';
import { startProcess, tailOf } from './processes.ts';
import { buildProgress, type Progress } from './progress.ts';
import { createRunFolder } from './run-folder.ts';
import { linkerFlags, readToolBuild, toolsCacheFolder, type ToolBuild, type ToolName } from './tool-table.ts';

/** How to look for programs. */
export interface FindOptions {
  /** Told about every build; lines on standard error unless given. */
  readonly progress?: Progress;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Finds programs: in `$KUBEBUILDER_ASSETS`, else in the user's cache, else builds them with Go, one after the other.
 *
 * @returns absolute paths by name
 * @throws Error that says what to install or which variable to set, or with the end of the compiler's output
 */
export async function findTools<Name extends ToolName>(
  names: readonly Name[],
  { progress, env = process.env }: FindOptions = {},
): Promise<Readonly<Record<Name, string>>> {
  const cache = toolsCacheFolder(env);
  const found = new Map<Name, string>();
  for (const name of names) {
    const file = await findTool(name, cache, env);
    if (file !== undefined) found.set(name, file);
  }

  const missing = names.filter((name) => !found.has(name));
  if (missing.length > 0) {
    const go = await findOnPath('go', env);
    if (go === undefined) throw new Error(toolsMissingMessage(missing));
    const tell = progress ?? buildProgress();
    const buildMissing = async (): Promise<void> => {
      for (const [index, name] of missing.entries()) {
        const hint = missing.length > 1 ? `${index + 1} of ${missing.length}` : undefined;
        const file =
          (await findTool(name, cache, env)) ?? (await build({ of: readToolBuild(name), go, cache, env, tell, hint }));
        found.set(name, file);
      }
    };
    const tellOfWait = (): (() => void) => tell(`${missing.join(', ')} in another process`).done;
    await withFileLock(path.join(cache, 'build.lock'), buildMissing, tellOfWait);
  }
  return Object.fromEntries(found) as Record<Name, string>;
}

/** What to tell when programs are neither there nor buildable: two lines, the second says what to do. */
export function toolsMissingMessage(missing: readonly ToolName[]): string {
  const list = missing.join(', ');
  return (
    `Not found: ${list}; and no Go to build ${missing.length === 1 ? 'it' : 'them'} with.\n` +
    `Install Go 1.26 or newer (https://go.dev/dl/), or set KUBEBUILDER_ASSETS to a folder that holds ${list}.`
  );
}

async function findTool(name: ToolName, cache: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const assets = env.KUBEBUILDER_ASSETS;
  const given = assets === undefined || assets === '' ? undefined : path.resolve(assets, name);
  if (given !== undefined && (await isExecutable(given))) return given;
  const cached = path.join(cache, readToolBuild(name).cacheName);
  return (await isExecutable(cached)) ? cached : undefined;
}

async function build(how: {
  readonly of: ToolBuild;
  readonly go: string;
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
  readonly tell: Progress;
  readonly hint: string | undefined;
}): Promise<string> {
  const { of, cache } = how;
  await mkdir(cache, { recursive: true });
  // In the cache itself: a rename is atomic only within one file system.
  const folder = await createRunFolder('.build', cache);
  const title = `${of.tool.name} ${of.version}`;
  const step = how.tell(title, how.hint);
  try {
    const output = path.join(folder.path, of.tool.name);
    const logFile = path.join(folder.path, 'go.log');
    const compiler = await startProcess({
      name: `go build ${of.tool.name}`,
      command: how.go,
      args: [
        'build',
        '-trimpath',
        `-tags=${of.tool.tags ?? ''}`,
        '-ldflags',
        linkerFlags(of),
        '-o',
        output,
        of.tool.package,
      ],
      cwd: of.tool.folder,
      // Go refuses to work without HOME; its scratch files go where they are removed whatever happens.
      env: { ...how.env, HOME: how.env.HOME ?? homedir(), CGO_ENABLED: '0', GOWORK: 'off', GOTMPDIR: folder.path },
      logFile,
    });
    const { code } = await compiler.exited();
    if (code !== 0) throw new Error(`Could not build ${title}; the end of what go said:\n${tailOf(logFile)}`);
    const file = path.join(cache, of.cacheName);
    await rename(output, file);
    step.done();
    return file;
  } catch (error) {
    step.failed();
    throw error;
  } finally {
    await folder.remove();
  }
}

async function findOnPath(command: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env.PATH ?? '').split(path.delimiter)) {
    if (folder !== '' && (await isExecutable(path.resolve(folder, command)))) return path.resolve(folder, command);
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
