import { describe, expect, test } from '@jest/globals';
import type { SignedRequest } from '../../../support/clouds/acs3.ts';
import { answerCr } from '../../../support/clouds/alibaba-actions.ts';
import { mintSession } from '../../../support/clouds/alibaba-sessions.ts';
import type { AccessKey, AlibabaState, Role } from '../../../support/clouds/alibaba-state.ts';
import { buildAlibabaState } from '../../../support/clouds/alibaba-state.ts';
import type { StsOutcome } from '../../../support/clouds/alibaba-sts-actions.ts';
import { answerSts } from '../../../support/clouds/alibaba-sts-actions.ts';
import { parseStsRegion } from '../../../support/clouds/alibaba-sts.ts';
import { SAMPLE } from '../../../support/clouds/sample.ts';
import type { RequestToSign } from '../../../support/clouds/signed-request.ts';
import { buildSignedRequest } from '../../../support/clouds/signed-request.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const USER = SAMPLE.accessKey;
const USER_ARN = `acs:ram::${USER.accountId}:user/${USER.userName}`;
const ROLE: Role = { arn: SAMPLE.roleB.arn, trust: [{ ram: USER_ARN }, { ram: SAMPLE.roleA.arn }] };
const PARAMETERS = { RoleArn: ROLE.arn, RoleSessionName: 'sess' };

describe('AssumeRole', () => {
  test('gives a session that the cr API takes for the role, for an hour unless asked otherwise', () => {
    const state = world();
    const outcome = assume(state);
    expect(bodyOf(outcome)).toMatchObject({
      AssumedRoleUser: { Arn: `${ROLE.arn}/sess`, AssumedRoleId: expect.stringMatching(/^3\d+:sess$/) },
      Credentials: { AccessKeyId: expect.stringMatching(/^STS\./), Expiration: '2026-01-02T04:04:05Z' },
    });
    expect(outcome.call).toMatchObject({
      ...{ action: 'AssumeRole', code: 'success', region: 'cn-hangzhou', accessKeyId: USER.accessKeyId },
      ...{ roleArn: ROLE.arn, sessionName: 'sess', durationSeconds: '' },
    });
    expect(codeOfCr(state, sessionOf(outcome))).toBe('success');
    expect(codeOfCr(state, USER)).toBe('INSTANCE_NOT_EXIST');
  });

  test.each([
    ['in the query', {}],
    ['in a form', { query: '', form: PARAMETERS }],
  ])('takes its parameters %s', (_name, change: Partial<RequestToSign>) => {
    expect(assume(world(), {}, change).call.code).toBe('success');
  });

  test('lets a session of one role assume the next', () => {
    const state = world();
    const session = mintSession(state, { roleArn: SAMPLE.roleA.arn, sessionName: 'a', lifeSeconds: 900, now: NOW });
    expect(assume(state, {}, { key: session }).call.code).toBe('success');
  });

  test.each<[string, Partial<Role>, number]>([
    ['as long as the role allows', { maxSessionSeconds: 7200 }, 7200],
    ['as short as 15 minutes', {}, 900],
  ])('gives a session %s', (_name, role, seconds) => {
    const outcome = assume(world({ ...ROLE, ...role }), { DurationSeconds: String(seconds) });
    expect(sessionOf(outcome).expiresAt).toBe(NOW + seconds * 1000);
  });

  test('ends sessions early when told, whatever was asked for', () => {
    const state = world();
    state.sessionLifeCapMs = 20_000;
    expect(sessionOf(assume(state)).expiresAt).toBe(NOW + 20_000);
  });

  test.each<[string, Readonly<Record<string, string>>, Partial<Role>, number, string]>([
    ['no role', { RoleArn: '' }, {}, 400, 'MissingRoleArn'],
    ['an ARN of another kind', { RoleArn: USER_ARN }, {}, 400, 'InvalidParameter.RoleArn'],
    ['a role that is not there', { RoleArn: `${ROLE.arn}x` }, {}, 404, 'EntityNotExist.Role'],
    ['a role that trusts others', {}, { trust: [{ ram: `${USER_ARN}x` }] }, 403, 'NoPermission'],
    ['a role that trusts a service', {}, { trust: [{ service: 'ecs.aliyuncs.com' }] }, 403, 'NoPermission'],
    ['no session name', { RoleSessionName: '' }, {}, 400, 'MissingRoleSessionName'],
    ['a session name of one character', { RoleSessionName: 'a' }, {}, 400, 'InvalidParameter.RoleSessionName'],
    ['a session name of 65', { RoleSessionName: 'a'.repeat(65) }, {}, 400, 'InvalidParameter.RoleSessionName'],
    ['a session name with a colon', { RoleSessionName: 'ns:sa' }, {}, 400, 'InvalidParameter.RoleSessionName'],
    ['less than 15 minutes', { DurationSeconds: '899' }, {}, 400, 'InvalidParameter.DurationSeconds'],
    ['more than the default maximum', { DurationSeconds: '3601' }, {}, 400, 'InvalidParameter.DurationSeconds'],
    ['no number', { DurationSeconds: '1h' }, {}, 400, 'InvalidParameter.DurationSeconds'],
    ['an inline policy', { Policy: '{}' }, {}, 400, 'InvalidParameter.Policy'],
  ])('refuses %s', (_name, parameters, role, status, code) => {
    const outcome = assume(world({ ...ROLE, ...role }), parameters);
    expect(outcome.answer.status).toBe(status);
    expect(bodyOf(outcome)).toMatchObject({ Code: code, RequestId: expect.any(String) });
    expect(outcome.call.code).toBe(code);
  });

  test('names the limit of a role only to those whom it trusts', () => {
    const role = { ...ROLE, maxSessionSeconds: 1800 };
    const parameters = { DurationSeconds: '3600' };
    expect(assume(world(role), parameters).answer.body).toContain('1800');
    expect(assume(world({ ...role, trust: [] }), parameters).call.code).toBe('NoPermission');
  });

  test('trusts every principal of an account that is trusted as a whole', () => {
    const trust = [{ ram: `acs:ram::${USER.accountId}:root` }];
    expect(assume(world({ ...ROLE, trust })).call.code).toBe('success');
  });

  test.each<[string, Partial<RequestToSign>, number, string]>([
    ['a wrong secret', { key: { ...USER, accessKeySecret: 'wrong' } }, 400, 'SignatureDoesNotMatch'],
    ['an unknown key', { key: { ...USER, accessKeyId: 'LTAIx' } }, 404, 'InvalidAccessKeyId.NotFound'],
    ['a clock that is off', { now: NOW + 16 * 60_000 }, 400, 'InvalidTimeStamp.Expired'],
    ['another version', { version: '2018-12-01' }, 404, 'InvalidApi.NotFound'],
    ['another action', { action: 'GetCallerIdentity' }, 404, 'InvalidAction.NotFound'],
    ['another path', { path: '/tokens' }, 404, 'InvalidApi.NotFound'],
    ['another method', { method: 'PUT' }, 405, 'UnsupportedHTTPMethod'],
  ])('refuses %s', (_name, change, status, code) => {
    const outcome = assume(world(), {}, change);
    expect(outcome).toMatchObject({ answer: { status }, call: { code } });
  });

  test('refuses a host that is none of its own, and answers XML to those who did not ask for JSON', () => {
    const request = signed({}, { accept: '*/*' });
    const outcome = answerSts(world(), request, { region: undefined, now: NOW });
    expect(outcome.answer.body).toMatch(/<Error>.*<Code>InvalidApi.NotFound<\/Code>/);
  });
});

describe('a session', () => {
  test.each<[string, (key: AccessKey) => AccessKey, number, string]>([
    ['works until its end', (key) => key, 899_000, 'success'],
    ['is refused at its end', (key) => key, 900_000, 'InvalidSecurityToken.Expired'],
    ['needs its security token', withoutToken, 0, 'MissingSecurityToken'],
    ['needs the right one', (key) => ({ ...key, securityToken: 'CAISother' }), 0, 'InvalidSecurityToken.Malformed'],
    ['needs its secret', (key) => ({ ...key, accessKeySecret: 'x' }), 0, 'SignatureDoesNotMatch'],
  ])('%s, at the cr API and at STS', (_name, change, later, code) => {
    const state = world({ ...ROLE, trust: [...ROLE.trust, { ram: ROLE.arn }] });
    const session = sessionOf(assume(state, { DurationSeconds: '900' }));
    const now = NOW + later;
    expect(codeOfCr(state, change(session), now)).toBe(code);
    const again = signed({}, { key: change(session), now });
    expect(answerSts(state, again, { region: 'cn-hangzhou', now }).call.code).toBe(code);
  });

  test('gets registry tokens that end with it, at the latest', () => {
    const state = world();
    const session = sessionOf(assume(state, { DurationSeconds: '900' }));
    const body = JSON.parse(answerCrFor(state, session, NOW + 300_000).answer.body) as Record<string, unknown>;
    expect(body).toMatchObject({ ExpireTime: NOW + 900_000 });
  });

  test.each(['NoPermission', 'Forbidden.RAM'] as const)('may not do what its role may not, now: %s', (code) => {
    const state = world();
    const session = sessionOf(assume(state));
    state.roles.set(ROLE.arn, { ...ROLE, denied: { GetAuthorizationToken: code, AssumeRole: code } });
    expect(answerCrFor(state, session).answer.status).toBe(403);
    expect(codeOfCr(state, session)).toBe(code);
    expect(assume(state, {}, { key: session }).call.code).toBe('NoPermission');
  });
});

describe('the region of a host', () => {
  test.each([
    ['sts.aliyuncs.com', 'global'],
    ['127.0.0.1:8443', 'global'],
    ['sts.cn-hangzhou.aliyuncs.com', 'cn-hangzhou'],
    ['sts-vpc.cn-hangzhou.aliyuncs.com:443', 'cn-hangzhou'],
    ['sts.ap-south-1.aliyuncs.com', undefined],
    ['sts-vpc.cn-hangzhou-finance.aliyuncs.com', undefined],
    ['sts.cn-shenzhen-finance-1.aliyuncs.com', undefined],
    ['sts-vpc.cn-shenzhen-finance-1.aliyuncs.com', 'cn-shenzhen-finance-1'],
    ['cr.cn-hangzhou.aliyuncs.com', undefined],
    ['sts.cn-hangzhou.aliyuncs.com.evil.example', undefined],
  ])('%s is %s', (host, region) => {
    expect(parseStsRegion(host)).toBe(region);
  });
});

function world(role: Role = ROLE): AlibabaState {
  return buildAlibabaState({
    accessKeys: [USER],
    roles: [role, SAMPLE.roleA],
    instances: [SAMPLE.otherInstance],
  });
}

function signed(parameters: Readonly<Record<string, string>>, change: Partial<RequestToSign> = {}): SignedRequest {
  return buildSignedRequest({
    ...{ key: USER, host: 'sts.cn-hangzhou.aliyuncs.com', action: 'AssumeRole', version: '2015-04-01', now: NOW },
    query: new URLSearchParams({ ...PARAMETERS, ...parameters }).toString(),
    ...change,
  });
}

function assume(
  state: AlibabaState,
  parameters: Readonly<Record<string, string>> = {},
  change: Partial<RequestToSign> = {},
): StsOutcome {
  return answerSts(state, signed(parameters, change), { region: 'cn-hangzhou', now: NOW });
}

/** The credentials of an answer as a client would use them. */
function sessionOf(outcome: StsOutcome): AccessKey & { readonly expiresAt: number } {
  const { Credentials: given } = bodyOf(outcome) as { Credentials: Record<string, string> };
  return {
    ...{ accessKeyId: given.AccessKeyId ?? '', accessKeySecret: given.AccessKeySecret ?? '', accountId: '' },
    ...{ securityToken: given.SecurityToken ?? '', expiresAt: Date.parse(given.Expiration ?? ''), status: 'Active' },
  };
}

function withoutToken(key: AccessKey): AccessKey {
  const { accessKeyId, accessKeySecret, accountId, status } = key;
  return { accessKeyId, accessKeySecret, accountId, status };
}

function answerCrFor(state: AlibabaState, key: AccessKey, now = NOW): ReturnType<typeof answerCr> {
  const request = buildSignedRequest({
    ...{ key, host: 'cr.cn-hangzhou.aliyuncs.com', action: 'GetAuthorizationToken', version: '2018-12-01', now },
    query: `InstanceId=${SAMPLE.otherInstance.instanceId}`,
  });
  return answerCr(state, request, { region: 'cn-hangzhou', now });
}

function codeOfCr(state: AlibabaState, key: AccessKey, now = NOW): string {
  return answerCrFor(state, key, now).call.code;
}

function bodyOf(outcome: StsOutcome): Record<string, unknown> {
  return JSON.parse(outcome.answer.body) as Record<string, unknown>;
}
