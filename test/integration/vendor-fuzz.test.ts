// The configuration parser under 100,000 texts with mistakes: too long a run for the tests that everybody waits for.
import { expect, jest, test } from '@jest/globals';
import { fuzzConfiguration } from '../support/fuzz-configuration.ts';

// For a machine that does other things, too; what bounds the work of each input is counted, not timed.
jest.setTimeout(600_000);

test('[acr G3] 100,000 configurations with mistakes: no throw, no secret, bounded, and never half-read', () => {
  const { accepted, refused, corrected } = fuzzConfiguration(100_000, 20_260_101);
  expect(accepted + refused).toBe(100_000);
  for (const met of [accepted, refused, corrected]) expect(met).toBeGreaterThan(2_000);
});
