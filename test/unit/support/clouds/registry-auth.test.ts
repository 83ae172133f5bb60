import { describe, expect, test } from '@jest/globals';
import type { AlibabaState } from '../../../support/clouds/alibaba-state.ts';
import { buildAlibabaState, mintToken } from '../../../support/clouds/alibaba-state.ts';
import type { TokenRequest } from '../../../support/clouds/registry-auth.ts';
import { authorizeTokenRequest } from '../../../support/clouds/alibaba-registries.ts';
import { parseBasic } from '../../../support/clouds/registry-auth.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const KEY = { accessKeyId: 'LTAIfake', accessKeySecret: 'fake', accountId: '1', status: 'Active' } as const;
const INSTANCE = { instanceId: 'cri-1', instanceName: 'acme', regionId: 'cn-hangzhou', accountId: '1' };
const SERVICE = 'registry.aliyuncs.com:cn-hangzhou:china:cri-1';
const USERS = [{ username: 'pusher', password: 'fake', actions: ['pull', 'push'] }] as const;

describe('the token endpoint', () => {
  test.each<[string, Partial<TokenRequest>, number, boolean]>([
    ['takes a minted token', {}, 0, true],
    ['takes it until just before its expiry', {}, 3_599_999, true],
    ['refuses it at its expiry', {}, 3_600_000, false],
    ['refuses it under another user name', { username: 'someone' }, 0, false],
    ['refuses it for another instance', { service: `${SERVICE}x` }, 0, false],
    ['refuses it for the same id in another region', { service: SERVICE.replace('hangzhou', 'beijing') }, 0, false],
    ['refuses a token that nobody minted', { password: 'eyJ9:0123' }, 0, false],
    ['takes a fixed user', { username: 'pusher', password: 'fake' }, 9e9, true],
    ['refuses a fixed user with another password', { username: 'pusher', password: 'other' }, 0, false],
    ['refuses a request without service', { username: 'pusher', password: 'fake', service: '' }, 0, false],
  ])('%s', (_name, change, later, accepted) => {
    const { state, request } = minted();
    const grant = authorizeTokenRequest({ ...request, ...change }, { state, users: USERS, now: NOW + later });
    expect(grant !== undefined).toBe(accepted);
  });

  test('refuses an anonymous pull', () => {
    const request = { service: SERVICE, scopes: ['repository:shop/api:pull'] };
    expect(authorizeTokenRequest(request, { state: minted().state, users: USERS, now: NOW })).toBeUndefined();
  });

  test('grants a minted token pull only, a pusher both, each scope on its own', () => {
    const { state, request } = minted();
    const scopes = ['repository:a/b:pull,push repository:c:push', 'repository:host:5000/d:pull', 'registry:catalog:*'];
    const ask = (change: Partial<TokenRequest>) =>
      authorizeTokenRequest({ ...request, scopes, ...change }, { state, users: USERS, now: NOW })?.access;
    expect(ask({})).toEqual([
      { type: 'repository', name: 'a/b', actions: ['pull'] },
      { type: 'repository', name: 'host:5000/d', actions: ['pull'] },
    ]);
    expect(ask({ username: 'pusher', password: 'fake' })).toHaveLength(3);
  });

  test('grants nothing, with success, when the key may not PullRepository', () => {
    const { state, request } = minted();
    state.accessKeys.set(KEY.accessKeyId, { ...KEY, denied: { PullRepository: 'NoPermission' } });
    expect(authorizeTokenRequest(request, { state, users: [], now: NOW })?.access).toEqual([]);
  });
});

describe('Basic credentials', () => {
  test.each([
    ['split at the first colon', `Basic ${btoa('u:a:b')}`, { username: 'u', password: 'a:b' }],
    ['need a colon', `Basic ${btoa('u')}`, undefined],
    ['are not a bearer', 'Bearer x', undefined],
    ['may be absent', undefined, undefined],
  ])('%s', (_name, header, expected) => {
    expect(parseBasic(header)).toEqual(expected);
  });
});

function minted(): { state: AlibabaState; request: TokenRequest } {
  const state = buildAlibabaState({ accessKeys: [KEY], instances: [INSTANCE] });
  const { token } = mintToken(state, INSTANCE, KEY, NOW);
  return {
    state,
    request: { username: 'cr_temp_user', password: token, service: SERVICE, scopes: ['repository:shop/api:pull'] },
  };
}
