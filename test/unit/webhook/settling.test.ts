// How long the webhook object is held back where there is none, by what a process has seen of switch and authority.
import { X509Certificate } from 'node:crypto';
import { beforeAll, expect, test } from '@jest/globals';
import { SETTLING_MS } from '../../../src/webhook/authority.ts';
import { createAuthority } from '../../../src/webhook/certificates.ts';
import { Settling } from '../../../src/webhook/settling.ts';
import { HOUR, NOW, SECOND } from '../../support/builders.ts';

let old: X509Certificate;
let fresh: X509Certificate;
beforeAll(async () => {
  old = new X509Certificate((await createAuthority('old', NOW - HOUR)).cert);
  fresh = new X509Certificate((await createAuthority('fresh', NOW)).cert);
});

/** One whose clocks the test moves. */
function start() {
  const world = { now: NOW, elapsed: 5_000 };
  const settling = new Settling({ now: () => world.now, elapsed: () => world.elapsed });
  const pass = (ms: number): void => {
    world.now += ms;
    world.elapsed += ms;
  };
  return { world, settling, pass };
}

test('a restart with an old authority, switched on before, waits for nothing', () => {
  const { settling } = start();
  settling.saw(true, old);
  expect(settling.leftMs()).toBe(0);
});

test('a restart with an authority that was just made waits for what is left', () => {
  const { settling, pass } = start();
  pass(3 * SECOND);
  settling.saw(true, fresh);
  expect(settling.leftMs()).toBe(SETTLING_MS - 3 * SECOND);
});

test('an authority that is written while it runs settles from then on, however often it is seen', () => {
  const { settling, pass } = start();
  settling.saw(true, undefined);
  pass(60 * SECOND);
  settling.saw(true, fresh);
  expect(settling.leftMs()).toBe(SETTLING_MS);
  pass(4 * SECOND);
  settling.saw(true, fresh);
  expect(settling.leftMs()).toBe(SETTLING_MS - 4 * SECOND);
  pass(SETTLING_MS);
  expect(settling.leftMs()).toBe(0);
});

test('an authority that takes the place of another settles anew, also an old one from a backup', () => {
  const { settling, pass } = start();
  settling.saw(true, fresh);
  pass(60 * SECOND);
  settling.saw(true, old);
  expect(settling.leftMs()).toBe(SETTLING_MS);
});

test('with an old authority it settles from the moment on in which it is switched on, each time', () => {
  const { settling, pass } = start();
  settling.saw(false, old);
  pass(60 * SECOND);
  settling.saw(true, old);
  expect(settling.leftMs()).toBe(SETTLING_MS);
  pass(60 * SECOND);
  expect(settling.leftMs()).toBe(0);
  settling.saw(false, old);
  settling.saw(true, old);
  expect(settling.leftMs()).toBe(SETTLING_MS);
});

test('nothing is settled before switch and authority are known, nor while there is no authority', () => {
  const { settling, pass } = start();
  expect(settling.leftMs()).toBe(SETTLING_MS);
  settling.saw(true, undefined);
  pass(60 * SECOND);
  expect(settling.leftMs()).toBe(SETTLING_MS);
});

test.each([
  ['behind the one that dated the authority', -HOUR / 2],
  ['set back meanwhile', -24 * HOUR],
])('a clock that is %s does not make it longer', (_, byMs) => {
  const { world, settling, pass } = start();
  world.now += byMs;
  settling.saw(true, fresh);
  expect(settling.leftMs()).toBe(SETTLING_MS);
  world.now += byMs;
  pass(SETTLING_MS);
  expect(settling.leftMs()).toBe(0);
});
