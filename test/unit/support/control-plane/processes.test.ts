import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startProcess } from '../../../support/control-plane/processes.ts';
import { createRunFolder } from '../../../support/control-plane/run-folder.ts';

const MODULES = fileURLToPath(new URL('../../../support/control-plane/', import.meta.url));

let folder = '';
let logFile = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'processes-test-'));
  logFile = path.join(folder, 'log');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('starting a process', () => {
  test('waits until it is ready, and logs both outputs', async () => {
    const script = 'sleep 0.1; echo out; echo err >&2; exec sleep 60';
    const ready = async (): Promise<boolean> => (await readFile(logFile, 'utf8')).includes('err');
    const running = await startProcess({ name: 'sleeper', command: 'sh', args: ['-c', script], logFile, ready });
    expect(await readFile(logFile, 'utf8')).toBe('out\nerr\n');
    expect(await running.stop()).toEqual({ code: null, signal: 'SIGTERM' });
    expect(running.isRunning()).toBe(false);
  });

  test('fails at once, with the end of the log, when the process ends before it is ready', async () => {
    const script = 'for i in $(seq 1 20); do echo line $i; done; exit 3';
    const ready = (): Promise<boolean> => Promise.resolve(false);
    await expect(startProcess({ name: 'broken', command: 'sh', args: ['-c', script], logFile, ready })).rejects.toThrow(
      `broken ended with exit code 3; the end of its log:\n${numbers(6, 20)}`,
    );
  });

  test('fails and stops the process when it does not get ready in time', async () => {
    const ready = (): Promise<boolean> => Promise.reject(new Error('refused'));
    const spec = { name: 'slow', command: 'sleep', args: ['60'], logFile, ready, readyTimeoutMs: 100 };
    await expect(startProcess(spec)).rejects.toThrow('slow was not ready after 0.1 s; the end of its log:\n(empty)');
  });

  test('fails when there is no such program', async () => {
    const ready = (): Promise<boolean> => Promise.resolve(false);
    await expect(startProcess({ name: 'absent', command: '/no/such', logFile, ready })).rejects.toThrow(
      'absent ended with exit code 127',
    );
  });
});

describe('stopping a process', () => {
  test('kills one that does not listen', async () => {
    const script = "trap '' TERM; echo up; while :; do sleep 0.1; done";
    const ready = async (): Promise<boolean> => (await readFile(logFile, 'utf8')).includes('up');
    const running = await startProcess({ name: 'deaf', command: 'sh', args: ['-c', script], logFile, ready });
    expect(await running.stop({ graceMs: 100 })).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('works on a paused one, and twice', async () => {
    const running = await startProcess({ name: 'sleeper', command: 'sleep', args: ['60'], logFile });
    running.pause();
    expect(await running.stop()).toEqual(await running.stop());
  });

  test('takes the children of the process with it', async () => {
    const script = 'sleep 60 & echo $!; exec sleep 60';
    const ready = async (): Promise<boolean> => (await readFile(logFile, 'utf8')).includes('\n');
    const running = await startProcess({ name: 'parent', command: 'sh', args: ['-c', script], logFile, ready });
    const child = Number(await readFile(logFile, 'utf8'));
    await running.stop();
    await expectGone(child);
  });
});

describe('the end of this process', () => {
  test.each(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'by %s takes children and folder with it',
    async (signal) => {
      const { parent, pid, run } = await startParent('await new Promise((r) => setTimeout(r, 60_000));');
      parent.kill(signal);
      await expectGone(pid);
      await expectNoFolder(run);
    },
  );

  test.each([
    ['a return', ''],
    ['process.exit', 'process.exit(0);'],
    ['an exception', 'process.stderr.destroy(); throw new Error("boom");'],
  ])('by %s takes children and folder with it', async (_, end) => {
    const { pid, run } = await startParent(end);
    await expectGone(pid);
    await expectNoFolder(run);
  });
});

test('a child that does not listen is gone too when this process is killed', async () => {
  const { parent, pid, run } = await startParent(
    'await new Promise((r) => setTimeout(r, 60_000));',
    "trap '' TERM; while :; do sleep 0.1; done",
  );
  await delay(200); // until the trap is set
  parent.kill('SIGKILL');
  await expectGone(pid);
  await expectNoFolder(run);
}, 15_000);

test('a run folder is gone after remove', async () => {
  const run = await createRunFolder('processes-test', folder);
  await run.remove();
  await run.remove();
  await expect(access(run.path)).rejects.toMatchObject({ code: 'ENOENT' });
});

/** A process of its own that starts a child in a run folder, tells both, and then does as `end` says. */
async function startParent(
  end: string,
  child = 'exec sleep 60',
): Promise<{ parent: ReturnType<typeof spawn>; pid: number; run: string }> {
  const script = `
    import { startProcess } from '${MODULES}processes.ts';
    import { createRunFolder } from '${MODULES}run-folder.ts';
    const run = await createRunFolder('processes-test');
    const child = await startProcess({ name: 'child', command: 'sh', args: ['-c', ${JSON.stringify(child)}],
      logFile: run.path + '/log' });
    console.log(JSON.stringify({ pid: child.pid, run: run.path }));
    ${end}`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [told] = (await once(parent.stdout, 'data')) as [Buffer];
  return { parent, ...(JSON.parse(told.toString()) as { pid: number; run: string }) };
}

async function expectGone(pid: number): Promise<void> {
  await eventually(async () => (await stateOf(pid)) === 'gone');
}

async function expectNoFolder(run: string): Promise<void> {
  await eventually(() =>
    access(run).then(
      () => false,
      () => true,
    ),
  );
}

/** A zombie counts as gone: in a container nobody may reap the orphans. */
async function stateOf(pid: number): Promise<'running' | 'gone'> {
  try {
    process.kill(pid, 0);
  } catch {
    return 'gone';
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.includes(') Z ') ? 'gone' : 'running';
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 8_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('Did not come true within 8 s');
    await delay(20);
  }
}

function numbers(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`).join('\n');
}
