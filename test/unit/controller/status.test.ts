// What the gauges say of credentials: only of those that somebody needs and that were asked for.
import { expect, test } from '@jest/globals';
import type { Controller } from '../../../src/controller/controller-options.ts';
import { healthChecks } from '../../../src/controller/status.ts';
import type { CurrentCredential } from '../../../src/credentials/store-options.ts';

const NOW = 1_000_000_000;
const DAY = 86_400_000;

/** As much of a controller as the gauge reads: one rule for `shop`, and one that reaches nobody. */
function gaugeOf(held: Readonly<Record<string, Partial<CurrentCredential>>>, failing: readonly string[] = []) {
  const scopeOf = (name: string) => ({
    namespaces: { names: new Set([name]), globs: [], excluded: [] },
    excludedNamespaces: { names: new Set(), globs: [], excluded: [] },
  });
  const controller = {
    caches: { namespaces: { all: () => [{ name: 'shop', labels: {} }] } },
    config: {
      rules: [
        { scope: scopeOf('shop'), requests: ['a', 'b'].map((cacheKey) => ({ provider: 'acr', cacheKey })) },
        { scope: scopeOf('nobody'), requests: [{ provider: 'acr', cacheKey: 'c' }] },
      ],
    },
    store: {
      current: (key: string) => held[key],
      failure: (key: string) => (failing.includes(key) ? { reason: 'Throttled', message: '' } : undefined),
    },
    configuration: {},
    leftBehind: { failing: 3 },
  } as unknown as Controller;
  return healthChecks(controller, () => NOW).gauges;
}

test('a credential that works is held, with its end; one that was never asked for is not spoken of', () => {
  expect(gaugeOf({ a: { issuedAt: NOW, expiresAt: NOW + 1 } }).credentials?.()).toEqual([
    { provider: 'acr', cacheKey: 'a', isHeld: true, expiresAt: NOW + 1, isEnding: undefined },
  ]);
});

test('without one, and with an attempt that failed, there is none', () => {
  expect(gaugeOf({}, ['b']).credentials?.()).toEqual([{ provider: 'acr', cacheKey: 'b', isHeld: false }]);
});

test('one whose last attempt failed is told with the reason, held or not, unless no namespace needs it', () => {
  const { failingCredentials } = gaugeOf({ a: { issuedAt: NOW, expiresAt: NOW + 1 } }, ['a', 'b', 'c']);
  expect(failingCredentials?.()).toEqual([
    { provider: 'acr', cacheKey: 'a', reason: 'Throttled' },
    { provider: 'acr', cacheKey: 'b', reason: 'Throttled' },
  ]);
});

test('a credential that no namespace needs is not renewed, and not spoken of', () => {
  expect(gaugeOf({ c: { issuedAt: NOW, expiresAt: NOW + 1 } }).credentials?.()).toEqual([]);
});

test.each([
  ['far from its end', NOW + 30 * DAY, false],
  ['near its end', NOW + 3 * DAY, true],
  ['at its end', NOW, true],
])('a password that nobody renews is known to end, %s', (_, endsAt, isEnding) => {
  const held = { issuedAt: NOW - 60 * DAY, expiresAt: undefined, endsAt };
  expect(gaugeOf({ a: held }).credentials?.()).toMatchObject([{ isHeld: true, expiresAt: endsAt, isEnding }]);
});

test('what could not be removed at clouds is counted', () => {
  expect(gaugeOf({}).revocationsFailing?.()).toBe(3);
});
