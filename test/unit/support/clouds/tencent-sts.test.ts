import { describe, expect, test } from '@jest/globals';
import { createJwtSigner } from '../../../support/clouds/sign-jwt.ts';
import { askSts, askTcr, codeOf, NOW, RegistryId, sampleState } from '../../../support/clouds/tencent-asking.ts';
import type { Response } from '../../../support/clouds/tencent-asking.ts';
import { readSession } from '../../../support/clouds/tencent-client.ts';
import { TENCENT_SAMPLE } from '../../../support/clouds/tencent-sample.ts';
import type { TencentState } from '../../../support/clouds/tencent-state.ts';

const { otherRole, webRole, cvmRole, user, oidcProvider } = TENCENT_SAMPLE;
const SIGNER = createJwtSigner('RS256');
const EC_SIGNER = createJwtSigner('ES256', 'ec-key');
const CLAIMS = {
  iss: oidcProvider.issuer,
  sub: webRole.trust[0].subjects[0],
  aud: ['sts.cloud.tencent.com'],
  exp: NOW / 1000 + 600,
};
const ROLE = { RoleArn: otherRole.arn, RoleSessionName: 'session' };

describe('AssumeRole', () => {
  test('gives a session that works until its end, in the account of the role', () => {
    const state = sampleState();
    const answer = askSts(state, 'AssumeRole', { ...ROLE, DurationSeconds: 900 });
    expect(answer).toMatchObject({ ExpiredTime: NOW / 1000 + 900, Expiration: '2026-01-01T00:15:00Z' });
    const key = readSession(answer);
    const describeInstances = (change: object) =>
      askTcr(state, 'DescribeInstances', { AllRegion: true }, { key, ...change });
    expect(describeInstances({})).toMatchObject({ Registries: [{ RegistryId: 'tcr-sample02' }] });
    expect(codeOf(describeInstances({ key: { ...key, token: 'wrong' } }))).toBe('AuthFailure.TokenFailure');
    expect(codeOf(describeInstances({ now: NOW + 900_000 }))).toBe('AuthFailure.TokenFailure');
  });

  test('lasts two hours unless told, or as long as the test lets sessions last', () => {
    const state = sampleState();
    expect(askSts(state, 'AssumeRole', ROLE).ExpiredTime).toBe(NOW / 1000 + 7200);
    state.sessionLifeCapMs = 20_000;
    expect(askSts(state, 'AssumeRole', ROLE).ExpiredTime).toBe(NOW / 1000 + 20);
  });

  test('finds a role by its id, too', () => {
    const RoleArn = `qcs::cam::uin/200000000002:role/${otherRole.roleId}`;
    expect(codeOf(askSts(sampleState(), 'AssumeRole', { ...ROLE, RoleArn }))).toBeUndefined();
  });

  test.each<[string, object, string]>([
    ['an ARN that is none', { RoleArn: 'role/x' }, 'InvalidParameter.ParamError'],
    ['a role that is not there', { RoleArn: `${otherRole.arn}x` }, 'ResourceNotFound.RoleNotFound'],
    ['a role that does not trust the caller', { RoleArn: cvmRole.arn }, 'UnauthorizedOperation'],
    ['a session name of one character', { RoleSessionName: 'x' }, 'InvalidParameter.ParamError'],
    ['a session name with a blank', { RoleSessionName: 'a b' }, 'InvalidParameter.ParamError'],
    ['a session name of 129 characters', { RoleSessionName: 'x'.repeat(129) }, 'InvalidParameter.ParamError'],
    ['no session name', { RoleSessionName: undefined }, 'MissingParameter'],
    ['more than twelve hours', { DurationSeconds: 43_201 }, 'InvalidParameter.OverTimeError'],
    ['no time at all', { DurationSeconds: 0 }, 'InvalidParameter.ParamError'],
    ['an inline policy', { Policy: '%7B%7D' }, 'InvalidParameter.StrategyInvalid'],
    ['a member that it does not know', { ProviderId: 'x' }, 'UnknownParameter'],
  ])('refuses %s', (_name, change, code) => {
    expect(codeOf(askSts(sampleState(), 'AssumeRole', { ...ROLE, ...change }))).toBe(code);
  });

  test('refuses a caller without the right, and a session longer than the role allows', () => {
    const state = sampleState();
    state.roles.set(otherRole.arn, { ...otherRole, maxSessionSeconds: 3600 });
    expect(codeOf(askSts(state, 'AssumeRole', ROLE))).toBe('InvalidParameter.OverTimeError');
    state.users.set(user.uin, { ...user, policy: [{ effect: 'allow', action: ['tcr:*'], resource: ['*'] }] });
    const { Error: error } = askSts(state, 'AssumeRole', { ...ROLE, DurationSeconds: 900 });
    expect(error).toMatchObject({
      Code: 'UnauthorizedOperation',
      Message: expect.stringContaining(`(sts:AssumeRole)\nresource (${otherRole.arn})`),
    });
  });

  test('wants the external id that the role wants', () => {
    const state = sampleState();
    const trust = [{ qcs: `qcs::cam::uin/${user.ownerUin}:uin/${user.uin}`, externalId: 'sample' }];
    state.roles.set(otherRole.arn, { ...otherRole, trust });
    const ask = (parameters: object) => codeOf(askSts(state, 'AssumeRole', { ...ROLE, ...parameters }));
    expect([ask({ ExternalId: 'sample' }), ask({ ExternalId: 'other' }), ask({})]).toEqual([
      ...[undefined, 'UnauthorizedOperation', 'UnauthorizedOperation'],
    ]);
  });

  test('is never unsigned', () => {
    expect(codeOf(askSts(sampleState(), 'AssumeRole', ROLE, { key: undefined }))).toBe(
      'AuthFailure.InvalidAuthorization',
    );
  });

  test('ends with its user’s key, and chains from a role to another', () => {
    const state = sampleState();
    const first = readSession(askWeb(state));
    expect(codeOf(askSts(state, 'AssumeRole', ROLE, { key: first }))).toBeUndefined();
    state.keys.delete(first.secretId);
    expect(codeOf(askSts(state, 'AssumeRole', ROLE, { key: first }))).toBe('AuthFailure.SecretIdNotFound');
  });
});

describe('AssumeRoleWithWebIdentity', () => {
  test('gives a session for a token of the provider, unsigned', () => {
    const state = sampleState();
    const key = readSession(askWeb(state));
    expect(askTcr(state, 'CreateInstanceToken', { RegistryId }, { key })).toMatchObject({ Username: webRole.roleId });
  });

  test.each<[string, object, string]>([
    ['an unknown provider', { ProviderId: 'cls-none' }, 'InvalidParameter.WebIdentityTokenError'],
    ['a provider of another account', { RoleArn: otherRole.arn }, 'InvalidParameter.WebIdentityTokenError'],
    ['no JWT', { WebIdentityToken: 'x' }, 'InvalidParameter.WebIdentityTokenError'],
    ['a token of another key', token({}, createJwtSigner('RS256')), 'InvalidParameter.WebIdentityTokenError'],
    ['a token that is not RS256', token({}, EC_SIGNER), 'InvalidParameter.WebIdentityTokenError'],
    ['a token of another issuer', token({ iss: 'https://other.example' }), 'InvalidParameter.WebIdentityTokenError'],
    ['a token for somebody else', token({ aud: ['other'] }), 'InvalidParameter.WebIdentityTokenError'],
    ['a token at its end', token({ exp: NOW / 1000 }), 'InvalidParameter.WebIdentityTokenError'],
    ['a subject that the role does not name', token({ sub: 'system:serviceaccount:x:y' }), 'UnauthorizedOperation'],
    ['a role that is not there', { RoleArn: `${webRole.arn}x` }, 'InternalError.GetRoleError'],
    ['a role that trusts no provider', { RoleArn: cvmRole.arn }, 'InternalError.IllegalRole'],
    ['no token', { WebIdentityToken: undefined }, 'MissingParameter'],
    ['a member that it does not know', { OIDCToken: 'x' }, 'UnknownParameter'],
    ['more than twelve hours', { DurationSeconds: 43_201 }, 'InvalidParameter.OverTimeError'],
  ])('refuses %s', (_name, change, code) => {
    expect(codeOf(askWeb(sampleState(), change))).toBe(code);
  });

  test('refuses a clock that is off, and an audience that the role does not want', () => {
    const state = sampleState();
    expect(codeOf(askWeb(state, {}, { headers: { 'x-tc-timestamp': String(NOW / 1000 - 301) } }))).toBe(
      'AuthFailure.SignatureExpire',
    );
    const [trust] = webRole.trust;
    state.roles.set(webRole.arn, { ...webRole, trust: [{ ...trust, audiences: ['another'] }] });
    expect(codeOf(askWeb(state))).toBe('UnauthorizedOperation');
    state.roles.set(webRole.arn, { ...webRole, trust: [{ providerId: trust.providerId }] });
    expect(codeOf(askWeb(state, token({ sub: 'anyone' })))).toBeUndefined();
  });
});

test('GetCallerIdentity tells who signed', () => {
  const state = sampleState();
  expect(askSts(state, 'GetCallerIdentity', {})).toMatchObject({
    ...{ Arn: `qcs::cam::uin/${user.ownerUin}:uin/${user.uin}`, AccountId: user.ownerUin },
    ...{ UserId: user.uin, PrincipalId: user.uin, Type: 'CAMUser' },
  });
  const key = readSession(askSts(state, 'AssumeRole', ROLE));
  expect(askSts(state, 'GetCallerIdentity', {}, { key })).toMatchObject({
    ...{ AccountId: '200000000002', UserId: `${otherRole.roleId}:session`, Type: 'CAMRole' },
  });
});

function token(claims: object, signer = SIGNER): { readonly WebIdentityToken: string } {
  return { WebIdentityToken: signer.sign({ ...CLAIMS, ...claims }) };
}

function askWeb(state: TencentState, change: object = {}, request: object = {}): Response {
  state.oidcProviders.set(oidcProvider.providerId, { ...oidcProvider, keys: [SIGNER.jwk, EC_SIGNER.jwk] });
  const body = {
    ProviderId: oidcProvider.providerId,
    RoleArn: webRole.arn,
    RoleSessionName: 'web',
    ...token({}),
    ...change,
  };
  return askSts(state, 'AssumeRoleWithWebIdentity', body, { key: undefined, ...request });
}
