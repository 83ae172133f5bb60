// Names in hosts files that are switched off by an upgrade, by the Helm of either major version: the block goes from every node before the
// DaemonSet does. DaemonSets are kept by their real controller; a stand-in takes the place of kubelet, and runs the program.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { BLOCK_BEGIN } from '../../src/core/hosts-survey.ts';
import { clusterOf, type Cluster } from '../support/cluster.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { createHostsWorld, type HostsWorld } from '../support/hosts-world.ts';
import { startStandInNode, type StandInContainer, type StandInNode } from '../support/stand-in-node.ts';
import type { Values } from './helm.ts';
import { createReleases, HELM_MAJORS, type Release } from './releases.ts';

const BUILD_MS = 900_000;
const NAMESPACE = 'kube-system';
const ITEM = { domain: 'acme.tencentcloudcr.com', ip: '10.20.0.7' };
/** The definition outlives a release, and is another's for the next; and the stand-in for a node has no labels. */
const OFF = { crds: { install: false }, hosts: { nodeSelector: { 'kubernetes.io/os': null } } };
const KEPT = { ...OFF.hosts, items: [ITEM], interval: '1s' };
const ON: Values = { ...OFF, hosts: KEPT };
const UNTOUCHED = '127.0.0.1 localhost\n';

jest.setTimeout(180_000);

let plane: ControlPlane;
let cluster: Cluster;
const nodes: { readonly node: StandInNode; readonly hosts: HostsWorld }[] = [];

/** The command on the files of one node, with those flags of its Pod that mean the same here. */
function launch(hosts: HostsWorld, args: readonly string[]): StandInContainer {
  let isReady = false;
  const meant = args.filter((arg) => arg === '--cleanup-and-stay' || arg.startsWith('--interval='));
  const starting = hosts.start({ args: meant }).then((running) => {
    isReady = true;
    return running;
  });
  return { isReady: () => isReady, stop: () => starting.then((running) => running.stop()).then(() => undefined) };
}

async function addNode(name: string): Promise<void> {
  const hosts = createHostsWorld();
  hosts.edit(JSON.stringify([ITEM]));
  const node = await startStandInNode(plane, { name, launch: ({ args }) => Promise.resolve(launch(hosts, args)) });
  nodes.push({ node, hosts });
}

const texts = (): readonly string[] => nodes.map(({ hosts }) => hosts.text());
const everyNode = (what: string, holds: (text: string) => boolean): Promise<unknown> =>
  eventually(`on every node ${what}`, () => texts().every(holds), 60_000);
const hasBlock = (text: string): boolean => text.includes(BLOCK_BEGIN);
const everyPodReady = (name: string): Promise<unknown> =>
  eventually(
    'every node is done',
    async () => {
      const { status } = (await cluster.get('daemonsets', `${name}-hosts`, NAMESPACE)) as {
        readonly status?: Readonly<Record<string, number>>;
      };
      return status?.updatedNumberScheduled === nodes.length && status.numberReady === nodes.length;
    },
    60_000,
  );
const daemonSet = (name: string): Promise<unknown> => cluster.get('daemonsets', `${name}-hosts`, NAMESPACE);

beforeAll(async () => {
  plane = await startControlPlane({ controllerManager: true });
  cluster = clusterOf(plane);
  await addNode('node-a');
  await addNode('node-b');
}, BUILD_MS);
afterAll(async () => {
  for (const { node, hosts } of nodes) {
    await node.stop();
    await hosts.stop();
  }
  await plane.stop();
});

describe.each(HELM_MAJORS)('by %s', (major) => {
  const name = `registry-credential-helper-${major}`;
  let release: Release;
  beforeAll(async () => {
    release = (await createReleases(plane, major))(name, NAMESPACE);
    await release.install(ON);
    await everyNode('is the block', hasBlock);
  }, BUILD_MS);
  afterAll(() => release.uninstall());

  test.each<[string, Values]>([
    ['emptying the list', OFF],
    ['saying so, with the list still there', { ...OFF, hosts: { ...KEPT, enabled: false } }],
  ])('%s takes the block from every node, and the next upgrade the DaemonSet', async (_, off) => {
    const notes = await release.upgrade(off);
    expect(notes).toContain(`The DaemonSet ${NAMESPACE}/${name}-hosts\nnow takes its lines from every node`);
    await everyNode('is no block', (text) => text === UNTOUCHED);
    await everyPodReady(name);
    expect(await release.upgrade(off)).not.toContain('from every node');
    expect(await daemonSet(name)).toBeUndefined();
    await eventually('its Pods are gone', async () => {
      const pods = await cluster.list('pods', NAMESPACE);
      return pods.every(({ metadata }) => !metadata.name.startsWith(`${name}-hosts`));
    });
    expect(texts()).toEqual([UNTOUCHED, UNTOUCHED]);
    // And on again.
    await release.upgrade(ON);
    await everyNode('is the block', hasBlock);
  });

  test('names that are wanted again before the DaemonSet is gone are kept again', async () => {
    await release.upgrade(OFF);
    await everyNode('is no block', (text) => text === UNTOUCHED);
    await release.upgrade(ON);
    await everyNode('is the block', hasBlock);
  });

  test('a clean-up at the end asks the nodes, too, as long as the DaemonSet is there', async () => {
    await release.upgrade({ ...OFF, onUninstall: 'cleanup' });
    expect(await release.hooks()).toContain(`--end-hosts=${NAMESPACE}/${name}-hosts`);
    await release.upgrade(ON);
  });
});

test('a node that does not answer keeps the DaemonSet, however often the release is upgraded', async () => {
  const name = 'registry-credential-helper';
  const release = (await createReleases(plane, 'helm4'))(name, NAMESPACE);
  await release.install(ON);
  await everyNode('is the block', hasBlock);
  nodes[1]?.node.die();
  await release.upgrade(OFF);
  await eventually('the node that answers is done', () => texts()[0] === UNTOUCHED, 60_000);
  for (let upgrade = 0; upgrade < 2; upgrade += 1) {
    expect(await release.upgrade(OFF)).toContain('now takes its lines from every node');
    expect(await daemonSet(name)).toBeDefined();
  }
  await release.uninstall();
});
