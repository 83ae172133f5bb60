// Writing a hosts file beside others, at exactly the worst moment: between our look and our write.
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { HostsWish } from '../../../src/core/hosts-file.ts';
import { BLOCK_BEGIN as BEGIN, BLOCK_END as END, ROOM } from '../../../src/core/hosts-survey.ts';
import { KeptFile, type KeptFileOptions } from '../../../src/hosts/kept-file.ts';
import type { HostsUpdate } from '../../../src/hosts/update.ts';
import { eventually } from '../../support/eventually.ts';

const LOCAL = '127.0.0.1 localhost\n';
const BLOCK = `${BEGIN}\n10.20.0.7 a.example\n${END}\n`;
const WISH: HostsWish = { pairs: [{ domain: 'a.example', ip: '10.20.0.7' }], known: new Set(), isFirst: true };
const NOTHING: HostsWish = { ...WISH, pairs: [] };

let folder: string;
let file: string;
const kept: KeptFile[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kept-file-'));
  file = join(folder, 'hosts');
  writeFileSync(file, LOCAL);
});
afterEach(async () => {
  for (const one of kept.splice(0)) await one.close().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
});

function keep(inPlace: boolean, options: Partial<KeptFileOptions> = {}): KeptFile {
  const lockPath = `${file}.lock`;
  const world = { path: file, lockPath, onLateWrite: () => undefined, now: Date.now, random: Math.random };
  const one = new KeptFile({ ...world, inPlace, ...options });
  kept.push(one);
  return one;
}

/** Updates while somebody else does `meanwhile` right after we looked at the file for the last time before we write it. */
function updateWhile(one: KeptFile, meanwhile: () => void, wish = WISH): Promise<HostsUpdate> {
  let looks = 0;
  return one.update(() => {
    looks += 1;
    if (looks === 2) {
      expect(existsSync(`${file}.lock`)).toBe(true);
      meanwhile();
    }
    return wish;
  });
}

/** Root may read every folder: as root, works as somebody who owns the file and may not. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  const nobody = 65_534;
  if (process.geteuid?.() !== 0) return work();
  for (const one of [folder, file]) chownSync(one, nobody, process.getegid?.() ?? 0);
  process.seteuid?.(nobody);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}

const textOf = (): string => readFileSync(file, 'latin1');
const linesOf = (): readonly string[] => textOf().split('\n').sort();

describe.each([
  ['replaced', false],
  ['written in place', true],
] as const)('a file that is %s', (_, inPlace) => {
  test('keeps what somebody appends between our look and our write', async () => {
    await updateWhile(keep(inPlace), () => appendFileSync(file, '10.0.0.1 nas\n'));
    expect(linesOf()).toEqual(`${LOCAL}${BLOCK}10.0.0.1 nas\n`.split('\n').sort());
  });

  test('keeps what somebody appends while the block shrinks and goes', async () => {
    const one = keep(inPlace);
    await one.update(() => WISH);
    await updateWhile(one, () => appendFileSync(file, '10.0.0.1 nas\n'), NOTHING);
    const plain = linesOf().filter((line) => line.trim() !== '' && !line.startsWith(ROOM));
    expect(plain).toEqual(['10.0.0.1 nas', LOCAL.trim()]);
  });

  test('takes what somebody wrote over the whole of it between our look and our write', async () => {
    await updateWhile(keep(inPlace), () => writeFileSync(file, '127.0.0.1 me\n'));
    expect(textOf()).toBe(`127.0.0.1 me\n${BLOCK}`);
  });

  test('keeps every byte of what somebody wrote over a block that is about to change', async () => {
    writeFileSync(file, `${LOCAL}${BLOCK.replace('a.example', 'b.example')}`);
    const theirs = '127.0.0.1 me\n'.repeat(20);
    await updateWhile(keep(inPlace), () => writeFileSync(file, theirs));
    expect(textOf()).toBe(`${theirs}${BLOCK}`);
  });

  test('is untouched, also by a lock, when nothing differs', async () => {
    writeFileSync(file, `${LOCAL}${BLOCK}`);
    const before = statSync(file, { bigint: true });
    const one = keep(inPlace, { lockPath: join(folder, 'missing', 'lock') });
    expect(await one.update(() => WISH)).toMatchObject({ how: undefined, text: `${LOCAL}${BLOCK}` });
    expect(statSync(file, { bigint: true })).toMatchObject({ ino: before.ino, mtimeNs: before.mtimeNs });
  });

  test('gets its block when it is empty', async () => {
    writeFileSync(file, '');
    await keep(inPlace).update(() => WISH);
    expect(textOf()).toBe(BLOCK);
  });

  test('is waited for while somebody has emptied it to rewrite it', async () => {
    writeFileSync(file, '');
    const update = keep(inPlace).update(() => WISH);
    writeFileSync(file, '127.0.0.1 me\n');
    await update;
    expect(textOf()).toBe(`127.0.0.1 me\n${BLOCK}`);
  });

  test('is waited for, without the lock, when somebody has emptied it since the first look', async () => {
    let looks = 0;
    const writes = setTimeout(() => {
      expect(existsSync(`${file}.lock`)).toBe(false);
      writeFileSync(file, '127.0.0.1 me\n');
    }, 60);
    await keep(inPlace).update(() => {
      looks += 1;
      if (looks === 1) writeFileSync(file, '');
      return WISH;
    });
    clearTimeout(writes);
    expect(textOf()).toBe(`127.0.0.1 me\n${BLOCK}`);
  });

  test('loses nothing to somebody who writes it anew in pieces that end within lines', async () => {
    const lines = Array.from({ length: 3_500 }, (_, index) => `0.0.0.0 ad${index}.example\n`).join('');
    const fd = openSync(file, 'w');
    writeSync(fd, lines.slice(0, 16_384));
    const update = keep(inPlace).update(() => WISH);
    for (let at = 16_384; at < lines.length; at += 16_384) {
      await pause(60);
      writeSync(fd, lines.slice(at, at + 16_384));
    }
    closeSync(fd);
    await update;
    expect(textOf()).toBe(`${lines}${BLOCK}`);
  });

  test('is put right after a process that was killed: its room, its new file and its old lock', async () => {
    writeFileSync(file, `${LOCAL}${ROOM} 0123abcd      \n`);
    writeFileSync(join(folder, '.hosts.registry-credential-helper'), 'half');
    writeFileSync(`${file}.lock`, '');
    const old = Date.now() / 1_000 - 301;
    utimesSync(`${file}.lock`, old, old);
    await keep(inPlace).update(() => WISH);
    expect(textOf().replace(/^# *\n/m, '')).toBe(`${LOCAL}${BLOCK}`);
    expect(existsSync(`${file}.lock`)).toBe(false);
    const left = inPlace ? ['.hosts.registry-credential-helper', 'hosts'] : ['hosts'];
    expect(readdirSync(folder).sort()).toEqual(left);
  });

  test('is left alone while another writer holds the lock', async () => {
    writeFileSync(`${file}.lock`, '');
    let clock = Date.now();
    const one = keep(inPlace, { now: () => (clock += 3_000) });
    await expect(one.update(() => WISH)).rejects.toMatchObject({ reason: 'LockBusy' });
    expect(textOf()).toBe(LOCAL);
    expect(existsSync(`${file}.lock`)).toBe(true);
  });

  test('is not waited for any longer when the clock is set back meanwhile', async () => {
    writeFileSync(`${file}.lock`, '');
    let clock = Date.now();
    let looks = 0;
    const now = (): number => {
      looks += 1;
      clock += looks === 2 ? -3_600_000 : 3_000;
      if (looks > 20) rmSync(`${file}.lock`);
      return clock;
    };
    await expect(keep(inPlace, { now }).update(() => WISH)).rejects.toMatchObject({ reason: 'LockBusy' });
  });

  test('is left alone when it never holds still', async () => {
    let looks = 0;
    const update = keep(inPlace).update(() => {
      looks += 1;
      writeFileSync(file, `127.0.0.1 me-${looks}\n`);
      return WISH;
    });
    await expect(update).rejects.toMatchObject({ reason: 'FileUnstable' });
    expect(textOf()).toContain(`127.0.0.1 me-${looks}\n`);
    expect(existsSync(`${file}.lock`)).toBe(false);
  });

  test('is what a symbolic link leads to', async () => {
    renameSync(file, join(folder, 'target'));
    symlinkSync('target', file);
    await keep(inPlace).update(() => WISH);
    expect(readFileSync(join(folder, 'target'), 'latin1')).toBe(`${LOCAL}${BLOCK}`);
  });
});

describe('a file that was replaced', () => {
  test('is followed: lines of who had it open arrive at once when finished, else at the end', async () => {
    const fd = openSync(file, 'a');
    const one = keep(false);
    await one.update(() => WISH);
    writeSync(fd, '10.0.0.1 nas\n10.0.0.2 unfin');
    await one.update(() => WISH);
    expect(textOf()).toBe(`${LOCAL}${BLOCK}10.0.0.1 nas\n`);
    writeSync(fd, 'ished\n10.0.0.3 never');
    await one.update(() => WISH);
    expect(textOf()).toBe(`${LOCAL}${BLOCK}10.0.0.1 nas\n10.0.0.2 unfinished\n`);
    await one.close();
    expect(textOf()).toBe(`${LOCAL}${BLOCK}10.0.0.1 nas\n10.0.0.2 unfinished\n10.0.0.3 never`);
    closeSync(fd);
  });

  test('is looked at once more at the end: a rewrite of it as a whole counts, with the block as last wished', async () => {
    const fd = openSync(file, 'r+');
    const one = keep(false);
    await one.update(() => WISH);
    ftruncateSync(fd);
    writeSync(fd, '127.0.0.1 me\n10.0.0.1 nas\n', 0);
    expect(await one.close()).toMatchObject({ how: 'replaced', lost: 0 });
    expect(textOf()).toBe(`127.0.0.1 me\n10.0.0.1 nas\n${BLOCK}`);
    closeSync(fd);
  });

  test('says at the end what cannot be brought', async () => {
    const fd = openSync(file, 'r+');
    const one = keep(false);
    await one.update(() => WISH);
    writeFileSync(file, `127.0.0.1 newer\n${BLOCK}`);
    writeSync(fd, '127.0.0.2 older', 0);
    expect(await one.close()).toMatchObject({ lost: 1, text: `127.0.0.1 newer\n${BLOCK}` });
    closeSync(fd);
  });

  test('gives its unfinished line when ten minutes are over', async () => {
    const fd = openSync(file, 'a');
    let clock = Date.now();
    const one = keep(false, { now: () => clock });
    await one.update(() => WISH);
    writeSync(fd, '10.0.0.1 nas');
    await one.update(() => WISH);
    expect(textOf()).toBe(`${LOCAL}${BLOCK}`);
    clock += 600_001;
    expect(await one.update(() => WISH)).toMatchObject({ carried: 13 });
    expect(textOf()).toBe(`${LOCAL}${BLOCK}10.0.0.1 nas\n`);
    expect(one.sinceReplaced()).toBeUndefined();
    closeSync(fd);
  });

  test('gives its unfinished line when 64 others come after it', async () => {
    const fd = openSync(file, 'a');
    const one = keep(false);
    await one.update(() => WISH);
    writeSync(fd, '10.0.0.1 nas');
    for (let round = 0; round < 64; round += 1) await one.update(() => (round % 2 === 0 ? NOTHING : WISH));
    expect(linesOf()).toEqual(`${LOCAL}${BLOCK}10.0.0.1 nas\n`.split('\n').sort());
    closeSync(fd);
  });

  test('that is the oldest of 64 and over its time goes, and none of the others with it', async () => {
    let clock = Date.now();
    const one = keep(false, { now: () => clock });
    for (let round = 0; round < 64; round += 1) {
      // Only the oldest is over its time at the end.
      if (round === 1) clock += 1;
      await one.update(() => (round % 2 === 0 ? WISH : NOTHING));
    }
    const fd = openSync(file, 'a');
    clock += 600_000;
    expect(await one.update(() => WISH)).toMatchObject({ how: 'replaced' });
    writeSync(fd, '10.0.0.1 late\n');
    await one.update(() => WISH);
    expect(linesOf()).toEqual(`${LOCAL}${BLOCK}10.0.0.1 late\n`.split('\n').sort());
    closeSync(fd);
  });

  test('that grew too long is said once and let go; the file is kept on, to the end', async () => {
    const fd = openSync(file, 'r+');
    const one = keep(false);
    await one.update(() => WISH);
    writeSync(fd, '0.0.0.0 ad.example\n'.repeat(150_000), 0);
    expect(await one.update(() => WISH)).toMatchObject({ unread: 1 });
    writeSync(fd, 'x');
    const other = { ...WISH, pairs: [{ domain: 'b.example', ip: '10.20.0.8' }] };
    expect(await one.update(() => other)).toMatchObject({ how: 'replaced', unread: 0 });
    expect(await one.close()).toMatchObject({ unread: 0 });
    expect(textOf()).toBe(`${LOCAL}${BEGIN}\n10.20.0.8 b.example\n${END}\n`);
    closeSync(fd);
  });

  test('is followed, too, where its folder may be written but not read', async () => {
    const one = keep(false);
    chmodSync(folder, 0o333);
    const fd = openSync(file, 'a');
    await asNobody(async () => {
      expect(await one.update(() => WISH)).toMatchObject({ how: 'replaced', unsynced: 'EACCES' });
    });
    chmodSync(folder, 0o755);
    writeSync(fd, '10.0.0.1 late\n');
    await one.close();
    expect(textOf()).toBe(`${LOCAL}${BLOCK}10.0.0.1 late\n`);
    closeSync(fd);
  });

  test('is as young as can be when the clock was set back, so that the end waits no longer than ever', async () => {
    let clock = Date.now();
    const one = keep(false, { now: () => clock });
    await one.update(() => WISH);
    clock -= 3_600_000;
    expect(one.sinceReplaced()).toBe(0);
  });

  test('gives lines that become no part of an unfinished one of somebody else', async () => {
    const fds = [openSync(file, 'a'), openSync(file, 'r+')] as const;
    const one = keep(false);
    await one.update(() => WISH);
    appendFileSync(file, '10.0.0.2 unfinished');
    writeSync(fds[0], '10.0.0.1 late\n');
    await one.update(() => WISH);
    expect(textOf()).toBe(`${LOCAL}${BLOCK}10.0.0.2 unfinished\n10.0.0.1 late\n`);
    for (const fd of fds) closeSync(fd);
  });

  test('that is rewritten without an end of its last line leaves alone what was appended since', async () => {
    const fd = openSync(file, 'r+');
    const one = keep(false);
    await one.update(() => WISH);
    appendFileSync(file, '10.0.0.2 nas\n');
    ftruncateSync(fd);
    writeSync(fd, '127.0.0.1 me', 0);
    await one.update(() => WISH);
    expect(linesOf()).toEqual(`127.0.0.1 me\n10.0.0.2 nas\n${BLOCK}`.split('\n').sort());
    closeSync(fd);
  });

  test('gives the rest of a line that was unfinished when it was replaced', async () => {
    writeFileSync(file, '10.0.0.1 unfin');
    const fd = openSync(file, 'a');
    const one = keep(false);
    await one.update(() => WISH);
    writeSync(fd, 'ished\n10.0.0.2 more\n');
    await one.update(() => WISH);
    expect(textOf()).toBe(`${BLOCK}10.0.0.1 unfinished\n10.0.0.2 more\n`);
    closeSync(fd);
  });

  test.each([
    ['an unfinished line', '10.0.0.2 unfinished', '127.0.0.1 me\n', '10.0.0.2 unfinished\n10.0.0.1 late\n'],
    ['the end of a line', '10.0.0.2 nas\n', '127.0.0.1 me', '10.0.0.2 nas\n10.0.0.1 late\n'],
  ])(
    'gives its lines to a file in place that ends with %s, whatever a rewrite ends with',
    async (_what, end, rewrite, now) => {
      const appends = openSync(file, 'a');
      const one = keep(false);
      await one.update(() => WISH);
      const rewrites = openSync(file, 'r+');
      appendFileSync(file, end);
      const other = { ...WISH, pairs: [{ domain: 'b.example', ip: '10.20.0.8' }] };
      expect(await one.update(() => other)).toMatchObject({ how: 'replaced' });
      // Written in place from here on: the rewrite of the file before cannot take its place.
      linkSync(file, `${file}.second`);
      ftruncateSync(rewrites);
      writeSync(rewrites, rewrite, 0);
      writeSync(appends, '10.0.0.1 late\n');
      expect(await one.update(() => other)).toMatchObject({ lost: 1 });
      expect(textOf()).toBe(`${LOCAL}${BEGIN}\n10.20.0.8 b.example\n${END}\n${now}`);
      for (const fd of [appends, rewrites]) closeSync(fd);
    },
  );

  test('brings a rewrite of it at the next attempt when something came in between', async () => {
    const fd = openSync(file, 'r+');
    const one = keep(false);
    await one.update(() => WISH);
    writeSync(fd, '127.0.0.2 older', 0);
    let isDisturbed = false;
    await one.update((text) => {
      // What the file is made from now is the rewritten text; its own place changes at that moment.
      if (text.startsWith('127.0.0.2') && !isDisturbed) {
        isDisturbed = true;
        writeFileSync(`${file}.theirs`, textOf());
        renameSync(`${file}.theirs`, file);
      }
      return WISH;
    });
    expect(isDisturbed).toBe(true);
    expect(textOf()).toBe(`127.0.0.2 olderhost\n${BLOCK}`);
    closeSync(fd);
  });

  test('is waited for while somebody has emptied it to rewrite it: no line comes twice', async () => {
    const one = keep(false);
    const fds = [openSync(file, 'a'), openSync(file, 'r+')] as const;
    await one.update(() => WISH);
    writeSync(fds[0], '10.0.0.1 nas\n');
    await one.update(() => WISH);
    ftruncateSync(fds[1]);
    await one.update(() => WISH);
    expect(textOf()).toBe(`${LOCAL}${BLOCK}10.0.0.1 nas\n`);
    writeSync(fds[1], '127.0.0.1 me\n10.0.0.1 nas\n', 0);
    await one.update(() => WISH);
    expect(textOf()).toBe(`127.0.0.1 me\n10.0.0.1 nas\n${BLOCK}`);
    for (const fd of fds) closeSync(fd);
  });

  test('says so when two rewrites of the whole file cannot both count', async () => {
    const fd = openSync(file, 'r+');
    const one = keep(false);
    await one.update(() => WISH);
    writeFileSync(file, '127.0.0.1 newer\n');
    writeSync(fd, '127.0.0.2 older', 0);
    expect(await one.update(() => WISH)).toMatchObject({ lost: 1, text: `127.0.0.1 newer\n${BLOCK}` });
    closeSync(fd);
  });

  test('by somebody else between our look and our write is not overwritten', async () => {
    await updateWhile(keep(false), () => {
      writeFileSync(`${file}.theirs`, '127.0.0.1 me\n');
      renameSync(`${file}.theirs`, file);
    });
    expect(textOf()).toBe(`127.0.0.1 me\n${BLOCK}`);
  });
});

test('what is remembered of 64 long files that were replaced is short', async () => {
  writeFileSync(file, '0.0.0.0 ad.example\n'.repeat(50_000));
  const used = (): number => {
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const one = keep(false);
  await one.update(() => WISH);
  const before = used();
  for (let round = 0; round < 64; round += 1) await one.update(() => (round % 2 === 0 ? NOTHING : WISH));
  expect((used() - before) / statSync(file).size).toBeLessThan(64);
}, 60_000);

test('a file that nobody touched since it was right needs no look, unless it changed a moment before that', async () => {
  writeFileSync(file, `${LOCAL}${BLOCK}`);
  const one = keep(false);
  expect(one.isAsLeft()).toBe(false);
  await one.update(() => WISH);
  expect(one.isAsLeft()).toBe(false);
  const settled = async (): Promise<boolean> => {
    await one.update(() => WISH);
    return one.isAsLeft();
  };
  for (const touch of [
    () => writeFileSync(file, `${LOCAL}${BLOCK}`.replace('localhost', 'localhosT')),
    () => appendFileSync(file, 'x\n'),
    () => linkSync(file, `${file}.second`),
    () => rmSync(file),
  ]) {
    await eventually('a look finds it old enough', settled);
    const { atime, mtime } = statSync(file);
    touch();
    if (existsSync(file)) utimesSync(file, atime, mtime);
    expect(one.isAsLeft()).toBe(false);
  }
  await expect(one.update(() => WISH)).rejects.toMatchObject({ reason: 'FileMissing' });
  writeFileSync(file, `${LOCAL}${BLOCK}`);
  expect(one.isAsLeft()).toBe(false);
});

test('a lock that is a symbolic link to nothing is taken from who died, beside what another one of the same number left', async () => {
  symlinkSync('/nowhere/lock', `${file}.lock`);
  const old = Date.now() / 1_000 - 301;
  lutimesSync(`${file}.lock`, old, old);
  mkdirSync(`${file}.lock.stale-${process.pid}`);
  await keep(false).update(() => WISH);
  expect(textOf()).toBe(`${LOCAL}${BLOCK}`);
  expect(readdirSync(folder).sort()).toEqual(['hosts', `hosts.lock.stale-${process.pid}`]);
});

test.each([
  ['sparse', 40_000_000_000],
  ['one byte too long', 2 * 1_048_576 + 1],
])('a file that is too long is left alone before it is read: %s', async (_, length) => {
  truncateSync(file, length);
  await expect(keep(false).update(() => WISH)).rejects.toMatchObject({ reason: 'FileTooLong' });
  expect(statSync(file).size).toBe(length);
});

test('a symbolic link that leads nowhere is named with its target', async () => {
  rmSync(file);
  symlinkSync('/nowhere/hosts', file);
  const failure = { reason: 'FileMissing', message: expect.stringContaining('/nowhere/hosts') };
  await expect(keep(false).update(() => WISH)).rejects.toMatchObject(failure);
});

test('a file with a second name is written in place, so that both names stay the same file', async () => {
  linkSync(file, `${file}.second`);
  expect(await keep(false).update(() => WISH)).toMatchObject({ how: 'in-place' });
  expect(readFileSync(`${file}.second`, 'latin1')).toBe(`${LOCAL}${BLOCK}`);
});
