// What leaves the scope is cleaned, references first; what is somebody else's stays; a namespace that is being deleted is let go.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, registryInfo, secretsEverywhere, settled } from '../support/expectations.ts';
import { markCalls, programCalls, programWrites } from '../support/program-calls.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

const STATIC_SECRET = 'registry-credentials';
const STATIC = '- provider: static\n  domains: static.example\n  secretRef: {name: static-login}\n';

jest.setTimeout(60_000);

let world: World;
let replica: Replica;

beforeAll(async () => {
  world = await startWorld();
  await world.putAccessKey();
  const stringData = { username: 'puller', password: 'not-a-real-password' };
  for (const name of ['static-login', 'second-login']) {
    await world.cluster.create('secrets', { metadata: { name }, stringData }, 'kube-system');
  }
  await configure('*, !kube-*, !default');
  replica = await world.startController();
}, 120_000);
afterAll(() => world.stop());

const configure = (namespaces: string, more: Readonly<Record<string, string>> = {}): Promise<void> =>
  world.configure({
    'watch-namespace': namespaces,
    'service-account': '*',
    'acr-registry-info': registryInfo(world),
    'registry-info': STATIC,
    ...more,
  });

/** A namespace with two ServiceAccounts and a foreign Secret; waits until it is served. */
async function tenant(name: string): Promise<void> {
  await world.cluster.namespace(name);
  await world.cluster.create('secrets', { metadata: { name: 'foreign' }, stringData: { a: 'b' } }, name);
  await world.cluster.serviceAccount(name, 'app', ['foreign']);
  await world.cluster.serviceAccount(name, 'default');
  await secretsEverywhere(world, [name]);
  await secretsEverywhere(world, [name], STATIC_SECRET);
}

const secretsIn = async (namespace: string): Promise<readonly string[]> =>
  (await world.cluster.list('secrets', namespace)).map(({ metadata }) => metadata.name).sort();

/** Waits until nothing of ours is in the namespace, and everything else still is. */
const cleaned = (name: string): Promise<boolean> =>
  eventually(`${name} is clean`, async () => {
    expect(await secretsIn(name)).toEqual(['foreign']);
    expect(await world.cluster.references(name, 'app')).toEqual(['foreign']);
    expect(await world.cluster.references(name, 'default')).toEqual([]);
    for (const account of await world.cluster.list('serviceaccounts', name)) {
      expect(account.metadata.annotations).toBeUndefined();
    }
    return true;
  });

/** In each namespace every reference went before the first Secret did. */
async function expectReferencesFirst(mark: number, namespaces: readonly string[]): Promise<void> {
  const writes = await programWrites(world, mark);
  for (const namespace of namespaces) {
    const kinds = writes.filter((event) => event.namespace === namespace).map(({ resource }) => resource);
    expect(kinds).toEqual(['serviceaccounts', 'serviceaccounts', 'secrets', 'secrets']);
  }
}

describe('the scope', () => {
  const leaving = ['leaving-0', 'leaving-1', 'leaving-2'];

  test('[acr S1] that is edited lets namespaces go: references first, then Secrets; foreign ones and the others stay', async () => {
    await Promise.all([...leaving, 'staying'].map(tenant));
    const mark = await settled(world);
    await configure('staying');
    await Promise.all(leaving.map(cleaned));
    await settled(world);
    await expectReferencesFirst(mark, leaving);
    expect((await programWrites(world, mark)).filter(({ namespace }) => namespace === 'staying')).toEqual([]);
    expect(await secretsIn('staying')).toEqual([ACR_SECRET, 'foreign', STATIC_SECRET]);
  });

  test('[acr S1] that is edited while the controller is down is applied when it comes back', async () => {
    await configure('staying, leaving-*');
    await secretsEverywhere(world, leaving);
    await secretsEverywhere(world, leaving, STATIC_SECRET);
    await settled(world);
    await replica.stop();
    const mark = await markCalls(world);
    await configure('staying');
    replica = await world.startController();
    await Promise.all(leaving.map(cleaned));
    await settled(world);
    await expectReferencesFirst(mark, leaving);
    expect((await programWrites(world, mark)).filter(({ namespace }) => namespace === 'staying')).toEqual([]);
    await configure('*, !kube-*, !default');
    await secretsEverywhere(world, leaving);
  });

  test('lets a namespace go that asks to be left alone, and takes it back when it no longer does', async () => {
    await tenant('shy');
    const ignore = (value: string | null) =>
      world.cluster.patch('namespaces', 'shy', {
        metadata: { labels: { 'registry-credential-helper.io/ignore': value } },
      });
    await ignore('true');
    await cleaned('shy');
    await ignore(null);
    await secretsEverywhere(world, ['shy']);
    expect(await world.cluster.references('shy', 'app')).toEqual(['foreign', ACR_SECRET, STATIC_SECRET]);
  });
});

describe('a registry', () => {
  const twoRegistries = `${STATIC}- provider: static\n  domains: second.example\n  secretRef: {name: second-login}\n`;
  const hosts = async (): Promise<readonly string[]> =>
    Object.keys((await world.cluster.auths('registries', STATIC_SECRET)) ?? {}).sort();

  test('[acr S2] that is removed leaves the document, and nothing else changes', async () => {
    await tenant('registries');
    await configure('registries', { 'registry-info': twoRegistries });
    await eventually('both are there', async () => (await hosts()).length === 2);
    const before = await world.cluster.get('secrets', STATIC_SECRET, 'registries');
    const mark = await settled(world);
    await configure('registries');
    await eventually('the second one is gone', async () => (await hosts()).length === 1);
    expect(await hosts()).toEqual(['static.example']);
    expect((await world.cluster.get('secrets', STATIC_SECRET, 'registries'))?.metadata.uid).toBe(before?.metadata.uid);
    await settled(world);
    expect(await programWrites(world, mark)).toHaveLength(1);
  });

  test('[acr S2] list that is empty removes everything of its Secret, and an item that is wrong removes nothing', async () => {
    await configure('registries', { 'registry-info': '- provider: static\n  domains: static.example\n' });
    await settled(world);
    expect(await secretsIn('registries')).toEqual([ACR_SECRET, 'foreign', STATIC_SECRET]);

    await configure('registries', { 'registry-info': '[]' });
    await eventually('the Secret is gone', async () => !(await secretsIn('registries')).includes(STATIC_SECRET));
    expect(await world.cluster.references('registries', 'app')).toEqual(['foreign', ACR_SECRET]);

    await configure('registries', { 'registry-info': '[]', 'acr-registry-info': '[]' });
    await cleaned('registries');
    await configure('*, !kube-*, !default');
    await secretsEverywhere(world, ['registries'], STATIC_SECRET);
  });
});

describe('a namespace that is being deleted', () => {
  test('is not written to, makes no errors, and holds up nobody', async () => {
    await tenant('ending');
    await settled(world);
    // Without kube-controller-manager nobody ends it: it stays as it is for as long as the test looks.
    await world.cluster.remove('namespaces', 'ending');
    // The program has seen it: what is counted from here is what it does of its own accord.
    const mark = await settled(world);
    await world.cluster.remove('secrets', ACR_SECRET, 'ending');
    await world.cluster.patch('serviceaccounts', 'app', { imagePullSecrets: [] }, 'ending');
    await tenant('elsewhere');
    await configure('*, !kube-*, !default, !ending');
    await settled(world);
    await configure('*, !kube-*, !default');
    await settled(world);
    expect((await programCalls(world, mark)).filter(({ namespace }) => namespace === 'ending')).toEqual([]);
    expect(await secretsIn('ending')).toEqual(['foreign', STATIC_SECRET]);
  });

  test('as soon as it was made is not fought for', async () => {
    const mark = await settled(world);
    const names = Array.from({ length: 30 }, (_, index) => `brief-${index}`);
    await Promise.all(
      names.map(async (name) => {
        await world.cluster.namespace(name);
        await world.cluster.serviceAccount(name, 'default');
        await world.cluster.remove('namespaces', name);
      }),
    );
    await settled(world);
    const calls = (await programCalls(world, mark)).filter(({ namespace }) => namespace?.startsWith('brief-') === true);
    expect(calls.length).toBeLessThanOrEqual(4 * names.length);
    const failures = (await replica.lines()).filter(({ message }) => message === 'Write failed');
    expect(failures).toEqual([]);
  });
});
