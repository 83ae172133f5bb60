import { describe, expect, test } from '@jest/globals';
import { askSts, askTcr, codeOf, NOW, RegistryId, sampleState } from '../../../support/clouds/tencent-asking.ts';
import { buildTencentRequest } from '../../../support/clouds/tencent-client.ts';
import type { TencentRequest } from '../../../support/clouds/tencent-client.ts';
import type { Statement } from '../../../support/clouds/tencent-cam.ts';
import { isAllowed } from '../../../support/clouds/tencent-cam.ts';
import { admit, answerTencent, isHostOf } from '../../../support/clouds/tencent-gateway.ts';
import { TENCENT_SAMPLE } from '../../../support/clouds/tencent-sample.ts';
import { DEFAULT_VARIANTS } from '../../../support/clouds/tencent-state.ts';
import { TCR } from '../../../support/clouds/tencent-tcr.ts';

const { key, user } = TENCENT_SAMPLE;

describe('the gateway refuses', () => {
  test.each<[string, Partial<TencentRequest>, string]>([
    ['a call without a region', { region: '' }, 'MissingParameter'],
    ['a region that is none', { region: 'ap-atlantis' }, 'UnsupportedRegion'],
    ['a finance zone on the main host', { region: 'ap-shanghai-fsi' }, 'UnsupportedRegion'],
    [
      'a finance zone on the host of another',
      { region: 'ap-shanghai-fsi', host: 'tcr.ap-beijing-fsi.tencentcloudapi.com' },
      'UnsupportedRegion',
    ],
    ['another version', { version: '2018-08-13' }, 'NoSuchVersion'],
    ['an action that is none', { action: 'CreateInstanceTokens' }, 'InvalidAction'],
    ['an inherited name as action', { action: 'toString' }, 'InvalidAction'],
    ['the action of another API', { action: 'AssumeRole' }, 'InvalidAction'],
    ['another product’s host', { host: 'sts.tencentcloudapi.com' }, 'NoSuchProduct'],
    ['a body that is no object', { body: '[]' }, 'InvalidRequest'],
    ['a body that is no JSON', { body: '{' }, 'InvalidRequest'],
    ['a member that it does not know', { body: { RegistryId, Ttl: 1 } }, 'UnknownParameter'],
    ['a known member in other letters', { body: { registryId: RegistryId } }, 'UnknownParameter'],
    ['an absent member', { body: { TokenType: 'temp' } }, 'MissingParameter'],
    ['a member that is null', { body: { RegistryId, Desc: null } }, 'InvalidParameter'],
    ['a member of another type', { body: { RegistryId: 1 } }, 'InvalidParameter'],
    ['SKIP', { headers: { authorization: 'SKIP' } }, 'AuthFailure.InvalidAuthorization'],
    ['an unknown id', { key: { ...key, secretId: 'AKIDunknown' } }, 'AuthFailure.SecretIdNotFound'],
    ['a wrong secret', { key: { ...key, secretKey: 'wrong' } }, 'AuthFailure.SignatureFailure'],
    ['a clock that is off', { now: NOW - 301_000 }, 'AuthFailure.SignatureExpire'],
    ['a body of another kind', { headers: { 'content-type': 'text/plain' } }, 'InvalidRequest'],
  ])('%s', (_name, change, code) => {
    const request = buildTencentRequest({
      ...{ service: 'tcr', action: 'CreateInstanceToken', now: NOW, key, body: { RegistryId }, ...change },
    });
    const { answer, response } = answerTencent(TCR, sampleState(), request, NOW);
    expect([answer.status, codeOf(response)]).toEqual([200, code]);
    expect(response.RequestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('an unknown member of a member', () => {
    const Filters = [{ Name: 'RegistryName', Values: ['x'], Exact: true }];
    const answer = askTcr(sampleState(), 'DescribeInstances', { Filters });
    expect(answer.Error).toMatchObject({
      Code: 'UnknownParameter',
      Message: expect.stringContaining('Filters.0.Exact'),
    });
  });

  test('every method but POST, and every path but /', () => {
    const request = buildTencentRequest({ service: 'tcr', action: 'CreateInstanceToken', now: NOW, key });
    const ask = (change: object) => codeOf(answerTencent(TCR, sampleState(), { ...request, ...change }, NOW).response);
    expect([ask({ method: 'GET' }), ask({ path: '/v2' }), ask({ query: 'a=1' })]).toEqual([
      ...['UnsupportedProtocol', 'InvalidRequest', 'InvalidRequest'],
    ]);
  });
});

test('a finance zone is served on its own host', () => {
  const zone = { region: 'ap-shanghai-fsi', host: 'tcr.ap-shanghai-fsi.tencentcloudapi.com' };
  const about = { service: 'tcr', action: 'DescribeInstances', now: NOW, key, ...zone } as const;
  const { response } = answerTencent(TCR, sampleState(), buildTencentRequest({ ...about, body: {} }), NOW);
  expect(response).toMatchObject({ TotalCount: 0 });
});

test.each([
  ['tcr.tencentcloudapi.com', true],
  ['tcr.intl.tencentcloudapi.com', true],
  ['tcr.ap-shanghai-fsi.tencentcloudapi.com', true],
  ['tcr.internal.tencentcloudapi.com', true],
  ['127.0.0.1:18443', true],
  ['tcr.localhost:18443', true],
  ['sts.tencentcloudapi.com', false],
  ['tcr.tencentcloudapi.com.example', false],
])('the host %s is the registry’s: %s', (host, isOwn) => {
  expect(isHostOf('tcr', host)).toBe(isOwn);
});

test('an error has the shape of old where that is set', () => {
  const state = sampleState();
  state.variants = { ...DEFAULT_VARIANTS, errors: 'legacy' };
  const request = buildTencentRequest({ service: 'tcr', action: 'None', now: NOW, key });
  const { body } = answerTencent(TCR, state, request, NOW).answer;
  expect(JSON.parse(body)).toEqual({ code: 4000, message: expect.any(String), codeDesc: 'InvalidAction' });
});

describe('rates', () => {
  test.each([
    ['CreateInstanceToken', 100],
    ['DescribeInstanceToken', 20],
    ['DescribeInstances', 100],
    ['DescribeInternalEndpoints', 20],
  ])('%s may be called %i times in a second, and again when some of it is over', (action, rate) => {
    const state = sampleState();
    const parameters = action === 'DescribeInstances' ? {} : { RegistryId };
    const ask = (now = NOW) => codeOf(askTcr(state, action, parameters, { now }));
    expect(new Set(Array.from({ length: rate }, () => ask()))).toEqual(new Set([undefined]));
    expect([ask(), ask(NOW + 1000 / rate), ask(NOW + 1000 / rate)]).toEqual([
      ...['RequestLimitExceeded', undefined, 'RequestLimitExceeded'],
    ]);
    const other = action === 'DescribeInstances' ? 'DescribeInternalEndpoints' : 'DescribeInstances';
    expect(codeOf(askTcr(state, other, other === 'DescribeInstances' ? {} : { RegistryId }))).toBeUndefined();
  });

  test('a quiet minute saves no calls for later', () => {
    const state = sampleState();
    const ask = () => codeOf(askTcr(state, 'DescribeInstanceToken', { RegistryId }, { now: NOW + 60_000 }));
    askTcr(state, 'DescribeInstanceToken', { RegistryId });
    expect(Array.from({ length: 21 }, ask)).toEqual([...Array<undefined>(20).fill(undefined), 'RequestLimitExceeded']);
  });

  test('AssumeRoleWithWebIdentity may be called 80 times in a second', () => {
    const state = sampleState();
    const ask = () => codeOf(askSts(state, 'AssumeRoleWithWebIdentity', {}, { key: undefined }));
    expect(
      Array.from({ length: 81 }, ask)
        .map((code) => code === 'RequestLimitExceeded')
        .lastIndexOf(false),
    ).toBe(79);
  });
});

describe('CAM', () => {
  const SAMPLE_POLICY: readonly Statement[] = [
    {
      ...{ effect: 'allow', action: ['tcr:CreateInstanceToken', 'name/tcr:DescribeInstanceToken'] },
      resource: [`qcs::tcr:::instance/${RegistryId}`],
    },
  ];

  test('allows what the policy of the user names, and says what of it is missing', () => {
    const state = sampleState();
    state.users.set(user.uin, { ...user, policy: SAMPLE_POLICY });
    expect(codeOf(askTcr(state, 'CreateInstanceToken', { RegistryId }))).toBeUndefined();
    expect(codeOf(askTcr(state, 'DescribeInstanceToken', { RegistryId }))).toBeUndefined();
    expect(askTcr(state, 'DeleteInstanceToken', { RegistryId, TokenId: 'x' }).Error).toEqual({
      Code: 'UnauthorizedOperation',
      Message: expect.stringMatching(
        /\(tcr:DeleteInstanceToken\)\nresource \(qcs::tcr:ap-guangzhou:uin\/100000000001:instance\/tcr-sample01\)/,
      ),
    });
    expect(codeOf(askTcr(state, 'CreateInstanceToken', { RegistryId: 'tcr-other001' }))).toBe('UnauthorizedOperation');
    expect(codeOf(askTcr(state, 'DescribeInstances', {}))).toBe('UnauthorizedOperation');
    state.users.delete(user.uin);
    expect(codeOf(askTcr(state, 'CreateInstanceToken', { RegistryId }))).toBe('UnauthorizedOperation');
  });

  test.each<[string, Statement[], boolean]>([
    ['nothing', [], false],
    ['everything', [{ effect: 'allow', action: ['*'], resource: ['*'] }], true],
    ['the action by a pattern', [{ effect: 'allow', action: ['tcr:Create*'], resource: ['*'] }], true],
    ['the instance in every region', [{ effect: 'allow', action: ['*'], resource: ['qcs::tcr:::instance/*'] }], true],
    ['it in that region', [{ effect: 'allow', action: ['*'], resource: ['qcs::tcr:r:uin/1:instance/t'] }], true],
    ['it in another region', [{ effect: 'allow', action: ['*'], resource: ['qcs::tcr:x::instance/t'] }], false],
    ['another account’s', [{ effect: 'allow', action: ['*'], resource: ['qcs::tcr::uin/2:instance/t'] }], false],
    [
      'everything, and denies this',
      [
        { effect: 'allow', action: ['*'], resource: ['*'] },
        { effect: 'deny', action: ['tcr:CreateInstanceToken'], resource: ['*'] },
      ],
      false,
    ],
  ])('decides on a policy that allows %s', (_name, policy, allowed) => {
    expect(isAllowed(policy, 'tcr:CreateInstanceToken', 'qcs::tcr:r:uin/1:instance/t')).toBe(allowed);
  });
});

test('the record of a call has what it was given, without secrets', () => {
  const body = { RegistryId, Name: 'robot', Random: false, Password: 'Very-secret1' };
  const request = buildTencentRequest({ service: 'tcr', action: 'ModifyServiceAccountPassword', now: NOW, key, body });
  expect(admit(TCR, sampleState(), request, NOW).call).toEqual({
    ...{ action: 'ModifyServiceAccountPassword', region: 'ap-guangzhou', secretId: key.secretId, roleArn: '' },
    ...{ instanceId: RegistryId, parameters: { RegistryId, Name: 'robot', Random: false }, code: 'success', at: NOW },
  });
});
