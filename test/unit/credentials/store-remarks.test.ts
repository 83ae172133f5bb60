// Remarks on a credential: each is told once, also when it comes and goes, and again after a failure or of another identity.
import { expect, test } from '@jest/globals';
import { ProviderError } from '../../../src/core/errors.ts';
import { CredentialStore } from '../../../src/credentials/store.ts';
import { createStoreHarness, failing, granting, request, type StoreHarness } from './store-world.ts';

const HOUR = 3_600_000;
const UNLISTED = 'cri-a does not list the domain d';
const UNCHECKED = 'the domains of cri-a could not be checked';

/** One renewal: what it gives, and what is told of it. */
async function renew(harness: StoreHarness, identity: string, warnings: readonly string[]): Promise<unknown> {
  harness.fetch = async (world, signal) => ({ ...(await granting(HOUR)(world, signal)), identity, warnings });
  const { length } = harness.outcomes;
  await harness.ask();
  await harness.advance(0);
  await harness.advance(HOUR);
  return harness.outcomes.slice(length).map((outcome) => outcome.ok && outcome.credential.warnings);
}

test('a remark that comes and goes is told once', async () => {
  const harness = createStoreHarness();
  expect(await renew(harness, 'x', [UNLISTED])).toEqual([[UNLISTED]]);
  for (let at = 0; at < 10; at += 1) {
    expect(await renew(harness, 'x', [])).toEqual([]);
    expect(await renew(harness, 'x', [UNLISTED])).toEqual([]);
  }
  expect(await renew(harness, 'x', [UNCHECKED, UNLISTED])).toEqual([[UNCHECKED, UNLISTED]]);
  expect(await renew(harness, 'x', [UNLISTED, UNCHECKED])).toEqual([]);
});

test('a remark that only names another instant is told once, and again when it has been gone', async () => {
  const harness = createStoreHarness();
  expect(await renew(harness, 'x', ['ends at 2026-01-02T03:04:05Z'])).toHaveLength(1);
  expect(await renew(harness, 'x, since 2026-01-02T03:04:05.678Z', [])).toHaveLength(1);
  expect(await renew(harness, 'x, since 2026-01-03T03:04:05.678Z', ['ends at 2026-01-03T03:04:05Z'])).toHaveLength(1);
  expect(await renew(harness, 'x, since 2026-01-04T03:04:05.678Z', ['ends at 2026-01-04T03:04:05Z'])).toEqual([]);
  expect(await renew(harness, 'x, since 2026-01-05T03:04:05.678Z', [])).toEqual([]);
  expect(await renew(harness, 'x, since 2026-01-06T03:04:05.678Z', ['ends at 2026-01-06T03:04:05Z'])).toHaveLength(1);
});

test('a remark is told again of another identity, and when a credential was obtained again', async () => {
  const harness = createStoreHarness();
  expect(await renew(harness, 'x', [UNLISTED])).toEqual([[UNLISTED]]);
  expect(await renew(harness, 'y', [])).toEqual([[]]);
  expect(await renew(harness, 'y', [UNLISTED])).toEqual([[UNLISTED]]);
  harness.fetch = failing(new ProviderError('CloudUnavailable', 'away'));
  await harness.ask();
  await harness.advance(HOUR);
  expect(await renew(harness, 'y', [UNLISTED])).toEqual([[UNLISTED]]);
  expect(await renew(harness, 'y', [UNLISTED])).toEqual([]);
});

test('a remark that the leader before has told is not told again', async () => {
  const harness = createStoreHarness();
  await renew(harness, 'x', [UNLISTED]);
  harness.fetch = async (world, signal) => ({
    ...(await granting(HOUR)(world, signal)),
    ...{ identity: 'x', warnings: [UNLISTED] },
  });
  await harness.ask();
  const { length } = harness.outcomes;
  const next = new CredentialStore(harness.options);
  expect(next.load(harness.store.snapshot(), harness.now())).toEqual([]);
  await harness.advance(HOUR - 1);
  await next.resolve([{ request: request(), newerThan: undefined }]);
  expect(harness.calls).toHaveLength(3);
  expect(harness.outcomes.slice(length)).toEqual([]);
});
