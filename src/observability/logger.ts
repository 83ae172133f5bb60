// The one way to print: constant messages, everything variable a field, secrets masked last.
import { createLogger as createWinston, format, transports } from 'winston';
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

/** Stands for a line that could not be masked. */
const UNMASKED = '{"level":"error","message":"A line could not be masked and is left out"}';

/** winston's key for the rendered line. */
const LINE = Symbol.for('message');

/** Builds the logger. */
export function createLogger(options: LoggerOptions): Logger {
  const redact = format((info) => {
    const line = info[LINE];
    if (typeof line === 'string') info[LINE] = maskOr(UNMASKED, () => options.secrets.mask(line));
    return info;
  });
  const rendered = options.format === 'json' ? format.json() : format.printf(renderText);
  const winston = createWinston({
    level: options.level,
    format: format.combine(format.timestamp(), rendered, redact()),
    transports: [new transports.Stream({ stream: options.output ?? process.stdout })],
  });
  const print =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (!winston.isLevelEnabled(level)) return;
      try {
        // winston glues a field `message` to the message and drops a field `level`.
        const { message: detail, ...rest } = plainFields(fields, options.level === 'debug');
        const said = { level, message, ...(detail === undefined ? {} : { detail }) };
        winston.log({ ...said, ...rest, level });
      } catch {
        // A field that throws when it is read must not end what was about to be said.
        winston.log({ level, message, fields: 'unprintable' });
      }
    };
  return { error: print('error'), warn: print('warn'), info: print('info'), debug: print('debug') };
}

/** What cannot be masked is not printed, nor why: the reason could hold what was to be masked. */
function maskOr(instead: string, mask: () => string): string {
  try {
    return mask();
  } catch {
    return instead;
  }
}

function plainFields(fields: LogFields, withStack: boolean): Record<string, unknown> {
  const entries = Object.entries(fields).map(([key, value]) => [
    key,
    isErrorLike(value) ? plainError(value, withStack) : value,
  ]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

/** Errors of other realms are errors too: `instanceof` would miss them. */
function isErrorLike(value: unknown): value is Error {
  return Error.isError(value);
}

function plainError(error: Error, withStack: boolean): Readonly<Record<string, unknown>> {
  const { name, message, stack, cause } = error;
  const { reason, requestId, status, code } = error as Error & Readonly<Record<string, unknown>>;
  return {
    name,
    reason,
    message,
    requestId,
    status,
    code,
    ...(isErrorLike(cause) ? { cause: plainError(cause, false) } : {}),
    ...(withStack ? { stack } : {}),
  };
}

function renderText({ timestamp, level, message, ...fields }: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) =>
        `${key}=${typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)}`,
    );
  return [String(timestamp), String(level).toUpperCase().padEnd(5), String(message), ...pairs].join(' ');
}
