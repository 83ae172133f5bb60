// Roles of Tencent Cloud: assumed with another key, and by pod identity; each hop that fails is named with what to check.
import { describe, expect, test } from '@jest/globals';
import { ProviderError } from '../../../src/core/errors.ts';
import { createApiKeyIdentity } from '../../../src/providers/tencent/api-key.ts';
import { createAssumedRoleIdentity } from '../../../src/providers/tencent/assume-role.ts';
import { identityOf } from '../../../src/providers/tencent/identities.ts';
import { createStsClient } from '../../../src/providers/tencent/sts.ts';
import { createWebIdentity } from '../../../src/providers/tencent/web-identity.ts';
import { WORLD_NOW } from '../../support/provider-world.ts';
import { fakeClient } from './tencent-cloud.ts';
import { fakeSts, PLACE, tencentWorld, type StsState } from './tencent-world.ts';

const { signal } = new AbortController();
const ROLE_A = 'qcs::cam::uin/100000000001:roleName/tcr-a';
const ROLE_B = 'qcs::cam::uin/100000000002:roleName/tcr-b';
const SECRET = { namespace: 'kube-system', name: 'keys' };
const KEY = { 'secret-id': 'fake-base-id', 'secret-key': 'fake-base-key' };
const HOUR = 3_600_000;

describe('[tcr W6] a role that is assumed', () => {
  const role = { roleArn: ROLE_B, durationSeconds: 3_600, externalId: undefined };
  const base = createApiKeyIdentity(SECRET);
  const holding = (more = {}) => tencentWorld({ readSecret: () => Promise.resolve(KEY), ...more });

  test('gives a session of the role, asked for with the key of the base, once in its life', async () => {
    const { sts, state } = fakeSts();
    const { world, state: seen } = holding();
    const identity = createAssumedRoleIdentity(sts, base, role);
    const key = await identity.fetchKey(world, PLACE, signal);
    expect(await identity.fetchKey(world, PLACE, signal)).toEqual(key);
    expect(key).toEqual({
      ...{ secretId: 'fake-id-1', secretKey: 'fake-session-key', token: 'fake-session-token' },
      ...{ origin: `${ROLE_B}, assumed by the Secret kube-system/keys`, account: '100000000002' },
    });
    expect(state.requests).toEqual([
      expect.objectContaining({
        ...{ service: 'sts', action: 'AssumeRole', region: PLACE.region, subject: ROLE_B },
        key: expect.objectContaining({ secretId: 'fake-base-id' }),
        parameters: {
          ...{ RoleArn: ROLE_B, RoleSessionName: 'registry-credential-helper', DurationSeconds: 3_600 },
          ExternalId: undefined,
        },
      }),
    ]);
    expect(seen.secrets).toEqual(['fake-session-key', 'fake-session-token']);
    expect(seen.names.join()).not.toMatch(/fake-/);
  });

  test.each([7_200_000, -7_200_000])('ends by our clock, which differs from the cloud’s by %i ms', async (offsetMs) => {
    const Credentials = { TmpSecretId: 'fake-id', TmpSecretKey: 'fake-key', Token: 'fake-token' };
    const end = WORLD_NOW - (WORLD_NOW % 1_000) + HOUR;
    const answers = { AssumeRole: { Credentials, ExpiredTime: (end + offsetMs) / 1_000 } };
    const { client } = fakeClient(answers, { clockOffsetMs: offsetMs });
    const key = await base.fetchKey(holding().world, PLACE, signal);
    const call = {
      ...PLACE,
      endpoints: {},
      now: () => WORLD_NOW,
      key,
      sessionName: 'a-test',
      namedBy: 'assumeRoleARN',
    };
    expect(await createStsClient(client).assumeRole({ ...call, ...role }, signal)).toMatchObject({ expiresAt: end });
  });

  test('is renewed before it ends, and kept when that fails', async () => {
    const { sts, state } = fakeSts({ lifeMs: HOUR });
    const { world, state: node } = holding();
    const identity = createAssumedRoleIdentity(sts, base, role);
    await identity.fetchKey(world, PLACE, signal);
    node.now += 31 * 60_000;
    state.code = 'InternalError.SystemError';
    expect((await identity.fetchKey(world, PLACE, signal)).secretId).toBe('fake-id-1');
    state.code = undefined;
    node.now += 60_000;
    expect((await identity.fetchKey(world, PLACE, signal)).secretId).toBe('fake-id-3');
  });

  test('proves itself with the external id of the item, which is another identity', async () => {
    const { sts, state } = fakeSts();
    const { world } = holding();
    const proven = createAssumedRoleIdentity(sts, base, { ...role, externalId: 'fake-proof' });
    await proven.fetchKey(world, PLACE, signal);
    await createAssumedRoleIdentity(sts, base, role).fetchKey(world, PLACE, signal);
    expect(state.requests.map(({ parameters }) => parameters.ExternalId)).toEqual(['fake-proof', undefined]);
    expect(proven.key).not.toContain('fake-proof');
  });

  test('bears the name that the environment gives our sessions', async () => {
    const { sts, state } = fakeSts();
    const { world } = holding({ env: { TENCENTCLOUD_ROLE_SESSION_NAME: 'cls-1@a+b=c,d.e_f-g' } });
    await createAssumedRoleIdentity(sts, base, role).fetchKey(world, PLACE, signal);
    expect(state.requests[0]?.parameters.RoleSessionName).toBe('cls-1@a+b=c,d.e_f-g');
  });

  test.each(['a', 'a b', 'a'.repeat(129), 'rôle', 'a/b'])('is not asked for under the name %j', async (name) => {
    const { sts, state } = fakeSts();
    const { world } = holding({ env: { TENCENTCLOUD_ROLE_SESSION_NAME: name } });
    const attempt = createAssumedRoleIdentity(sts, base, role).fetchKey(world, PLACE, signal);
    await expect(attempt).rejects.toMatchObject({
      reason: 'RequestRefused',
      message: expect.stringMatching(
        /^TENCENTCLOUD_ROLE_SESSION_NAME \(.+\) is no name of a session: set it to 2 to 128/,
      ),
    });
    expect(state.requests).toEqual([]);
  });

  test('can be assumed on top of a role that was assumed', async () => {
    const { sts, state } = fakeSts();
    const env = { TENCENTCLOUD_SECRET_ID: 'a', TENCENTCLOUD_SECRET_KEY: 'b', TENCENTCLOUD_ROLE_ARN: ROLE_A };
    const { world } = tencentWorld({ env });
    const key = await identityOf({ base: { kind: 'auto' }, assumedRole: role }, sts).fetchKey(world, PLACE, signal);
    expect(key).toMatchObject({
      origin: `${ROLE_B}, assumed by ${ROLE_A}, assumed by the environment (TENCENTCLOUD_SECRET_ID)`,
      choice: expect.stringMatching(/^a key in the environment, by identity auto, since: pod identity has no/),
    });
    expect(state.requests.map(({ key: signer, subject }) => [signer?.secretId, subject])).toEqual([
      ['a', ROLE_A],
      ['fake-id-1', ROLE_B],
    ]);
  });

  test.each<[string, string, RegExp]>([
    ['ResourceNotFound.RoleNotFound', 'IdentityUnavailable', /there is no role .*tcr-b: check .*\(assumeRoleARN\)/],
    [
      'InternalError.GetRoleError',
      'IdentityUnavailable',
      /no usable role .*tcr-b: check .*assumeRoleARN: `qcs::cam::uin\//,
    ],
    [
      'InternalError.IllegalRole',
      'RequestRefused',
      /tcr-b cannot be assumed in this way: .*`qcs::cam::uin.*names who assumes it/,
    ],
    ['InvalidParameter.OverTimeError', 'RequestRefused', /3600 s is longer than .*tcr-b allows .*lower expireDuration/],
    ['InvalidParameter.OverLimit', 'Throttled', /slow down/],
    ['InvalidParameter.GrantOtherResource', 'PermissionDenied', /the Secret kube-system\/keys may not assume .*tcr-b/],
    [
      'UnauthorizedOperation',
      'PermissionDenied',
      /Secret kube-system\/keys may not assume .*tcr-b: allow it .*sts:AssumeRole .*trust policy .*with `externalId`/,
    ],
    ['AuthFailure.UnauthorizedOperation', 'PermissionDenied', /may not assume/],
    [
      'InvalidParameter.ParamError',
      'RequestRefused',
      /check assumeRoleARN \(.*tcr-b\), expireDuration, externalId and TENCENT/,
    ],
    ['InvalidParameter.StrategyInvalid', 'RequestRefused', /check assumeRoleARN/],
    ['MissingParameter', 'RequestRefused', /check assumeRoleARN/],
    ['InternalError.SystemError', 'CloudUnavailable', /a problem of its own/],
    ['InternalError.UnknownError', 'CloudUnavailable', /a problem of its own/],
    ['RequestLimitExceeded', 'Throttled', /slow down/],
    ['AuthFailure.SecretIdNotFound', 'AccessKeyInvalid', /SecretId in the Secret kube-system\/keys/],
    ['AuthFailure.SignatureFailure', 'SignatureMismatch', /secret-key in the Secret kube-system\/keys/],
    ['AuthFailure.TokenFailure', 'SessionExpired', /has expired or was refused/],
  ])('that is refused by %s names the hop and what to check', async (code, reason, message) => {
    const { sts } = fakeSts({ code });
    const error: unknown = await createAssumedRoleIdentity(sts, base, role)
      .fetchKey(holding().world, PLACE, signal)
      .catch((one: unknown) => one);
    expect(error).toBeInstanceOf(ProviderError);
    expect(error).toMatchObject({ reason, requestId: 'ID-1', message: expect.stringMatching(message) });
    expect((error as Error).message).toMatch(
      new RegExp(`^AssumeRole of ${ROLE_B} failed \\(${code}, request id ID-1\\)`),
    );
  });

  const Credentials = { TmpSecretId: 'a', TmpSecretKey: 'b', Token: 'c' };
  const ExpiredTime = (WORLD_NOW + HOUR) / 1_000;
  test.each<[string, StsState['response'], string]>([
    ['no key', { ExpiredTime }, 'Credentials'],
    ['half of a key', { Credentials: { ...Credentials, TmpSecretKey: '' }, ExpiredTime }, 'TmpSecretKey'],
    ['no token', { Credentials: { ...Credentials, Token: undefined }, ExpiredTime }, 'Token'],
    ['no end', { Credentials }, 'ExpiredTime'],
    ['an end in milliseconds', { Credentials, ExpiredTime: ExpiredTime * 1_000 }, 'ExpiredTime'],
  ])('is not what STS answers with %s', async (_what, response, field) => {
    const { sts } = fakeSts({ response });
    const attempt = createAssumedRoleIdentity(sts, base, role).fetchKey(holding().world, PLACE, signal);
    await expect(attempt).rejects.toMatchObject({
      ...{ reason: 'CloudUnavailable', message: expect.stringContaining(`no usable ${field}`) },
    });
  });
});

describe('pod identity of TKE', () => {
  const nothing = { providerId: undefined, roleArn: undefined, tokenFile: undefined };
  const env = {
    ...{ TKE_PROVIDER_ID: 'cls-fake', TKE_ROLE_ARN: ROLE_A, TKE_REGION: 'ap-beijing' },
    TKE_WEB_IDENTITY_TOKEN_FILE: '/tokens/web',
  };
  const claims = { sub: 'system:serviceaccount:kube-system:ours', aud: ['sts.example'], iss: 'https://issuer.example' };
  const jwt = (more: object = {}) =>
    `e30.${Buffer.from(JSON.stringify({ ...claims, ...more })).toString('base64url')}.fake-signature`;

  test('[tcr W6] [tcr W7] trades the token of the file, read anew on every refresh, unsigned', async () => {
    const { sts, state } = fakeSts({ lifeMs: HOUR });
    const { world, state: node } = tencentWorld({ env }, { files: { '/tokens/web': `${jwt({ id: 1 })}\n` } });
    const identity = createWebIdentity(sts, nothing);
    expect(await identity.fetchKey(world, PLACE, signal)).toEqual({
      ...{ secretId: 'fake-id-1', secretKey: 'fake-session-key', token: 'fake-session-token' },
      ...{ origin: `pod identity (${ROLE_A})`, account: '100000000001' },
    });
    await identity.fetchKey(world, PLACE, signal);
    node.files = { '/tokens/web': jwt({ id: 2 }) };
    node.now += 31 * 60_000;
    expect((await identity.fetchKey(world, PLACE, signal)).secretId).toBe('fake-id-2');
    expect(state.requests.map(({ parameters }) => parameters.WebIdentityToken)).toEqual([
      jwt({ id: 1 }),
      jwt({ id: 2 }),
    ]);
    expect(state.requests[0]).toMatchObject({
      ...{ service: 'sts', action: 'AssumeRoleWithWebIdentity', key: undefined, region: 'ap-beijing' },
      parameters: {
        ...{ ProviderId: 'cls-fake', RoleArn: ROLE_A, DurationSeconds: 7_200 },
        RoleSessionName: 'registry-credential-helper',
      },
    });
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['TKE’s own', { TKE_IDENTITY_TOKEN_FILE: '/tokens/other' }, '/tokens/web'],
    ['the other one', { TKE_WEB_IDENTITY_TOKEN_FILE: '', TKE_IDENTITY_TOKEN_FILE: '/tokens/other' }, '/tokens/other'],
  ])('[tcr W7] reads the file that is named by %s', async (_which, more, path) => {
    const variables = Object.fromEntries(Object.entries({ ...env, ...more }).filter(([, value]) => value !== ''));
    const { world, state } = tencentWorld(
      { env: variables },
      { files: { '/tokens/web': jwt(), '/tokens/other': jwt() } },
    );
    await createWebIdentity(fakeSts().sts, nothing).fetchKey(world, PLACE, signal);
    expect(state.reads).toEqual([path]);
  });

  test('takes what the item says before the environment, and the region of the registry where there is no other', async () => {
    const { sts, state } = fakeSts();
    const { world } = tencentWorld({}, { files: { '/tokens/mine': jwt() } });
    const role = { providerId: 'cls-mine', roleArn: ROLE_B, tokenFile: '/tokens/mine' };
    await createWebIdentity(sts, role).fetchKey({ ...world, env }, PLACE, signal);
    await createWebIdentity(sts, role).fetchKey(world, PLACE, signal);
    const mine = { parameters: { ProviderId: 'cls-mine', RoleArn: ROLE_B, WebIdentityToken: jwt() } };
    expect(state.requests).toMatchObject([
      { ...mine, region: 'ap-beijing' },
      { ...mine, region: 'ap-guangzhou' },
    ]);
  });

  test('is another one when an item says “env” than when it says nothing', () => {
    const keys = [{}, { providerId: 'env' }, { roleArn: 'env' }, { tokenFile: 'env' }].map(
      (role) => createWebIdentity(fakeSts().sts, { ...nothing, ...role }).key,
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('is not asked for in a region that is none', async () => {
    const { world } = tencentWorld({ env: { ...env, TKE_REGION: 'a.example/' } }, { files: { '/tokens/web': jwt() } });
    await expect(createWebIdentity(fakeSts().sts, nothing).fetchKey(world, PLACE, signal)).rejects.toMatchObject({
      ...{ reason: 'RequestRefused', message: 'TKE_REGION is no region: correct or remove it' },
    });
  });

  test.each<[string, Readonly<Record<string, string>>, boolean, RegExp]>([
    [
      'anything',
      {},
      false,
      /no providerId and no roleARN and no tokenFile: let .* set TKE_PROVIDER_ID and TKE_ROLE_ARN and/,
    ],
    [
      'a token file',
      { TKE_PROVIDER_ID: 'a', TKE_ROLE_ARN: ROLE_A },
      true,
      /has no tokenFile: .* set TKE_WEB_IDENTITY_TOKEN_F/,
    ],
    [
      'a role',
      { TKE_PROVIDER_ID: 'a', TKE_IDENTITY_TOKEN_FILE: 'b' },
      true,
      /no roleARN: .*TKE_ROLE_ARN, or .*`webIdentity`/,
    ],
  ])('without %s says how to give it', async (_what, given, isHalf, message) => {
    const attempt = createWebIdentity(fakeSts().sts, nothing).fetchKey(
      tencentWorld({ env: given }).world,
      PLACE,
      signal,
    );
    await expect(attempt).rejects.toMatchObject({
      ...{ reason: 'IdentityUnavailable', isHalf, message: expect.stringMatching(message) },
    });
  });

  test.each<[string, Readonly<Record<string, string>>, RegExp]>([
    [
      'is not there',
      {},
      /^The file \/tokens\/web .*: pod identity mounts .* the audience sts\.cloud\.tencent\.com .*webhook runs/,
    ],
    ['is empty', { '/tokens/web': ' \n' }, /^The file \/tokens\/web is empty: pod identity mounts/],
  ])('whose token file %s says what mounts it', async (_what, files, message) => {
    const { sts, state } = fakeSts();
    const attempt = createWebIdentity(sts, nothing).fetchKey(tencentWorld({ env }, { files }).world, PLACE, signal);
    await expect(attempt).rejects.toMatchObject({
      ...{ reason: 'IdentityUnavailable', message: expect.stringMatching(message) },
    });
    expect(state.requests).toEqual([]);
  });

  const who = 'subject system:serviceaccount:kube-system:ours, audience sts\\.example, issuer https://issuer\\.example';
  const past = { exp: WORLD_NOW / 1_000 - 1 };
  test.each<[string, string, object, RegExp]>([
    [
      'InvalidParameter.WebIdentityTokenError',
      'PermissionDenied',
      {},
      new RegExp(
        `OIDC provider cls-fake, if .*tcr-a, does not accept the token in /tokens/web \\(${who}\\).*uses sts\\.cloud\\.tencent`,
      ),
    ],
    [
      'InvalidParameter.WebIdentityTokenError',
      'SessionExpired',
      past,
      /the token in \/tokens\/web ended at 2026-01-02T03:04:04\.000Z; it will be read again/,
    ],
    [
      'UnauthorizedOperation',
      'PermissionDenied',
      {},
      new RegExp(
        `trust policy of .*tcr-a does not admit the token \\(${who}\\): name the OIDC provider cls-fake .*oidc:aud`,
      ),
    ],
    [
      'ResourceNotFound.RoleNotFound',
      'IdentityUnavailable',
      {},
      /no role .*tcr-a: .*\(roleARN of webIdentity, or TKE_ROLE_ARN\)/,
    ],
    ['ResourceNotFound', 'IdentityUnavailable', {}, /no OIDC provider cls-fake: enable pod identity .*TKE_PROVIDER_ID/],
    ['InternalError.GetRoleError', 'IdentityUnavailable', {}, /no usable role .*tcr-a: .*TKE_ROLE_ARN/],
    [
      'InternalError.IllegalRole',
      'RequestRefused',
      {},
      /tcr-a cannot be assumed in this way: .*names the OIDC provider cls-fake/,
    ],
    ['InvalidParameter.OverTimeError', 'RequestRefused', {}, /7200 s is longer than the role .*tcr-a/],
    ['InvalidParameter.OverLimit', 'Throttled', {}, /slow down/],
    ['InvalidParameter.ParamError', 'RequestRefused', {}, /check roleARN \(.*tcr-a\) and providerId \(cls-fake\)/],
    ['InternalError.SystemError', 'CloudUnavailable', {}, /a problem of its own/],
  ])('that is refused by %s (%s) names what to check', async (code, reason, more, message) => {
    const { sts } = fakeSts({ code });
    const { world } = tencentWorld({ env }, { files: { '/tokens/web': jwt(more) } });
    const error: unknown = await createWebIdentity(sts, nothing)
      .fetchKey(world, PLACE, signal)
      .catch((one: unknown) => one);
    expect(error).toMatchObject({ reason, requestId: 'ID-1', message: expect.stringMatching(message) });
    expect((error as Error).message).toMatch(new RegExp(`^AssumeRoleWithWebIdentity of ${ROLE_A} failed`));
    expect((error as Error).message).not.toContain('fake-signature');
  });
});
