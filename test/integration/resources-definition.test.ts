// The definition of `ImagePullSecret` resources is removed and made anew while the controller runs: nothing that worked is lost, and
// resources that are back are followed as before.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { settled } from '../support/expectations.ts';
import { applyCrd, CRD_NAME, readCrd, resource, SAMPLE_SPEC } from '../support/image-pull-secrets.ts';
import { kubectlOf, type Kubectl } from '../support/kubectl.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(90_000);

const MANY = Array.from({ length: 30 }, (_, at) => `many-${at}`);
const SPEC = { ...SAMPLE_SPEC, namespaces: 'web,api' };

let world: World;
let replica: Replica;
let kubectl: Kubectl;

beforeAll(async () => {
  world = await startWorld();
  kubectl = await kubectlOf(world.plane);
  await applyCrd(kubectl);
  for (const name of ['web', 'api']) {
    await world.cluster.namespace(name);
    await world.cluster.serviceAccount(name, 'default', ['theirs']);
    await world.cluster.serviceAccount(name, 'builder');
  }
  for (const name of MANY) await world.cluster.namespace(name);
  replica = await world.startController();
}, 120_000);
afterAll(() => world.stop());

const put = (name: string, spec: object) => world.cluster.create('imagepullsecrets', resource(name, spec));
const edit = (name: string, spec: object) => world.cluster.patch('imagepullsecrets', name, { spec });

async function distributed(name: string): Promise<void> {
  await eventually(`${name} is distributed`, async () => {
    const object = (await world.cluster.get('imagepullsecrets', name)) as unknown as {
      readonly metadata: { readonly generation: number };
      readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[] };
    };
    const { observedGeneration, conditions = [] } = object.status ?? {};
    const isReady = conditions.some(({ type, reason }) => type === 'Ready' && reason === 'Distributed');
    return isReady && observedGeneration === object.metadata.generation;
  });
  await settled(world);
}
interface Condition {
  readonly type: string;
  readonly reason: string;
}

/** Where the Secret of the resource is, and who refers to it. */
async function traces(name: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const namespace of ['web', 'api']) {
    if ((await world.cluster.get('secrets', `tcr.ips${name}`, namespace)) !== undefined) found.push(namespace);
    for (const account of ['default', 'builder']) {
      const references = await world.cluster.references(namespace, account);
      if (references.includes(`tcr.ips${name}`)) found.push(`${namespace}/${account}`);
    }
  }
  return found;
}
const EVERYWHERE = ['web', 'web/default', 'web/builder', 'api', 'api/default', 'api/builder'];

async function removeDefinition(): Promise<void> {
  expect((await kubectl(['delete', 'crd', CRD_NAME, '--wait=true'])).code).toBe(0);
  await settled(world);
}

test('[tcr S6] [tcr A4] a resource that is back is narrowed as any other, and deleted, also while we are down', async () => {
  await put('a', SPEC);
  await distributed('a');
  await removeDefinition();
  expect(await traces('a')).toEqual(EVERYWHERE);
  await applyCrd(kubectl);
  await settled(world);
  expect(await traces('a')).toEqual(EVERYWHERE);
  await put('a', SPEC);
  await distributed('a');
  expect(await traces('a')).toEqual(EVERYWHERE);

  await edit('a', { namespaces: 'web', serviceAccounts: 'builder' });
  await distributed('a');
  expect(await traces('a')).toEqual(['web', 'web/builder']);

  await replica.stop();
  await world.cluster.remove('imagepullsecrets', 'a');
  replica = await world.startController();
  await eventually('nothing of it is left', async () => (await traces('a')).length === 0);
  expect(await world.cluster.references('web', 'default')).toEqual(['theirs']);
});

test('[tcr S6] a resource that comes back narrower takes away what it does not reach, and its deletion the rest', async () => {
  await put('b', SPEC);
  await distributed('b');
  await removeDefinition();
  await applyCrd(kubectl);
  await put('b', { ...SPEC, namespaces: 'web', serviceAccounts: 'builder' });
  await distributed('b');
  expect(await traces('b')).toEqual(['web', 'web/builder']);
  await world.cluster.remove('imagepullsecrets', 'b');
  await eventually('nothing of it is left', async () => (await traces('b')).length === 0);
});

test('a resource that is deleted as soon as it is back takes everything along, also what was not noted yet', async () => {
  await put('c', SPEC);
  await distributed('c');
  await removeDefinition();
  await applyCrd(kubectl);
  await settled(world);
  await put('c', SPEC);
  await world.cluster.remove('imagepullsecrets', 'c');
  await eventually('nothing of it is left', async () => (await traces('c')).length === 0);
});

test('what is put right while the definition is made anew stays, however close to it', async () => {
  await put('many', { ...SPEC, namespaces: MANY.join(',') });
  await distributed('many');
  await removeDefinition();
  const made = kubectl(['create', '-f', '-'], JSON.stringify(readCrd()));
  // Each edit is undone at once: so there are writes before, while and after the new definition is listed.
  for (const name of MANY) {
    const data = { '.dockerconfigjson': 'e30=' };
    await world.cluster.patch('secrets', 'tcr.ipsmany', { data }, name);
  }
  await made;
  await eventually('the kind is served again', async () => {
    const lines = await replica.lines();
    return (
      lines.findLast(
        ({ message }) =>
          message === 'Looked for ImagePullSecret resources' || message === 'Definition of ImagePullSecret is gone',
      )?.state === 'served'
    );
  });
  await settled(world);
  const left = await Promise.all(MANY.map((name) => world.cluster.get('secrets', 'tcr.ipsmany', name)));
  expect(left.filter((one) => one === undefined)).toEqual([]);
});
