// When a hosts file is waited for, because somebody seems to be writing it.
import { expect, test } from '@jest/globals';
import { isHalfWritten } from '../../../src/hosts/half-written.ts';

const BLOCK = '# BEGIN registry-credential-helper\n10.0.0.1 a\n# END registry-credential-helper\n';

test.each<readonly [string, string, string | undefined, number, boolean]>([
  ['empty', '', undefined, 190, true],
  ['empty for a while', '', undefined, 200, false],
  ['without a block, within a line', '10.0.0.1 na', undefined, 4_990, true],
  ['without a block, within a line, for a while', '10.0.0.1 na', undefined, 5_000, false],
  ['with a block, within a line', `${BLOCK}10.0.0.1 na`, undefined, 0, true],
  ['with a block, within a line, at the second look', `${BLOCK}10.0.0.1 na`, undefined, 10, false],
  ['within a line, and as it was for long', '10.0.0.1 na', '1 2 3', 0, false],
  ['whole', `${BLOCK}10.0.0.1 nas\n`, undefined, 0, false],
])('a file that is %s', (_name, text, stamp, waitedMs, expected) => {
  expect(isHalfWritten({ text, stamp }, waitedMs)).toBe(expected);
});
