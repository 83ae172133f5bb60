// Keys of Tencent Cloud that somebody put somewhere: a Secret, the environment, a file.
import { describe, expect, test } from '@jest/globals';
import { ProviderError } from '../../../src/core/errors.ts';
import { createApiKeyIdentity } from '../../../src/providers/tencent/api-key.ts';
import { createCredentialsFileIdentity } from '../../../src/providers/tencent/credentials-file.ts';
import { createEnvironmentIdentity } from '../../../src/providers/tencent/environment.ts';
import { fakeSts, PLACE, tencentWorld } from './tencent-world.ts';

const { signal } = new AbortController();
const SECRET = { namespace: 'kube-system', name: 'tcr-api-key' };
const ROLE = 'qcs::cam::uin/100000000002:roleName/tcr-b';

describe('[tcr W9] a key in a Secret', () => {
  const identity = createApiKeyIdentity(SECRET);
  const holding = (data: Readonly<Record<string, string>>) =>
    identity.fetchKey(tencentWorld({ readSecret: () => Promise.resolve(data) }).world, PLACE, signal);
  const told = { origin: 'the Secret kube-system/tcr-api-key', account: 'kube-system/tcr-api-key' };

  test.each(['AKIDfake', 'IKIDfake', 'fake', 'a+b/c='])('is taken whatever its id looks like: %s', async (id) => {
    expect(await holding({ 'secret-id': `${id}\n`, 'secret-key': ' fake-key\n' })).toEqual({
      ...{ secretId: id, secretKey: 'fake-key' },
      ...told,
    });
  });

  test('is that of a session when the Secret holds a token', async () => {
    const pair = { 'secret-id': 'fake-id', 'secret-key': 'fake-key' };
    expect(await holding({ ...pair, token: 'fake-token\n' })).toMatchObject({ token: 'fake-token' });
    expect(await holding({ ...pair, token: ' \n' })).not.toHaveProperty('token');
  });

  test.each<[string, Readonly<Record<string, string>>, RegExp]>([
    [
      'half of it',
      { 'secret-id': 'fake-id' },
      /kube-system\/tcr-api-key lacks the key secret-key, .*create it with `kubectl/,
    ],
    ['only a token', { token: 'fake' }, /lacks the keys secret-id and secret-key.*--from-literal=secret-key=…`$/],
  ])('that holds %s says what it lacks', async (_what, data, message) => {
    await expect(holding(data)).rejects.toMatchObject({
      ...{ reason: 'IdentityUnavailable', message: expect.stringMatching(message) },
    });
  });

  test('that is not there says how to create it', async () => {
    await expect(identity.fetchKey(tencentWorld().world, PLACE, signal)).rejects.toMatchObject({
      message: expect.stringMatching(/There is no Secret kube-system\/tcr-api-key: create it with .*secret-id=… /),
    });
  });
});

describe('[tcr W6] the environment', () => {
  const env = { TENCENTCLOUD_SECRET_ID: 'fake-id', TENCENTCLOUD_SECRET_KEY: 'fake-key' };
  const identity = createEnvironmentIdentity(fakeSts().sts);
  const key = { secretId: 'fake-id', secretKey: 'fake-key' };

  test.each<[string, Readonly<Record<string, string>>, object]>([
    ['a key', {}, key],
    ['the token of the SDK', { TENCENTCLOUD_SESSION_TOKEN: 'fake-a' }, { ...key, token: 'fake-a' }],
    ['the token of the command line', { TENCENTCLOUD_TOKEN: 'fake-b' }, { ...key, token: 'fake-b' }],
    [
      'both, of which the SDK’s is meant',
      { TENCENTCLOUD_TOKEN: 'fake-b', TENCENTCLOUD_SESSION_TOKEN: 'fake-a' },
      { ...key, token: 'fake-a' },
    ],
  ])('gives %s', async (_what, more, expected) => {
    const { world, state } = tencentWorld({ env: { ...env, ...more } });
    const { origin, account, ...found } = await identity.fetchKey(world, PLACE, signal);
    expect(found).toEqual(expected);
    expect([origin, account]).toEqual(['the environment (TENCENTCLOUD_SECRET_ID)', 'environment']);
    // Masked wherever it would be printed, and in no name.
    expect(state.secrets).toEqual(Object.values(expected));
    expect(state.names.join()).not.toMatch(/fake-/);
  });

  test('gives the role that it names, assumed with its key', async () => {
    const { sts, state } = fakeSts();
    const { world } = tencentWorld({ env: { ...env, TENCENTCLOUD_ROLE_ARN: ROLE } });
    expect(await createEnvironmentIdentity(sts).fetchKey(world, PLACE, signal)).toMatchObject({
      secretId: 'fake-id-1',
      origin: `${ROLE}, assumed by the environment (TENCENTCLOUD_SECRET_ID)`,
      account: '100000000002',
    });
    expect(state.requests).toMatchObject([{ key, parameters: { RoleArn: ROLE, DurationSeconds: 7_200 } }]);
  });

  test.each([
    ['ResourceNotFound.RoleNotFound', /check its account and name \(TENCENTCLOUD_ROLE_ARN\)$/],
    ['InvalidParameter.OverTimeError', /7200 s is longer .* raise that in CAM$/],
    ['InvalidParameter.ParamError', /check TENCENTCLOUD_ROLE_ARN \(.*tcr-b\) and TENCENTCLOUD_ROLE_SESSION_NAME$/],
    ['UnauthorizedOperation', /external id, name the role in assumeRoleARN of the item, with `externalId`$/],
  ])('says what to do about the role that it names when the cloud says %s', async (code, message) => {
    const { world } = tencentWorld({ env: { ...env, TENCENTCLOUD_ROLE_ARN: ROLE } });
    const attempt = createEnvironmentIdentity(fakeSts({ code }).sts).fetchKey(world, PLACE, signal);
    await expect(attempt).rejects.toMatchObject({ message: expect.stringMatching(message) });
  });

  test.each<[string, Readonly<Record<string, string>>, boolean, RegExp]>([
    ['nothing', {}, false, /has no TENCENTCLOUD_SECRET_ID and no TENCENTCLOUD_SECRET_KEY: set/],
    [
      'an id',
      { TENCENTCLOUD_SECRET_ID: 'fake' },
      true,
      /has TENCENTCLOUD_SECRET_ID but no TENCENTCLOUD_SECRET_KEY: set/,
    ],
    [
      'a key',
      { TENCENTCLOUD_SECRET_KEY: 'fake' },
      true,
      /has TENCENTCLOUD_SECRET_KEY but no TENCENTCLOUD_SECRET_ID: set/,
    ],
    ['a role', { TENCENTCLOUD_ROLE_ARN: ROLE }, true, /has TENCENTCLOUD_ROLE_ARN but no TENCENTCLOUD_SECRET_ID and no/],
  ])('that holds only %s says what it lacks', async (_what, given, isHalf, message) => {
    const attempt = identity.fetchKey(tencentWorld({ env: given }).world, PLACE, signal);
    await expect(attempt).rejects.toMatchObject({
      ...{ reason: 'IdentityUnavailable', isHalf, message: expect.stringMatching(message) },
    });
  });
});

describe('[tcr W6] the credentials file', () => {
  const identity = createCredentialsFileIdentity();
  const FILE = '[default]\nsecret_id = fake-id\nsecret_key = fake-key\n';
  const NAMED = '/keys/mine';
  const IN_HOME = '/home/me/.tencentcloud/credentials';
  const OF_SYSTEM = '/etc/tencentcloud/credentials';
  const every = { TENCENTCLOUD_CREDENTIALS_FILE: NAMED, HOME: '/home/me' };
  const read = (text: string) =>
    identity.fetchKey(tencentWorld({}, { files: { [OF_SYSTEM]: text } }).world, PLACE, signal);

  test.each<[string, Readonly<Record<string, string>>, readonly string[], string]>([
    ['the one that is named, before the others', every, [NAMED, IN_HOME, OF_SYSTEM], NAMED],
    ['the one in the home folder, before that of the system', { HOME: '/home/me' }, [IN_HOME, OF_SYSTEM], IN_HOME],
    ['that of the system, where there is none at home', { HOME: '/home/me' }, [OF_SYSTEM], OF_SYSTEM],
    ['that of the system, where nobody is at home', {}, [OF_SYSTEM], OF_SYSTEM],
  ])('is %s', async (_which, env, present, expected) => {
    const files = Object.fromEntries(present.map((path) => [path, FILE.replace('fake-id', path)]));
    const { world } = tencentWorld({ env }, { files });
    expect(await identity.fetchKey(world, PLACE, signal)).toEqual({
      ...{ secretId: expected, secretKey: 'fake-key' },
      ...{ origin: `the file ${expected}`, account: `file ${expected}` },
    });
  });

  test.each<[string, string]>([
    ['as the tools write it', FILE],
    ['without spaces', '[default]\nsecret_id=fake-id\nsecret_key=fake-key'],
    ['with Windows line ends and a byte order mark', `\uFEFF${FILE.replaceAll('\n', '\r\n')}`],
    ['in capitals', '[DEFAULT]\nSECRET_ID = fake-id\nSecret_Key = fake-key'],
    ['in quotes', '[default]\nsecret_id = "fake-id"\nsecret_key = \'fake-key\''],
    [
      'among comments and other sections',
      `# mine\n; too\n[other]\nsecret_id = wrong\n${FILE}[more]\nsecret_key = wrong\n`,
    ],
  ])('is read %s', async (_how, text) => {
    expect(await read(text)).toMatchObject({ secretId: 'fake-id', secretKey: 'fake-key' });
  });

  test('may hold the token of a session, and values with equals signs', async () => {
    expect(await read('[default]\nsecret_id = a\nsecret_key = fake==\ntoken = fake=/+token==\n')).toMatchObject({
      secretKey: 'fake==',
      token: 'fake=/+token==',
    });
  });

  test('is read anew each time, and what is in it is masked', async () => {
    const { world, state } = tencentWorld({}, { files: { [OF_SYSTEM]: FILE } });
    await identity.fetchKey(world, PLACE, signal);
    state.files = { [OF_SYSTEM]: FILE.replace('fake-key', 'fake-other') };
    expect((await identity.fetchKey(world, PLACE, signal)).secretKey).toBe('fake-other');
    expect(state.secrets).toEqual(['fake-id', 'fake-key', 'fake-id', 'fake-other']);
    expect(state.names.join()).not.toMatch(/fake-/);
  });

  test.each<[string, string, RegExp]>([
    ['nothing', '', /no secret_id and no secret_key in its section \[default\]: write `\[default\]`/],
    ['another section', FILE.replace('default', 'other'), /no secret_id and no secret_key/],
    ['half of a key', '[default]\nsecret_id = fake-id\nsecret_key =\n', /credentials has no secret_key in its section/],
    ['names that it inherited', '[default]\n__proto__ = fake\nconstructor = fake\n', /no secret_id and no secret_key/],
    ['something else', '{"secret_id": "fake-id"}', /no secret_id and no secret_key/],
  ])('that holds %s says what it lacks, and nothing of what it holds', async (_what, text, message) => {
    const error: unknown = await read(text).catch((one: unknown) => one);
    expect(error).toMatchObject({
      reason: 'IdentityUnavailable',
      isHalf: true,
      message: expect.stringMatching(message),
    });
    expect((error as Error).message).not.toContain('fake-');
  });

  test.each<[string, Readonly<Record<string, string>>, boolean, RegExp]>([
    [
      'anywhere',
      { HOME: '/home/me' },
      false,
      /no credentials file .*\/home\/me.*; .*\/etc\/tencentcloud.*name its path in/,
    ],
    [
      'where it is said to be',
      every,
      true,
      /no credentials file \(The file \/keys\/mine.*\): .*correct TENCENTCLOUD_CRED/,
    ],
  ])('that is not there %s says so', async (_where, env, isHalf, message) => {
    await expect(identity.fetchKey(tencentWorld({ env }).world, PLACE, signal)).rejects.toMatchObject({
      ...{ reason: 'IdentityUnavailable', isHalf, message: expect.stringMatching(message) },
    });
  });

  test('that cannot be read for a moment does not mean the next one', async () => {
    const busy = new ProviderError('IdentityUnavailable', 'The file could not be read (EMFILE)', {
      cause: new Error(),
    });
    const { world } = tencentWorld({ env: { HOME: '/home/me' } }, { files: { [IN_HOME]: busy, [OF_SYSTEM]: FILE } });
    await expect(identity.fetchKey(world, PLACE, signal)).rejects.toBe(busy);
  });
});
