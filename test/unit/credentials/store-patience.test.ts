// How long the store waits for a cloud: a little at first, not at all after a failure, and never for ever.
import { describe, expect, test } from '@jest/globals';
import { ProviderError } from '../../../src/core/errors.ts';
import { createStoreHarness, failing, granting, holding } from './store-world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const down = (): ProviderError => new ProviderError('CloudUnavailable', 'the cloud is down');

describe('patience', () => {
  test('resolve waits five seconds, then answers pending, and onSettled tells when it is worth asking again', async () => {
    const harness = createStoreHarness();
    const held = holding(granting(HOUR));
    harness.fetch = held.fetch;
    const first = await harness.askLater();
    await harness.advance(4_999);
    expect(first.answer()).toBeUndefined();
    await harness.advance(1);
    expect(first.answer()).toMatchObject({
      status: 'unavailable',
      failure: { reason: 'CredentialPending', retryAt: undefined },
    });
    expect(harness.settled).toEqual([]);
    held.release();
    await harness.advance(0);
    expect(harness.settled).toEqual(['fake/a']);
    expect((await harness.ask()).status).toBe('fresh');
    expect(harness.calls).toHaveLength(1);
  });

  test('while a renewal is under way the old one is stale, not gone', async () => {
    const harness = createStoreHarness();
    await harness.ask();
    await harness.advance(50 * MINUTE);
    const held = holding(granting(HOUR));
    harness.fetch = held.fetch;
    const later = await harness.askLater();
    await harness.advance(5_000);
    expect(later.answer()).toMatchObject({ status: 'stale', failure: { reason: 'CredentialPending' } });
    held.release();
  });

  test('after a failure nobody waits: the retry runs in the background', async () => {
    const harness = createStoreHarness();
    harness.fetch = failing(down());
    await harness.ask();
    await harness.advance(2_000);
    const held = holding(granting(HOUR));
    harness.fetch = held.fetch;
    const later = await harness.askLater();
    expect(later.answer()).toMatchObject({ status: 'unavailable', failure: { reason: 'CredentialPending' } });
    held.release();
    await harness.advance(0);
    expect((await harness.ask()).status).toBe('fresh');
  });

  test('an attempt that never ends is given up after twenty seconds, and its signal aborted', async () => {
    const harness = createStoreHarness();
    let aborted = false;
    harness.fetch = (_world, signal) =>
      new Promise(() => signal.addEventListener('abort', () => (aborted = true), { once: true }));
    await harness.askLater();
    await harness.advance(20_000);
    expect(aborted).toBe(true);
    expect(await harness.ask()).toMatchObject({ failure: { reason: 'CloudUnavailable' } });
    expect(harness.settled).toEqual(['fake/a']);
  });
});

test('stop ends what is under way, and nothing is asked after it', async () => {
  const harness = createStoreHarness();
  harness.fetch = () => new Promise(() => undefined);
  await harness.askLater();
  await harness.store.stop();
  harness.fetch = granting(HOUR);
  expect((await harness.ask()).status).toBe('unavailable');
  expect(harness.calls).toHaveLength(1);
  expect(harness.outcomes).toEqual([]);
});
