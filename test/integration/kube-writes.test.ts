// Guarded writes against a real API server: what it answers when the world has moved.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { stateLabels } from '../../src/core/names.ts';
import { isRecord } from '../../src/core/records.ts';
import type { SecretContent } from '../../src/core/plan-types.ts';
import { createKubeClient, type KubeClient, type KubeObject } from '../../src/kube/client.ts';
import { loadKubeConfig } from '../../src/kube/kube-config.ts';
import { checkPermissions } from '../../src/kube/check-permissions.ts';
import { REQUIRED_PERMISSIONS } from '../../src/kube/permissions.ts';
import { EventRecorder, type RecorderEvent } from '../../src/kube/events.ts';
import { projectServiceAccount } from '../../src/kube/projections.ts';
import { createStateSecret } from '../../src/kube/state-secret.ts';
import {
  createSecret,
  deleteSecret,
  patchServiceAccount,
  readSecret,
  readFieldManagers,
  replaceSecret,
  updateSecret,
} from '../../src/kube/writes.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane/control-plane.ts';

const signal = new AbortController().signal;
const NOBODY = 'nobody';
let plane: ControlPlane;
let client: KubeClient;
let namespace: string;
let count = 0;

beforeAll(async () => {
  plane = await startControlPlane({ users: [{ name: NOBODY }] });
  client = connect(plane.adminKubeconfig);
}, 60_000);
afterAll(async () => {
  await client.close();
  await plane.stop();
});
beforeEach(async () => {
  count += 1;
  namespace = `n${count}`;
  await client.call({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } });
});

function connect(file: string): KubeClient {
  return createKubeClient({ kubeConfig: loadKubeConfig({ inCluster: false, file }), userAgent: 'test' });
}

function content(password = 'one'): SecretContent {
  const auths = { 'r.example': { auth: Buffer.from(`u:${password}`).toString('base64') } };
  return { labels: { ours: 'yes' }, annotations: { ours: 'yes' }, dockerConfigJson: JSON.stringify({ auths }) };
}

/** What a planned write knows of an object. */
function seen(object: KubeObject) {
  const { name, uid, resourceVersion } = isRecord(object.metadata) ? object.metadata : {};
  return { namespace, name: String(name), uid: String(uid), resourceVersion: String(resourceVersion) };
}

describe('the Secret of the master copy', () => {
  const collection = () => `/api/v1/namespaces/${namespace}/secrets`;
  const keep = () => createStateSecret(client, { namespace, name: 'copy', instance: 'blue' });
  const labels = stateLabels('blue');
  const write = (calls: ReturnType<typeof keep>, text: string): Promise<void> =>
    calls.write({ labels, data: { 'credentials.json': text, 'configuration.json': '{}' } }, signal);
  const live = () => client.call({ method: 'GET', path: `${collection()}/copy`, signal });

  test('is created, read back by the next leader, and written on', async () => {
    const calls = keep();
    expect(await calls.read(signal)).toBeUndefined();
    await write(calls, 'one');
    await write(calls, 'two');
    const next = keep();
    expect(await next.read(signal)).toEqual({ 'credentials.json': 'two', 'configuration.json': '{}' });
    await write(next, 'three');
    expect(await live()).toMatchObject({ type: 'Opaque', metadata: { labels } });
    // Somebody else wrote meanwhile, or it was deleted: the world is looked at again.
    await write(calls, 'four');
    await client.call({ method: 'DELETE', path: `${collection()}/copy`, signal });
    await write(calls, 'five');
    expect(await keep().read(signal)).toMatchObject({ 'credentials.json': 'five' });
  });

  test('that is somebody else’s is neither read nor overwritten, until it is gone', async () => {
    const theirs = { metadata: { name: 'copy' }, stringData: { 'credentials.json': 'theirs' } };
    const before = await client.call({ method: 'POST', path: collection(), body: theirs, signal });
    for (const calls of [keep(), await read(keep())]) {
      await expect(write(calls, 'ours')).rejects.toMatchObject({
        reason: 'AlreadyExists',
        message: expect.stringMatching(/Secret n\d+\/copy is somebody else's and is left alone: rename or delete it/),
      });
      expect(await live()).toEqual(before);
    }
    const calls = await read(keep());
    await client.call({ method: 'DELETE', path: `${collection()}/copy`, signal });
    await write(calls, 'ours');
    expect(await keep().read(signal)).toMatchObject({ 'credentials.json': 'ours' });

    async function read(calls: ReturnType<typeof keep>): Promise<ReturnType<typeof keep>> {
      expect(await calls.read(signal)).toBeUndefined();
      return calls;
    }
  });

  test('that lost its labels is still ours, and gets them again', async () => {
    await write(keep(), 'one');
    const body = { metadata: { labels: Object.fromEntries(Object.keys(labels).map((key) => [key, null])) } };
    await client.call({ method: 'PATCH', path: `${collection()}/copy`, body, signal });
    const calls = keep();
    expect(await calls.read(signal)).toMatchObject({ 'credentials.json': 'one' });
    await write(calls, 'two');
    expect(await live()).toMatchObject({ metadata: { labels } });
  });
});

describe('a Secret', () => {
  const at = () => ({ namespace, name: 's' });

  test('is created once', async () => {
    const created = await createSecret(client, { ...at(), content: content() }, signal);
    expect(created).toMatchObject({ type: 'kubernetes.io/dockerconfigjson', metadata: { labels: { ours: 'yes' } } });
    await expect(createSecret(client, { ...at(), content: content() }, signal)).rejects.toMatchObject({
      reason: 'AlreadyExists',
    });
  });

  test('is updated in place: the same uid, and what others added stays', async () => {
    const created = await createSecret(client, { ...at(), content: content() }, signal);
    const path = `/api/v1/namespaces/${namespace}/secrets/s`;
    const edited = await client.call({ method: 'PATCH', path, body: { metadata: { labels: { theirs: 'yes' } } } });
    const updated = await updateSecret(client, { ...seen(edited), content: content('two') }, signal);
    expect(updated).toMatchObject({
      metadata: { uid: seen(created).uid, labels: { ours: 'yes', theirs: 'yes' } },
      data: { '.dockerconfigjson': Buffer.from(content('two').dockerConfigJson).toString('base64') },
    });
  });

  test('that has changed meanwhile is neither updated nor deleted', async () => {
    const stale = seen(await createSecret(client, { ...at(), content: content() }, signal));
    const path = `/api/v1/namespaces/${namespace}/secrets/s`;
    await client.call({ method: 'PATCH', path, body: { metadata: { labels: { theirs: 'yes' } } } });
    const conflict = { reason: 'Conflict' };
    await expect(updateSecret(client, { ...stale, content: content() }, signal)).rejects.toMatchObject(conflict);
    await expect(deleteSecret(client, stale, signal)).rejects.toMatchObject(conflict);
    await expect(replaceSecret(client, { ...stale, content: content() }, signal)).rejects.toMatchObject(conflict);
  });

  test('that is another one by now is not deleted', async () => {
    const first = seen(await createSecret(client, { ...at(), content: content() }, signal));
    await deleteSecret(client, first, signal);
    await createSecret(client, { ...at(), content: content() }, signal);
    await expect(deleteSecret(client, first, signal)).rejects.toMatchObject({ reason: 'Conflict' });
  });

  test('of another type is replaced, under a new uid', async () => {
    const path = `/api/v1/namespaces/${namespace}/secrets`;
    const wrong = await client.call({ method: 'POST', path, body: { metadata: { name: 's' }, type: 'Opaque' } });
    const replaced = await replaceSecret(client, { ...seen(wrong), content: content() }, signal);
    expect(replaced).toMatchObject({ type: 'kubernetes.io/dockerconfigjson' });
    expect(seen(replaced).uid).not.toBe(seen(wrong).uid);
  });

  test('is read by its name, or is not there', async () => {
    expect(await readSecret(client, at(), signal)).toBeUndefined();
    await createSecret(client, { ...at(), content: content() }, signal);
    expect(await readSecret(client, at(), signal)).toMatchObject({ kind: 'Secret' });
  });

  test('in a namespace that ends is refused as such', async () => {
    const path = `/api/v1/namespaces/${namespace}`;
    // Without a controller manager it stays like this for ever.
    await client.call({ method: 'DELETE', path });
    await expect(createSecret(client, { ...at(), content: content() }, signal)).rejects.toMatchObject({
      reason: 'NamespaceTerminating',
      status: 403,
    });
  });

  test('that is invalid is refused without a word of its content', async () => {
    const broken = { ...content(), dockerConfigJson: 'hunter2' };
    const refused = createSecret(client, { ...at(), content: broken }, signal);
    await expect(refused).rejects.toMatchObject({ reason: 'Invalid' });
    await expect(refused).rejects.toThrow(/data\[\.dockerconfigjson\]/);
    await expect(refused).rejects.not.toThrow(/hunter2/);
  });

  test('names who writes its content', async () => {
    await createSecret(client, { ...at(), content: content() }, signal);
    const managers = () => readFieldManagers(client, { kind: 'Secret', ...at() }, signal);
    expect(await managers()).toEqual(['registry-credential-helper']);
    const path = `/api/v1/namespaces/${namespace}/secrets/s`;
    const labels = { theirs: 'yes' };
    await client.call({ method: 'PATCH', path, query: { fieldManager: 'labels' }, body: { metadata: { labels } } });
    expect(await managers()).toEqual(['registry-credential-helper']);
    const data = { '.dockerconfigjson': Buffer.from('{"auths":{}}').toString('base64') };
    await client.call({ method: 'PATCH', path, query: { fieldManager: 'someone' }, body: { data } });
    expect(await managers()).toEqual(['someone']);
  });
});

describe('a ServiceAccount', () => {
  const path = () => `/api/v1/namespaces/${namespace}/serviceaccounts`;
  const create = (imagePullSecrets: readonly { name?: string }[]) =>
    client.call({
      method: 'POST',
      path: path(),
      query: { fieldManager: 'someone' },
      body: { metadata: { name: 'x' }, imagePullSecrets },
    });

  test('gets the whole list and our record in one patch, and loses both again', async () => {
    const account = await create([{ name: 'theirs' }]);
    const write = { ...seen(account), imagePullSecrets: ['theirs', 'ours'], recorded: ['ours'], instance: 'main' };
    const patched = await patchServiceAccount(client, write, signal);
    expect(patched).toMatchObject({
      imagePullSecrets: [{ name: 'theirs' }, { name: 'ours' }],
      metadata: { annotations: { 'registry-credential-helper.io/references.main': 'ours' } },
    });
    const back = { ...seen(patched), imagePullSecrets: ['theirs'], recorded: [], instance: 'main' };
    const removed = await patchServiceAccount(client, back, signal);
    expect(removed).toMatchObject({ imagePullSecrets: [{ name: 'theirs' }] });
    expect(removed.metadata).not.toHaveProperty('annotations');
  });

  test('keeps entries without a name, which the API server takes', async () => {
    const account = await create([{}, { name: 'theirs' }, { name: '' }]);
    const observed = projectServiceAccount('main')(account)?.value.imagePullSecrets ?? [];
    const write = { ...seen(account), imagePullSecrets: [...observed, 'ours'], recorded: ['ours'], instance: 'main' };
    const patched = await patchServiceAccount(client, write, signal);
    expect(patched.imagePullSecrets).toEqual([{}, { name: 'theirs' }, {}, { name: 'ours' }]);
  });

  test('that has changed meanwhile is not patched: another writer keeps its entry', async () => {
    const stale = seen(await create([]));
    const one = { method: 'PATCH', path: `${path()}/x` } as const;
    await client.call({ ...one, body: { imagePullSecrets: [{ name: 'theirs' }] } });
    const write = { ...stale, imagePullSecrets: ['ours'], recorded: ['ours'], instance: 'main' };
    await expect(patchServiceAccount(client, write, signal)).rejects.toMatchObject({ reason: 'Conflict' });
    expect(await client.call({ method: 'GET', path: `${path()}/x` })).toMatchObject({
      imagePullSecrets: [{ name: 'theirs' }],
    });
  });

  test('names who writes its list', async () => {
    const account = await create([{ name: 'theirs' }]);
    expect(await readFieldManagers(client, { kind: 'ServiceAccount', namespace, name: 'x' }, signal)).toEqual([
      'someone',
    ]);
    const write = { ...seen(account), imagePullSecrets: ['ours'], recorded: ['ours'], instance: 'main' };
    await patchServiceAccount(client, write, signal);
    expect(await readFieldManagers(client, { kind: 'ServiceAccount', namespace, name: 'x' }, signal)).toContain(
      'registry-credential-helper',
    );
  });

  test('that is not there is NotFound', async () => {
    const write = { namespace, name: 'x', uid: 'u', resourceVersion: '1', imagePullSecrets: [], recorded: [] };
    await expect(patchServiceAccount(client, { ...write, instance: 'main' }, signal)).rejects.toMatchObject({
      reason: 'NotFound',
    });
  });
});

describe('what we are allowed to do', () => {
  test('everything, as one who may do everything', async () => {
    expect(await checkPermissions(client, { ownNamespace: namespace, signal })).toEqual([]);
  });

  test('nothing, as nobody, each with a sentence', async () => {
    const nobody = connect(plane.kubeconfig(NOBODY));
    const missing = await checkPermissions(nobody, { ownNamespace: namespace, signal });
    await nobody.close();
    expect(missing.map(({ permission }) => permission)).toEqual(REQUIRED_PERMISSIONS);
    expect(missing[0]?.message).toBe(
      'may not list namespaces in every namespace: this is needed to know which namespaces there are',
    );
  });
});

test('an Event is taken by the API server, for namespaced objects and for others', async () => {
  const reported: RecorderEvent[] = [];
  const recorder = new EventRecorder<'NameTaken'>({
    client,
    identity: 'pod',
    now: () => Date.now(),
    report: (event) => void reported.push(event),
  });
  await client
    .call({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: 'default' } } })
    .catch(() => 0);
  const common = { apiVersion: 'v1', name: 'x', uid: 'u' };
  const event = { type: 'Warning', reason: 'NameTaken', message: 'no' } as const;
  recorder.record({ ...event, object: { ...common, kind: 'Secret', namespace } });
  recorder.record({ ...event, object: { ...common, kind: 'Namespace', namespace: '', uid: 'v' } });
  await recorder.idle();
  expect(reported).toEqual(Array(2).fill({ type: 'posted', reason: 'NameTaken' }));
});
