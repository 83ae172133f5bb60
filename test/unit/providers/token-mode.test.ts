// Which identity an item has that names none, and why.
import { describe, expect, test } from '@jest/globals';
import { ProviderError } from '../../../src/core/errors.ts';
import { createTokenModeIdentity } from '../../../src/providers/alibaba/token-mode.ts';
import { emptyWorld, WORLD_NOW } from '../../support/provider-world.ts';
import { metadataWorld } from './metadata-service.ts';

const { signal } = new AbortController();
const PLACE = { region: 'cn-hangzhou' };
const MANAGED = JSON.stringify({
  'access.key.id': 'ABEiM0RVZneImaq7zN3u/6rX1sFN+L7EflYkfpwByPg=',
  'access.key.secret': 'ABEiM0RVZneImaq7zN3u/x09srn9VKDqvl46yRQs9OQ=',
  'security.token': 'ABEiM0RVZneImaq7zN3u/55GGeDU+uRE02EsIe/yBqY=',
  keyring: '0123456789abcdef0123456789abcdef',
  expiration: new Date(WORLD_NOW + 3_600_000).toISOString(),
});
const EXPIRED = MANAGED.replace(/"expiration":"[^"]*"/, `"expiration":"${new Date(WORLD_NOW).toISOString()}"`);
const ACCESS_KEY = { 'access-key-id': 'LTAIfake', 'access-key-secret': 'fake-secret' };

/** A cluster that has what is named. */
function cluster(has: { managed?: string; accessKey?: boolean; node?: boolean }, now = () => WORLD_NOW) {
  const { world, state } = metadataWorld({
    now,
    readSecret: ({ namespace, name }) => {
      const data =
        name === 'addon.aliyuncsmanagedacrrole.token' && has.managed !== undefined
          ? { 'addon.token.config': has.managed }
          : name === 'alibaba-addon-secret' && has.accessKey === true
            ? ACCESS_KEY
            : undefined;
      return data === undefined
        ? Promise.reject(new ProviderError('IdentityUnavailable', `There is no Secret ${namespace}/${name}`))
        : Promise.resolve(data);
    },
  });
  state.roleName = has.node === true ? 'worker' : undefined;
  return { world, state };
}

describe('[acr T2] tokenMode auto', () => {
  test.each<[string, Parameters<typeof cluster>[0], string, RegExp]>([
    [
      'the managed role, where it is valid',
      { managed: MANAGED, accessKey: true, node: true },
      'STS.sampleak',
      /^the managed role, by tokenMode auto$/,
    ],
    [
      'the AccessKey, where there is no managed role',
      { accessKey: true, node: true },
      'LTAIfake',
      /^an AccessKey, by tokenMode auto, since: There is no Secret/,
    ],
    [
      'the worker role, where nothing else is',
      { node: true },
      'STS.fakenode',
      /^a worker RAM role of the node, by tokenMode auto, since: .*alibaba-addon-secret/,
    ],
    [
      'the worker role, where the managed role has expired',
      { managed: EXPIRED, node: true },
      'STS.fakenode',
      /expired at/,
    ],
  ])('takes %s', async (_name, has, accessKeyId, choice) => {
    const key = await createTokenModeIdentity('auto', { isBase: false }).fetchKey(cluster(has).world, PLACE, signal);
    expect(key).toMatchObject({ accessKeyId, choice: expect.stringMatching(choice) });
  });

  test('that finds nothing says all that it looked for', async () => {
    const attempt = createTokenModeIdentity('auto', { isBase: false }).fetchKey(cluster({}).world, PLACE, signal);
    await expect(attempt).rejects.toMatchObject({
      reason: 'IdentityUnavailable',
      message: expect.stringMatching(
        /no identity was found \(tokenMode auto\): .*managedacrrole.*alibaba-addon-secret: create it with.*no RAM role on this node/,
      ),
    });
  });

  test('[acr T3] begins with the worker role when another role is assumed with it', async () => {
    const identity = createTokenModeIdentity('auto', { isBase: true });
    const has = { managed: MANAGED, accessKey: true };
    expect((await identity.fetchKey(cluster({ ...has, node: true }).world, PLACE, signal)).accessKeyId).toBe(
      'STS.fakenode',
    );
    expect((await identity.fetchKey(cluster(has).world, PLACE, signal)).accessKeyId).toBe('STS.sampleak');
  });

  test('passes over a worker role where no metadata service has answered for half a minute, and not before', async () => {
    let now = WORLD_NOW;
    const { world, state } = cluster({ managed: MANAGED }, () => now);
    state.mode = 'absent';
    const identity = createTokenModeIdentity('auto', { isBase: true });
    const fetch = () => identity.fetchKey(world, PLACE, signal);
    await expect(fetch()).rejects.toMatchObject({ reason: 'CloudUnavailable' });
    now += 30_000;
    expect((await fetch()).accessKeyId).toBe('STS.sampleak');
  });

  test('does not take another identity because one cannot be read for the moment', async () => {
    const error = new ProviderError('IdentityUnavailable', 'could not be read', { cause: { reason: 'Unavailable' } });
    const world = emptyWorld({
      readSecret: ({ name }) => (name.startsWith('addon.') ? Promise.reject(error) : Promise.resolve(ACCESS_KEY)),
    });
    await expect(createTokenModeIdentity('auto', { isBase: false }).fetchKey(world, PLACE, signal)).rejects.toBe(error);
  });

  test('takes the next when one may not be read', async () => {
    const error = new ProviderError('IdentityUnavailable', 'could not be read', { cause: { reason: 'Forbidden' } });
    const world = emptyWorld({
      readSecret: ({ name }) => (name.startsWith('addon.') ? Promise.reject(error) : Promise.resolve(ACCESS_KEY)),
    });
    const key = await createTokenModeIdentity('auto', { isBase: false }).fetchKey(world, PLACE, signal);
    expect(key.accessKeyId).toBe('LTAIfake');
  });
});

describe('[acr T1] an explicit tokenMode', () => {
  test.each<['managedRole' | 'workerRole', string]>([
    ['managedRole', 'STS.sampleak'],
    ['workerRole', 'STS.fakenode'],
  ])('%s takes that and nothing else', async (mode, accessKeyId) => {
    const identity = createTokenModeIdentity(mode, { isBase: false });
    const all = cluster({ managed: MANAGED, accessKey: true, node: true });
    expect(await identity.fetchKey(all.world, PLACE, signal)).toMatchObject({
      accessKeyId,
      choice: `tokenMode is ${mode}`,
    });
    const others = cluster(
      mode === 'managedRole' ? { accessKey: true, node: true } : { managed: MANAGED, accessKey: true },
    );
    await expect(identity.fetchKey(others.world, PLACE, signal)).rejects.toMatchObject({
      reason: 'IdentityUnavailable',
    });
  });
});
