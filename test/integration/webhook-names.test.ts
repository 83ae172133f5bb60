// Objects under the webhook's names that somebody else made or replaced: what is left alone, and what is taken up.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { AUTHORITY_KEYS, authoritySecretName } from '../../src/core/names.ts';
import type { Config } from '../../src/core/types.ts';
import { createKubeClient } from '../../src/kube/client.ts';
import { loadKubeConfig } from '../../src/kube/kube-config.ts';
import { dataOf } from '../../src/kube/one-object.ts';
import { authorityData } from '../../src/webhook/authority.ts';
import { createAuthority, readBundle } from '../../src/webhook/certificates.ts';
import { createWebhook } from '../../src/webhook/webhook.ts';
import { eventually } from '../support/eventually.ts';
import { secretsEverywhere, settled } from '../support/expectations.ts';
import { createForeignAuthority } from '../support/foreign-authority.ts';
import { linesSaying, metric } from '../support/signs.ts';
import { admit, intercepted, startServing, WEBHOOK_PATH, webhookObject, withWebhook } from '../support/webhook.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

const ON = 'enable: true\nfailure-policy: Fail\n';
const SECRET = authoritySecretName('default');
const COLLECTION = WEBHOOK_PATH.slice(0, WEBHOOK_PATH.lastIndexOf('/'));
const FOREIGN = { name: WEBHOOK_PATH.slice(COLLECTION.length + 1), labels: { owner: 'somebody' } };

jest.setTimeout(120_000);

let world: World;
let replica: Replica;

beforeAll(async () => {
  world = await startWorld();
  await world.putAccessKey();
  await world.cluster.namespace('team-a');
  await world.configure(withWebhook(world, ''));
}, 120_000);
afterAll(() => world.stop());

const takenLines = (kind: string) => linesSaying(replica, 'Left alone', { level: 'warn', reason: 'NameTaken', kind });
const taken = () => metric(replica, 'registry_credential_helper_left_alone', { reason: 'NameTaken' });
const bundle = async (): Promise<readonly X509Certificate[]> => {
  const pem = (await webhookObject(world))?.webhooks[0]?.clientConfig.caBundle ?? '';
  return readBundle(Buffer.from(pem, 'base64').toString('utf8'));
};
const fingerprints = (certificates: readonly X509Certificate[]) => certificates.map((one) => one.fingerprint256);
const encoded = (data: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
const putAuthority = (pair: { readonly cert: string; readonly key: string }) =>
  world.cluster.patch('secrets', SECRET, { data: encoded(authorityData(pair, [])) }, 'kube-system');

test('a webhook object under our name without our labels is neither deleted nor overwritten, and told of once', async () => {
  const { status } = await world.plane.request({ method: 'POST', path: COLLECTION, body: { metadata: FOREIGN } });
  expect(status).toBe(201);
  replica = await startServing(world);
  await secretsEverywhere(world, ['team-a']);
  await eventually('a line says so', async () => (await takenLines('MutatingWebhookConfiguration')).length > 0);
  await world.configure(withWebhook(world, ON));
  await settled(world);
  const found = await webhookObject(world);
  expect(found?.metadata).toMatchObject(FOREIGN);
  expect(found?.webhooks ?? []).toEqual([]);
  expect(found?.metadata).not.toHaveProperty('ownerReferences');
  expect(await takenLines('MutatingWebhookConfiguration')).toHaveLength(1);
  expect(await taken()).toBe(1);
  expect((await replica.http('/readyz'))?.status).toBe(200);
});

test('ours comes as soon as the name is free', async () => {
  await world.plane.request({ method: 'DELETE', path: WEBHOOK_PATH });
  await intercepted(world, 'team-a');
  expect(await taken()).toBeUndefined();
});

test("a Secret under the name of our authority that is somebody else's is left alone until it is gone", async () => {
  await world.configure(withWebhook(world, ''));
  await eventually('the object is gone', async () => (await webhookObject(world)) === undefined);
  const data = { ...Object.fromEntries(Object.values(AUTHORITY_KEYS).map((key) => [key, null])), theirs: 'eA==' };
  const labels = (await world.cluster.get('secrets', SECRET, 'kube-system'))?.metadata.labels;
  const noLabels = Object.fromEntries(Object.keys(labels ?? {}).map((label) => [label, null]));
  await world.cluster.patch('secrets', SECRET, { metadata: { labels: noLabels }, data }, 'kube-system');
  await world.configure(withWebhook(world, ON));
  await eventually('a line says so', async () => (await takenLines('Secret')).length > 0);
  await settled(world);
  const found = await world.cluster.get('secrets', SECRET, 'kube-system');
  expect(found).toMatchObject({ data: { theirs: 'eA==' } });
  expect(Object.keys((found as unknown as { data: object }).data)).toEqual(['theirs']);
  expect(await webhookObject(world)).toBeUndefined();
  expect(await takenLines('Secret')).toHaveLength(1);
  await world.cluster.remove('secrets', SECRET, 'kube-system');
  await intercepted(world, 'team-a');
});

test.each([
  ['another valid one', () => createAuthority('restored', Date.now() - 3_600_000), true],
  ['one from an old backup', () => createAuthority('old', Date.now() - 30 * 86_400_000), false],
  ['one of RSA, from which no leaf can be made', () => createForeignAuthority('RSA', Date.now()), false],
])('an authority that is replaced by %s: not one admission fails', async (what, make, isKept) => {
  const [before] = await bundle();
  const other = await make();
  const { fingerprint256 } = new X509Certificate(other.cert);
  const stop = new AbortController();
  let admitted = 0;
  const failed: string[] = [];
  const load = (async () => {
    for (let index = 0; !stop.signal.aborted; index += 1) {
      const name = `${what.replaceAll(/[^a-z]/g, '').slice(0, 20)}-${index}`;
      const { status, message } = await admit(world, { namespace: 'team-a', name });
      if (status === 201) admitted += 1;
      else failed.push(`${status} ${message}`);
    }
  })();
  await putAuthority(other);
  const after = await eventually('another is trusted', async () => {
    const found = await bundle();
    return found.length > 1 && found[0]?.fingerprint256 !== before?.fingerprint256 ? found : undefined;
  });
  expect(fingerprints(after).slice(1)).toContain(before?.fingerprint256);
  expect(after[0]?.fingerprint256 === fingerprint256).toBe(isKept);
  const atSwap = admitted;
  await eventually('the load goes on', () => admitted > atSwap + 50);
  stop.abort();
  await load;
  expect(failed).toEqual([]);
  expect((await replica.http('/readyz'))?.status).toBe(200);
});

test('the key of the authority and that of the leaf are told of for redaction, as they are used', async () => {
  const held = dataOf(await world.cluster.get('secrets', SECRET, 'kube-system'))[AUTHORITY_KEYS.key] ?? '';
  expect(held).toContain('PRIVATE KEY');
  const kubeConfig = loadKubeConfig({ inCluster: false, file: world.plane.adminKubeconfig });
  const client = createKubeClient({ kubeConfig, userAgent: 'test' });
  const registered: [string, string][] = [];
  const config: Config = {
    rules: [],
    thresholdMs: 0,
    adoptExisting: 'none',
    secretLabels: {},
    email: undefined,
    webhook: { failurePolicy: 'Ignore', timeoutSeconds: 3 },
  };
  const webhook = createWebhook({
    client,
    instance: 'default',
    namespace: 'kube-system',
    address: '127.0.0.1:0',
    target: { kind: 'url', url: 'https://127.0.0.1:1' },
    clusterRole: 'none',
    config: () => config,
    parseItem: () => undefined,
    standingDown: () => false,
    observedNamespace: () => undefined,
    register: (key, value) => void registered.push([key, value]),
    onAnswered: () => undefined,
    onProblem: () => undefined,
    onReflector: () => undefined,
    observer: () => undefined,
    now: Date.now,
    random: Math.random,
    elapsed: () => 0,
  });
  const stop = new AbortController();
  const running = webhook.run(stop.signal);
  await eventually('it serves', () => webhook.certificates().length === 2 && webhook.problem() === undefined);
  stop.abort();
  await running;
  await client.close();
  const leafKey = expect.stringContaining('PRIVATE KEY');
  expect(registered).toEqual([
    ['webhook authority', held],
    ['webhook leaf', leafKey],
  ]);
  expect(registered[1]?.[1]).not.toBe(held);
  expect(await replica.output()).not.toContain('PRIVATE KEY');
});
