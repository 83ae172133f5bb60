// From a fresh clone to the demo on any Node ≥ 20: installs the dependencies, bundles the program, hands over to the project's Node.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { environment, node, prepare, root, run } from './prepare.mjs';

const HELP = `Usage: scripts/demo [options]

Starts a real Kubernetes control plane, a real container registry and simulated clouds, all on 127.0.0.1, runs
registry-credential-helper against them, and shows what it does, step by step. Takes about a minute; the first time
longer, as Kubernetes is built from source. Needs Node 20 or newer, npm, Go and openssl; no cluster, no cloud account.
Stops everything at the end, also on Ctrl-C.

  --keep      leave everything running at the end, until Ctrl-C, and say how to look around with kubectl
  --json      print a summary as JSON, as the last line on standard output; the story goes to standard error
  -h, --help  this text

Exit code: 0 = every step held, 1 = one did not, 2 = wrong usage, 130 = interrupted.
Colours only on a terminal, and not with NO_COLOR set.
`;

const args = process.argv.slice(2);
const values = readArguments();
if (values === undefined) process.exitCode = 2;
else if (values.help === true) process.stdout.write(HELP);
else {
  // Run by the project's own Node, as by the tests, there is nothing to install, and node_modules must not be replaced.
  if (!process.execPath.startsWith(join(root, 'node_modules'))) prepare();
  const status = run(node, ['scripts/build.ts']);
  if (status === 0) handOver();
  else process.exitCode = status;
}

function readArguments() {
  const flag = { type: 'boolean' };
  try {
    return parseArgs({ args, options: { keep: flag, json: flag, help: { ...flag, short: 'h' } } }).values;
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${HELP}`);
    return undefined;
  }
}

/** The channel tells the demo when this process is gone, however that came; signals are passed on. */
function handOver() {
  const child = spawn(node, ['scripts/demo.ts', ...args], {
    cwd: root,
    env: environment,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal);
  });
}
