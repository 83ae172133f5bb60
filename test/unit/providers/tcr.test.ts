// Provider `tcr`: what is asked, in which order, and what becomes of the cloud's answers.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ProviderError, type FailureReason } from '../../../src/core/errors.ts';
import { isValid } from '../../../src/core/refresh.ts';
import type { Credential } from '../../../src/core/types.ts';
import type { ProviderWorld } from '../../../src/providers/provider.ts';
import { createStsClient } from '../../../src/providers/tencent/sts.ts';
import { createTcrApi } from '../../../src/providers/tencent/tcr-api.ts';
import { createTcrProvider } from '../../../src/providers/tencent/tcr.ts';
import { emptyWorld, SAMPLE_OWNER, TARGET_DEFAULTS, WORLD_NOW } from '../../support/provider-world.ts';
import { fakeClient, fakeToken, type Answer } from './tencent-cloud.ts';

const { signal } = new AbortController();
const NOW = WORLD_NOW;
const END = NOW - (NOW % 1_000) + 3_600_000;
const KEYS = { 'secret-id': 'AKIDfake\n', 'secret-key': ' fake-key\n' };
const REGISTRY = {
  ...{ RegistryId: 'tcr-fake0000', RegistryName: 'acme', RegionName: 'ap-guangzhou' },
  PublicDomain: 'acme.tencentcloudcr.com',
};
const ANSWERS: Readonly<Record<string, Answer>> = {
  DescribeInstances: { TotalCount: 1, Registries: [REGISTRY] },
  DescribeInstanceCustomizedDomain: {
    TotalCount: 1,
    DomainInfoList: [{ DomainName: 'images.acme.example', Status: 'SUCCESS' }],
  },
  CreateInstanceToken: { Username: '100000000011', Token: fakeToken(END), ExpTime: END + 123, TokenId: '' },
};
const ITEM = { registryId: 'tcr-fake0000', regionId: 'ap-guangzhou', apiKeySecretRef: { name: 'keys' } };

type Item = Readonly<Record<string, unknown>>;

/** The provider at a cloud with these answers; the item changes what it names. */
function harness(
  of: {
    readonly answers?: Readonly<Record<string, Answer>>;
    readonly item?: Item;
    readonly world?: Partial<ProviderWorld>;
  } = {},
) {
  const fake = fakeClient({ ...ANSWERS, ...of.answers });
  const waits: number[] = [];
  const provider = createTcrProvider({
    api: createTcrApi(fake.client),
    sts: createStsClient(fake.client),
    delay: (ms) => Promise.resolve(void waits.push(ms)),
  });
  const world = emptyWorld({ readSecret: () => Promise.resolve(KEYS), ...of.world });
  const target = (item: Item = {}) => {
    const parsed = provider.parseTarget({ ...ITEM, ...of.item, ...item }, { ...TARGET_DEFAULTS, region: undefined });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
    return parsed.value;
  };
  const fetch = (item: Item = {}): Promise<Credential> => provider.fetchCredential(target(item), world, signal);
  const revoke = (keep: string | undefined, item: Item = {}): Promise<readonly string[]> =>
    provider.revokeCredentials(target(item), { keep }, world, signal);
  return { ...fake, provider, target, fetch, revoke, waits };
}

const refusal = (reason: FailureReason): ProviderError =>
  new ProviderError(reason, `refused: ${reason}`, { requestId: 'ID-1' });

describe('[tcr K2] a temporary token', () => {
  test('is one call for all domains of the instance, with its expiry, asked for with the trimmed key of the Secret', async () => {
    const { fetch, actions, requests } = harness();
    expect(await fetch()).toEqual({
      ...{ username: '100000000011', password: fakeToken(END), issuedAt: NOW, expiresAt: END },
      hosts: ['acme.tencentcloudcr.com', 'acme-vpc.tencentcloudcr.com', 'images.acme.example'],
      identity: 'the Secret kube-system/keys',
    });
    expect(actions()).toEqual(['DescribeInstances', 'DescribeInstanceCustomizedDomain', 'CreateInstanceToken']);
    expect(requests[2]).toMatchObject({
      ...{ service: 'tcr', region: 'ap-guangzhou', subject: 'tcr-fake0000 in ap-guangzhou' },
      key: { secretId: 'AKIDfake', secretKey: 'fake-key', origin: 'the Secret kube-system/keys' },
      parameters: { RegistryId: 'tcr-fake0000', TokenType: 'temp' },
    });
  });

  test('has one name for whatever domains, and another one for another instance, region, kind or identity', () => {
    const { provider, target } = harness();
    const key = (item: Item = {}): string => provider.cacheKey(target(item));
    expect(key()).toBe('tcr/ap-guangzhou/tcr-fake0000/temp/kube-system/keys');
    expect(key({ domains: 'images.acme.example' })).toBe(key());
    const others = [
      ...[{ registryId: 'tcr-b' }, { regionId: 'ap-beijing' }, { tokenMode: 'longterm' }],
      ...[
        { tokenMode: 'robot', namespaces: 'a' },
        { tokenMode: 'robot', namespaces: 'a,b' },
      ],
      ...[{ apiKeySecretRef: { name: 'other' } }, { assumeRoleARN: 'qcs::cam::uin/1:roleName/x' }],
      { registryId: '', domains: 'acme.tencentcloudcr.com' },
    ];
    expect(new Set([key(), ...others.map(key)]).size).toBe(others.length + 1);
    // A description is of the next one that is made; what is there stays.
    expect(key({ tokenMode: 'longterm', description: 'x' })).toBe(key({ tokenMode: 'longterm' }));
  });

  test('leaves nothing behind: there is nothing to revoke, and nobody is asked', async () => {
    const { provider, target, revoke, actions } = harness();
    expect(provider.mints(target())).toBe(false);
    expect(await revoke(undefined)).toEqual([]);
    expect(actions()).toEqual([]);
  });
});

describe('domains', () => {
  test('that are named and not listed are served with a warning', async () => {
    const { fetch } = harness({ item: { domains: '*.acme.example,acme-vpc.tencentcloudcr.com:443,mine.example' } });
    expect((await fetch()).warnings).toEqual([expect.stringContaining('does not list the domain mine.example')]);
  });

  test('that are no host names are left out with a warning', async () => {
    const DomainInfoList = [{ DomainName: 'bad host', Status: 'SUCCESS' }];
    const { fetch } = harness({ answers: { DescribeInstanceCustomizedDomain: { TotalCount: 1, DomainInfoList } } });
    expect(await fetch()).toMatchObject({
      hosts: ['acme.tencentcloudcr.com', 'acme-vpc.tencentcloudcr.com'],
      warnings: [expect.stringContaining('lists 1 domains that are no host names')],
    });
  });

  test('that are named need no right to list', async () => {
    const answers = {
      DescribeInstances: refusal('PermissionDenied'),
      DescribeInstanceCustomizedDomain: refusal('PermissionDenied'),
    };
    const { fetch } = harness({ answers, item: { domains: 'images.acme.example' } });
    const credential = await fetch();
    expect(credential.warnings).toEqual([expect.stringContaining('tcr:DescribeInstances')]);
    expect(credential).not.toHaveProperty('hosts');
    await expect(harness({ answers }).fetch()).rejects.toMatchObject({
      ...{ reason: 'PermissionDenied', requestId: 'ID-1' },
      message: expect.stringContaining('or name the `domains`'),
    });
  });

  test('of the customer’s own cost only themselves where they may not be listed', async () => {
    const { fetch } = harness({ answers: { DescribeInstanceCustomizedDomain: refusal('PermissionDenied') } });
    expect(await fetch()).toMatchObject({
      hosts: ['acme.tencentcloudcr.com', 'acme-vpc.tencentcloudcr.com'],
      warnings: [expect.stringContaining('tcr:DescribeInstanceCustomizedDomain')],
    });
  });

  test.each<[FailureReason]>([['CloudUnavailable'], ['Throttled']])(
    'that could not be listed (%s) do not matter where they are named, and fail it where they are not',
    async (reason) => {
      for (const action of ['DescribeInstances', 'DescribeInstanceCustomizedDomain']) {
        const answers = { [action]: refusal(reason) };
        await expect(harness({ answers }).fetch()).rejects.toBe(answers[action]);
        expect((await harness({ answers, item: { domains: 'images.acme.example' } }).fetch()).warnings).toBeUndefined();
      }
    },
  );

  test.each<[FailureReason]>([['SessionExpired'], ['AccessKeyInvalid'], ['ClockSkew']])(
    'are not asked for twice where every call fails (%s)',
    async (reason) => {
      const answers = { DescribeInstances: refusal(reason) };
      const { fetch, actions } = harness({ answers, item: { domains: 'images.acme.example' } });
      await expect(fetch()).rejects.toBe(answers.DescribeInstances);
      expect(actions()).toEqual(['DescribeInstances']);
    },
  );
});

test('domains of the customer’s own are none where the cloud knows of none', async () => {
  const { fetch } = harness({ answers: { DescribeInstanceCustomizedDomain: refusal('InstanceNotFound') } });
  const credential = await fetch();
  expect(credential.hosts).toEqual(['acme.tencentcloudcr.com', 'acme-vpc.tencentcloudcr.com']);
  expect(credential).not.toHaveProperty('warnings');
});

describe('[tcr K8] the instance', () => {
  const elsewhere =
    (name: string): Answer =>
    ({ parameters }) => {
      const [filter] = parameters.Filters as readonly { readonly Values: readonly string[] }[];
      const isThere = filter?.Values.includes(name) === true;
      return {
        TotalCount: isThere ? 1 : 0,
        Registries: isThere ? [{ ...REGISTRY, RegistryName: name, RegionName: 'ap-beijing' }] : null,
      };
    };
  const named = (domains: string): Item => ({ registryId: undefined, regionId: undefined, domains });

  test.each([
    ['acme.tencentcloudcr.com', 'acme', 1],
    ['acme-vpc.tencentcloudcr.com', 'acme', 2],
    ['acme-vpc.tencentcloudcr.com', 'acme-vpc', 1],
    ['acme-vpc-vpc.tencentcloudcr.com', 'acme-vpc', 2],
    ['images.acme.example,acme-vpc.tencentcloudcr.com', 'acme', 2],
  ])('of %s, named %s, is found, and asked in its own region', async (domains, name, looks) => {
    const { fetch, requests } = harness({ answers: { DescribeInstances: elsewhere(name) } });
    expect((await fetch(named(domains))).hosts).toContain(`${name}-vpc.tencentcloudcr.com`);
    expect(requests.map(({ action, region }) => `${action} ${region}`)).toEqual([
      ...Array.from({ length: looks }, () => 'DescribeInstances ap-guangzhou'),
      ...['DescribeInstanceCustomizedDomain ap-beijing', 'CreateInstanceToken ap-beijing'],
    ]);
  });

  test('that nobody knows is a failure that names it', async () => {
    const { fetch } = harness({ answers: { DescribeInstances: { TotalCount: 0, Registries: null } } });
    await expect(fetch()).rejects.toMatchObject({
      reason: 'InstanceNotFound',
      message: expect.stringContaining('tcr-fake0000 in ap-guangzhou'),
    });
    await expect(fetch(named('acme-vpc.tencentcloudcr.com'))).rejects.toMatchObject({
      reason: 'InstanceNotFound',
      message: expect.stringContaining('no instance acme-vpc or acme in any region'),
    });
  });

  test('without a region is where the environment says, else a failure that says where to write it', async () => {
    const item = { regionId: undefined };
    await expect(harness({ item }).fetch()).rejects.toMatchObject({
      reason: 'IdentityUnavailable',
      message: expect.stringContaining('write `regionId`'),
    });
    const { fetch, requests } = harness({ item, world: { env: { TKE_REGION: 'ap-nanjing' } } });
    await fetch();
    expect(new Set(requests.map(({ region }) => region))).toEqual(new Set(['ap-nanjing']));
  });

  test('is named where there is no identity for it', async () => {
    const nothing = () =>
      Promise.reject(new ProviderError('IdentityUnavailable', 'There is no Secret kube-system/keys'));
    await expect(harness({ world: { readSecret: nothing } }).fetch()).rejects.toMatchObject({
      reason: 'IdentityUnavailable',
      message: expect.stringMatching(/^The credential of tcr-fake0000 in ap-guangzhou failed: There is no Secret/),
    });
  });
});

/** What is at the cloud, and is deleted there: tokens, or service accounts. */
function stock(initial: readonly { readonly id: string; readonly description: string; readonly isLive?: boolean }[]) {
  const there = [...initial];
  /** Looks for which what was deleted is still listed. */
  let slow = 0;
  let gone: typeof there = [];
  let made = 0;
  const list = () => {
    const shown = [...there, ...(slow > 0 ? gone : [])];
    if (gone.length > 0) slow -= 1;
    return shown;
  };
  const remove = (id: unknown): Readonly<Record<string, unknown>> => {
    const index = there.findIndex((one) => one.id === id);
    if (index < 0) throw new Error(`no ${String(id)}`);
    gone = [...gone, ...there.splice(index, 1)];
    return {};
  };
  const answers: Readonly<Record<string, Answer>> = {
    DescribeInstanceToken: () => {
      const Tokens = list().map(({ id, description, isLive }) => ({
        Id: id,
        Desc: description,
        Enabled: isLive ?? true,
      }));
      return { TotalCount: Tokens.length, Tokens };
    },
    CreateInstanceToken: ({ parameters }) => {
      made += 1;
      there.push({ id: `new${made}`, description: String(parameters.Desc) });
      const token = fakeToken(END + 3_650 * 86_400_000);
      return { Username: '100000000011', Token: token, TokenId: `new${made}` };
    },
    DeleteInstanceToken: ({ parameters }) => remove(parameters.TokenId),
    DescribeServiceAccounts: () => {
      const ServiceAccounts = list().map(({ id, description, isLive }) => ({
        ...{ Name: id, Description: description, Disable: isLive === false },
      }));
      return { TotalCount: ServiceAccounts.length, ServiceAccounts };
    },
    CreateServiceAccount: ({ parameters }) => {
      there.push({ id: `tcr$${String(parameters.Name)}`, description: String(parameters.Description) });
      return { Name: `tcr$${String(parameters.Name)}`, Password: 'fake-password', ExpiresAt: parameters.ExpiresAt };
    },
    DeleteServiceAccount: ({ parameters }) => remove(parameters.Name),
  };
  return { answers, there, deleteSlowly: (looks: number) => void (slow = looks) };
}

const LONGTERM = { tokenMode: 'longterm' };
const ROBOT = { tokenMode: 'robot', namespaces: 'team-a,team-b' };
const TAG = new RegExp(`\\[registry-credential-helper ${SAMPLE_OWNER.cluster}/default/[0-9a-f]{12}\\]$`);

describe('[tcr K4] a long-term token', () => {
  test('is made with a tag of cluster and installation, whatever its description, and told by its id', async () => {
    const { answers, there } = stock([]);
    const { fetch, provider, target } = harness({ answers, item: LONGTERM });
    expect(provider.mints(target())).toBe(true);
    expect(await fetch()).toMatchObject({ id: 'new1', expiresAt: END + 3_650 * 86_400_000 });
    await fetch({ description: 'x'.repeat(255) });
    await fetch({ description: `${'x'.repeat(150)}${'😀'.repeat(50)}` });
    expect(there[0]?.description).toMatch(
      new RegExp(`^Kubernetes cluster \\(${SAMPLE_OWNER.cluster}\\) dedicated access credential ${TAG.source}`),
    );
    expect(there[1]?.description).toMatch(new RegExp(`^x+ ${TAG.source}`));
    for (const { description } of there) {
      expect(description.length).toBeLessThanOrEqual(255);
      expect(description).toMatch(TAG);
      expect(description.isWellFormed()).toBe(true);
    }
    expect(new Set(there.map(({ description }) => TAG.exec(description)?.[0])).size).toBe(1);
  });

  test('is remembered by what deletes it alone: no list of hosts, no description', () => {
    const { provider, target } = harness({ answers: {}, item: LONGTERM });
    const remembered = provider.revocationTarget(target({ domains: 'a.example,b.example', description: 'mine' }));
    expect(JSON.stringify(remembered)).not.toMatch(/a\.example|mine/);
    expect(JSON.parse(JSON.stringify(remembered))).toMatchObject({
      ...{ instance: { kind: 'id', registryId: expect.stringMatching(/^tcr-/) }, mode: 'longterm' },
    });
    expect(provider.cacheKey(remembered)).toBe(provider.cacheKey(target()));
  });

  test('is not made before it is known for which domains it is', async () => {
    const { answers, there } = stock([]);
    const { fetch } = harness({
      answers: { ...answers, DescribeInstances: refusal('CloudUnavailable') },
      item: LONGTERM,
    });
    await expect(fetch()).rejects.toMatchObject({ reason: 'CloudUnavailable' });
    expect(there).toEqual([]);
  });

  test('whose answer was lost is deleted once its successor is in use, and nothing else', async () => {
    const { answers, there } = stock([
      { id: 'foreign', description: 'TKE cluster (cls-fake) dedicated access credential' },
      { id: 'other', description: `x [registry-credential-helper ${SAMPLE_OWNER.cluster}/other/0123456789ab]` },
      { id: 'similar', description: `x [registry-credential-helper ${SAMPLE_OWNER.cluster}/default/0123456789ab]` },
    ]);
    const { fetch, revoke } = harness({ answers, item: LONGTERM });
    await fetch();
    const kept = await fetch();
    expect(await revoke(kept.id)).toEqual(['new1']);
    expect(there.map(({ id }) => id)).toEqual(['foreign', 'other', 'similar', 'new2']);
    expect(await revoke(kept.id)).toEqual([]);
    expect(await revoke(undefined)).toEqual(['new2']);
    expect(there.map(({ id }) => id)).toEqual(['foreign', 'other', 'similar']);
  });

  test('of an item that names the region otherwise is another item’s: each has a credential of its own', async () => {
    const { answers, there } = stock([]);
    const { fetch, revoke, provider, target } = harness({ answers, item: LONGTERM });
    const otherwise = { regionId: 'ap-shanghai' };
    expect(provider.cacheKey(target(otherwise))).not.toBe(provider.cacheKey(target()));
    const kept = await fetch();
    await fetch(otherwise);
    expect(await revoke(kept.id)).toEqual([]);
    expect(there.map(({ id }) => id)).toEqual(['new1', 'new2']);
  });

  test('found by TKE_REGION goes when the ConfigMap names that region, and the new one stays', async () => {
    const { answers, there } = stock([]);
    const world = emptyWorld({ readSecret: () => Promise.resolve(KEYS), env: { TKE_REGION: 'ap-guangzhou' } });
    const { provider } = harness({ answers });
    const targetIn = (region: string | undefined) => {
      const item = { registryId: 'tcr-fake0000', apiKeySecretRef: { name: 'keys' }, ...LONGTERM };
      const parsed = provider.parseTarget(item, { ...TARGET_DEFAULTS, region });
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
      return parsed.value;
    };
    const [before, after] = [targetIn(undefined), targetIn('ap-guangzhou')];
    expect(provider.cacheKey(after)).not.toBe(provider.cacheKey(before));
    await provider.fetchCredential(before, world, signal);
    const { id } = await provider.fetchCredential(after, world, signal);
    expect(await provider.revokeCredentials(before, { keep: undefined }, world, signal)).toEqual(['new1']);
    expect(await provider.revokeCredentials(after, { keep: id }, world, signal)).toEqual([]);
    expect(there.map((one) => one.id)).toEqual(['new2']);
  });

  test('of another identity of the same instance is another item’s', async () => {
    const { answers, there } = stock([]);
    const { fetch, revoke } = harness({ answers, item: LONGTERM });
    await fetch();
    await fetch({ apiKeySecretRef: { name: 'other' } });
    expect(await revoke(undefined, { apiKeySecretRef: { name: 'other' } })).toEqual(['new2']);
    expect(there.map(({ id }) => id)).toEqual(['new1']);
  });

  test('is refused when five live ones are there, whose ids it names', async () => {
    const { answers, there } = stock([]);
    const { fetch } = harness({ answers, item: LONGTERM });
    for (let at = 0; at < 5; at += 1) await fetch();
    await expect(fetch()).rejects.toMatchObject({
      reason: 'RequestRefused',
      message: expect.stringMatching(
        /5 live long-term tokens of ours.*new1, new2, new3, new4, new5; delete in the console.*tcr:DeleteInstanceToken/,
      ),
    });
    expect(there).toHaveLength(5);
    // One that is disabled does not count.
    there[0] = { id: 'new1', description: there[0]?.description ?? '', isLive: false };
    await expect(fetch()).resolves.toMatchObject({ id: 'new6' });
  });
});

describe('[tcr K6] a service account', () => {
  test('is a fresh one each time, for the named namespaces and a week, and none that lives is changed', async () => {
    const { answers, there } = stock([]);
    let now = NOW;
    const { fetch, actions, parametersOf } = harness({ answers, item: ROBOT, world: { now: () => now } });
    const first = await fetch();
    now += 6 * 86_400_000;
    const second = await fetch();
    const name = /^tcr\$rch-0b5c7a1e-default-[0-9a-z]{12}$/;
    for (const [at, credential] of [first, second].entries()) {
      expect(credential.username).toMatch(name);
      expect(credential.id).toBe(credential.username);
      expect(credential.expiresAt).toBe(NOW + (7 + 6 * at) * 86_400_000);
    }
    expect(first.username).not.toBe(second.username);
    expect(there).toHaveLength(2);
    for (const { description } of there) expect(description).toMatch(TAG);
    const Actions = ['tcr:PullRepository', 'tcr:DescribeHelmCharts'];
    expect(parametersOf('CreateServiceAccount')[0]?.Permissions).toEqual([
      { Resource: 'team-a', Actions },
      { Resource: 'team-b', Actions },
    ]);
    expect(actions().filter((action) => action.startsWith('Modify'))).toEqual([]);
  });

  test('is deleted when its successor is in use, and only if it is ours', async () => {
    const { answers, there } = stock([{ id: 'tcr$rch-0b5c7a1e-default-foreign', description: 'by hand' }]);
    let now = NOW;
    const { fetch, revoke } = harness({ answers, item: ROBOT, world: { now: () => (now += 1) } });
    const { id: first } = await fetch();
    const { id: second } = await fetch();
    expect(await revoke(second)).toEqual([first]);
    expect(there.map(({ id }) => id)).toEqual(['tcr$rch-0b5c7a1e-default-foreign', second]);
  });
});

describe('what is revoked', () => {
  test('[tcr K5] is waited for until it is listed no more', async () => {
    const { answers, deleteSlowly } = stock([]);
    const { fetch, revoke, waits } = harness({ answers, item: LONGTERM });
    await fetch();
    deleteSlowly(3);
    expect(await revoke(undefined)).toEqual(['new1']);
    expect(waits).toEqual([1_000, 1_000, 1_000]);
  });

  test('and stays listed is told by its id', async () => {
    const { answers, deleteSlowly } = stock([]);
    const { fetch, revoke, waits } = harness({ answers, item: LONGTERM });
    await fetch();
    deleteSlowly(1_000);
    await expect(revoke(undefined)).rejects.toMatchObject({
      reason: 'CloudUnavailable',
      message: expect.stringContaining('long-term tokens new1 of tcr-fake0000 in ap-guangzhou'),
    });
    expect(waits).toHaveLength(10);
  });

  test('and may not be is told by its id, after the others, which are waited for', async () => {
    const { answers, there, deleteSlowly } = stock([]);
    const denied: Answer = (request) => {
      if (request.parameters.TokenId === 'new1') return refusal('PermissionDenied');
      const remove = answers.DeleteInstanceToken;
      return typeof remove === 'function' ? remove(request) : {};
    };
    const { fetch, revoke, waits } = harness({ answers: { ...answers, DeleteInstanceToken: denied }, item: LONGTERM });
    await fetch();
    await fetch();
    deleteSlowly(2);
    await expect(revoke(undefined)).rejects.toMatchObject({
      ...{ reason: 'PermissionDenied', requestId: 'ID-1' },
      message: expect.stringMatching(/long-term tokens new1 of .* could not be deleted: refused/),
    });
    expect(waits).toHaveLength(2);
    expect(there.map(({ id }) => id)).toEqual(['new1']);
  });
});

test('a node whose clock is hours ahead has a credential that its own clock takes for good', async () => {
  const fake = fakeClient(ANSWERS, { clockOffsetMs: -3 * 3_600_000 });
  const provider = createTcrProvider({ api: createTcrApi(fake.client), sts: createStsClient(fake.client) });
  const parsed = provider.parseTarget(ITEM, TARGET_DEFAULTS);
  if (!parsed.ok) throw new Error('refused');
  const now = NOW + 3 * 3_600_000;
  const world = emptyWorld({ now: () => now, readSecret: () => Promise.resolve(KEYS) });
  const credential = await provider.fetchCredential(parsed.value, world, signal);
  expect(isValid(credential, now)).toBe(true);
  expect(isValid(credential, now + 3_600_000)).toBe(false);
  expect(credential.warnings).toEqual([expect.stringContaining('180 min ahead of')]);
});

test('a clock that was put right is told of', async () => {
  const fake = fakeClient(ANSWERS, { clockOffsetMs: 600_000 });
  const provider = createTcrProvider({ api: createTcrApi(fake.client), sts: createStsClient(fake.client) });
  const parsed = provider.parseTarget(ITEM, TARGET_DEFAULTS);
  if (!parsed.ok) throw new Error('refused');
  const world = emptyWorld({ readSecret: () => Promise.resolve(KEYS) });
  expect((await provider.fetchCredential(parsed.value, world, signal)).warnings).toEqual([
    expect.stringContaining('10 min behind'),
  ]);
});

describe('[tcr K4] what is left behind at the cloud', () => {
  const ROLES = ['qcs::cam::uin/1:roleName/x', 'qcs::cam::uin/1:role/x/900', 'qcs::cam::uin/1:role/x'];
  const maybe = <T>(...values: readonly T[]) => fc.constantFrom(undefined, ...values);
  const identities = fc.oneof(
    fc.record({ apiKeySecretRef: fc.constantFrom({ name: 'a' }, { name: 'env' }) }),
    fc.record({ identity: fc.constantFrom('environment', 'auto') }),
    fc.record({
      webIdentity: fc.record({
        providerId: maybe('env', 'x'),
        roleARN: maybe(...ROLES),
        tokenFile: maybe('/var/run/secrets/env', '/var/run/secrets/x/env'),
      }),
    }),
  );
  const kinds = fc.oneof(
    fc.constant({ tokenMode: 'longterm' }),
    fc.record({ tokenMode: fc.constant('robot'), namespaces: fc.constantFrom('a', 'b', 'a,b', 'b,a', 'ab') }),
  );
  const items = fc
    .record({
      ...{ registryId: fc.constantFrom('tcr-a', 'tcr-b'), regionId: maybe('ap-guangzhou', 'ap-beijing') },
      ...{ assumeRoleARN: maybe(...ROLES), domains: maybe('images.acme.example'), description: maybe('mine') },
    })
    .chain((item) => fc.tuple(kinds, identities).map((rest) => Object.assign({}, item, ...rest) as Item))
    .chain((item) =>
      item.assumeRoleARN === undefined
        ? fc.constant(item)
        : fc.record({ externalId: maybe('e1'), expireDuration: maybe('900') }).map((more) => ({ ...item, ...more })),
    );

  /** Under which name we know what the item makes, and where and under which tag it is at the cloud. */
  const madeOf = async (item: Item) => {
    const session = {
      Credentials: { TmpSecretId: 'fake', TmpSecretKey: 'fake', Token: 'fake' },
      ExpiredTime: (NOW + 7_200_000) / 1_000,
    };
    const { answers, there } = stock([]);
    const DescribeInstances = { TotalCount: 1, Registries: [{ ...REGISTRY, RegistryId: item.registryId }] };
    const { provider, target, requests } = harness({
      answers: { ...answers, DescribeInstances, AssumeRole: session, AssumeRoleWithWebIdentity: session },
    });
    const parsed = target({ regionId: undefined, apiKeySecretRef: undefined, ...item });
    const world = emptyWorld({
      readSecret: () => Promise.resolve(KEYS),
      readFile: () => Promise.resolve(fakeToken(END)),
      env: {
        ...{ TKE_REGION: 'ap-guangzhou', TENCENTCLOUD_SECRET_ID: 'fake', TENCENTCLOUD_SECRET_KEY: 'fake' },
        ...{ TKE_PROVIDER_ID: 'cls-1', TKE_ROLE_ARN: 'qcs::cam::uin/1:roleName/e', TKE_IDENTITY_TOKEN_FILE: '/token' },
      },
    });
    await provider.fetchCredential({ ...parsed, domains: ['images.acme.example'] }, world, signal);
    const [made] = there;
    const { action, parameters } = requests.at(-1) ?? {};
    const tag = made?.description.slice(made.description.indexOf('['));
    return { cacheKey: provider.cacheKey(parsed), place: `${action} ${String(parameters?.RegistryId)} ${tag}` };
  };

  test('has a tag of its own for each credential that we hold, and one for all items that share it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(items, { minLength: 2, maxLength: 12 }), async (some) => {
        const made = await Promise.all(some.map(madeOf));
        const places = new Set(made.map(({ place }) => place));
        const keys = new Set(made.map(({ cacheKey }) => cacheKey));
        const both = new Set(made.map(({ cacheKey, place }) => `${cacheKey} ${place}`));
        expect([places.size, keys.size]).toEqual([both.size, both.size]);
      }),
      { numRuns: 60 },
    );
  });
});
