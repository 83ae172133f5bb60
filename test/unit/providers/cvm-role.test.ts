// The CAM role of a node: what the metadata service gives, and every way in which it has nothing to give.
import { describe, expect, test } from '@jest/globals';
import { createCvmRoleIdentity } from '../../../src/providers/tencent/cvm-role.ts';
import { WORLD_NOW } from '../../support/provider-world.ts';
import { NODE, nodeSession, PLACE, ROLES_PATH, tencentWorld } from './tencent-world.ts';

const { signal } = new AbortController();
const ROLE_PATH = `${ROLES_PATH}node-role`;
const MINUTE = 60_000;
const identity = createCvmRoleIdentity();
const ask = (world: ReturnType<typeof tencentWorld>['world']) => identity.fetchKey(world, PLACE, signal);

describe('[tcr W6] the CAM role of the node', () => {
  test('is asked for at the metadata service, once in its life', async () => {
    const { world, state } = tencentWorld({}, { metadata: NODE });
    const key = await ask(world);
    expect(await ask(world)).toEqual(key);
    expect(key).toEqual({
      ...{ secretId: 'fake-node-id', secretKey: 'fake-node-key', token: 'fake-node-token' },
      ...{ origin: 'the CAM role node-role of the node', account: 'cvm-role' },
    });
    expect(state.urls).toEqual([ROLES_PATH, ROLE_PATH].map((path) => `http://metadata.tencentyun.com${path}`));
    expect(state.secrets).toEqual(['fake-node-key', 'fake-node-token']);
  });

  test('is asked for where `--cloud-endpoints` says', async () => {
    const endpoints = { tencent: { metadata: { url: 'http://127.0.0.1:1' } } };
    const { world, state } = tencentWorld({ endpoints }, { metadata: NODE });
    await ask(world);
    expect(state.urls[0]).toBe(`http://127.0.0.1:1${ROLES_PATH}`);
  });

  test('is renewed before it ends, and kept when that fails', async () => {
    const { world, state } = tencentWorld({}, { metadata: NODE });
    await ask(world);
    state.now += 31 * MINUTE;
    state.metadata = undefined;
    expect((await ask(world)).secretId).toBe('fake-node-id');
    state.now += MINUTE;
    state.metadata = { ...NODE, [ROLE_PATH]: nodeSession({ TmpSecretId: 'fake-next', Code: 'Failed' }) };
    expect((await ask(world)).secretId).toBe('fake-node-id');
    state.now += MINUTE;
    const later = (WORLD_NOW + 120 * MINUTE) / 1_000;
    state.metadata = { ...NODE, [ROLE_PATH]: nodeSession({ TmpSecretId: 'fake-next', ExpiredTime: later }) };
    expect((await ask(world)).secretId).toBe('fake-next');
  });

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['as text', { ExpiredTime: String((WORLD_NOW + 3_600_000) / 1_000), Expiration: undefined }],
    ['only as a date', { ExpiredTime: undefined }],
  ])('may tell its end %s', async (_how, more) => {
    const { world, state } = tencentWorld({}, { metadata: { ...NODE, [ROLE_PATH]: nodeSession(more) } });
    await ask(world);
    state.now += 59 * MINUTE;
    state.metadata = { [ROLES_PATH]: { status: 500, text: '' } };
    expect((await ask(world)).secretId).toBe('fake-node-id');
    state.now += MINUTE;
    await expect(ask(world)).rejects.toMatchObject({ reason: 'CloudUnavailable' });
  });

  test.each<[string, Readonly<Record<string, string | { status: number; text: string }>>, string, RegExp]>([
    [
      'there is none',
      {},
      'IdentityUnavailable',
      /no CAM role on this node \(404 at \/latest\/meta-data\/cam\/security-credentials\/\): bind one/,
    ],
    [
      'it is unbound meanwhile',
      { [ROLES_PATH]: 'node-role' },
      'IdentityUnavailable',
      /no CAM role node-role .*\(404 at/,
    ],
    [
      'its Code is no success',
      { ...NODE, [ROLE_PATH]: nodeSession({ Code: 'InternalError' }) },
      'CloudUnavailable',
      /no session of the CAM role node-role \(\/latest.*node-role\): its Code is InternalError; it will be asked again/,
    ],
    [
      'it has no Code',
      { ...NODE, [ROLE_PATH]: nodeSession({ Code: undefined }) },
      'CloudUnavailable',
      /Code is missing/,
    ],
    [
      'it has no key',
      { ...NODE, [ROLE_PATH]: nodeSession({ TmpSecretKey: '' }) },
      'CloudUnavailable',
      /no usable session/,
    ],
    [
      'it has no end',
      { ...NODE, [ROLE_PATH]: nodeSession({ ExpiredTime: 'soon', Expiration: '' }) },
      'CloudUnavailable',
      /no readable ExpiredTime/,
    ],
    [
      'its end is told in milliseconds',
      { ...NODE, [ROLE_PATH]: nodeSession({ ExpiredTime: WORLD_NOW + 3_600_000 }) },
      'CloudUnavailable',
      /no readable ExpiredTime/,
    ],
    [
      'it has ended',
      { ...NODE, [ROLE_PATH]: nodeSession({ ExpiredTime: WORLD_NOW / 1_000 }) },
      'CloudUnavailable',
      /ended at 2026-01-02T03:04:05\.000Z already/,
    ],
    ['the answer is a page', { ...NODE, [ROLE_PATH]: '<html>' }, 'CloudUnavailable', /its Code is missing/],
    [
      'its name is a page',
      { [ROLES_PATH]: '<html></html>' },
      'CloudUnavailable',
      /names no usable CAM role at \/latest/,
    ],
    ['the service is busy', { [ROLES_PATH]: { status: 429, text: '' } }, 'Throttled', /slow down/],
    ['the service is broken', { [ROLES_PATH]: { status: 500, text: '' } }, 'CloudUnavailable', /HTTP 500 at \/latest/],
  ])('[tcr W8] says so when %s', async (_what, metadata, reason, message) => {
    await expect(ask(tencentWorld({}, { metadata }).world)).rejects.toMatchObject({
      reason,
      message: expect.stringMatching(message),
    });
  });

  test('that has answered since is not gone for good at its next silence', async () => {
    const { world, state } = tencentWorld({}, { metadata: undefined });
    await expect(ask(world)).rejects.toMatchObject({ reason: 'CloudUnavailable' });
    state.now += 5_000;
    state.metadata = NODE;
    await ask(world);
    state.now += 24 * 3_600_000;
    state.metadata = undefined;
    await expect(ask(world)).rejects.toMatchObject({ reason: 'CloudUnavailable' });
  });

  test('is waited for where the network of the node is not up yet, and not there after half a minute of silence', async () => {
    const { world, state } = tencentWorld({}, { metadata: undefined });
    for (const ms of [0, 15_000, 14_000]) {
      state.now += ms;
      await expect(ask(world)).rejects.toMatchObject({ reason: 'CloudUnavailable' });
    }
    state.now += 1_000;
    await expect(ask(world)).rejects.toMatchObject({
      reason: 'IdentityUnavailable',
      message: expect.stringMatching(
        /no metadata service answers at metadata\.tencentyun\.com .*no node of Tencent Cloud/,
      ),
    });
  });
});
