// What tells this cluster from every other one.
import { expect, test } from '@jest/globals';
import { KubeError } from '../../../src/core/errors.ts';
import { createClusterIdReader } from '../../../src/kube/cluster-id.ts';
import { createFakeClient } from './fake-client.ts';

const { signal } = new AbortController();
const UID = '0b5c7a1e-1111-4222-8333-444444444444';

test('is the UID of the namespace kube-system, read once', async () => {
  const client = createFakeClient(() => ({ items: [{ metadata: { name: 'kube-system', uid: UID } }] }));
  const read = createClusterIdReader(client);
  expect([await read(signal), await read(signal)]).toEqual([UID, UID]);
  expect(client.calls).toMatchObject([
    { method: 'GET', path: '/api/v1/namespaces', query: { fieldSelector: 'metadata.name=kube-system' } },
  ]);
});

test('is asked for again after a failure', async () => {
  const answers = [new KubeError('Unavailable', 'no answer'), undefined];
  const client = createFakeClient(() => {
    const failure = answers.shift();
    if (failure !== undefined) throw failure;
    return { items: [{ metadata: { name: 'kube-system', uid: UID } }] };
  });
  const read = createClusterIdReader(client);
  await expect(read(signal)).rejects.toMatchObject({ reason: 'Unavailable' });
  expect(await read(signal)).toBe(UID);
});

test.each([
  [{}],
  [{ items: [] }],
  [{ items: [null] }],
  [{ items: [{ metadata: { name: 'default', uid: UID } }] }],
  [{ items: [{ metadata: { name: 'kube-system', uid: 'a]/b' } }] }],
])('is not taken from %j', async (answer) => {
  const read = createClusterIdReader(createFakeClient(() => answer));
  await expect(read(signal)).rejects.toMatchObject({ reason: 'NotFound' });
});
