import { expect, test } from '@jest/globals';
import { parseRecord } from '../../../src/core/records.ts';

test.each([
  ['{"a":1}', { a: 1 }],
  ['{}', {}],
  ['[1]', undefined],
  ['null', undefined],
  ['"text"', undefined],
  ['{"a":', undefined],
  ['', undefined],
])('%s is read as %j', (text, expected) => {
  expect(parseRecord(text)).toEqual(expected);
});
