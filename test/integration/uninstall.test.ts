// What the hook of `onUninstall: cleanup` runs: the command cleanup beside controllers that still run, with nodes and a cloud that may
// be out of reach. Deployments and DaemonSets are those of the real controllers; a stand-in takes the place of kubelet and scheduler.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { BLOCK_BEGIN } from '../../src/core/hosts-survey.ts';
import { TENCENT_SAMPLE } from '../support/clouds/clouds.ts';
import type { TencentInstance } from '../support/clouds/tencent-state.ts';
import { freePort } from '../support/control-plane/ports.ts';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, registryInfo, secretsEverywhere, settled } from '../support/expectations.ts';
import { createHostsWorld, type HostsWorld } from '../support/hosts-world.ts';
import { applyCrd, resource } from '../support/image-pull-secrets.ts';
import { kubectlOf } from '../support/kubectl.ts';
import { runCommand } from '../support/run-command.ts';
import { startStandInNode, type StandInContainer, type StandInNode } from '../support/stand-in-node.ts';
import { intercepted, VALIDATING_PATH, webhookObject } from '../support/webhook.ts';
import { PROGRAM_USER, startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(180_000);

const { key } = TENCENT_SAMPLE;
const NAMESPACE = 'kube-system';
const DEPLOYMENT = 'registry-credential-helper';
const DAEMON_SET = 'registry-credential-helper-hosts';
const RESOURCE_SECRET = 'tcr.ipsplain';
const API_KEY = 'tcr-api-key';
const NAMESPACES = ['web', 'api'];
const HOUR_MS = 3_600_000;

const instanceOf = (name: string): TencentInstance => {
  const { ownerUin, regionName } = TENCENT_SAMPLE.instance;
  return { registryId: `tcr-${name}`, registryName: `acme-${name}`, regionName, ownerUin };
};
const LONG = instanceOf('long');
const ROBOTS = instanceOf('robots');

let world: World;
let nodes: readonly { readonly node: StandInNode; readonly hosts: HostsWorld }[];
const replicas: Replica[] = [];

/** The rights of the hook, besides those of the controller: as the chart has them. */
async function grantHook(): Promise<void> {
  const group = '/apis/rbac.authorization.k8s.io/v1';
  const metadata = { name: 'cleanup' };
  const rules = [
    { apiGroups: ['apps'], resources: ['deployments/scale'], resourceNames: [DEPLOYMENT], verbs: ['get', 'patch'] },
    { apiGroups: ['apps'], resources: ['daemonsets'], resourceNames: [DAEMON_SET], verbs: ['get', 'patch'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
  ];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name };
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: PROGRAM_USER }];
  for (const [kind, body] of [
    ['roles', { metadata, rules }],
    ['rolebindings', { metadata, roleRef, subjects }],
  ] as const) {
    const path = `${group}/namespaces/${NAMESPACE}/${kind}`;
    expect((await world.plane.request({ method: 'POST', path, body })).status).toBe(201);
  }
}

const workload = (kind: 'Deployment' | 'DaemonSet', name: string, args: readonly string[], more: object) => {
  const labels = { 'app.kubernetes.io/component': kind.toLowerCase() };
  const containers = [{ name: 'program', image: 'registry.example/program', args }];
  const template = { metadata: { labels }, spec: { serviceAccountName: DEPLOYMENT, containers } };
  return { metadata: { name }, spec: { selector: { matchLabels: labels }, template, ...more } };
};
const putDaemonSet = async (): Promise<void> => {
  const body = workload('DaemonSet', DAEMON_SET, ['hosts', '--interval=1s'], {});
  const path = `/apis/apps/v1/namespaces/${NAMESPACE}/daemonsets`;
  expect((await world.plane.request({ method: 'POST', path, body })).status).toBe(201);
};
const endpoints = (): string => {
  const { alibaba, tencent } = world.clouds.endpoints();
  return `--cloud-endpoints=${JSON.stringify({ alibaba, tencent })}`;
};
const HOOK = [
  `--stop-deployment=${NAMESPACE}/${DEPLOYMENT}`,
  `--end-hosts=${NAMESPACE}/${DAEMON_SET}`,
  '--leave-unreachable',
];

/** The controller, in place of a container of its Deployment. */
async function launchController(): Promise<StandInContainer> {
  const port = await freePort();
  const args = [`--webhook-address=127.0.0.1:${port}`, `--webhook-url=https://127.0.0.1:${port}`];
  const replica = await world.startController({ args, awaitReady: false });
  replicas.push(replica);
  return {
    isReady: async () => (await replica.http('/readyz'))?.status === 200,
    stop: () => replica.stop(),
  };
}

/** The command hosts on the files of one node, with the flags of the Pod. */
function launchHosts(hosts: HostsWorld, args: readonly string[]): StandInContainer {
  let isReady = false;
  const starting = hosts.start({ args: args.slice(1) }).then((running) => {
    isReady = true;
    return running;
  });
  return { isReady: () => isReady, stop: () => starting.then((running) => running.stop()).then(() => undefined) };
}

async function startNode(name: string, takesDeployments: boolean) {
  const hosts = createHostsWorld();
  hosts.edit(JSON.stringify([{ domain: 'acme.tencentcloudcr.com', ip: '10.20.0.7' }]));
  const node = await startStandInNode(world.plane, {
    ...{ name, takesDeployments },
    launch: ({ args }) => (args[0] === 'hosts' ? Promise.resolve(launchHosts(hosts, args)) : launchController()),
  });
  return { node, hosts };
}

const liveTokens = (): readonly string[] =>
  [...world.clouds.tencent.state.tokens.values()].flatMap(({ tokenId, deletedAt }) =>
    deletedAt === undefined ? [tokenId] : [],
  );
const robots = () => [...world.clouds.tencent.state.robots.values()];
const podsLeft = async (): Promise<number> => (await world.cluster.list('pods', NAMESPACE)).length;
const scaleTo = (count: number): Promise<unknown> =>
  world.cluster.patch('deployments', DEPLOYMENT, { spec: { replicas: count } }, NAMESPACE);

/** Everything is there that a clean-up has to remove, and what it must not. */
async function installed(): Promise<void> {
  await secretsEverywhere(world, NAMESPACES);
  await secretsEverywhere(world, NAMESPACES, RESOURCE_SECRET);
  await eventually('minted', () => liveTokens().length === 2 && robots().length === 1, 60_000);
  await intercepted(world, 'web');
  for (const { hosts } of nodes) {
    await eventually('the block is there', () => hosts.text().includes(BLOCK_BEGIN), 60_000);
  }
  await settled(world);
}

beforeAll(async () => {
  world = await startWorld({
    furtherRights: [
      ...['get', 'patch'].map((verb) => `${verb} apps/deployments/scale ${DEPLOYMENT} in ${NAMESPACE}`),
      ...['get', 'patch'].map((verb) => `${verb} apps/daemonsets ${DAEMON_SET} in ${NAMESPACE}`),
      `list /pods * in ${NAMESPACE}`,
    ],
    plane: { controllerManager: true },
    clouds: { tencent: { instances: [LONG, ROBOTS] } },
  });
  await applyCrd(await kubectlOf(world.plane));
  await grantHook();
  await world.putAccessKey();
  const stringData = { 'secret-id': key.secretId, 'secret-key': key.secretKey };
  await world.cluster.create('secrets', { metadata: { name: API_KEY }, stringData }, NAMESPACE);
  for (const name of NAMESPACES) {
    await world.cluster.namespace(name);
    await world.cluster.create('secrets', { metadata: { name: 'foreign' }, stringData: { a: 'b' } }, name);
    await world.cluster.serviceAccount(name, 'app', ['foreign']);
  }
  const docker = { server: 'plain.example', username: 'puller', password: 'not-a-real-password' };
  const spec = { namespaces: NAMESPACES.join(','), serviceAccounts: '*', docker };
  await world.cluster.create('imagepullsecrets', resource('plain', spec));
  world.clouds.tencent.state.tokens.set('foreign', {
    ...{ tokenId: 'foreign', registryId: LONG.registryId, description: 'made by hand', enabled: true },
    ...{ createdAt: Date.now(), expiresAt: Date.now() + HOUR_MS },
  });
  const item = ({ registryId, regionName }: TencentInstance, more: object) => ({
    ...{ registryId, regionId: regionName, apiKeySecretRef: { name: API_KEY } },
    ...more,
  });
  await world.configure({
    ...{ 'watch-namespace': NAMESPACES.join(','), 'service-account': '*' },
    'acr-registry-info': registryInfo(world),
    'tcr-registry-info': JSON.stringify([
      item(LONG, { tokenMode: 'longterm' }),
      item(ROBOTS, { tokenMode: 'robot', namespaces: 'team-a' }),
    ]),
    'webhook-configuration': 'enable: true\n',
  });
  nodes = [await startNode('node-a', true), await startNode('node-b', false)];
  await world.cluster.create(
    'deployments',
    workload('Deployment', DEPLOYMENT, ['controller'], { replicas: 2 }),
    NAMESPACE,
  );
  await putDaemonSet();
  await installed();
}, 240_000);
afterAll(async () => {
  for (const { node, hosts } of nodes) {
    await node.stop();
    await hosts.stop();
  }
  await world.stop();
});

describe('cleanup beside controllers that run', () => {
  test('says in a dry run what it would stop, and stops nothing', async () => {
    const { code, output } = await runCommand(world, 'cleanup', [...HOOK, endpoints(), '--dry-run']);
    expect(output).toContain(`would stop Deployment ${NAMESPACE}/${DEPLOYMENT}, which is to have 2 Pods`);
    expect(output).toContain(`would have the Pods of DaemonSet ${NAMESPACE}/${DAEMON_SET} remove the hosts block`);
    expect(code).toBe(0);
    expect(await podsLeft()).toBe(4);
    for (const { hosts } of nodes) expect(hosts.text()).toContain(BLOCK_BEGIN);
  });

  /** Pods of the controller that do not end, as when their node is dead; gives what lets them go. */
  const stuckPods = async (): Promise<{ readonly names: readonly string[]; readonly release: () => Promise<void> }> => {
    const names = (await world.cluster.list('pods', NAMESPACE))
      .map(({ metadata }) => metadata.name)
      .filter((name) => name.startsWith(`${DEPLOYMENT}-`) && !name.startsWith(DAEMON_SET));
    const setFinalizers = async (finalizers: readonly string[] | null): Promise<void> => {
      for (const name of names) await world.cluster.patch('pods', name, { metadata: { finalizers } }, NAMESPACE);
    };
    await setFinalizers(['example.com/stuck']);
    return { names, release: () => setFinalizers(null) };
  };
  const setWebhook = (text: string): Promise<unknown> =>
    world.cluster.patch('configmaps', 'acr-configuration', { data: { 'webhook-configuration': text } }, NAMESPACE);
  const replicasWanted = async (): Promise<unknown> =>
    ((await world.cluster.get('deployments', DEPLOYMENT, NAMESPACE)) as { spec?: { replicas?: number } }).spec
      ?.replicas;

  test('gives up in time, names the Pods that do not end, and leaves an installation that works as before', async () => {
    const { names, release } = await stuckPods();
    await setWebhook('enable: true\nfailure-policy: Fail\n');
    await eventually('the webhook must answer', async () =>
      JSON.stringify(await webhookObject(world)).includes('"failurePolicy":"Fail"'),
    );
    const running = runCommand(world, 'cleanup', [...HOOK, endpoints(), '--deadline=30s']);
    // Nobody answers it any more: whoever makes a ServiceAccount must not have to wait for the Pods, nor for the deadline.
    await eventually('the webhook is gone', async () => (await webhookObject(world)) === undefined, 30_000);
    await world.cluster.serviceAccount('web', 'made-meanwhile', []);
    const { code, output } = await running;
    expect(code).toBe(1);
    expect(output).toContain('cleanup: Pods of the controller are still there:');
    for (const name of names) expect(output).toContain(name);
    expect(output).toContain(`set Deployment ${NAMESPACE}/${DEPLOYMENT} back to 2 Pods`);
    expect(await replicasWanted()).toBe(2);
    // Nothing was removed that somebody might write again.
    expect(await world.cluster.get('secrets', ACR_SECRET, 'web')).toBeDefined();
    for (const { hosts } of nodes) expect(hosts.text()).toContain(BLOCK_BEGIN);
    // New Pods take the place of the stuck ones, and do what the old ones did.
    await intercepted(world, 'web');
    await eventually('what was made meanwhile is served', async () =>
      (await world.cluster.references('web', 'made-meanwhile')).includes(ACR_SECRET),
    );
    await release();
    await eventually('only the new Pods are left', async () => (await podsLeft()) === 4, 60_000);
    await setWebhook('enable: true\n');
    await installed();
  });

  test('sets back controller and hosts block when something may not be removed, and says what', async () => {
    const role = '/apis/rbac.authorization.k8s.io/v1/clusterroles/registry-credential-helper';
    const { rules } = (await world.plane.request({ path: role })).body as {
      rules: readonly { resources: readonly string[]; verbs: readonly string[] }[];
    };
    const setRules = async (changed: typeof rules): Promise<void> => {
      const contentType = 'application/merge-patch+json';
      const { status } = await world.plane.request({
        method: 'PATCH',
        path: role,
        body: { rules: changed },
        contentType,
      });
      expect(status).toBe(200);
    };
    await setRules(
      rules.map((rule) =>
        rule.resources.includes('secrets') ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== 'delete') } : rule,
      ),
    );
    const { code, output } = await runCommand(world, 'cleanup', [...HOOK, endpoints(), '--deadline=1m']);
    await setRules(rules);
    expect(code).toBe(1);
    expect(output).toContain('Could not be removed');
    expect(output).toContain(`set DaemonSet ${NAMESPACE}/${DAEMON_SET} back`);
    expect(await replicasWanted()).toBe(2);
    await eventually('all run again', async () => (await podsLeft()) === 4, 60_000);
    await installed();
  });

  test('sets everything back when it is asked to end early', async () => {
    const { names, release } = await stuckPods();
    const running = runCommand(world, 'cleanup', [...HOOK, endpoints()], {}, async (end) => {
      await eventually('it waits', async () => (await replicasWanted()) === 0, 30_000);
      end();
    });
    expect((await running).code).toBe(1);
    expect(await replicasWanted()).toBe(2);
    expect(names).toHaveLength(2);
    await release();
    await eventually('both run again', async () => (await podsLeft()) === 4, 60_000);
    await installed();
  });
});

describe('[tcr M5] cleanup while a cloud is unreachable', () => {
  test('ends with 0 and names each token that is left, in an Event, too; what is in the cluster is gone', async () => {
    await world.clouds.tencent.tcr.down();
    const { code, output } = await runCommand(world, 'cleanup', [...HOOK, endpoints(), '--deadline=100s']);
    await world.clouds.tencent.tcr.up();
    expect(code).toBe(0);
    const token = liveTokens().find((id) => id !== 'foreign') ?? '';
    const robot = robots()[0]?.name ?? '';
    const left = output.split('\n').filter((line) => line.startsWith('cleanup: left at the cloud: what tcr/'));
    expect(left).toHaveLength(2);
    for (const [id, { registryId }] of [[token, LONG] as const, [robot, ROBOTS] as const]) {
      expect(left.some((line) => line.includes(id) && line.includes(registryId))).toBe(true);
      const events = await world.cluster.list('events', NAMESPACE);
      const messages = events.filter(({ reason }) => reason === 'LeftBehind').map(({ message }) => String(message));
      expect(messages.join()).toContain(id);
    }
    expect(await world.cluster.get('secrets', ACR_SECRET, 'web')).toBeUndefined();
    for (const { hosts } of nodes) expect(hosts.text()).not.toContain('registry-credential-helper');
  });

  test('ends within its deadline with 0 when the cloud only keeps silent, and a later run removes the rest', async () => {
    const { tcr } = world.clouds.tencent;
    tcr.faults.add({ fault: { kind: 'slow', delayMs: 60_000 } });
    const since = Date.now();
    const { code, output } = await runCommand(world, 'cleanup', [...HOOK, endpoints(), '--deadline=12s']);
    expect(Date.now() - since).toBeLessThan(20_000);
    tcr.faults.clear();
    expect(code).toBe(0);
    expect(output.match(/^cleanup: left at the cloud: .*there was no more time$/gm)).toHaveLength(2);
    // By hand, and without a flag that forgives.
    const again = await runCommand(world, 'cleanup', [endpoints()]);
    expect(again.output).toContain('(master copy)');
    expect(again.code).toBe(0);
    expect(liveTokens()).toEqual(['foreign']);
    expect(robots()).toEqual([]);
  });
});

describe('[tcr M4] cleanup of a whole installation that runs', () => {
  beforeAll(async () => {
    // As the next release would have it.
    const path = `/apis/apps/v1/namespaces/${NAMESPACE}/daemonsets/${DAEMON_SET}`;
    expect((await world.plane.request({ method: 'DELETE', path })).status).toBe(200);
    await eventually('its Pods are gone', async () => (await podsLeft()) === 0, 60_000);
    await putDaemonSet();
    await scaleTo(2);
    await installed();
  }, 120_000);

  test('notices that somebody starts the controllers again meanwhile, and removes what they wrote, too', async () => {
    const { tcr } = world.clouds.tencent;
    tcr.faults.add({ fault: { kind: 'slow', delayMs: 20_000 } });
    const isThere = async (): Promise<boolean> => (await world.cluster.get('secrets', ACR_SECRET, 'web')) !== undefined;
    const flags = [HOOK[0] ?? '', endpoints()];
    const { code, output } = await runCommand(world, 'cleanup', flags, {}, async () => {
      await eventually('it is past the Secrets', async () => !(await isThere()), 60_000);
      await scaleTo(2);
      await eventually('they write again', isThere, 60_000);
      tcr.faults.clear();
    });
    expect(output).toContain('the controller ran again meanwhile: what it wrote is removed, too');
    expect(code).toBe(0);
    expect(await isThere()).toBe(false);
    expect(await world.cluster.references('web', 'app')).toEqual(['foreign']);
    await scaleTo(2);
    await installed();
  });

  test('stops the controllers, and removes Secrets, references, webhooks, hosts blocks, tokens and robots, and nothing foreign', async () => {
    const { code, output } = await runCommand(world, 'cleanup', [...HOOK, endpoints(), '--deadline=2m']);
    expect(output).toContain(`stopped Deployment ${NAMESPACE}/${DEPLOYMENT}, which is to have 2 Pods`);
    expect(output).toContain('the hosts block is gone from every node');
    expect(code).toBe(0);

    for (const name of NAMESPACES) {
      const secrets = (await world.cluster.list('secrets', name)).map(({ metadata }) => metadata.name);
      expect(secrets).toEqual(['foreign']);
      expect(await world.cluster.references(name, 'app')).toEqual(['foreign']);
      expect(await world.cluster.references(name, 'default')).toEqual([]);
    }
    expect(await webhookObject(world)).toBeUndefined();
    expect(await webhookObject(world, VALIDATING_PATH)).toBeUndefined();
    for (const { hosts } of nodes) expect(hosts.text()).toBe('127.0.0.1 localhost\n');
    expect(liveTokens()).toEqual(['foreign']);
    expect(robots()).toEqual([]);
    // What a person wrote stays.
    expect(await world.cluster.get('imagepullsecrets', 'plain')).toBeDefined();
    expect(await world.cluster.get('secrets', API_KEY, NAMESPACE)).toBeDefined();
    expect(await world.cluster.get('configmaps', 'acr-configuration', NAMESPACE)).toBeDefined();
    const kept = (await world.cluster.list('secrets', NAMESPACE)).map(({ metadata }) => metadata.name);
    expect(kept.filter((name) => name.startsWith('registry-credential-helper-'))).toEqual([]);
  });

  test('has the Pods of nodes stay without the block until they are ended, and end well', async () => {
    for (const { hosts } of nodes) hosts.edit(JSON.stringify([{ domain: 'new.example', ip: '10.20.0.8' }]));
    await settled(world);
    const path = `/apis/apps/v1/namespaces/${NAMESPACE}/daemonsets/${DAEMON_SET}`;
    expect((await world.plane.request({ method: 'DELETE', path })).status).toBe(200);
    await eventually('its Pods are gone', async () => (await podsLeft()) === 0, 60_000);
    for (const { hosts } of nodes) expect(hosts.text()).toBe('127.0.0.1 localhost\n');
  });
});

test('a node that does not answer is named, and holds up the end no longer than the deadline', async () => {
  for (const { hosts } of nodes) hosts.edit(JSON.stringify([{ domain: 'acme.example', ip: '10.20.0.7' }]));
  await putDaemonSet();
  for (const { hosts } of nodes)
    await eventually('the block is there', () => hosts.text().includes(BLOCK_BEGIN), 60_000);
  nodes[1]?.node.die();
  const { code, output } = await runCommand(world, 'cleanup', [...HOOK, endpoints(), '--deadline=20s']);
  expect(output).toContain('the hosts block may still be on the node node-b: it was not done in time');
  expect(output).not.toContain('node-a');
  expect(code).toBe(0);
  expect(nodes[0]?.hosts.text()).toBe('127.0.0.1 localhost\n');
  const strict = await runCommand(world, 'cleanup', [HOOK[1] ?? '', endpoints(), '--deadline=10s']);
  expect(strict.code).toBe(1);
});
