// Runs other programs: short ones for what they print, long ones with progress and a log.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startProcess, tailOf } from '../../test/support/control-plane/processes.ts';
import { buildProgress } from '../../test/support/control-plane/progress.ts';

const execute = promisify(execFile);
const MAX_BYTES = 64 * 1024 * 1024;

/** What a program prints, without white space at its end. Throws with what it said when it fails or is not there. */
export async function outputOf(command: string, args: readonly string[], cwd?: string): Promise<string> {
  const { stdout } = await execute(command, args, { maxBuffer: MAX_BYTES, ...(cwd === undefined ? {} : { cwd }) });
  return stdout.trimEnd();
}

/** Whether a program is there and does what it is asked. */
export async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return outputOf(command, args).then(
    () => true,
    () => false,
  );
}

/** A program that takes a while. */
export interface LongRun {
  /** For people: `Building WHAT`. */
  readonly what: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a program to its end, with progress on standard error. Throws with the end of its log when it fails. */
export async function runLong({ what, ...run }: LongRun): Promise<void> {
  const step = buildProgress()(what);
  const { code } = await (await startProcess({ name: run.command, ...run })).exited();
  if (code === 0) {
    step.done();
    return;
  }
  step.failed();
  throw new Error(`${run.command} ended with ${code ?? 'a signal'}; the end of what it said:\n${tailOf(run.logFile)}`);
}
