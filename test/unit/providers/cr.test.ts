// The registry API's answers: what is no token is not taken for one.
import { describe, expect, test } from '@jest/globals';
import type { AlibabaClient } from '../../../src/providers/alibaba/cloud-request.ts';
import { createCrClient } from '../../../src/providers/alibaba/cr.ts';
import { WORLD_NOW } from '../../support/provider-world.ts';

const { signal } = new AbortController();
const endpoint = { scheme: 'https', address: 'cr.example', host: 'cr.example', ca: undefined } as const;
const key = { accessKeyId: 'LTAIfake', accessKeySecret: 'fake', origin: 'a test', account: 'a test' };
const call = { region: 'cn-hangzhou', endpoints: [endpoint], key, now: WORLD_NOW };

/** A cloud that gives this document, whatever it is asked. */
function answering(document: Readonly<Record<string, unknown>>) {
  const client: AlibabaClient = {
    call: ({ action, subject, now }) =>
      Promise.resolve({ document, context: { action, subject, endpoint, origin: 'a test', now } }),
  };
  return createCrClient(client);
}

const TOKEN = { TempUsername: 'cr_temp_user', AuthorizationToken: 'fake-token', ExpireTime: WORLD_NOW + 3_600_000 };

describe('a token', () => {
  test('of either edition is read under the names that it has there', async () => {
    const expected = { username: 'cr_temp_user', token: 'fake-token', expiresAt: TOKEN.ExpireTime };
    const enterprise = answering(TOKEN).getAuthorizationToken({ ...call, instanceId: 'cri-a' }, signal);
    expect(await enterprise).toEqual(expected);
    const data = { tempUserName: 'cr_temp_user', authorizationToken: 'fake-token', expireDate: TOKEN.ExpireTime };
    expect(await answering({ data }).getPersonalToken(call, signal)).toEqual(expected);
  });

  test.each<[string, object]>([
    ['without a user', { TempUsername: '' }],
    ['whose user has a colon', { TempUsername: 'a:b' }],
    ['that is empty', { AuthorizationToken: '' }],
    ['without an end', { ExpireTime: undefined }],
    ['that ends in no time that there is', { ExpireTime: 9_007_199_254_740_991 }],
    ['that has never begun', { ExpireTime: -1 }],
  ])('%s is none', async (_name, more) => {
    const attempt = answering({ ...TOKEN, ...more }).getAuthorizationToken({ ...call, instanceId: 'cri-a' }, signal);
    await expect(attempt).rejects.toMatchObject({
      reason: 'CloudUnavailable',
      message: expect.stringContaining('no usable'),
    });
  });
});
