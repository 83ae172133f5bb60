// The one way to print: constant messages, everything variable a field, secrets masked last.
import type { SecretRegistry } from './redaction.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** What varies of a line. Errors are written as name, reason, message and request id. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Prints lines; never throws. Messages are constant, past tense, without a period. */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  readonly secrets: Pick<SecretRegistry, 'mask'>;
  /** Default: standard output. */
  readonly output?: NodeJS.WritableStream;
}

/** Builds the logger. */
export declare function createLogger(options: LoggerOptions): Logger;

/** Resolves when everything that was printed has left the process: await it before `process.exit`. */
export declare function flushLogs(output?: NodeJS.WritableStream): Promise<void>;
