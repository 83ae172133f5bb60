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

/** One whose clock the test moves. */
function start() {
  let elapsed = 5_000;
  const settling = new Settling(() => elapsed);
  const pass = (ms: number): void => {
    elapsed += ms;
  };
  return { settling, pass };
}

test('what a process sees first settles from then on, however old the authority is: others may see it just now, too', () => {
  const { settling, pass } = start();
  settling.saw(true, old);
  expect(settling.leftMs()).toBe(SETTLING_MS);
  pass(SETTLING_MS);
  expect(settling.leftMs()).toBe(0);
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
