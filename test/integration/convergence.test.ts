// The main job against a real API server, with only the documented rights, and what it costs: counted, not timed.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, registryInfo, secretsEverywhere, settled } from '../support/expectations.ts';
import { PROGRAM_USER, startWorld, type Replica, type World } from '../support/world.ts';

const NAMESPACES = 40;
const ACCOUNTS = 5;
const names = Array.from({ length: NAMESPACES }, (_, index) => `team-${index}`);

describe('a cluster with many namespaces', () => {
  let world: World;
  let replica: Replica;

  beforeAll(async () => {
    world = await startWorld();
    await world.putAccessKey();
    await Promise.all(
      names.map(async (name) => {
        await world.cluster.namespace(name);
        for (let account = 0; account < ACCOUNTS; account += 1) {
          await world.cluster.serviceAccount(name, `app-${account}`, account === 0 ? ['foreign-a', 'foreign-b'] : []);
        }
      }),
    );
    await world.cluster.serviceAccount('default', 'outside', ['foreign-a']);
    await world.configure({
      'watch-namespace': 'team-*',
      'service-account': '*',
      'acr-registry-info': registryInfo(world),
    });
    replica = await world.startController();
    await secretsEverywhere(world, names);
    await settled(world);
  }, 120_000);

  afterAll(() => world.stop());

  const programCalls = async (sinceAt = 0) =>
    (await world.plane.auditEvents()).filter((event) => event.user === PROGRAM_USER && event.at >= sinceAt);

  test('[acr O4] gives every ServiceAccount in scope the reference, last, and keeps foreign ones in their order', async () => {
    expect(await world.cluster.references('team-0', 'app-0')).toEqual(['foreign-a', 'foreign-b', ACR_SECRET]);
    expect(await world.cluster.references('team-39', 'app-4')).toEqual([ACR_SECRET]);
    expect(await world.cluster.references('default', 'outside')).toEqual(['foreign-a']);
  });

  test('[acr O1] writes a Secret of the right type, with an entry for every domain of the instance', async () => {
    const secret = await world.cluster.get('secrets', ACR_SECRET, 'team-7');
    expect(secret?.type).toBe('kubernetes.io/dockerconfigjson');
    const auths = (await world.cluster.auths('team-7', ACR_SECRET)) ?? {};
    expect(Object.keys(auths)).toEqual([
      'acme-registry-vpc.cn-hangzhou.cr.aliyuncs.com',
      'acme-registry.cn-hangzhou.cr.aliyuncs.com',
    ]);
    for (const entry of Object.values(auths)) {
      expect(entry.username).toBe('cr_temp_user');
      expect(Buffer.from(entry.auth, 'base64').toString()).toBe(`${entry.username}:${entry.password}`);
    }
  });

  test('makes one token call and one endpoint listing for all of them', () => {
    expect(
      world.clouds.cr
        .calls()
        .map((call) => call.action)
        .sort(),
    ).toEqual(['GetAuthorizationToken', 'ListInstanceEndpoint']);
  });

  test('costs the paged lists, one create for each namespace and one patch for each ServiceAccount, within 2 %', async () => {
    const calls = await programCalls();
    const writes = calls.filter((event) => ['create', 'patch', 'delete', 'update'].includes(event.verb));
    const creates = writes.filter(
      (event) => event.resource === 'secrets' && event.verb === 'create' && event.namespace !== 'kube-system',
    );
    const patches = writes.filter((event) => event.resource === 'serviceaccounts');
    expect(creates).toHaveLength(NAMESPACES);
    expect(patches.length).toBeGreaterThanOrEqual(NAMESPACES * ACCOUNTS);
    expect(patches.length).toBeLessThanOrEqual(NAMESPACES * ACCOUNTS * 1.02);
    const reads = calls.filter((event) => ['get', 'list'].includes(event.verb) && event.resource !== 'leases');
    // Namespaces, ServiceAccounts, our Secrets, the ConfigMap, the vendors' Deployments, the definition of resources, which is not
    // there, and one look each for the master copy and for the webhooks that an earlier leader may have left; by name, for the identity, two
    // Secrets of managed roles and the one that declares resources, which are not there, and the access key's.
    expect(reads.map((event) => `${event.verb} ${event.resource ?? ''}`).sort()).toEqual([
      'get mutatingwebhookconfigurations',
      'get secrets',
      'get validatingwebhookconfigurations',
      'list configmaps',
      'list customresourcedefinitions',
      'list deployments',
      'list deployments',
      'list namespaces',
      'list secrets',
      'list secrets',
      'list secrets',
      'list secrets',
      'list secrets',
      'list serviceaccounts',
    ]);
  });

  test('does nothing when nothing changes, and when only irrelevant fields change', async () => {
    const since = Date.now();
    await world.cluster.patch('serviceaccounts', 'app-1', { metadata: { annotations: { note: 'x' } } }, 'team-1');
    await world.cluster.patch('namespaces', 'team-1', { metadata: { annotations: { note: 'x' } } });
    await world.cluster.namespace('elsewhere');
    await settled(world);
    const calls = (await programCalls(since)).filter((event) => event.resource !== 'leases' && event.verb !== 'watch');
    expect(calls).toEqual([]);
  });

  test('[acr C2] [acr C3] serves a new namespace and a new ServiceAccount without a cloud call', async () => {
    const before = world.clouds.cr.calls().length;
    await world.cluster.namespace('team-new');
    await world.cluster.serviceAccount('team-new', 'app');
    await eventually('the new ServiceAccount has the reference', async () =>
      (await world.cluster.references('team-new', 'app')).includes(ACR_SECRET),
    );
    expect(await world.cluster.auths('team-new', ACR_SECRET)).toBeDefined();
    expect(world.clouds.cr.calls()).toHaveLength(before);
  });

  test('[acr R5] a restart with everything fresh makes no write and no cloud call', async () => {
    await replica.stop();
    const since = Date.now();
    const cloudCalls = world.clouds.cr.calls().length;
    replica = await world.startController();
    await eventually('the new process leads', async () =>
      (await replica.lines()).some((line) => line.message === 'Started leading'),
    );
    await settled(world);
    const writes = (await programCalls(since)).filter(
      (event) =>
        ['create', 'patch', 'delete', 'update'].includes(event.verb) &&
        !['leases', 'selfsubjectaccessreviews'].includes(event.resource ?? ''),
    );
    expect(writes).toEqual([]);
    expect(world.clouds.cr.calls()).toHaveLength(cloudCalls);
  });
});
