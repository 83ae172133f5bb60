// A node's folder with a hosts file, a mounted ConfigMap as kubelet makes one, and the command `hosts` as a process.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess, type ProcessExit, type RunningProcess } from './control-plane/processes.ts';
import { freePort } from './control-plane/ports.ts';
import { PROGRAM_FILE } from './program.ts';

/** How the updater sees the file: in its folder, or mounted alone, as a file, in a mount namespace of its own. */
export type HostsMount = 'folder' | 'file';

/** One run of the command. */
export interface RunningHosts {
  readonly process: RunningProcess;
  readonly address: string;
  /** What was printed, a line an object. */
  log(): readonly Readonly<Record<string, unknown>>[];
  stop(): Promise<ProcessExit>;
}

/** A world of its own in a temporary folder. */
export interface HostsWorld {
  readonly folder: string;
  /** The file as the node has it. */
  readonly file: string;
  readonly lock: string;
  readonly configFolder: string;
  text(): string;
  /** Replaces the whole mounted folder at once, as kubelet does. undefined = the key is gone. */
  edit(list: string | undefined): void;
  start(options?: {
    readonly mount?: HostsMount;
    readonly mountOptions?: string;
    readonly args?: readonly string[];
  }): Promise<RunningHosts>;
  /** Runs it to its end. */
  run(args: readonly string[], mount?: HostsMount): Promise<{ readonly code: number | null; readonly output: string }>;
  stop(): Promise<void>;
}

/** Builds a world whose hosts file holds `text` (latin1). */
export function createHostsWorld(text = '127.0.0.1 localhost\n'): HostsWorld {
  const folder = mkdtempSync(join(tmpdir(), 'hosts-'));
  const configFolder = join(folder, 'config');
  const etc = join(folder, 'node', 'etc');
  const file = join(etc, 'hosts');
  const view = join(folder, 'view', 'hosts');
  const lock = join(etc, 'hosts.lock');
  mkdirSync(configFolder);
  mkdirSync(etc, { recursive: true });
  mkdirSync(join(folder, 'view'));
  writeFileSync(file, text, 'latin1');
  writeFileSync(view, '');
  const running: RunningProcess[] = [];
  let version = 0;
  let logs = 0;

  const launch = async (
    args: readonly string[],
    mount: HostsMount,
    { ready, mountOptions }: { ready?: () => Promise<boolean>; mountOptions?: string | undefined } = {},
  ): Promise<RunningProcess> => {
    const seen = mount === 'file' ? view : file;
    const own = [process.execPath, PROGRAM_FILE, 'hosts', `--hosts-file=${seen}`, `--lock-file=${lock}`];
    const whole = [...own, `--config-folder=${configFolder}`, ...args];
    const options = mountOptions === undefined ? '' : ` && mount -o ${mountOptions} "$2"`;
    const script = `mount --bind "$1" "$2"${options} && shift 2 && exec "$@"`;
    const from = mount === 'file' ? [file, view] : [etc, etc];
    const isMounted = mount === 'file' || mountOptions !== undefined;
    const [command = '', ...rest] = isMounted ? [...unshare(), 'sh', '-c', script, 'sh', ...from, ...whole] : whole;
    logs += 1;
    const found = await startProcess({
      name: 'hosts',
      command,
      args: rest,
      env: { ...process.env, NODE_OPTIONS: '' },
      logFile: join(folder, `log-${logs}`),
      ...(ready === undefined ? {} : { ready }),
    });
    running.push(found);
    return found;
  };

  return {
    folder,
    file,
    lock,
    configFolder,
    text: () => readFileSync(file, 'latin1'),
    edit(list) {
      version += 1;
      const next = `..version-${version}`;
      mkdirSync(join(configFolder, next));
      if (list !== undefined) writeFileSync(join(configFolder, next, 'hosts.yaml'), list);
      symlinkSync(next, join(configFolder, '..data_tmp'));
      renameSync(join(configFolder, '..data_tmp'), join(configFolder, '..data'));
      if (version === 1) symlinkSync('..data/hosts.yaml', join(configFolder, 'hosts.yaml'));
      else rmSync(join(configFolder, `..version-${version - 1}`), { recursive: true });
    },
    async start({ mount = 'folder', mountOptions, args = [] } = {}) {
      const address = `127.0.0.1:${await freePort()}`;
      const found = await launch([`--metrics-address=${address}`, ...args], mount, {
        ready: async () => (await fetch(`http://${address}/readyz`)).ok,
        mountOptions,
      });
      const log = () =>
        readFileSync(found.logFile, 'utf8')
          .split('\n')
          .filter((line) => line.startsWith('{'))
          .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
      return { process: found, address, log, stop: () => found.stop() };
    },
    async run(args, mount = 'folder') {
      const found = await launch(args, mount);
      const { code } = await found.exited();
      return { code, output: readFileSync(found.logFile, 'utf8') };
    },
    async stop() {
      await Promise.all(running.map((one) => one.stop({ signal: 'SIGKILL' })));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** How to get a mount namespace here. Throws where there is no way: then nothing is shown, and nobody may believe so. */
function unshare(): readonly string[] {
  for (const flags of [['-m'], ['-r', '-m']]) {
    try {
      execFileSync('unshare', [...flags, 'true'], { stdio: 'ignore' });
      return ['unshare', ...flags];
    } catch {
      // The next way.
    }
  }
  throw new Error('neither `unshare -m` nor `unshare -r -m` works here: a mounted hosts file cannot be tested');
}
