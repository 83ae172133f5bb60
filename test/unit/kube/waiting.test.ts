import { describe, expect, test } from '@jest/globals';
import { backoffMs, orAborted, pause } from '../../../src/kube/pause.ts';
import { createGate } from '../../../src/kube/throttle.ts';

describe('pauses between attempts', () => {
  test.each([
    [1, 500],
    [2, 1_000],
    [5, 8_000],
    [6, 10_000],
    [1_000, 10_000],
  ])('after %i failures are at most %i ms', (failures, longest) => {
    expect(backoffMs(failures, 1)).toBe(longest);
    expect(backoffMs(failures, 0)).toBe(0);
  });

  test('end with their signal', async () => {
    await expect(pause(60_000, AbortSignal.abort())).rejects.toMatchObject({ reason: 'Aborted' });
  });
});

test('waiting for something ends with it, with its failure, or with the signal', async () => {
  const never = new Promise<string>(() => undefined);
  const open = new AbortController().signal;
  expect(await orAborted(Promise.resolve('yes'), 'x', open)).toBe('yes');
  await expect(orAborted(Promise.reject(new Error('no')), 'x', open)).rejects.toThrow('no');
  await expect(orAborted(never, 'x', AbortSignal.abort())).rejects.toMatchObject({ reason: 'Aborted' });
});

describe('the gate that all calls pass', () => {
  test('is open at first, shut for as long as asked, and the longer wish wins', async () => {
    let elapsed = 0;
    const gate = createGate(() => elapsed);
    await gate.pass(undefined);
    gate.shut(50_000);
    gate.shut(10_000);
    elapsed = 49_000;
    await expect(gate.pass(AbortSignal.abort())).rejects.toMatchObject({ reason: 'Aborted' });
    elapsed = 50_000;
    await gate.pass(undefined);
  });
});
