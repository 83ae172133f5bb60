// When we hold back from an object that another writer fights over, for how long, and when that is forgotten.
import { describe, expect, test } from '@jest/globals';
import { Contention } from '../../../src/controller/contention.ts';
import { HOUR, MINUTE, NOW, SECOND } from '../../support/builders.ts';

const NAMESPACE = 'shop';
const U = { namespace: NAMESPACE, id: 'u' };

/** Ids of the objects of the namespace that we hold back from. */
const held = (contention: Contention, now: number, namespace = NAMESPACE): readonly string[] => [
  ...contention.inNamespace(namespace, now).keys(),
];

/** The pauses after `count` additions, each made `everyMs` after the pause before it. */
function pauses(count: number, everyMs: number): readonly number[] {
  const contention = new Contention();
  const found: number[] = [];
  let now = NOW;
  for (let index = 0; index < count; index += 1) {
    const pause = contention.added(U, now);
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
    for (let index = 0; index < 4; index += 1) contention.added(U, NOW + index);
    contention.added({ namespace: NAMESPACE, id: 'calm' }, NOW);
    const until = NOW + 3 + 10 * SECOND;
    expect([...contention.inNamespace(NAMESPACE, NOW + 4)]).toEqual([['u', until]]);
    expect([...contention.inNamespace(NAMESPACE, until - 1)]).toEqual([['u', until]]);
    expect(held(contention, until)).toEqual([]);
    expect(held(contention, NOW + 4, 'other')).toEqual([]);
  });

  test('counts each object for itself, whatever its id is made of', () => {
    const contention = new Contention();
    const ids = ['u', 'v', 'shop/pull', 'shop/other'];
    for (const id of ids) expect(contention.added({ namespace: NAMESPACE, id }, NOW)).toBe(0);
    expect(contention.added({ namespace: 'stage', id: 'shop/pull' }, NOW)).toBe(0);
    for (let index = 0; index < 3; index += 1) contention.added({ namespace: NAMESPACE, id: 'shop/pull' }, NOW);
    expect(held(contention, NOW)).toEqual(['shop/pull']);
    expect(held(contention, NOW, 'stage')).toEqual([]);
  });

  test('calls it no loss when something else is written than the last time, and keeps on counting', () => {
    const contention = new Contention();
    const write = (written: string): number => contention.added({ ...U, written }, NOW);
    expect(['a', 'b', 'a', 'b', 'a', 'b'].map(write)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(['b', 'b', 'c', 'c', 'd', 'd'].map(write)).toEqual([0, 0, 0, 10 * SECOND, 0, 20 * SECOND]);
  });

  test('something else that is written does not shorten a pause', () => {
    const contention = new Contention();
    for (let index = 0; index < 4; index += 1) contention.added({ ...U, written: 'a' }, NOW);
    contention.added({ ...U, written: 'b' }, NOW + SECOND);
    expect([...contention.inNamespace(NAMESPACE, NOW + SECOND).values()]).toEqual([NOW + 10 * SECOND]);
  });

  test('counts what is a loss whatever was written', () => {
    const contention = new Contention();
    const found = ['a', 'b', 'c', 'd'].map((written) => contention.added({ ...U, written, isLoss: true }, NOW));
    expect(found).toEqual([0, 0, 0, 10 * SECOND]);
  });

  test('forgets everything in a namespace that is gone, and nothing elsewhere', () => {
    const contention = new Contention();
    for (const namespace of [NAMESPACE, 'stage']) {
      for (const id of ['u', 'shop/pull']) {
        for (let index = 0; index < 4; index += 1) contention.added({ namespace, id }, NOW);
      }
    }
    contention.forgetNamespace(NAMESPACE);
    expect(held(contention, NOW)).toEqual([]);
    expect(held(contention, NOW, 'stage')).toEqual(['u', 'shop/pull']);
    expect(contention.added(U, NOW)).toBe(0);
  });

  test('does not hold back until an instant that only a clock set back can have left so far ahead', () => {
    const contention = new Contention();
    for (let index = 0; index < 4; index += 1) contention.added(U, NOW + 24 * HOUR);
    expect(held(contention, NOW + 24 * HOUR)).toEqual(['u']);
    expect(held(contention, NOW)).toEqual([]);
  });

  test('counts on when the clock jumps back', () => {
    const contention = new Contention();
    const found = [NOW, NOW - HOUR, NOW - 2 * HOUR, NOW - 3 * HOUR].map((now) => contention.added(U, now));
    expect(found).toEqual([0, 0, 0, 10 * SECOND]);
  });

  test('forgets whom it has not seen for longest when it must remember very many', () => {
    const contention = new Contention();
    for (const namespace of ['early', 'late']) {
      for (let index = 0; index < 4; index += 1) contention.added({ namespace, id: 'u' }, NOW);
    }
    for (let index = 0; index < 19_999; index += 1) contention.added({ namespace: 'crowd', id: `u-${index}` }, NOW);
    expect(['early', 'late'].flatMap((namespace) => held(contention, NOW, namespace))).toEqual(['u']);
    expect(held(contention, NOW, 'late')).toEqual(['u']);
  });
});
