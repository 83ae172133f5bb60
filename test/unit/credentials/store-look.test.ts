// After a restart: what was loaded is compared with its Secrets, however slow they are to read, and whoever asks meanwhile.
import { describe, expect, test } from '@jest/globals';
import { KubeError } from '../../../src/core/errors.ts';
import type { SourceRead } from '../../../src/credentials/store.ts';
import { emptyStoreWorld } from '../../support/provider-world.ts';
import { createStoreHarness, granting, SECRET, type StoreHarness } from './store-world.ts';

const PENDING = { status: 'stale', failure: { reason: 'CredentialPending' } };

/** A store that has loaded a password for ever made from revision `one`; each read of the Secret waits for its end in `reads`. */
async function restarted(): Promise<{ harness: StoreHarness; reads: ((end: string | Error) => Promise<void>)[] }> {
  const reads: ((end: string | Error) => Promise<void>)[] = [];
  const before = createStoreHarness({
    world: emptyStoreWorld({ now: () => 1, readSecret: () => Promise.resolve({ data: {}, digest: 'one' }) }),
  });
  before.fetch = granting(undefined, 'fake-old-password');
  await before.ask();
  const harness: StoreHarness = createStoreHarness({
    world: emptyStoreWorld({
      now: () => harness.now(),
      readSecret: () =>
        new Promise<SourceRead>((resolve, reject) => {
          reads.push(async (end) => {
            if (end instanceof Error) reject(end);
            else resolve({ data: {}, digest: end });
            await harness.advance(0);
          });
        }),
    }),
  });
  harness.store.load(before.store.snapshot(), harness.now());
  harness.fetch = granting(undefined, 'fake-new-password');
  return { harness, reads };
}

describe('a Secret that is slow to read', () => {
  test('and has changed is fetched from, although nobody asks again', async () => {
    const { harness, reads } = await restarted();
    const source = harness.store.current('fake/a')?.source;
    const first = await harness.askLater();
    await harness.advance(5_000);
    expect(first.answer()).toMatchObject({ status: 'fresh', credential: { password: 'fake-old-password' } });
    await reads[0]?.('two');
    expect(harness.calls).toEqual(['fake/a']);
    expect(harness.settled).toEqual([]);
    await reads[1]?.('two');
    expect(harness.settled).toEqual(['fake/a']);
    expect(harness.store.current('fake/a')?.source).not.toBe(source);
    expect(await harness.ask()).toMatchObject({ status: 'fresh', credential: { password: 'fake-new-password' } });
  });

  test('and is the same costs no call', async () => {
    const { harness, reads } = await restarted();
    await harness.askLater();
    await harness.advance(5_000);
    await reads[0]?.('one');
    expect((await harness.ask()).status).toBe('fresh');
    expect([harness.calls, harness.settled, reads.length]).toEqual([[], [], 1]);
  });

  test('is read once for all who ask, and all of them wait for it', async () => {
    const { harness, reads } = await restarted();
    const first = await harness.askLater();
    const second = await harness.askLater();
    expect([first.answer(), second.answer(), reads.length]).toEqual([undefined, undefined, 1]);
    await reads[0]?.('two');
    await harness.advance(5_000);
    expect([first.answer(), second.answer()]).toMatchObject([PENDING, PENDING]);
    await reads[1]?.('two');
    expect(harness.calls).toHaveLength(1);
  });

  test('and changes meanwhile is read once more', async () => {
    const { harness, reads } = await restarted();
    await harness.askLater();
    expect(harness.store.secretChanged(SECRET)).toEqual(['fake/a']);
    await reads[0]?.('one');
    expect(reads).toHaveLength(2);
    await reads[1]?.('two');
    expect(harness.calls).toEqual(['fake/a']);
  });

  test('and cannot be read is read again for the next who asks', async () => {
    const { harness, reads } = await restarted();
    const first = await harness.askLater();
    await reads[0]?.(new KubeError('Unavailable', 'no answer'));
    expect(first.answer()).toMatchObject({ status: 'fresh' });
    await harness.askLater();
    await reads[1]?.('two');
    expect(harness.calls).toEqual(['fake/a']);
  });

  test.each([
    ['dropped', (harness: StoreHarness) => harness.store.retain([])],
    ['stopped', (harness: StoreHarness) => void harness.store.stop()],
  ])('is fetched from no more when all was %s meanwhile', async (_, end) => {
    const { harness, reads } = await restarted();
    await harness.askLater();
    end(harness);
    await reads[0]?.('two');
    expect(harness.calls).toEqual([]);
  });
});
