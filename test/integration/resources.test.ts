// `ImagePullSecret` resources on a real cluster: what they bring, how they follow edits, and what stays when they go.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { TestObject } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { settled } from '../support/expectations.ts';
import { applyCrd, resource, RESOURCES_PATH, SAMPLE_SPEC } from '../support/image-pull-secrets.ts';
import { kubectlOf } from '../support/kubectl.ts';
import { programWrites } from '../support/program-calls.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(60_000);

const CR = 'tcr-a1b2c3d4-vpc';
const SECRET = `tcr.ips${CR}`;
const HOST = SAMPLE_SPEC.docker.server;

let world: World;
let replica: Replica;

beforeAll(async () => {
  world = await startWorld();
  await applyCrd(await kubectlOf(world.plane));
  for (const name of ['web', 'api', 'db']) await tenant(name);
  replica = await world.startController();
}, 120_000);
afterAll(() => world.stop());

async function tenant(name: string): Promise<void> {
  await world.cluster.namespace(name);
  await world.cluster.serviceAccount(name, 'default', ['theirs']);
  await world.cluster.serviceAccount(name, 'builder');
  await world.cluster.serviceAccount(name, 'other');
}

const put = (name: string, spec: object): Promise<TestObject> =>
  world.cluster.create('imagepullsecrets', resource(name, spec));
const edit = (name: string, spec: object): Promise<TestObject> =>
  world.cluster.patch('imagepullsecrets', name, { spec });

interface Status {
  readonly secretsDesired: number;
  readonly secretsSuccess: number;
  readonly sAsDesired: number;
  readonly sAsSuccess: number;
  readonly secretUpdateSuccessful: readonly { readonly namespacedName: string; readonly updatedAt: string }[];
  readonly serviceAccountsModifySuccessful: readonly { readonly namespacedName: string; readonly updatedAt: string }[];
  readonly observedGeneration: number;
  readonly expiresAt?: string;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }[];
}

async function statusOf(name: string): Promise<Status | undefined> {
  return (await world.cluster.get('imagepullsecrets', name))?.status as Status | undefined;
}

/** Waits until `Ready` has this reason for the present generation. */
function ready(name: string, reason = 'Distributed'): Promise<Status> {
  return eventually(`${name} is ${reason}`, async () => {
    const object = await world.cluster.get('imagepullsecrets', name);
    const status = object?.status as Status | undefined;
    const { generation } = object?.metadata as unknown as { generation: number };
    const condition = status?.conditions.find(({ type }) => type === 'Ready');
    return status?.observedGeneration === generation && condition?.reason === reason ? status : undefined;
  });
}

describe('the vendor’s sample', () => {
  test('[tcr C3] [tcr S1] [tcr C7] [tcr C8] works as it stands, and its status converges', async () => {
    await put(CR, SAMPLE_SPEC);
    const status = await ready(CR);
    const namespaces = (await world.cluster.list('namespaces')).map(({ metadata }) => metadata.name);
    expect(namespaces).toContain('kube-system');
    expect(status).toMatchObject({
      secretsDesired: namespaces.length,
      secretsSuccess: namespaces.length,
      sAsSuccess: status.sAsDesired,
    });
    const secret = await world.cluster.get('secrets', SECRET, 'web');
    expect(secret?.type).toBe('kubernetes.io/dockerconfigjson');
    expect(Object.keys(secret?.data ?? {})).toEqual(['.dockerconfigjson']);
    const auth = (await world.cluster.auths('web', SECRET))?.[HOST];
    const { username, password } = SAMPLE_SPEC.docker;
    expect(auth).toMatchObject({ username, password });
    expect(Buffer.from(auth?.auth ?? '', 'base64').toString()).toBe(`${username}:${password}`);
    for (const { namespacedName, updatedAt } of status.secretUpdateSuccessful) {
      expect(namespacedName).toMatch(/^[a-z0-9-]+\/tcr\.ips/);
      expect(updatedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    }
    expect((await world.cluster.get('imagepullsecrets', CR))?.metadata).toMatchObject({ generation: 1 });
  });

  test('[tcr A1] [tcr A2] keeps what was there, and appends its reference once', async () => {
    expect(await world.cluster.references('web', 'default')).toEqual(['theirs', SECRET]);
    expect(await world.cluster.references('web', 'builder')).toEqual([SECRET]);
    expect(await world.cluster.references('web', 'other')).toEqual([]);
  });

  test('[tcr C5] [tcr S2] reaches a namespace that comes later', async () => {
    await tenant('later');
    await eventually('the new namespace is served', async () =>
      (await world.cluster.references('later', 'default')).includes(SECRET),
    );
    expect(await world.cluster.auths('later', SECRET)).toHaveProperty([HOST]);
  });

  test('[tcr C10] writes nothing more when nothing changes, also after a restart', async () => {
    await ready(CR);
    const before = await settled(world);
    await replica.stop();
    replica = await world.startController();
    await settled(world);
    expect((await programWrites(world, before)).filter(({ resource: kind }) => kind !== 'leases')).toEqual([]);
  });
});
