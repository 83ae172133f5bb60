// The moment in which the webhook is switched on, with `Fail`: whoever is sent where nobody listens yet would be refused.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { authoritySecretName, stateSecretName } from '../../src/core/names.ts';
import { eventually } from '../support/eventually.ts';
import { secretsEverywhere } from '../support/expectations.ts';
import { linesSaying, metric } from '../support/signs.ts';
import {
  admit,
  intercepted,
  servedLeaf,
  startServing,
  startSwitchboard,
  webhookObject,
  withWebhook,
  type Switchboard,
} from '../support/webhook.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

const OFF = '';
const FAIL = 'enable: true\nfailure-policy: Fail\n';
const SECRET = authoritySecretName('default');

jest.setTimeout(180_000);

type ServingReplica = Replica & { readonly port: number };

let world: World;
let switchboard: Switchboard;
let leader: ServingReplica;
let follower: ServingReplica;
let third: ServingReplica;
const loads: { stop(): Promise<unknown> }[] = [];

beforeAll(async () => {
  world = await startWorld();
  switchboard = await startSwitchboard();
  await world.putAccessKey();
  await world.cluster.namespace('team-a');
  await configure(OFF);
  leader = await start();
  await eventually('it leads', () => leads(leader), 60_000);
  follower = await start();
  await secretsEverywhere(world, ['team-a']);
}, 120_000);
afterEach(() => Promise.all(loads.splice(0).map((one) => one.stop())));
afterAll(async () => {
  await world.stop();
  await switchboard.stop();
});

const configure = (webhook: string): Promise<void> => world.configure(withWebhook(world, webhook));
const replicas: ServingReplica[] = [];
const start = async (): Promise<ServingReplica> => {
  const replica = await startServing(world, { url: switchboard.url });
  replicas.push(replica);
  return replica;
};
const killAll = () => Promise.all(replicas.splice(0).map(({ process }) => process.stop({ signal: 'SIGKILL' })));
const leads = async (replica: Replica) => (await metric(replica, 'registry_credential_helper_leading')) === 1;
const secret = () => world.cluster.get('secrets', SECRET, 'kube-system');
const isThere = async () => (await webhookObject(world)) !== undefined;

/** Creates ServiceAccounts without a pause until stopped; gives those that were refused. */
function load(prefix: string) {
  const stop = new AbortController();
  let admitted = 0;
  const refused: string[] = [];
  const running = (async () => {
    for (let index = 0; !stop.signal.aborted; index += 1) {
      const { status, message } = await admit(world, { namespace: 'team-a', name: `${prefix}-${index}` });
      if (status === 201) admitted += 1;
      else refused.push(`${prefix}-${index}: ${status} ${message}`);
      await pause(5);
    }
  })();
  const traffic = {
    get admitted() {
      return admitted;
    },
    stop: async (): Promise<readonly string[]> => {
      stop.abort();
      await running;
      return refused;
    },
  };
  loads.push(traffic);
  return traffic;
}

/** The webhook answers `traffic`, which is then ended; gives those that were refused since it began. */
async function refusedOf(traffic: ReturnType<typeof load>): Promise<readonly string[]> {
  await intercepted(world, 'team-a');
  const before = traffic.admitted;
  await eventually('the load goes on', () => traffic.admitted > before + 50);
  return traffic.stop();
}

test('[acr W1] [acr W2] switched on with Fail while the API server goes to a follower: not one ServiceAccount is refused', async () => {
  await switchboard.route(follower.port);
  const traffic = load('first');
  await configure(FAIL);
  // Every replica opened its port as soon as there was an authority, for ImagePullSecrets, and is ready.
  await eventually('both listen', () => Promise.all([leader, follower].map(({ port }) => servedLeaf(port))));
  const meanwhile = await Promise.all([leader, follower].map((replica) => replica.http('/readyz?verbose')));
  const isEarly = await isThere();
  await eventually('the webhook object is there', isThere);
  expect(await refusedOf(traffic)).toEqual([]);
  expect(isEarly).toBe(false);
  for (const answer of meanwhile) expect(answer?.text).toContain('[+]webhook ok');
  for (const replica of [leader, follower]) expect((await replica.http('/readyz'))?.status).toBe(200);
});

test('[acr W1] [acr W2] switched on again with the authority from before: a replica that is new listens when it is ready', async () => {
  await configure(OFF);
  await eventually('the webhook object is gone', async () => !(await isThere()));
  await follower.process.stop({ signal: 'SIGKILL' });
  follower = await start();
  await switchboard.route(follower.port);
  expect(await servedLeaf(follower.port)).toMatch(/^[0-9A-F:]+$/);
  const traffic = load('again');
  await configure(FAIL);
  const isEarly = await isThere();
  await eventually('the webhook object is there', isThere);
  expect(await refusedOf(traffic)).toEqual([]);
  expect(isEarly).toBe(false);
});

test('[acr W1] [acr W2] the leader dies while it holds the webhook object back: the next one makes it, and nobody is refused', async () => {
  third = await start();
  await configure(OFF);
  await eventually('the webhook object is gone', async () => !(await isThere()));
  await world.cluster.remove('secrets', SECRET, 'kube-system');
  await switchboard.route(third.port);
  const traffic = load('leaderless');
  await configure(FAIL);
  await eventually('the authority is there', secret);
  await leader.process.stop({ signal: 'SIGKILL' });
  const isEarly = await isThere();
  await eventually('the webhook object is there', isThere, 60_000);
  expect(await refusedOf(traffic)).toEqual([]);
  expect(isEarly).toBe(false);
  const of = { kind: 'MutatingWebhookConfiguration' };
  const written = await Promise.all([follower, third].map((replica) => linesSaying(replica, 'Wrote the webhook', of)));
  expect(written.flat()).toMatchObject([{ how: 'created' }]);
});

test('[acr W1] [acr W2] switched on after a leader change, with a new authority: nobody is refused either', async () => {
  const other = (await leads(follower)) ? third : follower;
  await configure(OFF);
  await eventually('the webhook object is gone', async () => !(await isThere()));
  await world.cluster.remove('secrets', SECRET, 'kube-system');
  await other.process.stop({ signal: 'SIGKILL' });
  const fresh = await start();
  await switchboard.route(fresh.port);
  const traffic = load('next');
  await configure(FAIL);
  await eventually('the webhook object is there', isThere);
  expect(await refusedOf(traffic)).toEqual([]);
});

test('[acr W2] a replica that starts while an edit is bad serves when it is ready, since there is a webhook object', async () => {
  await configure('enable: maybe\n');
  const late = await start();
  await switchboard.route(late.port);
  expect(await metric(late, 'registry_credential_helper_config_valid')).toBe(0);
  expect(await admit(world, { namespace: 'team-a', name: 'late' })).toMatchObject({ status: 201 });
});

test('[acr W2] a replica that starts switched off serves until a leader has removed the webhook object', async () => {
  await configure(FAIL);
  await killAll();
  await configure(OFF);
  await switchboard.route((await start()).port);
  // The Lease of whoever was killed has not run out.
  expect(await isThere()).toBe(true);
  const traffic = load('off');
  await eventually('the webhook object is gone', async () => !(await isThere()), 60_000);
  expect(await traffic.stop()).toEqual([]);
  expect(traffic.admitted).toBeGreaterThan(0);
});

test('[acr W1] [acr W2] the first configuration, with an authority from an earlier installation: nobody is refused', async () => {
  await killAll();
  await world.cluster.remove('configmaps', 'acr-configuration', 'kube-system');
  await world.cluster.remove('secrets', stateSecretName('default'), 'kube-system');
  expect(await secret()).toBeDefined();
  await start();
  await start();
  const [one] = await eventually('one leads', async () => {
    const leading = await Promise.all(replicas.map(leads));
    return leading.includes(true) && replicas.filter((_, at) => leading[at] !== true);
  });
  await switchboard.route(one?.port ?? 0);
  const traffic = load('earlier');
  await configure(FAIL);
  await eventually('the webhook object is there', isThere);
  expect(await refusedOf(traffic)).toEqual([]);
});
