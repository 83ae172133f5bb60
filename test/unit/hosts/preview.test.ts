// What --dry-run says, and whether it knows anything at all.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { previewHosts } from '../../../src/hosts/preview.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'preview-'));
  mkdirSync(join(folder, 'config'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each<[string, string | undefined, string | undefined, boolean, boolean]>([
  ['list and file are there', '- {domain: a.example, ip: 10.20.0.7}', '127.0.0.1 localhost\n', false, true],
  ['the list is missing', undefined, '127.0.0.1 localhost\n', false, false],
  ['the list is none', 'a: b', '127.0.0.1 localhost\n', false, false],
  ['the file is missing', '[]', undefined, false, false],
  ['the list is missing and not needed', undefined, '127.0.0.1 localhost\n', true, true],
])('what would be done when %s', (_, list, text, isRemoved, isKnown) => {
  if (list !== undefined) writeFileSync(join(folder, 'config', 'hosts.yaml'), list);
  if (text !== undefined) writeFileSync(join(folder, 'hosts'), text);
  const preview = previewHosts({ folder: join(folder, 'config'), file: join(folder, 'hosts'), isRemoved });
  expect(preview.isKnown).toBe(isKnown);
  expect(preview.remarks.length > 0).toBe(!isKnown);
});
