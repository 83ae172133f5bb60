import { describe, expect, test } from '@jest/globals';
import {
  buildHeldLease,
  buildReleasedLease,
  formatMicroTime,
  mayHold,
  observeLease,
  readLease,
} from '../../../src/kube/lease.ts';

const NOW = Date.parse('2030-01-01T00:00:00.123Z');

function lease(holder: string, resourceVersion = '1'): Readonly<Record<string, unknown>> {
  return {
    metadata: { name: 'x', resourceVersion, labels: { kept: 'yes' } },
    spec: { holderIdentity: holder, leaseDurationSeconds: 15, leaseTransitions: 3, acquireTime: 'then' },
  };
}

describe('who may hold a Lease', () => {
  const seen = (holder: string) => observeLease(undefined, readLease(lease(holder)), 1_000);
  test.each<[string, boolean, boolean]>([
    ['we, when it is ours', mayHold(seen('me'), 'me', 1_000), true],
    ['we, when it was released', mayHold(seen(''), 'me', 1_000), true],
    ['we, when it was never held', mayHold(observeLease(undefined, readLease({}), 0), 'me', 0), true],
    ['not we, while another may hold it', mayHold(seen('other'), 'me', 15_999), false],
    ['we, once another has not renewed it for its duration', mayHold(seen('other'), 'me', 16_000), true],
  ])('%s', (_sentence, actual, expected) => {
    expect(actual).toBe(expected);
  });

  test('the wait begins anew with each renewal that we see', () => {
    const first = observeLease(undefined, readLease(lease('other', '1')), 1_000);
    expect(observeLease(first, readLease(lease('other', '1')), 9_000)).toBe(first);
    const renewed = observeLease(first, readLease(lease('other', '2')), 9_000);
    expect(mayHold(renewed, 'me', 16_000)).toBe(false);
  });
});

describe('what is written', () => {
  const settings = { identity: 'me', leaseDurationMs: 15_000, now: NOW };

  test('a new holder counts as a transition; what others wrote into the object stays', () => {
    expect(buildHeldLease(lease('other'), settings)).toMatchObject({
      metadata: { resourceVersion: '1', labels: { kept: 'yes' } },
      spec: {
        holderIdentity: 'me',
        leaseDurationSeconds: 15,
        leaseTransitions: 4,
        acquireTime: '2030-01-01T00:00:00.123000Z',
        renewTime: '2030-01-01T00:00:00.123000Z',
      },
    });
  });

  test('a renewal keeps the time of the acquisition', () => {
    expect(buildHeldLease(lease('me'), settings)).toMatchObject({ spec: { leaseTransitions: 3, acquireTime: 'then' } });
  });

  test('a release leaves nobody', () => {
    expect(readLease(buildReleasedLease(lease('me'), NOW))).toMatchObject({ holder: '', durationMs: 1_000 });
  });

  test('times carry six digits of a second', () => {
    expect(formatMicroTime(NOW)).toBe('2030-01-01T00:00:00.123000Z');
  });
});
