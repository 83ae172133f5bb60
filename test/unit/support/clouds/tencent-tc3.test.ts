import { describe, expect, test } from '@jest/globals';
import type { SignedRequest } from '../../../support/clouds/acs3.ts';
import type { Tc3Key } from '../../../support/clouds/tc3.ts';
import {
  buildCanonicalRequest,
  buildSignature,
  deriveSigningKey,
  sha256Hex,
  verifyTc3,
} from '../../../support/clouds/tc3.ts';
import type { TencentRequest } from '../../../support/clouds/tencent-client.ts';
import { buildTencentRequest, signTc3 } from '../../../support/clouds/tencent-client.ts';

const SECONDS = 1767225600;
const NOW = SECONDS * 1000;
const KEY: Tc3Key = {
  secretId: 'AKIDexample0000000000000000000000000',
  secretKey: 'secretkeyexample00000000000000000',
};
const SESSION: Tc3Key = { ...KEY, secretId: 'IKIDsession', token: 'sample-token', expiresAt: NOW + 60_000 };
const BODY = '{"RegistryId":"tcr-a1b2c3d4","TokenType":"temp"}';
const SIGNATURES = [
  ['tcr.tencentcloudapi.com', '7d9548bc20f54f8feec569ab03a94c00f44329a6bdf253adfab65adbc6b99164'],
  ['127.0.0.1:18443', 'ea5053e28b211aa89dd44a8465febd518f290f9a983ce9f8c83afae124167783'],
  ['127.0.0.1', '7d10bf1cbe7a9fce2cb608a4d4ca106243670bed052faf431acfeb7da567e14b'],
] as const;

describe('[tcr W1] the vector of the contract', () => {
  test.each(SIGNATURES)(
    'reproduces for the host %s, in the verifier and in the tests’ own client',
    (host, signature) => {
      const request = sign({ host });
      const canonical = buildCanonicalRequest(request, { signedHeaders: ['content-type', 'host'], host });
      const scope = { secretKey: KEY.secretKey, date: '2026-01-01', service: 'tcr', timestamp: String(SECONDS) };
      expect(buildSignature(canonical, scope)).toBe(signature);
      expect(signTc3({ key: KEY, service: 'tcr', seconds: SECONDS, host, body: BODY })).toBe(
        `TC3-HMAC-SHA256 Credential=${KEY.secretId}/2026-01-01/tcr/tc3_request, SignedHeaders=content-type;host, Signature=${signature}`,
      );
      expect(verify(request)).toBe('accepted');
    },
  );

  test('has the hashes and the key of the contract on the way', () => {
    const request = sign({});
    expect(Buffer.byteLength(BODY)).toBe(48);
    expect(sha256Hex(request.body)).toBe('9c008e9937f62e9fdd68d56e88be4b81ed7ac81284551095ec82ac55b835a778');
    const canonical = buildCanonicalRequest(request, {
      signedHeaders: ['content-type', 'host'],
      host: 'tcr.tencentcloudapi.com',
    });
    expect(sha256Hex(canonical)).toBe('87f4becbda1d3cf489a944a4262853ab6d41f17e3b05b48486820f214c46dadf');
    expect(deriveSigningKey(KEY.secretKey, '2026-01-01', 'tcr').toString('hex')).toBe(
      'f46943fc9098d2fb174cf04b6cb2a6bd9b2dc1a90496a7166bdaf67fa9746ebb',
    );
  });
});

test.each([
  ['with its port, as the Go SDK does', '127.0.0.1:18443'],
  ['without its port, as the Node SDK does', '127.0.0.1'],
])('the host may be signed %s', (_name, signedHost) => {
  expect(verify(sign({ host: '127.0.0.1:18443', signedHost }))).toBe('accepted');
});

test('a skew of exactly 300 seconds, a key without AKID, further signed headers and a session’s token are accepted', () => {
  expect([verify(sign({}), NOW + 300_999), verify(sign({}), NOW - 300_000)]).toEqual(['accepted', 'accepted']);
  expect(verify(sign({ key: SESSION }))).toBe('accepted');
  expect(verify(signOver(['content-type', 'host', 'x-tc-action']))).toBe('accepted');
});

describe('the verifier refuses', () => {
  const EARLIER = signTc3({
    ...{ key: KEY, service: 'tcr', seconds: SECONDS - 1, host: 'tcr.tencentcloudapi.com', body: BODY },
  });
  test.each<[string, SignedRequest, string, number?]>([
    ['an unknown id', sign({ key: { ...KEY, secretId: 'AKIDunknown' } }), 'SecretIdNotFound'],
    ['a wrong secret', sign({ key: { ...KEY, secretKey: 'other' } }), 'SignatureFailure'],
    ['another body, be it by one blank', { ...sign({}), body: Buffer.from(`${BODY} `) }, 'SignatureFailure'],
    ['another host', withHeader('host', 'sts.tencentcloudapi.com'), 'SignatureFailure'],
    ['another content type', withHeader('content-type', 'application/json; charset=utf-8'), 'SignatureFailure'],
    ['another method', { ...sign({}), method: 'GET' }, 'SignatureFailure'],
    ['another service in the scope', withAuthorization('/tcr/', '/127/'), 'SignatureFailure'],
    ['another date in the scope', withAuthorization('2026-01-01', '2025-12-31'), 'SignatureFailure'],
    ['the scope of the day before, rightly signed', withHeader('authorization', EARLIER), 'SignatureFailure'],
    ['another service, rightly signed', signOver(['content-type', 'host'], '127'), 'SignatureFailure'],
    ['only the content type, rightly signed', signOver(['content-type']), 'SignatureFailure'],
    ['only the host, rightly signed', signOver(['host']), 'SignatureFailure'],
    ['unsorted headers, rightly signed', signOver(['host', 'content-type']), 'SignatureFailure'],
    ['a header twice, rightly signed', signOver(['content-type', 'host', 'host']), 'SignatureFailure'],
    ['a host that is not signed', withAuthorization('content-type;host', 'content-type'), 'SignatureFailure'],
    [
      'signed headers that are not sorted',
      withAuthorization('content-type;host', 'host;content-type'),
      'SignatureFailure',
    ],
    ['a signed header that is absent', withAuthorization(';host', ';host;x-tc-other'), 'SignatureFailure'],
    ['a time 301 s ago', sign({}), 'SignatureExpire', NOW + 301_000],
    ['a time 301 s ahead', sign({}), 'SignatureExpire', NOW - 301_000],
    ['a session without its token', sign({ key: { ...KEY, secretId: SESSION.secretId } }), 'TokenFailure'],
    ['a session with another token', sign({ key: { ...SESSION, token: 'other' } }), 'TokenFailure'],
    ['a session at its end', sign({ key: SESSION }), 'TokenFailure', NOW + 60_000],
    ['a user’s key with a token', sign({ key: { ...KEY, token: 'any' } }), 'TokenFailure'],
    ['no signature', withHeader('authorization', undefined), 'InvalidAuthorization'],
    ['SKIP', sign({ key: undefined }), 'InvalidAuthorization'],
    [
      'a signature of another kind',
      withHeader('authorization', 'ACS3-HMAC-SHA256 Credential=x'),
      'InvalidAuthorization',
    ],
  ])('%s', (_name, request, code, now = NOW) => {
    expect(verify(request, now)).toBe(`AuthFailure.${code}`);
  });

  test('a time that is absent or none', () => {
    expect(verify(withHeader('x-tc-timestamp', undefined))).toBe('MissingParameter');
    expect(verify(withHeader('x-tc-timestamp', '2026-01-01'))).toBe('InvalidParameter');
  });
});

function sign(change: Omit<Partial<TencentRequest>, 'key'> & { readonly key?: Tc3Key | undefined }): SignedRequest {
  const { key = 'key' in change ? undefined : KEY, ...rest } = change;
  return buildTencentRequest({
    ...{ service: 'tcr', action: 'CreateInstanceToken', now: NOW, body: BODY, ...rest },
    ...(key === undefined ? {} : { key }),
  });
}

/** Signs over other headers, or for another service, than a client would. */
function signOver(signedHeaders: readonly string[], service = 'tcr'): SignedRequest {
  const request = sign({});
  const canonical = buildCanonicalRequest(request, { signedHeaders, host: 'tcr.tencentcloudapi.com' });
  const scope = { secretKey: KEY.secretKey, date: '2026-01-01', service, timestamp: String(SECONDS) };
  const authorization = `TC3-HMAC-SHA256 Credential=${KEY.secretId}/2026-01-01/${service}/tc3_request, SignedHeaders=${signedHeaders.join(';')}, Signature=${buildSignature(canonical, scope)}`;
  return { ...request, headers: { ...request.headers, authorization } };
}

function withHeader(name: string, value: string | undefined): SignedRequest {
  const request = sign({});
  const others = Object.entries(request.headers).filter(([other]) => other !== name);
  return { ...request, headers: Object.fromEntries(value === undefined ? others : [...others, [name, value]]) };
}

function withAuthorization(part: string, replacement: string): SignedRequest {
  return withHeader('authorization', sign({}).headers.authorization?.replace(part, replacement));
}

function verify(request: SignedRequest, now = NOW): string {
  const verdict = verifyTc3(request, {
    ...{ now, service: 'tcr' },
    findKey: (secretId) => [KEY, SESSION].find((key) => key.secretId === secretId),
  });
  return 'error' in verdict ? verdict.error.code : 'accepted';
}
