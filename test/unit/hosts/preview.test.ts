// What --dry-run says, and whether it knows anything at all.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BLOCK_BEGIN as BEGIN, BLOCK_END as END } from '../../../src/core/hosts-survey.ts';
import { renderDiff } from '../../../src/core/text-diff.ts';
import { previewHosts } from '../../../src/hosts/preview.ts';
import { HostsUpdater } from '../../../src/hosts/updater.ts';

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

test.each([
  ['is torn', `${BEGIN}\n10.20.0.7 a.example\n10.20.0.8 b.example\n`],
  ['has a line of somebody in it', `${BEGIN}\n10.20.0.7 a.example\n10.0.0.1 nas nas2\n10.20.0.8 b.example\n${END}\n`],
])('a removal is shown as it is done where the block %s', async (_, block) => {
  const file = join(folder, 'hosts');
  const before = `127.0.0.1 localhost\n${block}`;
  writeFileSync(join(folder, 'config', 'hosts.yaml'), '- {domain: a.example, ip: 10.20.0.7}');
  writeFileSync(file, before);
  const { diff, remarks } = previewHosts({ folder: join(folder, 'config'), file, isRemoved: true });
  const ignore = (): void => undefined;
  const updater = new HostsUpdater({
    folder: join(folder, 'config'),
    file,
    lockPath: `${file}.lock`,
    inPlace: false,
    intervalMs: 1_000,
    observer: { listRead: ignore, kept: ignore, failed: ignore, contended: ignore },
    now: Date.now,
    random: Math.random,
  });
  expect(await updater.remove()).toBe(false);
  await updater.close();
  expect(diff).toBe(renderDiff(file, before, readFileSync(file, 'latin1')));
  expect(remarks).toContain('LineLeft: "10.20.0.8 b.example" would stay although it may be ours');
});
