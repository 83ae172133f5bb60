// From Alibaba's add-on to ours: while it runs we only watch, then its Secrets are taken over in place.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { VENDOR_HELPER } from '../../src/core/names.ts';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, settled } from '../support/expectations.ts';
import { programWrites } from '../support/program-calls.ts';
import { configMapEvents, metric } from '../support/signs.ts';
import { admit, intercepted, startServing, withWebhook } from '../support/webhook.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(90_000);

const DEPLOYMENTS = `/apis/apps/v1/namespaces/${VENDOR_HELPER.namespace}/deployments`;
const LABELS = { app: VENDOR_HELPER.name };
const THEIRS = Buffer.from('{"auths":{"theirs.example":{"auth":"dTpw"}}}').toString('base64');
const PAUSED = 'registry_credential_helper_standing_down';
const REQUESTS = 'registry_credential_helper_webhook_requests_total';
let world: World;
let replica: Replica;

beforeAll(async () => {
  world = await startWorld();
  await world.putAccessKey();
  await world.cluster.namespace('shop');
  await world.cluster.create(
    'secrets',
    { metadata: { name: ACR_SECRET }, type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': THEIRS } },
    'shop',
  );
  await world.cluster.serviceAccount('shop', 'default', [ACR_SECRET]);
  await world.cluster.serviceAccount('shop', 'builder', ['own']);
  await world.configure(withWebhook(world, '', 'shop'));
  const container = { name: 'helper', image: 'vendor.example/helper:1' };
  const body = {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: VENDOR_HELPER.name } },
    spec: {
      ...{ replicas: 1, selector: { matchLabels: LABELS } },
      template: { metadata: { labels: LABELS }, spec: { containers: [container] } },
    },
  };
  expect((await world.plane.request({ method: 'POST', path: DEPLOYMENTS, body })).status).toBe(201);
  replica = await startServing(world);
}, 120_000);
afterAll(() => world.stop());

const scale = async (replicas: number): Promise<void> => {
  const answer = await world.plane.request({
    ...{ method: 'PATCH', path: `${DEPLOYMENTS}/${VENDOR_HELPER.name}`, body: { spec: { replicas } } },
    contentType: 'application/merge-patch+json',
  });
  expect(answer.status).toBe(200);
};
const secret = () => world.cluster.get('secrets', ACR_SECRET, 'shop');
const isPaused = async (): Promise<boolean> => (await metric(replica, PAUSED)) === 1;
const events = async (): Promise<readonly string[]> =>
  (await configMapEvents(world, 'VendorHelperRuns')).map(({ type, message }) => `${type} ${message}`);
const readiness = async (): Promise<string> => (await replica.http('/readyz?verbose'))?.text ?? '';

describe('[acr S4] while Alibaba’s add-on runs', () => {
  test('nothing is written, and one Event, the metric and /readyz say why', async () => {
    await eventually('it stands down', isPaused);
    await settled(world);
    expect(await programWrites(world)).toEqual([]);
    expect(await events()).toEqual([
      expect.stringMatching(
        /^Warning .*kube-system\/aliyun-acr-credential-helper runs.*scale deployment.*--replicas=0/,
      ),
    ]);
    expect(await readiness()).toMatch(/standing-down.*kube-system\/aliyun-acr-credential-helper runs/);
    expect((await replica.http('/readyz'))?.status).toBe(200);
    expect((await secret())?.data).toEqual({ '.dockerconfigjson': THEIRS });
  });

  test('[acr O2] its Secret is adopted in place as soon as it is stopped, and references are not doubled', async () => {
    const before = await secret();
    await scale(0);
    const after = await eventually('the Secret is ours', async () => {
      const found = await secret();
      return found?.metadata.labels?.['app.kubernetes.io/managed-by'] === undefined ? undefined : found;
    });
    expect(after.metadata.uid).toBe(before?.metadata.uid);
    expect(await isPaused()).toBe(false);
    await eventually('the other ServiceAccount refers to it', async () =>
      (await world.cluster.references('shop', 'builder')).includes(ACR_SECRET),
    );
    await settled(world);
    expect(await world.cluster.references('shop', 'builder')).toEqual(['own', ACR_SECRET]);
    expect(await world.cluster.references('shop', 'default')).toEqual([ACR_SECRET]);
    expect(Object.keys((await world.cluster.auths('shop', ACR_SECRET)) ?? {})[0]).toMatch(/aliyuncs\.com$/);
  });

  test('that comes back, ours waits again until it is gone', async () => {
    await scale(1);
    await eventually('it stands down', isPaused);
    await world.cluster.remove('secrets', ACR_SECRET, 'shop');
    await settled(world);
    expect(await secret()).toBeUndefined();
    // The webhook waits, too: it answers, and adds nothing.
    await world.configure(withWebhook(world, 'enable: true\n', 'shop'));
    await eventually('the API server asks the webhook', async () => {
      const answer = await admit(world, { namespace: 'shop', name: 'meanwhile' }, { dryRun: true });
      expect(answer).toMatchObject({ status: 201, references: [] });
      return (await metric(replica, REQUESTS, { outcome: 'LeftToWatch' })) !== undefined;
    });
    await world.plane.request({ method: 'DELETE', path: `${DEPLOYMENTS}/${VENDOR_HELPER.name}` });
    await eventually('the Secret is written again', secret);
    await intercepted(world, 'shop');
    expect(await isPaused()).toBe(false);
  });
});
