// Provider `acr`: what is asked, and what becomes of the cloud's answers.
import { describe, expect, test } from '@jest/globals';
import { ProviderError, type FailureReason } from '../../../src/core/errors.ts';
import { createAcrProvider } from '../../../src/providers/alibaba/acr.ts';
import type { CrCall, CrClient, InstanceCall } from '../../../src/providers/alibaba/cr.ts';
import type { StsClient } from '../../../src/providers/alibaba/sts.ts';
import type { ProviderWorld } from '../../../src/providers/provider.ts';
import { metadataWorld } from './metadata-service.ts';
import { emptyWorld, TARGET_DEFAULTS, WORLD_NOW } from '../../support/provider-world.ts';

const NOW = WORLD_NOW;
const KEY = { 'access-key-id': 'LTAIfake\n', 'access-key-secret': ' fake-secret\n' };
const { signal } = new AbortController();

describe('fetchCredential', () => {
  const denied = new ProviderError('PermissionDenied', 'ListInstanceEndpoint of cri-fake failed', {
    requestId: 'ID-1',
  });

  test('asks with the trimmed key of the Secret and gives token and hosts', async () => {
    const calls: InstanceCall[] = [];
    const { credential } = await fetchWith({ onCall: (call) => calls.push(call) });
    expect(credential).toEqual({
      username: 'cr_temp_user',
      password: 'fake-token',
      issuedAt: NOW,
      expiresAt: NOW + 3_600_000,
      hosts: ['acme-registry.example', 'images.acme.example'],
      identity: 'the Secret kube-system/keys',
    });
    expect(calls[0]).toMatchObject({
      region: 'cn-hangzhou',
      instanceId: 'cri-fake',
      key: {
        accessKeyId: 'LTAIfake',
        accessKeySecret: 'fake-secret',
        origin: 'the Secret kube-system/keys',
      },
      endpoints: [{ address: 'cr.cn-hangzhou.aliyuncs.com', host: 'cr.cn-hangzhou.aliyuncs.com', scheme: 'https' }],
    });
  });

  test('a domain that the cloud does not list is served with a warning', async () => {
    const { credential } = await fetchWith({
      item: { domains: 'acme-registry.example:443,*.acme.example,mine.example' },
    });
    expect(credential?.warnings).toEqual([expect.stringContaining('does not list the domain mine.example')]);
  });

  test('a domain of many wildcards is compared in no time', async () => {
    const { credential } = await fetchWith({
      item: { domains: `${'*a'.repeat(25)}.example` },
      hosts: [`${'a'.repeat(62)}b.example`],
    });
    expect(credential?.warnings).toHaveLength(1);
  });

  test('what the cloud lists and is no host is left out with a warning', async () => {
    const { credential } = await fetchWith({ hosts: ['good.example', 'bad host', ''] });
    expect(credential).toMatchObject({ hosts: ['good.example'], warnings: [expect.stringContaining('2 domains')] });
  });

  test('an instance without any enabled endpoint says what to do', async () => {
    const { error } = await fetchWith({ hosts: [] });
    expect(error).toMatchObject({ reason: 'RequestRefused', message: expect.stringContaining('name `domains`') });
  });

  test('without the right to list, named domains are served with a warning', async () => {
    const { credential } = await fetchWith({ hosts: denied, item: { domains: 'a.example' } });
    expect(credential).toMatchObject({
      password: 'fake-token',
      warnings: [expect.stringContaining('cr:ListInstanceEndpoint')],
    });
    expect(credential?.hosts).toBeUndefined();
  });

  test('without the right to list and without domains it fails, naming both ways out', async () => {
    const { error } = await fetchWith({ hosts: denied });
    expect(error).toMatchObject({
      reason: 'PermissionDenied',
      requestId: 'ID-1',
      message: expect.stringMatching(/ListInstanceEndpoint.*name the `domains`/),
    });
  });

  test.each<[FailureReason]>([['CloudUnavailable'], ['Throttled']])(
    'a listing that fails with %s does not matter when domains are named',
    async (reason) => {
      const hosts = new ProviderError(reason, 'failed');
      expect((await fetchWith({ hosts, item: { domains: 'a.example' } })).credential?.warnings).toBeUndefined();
      expect((await fetchWith({ hosts })).error).toBe(hosts);
    },
  );

  test('a failed token is the failure, whatever the listing says', async () => {
    const token = new ProviderError('InstanceNotFound', 'no such instance');
    expect((await fetchWith({ token, hosts: denied })).error).toBe(token);
  });
});

describe('[acr E2] the Personal Edition', () => {
  test('is one call for all hosts of the region', async () => {
    const calls: CrCall[] = [];
    const { credential } = await fetchWith({ item: { instanceId: '' }, onPersonalCall: (call) => calls.push(call) });
    expect(credential).toMatchObject({
      password: 'fake-personal-token',
      hosts: [
        'registry.cn-hangzhou.aliyuncs.com',
        'registry-vpc.cn-hangzhou.aliyuncs.com',
        'registry-internal.cn-hangzhou.aliyuncs.com',
      ],
    });
    expect(calls).toHaveLength(1);
  });

  test('has the international hosts outside of mainland China', async () => {
    const { credential } = await fetchWith({ item: { instanceId: '', regionId: 'ap-southeast-1' } });
    expect(credential?.hosts?.slice(3)).toEqual([
      'registry-intl.ap-southeast-1.aliyuncs.com',
      'registry-intl-vpc.ap-southeast-1.aliyuncs.com',
    ]);
  });

  test('is written for the named domains alone', async () => {
    const { credential } = await fetchWith({ item: { instanceId: '', domains: 'registry.cn-beijing.aliyuncs.com' } });
    expect(credential?.hosts).toEqual(['registry.cn-beijing.aliyuncs.com']);
  });
});

describe('[acr E4] an item without a region', () => {
  test('is of the region that the node tells, and is asked inside its VPC first', async () => {
    const { world, state } = metadataWorld();
    const calls: InstanceCall[] = [];
    await fetchWith({
      region: undefined,
      world: { http: (request, abort) => world.http(request, abort) },
      onCall: (call) => calls.push(call),
    });
    expect(calls[0]).toMatchObject({
      region: 'cn-hangzhou',
      endpoints: [{ host: 'cr-vpc.cn-hangzhou.aliyuncs.com' }, { host: 'cr.cn-hangzhou.aliyuncs.com' }],
    });
    expect(state.calls).toContain('GET /latest/meta-data/region-id');
  });

  test('says where to write it when nobody tells', async () => {
    const env = { ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true' };
    const { error } = await fetchWith({ region: undefined, world: { env } });
    expect(error).toMatchObject({
      reason: 'IdentityUnavailable',
      message: expect.stringMatching(/region of cri-fake is not known.*`regionId`.*key `region` of the ConfigMap/),
    });
    // Silence may pass.
    expect((await fetchWith({ region: undefined })).error).toMatchObject({ reason: 'CloudUnavailable' });
  });
});

async function fetchWith(options: {
  readonly token?: ProviderError;
  readonly hosts?: readonly string[] | ProviderError;
  readonly item?: Readonly<Record<string, unknown>>;
  readonly onCall?: (call: InstanceCall) => void;
  readonly onPersonalCall?: (call: CrCall) => void;
  /** undefined = no region is configured. */
  readonly region?: string | undefined;
  readonly world?: Partial<ProviderWorld>;
}) {
  const { hosts = ['acme-registry.example', 'images.acme.example'] } = options;
  const cr: CrClient = {
    getAuthorizationToken: (call) => {
      options.onCall?.(call);
      return options.token === undefined
        ? Promise.resolve({ username: 'cr_temp_user', token: 'fake-token', expiresAt: NOW + 3_600_000 })
        : Promise.reject(options.token);
    },
    listInstanceEndpoint: () => (hosts instanceof ProviderError ? Promise.reject(hosts) : Promise.resolve(hosts)),
    getPersonalToken: (call) => {
      options.onPersonalCall?.(call);
      return Promise.resolve({ username: 'cr_temp_user', token: 'fake-personal-token', expiresAt: NOW + 3_600_000 });
    },
  };
  const unasked = () => Promise.reject(new Error('not asked for'));
  const sts: StsClient = { assumeRole: unasked, assumeRoleWithOidc: unasked };
  const provider = createAcrProvider({ cr, sts });
  const own = { instanceId: 'cri-fake', accessKeySecretRef: { name: 'keys' } };
  const defaults = { ...TARGET_DEFAULTS, ...('region' in options ? { region: options.region } : {}) };
  const parsed = provider.parseTarget({ ...own, ...options.item }, defaults);
  if (!parsed.ok) throw new Error('refused');
  try {
    const world = emptyWorld({ readSecret: () => Promise.resolve(KEY), ...options.world });
    return { credential: await provider.fetchCredential(parsed.value, world, signal) };
  } catch (error) {
    return { error };
  }
}
