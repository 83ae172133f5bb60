// The registry API of Tencent Cloud: what its answers mean in every form that they have, and that lists are whole.
import { describe, expect, test } from '@jest/globals';
import { createTcrApi, type InstanceCall } from '../../../src/providers/tencent/tcr-api.ts';
import { fakeClient, fakeToken, type Answer } from './tencent-cloud.ts';

const { signal } = new AbortController();
const NOW = Date.parse('2026-01-01T00:00:00Z');
const CALL: InstanceCall = {
  ...{ region: 'ap-guangzhou', registryId: 'tcr-fake0000', endpoints: {}, now: () => NOW },
  key: { secretId: 'AKIDfake', secretKey: 'fake', origin: 'a test', account: 'a test' },
};

function harness(answers: Readonly<Record<string, Answer>>, options: { readonly clockOffsetMs?: number } = {}) {
  const fake = fakeClient(answers, options);
  return { ...fake, api: createTcrApi(fake.client) };
}

describe('[tcr K7] a temporary token', () => {
  const END = NOW + 3_600_000;
  const token = fakeToken(END);

  test.each<[string, Readonly<Record<string, unknown>>, number]>([
    ['milliseconds of a token that says so itself', { Token: token, ExpTime: END + 123 }, END],
    ['what the token says where the answer differs', { Token: token, ExpTime: END + 7_200_000 }, END],
    ['what the token says where the answer says nothing', { Token: token }, END],
    ['milliseconds', { Token: 'fake', ExpTime: END + 123 }, END + 123],
    ['milliseconds as text', { Token: 'fake', ExpTime: `${END}` }, END],
    ['seconds', { Token: 'fake', ExpTime: END / 1_000 }, END],
    ['seconds as text', { Token: 'fake', ExpTime: `${END / 1_000}` }, END],
  ])('ends at %s', async (_name, answer, expiresAt) => {
    const { api } = harness({ CreateInstanceToken: { Username: '100000000011', TokenId: '', ...answer } });
    const login = await api.createInstanceToken({ ...CALL, type: 'temp' }, signal);
    expect(login).toEqual({
      ...{ username: '100000000011', password: answer.Token, expiresAt, id: undefined, clockOffsetMs: 0 },
    });
  });

  test.each([[100000000011], ['100000000011']])('has the user name %j as text', async (Username) => {
    const { api, parametersOf } = harness({ CreateInstanceToken: { Username, Token: token, TokenId: '' } });
    expect((await api.createInstanceToken({ ...CALL, type: 'temp' }, signal)).username).toBe('100000000011');
    expect(parametersOf('CreateInstanceToken')).toEqual([
      { RegistryId: 'tcr-fake0000', TokenType: 'temp', Desc: undefined },
    ]);
  });

  test('ends by our clock: earlier than it says where that is behind, later where it is ahead', async () => {
    const answer = { CreateInstanceToken: { Username: '1', Token: token, TokenId: '' } };
    const ends = async (clockOffsetMs: number): Promise<number> =>
      (await harness(answer, { clockOffsetMs }).api.createInstanceToken({ ...CALL, type: 'temp' }, signal)).expiresAt;
    expect([await ends(600_000), await ends(-7_200_000)]).toEqual([END - 600_000, END + 7_200_000]);
  });

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['Username', { Username: '', Token: token }],
    ['Username', { Username: 'a:b', Token: token }],
    ['Username', { Username: {}, Token: token }],
    ['Token', { Username: '1', Token: '' }],
    ['Token', { Username: '1', Token: 7, ExpTime: END }],
    ['ExpTime', { Username: '1', Token: 'fake' }],
    ['ExpTime', { Username: '1', Token: 'fake', ExpTime: 'soon' }],
    ['ExpTime', { Username: '1', Token: 'fake', ExpTime: 0 }],
    ['ExpTime', { Username: '1', Token: 'fake', ExpTime: 9e15 }],
  ])('without a usable %s is a failure that names it: %j', async (field, answer) => {
    const { api } = harness({ CreateInstanceToken: answer });
    await expect(api.createInstanceToken({ ...CALL, type: 'temp' }, signal)).rejects.toMatchObject({
      reason: 'CloudUnavailable',
      message: expect.stringContaining(`no usable ${field}`),
    });
  });

  test('that is to last has an id, or is a failure', async () => {
    const answer = { Username: '1', Token: fakeToken(NOW + 3_650 * 86_400_000) };
    const wish = { ...CALL, type: 'longterm', description: 'x' } as const;
    const { api } = harness({ CreateInstanceToken: { ...answer, TokenId: 'c0ffee' } });
    expect((await api.createInstanceToken(wish, signal)).id).toBe('c0ffee');
    const { api: other } = harness({ CreateInstanceToken: { ...answer, TokenId: '' } });
    await expect(other.createInstanceToken(wish, signal)).rejects.toThrow('no usable TokenId');
  });
});

describe('[tcr W5] a list', () => {
  /** A cloud with `count` tokens that gives `atMost` at a time. */
  const tokens = (count: number, atMost = 100, more: Readonly<Record<string, unknown>> = { TotalCount: count }) =>
    harness({
      DescribeInstanceToken: ({ parameters: { Offset, Limit } }) => {
        const from = Number(Offset);
        const ids = Array.from({ length: count }, (_, at) => ({ Id: `t${at}`, Desc: 'x', Enabled: true }));
        return { Tokens: ids.slice(from, from + Math.min(Number(Limit), atMost)), ...more };
      },
    });

  test.each([
    [0, 1],
    [20, 1],
    [100, 1],
    [101, 2],
    [250, 3],
  ])('of %i is whole after %i pages', async (count, pages) => {
    const { api, actions } = tokens(count);
    const listed = await api.describeInstanceTokens(CALL, signal);
    expect(listed.map(({ id }) => id)).toEqual(Array.from({ length: count }, (_, at) => `t${at}`));
    expect(actions()).toHaveLength(pages);
  });

  test.each([
    [20, 2],
    [100, 2],
    [101, 2],
  ])('of %i is whole without a count, and with smaller pages than were asked for', async (count) => {
    expect(await tokens(count, 100, {}).api.describeInstanceTokens(CALL, signal)).toHaveLength(count);
    expect(await tokens(count, 20).api.describeInstanceTokens(CALL, signal)).toHaveLength(count);
  });

  test('that is null is empty', async () => {
    const none = { TotalCount: 0, Tokens: null, ServiceAccounts: null, DomainInfoList: null, Registries: null };
    const { api } = harness({
      ...{ DescribeInstanceToken: none, DescribeServiceAccounts: none },
      ...{ DescribeInstanceCustomizedDomain: none, DescribeInstances: none },
    });
    expect(await api.describeInstanceTokens(CALL, signal)).toEqual([]);
    expect(await api.describeServiceAccounts(CALL, signal)).toEqual([]);
    expect(await api.customizedDomains(CALL, signal)).toEqual([]);
    expect(await api.describeInstance(CALL, signal)).toBeUndefined();
    expect(await api.findInstance({ ...CALL, name: 'acme' }, signal)).toBeUndefined();
  });

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['ends before it is whole', { TotalCount: 3, Tokens: [] }],
    ['is none', { Tokens: 'x' }],
    ['has members that are none', { TotalCount: 1, Tokens: [null] }],
    ['has a member without an id', { TotalCount: 1, Tokens: [{ Desc: 'x' }] }],
  ])('that %s is a failure: what is missing must not count as absent', async (_name, answer) => {
    const { api } = harness({ DescribeInstanceToken: answer });
    await expect(api.describeInstanceTokens(CALL, signal)).rejects.toThrow('no usable Tokens');
  });

  test('that never ends is given up', async () => {
    const page = Array.from({ length: 100 }, () => ({ Id: 't' }));
    const { api, actions } = harness({ DescribeInstanceToken: { TotalCount: 1_000_000, Tokens: page } });
    await expect(api.describeInstanceTokens(CALL, signal)).rejects.toThrow('no usable Tokens');
    expect(actions()).toHaveLength(100);
  });
});

describe('what is told of', () => {
  test('[tcr K7] tokens: which of them live', async () => {
    const all = [
      { Id: 'a', Desc: 'mine', Enabled: true, ExpiredAt: NOW + 1 },
      { Id: 'b', Desc: null, Enabled: false, ExpiredAt: `${NOW + 1}` },
      { Id: 'c', Enabled: true, ExpiredAt: NOW / 1_000 - 1 },
      { Id: 'd', Enabled: true },
    ];
    const { api } = harness({ DescribeInstanceToken: { TotalCount: 4, Tokens: all } });
    expect(await api.describeInstanceTokens(CALL, signal)).toEqual([
      { id: 'a', description: 'mine', isLive: true },
      { id: 'b', description: '', isLive: false },
      { id: 'c', description: '', isLive: false },
      { id: 'd', description: '', isLive: true },
    ]);
  });

  test('[tcr K7] service accounts, with the prefix and without', async () => {
    const all = [
      { Name: 'tcr$a', Description: 'mine', Disable: false, ExpiresAt: NOW + 1 },
      { Name: 'b', Disable: true, ExpiresAt: -1 },
    ];
    const { api, parametersOf } = harness({
      DescribeServiceAccounts: { TotalCount: 2, ServiceAccounts: all },
      DeleteServiceAccount: {},
    });
    expect(await api.describeServiceAccounts(CALL, signal)).toEqual([
      { id: 'tcr$a', description: 'mine', isLive: true },
      { id: 'tcr$b', description: '', isLive: false },
    ]);
    await api.deleteServiceAccount({ ...CALL, id: 'tcr$a' }, signal);
    expect(parametersOf('DeleteServiceAccount')).toEqual([{ RegistryId: 'tcr-fake0000', Name: 'tcr$a' }]);
  });

  test('domains: only those that work, whatever the case of their state', async () => {
    const domain = (DomainName: string, Status: string) => ({ DomainName, Status });
    const all = [
      ...[domain('A.example', 'SUCCESS'), domain('b.example', 'success'), domain('c.example', 'PENDING')],
      ...[domain('a.example', 'Success'), domain('', 'SUCCESS')],
    ];
    const { api } = harness({ DescribeInstanceCustomizedDomain: { TotalCount: 5, DomainInfoList: all } });
    expect(await api.customizedDomains(CALL, signal)).toEqual(['a.example', 'b.example']);
  });

  test('an instance: by its id where it is, by its name in every region, and no other of a similar name', async () => {
    const Registries = [
      { RegistryId: 'tcr-other', RegistryName: 'acme-prod', RegionName: 'ap-beijing' },
      {
        RegistryId: 'tcr-fake0000',
        RegistryName: 'acme',
        RegionName: 'ap-beijing',
        PublicDomain: 'Acme.tencentcloudcr.com',
      },
    ];
    const { api, parametersOf } = harness({ DescribeInstances: { TotalCount: 2, Registries } });
    const found = {
      ...{ registryId: 'tcr-fake0000', name: 'acme', region: 'ap-beijing' },
      ...{ publicDomain: 'acme.tencentcloudcr.com', status: undefined },
    };
    expect(await api.describeInstance(CALL, signal)).toEqual(found);
    expect(await api.findInstance({ ...CALL, name: 'acme' }, signal)).toEqual(found);
    expect(parametersOf('DescribeInstances')).toEqual([
      { Registryids: ['tcr-fake0000'], Offset: 0, Limit: 100 },
      { AllRegion: true, Filters: [{ Name: 'RegistryName', Values: ['acme'] }], Offset: 0, Limit: 100 },
    ]);
  });
});

test('[tcr K6] a service account is made for pulling, namespace by namespace, and no more', async () => {
  const answer = { Name: 'tcr$rch-x', Password: 'fake-password', ExpiresAt: `${NOW + 7 * 86_400_000}` };
  const { api, parametersOf } = harness({ CreateServiceAccount: answer });
  const wish = { name: 'rch-x', description: 'mine', namespaces: ['a', 'b'], expiresAt: NOW + 7 * 86_400_000 };
  expect(await api.createServiceAccount({ ...CALL, ...wish }, signal)).toEqual({
    ...{ username: 'tcr$rch-x', password: 'fake-password', expiresAt: NOW + 7 * 86_400_000 },
    ...{ id: 'tcr$rch-x', clockOffsetMs: 0 },
  });
  const Actions = ['tcr:PullRepository', 'tcr:DescribeHelmCharts'];
  expect(parametersOf('CreateServiceAccount')).toEqual([
    {
      ...{ RegistryId: 'tcr-fake0000', Name: 'rch-x', Description: 'mine', ExpiresAt: NOW + 7 * 86_400_000 },
      Permissions: [
        { Resource: 'a', Actions },
        { Resource: 'b', Actions },
      ],
    },
  ]);
});
