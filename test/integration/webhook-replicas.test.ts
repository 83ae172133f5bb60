// Several replicas and the certificates between them: a rotation under load, a leader that dies, and a replica whose memory is old.
import { X509Certificate } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { authoritySecretName } from '../../src/core/names.ts';
import { authorityData } from '../../src/webhook/authority.ts';
import { AUTHORITY_LIFE_MS, createAuthority, readBundle } from '../../src/webhook/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, secretsEverywhere, settled } from '../support/expectations.ts';
import { replaceReferences } from '../support/other-writers.ts';
import { linesSaying, metric } from '../support/signs.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
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

// Whoever is not answered is refused: a single failed admission shows.
const FAIL = 'enable: true\nfailure-policy: Fail\n';
const SECRET = authoritySecretName('default');
const REQUESTS = 'registry_credential_helper_webhook_requests_total';

jest.setTimeout(180_000);

let world: World;
let switchboard: Switchboard;
const running: Replica[] = [];
const loads: { stop(): Promise<unknown> }[] = [];

beforeAll(async () => {
  world = await startWorld();
  switchboard = await startSwitchboard();
  await world.putAccessKey();
  await world.cluster.namespace('team-a');
  await world.configure(withWebhook(world, FAIL));
}, 120_000);
afterEach(async () => {
  await Promise.all(loads.splice(0).map((one) => one.stop()));
  await Promise.all(running.splice(0).map((replica) => replica.process.stop({ signal: 'SIGKILL' })));
});
afterAll(async () => {
  await world.stop();
  await switchboard.stop();
});

type ServingReplica = Replica & { readonly port: number };

const start = async (args: readonly string[] = []): Promise<ServingReplica> => {
  const replica = await startServing(world, { url: switchboard.url, args });
  running.push(replica);
  return replica;
};
/** Two of them, the one that leads first. */
const startTwo = async (): Promise<readonly [ServingReplica, ServingReplica]> => {
  const [first, second] = [await start(), await start()];
  const leads = async (replica: Replica) => (await metric(replica, 'registry_credential_helper_leading')) === 1;
  return eventually(
    'one leads',
    async () => {
      if (await leads(first)) return [first, second];
      return (await leads(second)) ? [second, first] : undefined;
    },
    60_000,
  );
};

/** Creates ServiceAccounts without a pause until stopped; gives what was not admitted with its reference. */
function load(prefix: string) {
  let isStopped = false;
  let admitted = 0;
  const failed: string[] = [];
  const work = async (worker: number): Promise<void> => {
    for (let index = 0; !isStopped; index += 1) {
      const name = `${prefix}-${worker}-${index}`;
      const answer = await admit(world, { namespace: 'team-a', name });
      if (answer.status === 201 && answer.references.includes(ACR_SECRET)) admitted += 1;
      else failed.push(`${name}: ${answer.status} ${answer.message}`);
      await pause(5);
    }
  };
  const workers = Promise.all([0, 1, 2, 3].map(work));
  const traffic = {
    get admitted() {
      return admitted;
    },
    stop: async (): Promise<readonly string[]> => {
      isStopped = true;
      await workers;
      return failed;
    },
  };
  loads.push(traffic);
  return traffic;
}

const bundle = async (): Promise<readonly X509Certificate[]> => {
  const pem = (await webhookObject(world))?.webhooks[0]?.clientConfig.caBundle ?? '';
  return readBundle(Buffer.from(pem, 'base64').toString('utf8'));
};

test('the certificate authority is renewed under load, and not one admission fails', async () => {
  // Two thirds of its life are over when two replicas have surely started.
  const old = await createAuthority(
    'registry-credential-helper old',
    Date.now() - (AUTHORITY_LIFE_MS * 2) / 3 + 25_000,
  );
  await world.cluster.create(
    'secrets',
    { metadata: { name: SECRET }, stringData: authorityData(old, []) },
    'kube-system',
  );
  const oldFingerprint = new X509Certificate(old.cert).fingerprint256;
  const [leader, other] = await startTwo();
  await switchboard.route(leader.port);
  await intercepted(world, 'team-a');
  const firstLeaves = await Promise.all([leader, other].map(({ port }) => servedLeaf(port)));
  expect((await bundle()).map(({ fingerprint256 }) => fingerprint256)).toEqual([oldFingerprint]);

  const traffic = load('rotation');
  const both = await eventually(
    'both authorities are trusted',
    async () => {
      const found = await bundle();
      return found.length === 2 ? found : undefined;
    },
    90_000,
  );
  expect(both[1]?.fingerprint256).toBe(oldFingerprint);
  expect(both[0]?.fingerprint256).not.toBe(oldFingerprint);
  // Leaves of the earlier one are served meanwhile: an API server may not have heard yet.
  expect(await Promise.all([leader, other].map(({ port }) => servedLeaf(port)))).toEqual(firstLeaves);
  await eventually('every replica serves a leaf of the new one', async () => {
    const leaves = await Promise.all([leader, other].map(({ port }) => servedLeaf(port)));
    return leaves.every((leaf) => !firstLeaves.includes(leaf));
  });
  const before = traffic.admitted;
  await eventually('the load goes on', () => traffic.admitted > before + 50);
  expect(await traffic.stop()).toEqual([]);
  expect(traffic.admitted).toBeGreaterThan(300);
  // New connections, and to the one that was never asked before: what it serves is trusted, too.
  await switchboard.route(other.port);
  const more = load('rotated');
  await eventually('the other answers', () => more.admitted > 100);
  expect(await more.stop()).toEqual([]);
  for (const replica of [leader, other]) expect((await replica.http('/readyz'))?.status).toBe(200);
  const written = await linesSaying(leader, 'Wrote the certificate authority of the webhook');
  expect(written).toMatchObject([{ previous: 1 }]);
  for (const replica of [leader, other]) expect(await replica.output()).not.toContain('PRIVATE KEY');
});

test('a Secret of the authority that is deleted is made anew, and what is served stays trusted', async () => {
  const replica = await start();
  await switchboard.route(replica.port);
  await intercepted(world, 'team-a');
  const [before] = await bundle();
  const traffic = load('deleted');
  await world.cluster.remove('secrets', SECRET, 'kube-system');
  const after = await eventually('there is another', async () => {
    const found = await bundle();
    return found[0]?.fingerprint256 === before?.fingerprint256 ? undefined : found;
  });
  expect(after.map(({ fingerprint256 }) => fingerprint256)).toContain(before?.fingerprint256);
  await eventually('the load goes on', () => traffic.admitted > 50);
  expect(await traffic.stop()).toEqual([]);
});

test('every replica answers, whoever leads, and the next leader goes on keeping the object', async () => {
  const [leader, other] = await startTwo();
  await switchboard.route(other.port);
  await intercepted(world, 'team-a');
  expect(await admit(world, { namespace: 'team-a', name: 'by-the-other' })).toMatchObject({ references: [ACR_SECRET] });
  expect(await metric(other, REQUESTS, { outcome: 'ReferenceMissing' })).toBeGreaterThan(0);

  const traffic = load('leaderless');
  await leader.process.stop({ signal: 'SIGKILL' });
  await eventually(
    'the other leads',
    async () => (await metric(other, 'registry_credential_helper_leading')) === 1,
    60_000,
  );
  expect(await traffic.stop()).toEqual([]);
  await world.configure(withWebhook(world, `${FAIL}timeout-seconds: 7\n`));
  await eventually('the object follows', async () => (await webhookObject(world))?.webhooks[0]?.timeoutSeconds === 7);
  await world.configure(withWebhook(world, FAIL));
});

test('a replica that leaves goes on answering until those who ask have looked elsewhere', async () => {
  const [leader, other] = await startTwo();
  await switchboard.route(leader.port);
  await intercepted(world, 'team-a');
  const traffic = load('leaving');
  const stopped = leader.process.stop({ graceMs: 30_000 });
  await eventually('it is not ready any more', async () => (await leader.http('/readyz'))?.status === 503);
  // As a Service does that has noticed.
  const before = traffic.admitted;
  await eventually('it still answers', () => traffic.admitted > before + 20);
  await switchboard.route(other.port);
  expect(await stopped).toEqual({ code: 0, signal: null });
  await eventually('the other answers', () => traffic.admitted > before + 60);
  // A connection that the switchboard cut in the middle is its own doing; there is at most one for each worker.
  expect((await traffic.stop()).length).toBeLessThanOrEqual(4);
});

test('a replica whose memory is old does not bring back what the leader has removed', async () => {
  const leader = await start();
  await eventually('one leads', async () => (await metric(leader, 'registry_credential_helper_leading')) === 1, 60_000);
  const proxy = await startTcpProxy(world.plane);
  const lagging = await start([`--kubeconfig=${proxy.kubeconfig}`]);
  await switchboard.route(lagging.port);
  await intercepted(world, 'team-a');
  await world.cluster.namespace('team-shrinks');
  await secretsEverywhere(world, ['team-shrinks']);
  for (const name of ['app', 'edited', 'replaced']) {
    expect(await admit(world, { namespace: 'team-shrinks', name, imagePullSecrets: ['own'] })).toMatchObject({
      references: ['own', ACR_SECRET],
    });
  }
  await settled(world);

  // From now on the lagging one hears nothing: it believes that the namespace is in scope.
  proxy.forget();
  await world.configure(withWebhook(world, FAIL, 'team-*, !team-shrinks'));
  const all = ['app', 'edited', 'replaced'] as const;
  const inShrinking = () => Promise.all(all.map((name) => world.cluster.references('team-shrinks', name)));
  await eventually('the leader has removed them all', async () =>
    (await inShrinking()).every((list) => list.length === 1),
  );
  // The lagging one saw the leader's removals, and let them pass.
  expect(await metric(lagging, REQUESTS, { outcome: 'OwnWrite' })).toBeGreaterThanOrEqual(3);

  const touch = { metadata: { labels: { touched: 'yes' } } };
  const answered = await world.cluster.patch('serviceaccounts', 'edited', touch, 'team-shrinks');
  expect(answered.imagePullSecrets).toEqual([{ name: 'own' }]);
  await replaceReferences(world.plane, { namespace: 'team-shrinks', name: 'replaced' }, ['mine']);
  expect(await inShrinking()).toEqual([['own'], ['own'], ['mine']]);
  expect(await metric(lagging, REQUESTS, { outcome: 'LeftToWatch' })).toBeGreaterThanOrEqual(2);
  expect(await metric(leader, REQUESTS, { outcome: 'LeftToWatch' })).toBeUndefined();

  // It still believes in what it knew: a new ServiceAccount gets the reference there, and the leader takes it away.
  await admit(world, { namespace: 'team-shrinks', name: 'late' });
  await eventually('the leader has removed it', async () => {
    const late = await world.cluster.get('serviceaccounts', 'late', 'team-shrinks');
    return late !== undefined && late.imagePullSecrets === undefined && late.metadata.annotations === undefined;
  });
  await settled(world);
  expect(await inShrinking()).toEqual([['own'], ['own'], ['mine']]);
  await proxy.stop();
});
