// When credentials are due, at every edge of their lives; durations as people write them.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseDuration } from '../../../src/core/duration.ts';
import { dueAt, isDue, isPastHalf, isValid, spreadOf } from '../../../src/core/refresh.ts';
import { HOUR, MINUTE, NOW, SECOND } from '../../support/builders.ts';

const ALMOST_ONE = 1 - 2 ** -32;

/** A life that begins now. */
const living = (ms: number) => ({ issuedAt: NOW, expiresAt: NOW + ms });

describe('[acr R1] [acr R3] dueAt', () => {
  test.each([
    ['an hour with 15 minutes: at 45', HOUR, 15 * MINUTE, 0, 45 * MINUTE],
    ['an hour with 15 minutes and half of the jitter: 7.5 minutes earlier', HOUR, 15 * MINUTE, 0.5, 37.5 * MINUTE],
    ['an hour with a minute: at 80 %', HOUR, MINUTE, 0, 48 * MINUTE],
    ['an hour with a minute and half of the jitter: half a minute earlier', HOUR, MINUTE, 0.5, 47.5 * MINUTE],
    ['a threshold above the life counts as half of it', HOUR, 5 * HOUR, 0, 30 * MINUTE],
    ['a threshold above the life, half of the jitter: a sixth of what precedes it', HOUR, 5 * HOUR, 0.5, 25 * MINUTE],
    ['a life of 20 seconds', 20 * SECOND, 15 * MINUTE, 0, 10 * SECOND],
    ['a life of a millisecond is due when it ends', 1, 15 * MINUTE, 0, 1],
    ['no life at all is due at birth', 0, 15 * MINUTE, 0, 0],
    ['a life that ended before it began is due at birth', -HOUR, 15 * MINUTE, 0.5, 0],
    ['no threshold: at 80 %, without jitter', HOUR, 0, 0.9, 48 * MINUTE],
  ])('%s', (_, lifeMs, thresholdMs, spread, expected) => {
    expect((dueAt(living(lifeMs), thresholdMs, spread) ?? Number.NaN) - NOW).toBe(expected);
  });

  test('never, for what does not expire', () => {
    expect(dueAt({ issuedAt: NOW, expiresAt: undefined }, MINUTE, 0)).toBeUndefined();
  });

  test('is after birth and not after the end, with at most 80 % of life gone, for any life', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 * 24 * HOUR }),
        fc.integer({ min: 1, max: 48 * HOUR }),
        fc.double({ min: 0, max: ALMOST_ONE, noNaN: true }),
        (lifeMs, thresholdMs, spread) => {
          const life = living(lifeMs);
          const at = dueAt(life, thresholdMs, spread) ?? Number.NaN;
          expect(Number.isInteger(at)).toBe(true);
          expect(at).toBeGreaterThan(life.issuedAt);
          expect(at).toBeLessThanOrEqual(Math.ceil(life.issuedAt + lifeMs * 0.8));
          expect(at - life.issuedAt).toBeGreaterThanOrEqual(lifeMs / 3);
          expect(isDue(life, thresholdMs, spread, NOW)).toBe(false);
          expect(isDue(life, thresholdMs, spread, at)).toBe(true);
          expect(isDue(life, thresholdMs, spread, at - 1)).toBe(false);
        },
      ),
    );
  });
});

test.each([
  ['from the future is due now', { issuedAt: NOW + 1, expiresAt: NOW + HOUR }, true],
  ['from the future that never expires is not', { issuedAt: NOW + 1, expiresAt: undefined }, false],
  ['that never expires is not', { issuedAt: 0, expiresAt: undefined }, false],
  ['that is dead is', { issuedAt: NOW - HOUR, expiresAt: NOW - 1 }, true],
  ['that was never alive is', { issuedAt: NOW, expiresAt: NOW }, true],
  ['that is new is not', { issuedAt: NOW, expiresAt: NOW + 1 }, false],
])('a credential %s', (_, life, expected) => {
  expect(isDue(life, 15 * MINUTE, 0.5, NOW)).toBe(expected);
});

test.each([
  ['half of life is past half', { issuedAt: NOW - MINUTE, expiresAt: NOW + MINUTE }, true],
  ['less is not', { issuedAt: NOW - MINUTE + 1, expiresAt: NOW + MINUTE }, false],
  ['what comes from the future is', { issuedAt: NOW + 1, expiresAt: NOW + HOUR }, true],
  ['what never expires is not', { issuedAt: 0, expiresAt: undefined }, false],
])('%s', (_, life, expected) => {
  expect(isPastHalf(life, NOW)).toBe(expected);
});

test.each([
  ['until its last millisecond', NOW + 1, true],
  ['not at its end', NOW, false],
  ['for ever without an end', undefined, true],
])('a credential is valid %s', (_, expiresAt, expected) => {
  expect(isValid({ issuedAt: 0, expiresAt }, NOW)).toBe(expected);
});

test('names are spread over the whole range, the same each time', () => {
  const spreads = Array.from({ length: 1_000 }, (_, index) => spreadOf(`ns-${index}/registry-credentials`));
  for (const spread of spreads) expect(spread >= 0 && spread < 1).toBe(true);
  for (const tenth of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
    expect(spreads.filter((spread) => Math.floor(spread * 10) === tenth).length).toBeGreaterThan(50);
  }
  expect(spreadOf('ns-1')).toBe(spreadOf('ns-1'));
});

describe('a duration', () => {
  test.each([
    ['15m', 15 * MINUTE],
    ['1h30m', 90 * MINUTE],
    ['900s', 15 * MINUTE],
    ['15min', 15 * MINUTE],
    ['15 m', 15 * MINUTE],
    ['15 min', 15 * MINUTE],
    [' 1h 30m ', 90 * MINUTE],
    ['1.5h', 90 * MINUTE],
    ['.5s', 500],
    ['1.s', SECOND],
    ['+15m', 15 * MINUTE],
    ['500ms', 500],
    ['1us', 1e-3],
    ['1µs', 1e-3],
    ['1μs', 1e-3],
    ['1ns', 1e-6],
    ['1h0m', HOUR],
    ['100000h', 100_000 * HOUR],
  ])('%p is %p ms', (text, expected) => {
    expect(parseDuration(text)).toBeCloseTo(expected, 9);
  });

  test.each([
    '900',
    '-5m',
    'abc',
    '',
    ' ',
    '0',
    '0s',
    '15',
    '15x',
    '1d',
    '15M',
    'm',
    '1h30',
    '--5m',
    '1,5h',
    '1e3s',
    '∞',
    `1${'0'.repeat(400)}h`,
  ])('%p is refused', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test('a megabyte of digits is refused at once', () => {
    expect(parseDuration('1'.repeat(1e6))).toBeUndefined();
    expect(parseDuration(`${'1m'.repeat(1e5)}x`)).toBeUndefined();
  });
});
