// Our Secrets are put right in place; Secrets of others under the same names are adopted where that is allowed, else left alone.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { authsOf, type TestObject } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, registryInfo, settled } from '../support/expectations.ts';
import { eventsIn, programWrites } from '../support/program-calls.ts';
import { startWorld, type World } from '../support/world.ts';

const STATIC_SECRET = 'registry-credentials';
const TYPE = 'kubernetes.io/dockerconfigjson';
const MANAGED = {
  'app.kubernetes.io/managed-by': 'registry-credential-helper',
  'app.kubernetes.io/instance': 'default',
};
const FOREIGN_DATA = {
  '.dockerconfigjson': Buffer.from('{"auths":{"theirs.example":{"auth":"dTpw"}}}').toString('base64'),
};

jest.setTimeout(60_000);

let world: World;

beforeAll(async () => {
  world = await startWorld();
  await world.putAccessKey();
  const stringData = { username: 'puller', password: 'not-a-real-password' };
  await world.cluster.create('secrets', { metadata: { name: 'static-login' }, stringData }, 'kube-system');
  // What no running controller would leave behind.
  await world.cluster.namespace('wrong-type', { tenant: 'yes' });
  await world.cluster.create(
    'secrets',
    { metadata: { name: ACR_SECRET, labels: MANAGED }, type: 'Opaque' },
    'wrong-type',
  );
  await configure();
  await world.startController();
}, 120_000);
afterAll(() => world.stop());

const configure = (more: Readonly<Record<string, string>> = {}): Promise<void> =>
  world.configure({
    'watch-namespace-selector': 'tenant=yes',
    'acr-registry-info': registryInfo(world),
    'registry-info': '- provider: static\n  domains: static.example\n  secretRef: {name: static-login}\n',
    ...more,
  });

/** A namespace that gets into scope after `prepare`. */
async function tenant(name: string, prepare: () => Promise<unknown> = () => Promise.resolve()): Promise<void> {
  await world.cluster.namespace(name);
  await world.cluster.serviceAccount(name, 'default', ['foreign']);
  await prepare();
  await world.cluster.patch('namespaces', name, { metadata: { labels: { tenant: 'yes' } } });
}

const secretOf = (namespace: string, name: string): Promise<TestObject | undefined> =>
  world.cluster.get('secrets', name, namespace);

/** Waits for a Secret that is ours and right; returns it. */
function right(namespace: string, name: string): Promise<TestObject> {
  return eventually(`Secret ${namespace}/${name} is right`, async () => {
    const secret = await secretOf(namespace, name);
    if (secret?.type !== TYPE || secret.immutable === true) return undefined;
    expect(secret.metadata.labels).toMatchObject(MANAGED);
    // Of the very Secret that is returned: a second read may see a later state.
    const hosts = Object.keys(authsOf(secret) ?? {});
    expect(hosts[0]).toMatch(name === STATIC_SECRET ? /^static\.example$/ : /^acme-registry.*\.aliyuncs\.com$/);
    return secret;
  });
}

const served = async (namespace: string): Promise<void> => {
  await Promise.all([right(namespace, ACR_SECRET), right(namespace, STATIC_SECRET)]);
};

const putForeign = (namespace: string, name: string, more: Readonly<Record<string, unknown>> = {}) =>
  world.cluster.create('secrets', { metadata: { name }, type: TYPE, data: FOREIGN_DATA, ...more }, namespace);

const nameTaken = (namespace: string, name: string) =>
  eventually(`an Event says that ${namespace}/${name} is taken`, async () =>
    (await eventsIn(world, namespace)).find(
      (event) => event.reason === 'NameTaken' && event.involvedObject.name === name,
    ),
  );

describe('our Secret', () => {
  test.each([ACR_SECRET, STATIC_SECRET])('%s that loses our labels gets them back in place', async (name) => {
    const namespace = `stripped-${name.slice(0, 3)}`;
    await tenant(namespace);
    const before = await right(namespace, name);
    const labels = { 'app.kubernetes.io/managed-by': null };
    await world.cluster.patch('secrets', name, { metadata: { labels } }, namespace);
    expect((await right(namespace, name)).metadata.uid).toBe(before.metadata.uid);
    await settled(world);
    expect(await world.cluster.references(namespace, 'default')).toContain(name);
    expect((await eventsIn(world, namespace)).map(({ reason }) => reason)).not.toContain('NameTaken');
  });

  test('that is edited is put right in place, without a cloud call', async () => {
    await tenant('edited');
    await served('edited');
    const before = await right('edited', ACR_SECRET);
    const calls = world.clouds.cr.calls().length;
    await world.cluster.patch('secrets', ACR_SECRET, { data: FOREIGN_DATA }, 'edited');
    const after = await right('edited', ACR_SECRET);
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(after.data).toEqual(before.data);
    expect(world.clouds.cr.calls()).toHaveLength(calls);
  });

  test('that loses our annotations gets them back in place', async () => {
    await tenant('unannotated');
    const before = await right('unannotated', STATIC_SECRET);
    const annotations = Object.fromEntries(Object.keys(before.metadata.annotations ?? {}).map((key) => [key, null]));
    await world.cluster.patch('secrets', STATIC_SECRET, { metadata: { annotations } }, 'unannotated');
    await eventually('the annotations are back', async () => {
      const after = await right('unannotated', STATIC_SECRET);
      expect(after.metadata.annotations).toEqual(before.metadata.annotations);
      expect(after.metadata.uid).toBe(before.metadata.uid);
      return true;
    });
  });

  test('that is deleted is written again, and the references stay', async () => {
    await tenant('deleted');
    await served('deleted');
    // The references come after the Secrets.
    const mark = await settled(world);
    await world.cluster.remove('secrets', ACR_SECRET, 'deleted');
    await right('deleted', ACR_SECRET);
    await settled(world);
    expect(await world.cluster.references('deleted', 'default')).toEqual(['foreign', ACR_SECRET, STATIC_SECRET]);
    expect((await programWrites(world, mark)).map(({ verb, resource }) => `${verb} ${resource ?? ''}`)).toEqual([
      'create secrets',
    ]);
  });

  test('that somebody made immutable with other content is replaced', async () => {
    await tenant('immutable');
    const before = await right('immutable', ACR_SECRET);
    await world.cluster.patch('secrets', ACR_SECRET, { immutable: true, data: FOREIGN_DATA }, 'immutable');
    expect((await right('immutable', ACR_SECRET)).metadata.uid).not.toBe(before.metadata.uid);
  });

  test('that was left behind with the wrong type is replaced', async () => {
    await right('wrong-type', ACR_SECRET);
  });
});

describe("somebody else's Secret under our name", () => {
  test('is left alone: an Event names it, and no ServiceAccount refers to it', async () => {
    await tenant('taken', () => putForeign('taken', STATIC_SECRET));
    const before = await secretOf('taken', STATIC_SECRET);
    const event = await nameTaken('taken', STATIC_SECRET);
    expect(event.involvedObject).toMatchObject({ kind: 'Secret', uid: before?.metadata.uid });
    await right('taken', ACR_SECRET);
    await settled(world);
    expect(await world.cluster.references('taken', 'default')).toEqual(['foreign', ACR_SECRET]);
    expect(await secretOf('taken', STATIC_SECRET)).toEqual(before);
  });

  test("[acr O2] is adopted in place when the name is a vendor's and the type is right", async () => {
    await tenant('vendor', () => putForeign('vendor', ACR_SECRET));
    const before = await secretOf('vendor', ACR_SECRET);
    await served('vendor');
    const after = await right('vendor', ACR_SECRET);
    expect(after.metadata.uid).toBe(before?.metadata.uid);
    expect(Object.keys((await world.cluster.auths('vendor', ACR_SECRET)) ?? {})).not.toContain('theirs.example');
  });

  test("is left alone when its type is wrong, also under a vendor's name", async () => {
    const data = { theirs: 'YQ==' };
    await tenant('vendor-type', () => putForeign('vendor-type', ACR_SECRET, { type: 'Opaque', data }));
    await nameTaken('vendor-type', ACR_SECRET);
    await right('vendor-type', STATIC_SECRET);
    await settled(world);
    expect(await secretOf('vendor-type', ACR_SECRET)).toMatchObject({ type: 'Opaque', data });
    expect(await world.cluster.references('vendor-type', 'default')).toEqual(['foreign', STATIC_SECRET]);
  });

  test('is left alone or adopted as `adopt-existing` says', async () => {
    await configure({ 'adopt-existing': 'none' });
    await tenant('adopt', async () => {
      await putForeign('adopt', ACR_SECRET);
      await putForeign('adopt', STATIC_SECRET);
    });
    await Promise.all([nameTaken('adopt', ACR_SECRET), nameTaken('adopt', STATIC_SECRET)]);
    await settled(world);
    const [acr, other] = await Promise.all([secretOf('adopt', ACR_SECRET), secretOf('adopt', STATIC_SECRET)]);
    expect(acr?.data).toEqual(FOREIGN_DATA);
    expect(other?.data).toEqual(FOREIGN_DATA);
    expect(await world.cluster.references('adopt', 'default')).toEqual(['foreign']);

    await configure({ 'adopt-existing': 'all' });
    await served('adopt');
    expect((await secretOf('adopt', ACR_SECRET))?.metadata.uid).toBe(acr?.metadata.uid);
    expect((await secretOf('adopt', STATIC_SECRET))?.metadata.uid).toBe(other?.metadata.uid);
    await configure();
  });

  test('makes room: when it is gone, the next look writes ours', async () => {
    await tenant('freed', () => putForeign('freed', STATIC_SECRET));
    await nameTaken('freed', STATIC_SECRET);
    await world.cluster.remove('secrets', STATIC_SECRET, 'freed');
    await configure({ 'expiring-threshold': '14m' });
    await served('freed');
    await eventually('the reference is there', async () =>
      (await world.cluster.references('freed', 'default')).includes(STATIC_SECRET),
    );
  });

  test('that carries the labels of another installation is left alone, whatever may be adopted', async () => {
    const labels = { ...MANAGED, 'app.kubernetes.io/instance': 'other' };
    await configure({ 'adopt-existing': 'all' });
    await tenant('other', () => putForeign('other', ACR_SECRET, { metadata: { name: ACR_SECRET, labels } }));
    await nameTaken('other', ACR_SECRET);
    await settled(world);
    expect(await secretOf('other', ACR_SECRET)).toMatchObject({ data: FOREIGN_DATA, metadata: { labels } });
    await configure();
  });
});
