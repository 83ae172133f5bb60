// The way to the API server breaks in every manner, and the API server itself stops, freezes and forgets: nothing is missed.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, registryInfo, secretsEverywhere, settled } from '../support/expectations.ts';
import { markCalls, programCalls } from '../support/program-calls.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(90_000);

/** The program gives up a watch after 150 s of silence. */
const SILENCE_MS = 220_000;
const HALF_OPEN_SECRET = 'half-open-credentials';
const HALF_OPEN_CONFIG = 'half-open-configuration';
const BINDING = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';

let world: World;
let proxy: TcpProxy;
let replica: Replica;
let forgotten: TcpProxy;

beforeAll(async () => {
  world = await startWorld({ furtherInstallations: [{ instance: 'half-open', configMap: HALF_OPEN_CONFIG }] });
  await world.putAccessKey();
  const stringData = { username: 'puller', password: 'not-a-real-password' };
  await world.cluster.create('secrets', { metadata: { name: 'static-login' }, stringData }, 'kube-system');
  await world.configure({ 'watch-namespace': 'team-*', 'acr-registry-info': registryInfo(world) });
  proxy = await startTcpProxy(world.plane);
  replica = await world.startController({ args: [`--kubeconfig=${proxy.kubeconfig}`] });
  await startForgotten();
}, 120_000);
afterAll(async () => {
  await Promise.all([proxy.stop(), forgotten.stop()]);
  await world.stop();
});

/** A second installation whose connections are forgotten at once: that takes until the last test to be noticed. */
async function startForgotten(): Promise<void> {
  const metadata = { name: HALF_OPEN_CONFIG };
  const data = {
    'watch-namespace': 'half-open-*',
    'secret-name': HALF_OPEN_SECRET,
    'registry-info': '- provider: static\n  domains: static.example\n  secretRef: {name: static-login}\n',
  };
  await world.cluster.create('configmaps', { metadata, data }, 'kube-system');
  await tenant('half-open-before');
  forgotten = await startTcpProxy(world.plane);
  const place = [`--config-map=kube-system/${metadata.name}`, '--instance=half-open', '--leader-elect=false'];
  await world.startController({ args: [`--kubeconfig=${forgotten.kubeconfig}`, ...place] });
  await secretsEverywhere(world, ['half-open-before'], HALF_OPEN_SECRET);
  forgotten.forget();
  await tenant('half-open-missed');
}

async function tenant(name: string): Promise<void> {
  await world.cluster.namespace(name);
  await world.cluster.serviceAccount(name, 'default', ['foreign']);
}

/** What the log says of the leader election. */
const ELECTION: Readonly<Record<string, string>> = { acquired: 'Acquired the Lease', lost: 'Lost the Lease' };

const leads = (type: string, mark: number): Promise<unknown> =>
  eventually(`the leader election says: ${type}`, async () =>
    (await replica.lines()).slice(mark).find((line) => line.message === ELECTION[type]),
  );

test('connections that are cut again and again while there is work to do lose nothing', async () => {
  const names = Array.from({ length: 60 }, (_, index) => `team-cut-${index}`);
  for (const [index, name] of names.entries()) {
    await tenant(name);
    if (index % 5 === 0) proxy.cut();
  }
  await secretsEverywhere(world, names);
  await settled(world);
  for (const name of names) expect(await world.cluster.references(name, 'default')).toEqual(['foreign', ACR_SECRET]);
});

test('what happened while the API server could not be reached is made up for', async () => {
  await Promise.all(['team-before', 'team-edited', 'team-gone'].map(tenant));
  await secretsEverywhere(world, ['team-before', 'team-edited', 'team-gone']);
  await settled(world);
  await proxy.refuse();
  await world.cluster.remove('secrets', ACR_SECRET, 'team-before');
  await world.cluster.patch('serviceaccounts', 'default', { imagePullSecrets: [{ name: 'other' }] }, 'team-edited');
  await world.cluster.serviceAccount('team-edited', 'late');
  await world.cluster.remove('serviceaccounts', 'default', 'team-gone');
  await tenant('team-while-away');
  await world.configure({
    'watch-namespace': 'team-*',
    'service-account': 'default, late',
    'acr-registry-info': registryInfo(world),
  });
  await proxy.accept();
  await secretsEverywhere(world, ['team-before', 'team-edited', 'team-while-away']);
  await settled(world);
  expect(await world.cluster.references('team-edited', 'default')).toEqual(['other', ACR_SECRET]);
  expect(await world.cluster.get('serviceaccounts', 'default', 'team-gone')).toBeUndefined();
});

test('a version that the API server no longer knows leads to a full list, which finds what was missed', async () => {
  await tenant('team-expired');
  await secretsEverywhere(world, ['team-expired']);
  await settled(world);
  await proxy.refuse();
  await world.cluster.remove('secrets', ACR_SECRET, 'team-expired');
  await world.cluster.serviceAccount('team-expired', 'late');
  await tenant('team-unseen');
  // It forgets what it had seen, and knows only what is there now.
  await world.plane.restartApiServer();
  const mark = await markCalls(world);
  await proxy.accept();
  await secretsEverywhere(world, ['team-expired', 'team-unseen']);
  const lists = (await programCalls(world, mark)).filter(({ verb }) => verb === 'list');
  expect(lists.map(({ resource }) => resource)).toEqual(expect.arrayContaining(['secrets', 'serviceaccounts']));
});

test('an API server that is restarted in the middle of the work, and refuses everything at first, is served on', async () => {
  const names = Array.from({ length: 60 }, (_, index) => `team-restart-${index}`);
  const { body } = await world.plane.request({ path: `${BINDING}/registry-credential-helper` });
  const { metadata, ...binding } = body as { metadata: { name: string } };
  await Promise.all(names.map(tenant));
  // As an API server does while it has not read its roles yet.
  await world.plane.request({ method: 'DELETE', path: `${BINDING}/${metadata.name}` });
  await world.plane.restartApiServer({ signal: 'SIGKILL' });
  const mark = (await replica.lines()).length;
  await eventually('it is refused', async () =>
    (await replica.lines()).slice(mark).some((line) => JSON.stringify(line).includes('"Forbidden"')),
  );
  const again = { ...binding, metadata: { name: metadata.name } };
  await world.plane.request({ method: 'POST', path: BINDING, body: again });
  await tenant('team-restarted');
  await secretsEverywhere(world, [...names, 'team-restarted']);
});

test('an API server that freezes costs the Lease, and gets it back with the work that waited', async () => {
  await settled(world);
  const mark = (await replica.lines()).length;
  world.plane.pauseApiServer();
  try {
    await leads('lost', mark);
  } finally {
    world.plane.resumeApiServer();
  }
  await tenant('team-thawed');
  await leads('acquired', mark);
  await secretsEverywhere(world, ['team-thawed']);
});

test(
  'a watch whose connection died silently is noticed, and what it missed is made up for',
  async () => {
    await eventually(
      'the namespace that nobody told of is served',
      async () => (await world.cluster.auths('half-open-missed', HALF_OPEN_SECRET)) !== undefined,
      SILENCE_MS,
    );
    await secretsEverywhere(world, ['half-open-missed'], HALF_OPEN_SECRET);
  },
  SILENCE_MS + 60_000,
);
