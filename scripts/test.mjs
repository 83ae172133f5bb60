// Runs every check of the project from a fresh clone and ends with one line that counts them: `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environment, node, prepare, root, run } from './prepare.mjs';

if (process.argv.length > 2) {
  const asked = ['--help', '-h'].includes(process.argv[2]);
  (asked ? process.stdout : process.stderr).write(
    'Usage: scripts/test\n\nRuns every check of the project: format, lint, types, unit tests, bundle, integration tests, and scripts/e2e where the\nmachine can run a node. Builds the test tools from Go modules first where they are not cached. Ends with one line: N passed, N failed. To run less: npm run check.\n',
  );
  process.exit(asked ? 0 : 2);
}

prepare();
const results = mkdtempSync(join(tmpdir(), 'registry-credential-helper-test-'));
let passed = 0;
let failed = 0;
const passedTitles = [];
const otherTitles = [];

step('Format', 'prettier', ['--check', '--log-level=warn', '.']);
step('Lint', 'eslint', ['.', '--max-warnings', '0']);
step('Types', 'tsc', []);
tests('Unit tests', 'unit', ['--coverage', '--maxWorkers=100%', '--testTimeout=60000']);
step('Control plane from Go modules', node, ['test/support/control-plane/build-tools.ts']);
step('Bundle', node, ['scripts/build.ts']);
// Each suite has a control plane of its own and waits for most of its time; how long something takes is no failure.
tests('Integration tests', 'integration', ['--maxWorkers=3', '--testTimeout=120000'], { PROGRAM_FILE: bundle() });
endToEnd();
acceptance();

rmSync(results, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

/** One command that passes or fails as a whole. */
function step(title, command, args) {
  heading(title);
  if (run(command, args) === 0) passed += 1;
  else failed += 1;
}

/** A copy of the bundle, since some tests build it anew: its main file. */
function bundle() {
  cpSync(join(root, 'dist'), join(results, 'bundle'), { recursive: true });
  return join(results, 'bundle', 'main.mjs');
}

/** One jest project; each of its tests counts, and so does a suite that could not run or a missed coverage threshold. */
function tests(title, project, args, variables = {}) {
  heading(title);
  const file = join(results, `${project}.json`);
  const status = run('jest', ['--selectProjects', project, '--json', `--outputFile=${file}`, ...args], {
    env: {
      ...environment,
      ...variables,
      NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const summary = read(file);
  const broken = summary.numFailedTests + summary.numRuntimeErrorTestSuites;
  passed += summary.numPassedTests;
  failed += status !== 0 && broken === 0 ? 1 : broken;
  if (summary.numPassedTests === 0) failed += 1;
  for (const { assertionResults } of summary.testResults)
    for (const { status, fullName } of assertionResults)
      (status === 'passed' ? passedTitles : otherTitles).push(fullName);
}

/** The story on a real node; each of its steps counts. Nothing does where the machine cannot run a node: exit code 77. */
function endToEnd() {
  heading('End to end on a real node');
  const { status, stdout } = spawnSync(node, ['scripts/e2e.ts', '--json'], {
    cwd: root,
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status === 77) return console.log('Left out: this machine cannot run a node; the reason is above');
  const { steps, totals } = readSummary(stdout);
  for (const { ok, title, ms } of steps)
    console.log(`${ok ? 'passed' : 'FAILED'} ${title} (${(ms / 1000).toFixed(1)} s)`);
  passed += totals.passed;
  failed += totals.failed === 0 && status !== 0 ? 1 : totals.failed;
}

function readSummary(output) {
  try {
    return JSON.parse(output.trimEnd().split('\n').at(-1));
  } catch {
    return { steps: [], totals: { passed: 0, failed: 1 } };
  }
}

/** Each line of an acceptance checklist that a page docs/compatibility-<name>.md links to has tests, `[<name> R2]`, and all of them passed. */
function acceptance() {
  heading('Acceptance checklists');
  for (const page of readdirSync(join(root, 'docs')).filter((file) => file.startsWith('compatibility-'))) {
    const name = page.slice('compatibility-'.length, -'.md'.length);
    const ids = [...readFileSync(join(root, 'docs', page), 'utf8').matchAll(/^\[([A-Z]\d+)\]: /gm)].map(([, id]) => id);
    const isIn = (titles, id) => titles.some((title) => title.includes(`[${name} ${id}]`));
    const unshown = ids.filter((id) => !isIn(passedTitles, id) || isIn(otherTitles, id));
    passed += ids.length - unshown.length;
    failed += unshown.length + (ids.length === 0 ? 1 : 0);
    const rest = unshown.length === 0 ? '' : `; not ${unshown.join(', ')}`;
    console.log(
      `docs/${page}: ${ids.length - unshown.length} of ${ids.length} lines shown by tests that passed${rest}`,
    );
  }
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 1, testResults: [] };
  }
}

function heading(title) {
  console.log(`\n== ${title}`);
}
