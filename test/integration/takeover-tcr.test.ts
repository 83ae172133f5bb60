// From Tencent's add-on to ours: while its manager runs we only watch and say so, then what it wrote is taken over in place.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { DEFINITION_ANNOTATION, TCR_ASSISTANT } from '../../src/core/names.ts';
import type { TestObject } from '../support/cluster.ts';
import type { AuditEvent } from '../support/control-plane/audit-log.ts';
import { eventually } from '../support/eventually.ts';
import { settled } from '../support/expectations.ts';
import { applyCrd, CRD_NAME, resource, RESOURCES_PATH, SAMPLE_SPEC } from '../support/image-pull-secrets.ts';
import { kubectlOf } from '../support/kubectl.ts';
import { programCalls, programWrites } from '../support/program-calls.ts';
import { configMapEvents } from '../support/signs.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(90_000);

const CR = 'tcr-a1b2c3d4-vpc';
const SECRET = `tcr.ips${CR}`;
const VENDOR = 'system:serviceaccount:tcr-assistant-system:tcr-assistant';
const HOST = SAMPLE_SPEC.docker.server;
const TYPE = 'kubernetes.io/dockerconfigjson';

let world: World;
let replica: Replica;

beforeAll(async () => {
  world = await startWorld({ plane: { users: [{ name: VENDOR, groups: ['system:masters'] }] } });
  await applyCrd(await kubectlOf(world.plane));
  await world.cluster.namespace(TCR_ASSISTANT.namespace);
  await startVendor(1);
  for (const name of ['web', 'api']) await world.cluster.namespace(name);
  await world.cluster.serviceAccount('web', 'default', ['theirs', SECRET]);
  await world.cluster.serviceAccount('web', 'builder', [SECRET, 'theirs']);
  // The vendor is behind: this one has no reference yet, and the namespace of the next no Secret.
  await world.cluster.serviceAccount('api', 'default', ['theirs']);
  await world.cluster.create('secrets', vendorSecret(), 'web');
  await world.cluster.create('imagepullsecrets', resource(CR, { ...SAMPLE_SPEC, namespaces: 'web,api' }));
  await reportAsVendor(1);
  replica = await world.startController();
}, 120_000);
afterAll(() => world.stop());

/** As the vendor writes it: the standard body, no label, no annotation (tcr.md section 3). */
function vendorSecret(): Readonly<Record<string, unknown>> {
  const { username, password } = SAMPLE_SPEC.docker;
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  const stringData = { '.dockerconfigjson': JSON.stringify({ auths: { [HOST]: { username, password, auth } } }) };
  return { metadata: { name: SECRET }, type: TYPE, stringData };
}

async function startVendor(replicas: number): Promise<void> {
  const labels = { 'control-plane': 'tcr-assistant' };
  const container = { name: 'manager', image: 'vendor.example/tcr-assistant:1' };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  const spec = { replicas, selector: { matchLabels: labels }, template };
  await world.cluster.create('deployments', { metadata: { name: TCR_ASSISTANT.name }, spec }, TCR_ASSISTANT.namespace);
}

const scale = (replicas: number): Promise<TestObject> =>
  world.cluster.patch('deployments', TCR_ASSISTANT.name, { spec: { replicas } }, TCR_ASSISTANT.namespace);

/** Counters as a manager writes them that knows no field of ours: the whole status, by the version that it read. */
async function reportAsVendor(count: number, name = CR): Promise<void> {
  const counters = { secretsDesired: count, secretsSuccess: count, sAsDesired: count, sAsSuccess: 0 };
  await eventually('the vendor’s status is written', async () => {
    const live = await world.cluster.get('imagepullsecrets', name);
    const path = `${RESOURCES_PATH}/${name}/status?fieldManager=manager`;
    const body = { ...live, status: counters };
    return (await world.plane.request({ user: VENDOR, method: 'PUT', path, body })).status === 200;
  });
}

type Status = Readonly<Record<string, unknown>> & {
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
};
const statusOf = async (name = CR): Promise<Status | undefined> =>
  (await world.cluster.get('imagepullsecrets', name))?.status as Status | undefined;
const conditionOf = async (type: string, name = CR) =>
  (await statusOf(name))?.conditions?.find((one) => one.type === type);
const isStalled = async (): Promise<boolean> => {
  const condition = await conditionOf('Stalled');
  return condition?.status === 'True' && condition.reason === 'VendorHelperRuns';
};
const isDistributed = async (): Promise<boolean> => (await conditionOf('Ready'))?.reason === 'Distributed';
const secretIn = (namespace: string) => world.cluster.get('secrets', SECRET, namespace);
const statusWrites = async (mark: number): Promise<readonly AuditEvent[]> =>
  (await programCalls(world, mark)).filter(
    ({ verb, resource: kind }) => verb === 'patch' && kind === 'imagepullsecrets',
  );
const told = async (): Promise<readonly string[]> =>
  (await configMapEvents(world, 'VendorHelperRuns')).map(({ type, message }) => `${type} ${message}`);

/** Everything of the tenants that somebody could miss, by version. */
const picture = async (): Promise<readonly string[]> =>
  (
    await Promise.all(
      ['web', 'api'].flatMap((namespace) => [
        world.cluster.list('secrets', namespace),
        world.cluster.list('serviceaccounts', namespace),
      ]),
    )
  )
    .flat()
    .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`);

describe('while Tencent’s manager runs', () => {
  test('nothing of its resources is written but one condition, and an Event says how to switch', async () => {
    await eventually('the condition says so', isStalled);
    await settled(world);
    expect(await programWrites(world)).toEqual([]);
    expect(await statusWrites(0)).toHaveLength(1);
    expect(await statusOf()).toMatchObject({ secretsDesired: 1, secretsSuccess: 1, sAsDesired: 1, sAsSuccess: 0 });
    expect(await statusOf()).not.toHaveProperty('observedGeneration');
    expect(await told()).toEqual([
      expect.stringMatching(
        /^Warning tcr-assistant-system\/tcr-assistant-controller-manager runs.*scale deployment.*--replicas=0/,
      ),
    ]);
  });

  test('its counters are its own: however often it writes them, and drops our condition, ours does not answer', async () => {
    const mark = await settled(world);
    for (let count = 2; count <= 12; count += 1) {
      await reportAsVendor(count);
      await world.cluster.patch('serviceaccounts', 'default', { metadata: { labels: { round: `${count}` } } }, 'web');
    }
    await settled(world);
    expect(await statusWrites(mark)).toEqual([]);
    expect(await statusOf()).toEqual({ secretsDesired: 12, secretsSuccess: 12, sAsDesired: 12, sAsSuccess: 0 });
  });

  test('an edit of the resource is said in one write, and is otherwise the vendor’s to serve', async () => {
    const mark = await settled(world);
    const before = await picture();
    await world.cluster.patch('imagepullsecrets', CR, { spec: { serviceAccounts: 'default, builder' } });
    await eventually('the condition is back', isStalled);
    await settled(world);
    expect(await statusWrites(mark)).toHaveLength(1);
    expect(await statusOf()).toMatchObject({ secretsDesired: 12, sAsSuccess: 0 });
    expect(await picture()).toEqual(before);
  });
});

describe('while Tencent’s manager runs, a resource whose password ours mints', () => {
  test('[tcr M6] is left to it like any other: no cloud is asked, nothing is written, and the condition says so', async () => {
    const mark = await settled(world);
    const tcr = { registryId: 'tcr-fake0000', region: 'ap-guangzhou', apiKeySecretRef: { name: 'no-such-key' } };
    await world.cluster.create('imagepullsecrets', resource('minted', { namespaces: 'web', tcr }));
    const status = await eventually('the condition says so', async () => {
      const now = (await world.cluster.get('imagepullsecrets', 'minted'))?.status as Status | undefined;
      return now?.conditions?.some(({ reason }) => reason === 'VendorHelperRuns') === true ? now : undefined;
    });
    await settled(world);
    expect(status).not.toHaveProperty('observedGeneration');
    expect(await programWrites(world, mark)).toEqual([]);
    expect(await replica.output()).not.toContain('tcr-fake0000');
    await world.cluster.remove('imagepullsecrets', 'minted');
    await settled(world);
  });
});

describe('when it is stopped', () => {
  test('[tcr S5] [tcr A1] its Secret is adopted in place, what it left out is made up for, and no reference is doubled', async () => {
    const before = await secretIn('web');
    await scale(0);
    await eventually('everything is distributed', isDistributed);
    await settled(world);
    const after = await secretIn('web');
    expect(after?.metadata.uid).toBe(before?.metadata.uid);
    expect(after?.metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'registry-credential-helper' });
    expect(Object.keys((await world.cluster.auths('web', SECRET)) ?? {})).toEqual([HOST]);
    expect(await world.cluster.auths('api', SECRET)).toHaveProperty([HOST]);
    expect(await world.cluster.references('web', 'default')).toEqual(['theirs', SECRET]);
    expect(await world.cluster.references('web', 'builder')).toEqual([SECRET, 'theirs']);
    expect(await world.cluster.references('api', 'default')).toEqual(['theirs', SECRET]);
    expect(await statusOf()).toMatchObject({ secretsDesired: 2, secretsSuccess: 2, observedGeneration: 2 });
  });
});

describe('when it is uninstalled with its definition, and every resource with that', () => {
  test('[tcr S5] what was written stays, and is only noted under the new one when both are back as `migrate from-tcr-assistant` says', async () => {
    const spec = (await world.cluster.get('imagepullsecrets', CR))?.spec;
    const before = await picture();
    const contents = await Promise.all(['web', 'api'].map(secretIn));
    const kubectl = await kubectlOf(world.plane);
    await kubectl(['delete', 'crd', CRD_NAME, '--wait=true']);
    await settled(world);
    expect(await picture()).toEqual(before);
    await applyCrd(kubectl);
    const mark = await settled(world);
    expect(await picture()).toEqual(before);
    await world.cluster.create('imagepullsecrets', resource(CR, spec));
    await eventually('everything is distributed', isDistributed);
    await settled(world);
    const definition = (await kubectl(['get', 'crd', CRD_NAME, '-o', 'jsonpath={.metadata.uid}'])).stdout;
    for (const [at, namespace] of ['web', 'api'].entries()) {
      const now = await secretIn(namespace);
      expect(now?.data).toEqual(contents[at]?.data);
      expect(now?.metadata).toMatchObject({
        uid: contents[at]?.metadata.uid,
        annotations: { ...contents[at]?.metadata.annotations, [DEFINITION_ANNOTATION]: definition },
      });
    }
    expect(
      (await programWrites(world, mark)).map(({ verb, namespace }) => `${verb} ${namespace ?? ''}`).sort(),
    ).toEqual(['patch api', 'patch web']);
    expect((await picture()).filter((line) => !line.includes(SECRET))).toEqual(
      before.filter((line) => !line.includes(SECRET)),
    );
  });
});

describe('when it comes back', () => {
  test('ours stands down: it deletes nothing, repairs nothing, and leaves the counters', async () => {
    const mark = await settled(world);
    await scale(1);
    await eventually('the condition says so', isStalled);
    await reportAsVendor(7);
    const before = await picture();
    // An edit that the vendor has to follow now, and a Secret that it has to put right.
    await world.cluster.patch('imagepullsecrets', CR, { spec: { namespaces: 'web' } });
    await world.cluster.patch('secrets', SECRET, { data: { '.dockerconfigjson': 'e30=' } }, 'web');
    await eventually('the edit is noticed', isStalled);
    await settled(world);
    expect(await programWrites(world, mark)).toEqual([]);
    expect((await picture()).filter((line) => line.startsWith('api/'))).toEqual(
      before.filter((line) => line.startsWith('api/')),
    );
    expect((await secretIn('web'))?.data).toEqual({ '.dockerconfigjson': 'e30=' });
    expect(await statusOf()).toMatchObject({ secretsDesired: 7, sAsSuccess: 0 });
    expect((await statusWrites(mark)).length).toBeLessThanOrEqual(2);
  });

  test('the resource may go meanwhile: what was written stays until it is stopped, then ours cleans up', async () => {
    await world.cluster.remove('imagepullsecrets', CR);
    await settled(world);
    expect(await secretIn('web')).toBeDefined();
    await world.cluster.remove('deployments', TCR_ASSISTANT.name, TCR_ASSISTANT.namespace);
    await eventually('its Secrets are gone', async () => {
      const left = await Promise.all(['web', 'api'].map(secretIn));
      return left.every((one) => one === undefined);
    });
    await settled(world);
    expect(await world.cluster.references('api', 'default')).toEqual(['theirs']);
    // Nobody recorded these: they are their owner's, as with Alibaba's add-on, and point nowhere.
    expect(await world.cluster.references('web', 'default')).toEqual(['theirs', SECRET]);
    expect(await world.cluster.references('web', 'builder')).toEqual([SECRET, 'theirs']);
  });
});

describe('of two resources that name one Secret', () => {
  const becomes = (name: string, type: string, reason: string) =>
    eventually(`${type} of ${name} is ${reason}`, async () => (await conditionOf(type, name))?.reason === reason);

  test.each<[string, (names: readonly string[]) => Promise<void>]>([
    ['left alone', () => Promise.resolve()],
    [
      'written anew',
      async (names) => {
        for (const name of names) await reportAsVendor(1, name);
      },
    ],
  ])('who was refused does not switch off who was served by a run of the manager, statuses %s', async (how, report) => {
    const [publisher, keeper, login] = ['publisher', 'keeper', 'login'].map(
      (name) => `${name}-${how.replaceAll(' ', '-')}`,
    ) as [string, string, string];
    const stringData = { password: 'first-fake-password' };
    await world.cluster.create('secrets', { metadata: { name: login }, stringData }, 'kube-system');
    const docker = { server: HOST, username: SAMPLE_SPEC.docker.username, passwordSecretRef: { name: login } };
    await world.cluster.create('imagepullsecrets', resource(publisher, { namespaces: 'api', docker }));
    await becomes(publisher, 'Ready', 'Distributed');
    const tcr = { registryId: 'tcr-fake0000', region: 'ap-guangzhou', apiKeySecretRef: { name: login } };
    await world.cluster.create('imagepullsecrets', resource(keeper, { namespaces: 'nowhere', tcr }));
    await becomes(keeper, 'Stalled', 'KeyConflict');

    await startVendor(1);
    for (const name of [publisher, keeper]) await becomes(name, 'Stalled', 'VendorHelperRuns');
    await report([publisher, keeper]);
    await settled(world);
    await world.cluster.remove('deployments', TCR_ASSISTANT.name, TCR_ASSISTANT.namespace);
    await becomes(keeper, 'Stalled', 'KeyConflict');
    await becomes(publisher, 'Ready', 'Distributed');
    await world.cluster.patch('secrets', login, { stringData: { password: 'second-fake-password' } }, 'kube-system');
    await eventually('it is served', async () => {
      const auth = (await world.cluster.auths('api', `tcr.ips${publisher}`))?.[HOST];
      return auth?.password === 'second-fake-password';
    });
  });
});
