// How long a ServiceAccount that may not be written waits, and when that is forgotten.
import { describe, expect, test } from '@jest/globals';
import { Refusals } from '../../../src/controller/refusals.ts';
import { HOUR, NOW, SECOND } from '../../support/builders.ts';

/** Seconds that the ServiceAccount waits after so many refusals in a row. */
function pauseAfter(count: number): number {
  const refusals = new Refusals();
  for (let index = 0; index < count; index += 1) refusals.refused('u', NOW);
  return ((refusals.until(['u'], NOW).get('u') ?? NOW) - NOW) / SECOND;
}

describe('a refused ServiceAccount', () => {
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
    refusals.refused('u', NOW);
    refusals.accepted('u');
    expect(refusals.until(['u'], NOW).size).toBe(0);
  });

  test('waits for nobody else, and no longer than its pause', () => {
    const refusals = new Refusals();
    refusals.refused('u', NOW);
    expect([...refusals.until(['u', 'v'], NOW).keys()]).toEqual(['u']);
    expect(refusals.until(['u'], NOW + 5 * SECOND).size).toBe(0);
  });

  test('does not wait for a day when the clock is set back by one', () => {
    const refusals = new Refusals();
    refusals.refused('u', NOW + 24 * HOUR);
    expect(refusals.until(['u'], NOW).size).toBe(0);
  });
});
