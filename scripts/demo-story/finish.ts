// Last chapter: how to look around, and the end of everything.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { eventually } from '../../test/support/eventually.ts';
import { PROGRAM_USER } from '../../test/support/world.ts';
import { expectThat, SECRET, type Scene } from './scene.ts';
import type { Screen } from './screen.ts';
import { StepFailure, type Steps } from './steps.ts';

/** Prints what to type into another terminal while everything is kept running. */
export function printHowToLook(screen: Screen, { plane, kubectl, controller }: Scene): void {
  const hint = (text: string): string => screen.paint('dim', `   # ${text}`);
  const type = (text: string): void => screen.print(screen.paint('cyan', `   ${text}`));
  screen.print();
  screen.print(screen.paint('bold', ' Everything keeps running. In another terminal:'));
  screen.print();
  type(`export KUBECONFIG=${plane.adminKubeconfig}`);
  if (!isOnPath('kubectl')) type(`alias kubectl=${kubectl}`);
  screen.print(hint('what it wrote'));
  type(`kubectl get secrets -A --field-selector type=kubernetes.io/dockerconfigjson`);
  screen.print(hint('take a reference away, and see it back at once'));
  type(
    `kubectl -n shop patch sa default --type=merge -p '{"imagePullSecrets":null}'; sleep 1; kubectl -n shop get sa default -o yaml`,
  );
  screen.print(hint('make a namespace that is in scope, and see it served'));
  type(`kubectl create namespace team-yours; sleep 1; kubectl -n team-yours get secret ${SECRET}`);
  screen.print();
  screen.print(`   Log of the controller: ${controller.logFile}`);
  screen.print(` ${screen.paint('bold', 'Ctrl-C stops everything.')}`);
  screen.print();
}

/** Stops the program as a cluster would, then everything else, and looks for what was left. */
export async function tellEnd(steps: Steps, { controller, stage, plane }: Scene): Promise<void> {
  await steps.run({ name: 'shutdown', title: 'Everything stops and leaves nothing behind' }, async (tell) => {
    const calls = (await plane.auditEvents()).filter((event) => event.user === PROGRAM_USER);
    const denied = calls.filter((event) => event.code === 403).map((event) => `${event.verb} ${event.requestURI}`);
    expectThat(denied.length === 0, 'the rights of docs/rbac.yaml were enough', `refused: ${denied.join(', ')}`);
    const startedAt = performance.now();
    const { code, signal } = await controller.stop({ graceMs: 20_000 });
    const ms = Math.round(performance.now() - startedAt);
    expectThat(
      code === 0,
      'the controller ends by itself with exit code 0 after SIGTERM',
      signal ?? `exit code ${String(code)}`,
    );
    await stage.stop();
    const isEmpty = (): boolean => stage.leftovers().length === 0;
    await eventually('no process and no folder is left', isEmpty, 10_000).catch((error: unknown) => {
      throw new StepFailure('no process and no folder is left', stage.leftovers().join('\n'), { cause: error });
    });
    tell.say(`the controller made ${calls.length} calls to the API server, none was forbidden`);
    tell.say(`it ended ${ms} ms after SIGTERM with exit code 0; no process and no file is left`);
  });
}

function isOnPath(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, command)));
}
