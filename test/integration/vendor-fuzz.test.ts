// The configuration parser under 100,000 texts with mistakes: too long a run for the tests that everybody waits for.
import { expect, jest, test } from '@jest/globals';
import { editConfiguration } from '../support/edited-configurations.ts';
import { fuzzConfiguration } from '../support/fuzz-configuration.ts';

// For a machine that does other things, too; what bounds the work of each input is counted, not timed.
jest.setTimeout(600_000);

test('[acr G3] 100,000 configurations with mistakes: no throw, no secret, bounded, and never half-read', () => {
  const { accepted, refused, corrected } = fuzzConfiguration(100_000, 20_260_101);
  expect(accepted + refused).toBe(100_000);
  for (const met of [accepted, refused, corrected]) expect(met).toBeGreaterThan(2_000);
});

test('[acr G3] 100,000 edits with mistakes of one ConfigMap: none that is refused loses the last good configuration', async () => {
  const { accepted, refused, lost } = await editConfiguration(100, 1_000, 20_260_102);
  expect(lost).toBe(0);
  for (const met of [accepted, refused]) expect(met).toBeGreaterThan(2_000);
});
