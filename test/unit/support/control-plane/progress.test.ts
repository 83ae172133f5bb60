import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { buildProgress } from '../../../support/control-plane/progress.ts';

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
});
afterEach(() => {
  jest.useRealTimers();
});

test('without a terminal there is a line at the beginning, every 20 s, and at the end', () => {
  const lines: string[] = [];
  const step = buildProgress({ write: (line) => lines.push(line) })('etcd v3.6.6', '1 of 2');
  jest.advanceTimersByTime(65_000);
  step.done();
  jest.advanceTimersByTime(60_000);
  expect(lines).toEqual([
    'Building etcd v3.6.6 (1 of 2)\n',
    'Still building etcd v3.6.6, 20 s\n',
    'Still building etcd v3.6.6, 40 s\n',
    'Still building etcd v3.6.6, 1 min 0 s\n',
    'Built etcd v3.6.6 in 1 min 5 s\n',
  ]);
});

test('on a terminal one line is drawn again and again, and ends as a lasting one', () => {
  const writes: string[] = [];
  const step = buildProgress({ isTTY: true, write: (text) => writes.push(text) })('etcd v3.6.6');
  jest.advanceTimersByTime(2_000);
  expect(writes.every((text) => text.startsWith('\r\u001B[K') && !text.includes('\n'))).toBe(true);
  expect(writes.at(-1)).toContain('Building etcd v3.6.6, 2 s');
  step.failed();
  expect(writes.at(-1)).toBe('\r\u001B[K✘ Could not build etcd v3.6.6 (2 s)\n');
});
