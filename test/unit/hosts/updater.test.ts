// The loop that follows a list and keeps a file, beside a writer that never lets it finish.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { HostsUpdater, type HostsObserver } from '../../../src/hosts/updater.ts';
import { eventually } from '../../support/eventually.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'updater-'));
  file = join(folder, 'etc', 'hosts');
  mkdirSync(join(folder, 'etc'));
  mkdirSync(join(folder, 'config'));
  writeFileSync(file, '127.0.0.1 localhost\n');
  writeFileSync(join(folder, 'config', 'hosts.yaml'), '- {domain: a.example, ip: 10.20.0.7}\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function startUpdater(
  observer: Partial<HostsObserver>,
  { intervalMs, now = Date.now }: { intervalMs: number; now?: () => number },
) {
  const ignore = (): void => undefined;
  const nobody: HostsObserver = { listRead: ignore, kept: ignore, failed: ignore, contended: ignore };
  const updater = new HostsUpdater({
    folder: join(folder, 'config'),
    file,
    lockPath: `${file}.lock`,
    inPlace: false,
    intervalMs,
    observer: { ...nobody, ...observer },
    now,
    random: Math.random,
  });
  const stop = new AbortController();
  const ended = updater.run(stop.signal);
  return {
    async stop() {
      stop.abort();
      await ended;
    },
  };
}

test('a writer that never lets a pass finish is fought a few times, then once a cycle', async () => {
  const intervalMs = 300;
  const failures: number[] = [];
  let isContended = false;
  let isFighting = true;
  let rounds = 0;
  // The clock is asked right after each replacement: whoever answers undoes it.
  const now = (): number => {
    rounds += 1;
    if (isFighting) writeFileSync(file, `127.0.0.1 me-${rounds}\n`);
    return Date.now();
  };
  const running = startUpdater(
    {
      failed({ reason }) {
        if (reason === 'FileUnstable') failures.push(Date.now());
      },
      contended(found) {
        isContended = found;
      },
    },
    { intervalMs, now },
  );
  try {
    await eventually('the fight is noticed', () => isContended);
    const before = failures.length;
    expect(before).toBeLessThanOrEqual(6);
    await eventually('three cycles more', () => failures.length >= before + 3);
    expect((failures[before + 2] ?? 0) - (failures[before] ?? 0)).toBeGreaterThanOrEqual(2 * intervalMs);
  } finally {
    isFighting = false;
    await running.stop();
  }
});
