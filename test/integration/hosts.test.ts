// The command `hosts` as a process, on real files and mounts, beside other writers of the same file.
import { spawn, type ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { text as textOfStream } from 'node:stream/consumers';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { BLOCK_BEGIN as BEGIN, BLOCK_END as END } from '../../src/core/hosts-survey.ts';
import { eventually } from '../support/eventually.ts';
import { appendedLine, lockedLine } from '../support/hosts-lines.ts';
import { createHostsWorld, type HostsMount, type HostsWorld, type RunningHosts } from '../support/hosts-world.ts';

jest.setTimeout(300_000);

const worlds: HostsWorld[] = [];
const writers: ChildProcess[] = [];
afterEach(async () => {
  for (const writer of writers.splice(0)) writer.kill('SIGKILL');
  for (const world of worlds.splice(0)) await world.stop();
});

function newWorld(text?: string): HostsWorld {
  const world = createHostsWorld(text);
  worlds.push(world);
  return world;
}

const MOUNTS: readonly HostsMount[] = ['folder', 'file'];
const LOCAL = '127.0.0.1 localhost\n';
const list = (...items: readonly (readonly [string, string])[]): string =>
  JSON.stringify(items.map(([domain, ip]) => ({ domain, ip })));
const block = (...lines: readonly string[]): string => `${[BEGIN, ...lines, END].join('\n')}\n`;
/** Lines of the block, without padding. */
const blockLines = (text: string): readonly string[] | undefined => {
  const found = new RegExp(`^${BEGIN}\n(.*?)^${END}$`, 'ms').exec(text)?.[1];
  return found?.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
};
const holds = (world: HostsWorld, ...lines: readonly string[]) =>
  eventually(`the block holds ${lines.join(', ')}`, () => blockLines(world.text())?.join('\n') === lines.join('\n'));

/** Starts another writer; `finished` lets it end and says how many rounds it made. */
function startWriter(world: HostsWorld, kind: 'append' | 'rewrite' | 'patch', stop: string) {
  const args = [
    '--disable-warning=ExperimentalWarning',
    'test/support/hosts-writers.ts',
    kind,
    world.file,
    world.lock,
    stop,
  ];
  const writer = spawn(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '' } });
  writers.push(writer);
  const output = Promise.all([textOfStream(writer.stdout), textOfStream(writer.stderr)]);
  return {
    async finished(): Promise<number> {
      const [printed, errors] = await output;
      if (errors !== '') throw new Error(errors);
      return Number(printed);
    },
  };
}

/** Changes the list a thousand times, each as soon as the one before is in the file, some with more and some with fewer lines. */
async function changeBlock(world: HostsWorld): Promise<readonly string[]> {
  let lines: readonly string[] = [];
  for (let round = 1; round <= 1_000; round += 1) {
    const names = Array.from({ length: 1 + ((round * 7) % 5) }, (_, index) => `n${index}-${round}.example`);
    world.edit(list(...names.map((name) => [name, '10.20.0.7'] as const)));
    lines = names.map((name) => `10.20.0.7 ${name}`);
    await eventually(`round ${round}`, () => blockLines(world.text())?.join('\n') === lines.join('\n'));
  }
  return lines;
}

const countOf = (text: string, line: string): number => text.split('\n').filter((one) => one === line).length;

describe.each(MOUNTS)('[tcr H6] with the hosts file seen in a mounted %s', (mount) => {
  const how = mount === 'file' ? 'in-place' : 'replaced';

  test('a thousand changes lose no byte of an appender without a lock and of a locked writer, a thousand rounds each', async () => {
    const world = newWorld(`${LOCAL}${lockedLine(0)}\n# caf\xe9 \xff\n`);
    world.edit(list(['first.example', '10.20.0.7']));
    const running = await world.start({ mount });
    await holds(world, '10.20.0.7 first.example');

    const stop = `${world.folder}/stop`;
    const [appender, patcher] = [startWriter(world, 'append', stop), startWriter(world, 'patch', stop)];
    const lines = await changeBlock(world);
    writeFileSync(stop, '');
    const [appended, patched] = [await appender.finished(), await patcher.finished()];
    expect(Math.min(appended, patched)).toBeGreaterThanOrEqual(1_000);

    const last = Buffer.from(appendedLine(appended)).toString('latin1');
    await eventually('the last line of the appender is in the file', () => countOf(world.text(), last) === 1);
    expect((await running.stop()).code).toBe(0);
    const text = world.text();
    const written = Array.from({ length: appended }, (_, index) =>
      Buffer.from(appendedLine(index + 1)).toString('latin1'),
    );
    const foreign = text.split('\n').filter((line) => line.includes('appended-'));
    expect([...foreign].sort()).toEqual([...written].sort());
    expect(countOf(text, lockedLine(patched))).toBe(1);
    expect(text.split('\n').filter((line) => line.includes('locked-'))).toHaveLength(1);
    expect(text.startsWith(LOCAL)).toBe(true);
    expect(countOf(text, '# caf\xe9 \xff')).toBe(1);
    expect(blockLines(text)).toEqual(lines);
    expect(new Set(running.log().flatMap((line) => line.how ?? []))).toEqual(new Set([how]));
    expect(running.log().filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('a thousand changes lose nothing of a locked writer that writes the whole file, a thousand rounds', async () => {
    const world = newWorld(`${LOCAL}${lockedLine(0)}\n10.0.0.1 nas`);
    world.edit(list(['first.example', '10.20.0.7']));
    const running = await world.start({ mount });
    await holds(world, '10.20.0.7 first.example');

    const stop = `${world.folder}/stop`;
    const writer = startWriter(world, 'rewrite', stop);
    const lines = await changeBlock(world);
    writeFileSync(stop, '');
    const rounds = await writer.finished();
    expect(rounds).toBeGreaterThanOrEqual(1_000);
    await holds(world, ...lines);
    expect((await running.stop()).code).toBe(0);
    const outside = world.text().replace(new RegExp(`^${BEGIN}\n.*?^${END}\n`, 'ms'), '');
    expect(outside).toBe(`${LOCAL}${lockedLine(rounds)}\n10.0.0.1 nas`);
    expect(running.log().filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('after each careless rewrite of the whole file the block is back within one cycle, beside what was written', async () => {
    const world = newWorld();
    world.edit(list(['a.example', '10.20.0.7']));
    const running = await world.start({ mount, args: ['--interval=4s'] });
    await holds(world, '10.20.0.7 a.example');
    for (let round = 0; round < 8; round += 1) {
      const text = `${LOCAL}10.0.0.${round} nas\n`;
      writeFileSync(world.file, text);
      // One cycle, and what a busy machine needs to run a process and to look. Where somebody is held up for long between emptying
      // the file and writing it, what is written comes behind the block.
      const ours = block('10.20.0.7 a.example');
      await eventually(
        'the block is back',
        () => {
          expect(world.text()).toContain(ours);
          expect(world.text().replace(ours, '')).toBe(text);
          return true;
        },
        6_000,
      );
    }
    const told = () => running.log().filter(({ message }) => String(message).includes('keeps being undone'));
    // The line comes after the write that it is about.
    await eventually('it is told', () => told().length > 0);
    expect(told()).toHaveLength(1);
  });

  test('[tcr H8] a restart keeps the block and writes nothing; --cleanup and --cleanup-on-exit remove it', async () => {
    const world = newWorld();
    world.edit(list(['a.example', '10.20.0.7']));
    const first = await world.start({ mount });
    await holds(world, '10.20.0.7 a.example');
    expect((await first.stop()).code).toBe(0);
    const written = world.text();
    expect(written).toBe(`${LOCAL}${block('10.20.0.7 a.example')}`);

    utimesSync(world.file, 1, 1);
    const { ino } = statSync(world.file);
    const second = await world.start({ mount });
    await eventually('the list was read', () =>
      second.log().some(({ message }) => message === 'Read the list of hosts'),
    );
    expect((await second.stop()).code).toBe(0);
    expect(statSync(world.file)).toMatchObject({ ino, mtimeMs: 1_000 });

    const blank = mount === 'file' ? /^127.0.0.1 localhost\n *\n$/ : /^127.0.0.1 localhost\n$/;
    expect(await world.run(['--cleanup'], mount)).toMatchObject({ code: 0 });
    expect(world.text()).toMatch(blank);
    const third = await world.start({ mount, args: ['--cleanup-on-exit'] });
    await holds(world, '10.20.0.7 a.example');
    expect((await third.stop()).code).toBe(0);
    expect(world.text()).not.toContain('registry-credential-helper');
    expect(world.text().startsWith(LOCAL)).toBe(true);
  });

  test('[tcr H8] --cleanup-and-stay removes it, is ready only then, writes nothing more, and ends well', async () => {
    const world = newWorld();
    world.edit(list(['a.example', '10.20.0.7']));
    const first = await world.start({ mount });
    await holds(world, '10.20.0.7 a.example');
    await first.stop();
    const written = world.text();

    // Another writer holds the lock: it is not ready, and tries again.
    writeFileSync(world.lock, '');
    const starting = world.start({ mount, args: ['--cleanup-and-stay', '--interval=1s'] });
    const told = () => readFileSync(`${world.folder}/log-2`, 'utf8');
    await eventually('it is told why it waits', () => told().includes('LockBusy'));
    expect(world.text()).toBe(written);
    rmSync(world.lock);
    const ending = await starting;
    expect(world.text()).not.toContain('registry-credential-helper');
    expect(world.text().startsWith(LOCAL)).toBe(true);

    world.edit(list(['b.example', '10.20.0.8']));
    appendFileSync(world.file, '10.0.0.1 nas\n');
    expect(await (await fetch(`http://${ending.address}/readyz?verbose`)).text()).toContain('[+]block-removed ok');
    // No list is wanted any more: an alert about it would be false.
    expect(await metricsOf(ending)).not.toContain('hosts_list');
    expect(await metricsOf(ending)).toContain('\nregistry_credential_helper_hosts_file_kept 1\n');
    expect((await ending.stop()).code).toBe(0);
    expect(world.text()).toContain('10.0.0.1 nas\n');
    expect(world.text()).not.toContain('b.example');
  });
});

test('--cleanup-and-stay has nothing to do where there is no hosts file, and is well', async () => {
  const world = newWorld();
  rmSync(world.file);
  const ending = await world.start({ args: ['--cleanup-and-stay'] });
  expect(await metricsOf(ending)).toContain('\nregistry_credential_helper_hosts_file_kept 1\n');
  expect((await ending.stop()).code).toBe(0);
});

const metricsOf = async ({ address }: RunningHosts): Promise<string> =>
  (await fetch(`http://${address}/metrics`)).text();

describe('a file that was replaced', () => {
  test('takes over what somebody appends who had the old one open, and who rewrites it', async () => {
    const world = newWorld();
    world.edit(list(['a.example', '10.20.0.7']));
    await world.start();
    await holds(world, '10.20.0.7 a.example');
    const [appender, rewriter] = [openSync(world.file, 'a'), openSync(world.file, 'r+')];
    world.edit(list(['b.example', '10.20.0.7']));
    await holds(world, '10.20.0.7 b.example');
    writeSync(appender, '10.0.0.1 late\n');
    await eventually('the late line is there', () => countOf(world.text(), '10.0.0.1 late') === 1);
    expect(world.text()).toBe(`${LOCAL}${block('10.20.0.7 b.example')}10.0.0.1 late\n`);

    appendFileSync(world.file, '10.0.0.2 between\n');
    ftruncateSync(rewriter);
    writeSync(rewriter, '127.0.0.1 me\n10.0.0.1 late\n', 0);
    await eventually('the rewritten text is there', () => world.text().includes('127.0.0.1 me\n'));
    await eventually('with the block and what was appended', () => {
      const lines = world
        .text()
        .split('\n')
        .filter((line) => line !== '');
      const expected = [
        '127.0.0.1 me',
        '10.0.0.1 late',
        '10.0.0.2 between',
        ...block('10.20.0.7 b.example').trim().split('\n'),
      ];
      return [...lines].sort().join('\n') === [...expected].sort().join('\n');
    });
    for (const fd of [appender, rewriter]) closeSync(fd);
  });

  test('keeps its mode, and no file is left beside it', async () => {
    const world = newWorld();
    world.edit(list(['a.example', '10.20.0.7']));
    const { mode } = statSync(world.file);
    const running = await world.start();
    await holds(world, '10.20.0.7 a.example');
    await running.stop();
    expect(statSync(world.file).mode).toBe(mode);
    expect((await world.run(['--dry-run'])).output).toBe('');
    expect(() => statSync(world.lock)).toThrow('ENOENT');
  });
});

test('a writer that fights over the block makes no hot loop', async () => {
  const world = newWorld();
  world.edit(list(['a.example', '10.20.0.7']));
  const running = await world.start({ args: ['--interval=1s'] });
  await holds(world, '10.20.0.7 a.example');
  const end = Date.now() + 4_000;
  await eventually('the fight is over', () => {
    if (world.text() !== LOCAL) writeFileSync(world.file, LOCAL);
    return Date.now() > end;
  });
  const writes = running.log().filter(({ message }) => message === 'Wrote the hosts file').length;
  expect(writes).toBeGreaterThan(2);
  expect(writes).toBeLessThan(14);
});

test('--cleanup that finds lines which may be ours leaves and names them, and ends with 1', async () => {
  const damaged = `${LOCAL}${BEGIN}\n10.20.0.7 a.example\n10.20.0.8 b.example\n10.0.0.1 nas nas2\n${END}\n`;
  const world = newWorld(damaged);
  world.edit(list(['a.example', '10.20.0.7']));
  const { code, output } = await world.run(['--cleanup']);
  expect(code).toBe(1);
  expect(output).toMatch(/10\.20\.0\.8 b\.example.*may be ours/);
  expect(world.text()).toBe(`${LOCAL}10.20.0.8 b.example\n10.0.0.1 nas nas2\n`);

  writeFileSync(world.file, damaged);
  world.edit(list(['a.example', '10.20.0.7'], ['b.example', '10.20.0.8']));
  expect((await world.run(['--cleanup'])).code).toBe(0);
  expect(world.text()).toBe(`${LOCAL}10.0.0.1 nas nas2\n`);
});

describe('the list', () => {
  test('[tcr H2] applies without a restart when an item is switched, changed or removed', async () => {
    const world = newWorld();
    world.edit('- {domain: a.example, ip: 10.20.0.7}\n- {domain: b.example, ip: 10.20.0.8, disabled: true}\n');
    await world.start();
    await holds(world, '10.20.0.7 a.example');
    world.edit('- {domain: a.example, ip: 10.20.0.7, disabled: true}\n- {domain: b.example, ip: 10.20.0.8}\n');
    await holds(world, '10.20.0.8 b.example');
    world.edit('- {domain: b.example, ip: "fd00::8"}\n');
    await holds(world, 'fd00::8 b.example');
    world.edit('- {domain: b.example, ip: "fd00::8", disabled: true}\n');
    await eventually('the block is gone', () => world.text() === LOCAL);
  });

  test('[tcr H4] keeps the last good block when it is no list or is gone, says so, and removes it when it is empty', async () => {
    const world = newWorld();
    world.edit(list(['a.example', '10.20.0.7']));
    const first = await world.start();
    await holds(world, '10.20.0.7 a.example');
    const good = world.text();
    const verbose = async (address: string) => (await fetch(`http://${address}/readyz?verbose`)).text();
    for (const [bad, why] of [
      ['domain: a.example', 'must be a YAML list'],
      ['- {domain: a.example', 'hosts.yaml'],
      [undefined, 'does not exist'],
    ] as const) {
      world.edit(bad);
      await eventually(`${why} is said`, async () => (await verbose(first.address)).includes(why));
      writeFileSync(world.file, LOCAL);
      await eventually('the last good block is put back', () => world.text() === good);
    }
    await first.stop();
    const second = await world.start();
    expect(await verbose(second.address)).toMatch(/list failed: .*does not exist/);
    expect(world.text()).toBe(good);
    world.edit('[]');
    await eventually('the block is gone', () => world.text() === LOCAL);
  });

  test('[tcr H3] with wrong items applies the good ones and names the others in log and metrics', async () => {
    const world = newWorld(`${LOCAL}10.9.9.9 good.example\n`);
    world.edit(
      '- {domain: good.example, ip: 10.20.0.7}\n- domain: bad.example\n- {domain: "*.x", ip: 10.0.0.1}\n- 7\n',
    );
    const running = await world.start();
    await holds(world, '10.20.0.7 good.example');
    const issues = running.log().filter(({ message }) => message === 'Configuration has an issue');
    expect(issues.map(({ path }) => path)).toEqual(['hosts.yaml[1].ip', 'hosts.yaml[2].domain', 'hosts.yaml[3]']);
    expect(running.log().filter(({ reason }) => reason === 'Conflict')).toMatchObject([
      { domain: 'good.example', ip: '10.9.9.9', line: 2 },
    ]);
    const metrics = await (await fetch(`http://${running.address}/metrics`)).text();
    for (const [name, value] of [
      ['list_valid', 1],
      ['list_issues', 3],
      ['items', 1],
      ['conflicts', 1],
      ['block_present', 1],
      ['file_kept', 1],
      ['writes_total{how="replaced",reason="ListChanged"}', 1],
    ] as const) {
      expect(metrics).toContain(`registry_credential_helper_hosts_${name} ${value}\n`);
    }
  });

  test('is shown as a diff by --dry-run, which writes nothing', async () => {
    const world = newWorld();
    world.edit('- {domain: a.example, ip: 10.20.0.7}\n- domain: bad.example\n');
    const { code, output } = await world.run(['--dry-run']);
    expect(code).toBe(0);
    expect(output).toContain(` 127.0.0.1 localhost\n+${BEGIN}\n+10.20.0.7 a.example\n+${END}\n`);
    expect(output).toContain('hosts.yaml[1].ip (line 2): is missing');
    expect(world.text()).toBe(LOCAL);
    writeFileSync(world.file, `${LOCAL}${block('10.20.0.7 a.example')}`);
    const removal = await world.run(['--dry-run', '--cleanup']);
    expect(removal.output).toContain(` 127.0.0.1 localhost\n-${BEGIN}\n-10.20.0.7 a.example\n-${END}\n`);
    expect(world.text()).toBe(`${LOCAL}${block('10.20.0.7 a.example')}`);
  });
});

describe('a hosts file that cannot be kept', () => {
  const failure = (reason: string) => ({ level: 'error', error: expect.objectContaining({ reason }) });

  test('[tcr H9] because it is missing is reported once; the process stays, is ready, and goes on when the file is back', async () => {
    const world = newWorld();
    world.edit(list(['a.example', '10.20.0.7']));
    renameSync(world.file, `${world.file}.away`);
    const running = await world.start({ args: ['--interval=1s'] });
    await eventually('it is said', () => running.log().some(({ level }) => level === 'error'));
    expect(running.log().filter(({ level }) => level === 'error')).toEqual([
      expect.objectContaining(failure('FileMissing')),
    ]);
    expect(await (await fetch(`http://${running.address}/readyz?verbose`)).text()).toContain(
      'hosts-file failed: FileMissing',
    );
    renameSync(`${world.file}.away`, world.file);
    await holds(world, '10.20.0.7 a.example');
    expect(running.process.isRunning()).toBe(true);
  });

  test.each<[string, HostsMount, string]>([
    ['its folder is mounted read-only', 'folder', 'LockUnavailable'],
    ['it is mounted read-only', 'file', 'FileReadOnly'],
  ])('[tcr H9] because %s is reported; the process stays and is ready', async (_, mount, reason) => {
    const world = newWorld();
    world.edit(list(['a.example', '10.20.0.7']));
    const running = await world.start({ mount, mountOptions: 'remount,bind,ro', args: ['--interval=1s'] });
    await eventually('it is said', () => running.log().some(({ level }) => level === 'error'));
    expect(running.log().filter(({ level }) => level === 'error')).toEqual([expect.objectContaining(failure(reason))]);
    expect((await fetch(`http://${running.address}/readyz`)).status).toBe(200);
    expect(world.text()).toBe(LOCAL);
    expect((await running.stop()).code).toBe(0);
  });

  test('because the node replaced a file that is mounted alone is reported', async () => {
    const world = newWorld();
    world.edit(list(['a.example', '10.20.0.7']));
    const running = await world.start({ mount: 'file', args: ['--interval=1s'] });
    await holds(world, '10.20.0.7 a.example');
    writeFileSync(`${world.file}.new`, LOCAL);
    renameSync(`${world.file}.new`, world.file);
    await eventually('it is said', () =>
      running.log().some(({ error }) => (error as { reason?: string } | undefined)?.reason === 'FileStale'),
    );
    expect(running.process.isRunning()).toBe(true);
  });

  test('while another writer holds the lock waits, and takes the lock of one that died away after five minutes', async () => {
    const world = newWorld();
    world.edit(list(['a.example', '10.20.0.7']));
    writeFileSync(world.lock, '');
    const running = await world.start({ args: ['--interval=1s'] }).catch(() => undefined);
    expect(world.text()).toBe(LOCAL);
    const old = Date.now() / 1_000 - 301;
    utimesSync(world.lock, old, old);
    await holds(world, '10.20.0.7 a.example');
    expect(running?.process.isRunning()).toBe(true);
    rmSync(world.lock, { force: true });
  });
});
