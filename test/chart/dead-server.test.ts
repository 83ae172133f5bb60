// The webhooks are installed, and nobody is behind them: every replica died at once. The cluster goes on, and so can we.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { RESOURCE_WEBHOOK_NAME, WEBHOOK_NAME } from '../../src/core/names.ts';
import type { TestObject } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { applyCrd, resource, SAMPLE_SPEC } from '../support/image-pull-secrets.ts';
import { kubectlOf } from '../support/kubectl.ts';
import { admit, VALIDATING_PATH, WEBHOOK_PATH, webhookObject, type WebhookObject } from '../support/webhook.ts';
import { startWorld, type World } from '../support/world.ts';
import { controllerOf, startPodOf } from './pod.ts';
import { createReleases, type Release } from './releases.ts';

const BUILD_MS = 900_000;
const HOME = 'pulls';
const TENANT = 'team-a';
/** How long the API server waits for an answer, at most, by the contract. */
const MAX_TIMEOUT_SECONDS = 3;

jest.setTimeout(120_000);

let world: World;
let release: Release;
let releases: Awaited<ReturnType<typeof createReleases>>;
beforeAll(async () => {
  world = await startWorld({ rights: 'none', plane: { controllerManager: true } });
  releases = await createReleases(world.plane, 'helm4');
  await applyCrd(await kubectlOf(world.plane));
  for (const name of [HOME, TENANT]) await world.cluster.namespace(name);
  release = releases('registry-credential-helper', HOME);
  await release.install(WITHOUT_DEFINITION);
}, BUILD_MS);
afterAll(() => world.stop());

/** The definition is there already, as a vendor's would be. */
const WITHOUT_DEFINITION = { crds: { install: false } };

/** Lets the program make its webhooks, which lead to the Service of the release, and kills it. */
async function dieWith(policy: 'Ignore' | 'Fail'): Promise<void> {
  await configure(`enable: true\nfailure-policy: ${policy}\n`);
  const pod = await startPodOf(world.plane, release, { reach: 'service' });
  await eventually(
    'both webhooks are there',
    async () => {
      const [mutating, validating] = await webhooks();
      return validating !== undefined && mutating?.webhooks[0]?.failurePolicy === policy;
    },
    60_000,
  );
  await pod.process.stop({ signal: 'SIGKILL' });
  await eventually('the API server goes by them', async () => {
    const before = await callsThatFailed(WEBHOOK_NAME);
    await admit(world, { namespace: TENANT, name: 'probe' }, { dryRun: true });
    return (await callsThatFailed(WEBHOOK_NAME)) > before;
  });
}

async function configure(webhook: string): Promise<void> {
  const data = { 'registry-info': '[]', 'watch-namespace': TENANT, 'webhook-configuration': webhook };
  const name = 'acr-configuration';
  if ((await world.cluster.get('configmaps', name, HOME)) === undefined)
    await world.cluster.create('configmaps', { metadata: { name }, data }, HOME);
  else await world.cluster.patch('configmaps', name, { data }, HOME);
}

const webhooks = (): Promise<readonly (WebhookObject | undefined)[]> =>
  Promise.all([WEBHOOK_PATH, VALIDATING_PATH].map((path) => webhookObject(world, path)));

/** How often the API server asked a webhook and got no answer, whatever became of the request. */
async function callsThatFailed(webhook: string): Promise<number> {
  const { body } = await world.plane.request({ path: '/metrics' });
  const counts = String(body)
    .split('\n')
    .filter((line) => /^apiserver_admission_webhook_(fail_open_count|rejection_count)\{/.test(line))
    .filter((line) => line.includes(`name="${webhook}"`))
    .map((line) => Number(line.slice(line.lastIndexOf(' '))));
  return counts.reduce((total, count) => total + count, 0);
}

/** How many calls were made to the webhook while this was done. */
async function countingCalls(webhook: string, act: () => Promise<unknown>): Promise<number> {
  const before = await callsThatFailed(webhook);
  await act();
  return (await callsThatFailed(webhook)) - before;
}

/** Removes our Deployment and its ServiceAccount and lets Helm make them again, up to the Pods that somebody would have to run. */
async function makeOursAgain(): Promise<void> {
  const { metadata, spec } = await controllerOf(world.plane, release);
  await world.cluster.remove('deployments', metadata.name, HOME);
  await world.cluster.remove('serviceaccounts', spec.template.spec.serviceAccountName, HOME);
  await eventually('the Pods are gone', async () => (await world.cluster.list('pods', HOME)).length === 0);
  await release.upgrade(WITHOUT_DEFINITION);
  const { metadata: made } = await controllerOf(world.plane, release);
  expect(made.uid).not.toBe(metadata.uid);
  await eventually('its Pods are made', async () => (await world.cluster.list('pods', HOME)).length === spec.replicas);
}

const hasDefaultAccount = (namespace: string): Promise<TestObject> =>
  eventually(`${namespace} has its ServiceAccount`, () => world.cluster.get('serviceaccounts', 'default', namespace));

describe('with the failure policy Ignore', () => {
  beforeAll(() => dieWith('Ignore'), 120_000);

  test('each of our webhooks lets pass who gets no answer, after three seconds at most', async () => {
    const all = (await webhooks()).flatMap((object) => object?.webhooks ?? []);
    expect(all).toHaveLength(2);
    for (const { failurePolicy, timeoutSeconds } of all) {
      expect(failurePolicy).toBe('Ignore');
      expect(timeoutSeconds).toBeLessThanOrEqual(MAX_TIMEOUT_SECONDS);
    }
  });

  test('a ServiceAccount is created and changed, and waits for one call each time', async () => {
    const created = await countingCalls(WEBHOOK_NAME, async () => {
      expect(await admit(world, { namespace: TENANT, name: 'builder' })).toMatchObject({ status: 201, references: [] });
    });
    const changed = await countingCalls(WEBHOOK_NAME, () =>
      world.cluster.patch('serviceaccounts', 'builder', { imagePullSecrets: [{ name: 'theirs' }] }, TENANT),
    );
    expect([created, changed]).toEqual([1, 1]);
  });

  test('a namespace is created without a call, and gets its ServiceAccount after one', async () => {
    const calls = await countingCalls(WEBHOOK_NAME, async () => {
      await world.cluster.namespace('later');
      await hasDefaultAccount('later');
    });
    expect(calls).toBe(1);
  });

  test('an ImagePullSecret is created, and waits for one call', async () => {
    const calls = await countingCalls(RESOURCE_WEBHOOK_NAME, () =>
      world.cluster.create('imagepullsecrets', resource('unseen', SAMPLE_SPEC)),
    );
    expect(calls).toBe(1);
  });

  test('our own Deployment, its ServiceAccount and its Pods are created without a call', async () => {
    expect(await countingCalls(WEBHOOK_NAME, makeOursAgain)).toBe(0);
  });

  test('another release is installed, as another instance in another namespace', async () => {
    await world.cluster.namespace('second');
    const second = releases('second', 'second');
    await second.install({ ...WITHOUT_DEFINITION, instance: 'second' });
    await eventually('its Pods are made', async () => (await world.cluster.list('pods', 'second')).length === 2);
    await second.uninstall();
  });
});

describe('with the failure policy Fail, which somebody has to ask for', () => {
  beforeAll(() => dieWith('Fail'), 120_000);

  test('ServiceAccounts of others are refused: the API server really asks', async () => {
    const { status, message } = await admit(world, { namespace: TENANT, name: 'refused' });
    expect({ status, message }).toEqual({ status: 500, message: expect.stringContaining(WEBHOOK_NAME) });
  });

  test('namespaces, and all of our own, are created without a call', async () => {
    await world.cluster.namespace('last');
    expect((await admit(world, { namespace: HOME, name: 'ours' })).status).toBe(201);
    expect((await admit(world, { namespace: 'kube-node-lease', name: 'of-nodes' })).status).toBe(201);
    await makeOursAgain();
  });
});
