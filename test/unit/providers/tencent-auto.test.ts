// Which identity an item of Tencent Cloud has that leaves it to us, and why.
import { describe, expect, test } from '@jest/globals';
import { createAutoIdentity } from '../../../src/providers/tencent/auto.ts';
import { identityOf, type BaseIdentity } from '../../../src/providers/tencent/identities.ts';
import { fakeSts, NODE, PLACE, ROLES_PATH, tencentWorld } from './tencent-world.ts';

const { signal } = new AbortController();
const ROLE = 'qcs::cam::uin/100000000001:roleName/tcr-a';
const FILE = '/etc/tencentcloud/credentials';

const POD = { TKE_PROVIDER_ID: 'cls-fake', TKE_ROLE_ARN: ROLE, TKE_WEB_IDENTITY_TOKEN_FILE: '/token' };
const KEY = { TENCENTCLOUD_SECRET_ID: 'fake-env-id', TENCENTCLOUD_SECRET_KEY: 'fake-env-key' };
const FILES = { '/token': 'fake-token', [FILE]: '[default]\nsecret_id = fake-file-id\nsecret_key = fake-file-key\n' };

const found = (env: Readonly<Record<string, string>>, has: Parameters<typeof tencentWorld>[1], code?: string) =>
  createAutoIdentity(fakeSts({ code }).sts).fetchKey(tencentWorld({ env }, has).world, PLACE, signal);

describe('[tcr W6] identity auto', () => {
  test.each<[string, Readonly<Record<string, string>>, Parameters<typeof tencentWorld>[1], string, RegExp]>([
    [
      'pod identity, where the webhook named it',
      { ...POD, ...KEY },
      { files: FILES, metadata: NODE },
      'fake-id-1',
      /^pod identity of TKE, by identity auto$/,
    ],
    [
      'the key in the environment, where there is no pod identity',
      KEY,
      { files: FILES, metadata: NODE },
      'fake-env-id',
      /^a key in the environment, by identity auto, since: pod identity has no/,
    ],
    [
      'the file, where the environment names none',
      {},
      { files: FILES, metadata: NODE },
      'fake-file-id',
      /^a credentials file, by identity auto, since: .*; the environment of the controller has no/,
    ],
    [
      'the role of the node, where nothing else is',
      {},
      { metadata: NODE },
      'fake-node-id',
      /^a CAM role of the node, by identity auto, since: .*; there is no credentials file/,
    ],
  ])('is %s, and says so', async (_which, env, has, id, choice) => {
    const key = await found(env, has);
    expect(key).toMatchObject({ secretId: id, choice: expect.stringMatching(choice) });
    expect(key.warnings).toBeUndefined();
  });

  test('says with a warning which half of one was passed over', async () => {
    const env = { TKE_PROVIDER_ID: 'cls-fake', TENCENTCLOUD_SECRET_ID: 'fake', TENCENTCLOUD_CREDENTIALS_FILE: '/none' };
    expect((await found(env, { metadata: NODE })).warnings).toEqual([
      expect.stringMatching(/^passed over by identity auto: pod identity has no roleARN and no tokenFile/),
      expect.stringMatching(/^passed over .* has TENCENTCLOUD_SECRET_ID but no TENCENTCLOUD_SECRET_KEY/),
      expect.stringMatching(/^passed over .* no credentials file .*\/none/),
    ]);
  });

  test.each<[string, Readonly<Record<string, string>>, Parameters<typeof tencentWorld>[1], string | undefined, string]>(
    [
      ['a role that does not exist', POD, { files: FILES }, 'ResourceNotFound.RoleNotFound', 'IdentityUnavailable'],
      ['a cloud that is away', POD, { files: FILES }, 'InternalError.SystemError', 'CloudUnavailable'],
      ['a token that is not there', POD, {}, undefined, 'IdentityUnavailable'],
      [
        'a role on top that is refused',
        { ...KEY, TENCENTCLOUD_ROLE_ARN: ROLE },
        {},
        'UnauthorizedOperation',
        'PermissionDenied',
      ],
    ],
  )('is no other one because of %s', async (_what, env, has, code, reason) => {
    await expect(found(env, { metadata: NODE, ...has }, code)).rejects.toMatchObject({ reason });
  });

  test('names everything that was looked for where nothing is there', async () => {
    await expect(found({}, {})).rejects.toMatchObject({
      reason: 'IdentityUnavailable',
      message: expect.stringMatching(
        /^no identity was found \(identity auto\): pod identity has .*; the environment .*; there is no credentials file .*; there is no CAM role on this node/,
      ),
    });
  });

  test('waits for a node that is not up yet, and fails for good where none is', async () => {
    const { world, state } = tencentWorld({}, { metadata: undefined });
    const identity = createAutoIdentity(fakeSts().sts);
    await expect(identity.fetchKey(world, PLACE, signal)).rejects.toMatchObject({ reason: 'CloudUnavailable' });
    state.now += 30_000;
    await expect(identity.fetchKey(world, PLACE, signal)).rejects.toMatchObject({ reason: 'IdentityUnavailable' });
    state.metadata = NODE;
    state.now += 1_000;
    expect((await identity.fetchKey(world, PLACE, signal)).secretId).toBe('fake-node-id');
    expect(state.urls.at(-1)).toContain(ROLES_PATH);
  });
});

describe('an item that names its identity', () => {
  const bases: readonly [BaseIdentity, string][] = [
    [{ kind: 'secret', secret: { namespace: 'kube-system', name: 'keys' } }, 'fake-secret-id'],
    [{ kind: 'web-identity', role: { providerId: 'a', roleArn: ROLE, tokenFile: '/token' } }, 'fake-id-1'],
    [{ kind: 'environment' }, 'fake-env-id'],
    [{ kind: 'file' }, 'fake-file-id'],
    [{ kind: 'cvm-role' }, 'fake-node-id'],
    [{ kind: 'auto' }, 'fake-id-1'],
  ];

  test.each(bases)('%j has that one, whatever else is there', async (base, id) => {
    const data = { 'secret-id': 'fake-secret-id', 'secret-key': 'fake-key' };
    const { world } = tencentWorld(
      { env: { ...POD, ...KEY }, readSecret: () => Promise.resolve(data) },
      { files: FILES, metadata: NODE },
    );
    const identity = identityOf({ base, assumedRole: undefined }, fakeSts().sts);
    expect((await identity.fetchKey(world, PLACE, signal)).secretId).toBe(id);
  });

  test('has a key of its own, that holds what tells it from others and nothing else', () => {
    const { sts } = fakeSts();
    const role = { roleArn: ROLE, durationSeconds: 7_200, externalId: undefined };
    const keys = bases.flatMap(([base]) => [
      identityOf({ base, assumedRole: undefined }, sts).key,
      identityOf({ base, assumedRole: role }, sts).key,
      identityOf({ base, assumedRole: { ...role, externalId: 'x' } }, sts).key,
    ]);
    expect(new Set(keys).size).toBe(bases.length * 3);
  });
});
