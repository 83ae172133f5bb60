// One process of the program, and how tests look at it.
import { readFile } from 'node:fs/promises';
import { startProcess, type RunningProcess } from './control-plane/processes.ts';

/** One running process of the program. */
export interface Replica {
  readonly process: RunningProcess;
  /** Everything that it printed so far. */
  output(): Promise<string>;
  /** The log lines so far, parsed. */
  lines(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Body of `/metrics`, `/livez`, `/readyz?verbose`, …; undefined when nobody answers. */
  http(path: string): Promise<{ readonly status: number; readonly text: string } | undefined>;
  stop(): Promise<void>;
}

/** Starts it, with Node's and its own arguments; `address` is what these say of `--metrics-address`. Waits until it is ready, where told. */
export async function startReplica(of: {
  readonly name: string;
  readonly args: readonly string[];
  readonly address: string;
  /** Variables besides those of the test's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly awaitReady: boolean;
}): Promise<Replica> {
  const { name, args, address, logFile } = of;
  const http: Replica['http'] = async (path) => {
    try {
      const answer = await fetch(`http://${address}${path}`);
      return { status: answer.status, text: await answer.text() };
    } catch {
      return undefined;
    }
  };
  const running = await startProcess({
    ...{ name, args, logFile },
    command: process.execPath,
    env: { ...process.env, NODE_OPTIONS: '', ...of.env },
    ...(of.awaitReady ? { ready: async () => (await http('/readyz'))?.status === 200 } : {}),
  });
  const output = (): Promise<string> => readFile(running.logFile, 'utf8');
  return {
    process: running,
    output,
    lines: async () =>
      (await output())
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    http,
    stop: async () => {
      await running.stop();
    },
  };
}
