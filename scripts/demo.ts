// The demo's own process: tells the story, stops everything on every way out, sums up. Started by `scripts/demo`.
import { parseArgs } from 'node:util';
import { tailOf } from '../test/support/control-plane/processes.ts';
import { printHowToLook, tellEnd } from './demo-story/finish.ts';
import { tellPreparation } from './demo-story/prepare.ts';
import { tellOutage, tellRenewal } from './demo-story/renew.ts';
import { buildScreen } from './demo-story/screen.ts';
import { tellNewcomers, tellScopeEdit, tellService, tellStart } from './demo-story/serve.ts';
import { createStage } from './demo-story/stage.ts';
import { createSteps } from './demo-story/steps.ts';

const { values } = parseArgs({ options: { keep: { type: 'boolean' }, json: { type: 'boolean' } } });
const screen = buildScreen(values.json === true ? process.stderr : process.stdout);
const stage = createStage();
const steps = createSteps(screen);

const stopAsked = new Promise<'interrupted'>((resolve) => {
  const stop = (): void => resolve('interrupted');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  process.on('disconnect', stop); // whoever started us is gone
  // Our reader is gone: the story has no listener, but what runs must still be stopped.
  for (const output of [process.stdout, process.stderr]) output.on('error', stop);
});

screen.print();
screen.print(` ${screen.paint('bold', 'registry-credential-helper')}, step by step`);
screen.print(` ${screen.paint('dim', 'A real control plane, a real registry, a simulated cloud; all on 127.0.0.1.')}`);
screen.print();

let isKept = false;
const ending = await Promise.race([
  tellStory().then(
    () => 'told' as const,
    () => 'failed' as const,
  ),
  // Once everything is kept running, a signal is the wish to end in good order, not an interruption.
  stopAsked.then((how) => (isKept ? new Promise<never>(() => undefined) : how)),
]);

if (ending === 'interrupted') {
  steps.halt();
  screen.print(' Interrupted: stopping everything …');
}
if (ending === 'failed') printLog();
await stage.stop();
const ok = ending === 'told';
const ms = steps.results.reduce((sum, step) => sum + step.ms, 0);
const passed = steps.results.filter((step) => step.ok).length;
const failed = steps.results.length - passed;
sumUp();
if (values.json === true) {
  const totals = { steps: steps.results.length, passed, failed, ms };
  await write(`${JSON.stringify({ ok, steps: steps.results, totals })}\n`);
}
process.exit(ok ? 0 : ending === 'failed' ? 1 : 130);

async function tellStory(): Promise<void> {
  const { setting, pushed } = await tellPreparation(steps, stage);
  const scene = await tellStart(steps, setting);
  await tellService(steps, scene, pushed);
  await tellNewcomers(steps, scene);
  await tellScopeEdit(steps, scene);
  await tellRenewal(steps, scene);
  await tellOutage(steps, scene);
  if (values.keep === true) {
    printHowToLook(screen, scene);
    isKept = true;
    await stopAsked;
  }
  await tellEnd(steps, scene);
}

function sumUp(): void {
  screen.print();
  const held = ending === 'interrupted' ? `Interrupted after ${passed} steps, which held` : `${passed} steps held`;
  const text = failed === 0 ? held : `${failed} of ${passed + failed} steps did not hold`;
  const mark = ok ? screen.paint('green', '✔') : screen.paint('red', '✘');
  screen.printTimed(` ${mark} ${screen.paint('bold', text)}`, ms);
  screen.print();
}

/** The end of the program's log, read before its folder goes. */
function printLog(): void {
  const log = stage.logFile === undefined ? '' : tailOf(stage.logFile);
  if (log === '') return;
  screen.print();
  screen.print(`   ${screen.paint('bold', 'The last lines of the controller’s log:')}`);
  for (const line of log.split('\n')) screen.print(`   ${screen.paint('dim', line)}`);
}

/** Resolves when it has left this process, or cannot. */
function write(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}
