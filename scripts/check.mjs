// Format, lint, types and unit tests side by side, so that they take under a minute; what each says is printed when it ends.
import { spawn } from 'node:child_process';

const CHECKS = [
  ['Format', 'prettier', ['--check', '--cache', '--log-level=warn', '.']],
  ['Lint', 'eslint', ['.', '--max-warnings', '0']],
  ['Types', 'tsc', []],
  ['Unit tests', 'npm', ['run', '--silent', 'test:unit']],
];

const results = await Promise.all(CHECKS.map(run));
process.exitCode = results.every((code) => code === 0) ? 0 : 1;

/** Runs one check; resolves with its exit code. */
function run([title, command, args]) {
  const startedAt = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.on('error', (error) => (output += error.message));
    child.on('close', (code) => {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
      process.stdout.write(`== ${title}: ${code === 0 ? 'passed' : 'failed'} in ${seconds} s\n`);
      if (code !== 0 || title === 'Unit tests') process.stdout.write(output);
      resolve(code ?? 1);
    });
  });
}
