// Provider `tcr` against the simulated cloud over real TLS: what it makes works at the registry, what it deletes works no more, and
// every way to fail gets its reason and a sentence that helps.
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ProviderError, type FailureReason } from '../../src/core/errors.ts';
import type { Credential } from '../../src/core/types.ts';
import type { CloudEndpoints, ProviderWorld } from '../../src/providers/provider.ts';
import { createTcrProvider, createTcrServices } from '../../src/providers/tencent/tcr.ts';
import { startClouds, TENCENT_SAMPLE, type Clouds } from '../support/clouds/clouds.ts';
import type { Fault } from '../support/clouds/faults.ts';
import type { Statement } from '../support/clouds/tencent-cam.ts';
import type { TencentInstance } from '../support/clouds/tencent-state.ts';
import { verifyInstanceToken } from '../support/clouds/tencent-instance-tokens.ts';
import { codeBlocks } from '../support/markdown.ts';
import { emptyWorld, SAMPLE_OWNER, TARGET_DEFAULTS } from '../support/provider-world.ts';

const { key, user, instance } = TENCENT_SAMPLE;
const INSTANCE: TencentInstance = {
  ...instance,
  customDomains: [{ domain: 'images.acme.example', status: 'success' }],
};
const ITEM = {
  registryId: instance.registryId,
  regionId: instance.regionName,
  apiKeySecretRef: { name: 'sample-key' },
};
const { signal } = new AbortController();

type Item = Readonly<Record<string, unknown>>;

let clouds: Clouds;
let endpoints: CloudEndpoints;
let provider: ReturnType<typeof createTcrProvider>;
let keys: Readonly<Record<string, string>>;

beforeAll(async () => {
  clouds = await startClouds();
  const { tcr, sts } = clouds.endpoints().tencent;
  const ca = await readFile(tcr.caFile ?? '', 'utf8');
  endpoints = { tencent: { tcr: { url: tcr.url, host: tcr.host, ca }, sts: { url: sts.url, host: sts.host, ca } } };
});
afterAll(() => clouds.stop());
beforeEach(() => {
  // Of its own for each case: a cloud that asked to slow down makes the next call wait.
  provider = createTcrProvider(createTcrServices({ timeoutMs: 3_000 }));
  keys = { 'secret-id': key.secretId, 'secret-key': key.secretKey };
  const { state, tcr } = clouds.tencent;
  state.instances.set(instance.registryId, INSTANCE);
  state.users.set(user.uin, user);
  state.keys.set(key.secretId, key);
  state.tokens.clear();
  state.robots.clear();
  tcr.clearCalls();
});
afterEach(async () => {
  const { state, tcr } = clouds.tencent;
  tcr.faults.clear();
  state.instances.clear();
  state.variants = { instants: 'ms', usernameAsNumber: false, emptyLists: 'null', errors: 'response', gzip: 'asked' };
  clouds.setClockOffset(0);
  await tcr.up();
});

function targetOf(item: Item) {
  const parsed = provider.parseTarget({ ...ITEM, ...item }, { ...TARGET_DEFAULTS, region: undefined });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.value;
}

const worldOf = (): ProviderWorld => emptyWorld({ now: Date.now, endpoints, readSecret: () => Promise.resolve(keys) });
const fetch = (item: Item = {}): Promise<Credential> => provider.fetchCredential(targetOf(item), worldOf(), signal);
const revoke = (keep: string | undefined, item: Item): Promise<readonly string[]> =>
  provider.revokeCredentials(targetOf(item), { keep }, worldOf(), signal);

async function failure(item: Item = {}): Promise<ProviderError> {
  const error: unknown = await fetch(item).catch((thrown: unknown) => thrown);
  if (!(error instanceof ProviderError)) throw new Error('it went well, or was a bug', { cause: error });
  expect(error.message).not.toContain(key.secretKey);
  return error;
}

const worksAtRegistry = ({ password }: Credential): boolean =>
  verifyInstanceToken(clouds.tencent.state, { instance: INSTANCE, token: password, now: Date.now() }) !== undefined;
const actions = (): readonly string[] =>
  clouds.tencent.tcr.calls().map(({ action, region, code }) => `${action} ${region} ${code}`);
const allow = (policy: readonly Statement[]): void =>
  void clouds.tencent.state.users.set(user.uin, { ...user, policy });

describe('a temporary token', () => {
  test('[tcr K2] is the cloud’s, good at the registry, for every domain of the instance, with one call', async () => {
    const before = Date.now();
    const credential = await fetch();
    expect(credential).toMatchObject({
      username: user.uin,
      hosts: ['acme-sample.tencentcloudcr.com', 'acme-sample-vpc.tencentcloudcr.com', 'images.acme.example'],
      identity: 'the Secret kube-system/sample-key',
    });
    expect(credential.id).toBeUndefined();
    expect(worksAtRegistry(credential)).toBe(true);
    expect(credential.issuedAt).toBeGreaterThanOrEqual(before);
    expect((credential.expiresAt ?? 0) - before).toBeGreaterThan(3_590_000);
    expect((credential.expiresAt ?? 0) % 1_000).toBe(0);
    expect(actions()).toEqual([
      ...['DescribeInstances ap-guangzhou success', 'DescribeInstanceCustomizedDomain ap-guangzhou success'],
      'CreateInstanceToken ap-guangzhou success',
    ]);
  });

  test.each([
    [{ instants: 'ms-text' }],
    [{ instants: 'seconds' }],
    [{ instants: 'seconds-text', usernameAsNumber: true }],
    [{ emptyLists: 'empty', gzip: 'always' }],
    [{ gzip: 'never' }],
  ] as const)('[tcr K7] is read from answers of the form %j', async (variant) => {
    clouds.tencent.state.variants = { ...clouds.tencent.state.variants, ...variant };
    const credential = await fetch();
    expect(credential.username).toBe(user.uin);
    expect(Math.abs((credential.expiresAt ?? 0) - Date.now() - 3_600_000)).toBeLessThan(10_000);
  });

  test('[tcr K8] comes from the instance’s own region, by any of its names', async () => {
    const { state } = clouds.tencent;
    const elsewhere: TencentInstance = {
      ...INSTANCE,
      registryId: 'tcr-sample09',
      registryName: 'edge-vpc',
      regionName: 'ap-singapore',
    };
    state.instances.set(elsewhere.registryId, elsewhere);
    for (const [domains, name, region] of [
      ['acme-sample-vpc.tencentcloudcr.com', 'acme-sample', 'ap-guangzhou'],
      ['edge-vpc.tencentcloudcr.com', 'edge-vpc', 'ap-singapore'],
      ['edge-vpc-vpc.tencentcloudcr.com,images.acme.example', 'edge-vpc', 'ap-singapore'],
    ] as const) {
      clouds.tencent.tcr.clearCalls();
      const credential = await fetch({ registryId: '', regionId: '', domains });
      expect(credential.hosts).toContain(`${name}.tencentcloudcr.com`);
      expect(actions().at(-1)).toBe(`CreateInstanceToken ${region} success`);
    }
    // Another instance’s region is not this one’s.
    expect(await failure({ regionId: 'ap-singapore' })).toMatchObject({ reason: 'InstanceNotFound' });
  });

  test('needs no more rights than the documented policy gives', async () => {
    const blocks = codeBlocks('docs/configuration.md').flatMap(({ language, text }) =>
      language === 'json' ? [text] : [],
    );
    const policies = blocks.map(
      (text) =>
        (JSON.parse(text.replaceAll('tcr-a1b2c3d4', instance.registryId)) as { statement: readonly Statement[] })
          .statement,
    );
    expect(policies).toHaveLength(3);
    const items: readonly Item[] = [{}, { tokenMode: 'longterm' }, { tokenMode: 'robot', namespaces: 'team-a' }];
    for (const [at, item] of items.entries()) {
      allow(policies[at] ?? []);
      const credential = await fetch(item);
      expect(credential.warnings).toBeUndefined();
      expect(await revoke(undefined, item)).toEqual(at === 0 ? [] : [credential.id]);
    }
  });
});

describe('[tcr K4] a long-term token', () => {
  const item = { tokenMode: 'longterm', description: 'cluster of team A' };

  test('whose answer is lost lives no longer than until its successor is in use', async () => {
    const { state, tcr } = clouds.tencent;
    const foreign = { tokenId: 'foreign', registryId: instance.registryId, description: 'by hand', enabled: true };
    state.tokens.set('foreign', { ...foreign, createdAt: 0, expiresAt: Date.now() + 1e9 });
    state.deletionDelayMs = 100;
    tcr.faults.add({ action: 'CreateInstanceToken', fault: { kind: 'reset' }, times: 1 });
    expect(await failure(item)).toMatchObject({ reason: 'CloudUnavailable' });
    expect(state.tokens.size).toBe(2);
    const credential = await fetch(item);
    expect(state.tokens.size).toBe(3);
    const deleted = await revoke(credential.id, item);
    expect(deleted).toHaveLength(1);
    const left = [...state.tokens.values()].filter(({ deletedAt }) => deletedAt === undefined);
    expect(left.map(({ tokenId }) => tokenId)).toEqual(['foreign', credential.id]);
    expect(left[1]?.description).toMatch(
      new RegExp(`^cluster of team A \\[registry-credential-helper ${SAMPLE_OWNER.cluster}/default/[0-9a-f]{12}\\]$`),
    );
    expect(worksAtRegistry(credential)).toBe(true);
    expect((credential.expiresAt ?? 0) - Date.now()).toBeGreaterThan(3_640 * 86_400_000);
  });

  test('[tcr K5] is gone when it was revoked, and nothing foreign with it', async () => {
    const { state } = clouds.tencent;
    const foreign = { tokenId: 'foreign', registryId: instance.registryId, description: 'by hand', enabled: true };
    state.tokens.set('foreign', { ...foreign, createdAt: 0, expiresAt: Date.now() + 1e9 });
    state.deletionDelayMs = 1_500;
    const credential = await fetch(item);
    expect(await revoke(undefined, item)).toEqual([credential.id]);
    expect(worksAtRegistry(credential)).toBe(false);
    expect(state.tokens.get('foreign')).not.toHaveProperty('deletedAt');
  });
});

describe('[tcr K6] a service account', () => {
  const item = { tokenMode: 'robot', namespaces: 'team-a,team-b' };

  test('may pull from the named namespaces and no more, and its predecessor works until it is revoked', async () => {
    const { state } = clouds.tencent;
    const first = await fetch(item);
    const robots = () => [...state.robots.values()];
    const { name, password, permissions, expiresAt } = robots()[0] ?? {};
    const allowed = ['tcr:PullRepository', 'tcr:DescribeHelmCharts'];
    expect(first).toMatchObject({ username: name, id: name, password, expiresAt });
    expect(permissions).toEqual([
      { resource: 'team-a', actions: allowed },
      { resource: 'team-b', actions: allowed },
    ]);
    expect((expiresAt ?? 0) - Date.now()).toBeGreaterThan(6.9 * 86_400_000);
    const second = await fetch(item);
    // Both work while the new one is on its way to the namespaces.
    expect(robots().map((robot) => [robot.name, robot.password, robot.disabled])).toEqual([
      [first.username, first.password, false],
      [second.username, second.password, false],
    ]);
    expect(await revoke(second.id, item)).toEqual([first.id]);
    expect(robots().map((robot) => robot.name)).toEqual([second.username]);
  });

  test('is refused beyond the quota with a sentence that says so', async () => {
    clouds.tencent.state.instances.set(instance.registryId, { ...INSTANCE, robotQuota: 0 });
    expect(await failure(item)).toMatchObject({ reason: 'RequestRefused', message: expect.stringContaining('quota') });
  });
});

describe('a refusal', () => {
  test.each<[string, () => void, Item, FailureReason, RegExp]>([
    [
      'of an unknown key',
      () => void (keys = { ...keys, 'secret-id': 'AKIDunknownfake' }),
      {},
      'AccessKeyInvalid',
      /check secret-id there/,
    ],
    [
      'of a wrong key',
      () => void (keys = { ...keys, 'secret-key': 'fake-wrong' }),
      {},
      'SignatureMismatch',
      /secret-key in the Secret kube-system\/sample-key/,
    ],
    ['without rights', () => allow([]), {}, 'PermissionDenied', /tcr:DescribeInstances.*CAM.*name the `domains`/],
    [
      'without the right to make tokens',
      () => allow([{ effect: 'allow', action: ['tcr:Describe*'], resource: ['*'] }]),
      {},
      'PermissionDenied',
      /CreateInstanceToken of tcr-sample01 .*tcr:CreateInstanceToken/,
    ],
    [
      'of an unknown instance',
      () => undefined,
      { registryId: 'tcr-unknown' },
      'InstanceNotFound',
      /tcr-unknown.*regionId/,
    ],
    [
      'of an unknown region',
      () => undefined,
      { regionId: 'cn-hangzhou' },
      'RequestRefused',
      /does not serve this region: check regionId/,
    ],
  ])('%s has its reason and says what to do', async (_name, prepare, item, reason, words) => {
    prepare();
    const error = await failure(item);
    expect(error).toMatchObject({ reason, message: expect.stringMatching(words) });
  });

  test.each<[Fault, FailureReason]>([
    [{ kind: 'throttle' }, 'Throttled'],
    [{ kind: 'error', status: 200, code: 'InternalError.DbError' }, 'CloudUnavailable'],
    [{ kind: 'error', status: 200, code: 'AuthFailure.TokenFailure' }, 'SessionExpired'],
    [{ kind: 'unavailable' }, 'CloudUnavailable'],
    [{ kind: 'html' }, 'CloudUnavailable'],
    [{ kind: 'truncated' }, 'CloudUnavailable'],
    [{ kind: 'cut' }, 'CloudUnavailable'],
    [{ kind: 'empty' }, 'CloudUnavailable'],
    [{ kind: 'slow', delayMs: 3_000 }, 'CloudUnavailable'],
  ])('[tcr W3] told as %j is %s, of whichever call', async (fault, reason) => {
    for (const action of ['DescribeInstances', 'CreateInstanceToken']) {
      clouds.tencent.tcr.faults.clear();
      clouds.tencent.tcr.faults.add({ action, fault });
      expect(await failure()).toMatchObject({
        reason,
        message: expect.stringContaining(`${action} of tcr-sample01 in ap-guangzhou`),
      });
    }
  });

  test('of an instance that does not run passes when it does', async () => {
    clouds.tencent.state.instances.set(instance.registryId, { ...INSTANCE, status: 'Isolate' });
    for (const item of [{}, { tokenMode: 'longterm' }]) {
      const error = await failure(item);
      expect(error).toMatchObject({ reason: 'InstanceNotReady', message: expect.stringContaining('state Isolate') });
    }
  });

  test('to list domains since there are none costs nothing', async () => {
    const fault = { kind: 'error', status: 200, code: 'InternalError.ErrNotExist' } as const;
    clouds.tencent.tcr.faults.add({ action: 'DescribeInstanceCustomizedDomain', fault });
    expect((await fetch()).hosts).toEqual(['acme-sample.tencentcloudcr.com', 'acme-sample-vpc.tencentcloudcr.com']);
  });

  test('in the older shape is understood', async () => {
    clouds.tencent.state.variants = { ...clouds.tencent.state.variants, errors: 'legacy' };
    keys = { ...keys, 'secret-id': 'AKIDunknownfake' };
    expect(await failure()).toMatchObject({ reason: 'AccessKeyInvalid' });
  });
});

test('[tcr W5] what is ours is found among any number of tokens', async () => {
  const { state } = clouds.tencent;
  for (let at = 0; at < 150; at += 1) {
    const token = { tokenId: `foreign${at}`, registryId: instance.registryId, description: 'by hand', enabled: true };
    state.tokens.set(token.tokenId, { ...token, createdAt: 0, expiresAt: Date.now() + 1e9 });
  }
  state.deletionDelayMs = 1;
  const item = { tokenMode: 'longterm' };
  const { id } = await fetch(item);
  expect(await revoke(undefined, item)).toEqual([id]);
  expect(
    clouds.tencent.tcr.calls({ action: 'DescribeInstanceToken' }).map(({ parameters }) => parameters.Offset),
  ).toEqual([0, 100, 0, 100, 0, 100]);
});
