// Child processes that never outlive us: each has a watcher in sh that reads a pipe from us and kills the process when
// the pipe closes. One mechanism serves every way we can end: return, exception, signal, SIGKILL.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What to run and how to know that it is ready. */
export interface ProcessSpec {
  /** Names the process in errors. */
  readonly name: string;
  readonly command: string;
  readonly args?: readonly string[];
  /** The whole environment; that of this process unless told. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Gets standard output and error; appended to, its folder is made. */
  readonly logFile: string;
  /** Asked every few milliseconds until it answers true; what it throws counts as "not yet". */
  readonly ready?: () => Promise<boolean>;
  /** How long `ready` may take, 60 s unless told. */
  readonly readyTimeoutMs?: number;
}

/** How a process ended: one of the two is set. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How to stop a process. */
export interface StopOptions {
  /** The first signal, SIGTERM unless told. */
  readonly signal?: NodeJS.Signals;
  /** How long until SIGKILL follows, 5 s unless told. */
  readonly graceMs?: number;
}

/** A process that runs, or has run. */
export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Waits until the process has ended and what was left of its process group is killed. Never rejects. */
  exited(): Promise<ProcessExit>;
  isRunning(): boolean;
  signal(signal: NodeJS.Signals): void;
  /** Freezes the process: connections stay open, nobody answers. */
  pause(): void;
  resume(): void;
  /** Stops the process and waits for its end. Does nothing when it has ended. */
  stop(options?: StopOptions): Promise<ProcessExit>;
}

const POLL_MS = 25;
const LOG_LINES = 15;

// `kill -s KILL -- -PID` is the one spelling for a group that dash and bash both take.
// The command takes the shell's place, so its pid is the child's; the watcher stays behind as a member of its process
// group, which also keeps the number from being given to another process while we may still send signals to it.
const LAUNCH = `
exec 3<&0 </dev/null
me=$$
(
  trap '' TERM INT HUP
  while read -r _ <&3; do :; done
  kill -TERM "$me"; kill -CONT "$me"
  i=0
  while kill -0 "$me" && [ "$i" -lt 10 ]; do sleep 0.1; i=$((i+1)); done
  kill -s KILL -- "-$me"
) >/dev/null 2>&1 &
exec 3<&-
exec "$@"
`;

/**
 * Starts a process and waits until it is ready.
 *
 * The process does not keep this one alive, and ends when this one ends.
 *
 * @throws Error with the name of the process and the last lines of its log, when it ends or stays silent before it is
 *   ready; it is stopped then.
 */
export async function startProcess(spec: ProcessSpec): Promise<RunningProcess> {
  const running = launch(spec);
  try {
    await becomeReady(spec, running);
    return running;
  } catch (error) {
    await running.stop({ signal: 'SIGKILL' });
    throw error;
  }
}

/** The last lines of a log file, for errors; empty when there is none. */
export function tailOf(logFile: string, lines = LOG_LINES): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}

function launch(spec: ProcessSpec): RunningProcess {
  mkdirSync(path.dirname(spec.logFile), { recursive: true });
  const log = openSync(spec.logFile, 'a', 0o600);
  let child: ChildProcess;
  try {
    child = spawn('/bin/sh', ['-c', LAUNCH, spec.name, spec.command, ...(spec.args ?? [])], {
      cwd: spec.cwd,
      env: spec.env ?? process.env,
      detached: true, // a Ctrl+C in the terminal reaches us alone, so that the order of the ends is ours
      stdio: ['pipe', log, log],
    });
  } finally {
    closeSync(log);
  }
  const { pid } = child;
  if (pid === undefined) throw new Error(`${spec.name} could not be started: /bin/sh is missing`);
  child.stdin?.on('error', () => undefined);
  child.unref();
  (child.stdin as Socket).unref();

  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const signal = (name: NodeJS.Signals): void => {
    if (isRunning()) child.kill(name);
  };
  const ended = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (code, signalName) => {
      killGroup(pid);
      resolve({ code, signal: signalName });
    });
  });
  const exited = (): Promise<ProcessExit> => {
    if (isRunning()) child.ref();
    return ended;
  };

  return {
    name: spec.name,
    pid,
    logFile: spec.logFile,
    exited,
    isRunning,
    signal,
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    stop: async ({ signal: first = 'SIGTERM', graceMs = 5_000 } = {}) => {
      signal(first);
      signal('SIGCONT');
      const killer = setTimeout(() => signal('SIGKILL'), graceMs);
      const exit = await exited();
      clearTimeout(killer);
      return exit;
    },
  };
}

async function becomeReady(spec: ProcessSpec, running: RunningProcess): Promise<void> {
  const { ready, readyTimeoutMs = 60_000 } = spec;
  if (ready === undefined) return;
  const deadline = Date.now() + readyTimeoutMs;
  let lastError: unknown;
  for (;;) {
    const answer = await ready().catch((error: unknown) => {
      lastError = error;
      return false;
    });
    if (!running.isRunning()) throw startFailed(spec, describeExit(await running.exited()), undefined);
    if (answer) return;
    if (Date.now() > deadline) throw startFailed(spec, `was not ready after ${readyTimeoutMs / 1000} s`, lastError);
    await delay(POLL_MS);
  }
}

function startFailed(spec: ProcessSpec, what: string, cause: unknown): Error {
  const log = tailOf(spec.logFile);
  return new Error(`${spec.name} ${what}; the end of its log:\n${log === '' ? '(empty)' : log}`, { cause });
}

function describeExit({ code, signal }: ProcessExit): string {
  return signal === null ? `ended with exit code ${code ?? 'unknown'}` : `was ended by ${signal}`;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in the group.
  }
}
