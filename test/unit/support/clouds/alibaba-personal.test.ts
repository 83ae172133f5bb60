import { describe, expect, test } from '@jest/globals';
import { answerCr } from '../../../support/clouds/alibaba-actions.ts';
import type { Outcome } from '../../../support/clouds/alibaba-actions.ts';
import type { AccessKey, AlibabaState } from '../../../support/clouds/alibaba-state.ts';
import { buildAlibabaState, buildRegistryService } from '../../../support/clouds/alibaba-state.ts';
import { authorizeTokenRequest } from '../../../support/clouds/alibaba-registries.ts';
import type { RequestToSign } from '../../../support/clouds/signed-request.ts';
import { buildSignedRequest } from '../../../support/clouds/signed-request.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const KEY: AccessKey = { accessKeyId: 'LTAIfake', accessKeySecret: 'fake', accountId: '1', status: 'Active' };

describe('the Personal Edition', () => {
  test('answers a token with the field names of its own API', () => {
    const outcome = call();
    expect(outcome.answer.status).toBe(200);
    expect(outcome.call).toMatchObject({ action: 'GetAuthorizationToken', url: '/tokens', code: 'success' });
    const { data, requestId } = bodyOf(outcome) as { data: Record<string, unknown>; requestId: unknown };
    expect(requestId).toEqual(expect.any(String));
    expect(data).toMatchObject({ tempUserName: 'cr_temp_user', expireDate: NOW + 3_600_000 });
    const [payload = ''] = String(data.authorizationToken).split(':');
    expect(payload).toBe('eyJ0aW1lIjoiMTc2NzMyMzA0NTAwMCIsInR5cGUiOiJzdWIifQ==');
  });

  test('gives a token that is good for the registries of its region, and for nothing else', () => {
    const state = world();
    const { data } = bodyOf(call({}, state)) as { data: { authorizationToken: string } };
    const ask = (service: string) =>
      authorizeTokenRequest(
        { username: 'cr_temp_user', password: data.authorizationToken, service, scopes: ['repository:a/b:pull'] },
        { state, users: [], now: NOW },
      )?.access;
    expect(ask('registry.aliyuncs.com:cn-hangzhou:26842')).toMatchObject([{ name: 'a/b', actions: ['pull'] }]);
    expect(ask('registry.aliyuncs.com:cn-beijing:26842')).toBeUndefined();
    expect(ask(buildRegistryService({ regionId: 'cn-hangzhou', instanceId: 'cri-1' }))).toBeUndefined();
  });

  test('gives a session of a role no longer than the session has', () => {
    const session = { ...KEY, accessKeyId: 'STS.N1', securityToken: 't', expiresAt: NOW + 5_000 };
    expect(bodyOf(call({ key: session }, world(session)))).toMatchObject({ data: { expireDate: NOW + 5_000 } });
  });

  test.each<[string, Partial<RequestToSign>, Partial<AccessKey>, number, string]>([
    ['a principal without a registry user', {}, { hasRegistryUser: false }, 404, 'USER_NOT_EXIST'],
    ['a denied action', {}, { denied: { GetAuthorizationToken: 'NoPermission' } }, 403, 'NoPermission'],
    ['a wrong secret', { key: { ...KEY, accessKeySecret: 'wrong' } }, {}, 400, 'SignatureDoesNotMatch'],
    ['an unknown key', { key: { ...KEY, accessKeyId: 'LTAIother' } }, {}, 404, 'InvalidAccessKeyId.NotFound'],
    ['a clock that is off', { now: NOW - 16 * 60_000 }, {}, 400, 'InvalidTimeStamp.Expired'],
    ['POST', { method: 'POST' }, {}, 404, 'InvalidApi.NotFound'],
    ['another path', { path: '/' }, {}, 404, 'InvalidApi.NotFound'],
    ['the version of the Enterprise API', { version: '2018-12-01' }, {}, 404, 'InvalidApi.NotFound'],
    ['another action', { action: 'GetUserInfo' }, {}, 404, 'InvalidAction.NotFound'],
  ])('refuses %s, in lower case', (_name, request, key, status, code) => {
    const { answer } = call(request, world({ ...KEY, ...key }));
    expect(answer.status).toBe(status);
    const body = JSON.parse(answer.body) as Record<string, unknown>;
    expect(body).toMatchObject({ code });
    expect(Object.keys(body).sort()).toEqual(['code', 'message', 'requestId']);
  });

  test('says that a user does not exist in the words of the contract', () => {
    const body = bodyOf(call({}, world({ ...KEY, hasRegistryUser: false })));
    expect(body).toMatchObject({ code: 'USER_NOT_EXIST', message: 'user is not exist.' });
  });
});

function world(key: AccessKey = KEY): AlibabaState {
  return buildAlibabaState({ accessKeys: [key] });
}

function call(change: Partial<RequestToSign> = {}, state: AlibabaState = world()): Outcome {
  const request = buildSignedRequest({
    ...{ key: KEY, host: 'cr.cn-hangzhou.aliyuncs.com', action: 'GetAuthorizationToken', version: '2016-06-07' },
    ...{ now: NOW, method: 'GET', path: '/tokens', ...change },
  });
  return answerCr(state, request, { region: 'cn-hangzhou', now: NOW });
}

function bodyOf(outcome: Outcome): Record<string, unknown> {
  return JSON.parse(outcome.answer.body) as Record<string, unknown>;
}
