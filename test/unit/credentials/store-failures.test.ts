// What the store does when a cloud fails, and when a Secret that a credential was made from changes.
import { describe, expect, test } from '@jest/globals';
import { KubeError, ProviderError, type FailureReason } from '../../../src/core/errors.ts';
import { keyOf, requestKey, sourceOf } from '../../../src/core/source.ts';
import { buildRequest } from '../../support/builders.ts';
import { emptyStoreWorld } from '../../support/provider-world.ts';
import { createStoreHarness, failing, granting, holding, SECRET, START } from './store-world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const fault = (reason: FailureReason, retryAfterMs?: number): ProviderError =>
  new ProviderError(reason, `${reason} of fake/a`, { retryAfterMs });

describe('failures', () => {
  test('the last good one is kept until it expires, then there is none', async () => {
    const harness = createStoreHarness();
    await harness.ask();
    harness.fetch = failing(fault('CloudUnavailable'));
    await harness.advance(50 * MINUTE);
    expect(await harness.ask()).toMatchObject({
      status: 'stale',
      credential: { password: 'fake-password' },
      failure: { reason: 'CloudUnavailable', message: 'CloudUnavailable of fake/a' },
    });
    await harness.advance(10 * MINUTE);
    expect((await harness.ask()).status).toBe('unavailable');
    expect(harness.store.current('fake/a')).toBeUndefined();
  });

  test('no call is made while backing off, and the pauses double up to five minutes', async () => {
    const harness = createStoreHarness();
    harness.fetch = failing(fault('CloudUnavailable'));
    const pauses: number[] = [];
    for (let attempt = 1; attempt <= 12; attempt += 1) {
      const answer = await harness.ask();
      expect(harness.calls).toHaveLength(attempt);
      await harness.ask();
      expect(harness.calls).toHaveLength(attempt);
      const retryAt = answer.status === 'unavailable' ? (answer.failure.retryAt ?? 0) : 0;
      // From the second on the attempt ends after the answer.
      const planned = retryAt > harness.now() ? retryAt : await planOf(harness);
      pauses.push(planned - harness.now());
      await harness.advance(planned - harness.now());
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300].map((seconds) => seconds * 1_000));
  });

  test.each<[FailureReason, number]>([
    ['AccessKeyInvalid', 10 * MINUTE],
    ['SignatureMismatch', 10 * MINUTE],
    ['PermissionDenied', 10 * MINUTE],
    ['InstanceNotFound', 10 * MINUTE],
    ['IdentityUnavailable', 10 * MINUTE],
    ['ClockSkew', 1_000],
    ['InstanceNotReady', 1_000],
  ])('%s is tried again after %d ms', async (reason, ms) => {
    const harness = createStoreHarness();
    harness.fetch = failing(fault(reason));
    expect(await harness.ask()).toMatchObject({ failure: { reason, retryAt: START + ms } });
  });

  test('a cloud that asks to wait is waited for', async () => {
    const harness = createStoreHarness();
    harness.fetch = failing(fault('Throttled', 30_000));
    expect(await harness.ask()).toMatchObject({ failure: { reason: 'Throttled', retryAt: START + 30_000 } });
  });

  test('pauses are spread by 20 % either way', async () => {
    for (const [random, ms] of [
      [0, 800],
      [1, 1_200],
    ] as const) {
      const harness = createStoreHarness({ random: () => random });
      harness.fetch = failing(fault('CloudUnavailable'));
      expect(await harness.ask()).toMatchObject({ failure: { retryAt: START + ms } });
    }
  });

  test('an expired session is retried once at once', async () => {
    const harness = createStoreHarness();
    harness.fetch = (world, signal) =>
      harness.calls.length === 1 ? Promise.reject(fault('SessionExpired')) : granting(HOUR)(world, signal);
    expect((await harness.ask()).status).toBe('fresh');
    expect(harness.calls).toHaveLength(2);
    const broken = createStoreHarness();
    broken.fetch = failing(fault('SessionExpired'));
    expect((await broken.ask()).status).toBe('unavailable');
    expect(broken.calls).toHaveLength(2);
  });

  test('the text of an unexpected error goes nowhere', async () => {
    const harness = createStoreHarness();
    harness.fetch = failing(new TypeError('fake-key-secret is not a function'));
    expect(await harness.ask()).toMatchObject({
      failure: { reason: 'Unexpected', message: 'fake/a: internal error (TypeError)' },
    });
  });

  test('a clock that jumps back does not leave a pause of hours', async () => {
    const harness = createStoreHarness();
    harness.fetch = failing(fault('CloudUnavailable'));
    await harness.ask();
    await harness.advance(-5 * HOUR);
    harness.fetch = granting(HOUR);
    await harness.ask();
    await harness.advance(0);
    expect((await harness.ask()).status).toBe('fresh');
  });

  test('outcomes are told when they change, not at every repetition', async () => {
    const harness = createStoreHarness();
    const step = async (fetch: typeof harness.fetch): Promise<void> => {
      harness.fetch = fetch;
      await harness.ask();
      await harness.advance(0);
      await harness.advance(HOUR);
    };
    await step(granting(HOUR));
    await step(granting(HOUR));
    for (const reason of ['Throttled', 'Throttled', 'CloudUnavailable'] as const) await step(failing(fault(reason)));
    await step(granting(HOUR));
    expect(
      harness.outcomes.map((outcome) => (outcome.ok ? { recovered: outcome.recovered } : outcome.failure.reason)),
    ).toEqual([{ recovered: false }, 'Throttled', 'CloudUnavailable', { recovered: true }]);
    expect(harness.attempts.map(({ ok, reason }) => reason ?? ok)).toEqual([
      true,
      true,
      'Throttled',
      'Throttled',
      'CloudUnavailable',
      true,
    ]);
  });

  test('a new configuration lifts every pause', async () => {
    const harness = createStoreHarness();
    harness.fetch = failing(fault('PermissionDenied'));
    await harness.ask();
    harness.store.resetBackoff();
    harness.fetch = granting(HOUR);
    await harness.ask();
    await harness.advance(0);
    expect((await harness.ask()).status).toBe('fresh');
  });
});

describe('source Secrets', () => {
  test('the source names the request and what was read, and nothing of the content', async () => {
    const harness = createStoreHarness();
    await harness.ask();
    const source = harness.store.current('fake/a')?.source ?? '';
    expect(source).toMatch(/^[0-9a-f]{12}\.[0-9a-f]{12}$/);
    expect(keyOf(source)).toBe(requestKey(buildRequest('fake/a')));
    expect(source).toBe(sourceOf('fake/a', [JSON.stringify(harness.secrets.get('kube-system/keys'))]));
    expect(harness.store.sources()).toEqual([SECRET]);
  });

  test('a changed Secret renews what was made from it, although it is not due', async () => {
    const harness = createStoreHarness();
    await harness.ask();
    const before = harness.store.current('fake/a')?.source;
    harness.secrets.set('kube-system/keys', { 'access-key-secret': 'fake-new-secret' });
    expect(harness.store.secretChanged(SECRET)).toEqual(['fake/a']);
    harness.fetch = granting(HOUR, 'fake-new-password');
    expect(await harness.ask()).toMatchObject({ status: 'fresh', credential: { password: 'fake-new-password' } });
    expect(harness.store.current('fake/a')?.source).not.toBe(before);
  });

  test('an event without a change makes no call', async () => {
    const harness = createStoreHarness();
    await harness.ask();
    harness.store.secretChanged(SECRET);
    expect((await harness.ask()).status).toBe('fresh');
    expect(harness.calls).toHaveLength(1);
    expect(harness.store.secretChanged({ ...SECRET, name: 'other' })).toEqual([]);
  });

  test('the last good one is kept while the new key does not work', async () => {
    const harness = createStoreHarness();
    await harness.ask();
    harness.secrets.set('kube-system/keys', { 'access-key-secret': 'fake-wrong-secret' });
    harness.store.secretChanged(SECRET);
    harness.fetch = failing(fault('SignatureMismatch'));
    expect(await harness.ask()).toMatchObject({ status: 'stale', failure: { reason: 'SignatureMismatch' } });
    harness.secrets.set('kube-system/keys', { 'access-key-secret': 'fake-right-secret' });
    expect(harness.store.secretChanged(SECRET)).toEqual(['fake/a']);
    harness.fetch = granting(HOUR);
    await harness.ask();
    await harness.advance(0);
    expect((await harness.ask()).status).toBe('fresh');
    expect(harness.calls).toHaveLength(3);
  });

  test('a Secret that appears lifts the pause of what failed without it', async () => {
    const harness = createStoreHarness();
    harness.secrets.clear();
    expect(await harness.ask()).toMatchObject({
      failure: { reason: 'IdentityUnavailable', message: 'There is no Secret kube-system/keys' },
    });
    expect(harness.store.sources()).toEqual([SECRET]);
    harness.secrets.set('kube-system/keys', { 'access-key-secret': 'fake-key-secret' });
    expect(harness.store.secretChanged(SECRET)).toEqual(['fake/a']);
    await harness.ask();
    await harness.advance(0);
    expect((await harness.ask()).status).toBe('fresh');
  });

  test('a Secret that changes while a call is under way is looked at again afterwards', async () => {
    const harness = createStoreHarness();
    const held = holding(granting(HOUR, 'fake-old-password'));
    harness.fetch = held.fetch;
    const later = await harness.askLater();
    harness.secrets.set('kube-system/keys', { 'access-key-secret': 'fake-new-secret' });
    expect(harness.store.secretChanged(SECRET)).toEqual(['fake/a']);
    harness.fetch = granting(HOUR, 'fake-new-password');
    held.release();
    await harness.advance(0);
    expect(later.answer()).toMatchObject({ credential: { password: 'fake-old-password' } });
    expect(harness.calls).toHaveLength(2);
    expect(await harness.ask()).toMatchObject({ status: 'fresh', credential: { password: 'fake-new-password' } });
    expect(harness.settled).toEqual(['fake/a', 'fake/a']);
  });

  test('a Secret that cannot be read is retried as the Kubernetes API says, and does no harm to what is held', async () => {
    const reads = { error: undefined as KubeError | undefined };
    const harness = createStoreHarness({
      world: emptyStoreWorld({
        now: () => START,
        readSecret: () =>
          reads.error === undefined ? Promise.resolve({ data: {}, digest: 'one' }) : Promise.reject(reads.error),
      }),
    });
    reads.error = new KubeError('Unavailable', 'no answer');
    expect(await harness.ask()).toMatchObject({
      failure: {
        reason: 'IdentityUnavailable',
        message: 'The Secret kube-system/keys could not be read (Unavailable)',
        retryAt: START + 1_000,
      },
    });
    reads.error = new KubeError('Forbidden', 'no right');
    expect(await harness.ask(undefined, 'fake/b')).toMatchObject({ failure: { retryAt: START + 10 * MINUTE } });
    reads.error = undefined;
    await harness.ask(undefined, 'fake/c');
    harness.store.secretChanged(SECRET);
    reads.error = new KubeError('Unavailable', 'no answer');
    expect((await harness.ask(undefined, 'fake/c')).status).toBe('fresh');
  });
});

async function planOf(harness: ReturnType<typeof createStoreHarness>): Promise<number> {
  await harness.advance(0);
  const answer = await harness.ask();
  return answer.status === 'unavailable' ? (answer.failure.retryAt ?? 0) : 0;
}
