// The suites of helm-unittest in test/chart/unittest: short cases in YAML, as those read them who know Helm and not this project.
import { expect, jest, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findTools } from '../support/control-plane/tools.ts';
import { CHART } from './helm.ts';

const SUITES = path.relative(CHART, fileURLToPath(new URL('unittest/*_test.yaml', import.meta.url)));

jest.setTimeout(900_000);

test('the suites of helm-unittest pass', async () => {
  const { 'helm-unittest': unittest } = await findTools(['helm-unittest']);
  const output = await new Promise<string>((resolve) => {
    const args = ['--strict', '--color=false', '--file', SUITES, CHART];
    execFile(unittest, args, { timeout: 120_000 }, (_, stdout, stderr) => resolve(`${stdout}${stderr}`));
  });
  const [, failed, passed] = /Tests:\s+(?:(\d+) failed, )?(\d+) passed/.exec(output) ?? [];
  if (failed !== undefined || passed === undefined || output.includes('FAIL')) throw new Error(output);
  expect(Number(passed)).toBeGreaterThan(15);
});
