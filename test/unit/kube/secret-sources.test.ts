// A Secret that could not be read at first.
import { expect, test } from '@jest/globals';
import { KubeError } from '../../../src/core/errors.ts';
import type { KubeObject } from '../../../src/kube/client.ts';
import { SecretSources, type SourceSecret } from '../../../src/kube/secret-sources.ts';
import { eventually } from '../../support/eventually.ts';
import { createFakeClient } from './fake-client.ts';

const REFERENCE = { namespace: 'home', name: 'login' };
const { signal } = new AbortController();
const LOGIN = {
  metadata: { ...REFERENCE, uid: 'u', resourceVersion: '1' },
  data: { password: Buffer.from('fake-password').toString('base64') },
};

test.each([
  ['and is there', [LOGIN], { password: 'fake-password' }],
  ['and is not there', [], undefined],
])('one that may be read at last, %s, is told once, and read from within the telling', async (_when, items, data) => {
  let isAllowed = false;
  const client = createFakeClient((): KubeObject => {
    if (!isAllowed) throw new KubeError('Forbidden', 'no', { status: 403 });
    return { metadata: { resourceVersion: '1' }, items };
  });
  const reads: Promise<SourceSecret | undefined>[] = [];
  const sources = new SecretSources({
    client,
    onChange: (reference) => void reads.push(sources.read(reference, signal)),
    report: () => undefined,
    now: Date.now,
    random: () => 0,
  });
  await expect(sources.read(REFERENCE, signal)).rejects.toMatchObject({ reason: 'Forbidden' });
  isAllowed = true;
  await eventually('it is followed', () => client.watches.length === 1);
  expect((await Promise.all(reads)).map((secret) => secret?.data)).toStrictEqual([data]);
  await sources.stop();
});
