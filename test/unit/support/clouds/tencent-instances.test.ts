import { describe, expect, test } from '@jest/globals';
import { askTcr, codeOf, NOW, RegistryId, sampleState } from '../../../support/clouds/tencent-asking.ts';
import type { Response } from '../../../support/clouds/tencent-asking.ts';
import { TENCENT_SAMPLE } from '../../../support/clouds/tencent-sample.ts';
import type { TencentInstance, TencentState } from '../../../support/clouds/tencent-state.ts';

const { instance, key } = TENCENT_SAMPLE;

describe('DescribeInstances', () => {
  test('writes an instance as the contract shows it', () => {
    expect(askTcr(sampleState(), 'DescribeInstances', { Registryids: [RegistryId] })).toMatchObject({
      TotalCount: 1,
      Registries: [
        {
          ...{ RegistryId, RegistryName: 'acme-sample', RegistryType: 'standard', Status: 'Running', RegionId: 1 },
          ...{ PublicDomain: 'acme-sample.tencentcloudcr.com', InternalEndpoint: '10.20.0.7' },
          ...{ RegionName: 'ap-guangzhou', TokenValidTime: 87_600 },
        },
      ],
    });
  });

  test.each<[string, object, readonly string[]]>([
    ['those of the region', {}, [RegistryId]],
    ['those of every region', { AllRegion: true }, [RegistryId, 'tcr-north001']],
    ['by name, everywhere', { AllRegion: true, Filters: byName('north-sample') }, ['tcr-north001']],
    ['by name, only in the region', { Filters: byName('north-sample') }, []],
    ['by a name that nobody has', { AllRegion: true, Filters: byName('north') }, []],
    ['by id, only in the region', { Registryids: ['tcr-north001', RegistryId] }, [RegistryId]],
    ['never another account’s', { AllRegion: true, Registryids: ['tcr-sample02'] }, []],
  ])('finds %s', (_name, parameters, ids) => {
    const answer = askTcr(withNorth(), 'DescribeInstances', parameters);
    expect(answer).toMatchObject({ TotalCount: ids.length });
    expect(idsOf(answer)).toEqual(ids);
    if (ids.length === 0) expect(answer.Registries).toBeNull();
  });

  test('has pages of 20, up to 100', () => {
    const state = sampleState();
    for (let index = 1; index < 101; index += 1)
      put(state, { registryId: `tcr-${index}`, registryName: `name-${index}` });
    const page = (parameters: object) => {
      const answer = askTcr(state, 'DescribeInstances', { AllRegion: true, ...parameters });
      return [answer.TotalCount, idsOf(answer).length];
    };
    expect([page({}), page({ Limit: 100 }), page({ Limit: 100, Offset: 100 }), page({ Offset: 101 })]).toEqual([
      ...[
        [101, 20],
        [101, 100],
        [101, 1],
        [101, 0],
      ],
    ]);
    expect(codeOf(askTcr(state, 'DescribeInstances', { Limit: 101 }))).toBe('InvalidParameter');
  });

  test('knows no other filter', () => {
    const Filters = [{ Name: 'RegistryId', Values: [RegistryId] }];
    expect(codeOf(askTcr(sampleState(), 'DescribeInstances', { Filters }))).toBe('InvalidParameter');
  });
});

describe('access from VPCs', () => {
  test('has an address only when it is ready', () => {
    const state = sampleState();
    put(state, {
      vpcLinks: [{ vpcId: 'vpc-sample01', subnetId: 'subnet-sample01', accessIp: '10.0.0.1', readyAt: NOW + 5 }],
    });
    const linkAt = (later: number) => {
      const answer = askTcr(state, 'DescribeInternalEndpoints', { RegistryId }, { now: NOW + later });
      return (answer.AccessVpcSet as readonly unknown[])[0];
    };
    expect(linkAt(4)).toMatchObject({ VpcId: 'vpc-sample01', Status: 'Pending', AccessIp: '' });
    expect(linkAt(5)).toMatchObject({ SubnetId: 'subnet-sample01', Status: 'Running', AccessIp: '10.0.0.1' });
    put(state, { vpcLinks: [] });
    expect(askTcr(state, 'DescribeInternalEndpoints', { RegistryId })).toMatchObject({
      AccessVpcSet: null,
      TotalCount: 0,
    });
  });

  test('resolves by the names that were made to', () => {
    const state = sampleState();
    const link = { InstanceId: RegistryId, VpcId: 'vpc-sample01', EniLBIp: '10.20.0.7' };
    const statusOf = (more: object) => {
      const answer = askTcr(state, 'DescribeInternalEndpointDnsStatus', { VpcSet: [{ ...link, ...more }] });
      return (answer.VpcSet as { Status: string }[])[0]?.Status;
    };
    expect(codeOf(askTcr(state, 'CreateInternalEndpointDns', { ...link, UsePublicDomain: true }))).toBeUndefined();
    expect([statusOf({ UsePublicDomain: true }), statusOf({})]).toEqual(['ENABLE', 'DISABLE']);
    askTcr(state, 'DeleteInternalEndpointDns', { ...link, UsePublicDomain: true });
    expect(statusOf({ UsePublicDomain: true })).toBe('DISABLE');
    const wrong = { ...link, EniLBIp: '10.0.0.9' };
    expect(codeOf(askTcr(state, 'CreateInternalEndpointDns', wrong))).toBe('ResourceNotFound');
  });
});

test('custom domains have pages, and are null where there are none', () => {
  const state = sampleState();
  const list = (parameters = {}) => askTcr(state, 'DescribeInstanceCustomizedDomain', { RegistryId, ...parameters });
  expect(list()).toMatchObject({ DomainInfoList: null, TotalCount: 0 });
  put(state, { customDomains: [{ domain: 'one.example' }, { domain: 'two.example', status: 'success' }] });
  expect(list({ Offset: 1 })).toMatchObject({
    ...{ TotalCount: 2, DomainInfoList: [{ RegistryId, DomainName: 'two.example', Status: 'success' }] },
  });
});

test('status, public access and policies are told', () => {
  const state = sampleState();
  put(state, { status: 'Unhealthy', publicAccess: 'Opening', publicCidrBlocks: ['192.0.2.0/24'] });
  expect(askTcr(state, 'DescribeInstanceStatus', { RegistryIds: [RegistryId, 'tcr-none0001'] })).toMatchObject({
    RegistryStatusSet: [{ RegistryId, Status: 'Unhealthy', Conditions: null }],
  });
  expect(askTcr(state, 'DescribeExternalEndpointStatus', { RegistryId })).toMatchObject({ Status: 'Opening' });
  expect(askTcr(state, 'DescribeSecurityPolicies', { RegistryId })).toMatchObject({
    SecurityPolicySet: [{ PolicyIndex: 0, CidrBlock: '192.0.2.0/24' }],
  });
  put(state, { publicCidrBlocks: [] });
  expect(askTcr(state, 'DescribeSecurityPolicies', { RegistryId })).toMatchObject({ SecurityPolicySet: null });
});

test.each([
  ...['DescribeInternalEndpoints', 'DescribeInstanceCustomizedDomain', 'DescribeSecurityPolicies'],
  ...['DescribeExternalEndpointStatus', 'DescribeInstanceToken', 'DescribeServiceAccounts'],
])('%s is answered only in the region of the instance', (action) => {
  const answer = askTcr(sampleState(), action, { RegistryId }, { region: 'ap-beijing' });
  expect(codeOf(answer)).toBe('ResourceNotFound.TcrResourceNotFound');
});

describe('the Personal Edition', () => {
  test('has one password, of 8 to 16 characters, and limits that tell whether there is a user', () => {
    const state = sampleState();
    const ask = (action: string, Password?: string) =>
      askTcr(state, action, Password === undefined ? {} : { Password });
    expect(ask('DescribeUserQuotaPersonal')).toMatchObject({
      Data: { LimitInfo: expect.arrayContaining([{ Username: key.ownerUin, Type: 'namespace', Value: 10 }]) },
    });
    expect(codeOf(ask('CreateUserPersonal', 'Another-Pass1'))).toBe('FailedOperation');
    expect(codeOf(ask('ModifyUserPasswordPersonal', 'short'))).toBe('InvalidParameter');
    expect(codeOf(ask('ModifyUserPasswordPersonal', 'x'.repeat(17)))).toBe('InvalidParameter');
    expect(codeOf(ask('ModifyUserPasswordPersonal', 'Another-Pass1'))).toBeUndefined();
    expect(state.personalPasswords.get(key.ownerUin)).toBe('Another-Pass1');
    state.personalPasswords.clear();
    expect(codeOf(ask('DescribeUserQuotaPersonal'))).toBe('ResourceNotFound');
    expect(codeOf(ask('ModifyUserPasswordPersonal', 'Another-Pass1'))).toBe('ResourceNotFound');
    expect(codeOf(ask('CreateUserPersonal', 'Another-Pass1'))).toBeUndefined();
  });

  test('has no action that mints a token', () => {
    expect(codeOf(askTcr(sampleState(), 'CreateApplicationTokenPersonal', {}))).toBe('InvalidAction');
  });
});

function byName(name: string): readonly object[] {
  return [{ Name: 'RegistryName', Values: [name] }];
}

function withNorth(): TencentState {
  const state = sampleState();
  put(state, { registryId: 'tcr-north001', registryName: 'north-sample', regionName: 'ap-beijing' });
  return state;
}

function put(state: TencentState, change: Partial<TencentInstance>): void {
  const changed: TencentInstance = { ...instance, ...change };
  state.instances.set(changed.registryId, changed);
}

function idsOf({ Registries }: Response): readonly string[] {
  return (Registries as readonly { readonly RegistryId: string }[] | null)?.map(({ RegistryId: id }) => id) ?? [];
}
