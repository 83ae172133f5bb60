// The worker RAM role: every version of the metadata service, and every way in which it has nothing to give.
import { describe, expect, test } from '@jest/globals';
import { fetchRoleSession, readLocalRegion } from '../../../src/providers/alibaba/metadata.ts';
import { createWorkerRoleIdentity } from '../../../src/providers/alibaba/worker-role.ts';
import { ProviderError } from '../../../src/core/errors.ts';
import type { IdentitySession } from '../../../src/providers/provider.ts';
import { WORLD_NOW } from '../../support/provider-world.ts';
import { metadataWorld, type MetadataState } from './metadata-service.ts';

const { signal } = new AbortController();
const PLACE = { region: 'cn-hangzhou' };
const TOKEN = 'PUT /latest/api/token';
const ROLES = 'GET /latest/meta-data/ram/security-credentials/';
const identity = createWorkerRoleIdentity();

describe('[acr I1] the worker role', () => {
  test.each<[MetadataState['mode']]>([['both'], ['v1'], ['hardened']])(
    'comes from a service of mode %s',
    async (mode) => {
      const { world, state } = metadataWorld();
      state.mode = mode;
      expect(await identity.fetchKey(world, PLACE, signal)).toEqual({
        accessKeyId: 'STS.fakenode',
        accessKeySecret: 'fake-node-secret',
        securityToken: 'fake-node-token',
        origin: 'the worker RAM role worker',
        account: 'worker-role',
      });
      expect(state.calls).toEqual([TOKEN, ROLES, `${ROLES}worker`]);
    },
  );

  test('is asked for once in its life, less the margin', async () => {
    const { world, state } = metadataWorld();
    await identity.fetchKey(world, PLACE, signal);
    await identity.fetchKey(world, PLACE, signal);
    expect(state.sessions).toBe(1);
  });

  test('is asked for with a new token when the service refuses the old one, and with that from then on', async () => {
    const { world, state } = metadataWorld();
    await readLocalRegion(world, signal);
    // A service that was restarted knows none that it gave before; and may be restarted again at any time.
    for (const others of [['a'], ['a', 'b']]) {
      state.tokens.clear();
      for (const other of others) state.tokens.add(`fake-metadata-token-${other}`);
      for (const extra of [[ROLES, TOKEN], []]) {
        state.calls.length = 0;
        expect((await fetchRoleSession(world, signal)).value.accessKeyId).toBe('STS.fakenode');
        expect(state.calls).toEqual([...extra, ROLES, `${ROLES}worker`]);
      }
    }
  });

  test('is asked for with one new token when the service refuses the old one to many at once', async () => {
    const { world, state } = metadataWorld();
    const registered: string[] = [];
    const noting =
      <T>(fetch: (signal: AbortSignal) => Promise<IdentitySession<T>>) =>
      async (one: AbortSignal) => {
        const session = await fetch(one);
        registered.push(...session.secrets);
        return session;
      };
    const watched: typeof world = {
      ...world,
      identity: (key, fetch, abort) => world.identity(key, noting(fetch), abort),
      replace: (key, value, fetch, abort) => world.replace(key, value, noting(fetch), abort),
    };
    await readLocalRegion(watched, signal);
    state.tokens.clear();
    state.tokens.add('fake-metadata-token-a');
    await Promise.all(Array.from({ length: 5 }, () => fetchRoleSession(watched, signal)));
    expect(state.calls.filter((call) => call === TOKEN)).toHaveLength(2);
    // Both are masked wherever they would be printed.
    expect(registered).toEqual(expect.arrayContaining(['fake-metadata-token-0', 'fake-metadata-token-1']));
  });

  test.each<[string, (state: MetadataState) => void, string, RegExp]>([
    [
      'no role',
      (state) => (state.roleName = undefined),
      'IdentityUnavailable',
      /no RAM role on this node: give the node pool/,
    ],
    ['too many calls', (state) => (state.mode = 'limited'), 'Throttled', /slow down/],
  ])('with %s says so', async (_name, change, reason, message) => {
    const { world, state } = metadataWorld();
    change(state);
    await expect(identity.fetchKey(world, PLACE, signal)).rejects.toMatchObject({
      reason,
      message: expect.stringMatching(message),
    });
  });

  test('that cannot be asked for on a node that has answered before is only away for a while', async () => {
    const { world, state } = metadataWorld();
    await readLocalRegion(world, signal);
    state.mode = 'absent';
    await expect(identity.fetchKey(world, PLACE, signal)).rejects.toMatchObject({ reason: 'CloudUnavailable' });
  });

  test('is asked for again soon when the network of a node that has just started is not up yet', async () => {
    let now = WORLD_NOW;
    const { world, state } = metadataWorld({ now: () => now });
    state.mode = 'absent';
    for (; now < WORLD_NOW + 29_000; now += 6_000) {
      await expect(identity.fetchKey(world, PLACE, signal)).rejects.toMatchObject({ reason: 'CloudUnavailable' });
    }
    state.mode = 'both';
    now += 6_000;
    expect((await identity.fetchKey(world, PLACE, signal)).accessKeyId).toBe('STS.fakenode');
  });

  test('that has answered since is only away at its next silence', async () => {
    let now = WORLD_NOW;
    const { world, state } = metadataWorld({ now: () => now });
    state.mode = 'absent';
    await expect(identity.fetchKey(world, PLACE, signal)).rejects.toMatchObject({ reason: 'CloudUnavailable' });
    // The service answers, but tells no region: what that one is must not be known for good.
    state.mode = 'limited';
    now += 6_000;
    await expect(identity.fetchKey(world, PLACE, signal)).rejects.toMatchObject({ reason: 'Throttled' });
    state.mode = 'absent';
    now += 3_600_000;
    await expect(identity.fetchKey(world, PLACE, signal)).rejects.toMatchObject({ reason: 'CloudUnavailable' });
  });

  test('is not there where the service has been silent for half a minute', async () => {
    let now = WORLD_NOW;
    const { world, state } = metadataWorld({ now: () => now });
    state.mode = 'absent';
    await expect(identity.fetchKey(world, PLACE, signal)).rejects.toMatchObject({ reason: 'CloudUnavailable' });
    now += 30_000;
    await expect(identity.fetchKey(world, PLACE, signal)).rejects.toMatchObject({
      reason: 'IdentityUnavailable',
      message: expect.stringMatching(/no metadata service answers at 100\.100\.100\.200 .*no node of Alibaba Cloud/),
    });
  });

  test.each([401, 403, 404])(
    'of a hardened node (%i) is asked for with a token a moment after one was lost',
    async (status) => {
      let now = WORLD_NOW;
      let lost = true;
      const { world, state } = metadataWorld({ now: () => now });
      state.mode = 'hardened';
      state.refusalStatus = status;
      const http: typeof world.http = (request, abort) =>
        request.method === 'PUT' && lost
          ? Promise.reject(
              new ProviderError('CloudUnavailable', 'no metadata service answers at x (no answer in time)'),
            )
          : world.http(request, abort);
      const lossy = { ...world, http };
      await expect(identity.fetchKey(lossy, PLACE, signal)).rejects.toMatchObject({ reason: 'CloudUnavailable' });
      expect(await readLocalRegion(lossy, signal)).toMatchObject({ kind: 'unknown' });
      lost = false;
      now += 6_000;
      expect((await identity.fetchKey(lossy, PLACE, signal)).accessKeyId).toBe('STS.fakenode');
    },
  );

  test('is not asked for where the environment switches the service off', async () => {
    const { world, state } = metadataWorld({ env: { ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true' } });
    await expect(identity.fetchKey(world, PLACE, signal)).rejects.toMatchObject({ reason: 'IdentityUnavailable' });
    expect(state.calls).toEqual([]);
  });

  test('does without version 1 where the environment says so', async () => {
    const { world, state } = metadataWorld({ env: { ALIBABA_CLOUD_IMDSV1_DISABLED: 'true' } });
    state.mode = 'v1';
    await expect(identity.fetchKey(world, PLACE, signal)).rejects.toMatchObject({
      message: expect.stringContaining('version 1 is switched off'),
    });
    expect(state.calls).toEqual([TOKEN]);
  });

  test('is the one that the environment names', async () => {
    const { world, state } = metadataWorld({ env: { ALIBABA_CLOUD_ECS_METADATA: 'worker' } });
    await identity.fetchKey(world, PLACE, signal);
    expect(state.calls).not.toContain(ROLES);
  });

  test.each(['', '[]', '{"Code":"Failed"}', '{"Code":"Success","AccessKeyId":"a"}', '<html>'])(
    'that is told as %j is none',
    async (text) => {
      const { world } = metadataWorld({
        http: ({ url }) => {
          const told = url.endsWith('/region-id') ? 'cn-hangzhou' : url.endsWith('/') ? 'worker' : text;
          return Promise.resolve({ status: 200, text: told });
        },
      });
      await expect(identity.fetchKey(world, PLACE, signal)).rejects.toMatchObject({ reason: 'CloudUnavailable' });
    },
  );
});

describe('the local region', () => {
  const known = { kind: 'known', region: 'cn-hangzhou' };

  test('is what the node says, asked for once', async () => {
    const { world, state } = metadataWorld();
    expect([await readLocalRegion(world, signal), await readLocalRegion(world, signal)]).toEqual([known, known]);
    expect(state.calls).toHaveLength(2);
  });

  test.each<[MetadataState['mode'], string]>([
    ['absent', 'CloudUnavailable'],
    ['limited', 'Throttled'],
  ])('that a service of mode %s does not tell may be told in a moment', async (mode, reason) => {
    let now = WORLD_NOW;
    const { world, state } = metadataWorld({ now: () => now });
    state.mode = mode;
    expect(await readLocalRegion(world, signal)).toMatchObject({ kind: 'unknown', error: { reason } });
    const { length } = state.calls;
    expect(await readLocalRegion(world, signal)).toMatchObject({ kind: 'unknown' });
    expect(state.calls).toHaveLength(length);
    state.mode = 'both';
    now += 5_000;
    expect(await readLocalRegion(world, signal)).toEqual(known);
    // And is known from then on.
    state.mode = 'absent';
    now += 24 * 3_600_000;
    expect(await readLocalRegion(world, signal)).toEqual(known);
  });

  test('is not there where the service is switched off', async () => {
    const { world } = metadataWorld({ env: { ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true' } });
    expect(await readLocalRegion(world, signal)).toMatchObject({ kind: 'none' });
  });
});
