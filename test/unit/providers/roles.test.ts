// Roles that are assumed: across accounts with another key, and by RRSA; each hop that fails is named with what to check.
import { describe, expect, test } from '@jest/globals';
import { ProviderError } from '../../../src/core/errors.ts';
import { documentOf } from '../../../src/providers/alibaba/answer.ts';
import { createAccessKeyIdentity, createInlineKeyIdentity } from '../../../src/providers/alibaba/access-key.ts';
import { createAssumedRoleIdentity } from '../../../src/providers/alibaba/assume-role.ts';
import type { AlibabaClient, CloudRequest } from '../../../src/providers/alibaba/cloud-request.ts';
import type { AlibabaIdentity } from '../../../src/providers/alibaba/identity.ts';
import { createRrsaIdentity } from '../../../src/providers/alibaba/rrsa.ts';
import { createStsClient } from '../../../src/providers/alibaba/sts.ts';
import type { ProviderWorld } from '../../../src/providers/provider.ts';
import { emptyWorld, WORLD_NOW } from '../../support/provider-world.ts';

const { signal } = new AbortController();
const PLACE = { region: 'cn-hangzhou' };
const ROLE_A = 'acs:ram::1000000000000001:role/acr-a';
const ROLE_B = 'acs:ram::2000000000000002:role/acr-b';
const PROVIDER = 'acs:ram::1000000000000001:oidc-provider/ack-rrsa-fake';
const SECRET = { namespace: 'kube-system', name: 'keys' };
const KEY = { 'access-key-id': 'LTAIfake', 'access-key-secret': 'fake-secret' };

/** In place of an identity that must not be asked for. */
const NOBODY: AlibabaIdentity = { key: 'nobody', fetchKey: () => Promise.reject(new Error('not asked for')) };

/** STS that answers as told, and remembers what it was asked. */
function fakeSts(code?: string, status = 403) {
  const requests: CloudRequest[] = [];
  let sessions = 0;
  const client: AlibabaClient = {
    call: (request) => {
      requests.push(request);
      sessions += 1;
      const { action, subject, key, now, codes = [] } = request;
      const endpoint = request.endpoints[0] ?? { scheme: 'https', address: 'none', host: 'none', ca: undefined };
      const context = { action, subject, endpoint, origin: key?.origin ?? subject, now, codes };
      const Credentials = {
        ...{
          AccessKeyId: `STS.fake${sessions}`,
          AccessKeySecret: 'fake-session-secret',
          SecurityToken: 'fake-session-token',
        },
        Expiration: new Date(WORLD_NOW + 3_600_000).toISOString().replace('.000', ''),
      };
      const body =
        code === undefined ? { RequestId: 'ID-1', Credentials } : { RequestId: 'ID-1', Code: code, Message: 'x' };
      return new Promise((resolve) => {
        const raw = { status: code === undefined ? 200 : status, headers: {}, body: JSON.stringify(body) };
        resolve({ document: documentOf(raw, context), context });
      });
    },
  };
  return { sts: createStsClient(client), requests };
}

const world = (more: Partial<ProviderWorld> = {}) =>
  emptyWorld({
    readSecret: () => Promise.resolve(KEY),
    endpoints: { alibaba: { sts: { url: 'https://sts.example' } } },
    ...more,
  });

describe('[acr I3] a role of another account', () => {
  const role = { roleArn: ROLE_B, durationSeconds: 1_800 };

  test('is assumed with the key of the base, for as long as the item says, once in its life', async () => {
    const { sts, requests } = fakeSts();
    const identity = createAssumedRoleIdentity(sts, createAccessKeyIdentity(SECRET), role);
    const here = world();
    const key = await identity.fetchKey(here, PLACE, signal);
    expect(await identity.fetchKey(here, PLACE, signal)).toEqual(key);
    expect(key).toEqual({
      accessKeyId: 'STS.fake1',
      accessKeySecret: 'fake-session-secret',
      securityToken: 'fake-session-token',
      origin: `${ROLE_B}, assumed by the Secret kube-system/keys`,
      account: '2000000000000002',
    });
    expect(requests).toEqual([
      expect.objectContaining({
        action: 'AssumeRole',
        version: '2015-04-01',
        query: { RoleArn: ROLE_B, RoleSessionName: 'registry-credential-helper', DurationSeconds: '1800' },
        key: expect.objectContaining({ accessKeyId: 'LTAIfake' }),
        endpoints: [expect.objectContaining({ host: 'sts.example' })],
      }),
    ]);
  });

  test('is assumed anew when the Secret of the base holds another key', async () => {
    const { sts, requests } = fakeSts();
    const identity = createAssumedRoleIdentity(sts, createAccessKeyIdentity(SECRET), role);
    let data = KEY;
    const here = world({ readSecret: () => Promise.resolve(data) });
    await identity.fetchKey(here, PLACE, signal);
    data = { ...KEY, 'access-key-id': 'LTAIother' };
    expect((await identity.fetchKey(here, PLACE, signal)).accessKeyId).toBe('STS.fake2');
    expect(requests).toHaveLength(2);
  });

  test('is asked for in each region for itself: one that does not answer holds up no other', async () => {
    const { sts, requests } = fakeSts();
    const identity = createAssumedRoleIdentity(sts, createAccessKeyIdentity(SECRET), role);
    const here = world();
    for (const region of ['cn-hangzhou', 'ap-southeast-1']) await identity.fetchKey(here, { region }, signal);
    expect(requests.map(({ region }) => region)).toEqual(['cn-hangzhou', 'ap-southeast-1']);
  });

  test('has a key that tells nothing of the AccessKey, not even its id', async () => {
    const keys: string[] = [];
    const secrets: string[] = [];
    const here = world();
    const pair = { accessKeyId: 'LTAIfakeMarkedId', accessKeySecret: 'fake-secret' };
    const identity = createAssumedRoleIdentity(fakeSts().sts, createInlineKeyIdentity(pair), role);
    const watched: ProviderWorld = {
      ...here,
      identity: (key, fetch, abort) => {
        keys.push(key);
        const telling = async (one: AbortSignal) => {
          const session = await fetch(one);
          secrets.push(...session.secrets);
          return session;
        };
        return here.identity(key, telling, abort);
      },
    };
    await identity.fetchKey(watched, PLACE, signal);
    expect(keys.join()).not.toContain(pair.accessKeyId);
    expect(secrets).toEqual(expect.arrayContaining([pair.accessKeyId, pair.accessKeySecret]));
  });

  test.each<[string, string, RegExp]>([
    [
      'NoPermission',
      'PermissionDenied',
      /the Secret kube-system\/keys may not assume .*acr-b: allow .*sts:AssumeRole .*trust policy/,
    ],
    ['EntityNotExist.Role', 'IdentityUnavailable', /there is no role .*acr-b/],
    [
      'InvalidParameter.DurationSeconds',
      'RequestRefused',
      /1800 s is longer than the role .*MaxSessionDuration.*expireDuration/,
    ],
    ['NoPrivilege', 'PermissionDenied', /allow it the action sts:AssumeRole/],
    ['InvalidParameter.RoleSessionName', 'RequestRefused', /ALIBABA_CLOUD_ROLE_SESSION_NAME to 2 to 64 letters/],
    ['InvalidParameter.RoleArn', 'RequestRefused', /check assumeRoleARN \(.*acr-b\)/],
    ['InvalidAccessKeyId.NotFound', 'AccessKeyInvalid', /the AccessKey in the Secret kube-system\/keys/],
    ['InvalidSecurityToken.Expired', 'SessionExpired', /has expired/],
    ['MissingSecurityToken', 'SessionExpired', /has expired/],
    ['Throttling.User', 'Throttled', /slow down/],
  ])('[acr X2] that is refused by %s names the hop and what to check', async (code, reason, message) => {
    const { sts } = fakeSts(code);
    const identity = createAssumedRoleIdentity(sts, createAccessKeyIdentity(SECRET), role);
    const error = await identity.fetchKey(world(), PLACE, signal).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(ProviderError);
    expect(error).toMatchObject({ reason, requestId: 'ID-1', message: expect.stringMatching(message) });
    expect((error as Error).message).toMatch(
      new RegExp(`^AssumeRole of ${ROLE_B} failed \\(${code}, request id ID-1\\)`),
    );
  });
});

describe('[acr I4] RRSA', () => {
  const role = { roleArn: ROLE_A, providerArn: PROVIDER, serviceAccount: undefined };
  const claims = {
    sub: 'system:serviceaccount:kube-system:ours',
    aud: ['sts.aliyuncs.com'],
    iss: 'https://issuer.example',
  };
  const jwt = (id: number) =>
    `e30.${Buffer.from(JSON.stringify({ ...claims, id })).toString('base64url')}.fake-signature`;

  test('trades the token of the file, read anew each time, in the body and unsigned', async () => {
    const { sts, requests } = fakeSts();
    let reads = 0;
    let now = WORLD_NOW;
    const files: string[] = [];
    const here = world({
      now: () => now,
      readFile: (path) => {
        files.push(path);
        reads += 1;
        return Promise.resolve(`${jwt(reads)}\n`);
      },
    });
    const identity = createRrsaIdentity(sts, role, NOBODY);
    expect(await identity.fetchKey(here, PLACE, signal)).toMatchObject({
      accessKeyId: 'STS.fake1',
      origin: `RRSA (${ROLE_A})`,
      account: '1000000000000001',
    });
    now += 31 * 60_000;
    await identity.fetchKey(here, PLACE, signal);
    expect(files).toEqual(Array(2).fill('/var/run/secrets/ack.alibabacloud.com/rrsa-tokens/token'));
    expect(requests.map(({ form }) => form?.OIDCToken)).toEqual([jwt(1), jwt(2)]);
    expect(requests[0]).toMatchObject({
      action: 'AssumeRoleWithOIDC',
      key: undefined,
      form: { RoleArn: ROLE_A, OIDCProviderArn: PROVIDER, DurationSeconds: '3600' },
    });
    expect(JSON.stringify(requests[0]?.query)).not.toContain('e30.');
  });

  test('asks the cluster for a token of the ServiceAccount that the configuration names', async () => {
    const { sts, requests } = fakeSts();
    const asked: unknown[] = [];
    const here = world({
      requestToken: (account, audience) => {
        asked.push([account, audience]);
        return Promise.resolve(jwt(7));
      },
    });
    const serviceAccount = { namespace: 'kube-system', name: 'aliyun-acr-credential-helper' };
    await createRrsaIdentity(sts, { ...role, serviceAccount }, NOBODY).fetchKey(here, PLACE, signal);
    expect(asked).toEqual([[serviceAccount, 'sts.aliyuncs.com']]);
    expect(requests[0]?.form?.OIDCToken).toBe(jwt(7));
  });

  test('takes what the item does not say from the environment', async () => {
    const env = {
      ALIBABA_CLOUD_ROLE_ARN: ROLE_B,
      ALIBABA_CLOUD_OIDC_PROVIDER_ARN: PROVIDER,
      ALIBABA_CLOUD_OIDC_TOKEN_FILE: '/tokens/mine',
      ALIBABA_CLOUD_ROLE_SESSION_NAME: 'mine',
    };
    const { sts, requests } = fakeSts();
    const here = world({ env, readFile: (path) => Promise.resolve(path) });
    const nothing = { roleArn: undefined, providerArn: undefined, serviceAccount: undefined };
    await createRrsaIdentity(sts, nothing, NOBODY).fetchKey(here, PLACE, signal);
    await createRrsaIdentity(sts, role, NOBODY).fetchKey(here, PLACE, signal);
    expect(requests.map(({ form }) => form)).toMatchObject([
      { RoleArn: ROLE_B, OIDCToken: '/tokens/mine', RoleSessionName: 'mine' },
      { RoleArn: ROLE_A },
    ]);
  });

  test('leaves it to the mode where neither the item nor the environment names a role', async () => {
    const nothing = { roleArn: undefined, providerArn: undefined, serviceAccount: undefined };
    const otherwise = createAccessKeyIdentity(SECRET);
    const identity = createRrsaIdentity(fakeSts().sts, nothing, otherwise);
    const key = await identity.fetchKey(world(), PLACE, signal);
    expect(key.accessKeyId).toBe('LTAIfake');
    expect(key.warnings).toBeUndefined();
    expect(identity.key).toContain(otherwise.key);
    // Half of it is a mistake, and is said to be one.
    const half = await identity.fetchKey(world({ env: { ALIBABA_CLOUD_ROLE_ARN: ROLE_B } }), PLACE, signal);
    expect(half).toEqual({ ...key, warnings: [expect.stringContaining('has no ALIBABA_CLOUD_OIDC_PROVIDER_ARN')] });
  });

  test.each<[string, Parameters<typeof createRrsaIdentity>[1], Partial<ProviderWorld>, RegExp]>([
    [
      'a role',
      { ...role, roleArn: undefined },
      {},
      /no rrsaRoleARN: write it into the item, or set ALIBABA_CLOUD_ROLE_ARN/,
    ],
    ['a provider', { ...role, providerArn: undefined }, {}, /no rrsaOIDCProviderRoleARN/],
    [
      'a file',
      role,
      {},
      /There is no file: mount a projected ServiceAccount token.*`rrsa.enabled` of the chart.*`rrsa-service-account`/,
    ],
  ])('without %s says how to give it', async (_name, given, more, message) => {
    const attempt = createRrsaIdentity(fakeSts().sts, given, NOBODY).fetchKey(world(more), PLACE, signal);
    await expect(attempt).rejects.toMatchObject({
      reason: 'IdentityUnavailable',
      message: expect.stringMatching(message),
    });
  });

  test.each<[string, string, RegExp]>([
    ['AuthenticationFail.OIDCToken.Expired', 'SessionExpired', /has expired; a new one will be read/],
    [
      'AuthenticationFail.OIDCToken.AudienceNotMatch',
      'PermissionDenied',
      /audience is sts\.aliyuncs\.com, and the OIDC provider/,
    ],
    [
      'AuthenticationFail.OIDCToken.InvalidSignature',
      'PermissionDenied',
      /issuer https:\/\/issuer\.example.*that of this cluster/,
    ],
    ['AuthenticationFail.OIDCToken.Invalid', 'PermissionDenied', /does not accept the token/],
    [
      'AuthenticationFail.NoPermission',
      'PermissionDenied',
      /trust policy of .*acr-a does not admit the subject system:serviceaccount:kube-system:ours .*rrsa-service-account/,
    ],
    ['Forbidden.RAM', 'PermissionDenied', /trust policy of .*acr-a does not admit/],
    ['InvalidParameter.OIDCToken', 'RequestRefused', /check rrsaRoleARN \(.*acr-a\) and rrsaOIDCProviderRoleARN/],
    ['InvalidParameter.RoleSessionName', 'RequestRefused', /ALIBABA_CLOUD_ROLE_SESSION_NAME/],
    ['EntityNotExist.OIDCProvider', 'IdentityUnavailable', /no OIDC provider .*enable RRSA/],
    ['EntityNotExist.Role', 'IdentityUnavailable', /there is no role .*acr-a/],
  ])('[acr I5] [acr X2] that is refused by %s names what to check', async (code, reason, message) => {
    const { sts } = fakeSts(code, 401);
    const here = world({ readFile: () => Promise.resolve(jwt(1)) });
    const error = await createRrsaIdentity(sts, role, NOBODY)
      .fetchKey(here, PLACE, signal)
      .catch((one: unknown) => one);
    expect(error).toMatchObject({ reason, message: expect.stringMatching(message) });
    expect((error as Error).message).toMatch(new RegExp(`^AssumeRoleWithOIDC of ${ROLE_A} failed`));
    expect((error as Error).message).not.toContain('fake-signature');
  });

  test('and then another role: each hop has its session', async () => {
    const { sts, requests } = fakeSts();
    const here = world({ readFile: () => Promise.resolve(jwt(1)) });
    const identity = createAssumedRoleIdentity(sts, createRrsaIdentity(sts, role, NOBODY), {
      roleArn: ROLE_B,
      durationSeconds: 3_600,
    });
    const key = await identity.fetchKey(here, PLACE, signal);
    expect(key.origin).toBe(`${ROLE_B}, assumed by RRSA (${ROLE_A})`);
    expect(requests.map(({ action, key: signer }) => [action, signer?.accessKeyId])).toEqual([
      ['AssumeRoleWithOIDC', undefined],
      ['AssumeRole', 'STS.fake1'],
    ]);
  });
});
