// When we hold back from an object that another writer fights over, for how long, and when that is forgotten.
import { describe, expect, test } from '@jest/globals';
import { Contention } from '../../../src/controller/contention.ts';
import { HOUR, MINUTE, NOW, SECOND } from '../../support/builders.ts';

/** The pauses after `count` additions, each made `everyMs` after the pause before it. */
function pauses(count: number, everyMs: number): readonly number[] {
  const contention = new Contention();
  const found: number[] = [];
  let now = NOW;
  for (let index = 0; index < count; index += 1) {
    const pause = contention.added('u', now);
    found.push(pause);
    now += pause + everyMs;
  }
  return found;
}

describe('contention', () => {
  test('forgives three losses, then pauses for ten seconds, twice as long each time, up to five minutes', () => {
    expect(pauses(14, SECOND).map((pause) => pause / SECOND)).toEqual([
      0, 0, 0, 10, 20, 40, 80, 160, 300, 300, 300, 300, 300, 300,
    ]);
  });

  test('never grows past five minutes, however long the fight', () => {
    expect(pauses(2_000, SECOND).at(-1)).toBe(5 * MINUTE);
  });

  test('forgets a loss now and then', () => {
    expect(new Set(pauses(50, 11 * MINUTE))).toEqual(new Set([0]));
  });

  test('remembers for ten minutes after the pause', () => {
    expect(pauses(6, 10 * MINUTE).at(-1)).toBe(40 * SECOND);
  });

  test('holds back until the pause is over, and only then', () => {
    const contention = new Contention();
    for (let index = 0; index < 4; index += 1) contention.added('u', NOW + index);
    contention.added('calm', NOW);
    const until = NOW + 3 + 10 * SECOND;
    expect([...contention.until(['u', 'calm', 'unknown'], NOW + 4)]).toEqual([['u', until]]);
    expect([...contention.until(['u'], until - 1)]).toEqual([['u', until]]);
    expect([...contention.until(['u'], until)]).toEqual([]);
    expect([...contention.until(['other'], NOW + 4)]).toEqual([]);
  });

  test('counts each object for itself, whatever its id is made of', () => {
    const contention = new Contention();
    for (const id of ['u', 'v', 'shop/pull', 'shop/other', 'stage/pull']) expect(contention.added(id, NOW)).toBe(0);
    for (let index = 0; index < 3; index += 1) contention.added('shop/pull', NOW);
    expect([...contention.until(['u', 'stage/pull', 'shop/pull'], NOW).keys()]).toEqual(['shop/pull']);
  });

  test('does not hold back until an instant that only a clock set back can have left so far ahead', () => {
    const contention = new Contention();
    for (let index = 0; index < 4; index += 1) contention.added('u', NOW + 24 * HOUR);
    expect([...contention.until(['u'], NOW + 24 * HOUR).keys()]).toEqual(['u']);
    expect([...contention.until(['u'], NOW)]).toEqual([]);
  });

  test('counts on when the clock jumps back', () => {
    const contention = new Contention();
    const found = [NOW, NOW - HOUR, NOW - 2 * HOUR, NOW - 3 * HOUR].map((now) => contention.added('u', now));
    expect(found).toEqual([0, 0, 0, 10 * SECOND]);
  });

  test('forgets whom it has not seen for longest when it must remember very many', () => {
    const contention = new Contention();
    for (let index = 0; index < 4; index += 1) contention.added('early', NOW);
    for (let index = 0; index < 4; index += 1) contention.added('late', NOW);
    for (let index = 0; index < 19_999; index += 1) contention.added(`u-${index}`, NOW);
    expect([...contention.until(['early', 'late'], NOW).keys()]).toEqual(['late']);
  });
});
