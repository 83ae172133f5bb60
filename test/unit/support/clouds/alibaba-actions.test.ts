import { describe, expect, test } from '@jest/globals';
import { answerCr } from '../../../support/clouds/alibaba-actions.ts';
import type { Outcome } from '../../../support/clouds/alibaba-actions.ts';
import { parseCrRegion } from '../../../support/clouds/alibaba-cr.ts';
import type { AccessKey, AlibabaState, Instance } from '../../../support/clouds/alibaba-state.ts';
import { buildAlibabaState } from '../../../support/clouds/alibaba-state.ts';
import { buildSignedRequest } from '../../../support/clouds/signed-request.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const KEY: AccessKey = { accessKeyId: 'LTAIfake', accessKeySecret: 'fake', accountId: '1', status: 'Active' };
const INSTANCE: Instance = { instanceId: 'cri-1', instanceName: 'acme', regionId: 'cn-hangzhou', accountId: '1' };

describe('the life of a token', () => {
  test.each([
    ['is one hour by default', {}, undefined, 3_600_000],
    ['follows the setting', {}, 20_000, 20_000],
    ['is what an STS key has left', { securityToken: 't', expiresAt: NOW + 5_000 }, undefined, 5_000],
    [
      'is the setting when the STS key lives longer',
      { securityToken: 't', expiresAt: NOW + 9_000_000 },
      20_000,
      20_000,
    ],
  ])('%s', (_name, sts, tokenLifeMs, life) => {
    const key: AccessKey = { ...KEY, ...sts };
    const state = buildAlibabaState({ accessKeys: [key], instances: [INSTANCE] });
    if (tokenLifeMs !== undefined) state.tokenLifeMs = tokenLifeMs;
    const body = bodyOf(call(state, 'GetAuthorizationToken', { key }));
    expect(body).toMatchObject({
      Code: 'success',
      IsSuccess: true,
      TempUsername: 'cr_temp_user',
      ExpireTime: NOW + life,
    });
  });

  test('has the form of the contract and is never the same twice', () => {
    const state = world();
    const tokens = [1, 2].map(() => String(bodyOf(call(state, 'GetAuthorizationToken')).AuthorizationToken));
    expect(new Set(tokens).size).toBe(2);
    const [payload = '', random] = tokens[0]?.split(':') ?? [];
    expect(random).toMatch(/^[0-9a-f]{40}$/);
    expect(JSON.parse(Buffer.from(payload, 'base64').toString())).toEqual({
      instanceId: 'cri-1',
      time: String(NOW),
      type: 'sub',
      userId: '1',
    });
  });
});

describe('the answers', () => {
  test.each<[string, Partial<Parameters<typeof call>[2]> & { action?: string }, number, string]>([
    ['no InstanceId', { query: '' }, 400, 'MissingInstanceId'],
    ['an unknown action', { action: 'DeleteInstance' }, 404, 'InvalidAction.NotFound'],
    ['an inherited name as action', { action: 'toString' }, 404, 'InvalidAction.NotFound'],
    ['another version', { version: '2018-12-02' }, 404, 'InvalidApi.NotFound'],
    ['a host of another service', { region: undefined }, 404, 'InvalidApi.NotFound'],
    ['an unknown instance', { query: 'InstanceId=cri-2' }, 200, 'INSTANCE_NOT_EXIST'],
    ['an instance of another region', { region: 'cn-beijing' }, 200, 'INSTANCE_NOT_EXIST'],
    ['an instance of another account', { key: { ...KEY, accountId: '2' } }, 200, 'INSTANCE_NOT_EXIST'],
    ['a denied action', { key: { ...KEY, denied: { GetAuthorizationToken: 'NoPermission' } } }, 403, 'NoPermission'],
    [
      'an unknown module',
      { action: 'ListInstanceEndpoint', query: 'InstanceId=cri-1&ModuleName=X' },
      400,
      'InvalidParameter',
    ],
  ])('%s', (_name, { action = 'GetAuthorizationToken', ...options }, status, code) => {
    const outcome = call(world(options.key), action, options);
    expect(outcome.answer.status).toBe(status);
    expect(bodyOf(outcome).Code).toBe(code);
    expect(bodyOf(outcome).IsSuccess).toBe(status === 200 ? false : undefined);
    expect(outcome.call).toMatchObject({ action, code });
  });

  test('an instance that is not there is a 404 where so configured', () => {
    const state = world();
    state.unknownInstanceStatus = 404;
    expect(call(state, 'GetAuthorizationToken', { query: 'InstanceId=cri-2' }).answer.status).toBe(404);
  });

  test('an error is XML when JSON was not negotiated', () => {
    const { answer } = call(world(), 'GetAuthorizationToken', { query: '', accept: '*/*' });
    expect(answer.headers['content-type']).toBe('text/xml;charset=utf-8');
    expect(answer.body).toContain('<Code>MissingInstanceId</Code>');
  });

  test('a nonce is refused the second time, and may come again once its date could not be accepted anyhow', () => {
    const state = world();
    const codes = [0, 0, 31 * 60_000].map((later) => {
      return call(state, 'GetAuthorizationToken', { nonce: 'n', now: NOW + later }).call.code;
    });
    expect(codes).toEqual(['success', 'SignatureNonceUsed', 'success']);
  });

  test('the endpoints list public, custom and VPC domains, the disabled ones too', () => {
    const state = world();
    state.instances.set('cri-1', { ...INSTANCE, userDomains: ['images.acme.example'], linkedVpcIds: [] });
    const body = bodyOf(call(state, 'ListInstanceEndpoint', { query: 'InstanceId=cri-1&ModuleName=Registry' }));
    expect(body.Endpoints).toMatchObject([
      {
        EndpointType: 'internet',
        Enable: true,
        Domains: [
          { Domain: 'acme-registry.cn-hangzhou.cr.aliyuncs.com', Type: 'SYSTEM' },
          { Domain: 'images.acme.example', Type: 'USER' },
        ],
      },
      {
        EndpointType: 'vpc',
        Enable: false,
        Domains: [{ Domain: 'acme-registry-vpc.cn-hangzhou.cr.aliyuncs.com', Type: 'SYSTEM' }],
        LinkedVpcs: [],
      },
    ]);
  });
});

describe('the region of a host', () => {
  test.each([
    ['cr.cn-hangzhou.aliyuncs.com', 'cn-hangzhou'],
    ['cr-vpc.me-central-1.aliyuncs.com', 'me-central-1'],
    ['CR.cn-hangzhou-finance.aliyuncs.com:443', 'cn-hangzhou-finance'],
    ['cr.cn-hangzhou.localhost:8443', 'cn-hangzhou'],
    ['cr.cn-heyuan.aliyuncs.com', 'cn-heyuan'],
    ['cr-vpc.cn-heyuan.aliyuncs.com', undefined],
    ['sts.cn-hangzhou.aliyuncs.com', undefined],
    ['cr.aliyuncs.com', undefined],
    ['cr.cn-hangzhou.aliyuncs.com.evil.example', undefined],
    ['127.0.0.1:8443', 'fallback'],
  ])('%s is %s', (host, region) => {
    expect(parseCrRegion(host, 'fallback')).toBe(region);
  });
});

function world(key: AccessKey = KEY): AlibabaState {
  return buildAlibabaState({ accessKeys: [key], instances: [INSTANCE] });
}

interface CallOptions {
  readonly key?: AccessKey;
  readonly query?: string;
  readonly version?: string;
  readonly region?: string | undefined;
  readonly accept?: string;
  readonly nonce?: string;
  readonly now?: number;
}

function call(state: AlibabaState, action: string, options: CallOptions = {}): Outcome {
  const { key = KEY, query = 'InstanceId=cri-1', version = '2018-12-01', now = NOW, ...rest } = options;
  const region = 'region' in options ? options.region : 'cn-hangzhou';
  const host = 'cr.cn-hangzhou.aliyuncs.com';
  return answerCr(state, buildSignedRequest({ ...rest, key, query, version, action, now, host }), { region, now });
}

function bodyOf(outcome: Outcome): Record<string, unknown> {
  return JSON.parse(outcome.answer.body) as Record<string, unknown>;
}
