// What the demo starts, and that it ends: everything is owned by the stage from the moment its start begins.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

/** Something that runs. */
export interface Stoppable {
  stop(): Promise<unknown>;
}

/** Owner of everything that runs. */
export interface Stage {
  /** Takes over what `start` gives, also when the demo is interrupted before it has. */
  own<T extends Stoppable>(start: Promise<T>): Promise<T>;
  /** A folder that everything which is started there has in its command line, and that must be gone at the end. */
  watchFolder(folder: string): void;
  /** The log to show when a step fails. */
  logFile: string | undefined;
  /** Ends everything, the last that was started first. May be called more than once. */
  stop(): Promise<void>;
  /** What is still there of processes and folders; empty after `stop`. */
  leftovers(): readonly string[];
}

/** Longest wait for the start of something that shall be stopped. What is still starting then ends with this process. */
const STARTING_MS = 15_000;

/** A stage on which nothing runs yet. */
export function createStage(): Stage {
  const owned: Promise<Stoppable>[] = [];
  const folders: string[] = [];
  return {
    logFile: undefined,
    own: (start) => {
      owned.push(start);
      start.catch(() => undefined);
      return start;
    },
    watchFolder: (folder) => void folders.push(folder),
    stop: async () => {
      for (const start of owned.splice(0).reverse()) {
        const started = start.catch(() => undefined);
        const running = await Promise.race([started, pause(STARTING_MS, undefined, { ref: false })]);
        await running?.stop();
      }
    },
    leftovers: () => [
      ...commandLines()
        .filter((line) => folders.some((folder) => line.includes(folder)))
        .map((line) => `process ${line.slice(0, 120)}`),
      ...folders.filter((folder) => existsSync(folder)).map((folder) => `folder ${folder}`),
    ],
  };
}

/** Process id and command line of everything that runs on this machine. */
export function commandLines(): readonly string[] {
  if (!existsSync('/proc/self/cmdline')) {
    const table = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8', maxBuffer: 64 * 2 ** 20 });
    return table.split('\n').map((line) => line.trim());
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()}`];
      } catch {
        return []; // it has ended meanwhile
      }
    });
}
