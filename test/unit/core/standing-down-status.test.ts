// What of a resource's status is ours to write while somebody else serves it, and when nobody does.
import { describe, expect, test } from '@jest/globals';
import { buildWrittenStatus, type ResourceFacts } from '../../../src/core/resource-status.ts';
import { NOW } from '../../support/builders.ts';

const NOTHING = { desired: 0, successful: [], failed: [] };
const BAD = { severity: 'error', path: 'spec.docker.server', message: 'must be the host alone' } as const;

function facts(parts: Partial<ResourceFacts> = {}): ResourceFacts {
  return {
    ...{ generation: 3, issues: [], isStandingDown: false, secrets: NOTHING, accounts: NOTHING },
    ...{ credential: undefined, failure: undefined, now: NOW },
    ...parts,
  };
}

const stalled = (parts: Partial<ResourceFacts>) =>
  buildWrittenStatus(facts(parts), undefined).conditions.find(({ type }) => type === 'Stalled');

describe('while the vendor’s add-on serves a resource', () => {
  test('its status has our conditions, and nothing else of ours', () => {
    expect(Object.keys(buildWrittenStatus(facts({ isStandingDown: true }), undefined))).toEqual(['conditions']);
    expect(stalled({ isStandingDown: true })).toMatchObject({ status: 'True', reason: 'VendorHelperRuns' });
  });

  test('what is wrong with its spec is said beside, so that it can be corrected before the switch', () => {
    const condition = stalled({ isStandingDown: true, issues: [BAD] });
    expect(condition?.reason).toBe('VendorHelperRuns');
    expect(condition?.message).toContain('To be corrected before: spec.docker.server must be the host alone');
    expect(stalled({ issues: [BAD] })?.reason).toBe('SpecInvalid');
  });

  test('the same words keep their instant, however often they are built', () => {
    const first = buildWrittenStatus(facts({ isStandingDown: true }), undefined);
    expect(buildWrittenStatus(facts({ isStandingDown: true, now: NOW + 60_000 }), first)).toEqual(first);
  });
});

test('afterwards the counters and lists are ours again', () => {
  expect(Object.keys(buildWrittenStatus(facts(), undefined))).toContain('secretsDesired');
});
