// How every command starts and ends: help, usage errors, signals, exit codes.
import { setTimeout as pause } from 'node:timers/promises';
import { ConfigError } from '../core/errors.ts';
import { flushOutput } from '../observability/flush.ts';
import { flagsHelp } from './flags.ts';

/** What a command is given. */
export interface CommandContext {
  readonly args: readonly string[];
  readonly version: string;
  /** Aborted by SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
}

/** One command of the program. */
export interface Command {
  readonly name: string;
  /** Sentences and examples above the flags in `--help`. */
  readonly help: string;
  /** Runs to its end; returns the exit code. Throws ConfigError for settings that cannot be used. */
  readonly run: (context: CommandContext) => Promise<number>;
}

/** Commands under one name. */
export interface CommandGroup {
  readonly name: string;
  /** Sentences above the list of its commands. */
  readonly help: string;
  readonly commands: Readonly<Record<string, { readonly summary: string; readonly command: Command }>>;
}

/** Longest orderly end after a signal, milliseconds; a Pod has 30 s. */
const SHUTDOWN_MS = 20_000;

/**
 * Runs a command, or the one of a group that the first argument names, and sets the exit code: 0 well, 1 failed, 2 settings cannot
 * be used; some commands have more. The first SIGTERM or SIGINT asks it to end, a second one, or 20 s, ends the process at once.
 */
export async function runCommand(
  command: Command | CommandGroup,
  args: readonly string[],
  version: string,
): Promise<void> {
  if ('commands' in command) {
    await runGroup(command, args, version);
    return;
  }
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${command.help}\nFlags, each with its environment variable:\n${flagsHelp(command.name)}\n`);
    return;
  }
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(1);
    controller.abort();
    void pause(SHUTDOWN_MS, undefined, { ref: false }).then(() => {
      process.stderr.write(`did not end within ${SHUTDOWN_MS / 1000} s of the signal\n`);
      process.exit(1);
    });
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  try {
    await exit(await command.run({ args, version, signal: controller.signal }));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(error.issues.map((issue) => `${command.name}: ${issue}\n`).join(''));
    await exit(2);
  }
}

async function runGroup(group: CommandGroup, args: readonly string[], version: string): Promise<void> {
  const [name = '', ...rest] = args;
  const found = Object.hasOwn(group.commands, name) ? group.commands[name] : undefined;
  if (found !== undefined) {
    await runCommand(found.command, rest, version);
    return;
  }
  const rows = Object.entries(group.commands).map(([row, { summary }]) => `  ${row.padEnd(18)}${summary}\n`);
  const help = `${group.help}\nUsage: registry-credential-helper ${group.name} COMMAND [FLAGS]\n\nCommands:\n${rows.join('')}\n  COMMAND --help   its flags, with examples\n`;
  if (name === '--help' || name === '-h') process.stdout.write(help);
  else {
    const what = name === '' ? 'a command is missing' : `unknown command ${name}`;
    process.stderr.write(`${group.name}: ${what}\n\n${help}`);
    process.exitCode = 2;
  }
}

/** Ends the process after everything that was printed has left it. */
async function exit(code: number): Promise<void> {
  await flushOutput();
  process.exit(code);
}
