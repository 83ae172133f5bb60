// Provider `acr`: what is asked, and what becomes of the cloud's answers.
import { describe, expect, test } from '@jest/globals';
import { ProviderError, type FailureReason } from '../../../src/core/errors.ts';
import { NO_ITEM_DEFAULTS } from '../../../src/core/item-defaults.ts';
import { createAcrProvider } from '../../../src/providers/alibaba/acr.ts';
import type { CrCall, CrClient } from '../../../src/providers/alibaba/client.ts';
import { crEndpoint } from '../../../src/providers/alibaba/endpoints.ts';
import type { ProviderWorld, TargetDefaults } from '../../../src/providers/provider.ts';

const DEFAULTS: TargetDefaults = {
  ...NO_ITEM_DEFAULTS,
  region: 'cn-hangzhou',
  namespace: 'registry',
  secretNamespaces: [],
};
const NOW = 1_767_323_045_000;
const WORLD: ProviderWorld = {
  now: () => NOW,
  endpoints: {},
  readSecret: () => Promise.resolve({ 'access-key-id': 'LTAIfake\n', 'access-key-secret': ' fake-secret\n' }),
};
const { signal } = new AbortController();

describe('fetchCredential', () => {
  const denied = new ProviderError('PermissionDenied', 'ListInstanceEndpoint of cri-fake failed', {
    requestId: 'ID-1',
  });

  test('asks with the trimmed key of the Secret and gives token and hosts', async () => {
    const calls: CrCall[] = [];
    const { credential } = await fetchWith({ onCall: (call) => calls.push(call) });
    expect(credential).toEqual({
      username: 'cr_temp_user',
      password: 'fake-token',
      issuedAt: NOW,
      expiresAt: NOW + 3_600_000,
      hosts: ['acme-registry.example', 'images.acme.example'],
    });
    expect(calls[0]).toMatchObject({
      region: 'cn-hangzhou',
      instanceId: 'cri-fake',
      key: {
        accessKeyId: 'LTAIfake',
        accessKeySecret: 'fake-secret',
        origin: 'the Secret kube-system/alibaba-addon-secret',
      },
      endpoint: { address: 'cr.cn-hangzhou.aliyuncs.com', host: 'cr.cn-hangzhou.aliyuncs.com', scheme: 'https' },
    });
  });

  test('a domain that the cloud does not list is served with a warning', async () => {
    const { credential } = await fetchWith({
      item: { domains: 'acme-registry.example:443,*.acme.example,mine.example' },
    });
    expect(credential?.warnings).toEqual([expect.stringContaining('does not list the domain mine.example')]);
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

test.each([
  [
    'nothing set',
    {},
    { scheme: 'https', address: 'cr.cn-hangzhou.aliyuncs.com', host: 'cr.cn-hangzhou.aliyuncs.com', ca: undefined },
  ],
  [
    'a VPC address',
    { url: 'https://cr-vpc.{region}.aliyuncs.com' },
    {
      scheme: 'https',
      address: 'cr-vpc.cn-hangzhou.aliyuncs.com',
      host: 'cr-vpc.cn-hangzhou.aliyuncs.com',
      ca: undefined,
    },
  ],
  [
    'another address for the same host',
    { url: 'http://127.0.0.1:8443', host: 'cr.{region}.aliyuncs.com', ca: 'PEM' },
    { scheme: 'http', address: '127.0.0.1:8443', host: 'cr.cn-hangzhou.aliyuncs.com', ca: 'PEM' },
  ],
])('the endpoint with %s', (_name, cr, expected) => {
  expect(crEndpoint('cn-hangzhou', { alibaba: { cr } })).toEqual(expected);
});

async function fetchWith(options: {
  readonly token?: ProviderError;
  readonly hosts?: readonly string[] | ProviderError;
  readonly item?: Readonly<Record<string, unknown>>;
  readonly onCall?: (call: CrCall) => void;
}) {
  const { hosts = ['acme-registry.example', 'images.acme.example'] } = options;
  const client: CrClient = {
    getAuthorizationToken: (call) => {
      options.onCall?.(call);
      return options.token === undefined
        ? Promise.resolve({ username: 'cr_temp_user', token: 'fake-token', expiresAt: NOW + 3_600_000 })
        : Promise.reject(options.token);
    },
    listInstanceEndpoint: () => (hosts instanceof ProviderError ? Promise.reject(hosts) : Promise.resolve(hosts)),
  };
  const provider = createAcrProvider(client);
  const parsed = provider.parseTarget({ instanceId: 'cri-fake', ...options.item }, DEFAULTS);
  if (!parsed.ok) throw new Error('refused');
  try {
    return { credential: await provider.fetchCredential(parsed.value, WORLD, signal) };
  } catch (error) {
    return { error };
  }
}
