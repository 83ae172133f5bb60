// Runs a program to its end.
import { execFile } from 'node:child_process';

/** What a program ended with. */
export interface ProgramAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What differs from this process. */
export interface ProgramOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Standard input. */
  readonly input?: string;
}

/** Runs a program to its end; never throws for an exit code. */
export function runProgram(
  command: string,
  args: readonly string[],
  { env = process.env, input = '' }: ProgramOptions = {},
): Promise<ProgramAnswer> {
  return new Promise((resolve) => {
    const running = execFile(command, args, { env, maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr: error === null || stderr !== '' ? stderr : error.message });
    });
    running.stdin?.on('error', () => undefined);
    running.stdin?.end(input);
  });
}

/** As `runProgram`; returns standard output. Throws with what the program said when it fails. */
export async function succeed(command: string, args: readonly string[], options?: ProgramOptions): Promise<string> {
  const { code, stdout, stderr } = await runProgram(command, args, options);
  if (code === 0) return stdout;
  throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
}
