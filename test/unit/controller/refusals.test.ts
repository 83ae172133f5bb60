// How long an object that may not be written waits, and when that is forgotten.
import { describe, expect, test } from '@jest/globals';
import { Refusals } from '../../../src/controller/refusals.ts';
import { HOUR, MINUTE, NAMESPACE, NOW, SECOND } from '../../support/builders.ts';

const U = { namespace: NAMESPACE, id: 'u' };

const held = (refusals: Refusals, now: number, namespace = NAMESPACE): readonly string[] => [
  ...refusals.inNamespace(namespace, now).keys(),
];

/** Seconds that the object waits after so many refusals in a row. */
function pauseAfter(count: number): number {
  const refusals = new Refusals();
  for (let index = 0; index < count; index += 1) refusals.refused(U, NOW);
  return ((refusals.inNamespace(NAMESPACE, NOW).get('u') ?? NOW) - NOW) / SECOND;
}

describe('a refused object', () => {
  test.each([
    [0, 0],
    [1, 5],
    [2, 10],
    [6, 160],
    [7, 300],
    [1_000, 300],
  ])('after %i refusals waits for %i s', (count, seconds) => {
    expect(pauseAfter(count)).toBe(seconds);
  });

  test('is forgotten when a write is accepted', () => {
    const refusals = new Refusals();
    refusals.refused(U, NOW);
    refusals.accepted(U);
    expect(held(refusals, NOW)).toEqual([]);
  });

  test('waits for nobody else, and no longer than its pause', () => {
    const refusals = new Refusals();
    const until = refusals.refused(U, NOW);
    refusals.refused({ namespace: 'stage', id: 'v' }, NOW);
    expect(until).toBe(NOW + 5 * SECOND);
    expect(held(refusals, NOW)).toEqual(['u']);
    expect(held(refusals, until)).toEqual([]);
  });

  test('does not wait for a day when the clock is set back by one', () => {
    const refusals = new Refusals();
    refusals.refused(U, NOW + 24 * HOUR);
    expect(held(refusals, NOW)).toEqual([]);
  });

  test('waits ever longer, however many there are', () => {
    const refusals = new Refusals();
    const ids = Array.from({ length: 30_000 }, (_, index) => `u-${index}`);
    let tries = 0;
    for (let now = NOW; now < NOW + 10 * MINUTE; now += 5 * SECOND) {
      const waiting = refusals.inNamespace(NAMESPACE, now);
      for (const id of ids) {
        if (waiting.has(id)) continue;
        tries += 1;
        refusals.refused({ namespace: NAMESPACE, id }, now);
      }
    }
    // After 0, 5, 15, 35, 75, 155 and 315 seconds.
    expect(tries).toBe(7 * ids.length);
  });

  test('is forgotten when it is not there any more, or its namespace is gone, or everything changes', () => {
    const refusals = new Refusals();
    for (const namespace of [NAMESPACE, 'stage', 'live']) {
      for (const id of ['u', 'v']) refusals.refused({ namespace, id }, NOW);
    }
    refusals.retain(NAMESPACE, ['v', 'w']);
    refusals.retain('unknown', ['v']);
    refusals.forgetNamespace('stage');
    expect([NAMESPACE, 'stage', 'live'].map((namespace) => held(refusals, NOW, namespace))).toEqual([
      ['v'],
      [],
      ['u', 'v'],
    ]);
    refusals.clear();
    expect(held(refusals, NOW, 'live')).toEqual([]);
  });
});
