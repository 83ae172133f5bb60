// The credential store: one call for all who ask, the last good kept, no call while backing off.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ProviderError } from '../../../src/core/errors.ts';
import type { CredentialAnswer } from '../../../src/core/types.ts';
import { createRrsaIdentity } from '../../../src/providers/alibaba/rrsa.ts';
import { emptyStoreWorld } from '../../support/provider-world.ts';
import { createStoreHarness, failing, granting, request, SECRET, START } from './store-world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const down = (): ProviderError => new ProviderError('CloudUnavailable', 'the cloud is down');

describe('asking', () => {
  test('two hundred askers make one call and get the same credential', async () => {
    const harness = createStoreHarness();
    const answers = await Promise.all(Array.from({ length: 200 }, () => harness.ask()));
    expect(harness.calls).toEqual(['fake/a']);
    expect(new Set(answers.map(passwordOf))).toEqual(new Set(['fake-password']));
    expect(answers.every((answer) => answer.status === 'fresh')).toBe(true);
  });

  test('one request is not held up by the failure of another', async () => {
    const harness = createStoreHarness();
    const good = granting(HOUR);
    harness.fetch = (world, signal) =>
      harness.calls.at(-1) === 'fake/b' ? Promise.reject(down()) : good(world, signal);
    const answers = await harness.store.resolve(
      ['fake/a', 'fake/b'].map((key) => ({ request: request(key), newerThan: undefined })),
    );
    expect([...answers].map(([key, { status }]) => [key, status])).toEqual([
      ['fake/a', 'fresh'],
      ['fake/b', 'unavailable'],
    ]);
  });

  test('a cached credential costs no call until it is due', async () => {
    const harness = createStoreHarness();
    await harness.ask();
    await harness.advance(44 * MINUTE);
    expect((await harness.ask()).status).toBe('fresh');
    expect(harness.calls).toHaveLength(1);
    await harness.advance(1 * MINUTE);
    expect((await harness.ask()).status).toBe('fresh');
    expect(harness.calls).toHaveLength(2);
  });

  test('a Secret that holds an older one is served from the cache, one that holds the cached one causes a call', async () => {
    const harness = createStoreHarness();
    await harness.ask();
    await harness.advance(30 * MINUTE);
    expect((await harness.ask(START - 1)).status).toBe('fresh');
    expect(harness.calls).toHaveLength(1);
    const renewed = await harness.ask(START);
    expect(issuedAt(renewed)).toBe(START + 30 * MINUTE);
    expect(harness.calls).toHaveLength(2);
  });

  test('an instant in the future, after the clock jumped back, does not cause calls for ever', async () => {
    const harness = createStoreHarness();
    expect((await harness.ask(START + HOUR)).status).toBe('fresh');
    expect((await harness.ask(START + HOUR)).status).toBe('fresh');
    expect(harness.calls).toHaveLength(1);
  });

  test('a credential from the future is renewed at once', async () => {
    const harness = createStoreHarness();
    await harness.ask();
    await harness.advance(-HOUR);
    expect(issuedAt(await harness.ask())).toBe(START - HOUR);
    expect(harness.calls).toHaveLength(2);
  });

  test('one credential is asked for at most every ten seconds', async () => {
    const harness = createStoreHarness();
    await harness.ask();
    await harness.advance(1_000);
    const answer = await harness.ask(START);
    expect(answer).toMatchObject({
      status: 'stale',
      failure: { reason: 'CredentialPending', retryAt: START + 10_000 },
    });
    expect(harness.calls).toHaveLength(1);
    await harness.advance(9_000);
    expect((await harness.ask(START)).status).toBe('fresh');
    expect(harness.calls).toHaveLength(2);
  });

  test('an unknown provider is an answer, not an exception', async () => {
    const harness = createStoreHarness();
    const answers = await harness.store.resolve([
      { request: { ...request(), provider: 'other' }, newerThan: undefined },
    ]);
    expect(answers.get('fake/a')).toMatchObject({ status: 'unavailable', failure: { reason: 'Unexpected' } });
  });

  test('secrets are registered for redaction before the answer', async () => {
    const harness = createStoreHarness();
    harness.secrets.set('kube-system/keys', { username: 'robot', token: 'fake-token\n' });
    await harness.ask();
    expect(harness.registered.get('fake/a')).toEqual(['fake-password', 'robot:fake-password']);
    expect(harness.registered.get('Secret kube-system/keys')).toEqual(['fake-token\n', 'fake-token']);
  });

  test.each([
    ['of a file', undefined],
    ['that the cluster signs', { namespace: 'kube-system', name: 'reader' }],
  ])('the token %s that proves who we are is registered for redaction before a cloud sees it', async (_, account) => {
    const harness = createStoreHarness({
      world: emptyStoreWorld({
        readFile: () => Promise.resolve('fake.jwt.signature\n'),
        requestToken: () => Promise.resolve('fake.jwt.signature'),
        endpoints: { alibaba: { sts: { url: 'https://sts.example' } } },
      }),
    });
    const known: (readonly string[])[] = [];
    const sts = {
      assumeRole: () => Promise.reject(down()),
      assumeRoleWithOidc: () => {
        known.push(...harness.registered.values());
        return Promise.reject(down());
      },
    };
    const role = { roleArn: 'fake-role', providerArn: 'fake-provider', serviceAccount: account };
    const identity = createRrsaIdentity(sts, role, { key: 'none', fetchKey: () => Promise.reject(down()) });
    harness.fetch = async (world, signal) => {
      await identity.fetchKey(world, { region: 'x' }, signal);
      return granting(HOUR)(world, signal);
    };
    expect((await harness.ask()).status).toBe('unavailable');
    expect(known).toEqual([['fake.jwt.signature']]);
  });
});

describe('short lives', () => {
  test('a life of twenty seconds is renewed in time and never in a loop', async () => {
    const harness = createStoreHarness();
    harness.fetch = granting(20_000);
    let newest: number | undefined;
    for (let at = 0; at < 60_000; at += 100) {
      const answer = await harness.ask(newest);
      newest = issuedAt(answer);
      expect(answer.status).not.toBe('unavailable');
      await harness.advance(100);
    }
    // At most every quarter of its life.
    expect(harness.calls.length).toBeLessThanOrEqual(12);
    expect(harness.calls.length).toBeGreaterThanOrEqual(3);
  });

  test.each([
    ['no life at all', 0],
    ['an expiry in the past', -HOUR],
  ])('%s is a failure that is retried with growing pauses, not a loop', async (_name, life) => {
    const harness = createStoreHarness();
    harness.fetch = granting(life);
    expect(await harness.ask()).toMatchObject({ status: 'unavailable', failure: { reason: 'ClockSkew' } });
    for (let at = 0; at < 30_000; at += 100) {
      await harness.ask();
      await harness.advance(100);
    }
    expect(harness.calls.length).toBeLessThanOrEqual(6);
  });

  test('one that never expires is asked for once', async () => {
    const harness = createStoreHarness();
    harness.fetch = granting(undefined);
    await harness.ask();
    await harness.advance(1_000 * HOUR);
    expect((await harness.ask()).status).toBe('fresh');
    expect(harness.calls).toHaveLength(1);
  });
});

test('what no rule wants any more is dropped and told', async () => {
  const harness = createStoreHarness();
  await harness.ask(undefined, 'fake/a');
  await harness.ask(undefined, 'fake/b');
  const before = harness.changes();
  harness.store.retain(['fake/b']);
  expect(harness.forgotten).toEqual(['fake/a']);
  expect(harness.store.current('fake/a')).toBeUndefined();
  expect(harness.store.current('fake/b')).toBeDefined();
  expect(harness.changes()).toBe(before + 1);
});

test('the store never answers with an expired credential, whatever happens', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: -HOUR, max: 2 * HOUR }) }),
    fc.record({ kind: fc.constant('ask' as const), back: fc.option(fc.integer({ min: -HOUR, max: 2 * HOUR })) }),
    fc.record({ kind: fc.constant('life' as const), ms: fc.option(fc.integer({ min: -HOUR, max: 2 * HOUR })) }),
    fc.record({ kind: fc.constant('break' as const) }),
    fc.record({ kind: fc.constant('rotate' as const), value: fc.string() }),
    fc.record({ kind: fc.constant('reload' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const harness = createStoreHarness();
      for (const one of steps) {
        if (one.kind === 'advance') await harness.advance(one.ms);
        if (one.kind === 'life') harness.fetch = granting(one.ms ?? undefined);
        if (one.kind === 'break') harness.fetch = failing(down());
        if (one.kind === 'reload') harness.store.load(harness.store.snapshot(), harness.now());
        if (one.kind === 'rotate') {
          harness.secrets.set('kube-system/keys', { 'access-key-secret': one.value });
          harness.store.secretChanged(SECRET);
        }
        if (one.kind !== 'ask') continue;
        const answer = await harness.ask(one.back === null ? undefined : harness.now() - one.back);
        if (answer.status === 'unavailable') continue;
        expect(answer.credential.expiresAt ?? Infinity).toBeGreaterThan(harness.now());
      }
      // Never more than one attempt for each time that somebody asked, and for each Secret that changed during one.
      const causes = steps.filter(({ kind }) => kind === 'ask' || kind === 'rotate');
      expect(harness.calls.length).toBeLessThanOrEqual(causes.length);
    }),
    { numRuns: 300 },
  );
});

function passwordOf(answer: CredentialAnswer): string | undefined {
  return answer.status === 'unavailable' ? undefined : answer.credential.password;
}

function issuedAt(answer: CredentialAnswer): number | undefined {
  return answer.status === 'unavailable' ? undefined : answer.credential.issuedAt;
}
