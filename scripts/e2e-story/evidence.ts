// What to read when a step did not hold: events, and the ends of the logs, before their folder goes.
import path from 'node:path';
import { tailOf } from '../../test/support/control-plane/processes.ts';
import type { Screen } from '../demo-story/screen.ts';
import { findPodLogs, POD_LOGS, type NodeWorld } from './world.ts';

/** Prints it; `world` is absent when the story broke before it was there. */
export async function printEvidence(screen: Screen, folder: string, world: NodeWorld | undefined): Promise<void> {
  const show = (title: string, text: string): void => {
    if (text.trim() === '') return;
    screen.print();
    screen.print(`   ${screen.paint('bold', title)}`);
    for (const line of text.trimEnd().split('\n')) screen.print(`   ${screen.paint('dim', line)}`);
  };
  if (world !== undefined) {
    const pods = await world.kubectl(['get', 'pods', '--all-namespaces', '--output=wide']);
    show('Pods', pods.stdout);
    const events = await world.kubectl(['get', 'events', '--all-namespaces', '--sort-by=.lastTimestamp']);
    show('Events', events.stdout.split('\n').slice(-40).join('\n'));
  }
  for (const file of findPodLogs('*')) {
    show(path.relative(POD_LOGS, file), tailOf(file, 30));
  }
  for (const name of ['kubelet', 'kube-proxy', 'containerd']) {
    show(`${name}.log`, tailOf(path.join(folder, `${name}.log`), 20));
  }
}
