import { describe, expect, test } from '@jest/globals';
import type { TokenRequest } from '../../../support/clouds/registry-auth.ts';
import { createJwtSigner } from '../../../support/clouds/sign-jwt.ts';
import { askTcr, NOW, RegistryId, sampleState } from '../../../support/clouds/tencent-asking.ts';
import {
  authorizeTencent,
  buildTencentService,
  findTencentRegistry,
  listRegistryHosts,
  readRegistryHost,
} from '../../../support/clouds/tencent-registries.ts';
import { TENCENT_SAMPLE } from '../../../support/clouds/tencent-sample.ts';
import type { TencentInstance, TencentState } from '../../../support/clouds/tencent-state.ts';

const { instance, otherInstance, user } = TENCENT_SAMPLE;
const HOST = 'acme-sample.tencentcloudcr.com';
const CCR = 'ccr.ccs.tencentyun.com';

describe('the registry behind a host', () => {
  test.each<[string, string | undefined]>([
    [HOST, RegistryId],
    ['ACME-sample.tencentcloudcr.com:443', RegistryId],
    ['acme-sample-vpc.tencentcloudcr.com', RegistryId],
    ['images.acme.example', RegistryId],
    ['127.0.0.1:5000', RegistryId],
    ['127.0.0.1:5001', undefined],
    ['globex-sample.tencentcloudcr.com', otherInstance.registryId],
    ['globex-sample-vpc.tencentcloudcr.com', undefined],
    ['quay.tencentcloudcr.com', undefined],
    ['nvcr.tencentcloudcr.com', undefined],
    ['helmhub.tencentcloudcr.com', undefined],
    ['acme-sample.tencentcloudcr.com.example', undefined],
    [CCR, 'token-service'],
    ['hkccr.ccs.tencentyun.com', 'token-service'],
  ])('%s is %s', (host, expected) => {
    const state = sampleState();
    const customDomains = [{ domain: 'images.acme.example' }, { domain: '127.0.0.1:5000' }];
    state.instances.set(RegistryId, { ...instance, customDomains });
    const registry = findTencentRegistry(state, host);
    const service = registry && buildTencentService(registry);
    expect(registry && 'instance' in registry ? registry.instance.registryId : service).toBe(expected);
  });

  test('is the one with that very name, before the one whose VPC name it would be', () => {
    const state = sampleState();
    const named: TencentInstance = { ...instance, registryId: 'tcr-named001', registryName: 'acme-sample-vpc' };
    state.instances.set(named.registryId, named);
    expect(findTencentRegistry(state, 'acme-sample-vpc.tencentcloudcr.com')).toEqual({ instance: named });
    expect(listRegistryHosts(state)).toContain('acme-sample-vpc-vpc.tencentcloudcr.com');
  });

  test('is nobody’s while its public access is closed', () => {
    const state = sampleState();
    state.instances.set(RegistryId, { ...instance, publicAccess: 'Closed' });
    expect(findTencentRegistry(state, HOST)).toBeUndefined();
    expect(findTencentRegistry(state, 'acme-sample-vpc.tencentcloudcr.com')).toBeDefined();
  });
});

test.each([
  ['/service/token', HOST],
  ['/other.example%3A5000/service/token', 'other.example:5000'],
  ['/auth', undefined],
])('the page %s is the token endpoint of %s', (path, expected) => {
  expect(readRegistryHost({ method: 'GET', path, query: '', headers: { host: HOST }, body: new Uint8Array() })).toBe(
    expected,
  );
});

describe('the token endpoint', () => {
  test.each<[string, Partial<TokenRequest>, number, boolean]>([
    ['takes a temporary token', {}, 0, true],
    ['takes it until just before its end', {}, 3_599_999, true],
    ['refuses it at its end', {}, 3_600_000, false],
    ['refuses it under another UIN', { username: '100000000001' }, 0, false],
    ['refuses it under no name', { username: '' }, 0, false],
    ['refuses it at another instance', { registry: 'globex-sample.tencentcloudcr.com' }, 0, false],
    ['refuses it at a registry that nobody has', { registry: 'other.tencentcloudcr.com' }, 0, false],
    ['refuses it for another service', { service: 'token-service' }, 0, false],
    ['refuses it at the Personal Edition', { registry: CCR, service: 'token-service' }, 0, false],
    ['refuses what is no token', { password: 'password' }, 0, false],
    ['takes it by the VPC’s name', { registry: 'acme-sample-vpc.tencentcloudcr.com' }, 0, true],
  ])('%s', (_name, change, later, accepted) => {
    const { state, request } = minted();
    const grant = authorizeTencent({ ...request, ...change }, { state, now: NOW + later });
    expect(grant !== undefined).toBe(accepted);
    if (accepted) expect(grant?.expiresAt).toBe(NOW + 3_600_000);
  });

  test('refuses a token that somebody else signed, or that was changed, and an anonymous pull', () => {
    const { state, request } = minted();
    const [header = '', claims = '', signature = ''] = (request.password ?? '').split('.');
    const said = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as Record<string, unknown>;
    const longer = Buffer.from(JSON.stringify({ ...said, exp: 9e9 })).toString('base64url');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const passwords = [`${header}.${longer}.${signature}`, createJwtSigner('RS256').sign(said), `${none}.${claims}.`];
    for (const password of passwords)
      expect(authorizeTencent({ ...request, password }, { state, now: NOW })).toBeUndefined();
    const { service, scopes } = request;
    expect(authorizeTencent({ registry: HOST, service, scopes }, { state, now: NOW })).toBeUndefined();
  });

  test('refuses a long-term token while it is disabled, and from the moment on that it is deleted', () => {
    const state = sampleState();
    const { request, TokenId } = minted(state, 'longterm');
    const isTaken = (later = 0) => authorizeTencent(request, { state, now: NOW + later }) !== undefined;
    const modify = (Enable: boolean) => askTcr(state, 'ModifyInstanceToken', { RegistryId, TokenId, Enable });
    expect(isTaken()).toBe(true);
    modify(false);
    expect(isTaken()).toBe(false);
    modify(true);
    expect(isTaken()).toBe(true);
    askTcr(state, 'DeleteInstanceToken', { RegistryId, TokenId });
    // It is still listed: that must help nobody.
    expect([isTaken(), isTaken(1_000)]).toEqual([false, false]);
  });

  test('grants what CAM allows the one who made the token, at that moment', () => {
    const { state, request } = minted();
    const accessOf = () =>
      authorizeTencent(request, { state, now: NOW })?.access.map(({ name, actions }) => [name, ...actions]);
    expect(accessOf()).toEqual([
      ['team/app', 'pull', 'push'],
      ['other/app', 'pull'],
    ]);
    const resource = [`qcs::tcr:::repository/${RegistryId}/team/*`];
    state.users.set(user.uin, { ...user, policy: [{ effect: 'allow', action: ['tcr:PullRepository'], resource }] });
    expect(accessOf()).toEqual([['team/app', 'pull']]);
    state.users.delete(user.uin);
    expect(accessOf()).toEqual([]);
  });

  test.each<[string, Partial<TokenRequest>, boolean]>([
    ['takes the fixed password of an account', {}, true],
    ['takes it in Hong Kong', { registry: 'hkccr.ccs.tencentyun.com' }, true],
    ['refuses another password', { password: 'Sample-Password2' }, false],
    ['refuses it for another account', { username: '200000000002' }, false],
    ['refuses it for another service', { service: 'harbor-registry' }, false],
    ['refuses it at an instance', { registry: HOST, service: 'harbor-registry' }, false],
  ])('of the Personal Edition %s', (_name, change, accepted) => {
    const request = {
      ...{ registry: CCR, service: 'token-service', username: '100000000001', password: 'Sample-Password1' },
      ...{ scopes: ['repository:team/app:pull'], ...change },
    };
    expect(authorizeTencent(request, { state: sampleState(), now: NOW }) !== undefined).toBe(accepted);
  });
});

function minted(
  state = sampleState(),
  TokenType = 'temp',
): { state: TencentState; request: TokenRequest; TokenId: unknown } {
  const { Username, Token, TokenId } = askTcr(state, 'CreateInstanceToken', { RegistryId, TokenType });
  const scopes = ['repository:team/app:pull,push', 'repository:other/app:pull'];
  const login = { username: String(Username), password: String(Token) };
  return { state, TokenId, request: { registry: HOST, service: 'harbor-registry', scopes, ...login } };
}
