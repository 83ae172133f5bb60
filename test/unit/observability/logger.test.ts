// Log lines: one JSON object each, errors readable, secrets masked last.
import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { KubeError, ProviderError } from '../../../src/core/errors.ts';
import { flushOutput } from '../../../src/observability/flush.ts';
import { createLogger, type Logger, type LoggerOptions } from '../../../src/observability/logger.ts';
import { SecretRegistry } from '../../../src/observability/redaction.ts';

describe('a line in JSON', () => {
  test('holds time, level, message and fields', () => {
    const { logger, lines } = capture();
    logger.info('Wrote a Secret', { namespace: 'shop', reason: 'SecretMissing', count: 1, absent: undefined });
    expect(lines()).toHaveLength(1);
    const { timestamp, ...rest } = parse(lines()[0]);
    expect(Date.parse(String(timestamp))).not.toBeNaN();
    expect(rest).toEqual({
      level: 'info',
      message: 'Wrote a Secret',
      namespace: 'shop',
      reason: 'SecretMissing',
      count: 1,
    });
  });

  test('says of an error its name, reason, message and request id, without stack', () => {
    const { logger, lines } = capture();
    const cause = new KubeError('Forbidden', 'may not read', { status: 403 });
    logger.error('Failed', {
      error: new ProviderError('PermissionDenied', 'not allowed', { requestId: 'ID-1', cause }),
    });
    expect(parse(lines()[0]).error).toEqual({
      name: 'ProviderError',
      reason: 'PermissionDenied',
      message: 'not allowed',
      requestId: 'ID-1',
      cause: { name: 'KubeError', reason: 'Forbidden', message: 'may not read', status: 403 },
    });
  });

  test('has the stack at level debug', () => {
    const { logger, lines } = capture({ level: 'debug' });
    logger.error('Failed', { error: new Error('broken') });
    expect(parse(lines()[0])).toMatchObject({ error: { stack: expect.stringContaining('logger.test') } });
  });

  test('keeps its message and level whatever the fields are called', () => {
    const { logger, lines } = capture();
    logger.warn('Kept', { message: 'a %s detail', level: 'error', timestamp: 'x' });
    expect(parse(lines()[0])).toMatchObject({ level: 'warn', message: 'Kept', detail: 'a %s detail' });
  });

  test.each<[string, unknown]>([
    ['a cycle', cycle()],
    ['a big integer', 10n],
    ['nothing', null],
    ['a function', () => undefined],
    ['a symbol', Symbol('x')],
    [
      'a getter that throws',
      Object.defineProperty({}, 'a', {
        enumerable: true,
        get: () => {
          throw new Error('fake');
        },
      }),
    ],
  ])('is printed although a field is %s', (_name, value) => {
    const { logger, lines } = capture();
    expect(() => logger.info('Printed', { value })).not.toThrow();
    expect(lines().join()).toContain('Printed');
  });
});

test('a line that cannot be masked is left out, and nothing is thrown', () => {
  const mask = (text: string): string => {
    throw new Error(`cannot mask ${text}`);
  };
  const { logger, lines } = capture({ secrets: { mask } });
  expect(() => logger.info('Printed', { value: 'fake-secret' })).not.toThrow();
  expect(parse(lines()[0])).toEqual({ level: 'error', message: 'A line could not be masked and is left out' });
});

test('a line as text is for people', () => {
  const { logger, lines } = capture({ format: 'text' });
  logger.info('Wrote a Secret', { namespace: 'shop', message: 'two words', list: ['a'] });
  expect(lines()[0]).toMatch(/^\S+ INFO {2}Wrote a Secret detail="two words" namespace=shop list=\["a"\]$/);
});

test('less important lines are left out', () => {
  const { logger, lines } = capture({ level: 'warn' });
  logger.info('Left out');
  logger.debug('Left out');
  logger.warn('Printed');
  expect(lines()).toHaveLength(1);
});

test.each(['json', 'text'] as const)('a secret is masked wherever it stands in a line as %s', (format) => {
  const secrets = new SecretRegistry();
  secrets.register('a', ['fake-secret"x']);
  const { logger, lines } = capture({ format, secrets });
  logger.info('Printed', {
    field: 'fake-secret"x',
    nested: { deep: ['fake-secret"x'] },
    error: new Error('of fake-secret"x'),
    encoded: Buffer.from('user:fake-secret"x').toString('base64'),
  });
  const line = lines().join();
  expect(line.match(/\[redacted\]/g)).toHaveLength(4);
  expect(line).not.toContain('fake-secret');
  if (format === 'json') expect(() => parse(line)).not.toThrow();
});

test('flushing resolves after everything was written', async () => {
  const { logger, lines, output } = capture();
  for (let at = 0; at < 1_000; at += 1) logger.info('Printed', { at });
  await flushOutput(output);
  expect(lines()).toHaveLength(1_000);
});

function capture(options: Partial<LoggerOptions> = {}): { logger: Logger; lines: () => string[]; output: Writable } {
  const chunks: string[] = [];
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString());
      done();
    },
  });
  const logger = createLogger({ level: 'info', format: 'json', secrets: new SecretRegistry(), output, ...options });
  return {
    logger,
    lines: () =>
      chunks
        .join('')
        .split('\n')
        .filter((line) => line !== ''),
    output,
  };
}

function parse(line: string | undefined): Record<string, unknown> {
  return JSON.parse(line ?? '') as Record<string, unknown>;
}

function cycle(): unknown {
  const value: Record<string, unknown> = {};
  value.self = value;
  return value;
}
