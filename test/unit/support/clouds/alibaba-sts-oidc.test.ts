import { describe, expect, test } from '@jest/globals';
import type { AlibabaState } from '../../../support/clouds/alibaba-state.ts';
import { buildAlibabaState } from '../../../support/clouds/alibaba-state.ts';
import type { StsOutcome } from '../../../support/clouds/alibaba-sts-actions.ts';
import { answerSts } from '../../../support/clouds/alibaba-sts-actions.ts';
import { SAMPLE } from '../../../support/clouds/sample.ts';
import { createJwtSigner } from '../../../support/clouds/sign-jwt.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const SIGNER = createJwtSigner();
const SUBJECT = SAMPLE.roleA.trust[0].subjects[0];
const CLAIMS = { iss: SAMPLE.oidcProvider.issuer, sub: SUBJECT, aud: ['sts.aliyuncs.com'], exp: NOW / 1000 + 600 };
/** What stands in the query of an unsigned call. */
const COMMON = {
  ...{ Action: 'AssumeRoleWithOIDC', Version: '2015-04-01', Format: 'JSON' },
  ...{ Timestamp: '2026-01-02T03:04:05Z', SignatureNonce: 'once' },
};

describe('AssumeRoleWithOIDC', () => {
  test('gives a session for a token of the role’s subject, and tells what it read', () => {
    const outcome = assumeWithOidc(world());
    expect(bodyOf(outcome)).toMatchObject({
      AssumedRoleUser: { Arn: `${SAMPLE.roleA.arn}/rrsa` },
      OIDCTokenInfo: { Subject: SUBJECT, Issuer: SAMPLE.oidcProvider.issuer, ClientIds: 'sts.aliyuncs.com' },
    });
    expect(outcome.call).toMatchObject({ action: 'AssumeRoleWithOIDC', accessKeyId: '', roleArn: SAMPLE.roleA.arn });
  });

  test('takes the common parameters as headers too', () => {
    const headers = {
      ...{ 'x-acs-action': 'AssumeRoleWithOIDC', 'x-acs-version': '2015-04-01' },
      ...{ 'x-acs-date': '2026-01-02T03:04:05Z', 'x-acs-signature-nonce': 'once' },
    };
    expect(assumeWithOidc(world(), {}, { query: {}, headers }).call.code).toBe('success');
  });

  test.each<[string, Readonly<Record<string, string>>, number, string]>([
    [
      'another subject',
      { OIDCToken: SIGNER.sign({ ...CLAIMS, sub: 'system:serviceaccount:shop:default' }) },
      401,
      'AuthenticationFail.NoPermission',
    ],
    ['a role that trusts nobody here', { RoleArn: SAMPLE.roleB.arn }, 401, 'AuthenticationFail.NoPermission'],
    [
      'an expired token',
      { OIDCToken: SIGNER.sign({ ...CLAIMS, exp: NOW / 1000 }) },
      401,
      'AuthenticationFail.OIDCToken.Expired',
    ],
    [
      'a token for others',
      { OIDCToken: SIGNER.sign({ ...CLAIMS, aud: ['x'] }) },
      401,
      'AuthenticationFail.OIDCToken.AudienceNotMatch',
    ],
    [
      'a token of another key',
      { OIDCToken: createJwtSigner().sign(CLAIMS) },
      401,
      'AuthenticationFail.OIDCToken.InvalidSignature',
    ],
    ['no JWT', { OIDCToken: 'x' }, 401, 'AuthenticationFail.OIDCToken.Invalid'],
    ['no token', { OIDCToken: '' }, 400, 'MissingOIDCToken'],
    ['no provider', { OIDCProviderArn: '' }, 400, 'MissingOIDCProviderArn'],
    ['an unknown provider', { OIDCProviderArn: 'acs:ram::1:oidc-provider/x' }, 404, 'EntityNotExist.OIDCProvider'],
    ['an unknown role', { RoleArn: `${SAMPLE.roleB.arn}x` }, 404, 'EntityNotExist.Role'],
    ['more than the maximum', { DurationSeconds: '43200' }, 400, 'InvalidParameter.DurationSeconds'],
  ])('refuses %s', (_name, form, status, code) => {
    const outcome = assumeWithOidc(world(), form);
    expect(outcome.answer.status).toBe(status);
    expect(bodyOf(outcome)).toMatchObject({ Code: code });
  });

  test.each<[string, OidcRequest, string]>([
    ['a token in the query', { query: { ...COMMON, OIDCToken: 'x' } }, 'InvalidParameter.OIDCToken'],
    ['no timestamp', { query: { ...COMMON, Timestamp: '' } }, 'MissingTimestamp'],
    ['a clock that is off', { query: { ...COMMON, Timestamp: '2026-01-02T02:04:05Z' } }, 'InvalidTimeStamp.Expired'],
    ['no nonce', { query: { ...COMMON, SignatureNonce: '' } }, 'MissingSignatureNonce'],
    ['GET', { method: 'GET' }, 'UnsupportedHTTPMethod'],
    ['another version', { query: { ...COMMON, Version: '2018-12-01' } }, 'InvalidApi.NotFound'],
    ['a body that is no form', { headers: { 'content-type': 'application/json' } }, 'MissingRoleArn'],
  ])('refuses %s', (_name, request, code) => {
    expect(assumeWithOidc(world(), {}, request).call.code).toBe(code);
  });

  test('refuses a nonce the second time', () => {
    const state = world();
    expect(['a', 'b'].map(() => assumeWithOidc(state).call.code)).toEqual(['success', 'SignatureNonceUsed']);
  });
});

function world(): AlibabaState {
  return buildAlibabaState({
    roles: [SAMPLE.roleA, SAMPLE.roleB],
    oidcProviders: [{ ...SAMPLE.oidcProvider, keys: [SIGNER.jwk] }],
  });
}

interface OidcRequest {
  readonly method?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

function assumeWithOidc(
  state: AlibabaState,
  change: Readonly<Record<string, string>> = {},
  { method = 'POST', query = COMMON, headers = {} }: OidcRequest = {},
): StsOutcome {
  const form = {
    ...{ RoleArn: SAMPLE.roleA.arn, OIDCProviderArn: SAMPLE.oidcProvider.arn, RoleSessionName: 'rrsa' },
    ...{ OIDCToken: SIGNER.sign(CLAIMS), DurationSeconds: '3600', ...change },
  };
  const request = {
    ...{ method, path: '/', query: new URLSearchParams(query).toString() },
    headers: {
      ...{ host: 'sts.aliyuncs.com', accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      ...headers,
    },
    body: Buffer.from(new URLSearchParams(form).toString()),
  };
  return answerSts(state, request, { region: 'global', now: NOW });
}

function bodyOf(outcome: StsOutcome): Record<string, unknown> {
  return JSON.parse(outcome.answer.body) as Record<string, unknown>;
}
