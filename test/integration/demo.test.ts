// The demo is what a stranger sees first: every step of it must hold, and nothing of it may stay behind.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { commandLines } from '../../scripts/demo-story/stage.ts';
import { eventually } from '../support/eventually.ts';

const DEMO_MS = 240_000;
const STEPS = [
  ...['control-plane', 'clouds', 'push', 'teams', 'start', 'served', 'pull', 'refused', 'new-namespace'],
  ...['new-service-account', 'scope', 'new-key', 'rotation', 'old-token', 'outage', 'recovery', 'shutdown'],
];

interface Summary {
  readonly ok: boolean;
  readonly steps: readonly {
    readonly name: string;
    readonly title: string;
    readonly ok: boolean;
    readonly ms: number;
  }[];
  readonly totals: Readonly<Record<'steps' | 'passed' | 'failed' | 'ms', number>>;
}

interface Demo {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly exited: Promise<number | null>;
}

/** Everything that the demo starts has its files here, and so this name in its command line. */
let folder: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-test-'));
});

afterAll(async () => {
  for (const child of started) child.kill('SIGTERM');
  await rm(folder, { recursive: true, force: true });
});

describe('scripts/demo', () => {
  test(
    'shows every step, sums up as JSON in its last line, and leaves no process and no file',
    async () => {
      const demo = startDemo(['--json']);
      expect({ code: await demo.exited, story: demo.stderr() }).toMatchObject({ code: 0 });
      const summary = readSummary(demo);
      expect(summary.steps.map((step) => step.name)).toEqual(STEPS);
      expect(summary.steps.filter((step) => !step.ok || step.ms < 0)).toEqual([]);
      const readme = await readFile('README.md', 'utf8');
      expect(summary.steps.filter((step) => !readme.includes(` ✔ ${step.title} `))).toEqual([]);
      expect(summary.totals).toMatchObject({ steps: STEPS.length, passed: STEPS.length, failed: 0 });
      expect(summary.totals.ms).toBeGreaterThan(0);
      expect(summary.ok).toBe(true);
      expect(demo.stderr()).toContain('✔ A token of 20 s is rotated in place');
      expect(demo.stderr()).not.toContain('\u001B');
      expect(await leftovers()).toEqual([]);
    },
    DEMO_MS,
  );

  test(
    'stops everything when it is interrupted in the middle',
    async () => {
      const demo = startDemo(['--json']);
      await eventually('the controller runs', () => demo.stderr().includes('✔ The configuration is applied'), 120_000);
      demo.child.kill('SIGINT');
      expect(await demo.exited).toBe(130);
      expect(readSummary(demo)).toMatchObject({ ok: false, totals: { failed: 0 } });
      expect(await leftovers()).toEqual([]);
    },
    DEMO_MS,
  );

  test('refuses an option that it does not know, and says which there are', async () => {
    const demo = startDemo(['--kepe']);
    expect(await demo.exited).toBe(2);
    expect(demo.stderr()).toMatch(/--kepe[^]*Usage: scripts\/demo/);
  });
});

function startDemo(args: readonly string[]): Demo {
  // The Node that runs this test goes first: the demo then knows that the dependencies are there.
  const PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`;
  const env = { ...process.env, PATH, TMPDIR: folder, NODE_OPTIONS: '' };
  const child = spawn('scripts/demo', args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exited = once(child, 'close').then(([code]) => code as number | null);
  return { child, stdout: () => stdout, stderr: () => stderr, exited };
}

function readSummary(demo: Demo): Summary {
  return JSON.parse(demo.stdout().trimEnd().split('\n').at(-1) ?? '') as Summary;
}

async function leftovers(): Promise<readonly string[]> {
  return [...commandLines().filter((line) => line.includes(folder)), ...(await readdir(folder))];
}
