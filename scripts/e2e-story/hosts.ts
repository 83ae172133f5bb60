// The hosts file of the node: the block comes, outlives the Pod that writes it, and goes with the release where that was asked for.
import { readFile } from 'node:fs/promises';
import { expectThat } from '../demo-story/scene.ts';
import type { Steps } from '../demo-story/steps.ts';
import { buildValues, readyPods, release, type Values } from './release.ts';
import { mustSucceed, reach, SYSTEM, type NodeWorld } from './world.ts';

const FILE = '/etc/hosts';
const MARK = 'registry-credential-helper';
const ITEM = { domain: 'acme-prod.tencentcloudcr.com', ip: '10.20.0.7' } as const;
const LINE = `${ITEM.ip} ${ITEM.domain}`;

/** Values that switch the DaemonSet on. */
export const HOSTS_VALUES: Values = { hosts: { enabled: true, items: [ITEM] } };

/** Switches the DaemonSet on by an upgrade, and restarts its Pod. The file is the one of this very mount namespace. */
export async function tellHosts(steps: Steps, world: NodeWorld): Promise<void> {
  await steps.run({ name: 'hosts', title: 'The hosts DaemonSet writes the node’s hosts file' }, async (tell) => {
    const before = await readFile(FILE, 'utf8');
    await release(world, 'upgrade', { helm: 'helm4', values: buildValues(world, HOSTS_VALUES) });
    await untilHostsFile((text) => text.includes(LINE), `the line ${LINE}`);
    const written = await readFile(FILE, 'utf8');
    expectThat(written.includes(before), 'every other line stays as it was', written);

    const old = await readyPods(world, 'hosts');
    await mustSucceed('kubectl delete pod', world.kubectl(['delete', 'pod', ...old, '-n', SYSTEM]));
    expectThat((await readFile(FILE, 'utf8')) === written, 'the file stays the same without its Pod', 'it changed');
    await reach({
      expected: 'a new Pod is ready',
      look: () => readyPods(world, 'hosts'),
      holds: (pods) => pods.length === 1 && !old.includes(pods[0] ?? ''),
    });
    expectThat((await readFile(FILE, 'utf8')) === written, 'the new Pod leaves the file as it is', 'it changed');
    tell.say(`${LINE}; a restart of the Pod changes nothing`);
  });
}

/** Waits until nothing of the block is left in the node's hosts file. */
export async function untilHostsClean(): Promise<void> {
  await untilHostsFile((text) => !text.includes(ITEM.domain) && !text.includes(MARK), 'no line and no marker');
}

/** True when the node's hosts file has the line. */
export async function hasHostsLine(): Promise<boolean> {
  return (await readFile(FILE, 'utf8')).includes(LINE);
}

async function untilHostsFile(holds: (text: string) => boolean, what: string): Promise<void> {
  await reach({ expected: `${what} in the node’s ${FILE}`, look: () => readFile(FILE, 'utf8'), holds });
}
