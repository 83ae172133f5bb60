// Every way to authenticate at Tencent Cloud, over real HTTP with real signatures: who we are then, how long that lasts, and what is
// said when a hop fails.
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { callMetadata } from '../../src/credentials/metadata-http.ts';
import { readSmallFile } from '../../src/credentials/small-file.ts';
import type { CredentialRequest } from '../../src/core/types.ts';
import type { ProviderWorld } from '../../src/providers/provider.ts';
import type { AssumedRole } from '../../src/providers/tencent/assume-role.ts';
import { createTencentClient } from '../../src/providers/tencent/client.ts';
import { identityOf, type BaseIdentity, type IdentityChoice } from '../../src/providers/tencent/identities.ts';
import type { TencentKey } from '../../src/providers/tencent/identity.ts';
import { createStsClient } from '../../src/providers/tencent/sts.ts';
import { createTcrProvider } from '../../src/providers/tencent/tcr.ts';
import { startClouds, TENCENT_SAMPLE, type Clouds } from '../support/clouds/clouds.ts';
import { createJwtSigner, type JwtSigner } from '../support/clouds/sign-jwt.ts';
import { emptyStoreWorld, emptyWorld, TARGET_DEFAULTS } from '../support/provider-world.ts';
import { createStoreHarness } from '../unit/credentials/store-world.ts';

const { key, user, cvmRole, webRole, otherRole, oidcProvider } = TENCENT_SAMPLE;
const { signal } = new AbortController();
const PLACE = { region: 'ap-guangzhou' };
const HOUR = 3_600_000;
const USER_ARN = `qcs::cam::uin/${user.ownerUin}:uin/${user.uin}`;
const SECRET = { namespace: 'kube-system', name: 'tcr-api-key' };
const SUBJECT = webRole.trust[0].subjects[0];

const provider = createTcrProvider();
const client = createTencentClient();
const sts = createStsClient(client);
const signers = [createJwtSigner('RS256', 'first'), createJwtSigner('RS256', 'second')] as const;

let clouds: Clouds;
let folder: string;
/** Real time, moved. */
let elapsedMs: number;

beforeEach(async () => {
  elapsedMs = 0;
  clouds = await startClouds({ now: () => Date.now() + elapsedMs });
  folder = await mkdtemp(join(tmpdir(), 'identities-tencent-'));
  trustIssuer(signers[0]);
  await mountToken('web', signers[0]);
});
afterEach(async () => {
  await clouds.stop();
  await rm(folder, { recursive: true });
});

/** What the program has: its environment, and a Secret with these keys. */
function worldOf(
  has: { readonly env?: Readonly<Record<string, string>>; readonly secret?: Readonly<Record<string, string>> } = {},
): ProviderWorld {
  const { tcr, sts: service, metadata } = clouds.endpoints().tencent;
  const trusting = ({ caFile = '', ...endpoint }: typeof tcr) => ({ ...endpoint, ca: readFileSync(caFile, 'utf8') });
  const { secret } = has;
  return emptyWorld({
    now: () => clouds.now(),
    http: callMetadata,
    readFile: readSmallFile,
    env: has.env ?? {},
    endpoints: { tencent: { tcr: trusting(tcr), sts: trusting(service), metadata } },
    ...(secret === undefined ? {} : { readSecret: () => Promise.resolve(secret) }),
  });
}

const ask = (world: ProviderWorld, choice: IdentityChoice): Promise<TencentKey> =>
  identityOf(choice, sts).fetchKey(world, PLACE, signal);
const of = (base: BaseIdentity, assumedRole?: AssumedRole): IdentityChoice => ({ base, assumedRole });

/** As whom the cloud knows a key, which it takes only with a right signature. */
async function callerOf(world: ProviderWorld, one: TencentKey): Promise<unknown> {
  const about = { service: 'sts', action: 'GetCallerIdentity', subject: 'us', parameters: {} } as const;
  const call = { ...about, region: PLACE.region, key: one, endpoints: world.endpoints, now: () => world.now() };
  const { Arn, PrincipalId } = (await client.call(call, signal)).response;
  const role = [...clouds.tencent.state.roles.values()].find(({ roleId }) => roleId === PrincipalId);
  return role?.arn ?? Arn;
}

function trustIssuer(signer: JwtSigner): void {
  clouds.tencent.state.oidcProviders.set(oidcProvider.providerId, { ...oidcProvider, keys: [signer.jwk] });
}

/** Puts a token of the ServiceAccount where the webhook mounts it. */
async function mountToken(
  name: string,
  signer: JwtSigner,
  claims: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const exp = Math.floor(clouds.now() / 1_000) + 86_400;
  const told = { iss: oidcProvider.issuer, aud: ['sts.cloud.tencent.com'], sub: SUBJECT, exp, ...claims };
  await writeFile(join(folder, name), signer.sign(told));
}

/** What the webhook of pod identity sets. */
const podEnv = (more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
  ...{ TKE_REGION: 'ap-beijing', TKE_PROVIDER_ID: oidcProvider.providerId, TKE_ROLE_ARN: webRole.arn },
  ...{ TKE_WEB_IDENTITY_TOKEN_FILE: join(folder, 'web'), ...more },
});
const keyEnv = { TENCENTCLOUD_SECRET_ID: key.secretId, TENCENTCLOUD_SECRET_KEY: key.secretKey };
const pair = { 'secret-id': key.secretId, 'secret-key': key.secretKey };
const POD: BaseIdentity = {
  kind: 'web-identity',
  role: { providerId: undefined, roleArn: undefined, tokenFile: undefined },
};
const INTO_OTHER: AssumedRole = { roleArn: otherRole.arn, durationSeconds: 3_600, externalId: undefined };

async function writeCredentials(path: string): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `[default]\nsecret_id = ${key.secretId}\nsecret_key = ${key.secretKey}\n`);
  return path;
}

describe('[tcr W6] the cloud knows us', () => {
  const sources: readonly [string, BaseIdentity, () => ProviderWorld | Promise<ProviderWorld>, string][] = [
    ['by a key in a Secret', { kind: 'secret', secret: SECRET }, () => worldOf({ secret: pair }), USER_ARN],
    ['by a key in the environment', { kind: 'environment' }, () => worldOf({ env: keyEnv }), USER_ARN],
    [
      'by the key of a named file',
      { kind: 'file' },
      async () => worldOf({ env: { TENCENTCLOUD_CREDENTIALS_FILE: await writeCredentials(join(folder, 'mine')) } }),
      USER_ARN,
    ],
    [
      'by the key of the file at home',
      { kind: 'file' },
      async () => {
        await writeCredentials(join(folder, '.tencentcloud', 'credentials'));
        return worldOf({ env: { HOME: folder } });
      },
      USER_ARN,
    ],
    [
      'by the key of the file of the system',
      { kind: 'file' },
      async () => {
        const path = await writeCredentials(join(folder, 'system'));
        const readFile = (wanted: string) => readSmallFile(wanted === '/etc/tencentcloud/credentials' ? path : wanted);
        return { ...worldOf({ env: { HOME: folder } }), readFile };
      },
      USER_ARN,
    ],
    ['by pod identity', POD, () => worldOf({ env: podEnv() }), webRole.arn],
    ['by the role of the node', { kind: 'cvm-role' }, () => worldOf(), cvmRole.arn],
    ['by whatever is there, first pod identity', { kind: 'auto' }, () => worldOf({ env: podEnv(keyEnv) }), webRole.arn],
    ['by whatever is there, at last the role of the node', { kind: 'auto' }, () => worldOf(), cvmRole.arn],
  ];

  test.each(sources)('%s, and as a role of another account that we may assume', async (_how, base, build, arn) => {
    const world = await build();
    expect(await callerOf(world, await ask(world, of(base)))).toBe(arn);
    expect(await callerOf(world, await ask(world, of(base, INTO_OTHER)))).toBe(otherRole.arn);
  });

  test('as the role that the environment names beside its key', async () => {
    const world = worldOf({ env: { ...keyEnv, TENCENTCLOUD_ROLE_ARN: otherRole.arn } });
    expect(await callerOf(world, await ask(world, of({ kind: 'environment' })))).toBe(otherRole.arn);
  });

  test('by the session that a Secret, or the environment, holds whole', async () => {
    const session = await ask(worldOf(), of({ kind: 'cvm-role' }));
    const { secretId, secretKey, token = '' } = session;
    const secret = { 'secret-id': secretId, 'secret-key': secretKey, token };
    const env = { TENCENTCLOUD_SECRET_ID: secretId, TENCENTCLOUD_SECRET_KEY: secretKey, TENCENTCLOUD_TOKEN: token };
    const world = worldOf({ env, secret });
    for (const base of [{ kind: 'secret', secret: SECRET }, { kind: 'environment' }] as const) {
      expect(await callerOf(world, await ask(world, of(base)))).toBe(cvmRole.arn);
    }
  });

  test('under the name that the environment gives our sessions, with the external id that the role asks for', async () => {
    const trust = [{ qcs: USER_ARN, externalId: 'sample-proof' }];
    clouds.tencent.state.roles.set(otherRole.arn, { ...otherRole, trust });
    const world = worldOf({ env: { ...keyEnv, TENCENTCLOUD_ROLE_SESSION_NAME: 'cls-sample@b' } });
    const role = { ...INTO_OTHER, externalId: 'sample-proof' };
    const { secretId } = await ask(world, of({ kind: 'environment' }, role));
    expect(clouds.tencent.state.keys.get(secretId)).toMatchObject({ sessionName: 'cls-sample@b' });
  });

  test('[tcr W9] by keys that do not begin with AKID, our own and those of sessions', async () => {
    clouds.tencent.state.tmpSecretIdPrefix = 'IKIDtmp';
    clouds.tencent.state.keys.set('sample-id', { ...key, secretId: 'sample-id' });
    const world = worldOf({ secret: { ...pair, 'secret-id': 'sample-id' } });
    const base = { kind: 'secret', secret: SECRET } as const;
    expect(await callerOf(world, await ask(world, of(base)))).toBe(USER_ARN);
    const assumed = await ask(world, of(base, INTO_OTHER));
    expect(assumed.secretId).toMatch(/^IKIDtmp/);
    expect(await callerOf(world, assumed)).toBe(otherRole.arn);
  });
});

describe('[tcr W6] a session', () => {
  const sources: readonly [string, IdentityChoice, () => ProviderWorld][] = [
    ['of pod identity', of(POD), () => worldOf({ env: podEnv() })],
    ['of the node', of({ kind: 'cvm-role' }), () => worldOf()],
    ['of an assumed role', of({ kind: 'environment' }, INTO_OTHER), () => worldOf({ env: keyEnv })],
    ['of a role on top of pod identity', of(POD, INTO_OTHER), () => worldOf({ env: podEnv() })],
  ];

  test.each(sources)(
    '%s is renewed before its end, and works until then although the cloud is away',
    async (_which, choice, build) => {
      clouds.tencent.state.sessionLifeCapMs = HOUR;
      const world = build();
      const first = await ask(world, choice);
      elapsedMs += 10 * 60_000;
      expect((await ask(world, choice)).secretId).toBe(first.secretId);
      await Promise.all([clouds.tencent.sts.down(), clouds.tencent.metadata.down()]);
      elapsedMs += 40 * 60_000;
      expect((await ask(world, choice)).secretId).toBe(first.secretId);
      await Promise.all([clouds.tencent.sts.up(), clouds.tencent.metadata.up()]);
      elapsedMs += 11_000;
      const next = await ask(world, choice);
      expect(next.secretId).not.toBe(first.secretId);
      elapsedMs += 30 * 60_000;
      const arn = await callerOf(world, next);
      expect([webRole.arn, cvmRole.arn, otherRole.arn]).toContain(arn);
      await expect(callerOf(world, first)).rejects.toMatchObject({ reason: 'SessionExpired' });
    },
  );

  test('[tcr W7] of pod identity is asked for without a signature, with what the file holds then', async () => {
    clouds.tencent.state.sessionLifeCapMs = HOUR;
    const world = worldOf({ env: podEnv() });
    await ask(world, of(POD));
    // The cluster rotates its keys, and kubelet the token: the cloud takes no old one any more.
    trustIssuer(signers[1]);
    await mountToken('web', signers[1]);
    elapsedMs += 50 * 60_000;
    const next = await ask(world, of(POD));
    elapsedMs += 20 * 60_000;
    expect(await callerOf(world, next)).toBe(webRole.arn);
    expect(clouds.tencent.sts.calls({ action: 'AssumeRoleWithWebIdentity' })).toMatchObject([
      { secretId: '', code: 'success', region: 'ap-beijing' },
      { secretId: '', code: 'success', region: 'ap-beijing' },
    ]);
  });

  test('[tcr W7] of pod identity is asked for with the token of TKE’s own variable, else with the other one', async () => {
    await writeFile(join(folder, 'other'), 'no token');
    const other = { TKE_IDENTITY_TOKEN_FILE: join(folder, 'other') };
    expect((await ask(worldOf({ env: podEnv(other) }), of(POD))).origin).toBe(`pod identity (${webRole.arn})`);
    const { TKE_WEB_IDENTITY_TOKEN_FILE: file = '', ...rest } = podEnv();
    const env = { ...rest, TKE_IDENTITY_TOKEN_FILE: file };
    expect((await ask(worldOf({ env }), of(POD))).origin).toBe(`pod identity (${webRole.arn})`);
  });
});

describe('an item of provider tcr', () => {
  const { registryId, regionName: regionId } = TENCENT_SAMPLE.instance;
  const request = (item: Readonly<Record<string, unknown>>): CredentialRequest => {
    const target = provider.parseTarget({ registryId, regionId, ...item }, TARGET_DEFAULTS);
    if (!target.ok) throw new Error(JSON.stringify(target.issues));
    const cacheKey = provider.cacheKey(target.value);
    return { provider: 'tcr', target: target.value, cacheKey, hosts: ['registry.example'] };
  };
  /** A store with everything that the program has, and what it told. */
  const storeOf = (env: Readonly<Record<string, string>>) => {
    const { endpoints } = worldOf();
    const told: string[] = [];
    const harness = createStoreHarness({
      providers: new Map([['tcr', provider]]),
      world: emptyStoreWorld({
        ...{ now: () => clouds.now(), http: callMetadata, readFile: readSmallFile, env, endpoints },
        readSecret: () => Promise.resolve({ data: pair, digest: 'one' }),
      }),
      onOutcome: (outcome) => {
        told.push(outcome.ok ? (outcome.credential.identity ?? '') : outcome.failure.message);
      },
    });
    const answer = async (item: Readonly<Record<string, unknown>>, newerThan?: number) => {
      const wanted = { request: request(item), newerThan };
      return (await harness.store.resolve([wanted])).get(wanted.request.cacheKey);
    };
    return { told, answer };
  };

  test.each<[string, Readonly<Record<string, unknown>>, string, RegExp]>([
    [
      'apiKeySecretRef',
      { apiKeySecretRef: { name: 'tcr-api-key' } },
      user.uin,
      /^the Secret kube-system\/tcr-api-key$/,
    ],
    ['no identity', {}, webRole.roleId, /^pod identity \(.*\) \(pod identity of TKE, by identity auto\)$/],
    ['identity: webIdentity', { identity: 'webIdentity' }, webRole.roleId, /^pod identity \(/],
    ['identity: environment', { identity: 'environment' }, user.uin, /^the environment \(TENCENTCLOUD_SECRET_ID\)$/],
    ['identity: cvmRole', { identity: 'cvmRole' }, cvmRole.roleId, /^the CAM role cvm-sample of the node$/],
  ])('[tcr W6] with %s has a token of that identity, and says whose', async (_how, item, username, identity) => {
    const { told, answer } = storeOf({ ...podEnv(), ...keyEnv });
    expect(await answer(item)).toMatchObject({ status: 'fresh', credential: { username } });
    expect(told).toEqual([expect.stringMatching(identity)]);
  });

  test('[tcr W6] has another session at once when the cloud takes the old one no more', async () => {
    const { answer } = storeOf(podEnv());
    await answer({});
    const minted = clouds.now();
    const { keys } = clouds.tencent.state;
    for (const one of keys.values())
      if (one.roleArn !== undefined) keys.set(one.secretId, { ...one, expiresAt: minted });
    elapsedMs += 11_000;
    expect(await answer({}, minted + 1)).toMatchObject({ status: 'fresh', credential: { username: webRole.roleId } });
    expect(clouds.tencent.tcr.calls().map(({ code }) => code)).toContain('AuthFailure.TokenFailure');
    expect(clouds.tencent.sts.calls({ code: 'success' })).toHaveLength(2);
  });
});

describe('what fails is said', () => {
  const failureOf = (world: ProviderWorld, choice: IdentityChoice): Promise<unknown> =>
    ask(world, choice).then(
      () => 'nothing failed',
      (error: unknown) => error,
    );
  const state = () => clouds.tencent.state;

  test.each<['no-role' | 'failed' | 'expired', string, RegExp]>([
    [
      'no-role',
      'IdentityUnavailable',
      /no CAM role on this node \(404 at \/latest\/meta-data\/cam\/security-credentials\/\)/,
    ],
    [
      'failed',
      'CloudUnavailable',
      /no session of the CAM role cvm-sample \(.*\): its Code is InternalError\.GetRoleError/,
    ],
    ['expired', 'CloudUnavailable', /the session of the CAM role cvm-sample .* ended at .* already/],
  ])('[tcr W8] of a metadata service of mode %s', async (mode, reason, message) => {
    clouds.tencent.metadata.change({ mode });
    expect(await failureOf(worldOf(), of({ kind: 'cvm-role' }))).toMatchObject({
      ...{ reason, message: expect.stringMatching(message) },
    });
  });

  test('[tcr W8] of a node without a metadata service, for good after half a minute', async () => {
    await clouds.tencent.metadata.down();
    const world = worldOf();
    const choice = of({ kind: 'auto' });
    expect(await failureOf(world, choice)).toMatchObject({ reason: 'CloudUnavailable' });
    elapsedMs += 31_000;
    expect(await failureOf(world, choice)).toMatchObject({
      reason: 'IdentityUnavailable',
      message: expect.stringMatching(/^no identity was found \(identity auto\): .* this is no node of Tencent Cloud/),
    });
    await clouds.tencent.metadata.up();
    elapsedMs += 1_000;
    expect(await callerOf(world, await ask(world, choice))).toBe(cvmRole.arn);
  });

  const ENV: BaseIdentity = { kind: 'environment' };
  test.each<[string, () => void, IdentityChoice, string, RegExp]>([
    [
      'a role that does not exist',
      () => state().roles.delete(otherRole.arn),
      of(ENV, INTO_OTHER),
      'IdentityUnavailable',
      /^AssumeRole of .*tcr-other-sample failed .*: there is no role/,
    ],
    [
      'a role that trusts somebody else',
      () => state().roles.set(otherRole.arn, { ...otherRole, trust: [] }),
      of(ENV, INTO_OTHER),
      'PermissionDenied',
      /the environment \(.*\) may not assume .*sts:AssumeRole/,
    ],
    [
      'a role that asks for an external id',
      () => state().roles.set(otherRole.arn, { ...otherRole, trust: [{ qcs: USER_ARN, externalId: 'sample' }] }),
      of(ENV, INTO_OTHER),
      'PermissionDenied',
      /with `externalId`/,
    ],
    [
      'a session that is too long',
      () => state().roles.set(otherRole.arn, { ...otherRole, maxSessionSeconds: 1_800 }),
      of(ENV, INTO_OTHER),
      'RequestRefused',
      /3600 s is longer than the role .* allows/,
    ],
    [
      'a role without a right form',
      () => undefined,
      of(ENV, { ...INTO_OTHER, roleArn: 'tcr-reader' }),
      'RequestRefused',
      /check assumeRoleARN \(tcr-reader\)/,
    ],
    [
      'a key that the cloud does not know',
      () => state().keys.delete(key.secretId),
      of(ENV, INTO_OTHER),
      'AccessKeyInvalid',
      /SecretId in the environment/,
    ],
    [
      'a key whose halves do not fit',
      () => state().keys.set(key.secretId, { ...key, secretKey: 'another' }),
      of(ENV, INTO_OTHER),
      'SignatureMismatch',
      /the environment/,
    ],
    [
      'a provider that the account has not',
      () => state().oidcProviders.clear(),
      of(POD),
      'PermissionDenied',
      /the OIDC provider cls-sample01, if there is one in the account of/,
    ],
    [
      'a provider with other keys',
      () => trustIssuer(signers[1]),
      of(POD),
      'PermissionDenied',
      /does not accept the token .*issuer https:\/\/kubernetes\.default\.svc/,
    ],
    [
      'a trust policy that names another subject',
      () =>
        state().roles.set(webRole.arn, {
          ...webRole,
          trust: [{ providerId: oidcProvider.providerId, subjects: ['another'] }],
        }),
      of(POD),
      'PermissionDenied',
      /the trust policy of .*tcr-web-sample does not admit the token \(subject system:/,
    ],
    [
      'a role that does not trust the provider',
      () => state().roles.set(webRole.arn, { ...webRole, trust: [] }),
      of(POD),
      'RequestRefused',
      /cannot be assumed in this way: .*names the OIDC provider cls-sample01/,
    ],
    [
      'a role of pod identity that does not exist',
      () => state().roles.delete(webRole.arn),
      of(POD),
      'IdentityUnavailable',
      /finds no usable role .*tcr-web-sample/,
    ],
  ])('of %s', async (_what, change, choice, reason, message) => {
    change();
    const error = await failureOf(worldOf({ env: { ...keyEnv, ...podEnv() } }), choice);
    expect(error).toMatchObject({ reason, message: expect.stringMatching(message) });
    const secrets = [key.secretKey, readFileSync(join(folder, 'web'), 'utf8')];
    expect(secrets.filter((secret) => (error as Error).message.includes(secret))).toEqual([]);
  });

  test('of a token file that is not there', async () => {
    const world = worldOf({ env: podEnv({ TKE_WEB_IDENTITY_TOKEN_FILE: '/none' }) });
    expect(await failureOf(world, of(POD))).toMatchObject({
      reason: 'IdentityUnavailable',
      message: expect.stringMatching(/^The file \/none could not be read \(ENOENT\): pod identity mounts/),
    });
  });

  test.each<[string, Readonly<Record<string, unknown>>, string, RegExp]>([
    ['for another audience', { aud: ['api'] }, 'PermissionDenied', /audience api, .*uses sts\.cloud\.tencent\.com/],
    [
      'that has ended',
      { exp: 1_767_225_600 },
      'SessionExpired',
      /ended at 2026-01-01T00:00:00\.000Z; it will be read again/,
    ],
  ])('of a token %s', async (_what, claims, reason, message) => {
    await mountToken('web', signers[0], claims);
    expect(await failureOf(worldOf({ env: podEnv() }), of(POD))).toMatchObject({
      ...{ reason, message: expect.stringMatching(message) },
    });
  });
});
