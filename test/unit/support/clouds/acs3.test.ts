import { describe, expect, test } from '@jest/globals';
import type { Acs3Verdict, SignedRequest, SigningKey } from '../../../support/clouds/acs3.ts';
import { buildCanonicalRequest, buildSignature, sha256Hex, verifyAcs3 } from '../../../support/clouds/acs3.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const EMPTY_HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const LONG_LIVED: SigningKey = { accessKeyId: 'LTAItestak', accessKeySecret: 'testsecret', status: 'Active' };
const STS: SigningKey = {
  accessKeyId: 'STS.testak',
  accessKeySecret: 'testsecret',
  status: 'Active',
  securityToken: 'testsecuritytoken',
  expiresAt: NOW + 60_000,
};

interface Vector {
  readonly name: string;
  readonly request: SignedRequest;
  readonly secret: string;
  readonly canonicalHash: string;
  readonly signature: string;
}

const VECTORS: readonly Vector[] = [
  {
    name: 'V1, the vendor’s own example',
    request: {
      method: 'POST',
      path: '/',
      query: 'ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai',
      headers: {
        host: 'ecs.cn-shanghai.aliyuncs.com',
        'x-acs-action': 'RunInstances',
        'x-acs-version': '2014-05-26',
        'x-acs-date': '2023-10-26T10:22:32Z',
        'x-acs-signature-nonce': '3156853299f313e23d1673dc12e1703d',
        'x-acs-content-sha256': EMPTY_HASH,
      },
      body: new Uint8Array(),
    },
    secret: 'YourAccessKeySecret',
    canonicalHash: '7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259',
    signature: '06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0',
  },
  {
    name: 'V2, RPC with STS',
    request: {
      method: 'POST',
      path: '/',
      query: 'InstanceId=cri-test0000000001',
      headers: {
        host: 'cr-vpc.cn-hangzhou.aliyuncs.com',
        'x-acs-accesskey-id': 'STS.testak',
        'x-acs-security-token': 'testsecuritytoken',
        ...signatureHeaders('2018-12-01'),
      },
      body: new Uint8Array(),
    },
    secret: 'testsecret',
    canonicalHash: 'f28d20f8a0115d3486d7ede4b6656dcba2c7a41fde08b194f1ec1627fef562ac',
    signature: '188fe4f549395110cd1b5efbcc918d021bd1b7cb23baea09d45452b6fa57af95',
  },
  {
    name: 'V3, ROA',
    request: {
      method: 'GET',
      path: '/tokens',
      query: '',
      headers: { host: 'cr.cn-hangzhou.aliyuncs.com', ...signatureHeaders('2016-06-07') },
      body: new Uint8Array(),
    },
    secret: 'testsecret',
    canonicalHash: '0407846f9fa66ded89660049382a535879ec872af400b3c58f86ff4e0a0427a9',
    signature: 'fadc6e9858e0b2bd26b19f92903c5a2494b6d3a4d0ba1c0f1049c40a42ab3a47',
  },
];

describe('the vectors of the contract', () => {
  test.each(VECTORS)('$name reproduces', ({ request, secret, canonicalHash, signature }) => {
    const canonical = buildCanonicalRequest(request, Object.keys(request.headers));
    expect(sha256Hex(canonical)).toBe(canonicalHash);
    expect(buildSignature(canonical, secret)).toBe(signature);
  });

  test('V2 is accepted as a whole request', () => {
    expect(verify(sign(vector(1), STS))).toMatchObject({ ok: true, key: STS });
  });
});

describe('the canonical query', () => {
  test.each([
    ['sorts by name', 'b=2&a=1', 'a=1&b=2'],
    ['escapes what encodeURIComponent leaves', "a=!'()*~", 'a=%21%27%28%29%2A~'],
    ['writes a space as %20', 'a=x+y&b=x%20y', 'a=x%20y&b=x%20y'],
    ['keeps an empty value', 'a', 'a='],
    ['encodes UTF-8', 'a=%e6%9d%ad', 'a=%E6%9D%AD'],
  ])('%s', (_name, query, expected) => {
    expect(buildCanonicalRequest({ ...vector(2), query }, ['host']).split('\n')[2]).toBe(expected);
  });
});

interface Refusal {
  readonly name: string;
  readonly code: string;
  readonly status?: number;
  readonly key?: SigningKey;
  readonly before?: (request: SignedRequest) => SignedRequest;
  readonly after?: (request: SignedRequest) => SignedRequest;
  readonly now?: number;
}

const REFUSALS: readonly Refusal[] = [
  {
    name: 'an unknown key',
    key: { ...LONG_LIVED, accessKeyId: 'LTAIunknown' },
    code: 'InvalidAccessKeyId.NotFound',
    status: 404,
  },
  { name: 'a disabled key', key: { ...LONG_LIVED, accessKeyId: 'LTAIinactive' }, code: 'InvalidAccessKeyId.Inactive' },
  { name: 'a wrong secret', key: { ...LONG_LIVED, accessKeySecret: 'other' }, code: 'SignatureDoesNotMatch' },
  { name: 'a changed query', after: (r) => ({ ...r, query: 'InstanceId=cri-other' }), code: 'SignatureDoesNotMatch' },
  { name: 'a changed host', after: header('host', 'cr.cn-beijing.aliyuncs.com'), code: 'SignatureDoesNotMatch' },
  { name: 'a changed method', after: (r) => ({ ...r, method: 'GET' }), code: 'SignatureDoesNotMatch' },
  {
    name: 'a hash of another body',
    before: header('x-acs-content-sha256', 'f'.repeat(64)),
    code: 'SignatureDoesNotMatch',
  },
  { name: 'a body without a signed content type', before: withBody, code: 'IncompleteSignature' },
  { name: 'a header x-acs-… that is not signed', after: header('x-acs-extra', '1'), code: 'IncompleteSignature' },
  { name: 'no Authorization', after: header('authorization', undefined), code: 'MissingAccessKeyId' },
  {
    name: 'an Authorization of the old kind',
    after: header('authorization', 'acs LTAItestak:c2ln'),
    code: 'IncompleteSignature',
  },
  {
    name: 'another key in x-acs-accesskey-id',
    before: header('x-acs-accesskey-id', 'LTAIother'),
    code: 'IncompleteSignature',
  },
  { name: 'no action', before: header('x-acs-action', undefined), code: 'MissingAction' },
  { name: 'no nonce', before: header('x-acs-signature-nonce', undefined), code: 'MissingSignatureNonce' },
  { name: 'a nonce a second time', before: header('x-acs-signature-nonce', 'used'), code: 'SignatureNonceUsed' },
  { name: 'a date more than 15 min old', now: NOW + 15 * 60_000 + 1, code: 'InvalidTimeStamp.Expired' },
  { name: 'a date more than 15 min ahead', now: NOW - 15 * 60_000 - 1, code: 'InvalidTimeStamp.Expired' },
  {
    name: 'a date with milliseconds',
    before: header('x-acs-date', '2026-01-02T03:04:05.000Z'),
    code: 'InvalidTimeStamp.Format',
  },
  {
    name: 'an STS key without its token',
    key: STS,
    before: header('x-acs-security-token', undefined),
    code: 'MissingSecurityToken',
  },
  {
    name: 'an STS key with another token',
    key: STS,
    before: header('x-acs-security-token', 'x'),
    code: 'InvalidSecurityToken.Malformed',
  },
  { name: 'an STS key at its expiry', key: STS, now: NOW + 60_000, code: 'InvalidSecurityToken.Expired' },
  {
    name: 'a long-lived key with a token',
    before: header('x-acs-security-token', 'x'),
    code: 'InvalidSecurityToken.Malformed',
  },
];

describe('the verifier refuses', () => {
  test.each(REFUSALS)('$name', ({ key = LONG_LIVED, before, after, now, code, status = 400 }) => {
    const base = key.securityToken === undefined ? rpc() : vector(1);
    const signed = sign(before?.(base) ?? base, key);
    expect(verify(after?.(signed) ?? signed, now)).toMatchObject({ ok: false, error: { code, status } });
  });

  test('nothing that is right: 15 min exactly, extra signed x-acs headers, a body with its type', () => {
    expect(verify(sign(rpc(), LONG_LIVED), NOW + 15 * 60_000).ok).toBe(true);
    expect(verify(sign(header('x-acs-credentials-provider', 'static')(rpc()), LONG_LIVED)).ok).toBe(true);
    expect(verify(sign(header('content-type', 'application/json')(withBody(rpc())), LONG_LIVED)).ok).toBe(true);
  });
});

function verify(request: SignedRequest, now = NOW): Acs3Verdict<SigningKey> {
  const keys: readonly SigningKey[] = [
    LONG_LIVED,
    STS,
    { ...LONG_LIVED, accessKeyId: 'LTAIinactive', status: 'Inactive' },
  ];
  return verifyAcs3(request, {
    now,
    findKey: (accessKeyId) => keys.find((key) => key.accessKeyId === accessKeyId),
    isNonceUsed: (nonce) => nonce === 'used',
  });
}

/** Signs as an SDK does: over host, content-type and every x-acs header that is there. */
function sign(request: SignedRequest, key: SigningKey): SignedRequest {
  const names = Object.keys(request.headers).sort();
  const signature = buildSignature(buildCanonicalRequest(request, names), key.accessKeySecret);
  const authorization = `ACS3-HMAC-SHA256 Credential=${key.accessKeyId},SignedHeaders=${names.join(';')},Signature=${signature}`;
  return { ...request, headers: { ...request.headers, authorization } };
}

function rpc(): SignedRequest {
  return { ...vector(1), headers: { host: 'cr.cn-hangzhou.aliyuncs.com', ...signatureHeaders('2018-12-01') } };
}

function vector(index: number): SignedRequest {
  const found = VECTORS[index];
  if (found === undefined) throw new Error(`no vector ${index}`);
  return found.request;
}

function signatureHeaders(version: string): Record<string, string> {
  return {
    'x-acs-action': 'GetAuthorizationToken',
    'x-acs-version': version,
    'x-acs-date': '2026-01-02T03:04:05Z',
    'x-acs-signature-nonce': '0123456789abcdef0123456789abcdef',
    'x-acs-content-sha256': EMPTY_HASH,
  };
}

function header(name: string, value: string | undefined) {
  return (request: SignedRequest): SignedRequest => {
    const others = Object.entries(request.headers).filter(([other]) => other !== name);
    return { ...request, headers: Object.fromEntries(value === undefined ? others : [...others, [name, value]]) };
  };
}

function withBody(request: SignedRequest): SignedRequest {
  const body = Buffer.from('{}');
  return { ...header('x-acs-content-sha256', sha256Hex(body))(request), body };
}
