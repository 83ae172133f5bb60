// The end-to-end test: finds out whether this machine can run a node, runs the story in namespaces of their own, and looks for
// what was left behind.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createCgroups, type Cgroups } from '../test/e2e/cgroups.ts';
import { startInNamespaces, type Namespaced } from '../test/e2e/namespaces.ts';
import { createNodeFolder } from '../test/e2e/node-folder.ts';
import { PATH_WITH_SBIN } from '../test/e2e/packages.ts';
import { probeMachine } from '../test/e2e/probe.ts';
import type { RunFolder } from '../test/support/control-plane/run-folder.ts';
import { findTools } from '../test/support/control-plane/tools.ts';
import { eventually } from '../test/support/eventually.ts';
import { buildScreen } from './demo-story/screen.ts';
import { commandLines } from './demo-story/stage.ts';
import { createSteps, StepFailure, type StepResult } from './demo-story/steps.ts';
import { buildProgramImage } from './e2e-story/program-image.ts';

/** Exit code of a machine that cannot run a node. */
const CANNOT_RUN = 77;

const HELP = `Usage: scripts/e2e [options]

Starts a Kubernetes cluster with one real node (kubelet, containerd) and a private registry, in private namespaces of this
machine, installs the chart with Helm, and shows that Pods pull, step by step. Takes about four minutes; the first time longer,
as Kubernetes is built from source. Leaves nothing behind, also on Ctrl-C.

Needs Linux, root, cgroups, and the Debian packages containerd, runc, containernetworking-plugins, busybox-static, iptables,
iproute2 and buildah (or podman, or docker). Where CI is set, those that are missing are installed.

  --probe     only say whether this machine can run a node
  --json      print a summary as JSON, as the last line on standard output; the story goes to standard error
  -h, --help  this text

Exit code: 0 = every step held, 1 = one did not, 2 = wrong usage, ${CANNOT_RUN} = this machine cannot run a node (the reason is on standard
error), 130 = interrupted.
`;

const TOOLS = [
  ...(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet'] as const),
  ...(['kube-proxy', 'kubectl', 'helm3', 'helm4', 'registry'] as const),
] as const;

const values = readArguments();
if (values === undefined) process.exitCode = 2;
else if (values.help === true) process.stdout.write(HELP);
else process.exitCode = await main(values);

function readArguments() {
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({ options: { probe: flag, json: flag, help: { ...flag, short: 'h' } } }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    return undefined;
  }
}

async function main({ probe = false, json = false }: { readonly probe?: boolean; readonly json?: boolean }) {
  process.env.PATH = PATH_WITH_SBIN;
  const tell = (text: string): void => void process.stderr.write(`${text}\n`);
  const obstacle = await probeMachine();
  tell(obstacle === undefined ? 'This machine can run a node.' : `This machine cannot run a node: ${obstacle}.`);
  if (obstacle !== undefined) return CANNOT_RUN;
  return probe ? 0 : runStory(json);
}

/** What runs, and must not outlive this process. */
interface Running {
  folder?: RunFolder;
  cgroups?: Cgroups;
  namespaced?: Namespaced;
}

async function runStory(json: boolean): Promise<number> {
  const screen = buildScreen(json ? process.stderr : process.stdout);
  const steps = createSteps(screen);
  const running: Running = {};
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('interrupted'));
  });
  screen.print();
  screen.print(` ${screen.paint('bold', 'registry-credential-helper')}, on a real node`);
  screen.print();
  const inside: StepResult[] = [];
  const work = async (): Promise<'held' | 'failed'> => {
    await findTools(TOOLS);
    const folder = (running.folder = await createNodeFolder());
    const archive = path.join(folder.path, 'program.tar');
    await steps.run({ name: 'build', title: 'The image of the program is built' }, (teller) =>
      buildProgramImage(archive, teller),
    );
    const code = await tellInside(running, folder, { archive, json, onResult: (result) => inside.push(result) });
    return code === 0 ? 'held' : 'failed';
  };
  const ending = await Promise.race([work().catch(printUnlessStep), interrupted]);
  if (ending === 'interrupted') {
    steps.halt();
    screen.print(' Interrupted: stopping everything …');
  }
  const isClean = await stopAll(running, ending === 'interrupted' ? undefined : steps).catch(printUnlessStep);
  const [built, left] = [steps.results.slice(0, 1), steps.results.slice(1)];
  const results = [...built, ...inside, ...left];
  const failed =
    results.filter(({ ok }) => !ok).length + (ending === 'failed' && results.every(({ ok }) => ok) ? 1 : 0);
  const ms = results.reduce((sum, step) => sum + step.ms, 0);
  const ok = ending === 'held' && isClean === 'held' && failed === 0;
  screen.print();
  screen.printTimed(
    ` ${screen.paint(ok ? 'green' : 'red', ok ? '✔' : '✘')} ${results.length - failed} steps held, ${failed} did not`,
    ms,
  );
  if (json) {
    const totals = { steps: results.length, passed: results.filter((step) => step.ok).length, failed, ms };
    process.stdout.write(`${JSON.stringify({ ok, steps: results, totals })}\n`);
  }
  return ok ? 0 : ending === 'interrupted' ? 130 : 1;

  function printUnlessStep(error: unknown): 'failed' {
    if (!steps.results.some((step) => !step.ok)) screen.print(String(error instanceof Error ? error.stack : error));
    return 'failed';
  }
}

/** Runs the story's part in the namespaces; returns its exit code. */
async function tellInside(
  running: Running,
  folder: RunFolder,
  of: { readonly archive: string; readonly json: boolean; readonly onResult: (result: StepResult) => void },
): Promise<number> {
  const results = path.join(folder.path, 'results.json');
  running.cgroups = await createCgroups(`registry-credential-helper-${randomBytes(4).toString('hex')}`);
  const args = [path.join(folder.path, 'state'), of.archive, results, ...(of.json ? ['--json'] : [])];
  running.namespaced = await startInNamespaces({
    command: [process.execPath, 'scripts/e2e-inside.ts', ...args],
    folder: folder.path,
    cgroups: running.cgroups,
    env: process.env,
  });
  const code = await running.namespaced.ended;
  if (existsSync(results))
    for (const result of JSON.parse(await readFile(results, 'utf8')) as StepResult[]) of.onResult(result);
  return code;
}

/** Ends everything; as a step of the story it also looks for what is left. */
async function stopAll(running: Running, steps: ReturnType<typeof createSteps> | undefined): Promise<'held'> {
  const stop = async (): Promise<void> => {
    running.namespaced?.kill();
    await running.namespaced?.ended;
    await running.cgroups?.remove();
    await running.folder?.remove();
  };
  const { folder, cgroups } = running;
  if (steps === undefined || folder === undefined) await stop();
  else
    await steps.run({ name: 'end', title: 'Nothing is left on this machine' }, async (tell) => {
      await stop();
      const look = (): readonly string[] => leftovers(folder.path, cgroups?.folders ?? []);
      await eventually('nothing is left', () => look().length === 0, 10_000).catch((error: unknown) => {
        throw new StepFailure('no process, mount, cgroup or file is left', look().join('\n'), { cause: error });
      });
      tell.say('no process, no mount, no cgroup, no file');
    });
  return 'held';
}

function leftovers(folder: string, cgroups: readonly string[]): readonly string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return [
    ...[folder, ...cgroups].filter((name) => existsSync(name)),
    ...mounts.filter((line) => line.includes(folder)),
    ...commandLines().filter((line) => line.includes(folder)),
  ];
}
