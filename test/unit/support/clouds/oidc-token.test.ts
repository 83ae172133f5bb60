import { describe, expect, test } from '@jest/globals';
import type { OidcProvider } from '../../../support/clouds/oidc-token.ts';
import { verifyOidcToken } from '../../../support/clouds/oidc-token.ts';
import { createJwtSigner } from '../../../support/clouds/sign-jwt.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const SECONDS = NOW / 1000;
const SIGNER = createJwtSigner();
const OTHER = createJwtSigner();
const RSA = createJwtSigner('RS256');
const PROVIDER: OidcProvider = {
  arn: 'acs:ram::1:oidc-provider/p',
  issuer: 'https://issuer.example',
  clientIds: ['sts.aliyuncs.com'],
  keys: [SIGNER.jwk],
};
const CLAIMS = {
  iss: PROVIDER.issuer,
  sub: 'system:serviceaccount:a:b',
  aud: ['sts.aliyuncs.com', 'other'],
  iat: SECONDS,
  nbf: SECONDS,
  exp: SECONDS + 3600,
};

describe('a token verifies', () => {
  test.each<[string, Partial<OidcProvider>, string]>([
    ['by a key of a JWKS', {}, SIGNER.sign(CLAIMS)],
    ['by a PEM key, which has no name', { keys: [SIGNER.pem] }, SIGNER.sign(CLAIMS, { kid: 'any' })],
    ['by an RSA key', { keys: [RSA.jwk] }, RSA.sign(CLAIMS)],
    ['by the right one of several keys', { keys: [OTHER.jwk, RSA.jwk, SIGNER.jwk] }, SIGNER.sign(CLAIMS)],
    ['with an audience that is plain text', {}, SIGNER.sign({ ...CLAIMS, aud: 'sts.aliyuncs.com' })],
    ['in its last second', {}, SIGNER.sign({ ...CLAIMS, exp: SECONDS + 1 })],
  ])('%s', (_name, change, token) => {
    expect(verifyOidcToken(token, { ...PROVIDER, ...change }, NOW)).toMatchObject({
      claims: { issuer: CLAIMS.iss, subject: CLAIMS.sub, audiences: ['sts.aliyuncs.com'], issuedAt: SECONDS },
    });
  });
});

describe('a token is refused', () => {
  test.each<[string, Partial<OidcProvider>, string, string]>([
    ['when it is no JWT', {}, 'abc', 'Invalid'],
    ['when its parts are no JSON', {}, 'a.b.c', 'Invalid'],
    ['when it has no signature', {}, SIGNER.sign(CLAIMS).replace(/[^.]+$/, ''), 'InvalidSignature'],
    ['when it says that it needs none', {}, `${encode({ alg: 'none' })}.${encode(CLAIMS)}.`, 'Invalid'],
    ['when another key signed it', { keys: [OTHER.jwk] }, SIGNER.sign(CLAIMS), 'InvalidSignature'],
    ['when its key has another name', {}, SIGNER.sign(CLAIMS, { kid: 'other' }), 'InvalidSignature'],
    ['when the provider has no key', { keys: [] }, SIGNER.sign(CLAIMS), 'InvalidSignature'],
    ['when a claim was changed', {}, forge({ ...CLAIMS, sub: 'system:serviceaccount:a:c' }), 'InvalidSignature'],
    ['when its algorithm is not that of the key', {}, SIGNER.sign(CLAIMS, { alg: 'RS256' }), 'InvalidSignature'],
    ['when another issuer made it', {}, SIGNER.sign({ ...CLAIMS, iss: 'https://other.example' }), 'Invalid'],
    ['at its expiry', {}, SIGNER.sign({ ...CLAIMS, exp: SECONDS }), 'Expired'],
    ['before its time', {}, SIGNER.sign({ ...CLAIMS, nbf: SECONDS + 60 }), 'Invalid'],
    ['when it never expires', {}, SIGNER.sign({ ...CLAIMS, exp: undefined }), 'Invalid'],
    ['when it is for someone else', {}, SIGNER.sign({ ...CLAIMS, aud: ['other'] }), 'AudienceNotMatch'],
    ['when it is for nobody', {}, SIGNER.sign({ ...CLAIMS, aud: undefined }), 'AudienceNotMatch'],
  ])('%s', (_name, change, token, code) => {
    expect(verifyOidcToken(token, { ...PROVIDER, ...change }, NOW)).toMatchObject({
      error: { status: 401, code: `AuthenticationFail.OIDCToken.${code}` },
    });
  });
});

function encode(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

/** A right signature under claims that it was not made for. */
function forge(claims: unknown): string {
  const [header = '', , signature = ''] = SIGNER.sign(CLAIMS).split('.');
  return [header, encode(claims), signature].join('.');
}
