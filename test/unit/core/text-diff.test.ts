// The diff that --dry-run prints.
import { expect, test } from '@jest/globals';
import { renderDiff } from '../../../src/core/text-diff.ts';

test.each<[string, string, string, string]>([
  ['nothing when nothing differs', 'a\n', 'a\n', ''],
  ['lines that come last', 'a\n', 'a\nb\n', '--- f\n+++ f\n@@ -1,1 +1,2 @@\n a\n+b\n'],
  [
    'lines that go',
    '1\n2\n3\n4\n5\nx\n6\n7\n8\n9\n',
    '1\n2\n3\n4\n5\n6\n7\n8\n9\n',
    '--- f\n+++ f\n@@ -3,7 +3,6 @@\n 3\n 4\n 5\n-x\n 6\n 7\n 8\n',
  ],
  ['a change', 'a\nb\nc\n', 'a\nB\nc\n', '--- f\n+++ f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n'],
  ['an empty file', '', 'a\n', '--- f\n+++ f\n@@ -0,0 +1,1 @@\n+a\n'],
  ['an unfinished line', 'a', 'x\na', '--- f\n+++ f\n@@ -1,1 +1,2 @@\n+x\n a\n\\ No newline at end of file\n'],
  ['UTF-8, and no way to steer a terminal', '', '\xc3\xa9\x1b[2J\r\n', '--- f\n+++ f\n@@ -0,0 +1,1 @@\n+é?[2J?\n'],
])('shows %s', (_, from, to, expected) => {
  expect(renderDiff('f', from, to)).toBe(expected);
});
