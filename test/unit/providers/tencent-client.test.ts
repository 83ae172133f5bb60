// The client of Tencent Cloud without a network: what it signs and sends, what answers mean, and how fast it asks.
import { describe, expect, test } from '@jest/globals';
import type { FailureReason } from '../../../src/core/errors.ts';
import type { RequestBudget } from '../../../src/providers/budget.ts';
import type { RawAnswer } from '../../../src/providers/call-failure.ts';
import { createTencentClient } from '../../../src/providers/tencent/client.ts';
import type { CloudRequest } from '../../../src/providers/tencent/cloud-request.ts';
import { endpointOf } from '../../../src/providers/tencent/endpoints.ts';
import type { Sending } from '../../../src/providers/tencent/exchange.ts';

const { signal } = new AbortController();
const NOW = 1_767_225_600_000;
const KEY = {
  secretId: 'AKIDexample0000000000000000000000000',
  secretKey: 'secretkeyexample00000000000000000',
  ...{ origin: 'the Secret kube-system/keys', account: 'a test' },
};

const request = (more: Partial<CloudRequest> = {}): CloudRequest => ({
  ...{ service: 'tcr', action: 'CreateInstanceToken', region: 'ap-guangzhou', key: KEY, endpoints: {} },
  ...{ subject: 'tcr-a1b2c3d4 in ap-guangzhou', now: () => NOW },
  parameters: { RegistryId: 'tcr-a1b2c3d4', TokenType: 'temp' },
  ...more,
});

const ID = '0f0f0f0f-1111-4222-8333-444444444444';
const answered = (body: unknown, more: Partial<RawAnswer> = {}): RawAnswer => ({
  ...{ status: 200, headers: {} },
  body: typeof body === 'string' ? body : JSON.stringify(body),
  ...more,
});
const success = answered({ Response: { RequestId: ID } });
const failed = (Code: string, headers: RawAnswer['headers'] = {}): RawAnswer =>
  answered({ Response: { Error: { Code, Message: 'fake message' }, RequestId: ID } }, { headers });

/** A client at a cloud that gives these answers in turn, then success. */
function harness(answers: readonly RawAnswer[] = [], createBudget?: (perSecond: number) => RequestBudget) {
  const sent: Sending[] = [];
  const client = createTencentClient({
    exchange: (sending) => {
      sent.push(sending);
      return Promise.resolve({ kind: 'answered', answer: answers[sent.length - 1] ?? success });
    },
    ...(createBudget === undefined ? {} : { createBudget }),
  });
  return { client, sent };
}

const header = (sending: Sending | undefined, name: string): string | undefined => sending?.headers[name];

describe('a request', () => {
  test('[tcr W1] has the signature of the contract’s vector', async () => {
    const { client, sent } = harness();
    await client.call(request(), signal);
    expect(sent[0]?.body.toString()).toBe('{"RegistryId":"tcr-a1b2c3d4","TokenType":"temp"}');
    expect(header(sent[0], 'Authorization')).toBe(
      `TC3-HMAC-SHA256 Credential=${KEY.secretId}/2026-01-01/tcr/tc3_request, SignedHeaders=content-type;host, Signature=7d9548bc20f54f8feec569ab03a94c00f44329a6bdf253adfab65adbc6b99164`,
    );
    expect(sent[0]?.endpoint).toEqual({
      ...{ scheme: 'https', ca: undefined },
      ...{ address: 'tcr.tencentcloudapi.com', host: 'tcr.tencentcloudapi.com' },
    });
    expect(sent[0]?.headers).toMatchObject({
      'Content-Type': 'application/json',
      'X-TC-Action': 'CreateInstanceToken',
      'X-TC-Version': '2019-09-24',
      'X-TC-Region': 'ap-guangzhou',
      'X-TC-Timestamp': '1767225600',
    });
    expect(sent[0]?.headers).not.toHaveProperty('X-TC-Token');
  });

  test('[tcr W1] signs the host that it is told, without the port, wherever it connects', async () => {
    const { client, sent } = harness();
    const at = (url: string, host?: string) => ({
      endpoints: { tencent: { tcr: { url, ...(host === undefined ? {} : { host }) } } },
    });
    await client.call(request(at('https://127.0.0.1:18443')), signal);
    await client.call(request(at('https://127.0.0.1:18443', 'tcr.tencentcloudapi.com')), signal);
    expect(sent.map((one) => header(one, 'Authorization')?.slice(-64))).toEqual([
      '7d10bf1cbe7a9fce2cb608a4d4ca106243670bed052faf431acfeb7da567e14b',
      '7d9548bc20f54f8feec569ab03a94c00f44329a6bdf253adfab65adbc6b99164',
    ]);
    expect(sent.map(({ endpoint }) => endpoint.address)).toEqual(['127.0.0.1:18443', '127.0.0.1:18443']);
  });

  test('[tcr W2] has no member without a value, at any depth, and what is hashed is what is sent', async () => {
    const { client, sent } = harness();
    const parameters = {
      A: null,
      B: undefined,
      C: [{ D: null, E: 'é' }, null, undefined],
      F: { G: null },
      H: 0,
      I: '',
    };
    await client.call(request({ parameters }), signal);
    expect(sent[0]?.body.toString()).toBe('{"C":[{"E":"é"}],"F":{},"H":0,"I":""}');
    const { client: same, sent: others } = harness();
    await same.call(request({ parameters: { C: [{ E: 'é' }], F: {}, H: 0, I: '' } }), signal);
    expect(header(others[0], 'Authorization')).toBe(header(sent[0], 'Authorization'));
    // Another body, another signature.
    await same.call(request({ parameters: { C: [{ E: 'e' }], F: {}, H: 0, I: '' } }), signal);
    expect(header(others[1], 'Authorization')).not.toBe(header(sent[0], 'Authorization'));
  });

  test('carries the token of a session, and of an unsigned call nothing but SKIP', async () => {
    const { client, sent } = harness();
    await client.call(request({ key: { ...KEY, token: 'fake-session-token' } }), signal);
    await client.call(request({ service: 'sts', action: 'AssumeRoleWithWebIdentity', key: undefined }), signal);
    expect(header(sent[0], 'X-TC-Token')).toBe('fake-session-token');
    expect(sent[1]?.headers).toMatchObject({ Authorization: 'SKIP', 'X-TC-Version': '2018-08-13' });
    expect(sent[1]?.endpoint.host).toBe('sts.tencentcloudapi.com');
  });

  test('[tcr W9] takes an id without the prefix of the China site', async () => {
    const { client, sent } = harness();
    await client.call(request({ key: { ...KEY, secretId: 'IKIDfakeOfTheInternationalSite000000' } }), signal);
    expect(header(sent[0], 'Authorization')).toContain('Credential=IKIDfakeOfTheInternationalSite000000/');
  });

  test.each([
    ['SecretId', { secretId: 'AKIDfake\nX-Evil: 1' }],
    ['SecretKey', { secretKey: '' }],
    ['token', { token: 'fake token' }],
  ])('is not made with a %s that no key is, which is not quoted', async (name, part) => {
    const { client, sent } = harness();
    await expect(client.call(request({ key: { ...KEY, ...part } }), signal)).rejects.toMatchObject({
      reason: 'AccessKeyInvalid',
      message: expect.stringMatching(new RegExp(`^[^\\n]*the ${name} in the Secret kube-system/keys (?!.*fake)`)),
    });
    expect(sent).toEqual([]);
  });
});

describe('[tcr W9] the endpoint', () => {
  test.each<[string, string, object, string]>([
    ['of the China site', 'ap-guangzhou', {}, 'tcr.tencentcloudapi.com'],
    ['of a finance zone, which is separate', 'ap-shanghai-fsi', {}, 'tcr.ap-shanghai-fsi.tencentcloudapi.com'],
    [
      'of the international site',
      'eu-frankfurt',
      { url: 'https://tcr.intl.tencentcloudapi.com' },
      'tcr.intl.tencentcloudapi.com',
    ],
    [
      'inside a VPC',
      'ap-beijing',
      { url: 'https://tcr.internal.tencentcloudapi.com' },
      'tcr.internal.tencentcloudapi.com',
    ],
    [
      'of the region',
      'ap-beijing',
      { url: 'https://tcr.{region}.tencentcloudapi.com' },
      'tcr.ap-beijing.tencentcloudapi.com',
    ],
  ])('%s', (_name, region, tcr, host) => {
    expect(endpointOf('tcr', region, { tencent: { tcr } })).toMatchObject({ scheme: 'https', address: host, host });
  });
});

describe('[tcr W4] a code', () => {
  test.each<[string, FailureReason, string]>([
    ['AuthFailure.SecretIdNotFound', 'AccessKeyInvalid', 'check secret-id there'],
    ['AuthFailure.InvalidSecretId', 'AccessKeyInvalid', 'the Secret kube-system/keys'],
    ['AuthFailure.SignatureFailure', 'SignatureMismatch', 'secret-key in the Secret kube-system/keys'],
    ['AuthFailure.InvalidAuthorization', 'SignatureMismatch', '--cloud-endpoints'],
    ['AuthFailure.TokenFailure', 'SessionExpired', 'session'],
    ['AuthFailure.MFAFailure', 'PermissionDenied', 'second factor'],
    ['AuthFailure.UnauthorizedOperation', 'PermissionDenied', 'tcr:CreateInstanceToken'],
    ['UnauthorizedOperation', 'PermissionDenied', 'tcr:CreateInstanceToken'],
    ['UnauthorizedOperation.CamNoAuth', 'PermissionDenied', 'CAM'],
    ['IpNotInWhitelist', 'PermissionDenied', 'address'],
    ['ResourceNotFound', 'InstanceNotFound', 'regionId'],
    ['ResourceNotFound.TcrResourceNotFound', 'InstanceNotFound', 'registryId'],
    ['ResourceInsufficient.ErrorInstanceNotRunning', 'InstanceNotReady', 'console'],
    ['UnsupportedRegion', 'RequestRefused', 'regionId'],
    ['InvalidParameter.UnsupportedRegion', 'RequestRefused', '--cloud-endpoints'],
    ['OperationDenied', 'RequestRefused', 'console'],
    ['OperationDenied.QuotaOverLimit', 'RequestRefused', 'quota'],
    ['LimitExceeded', 'RequestRefused', 'quota'],
    ['RequestLimitExceeded', 'Throttled', 'slow down'],
    ['RequestLimitExceeded.UinLimitExceeded', 'Throttled', 'slow down'],
    ['RequestLimitExceeded.GlobalRegionUinLimitExceeded', 'Throttled', 'slow down'],
    ['InternalError', 'CloudUnavailable', 'again'],
    ['InternalError.DbError', 'CloudUnavailable', 'again'],
    ['InternalError.Unknown', 'CloudUnavailable', 'again'],
    ['ServiceUnavailable', 'CloudUnavailable', 'again'],
    ['FailedOperation.DbError', 'CloudUnavailable', 'again'],
    ['FailedOperation.GetDBDataError', 'CloudUnavailable', 'again'],
    ['FailedOperation', 'RequestRefused', 'documentation'],
    ['MissingParameter', 'RequestRefused', 'check registryId'],
    ['UnknownParameter', 'RequestRefused', 'check registryId'],
    ['InvalidAction', 'RequestRefused', 'does not serve this call'],
    ['NoSuchVersion', 'RequestRefused', 'tcr.tencentcloudapi.com'],
    ['Something.New', 'RequestRefused', 'documentation'],
  ])('%s is %s', async (code, reason, advice) => {
    const { client, sent } = harness([failed(code)]);
    await expect(client.call(request(), signal)).rejects.toMatchObject({
      reason,
      requestId: ID,
      message: expect.stringMatching(
        new RegExp(
          `^CreateInstanceToken of tcr-a1b2c3d4 in ap-guangzhou failed \\(${code}, request id ${ID}\\): .*${advice}`,
        ),
      ),
    });
    expect(sent).toHaveLength(1);
  });

  test('may mean something else to one call', async () => {
    const { client } = harness([failed('InternalError.Odd')]);
    const codes = [[/InternalError\.Odd/, 'InstanceNotFound', () => 'not there'] as const];
    await expect(client.call(request({ codes }), signal)).rejects.toMatchObject({ reason: 'InstanceNotFound' });
  });
});

describe('[tcr W3] an answer', () => {
  test.each<[string, RawAnswer, FailureReason, string]>([
    ['HTTP 500 with a page', answered('<html>', { status: 500 }), 'CloudUnavailable', 'answered HTTP 500'],
    ['HTTP 502 with nothing', answered('', { status: 502 }), 'CloudUnavailable', '(HTTP 502)'],
    [
      'HTTP 403 with a code',
      { ...failed('UnauthorizedOperation'), status: 403 },
      'CloudUnavailable',
      `(UnauthorizedOperation, request id ${ID})`,
    ],
    ['HTTP 302', answered('', { status: 302 }), 'CloudUnavailable', 'HTTP 302'],
    ['HTTP 429', answered('', { status: 429 }), 'Throttled', 'slow down'],
    ['no JSON', answered('<html>'), 'CloudUnavailable', 'gave an answer that is not JSON (HTTP 200)'],
    ['cut JSON', answered('{"Response":{"Requ'), 'CloudUnavailable', 'not JSON'],
    ['nothing', answered(' '), 'CloudUnavailable', 'gave an empty answer'],
    ['no Response', answered({}), 'CloudUnavailable', 'without `Response`'],
    ['a Response that is none', answered({ Response: [] }), 'CloudUnavailable', 'without `Response`'],
    [
      'an error without a code',
      answered({ Response: { Error: {}, RequestId: ID } }),
      'CloudUnavailable',
      'no usable code',
    ],
    [
      'the older shape of an error',
      answered({ code: 4104, message: 'fake', codeDesc: 'SecretIdNotFound' }),
      'AccessKeyInvalid',
      'failed (SecretIdNotFound)',
    ],
  ])('with %s is a failure that says so', async (_name, answer, reason, words) => {
    const { client } = harness([answer]);
    const error: unknown = await client.call(request(), signal).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason, message: expect.stringContaining(words) });
    expect((error as Error).message).not.toContain('fake');
  });

  test('says how long to wait, within bounds', async () => {
    const { client } = harness([answered('', { status: 503, headers: { 'retry-after': '7' } })]);
    await expect(client.call(request(), signal)).rejects.toMatchObject({ retryAfterMs: 7_000 });
  });

  test('with an Error of null is a success', async () => {
    const { client } = harness([answered({ Response: { Error: null, RequestId: ID, Token: 'fake' } })]);
    await expect(client.call(request(), signal)).resolves.toMatchObject({ response: { Token: 'fake' } });
  });
});

describe('[tcr W4] a clock that is off', () => {
  const late = { date: new Date(NOW + 600_000).toUTCString() };

  test('costs one call: the second has the cloud’s time, and so have all after it', async () => {
    const { client, sent } = harness([failed('AuthFailure.SignatureExpire', late)]);
    await expect(client.call(request(), signal)).resolves.toMatchObject({ clockOffsetMs: 600_000 });
    await client.call(request({ now: () => NOW + 1_000 }), signal);
    expect(sent.map((one) => header(one, 'X-TC-Timestamp'))).toEqual(['1767225600', '1767226200', '1767226201']);
  });

  test('is found out by each of several calls that were signed before any answer', async () => {
    const refused = Array.from({ length: 3 }, () => failed('AuthFailure.SignatureExpire', late));
    const { client, sent } = harness(refused);
    const calls = Array.from({ length: 3 }, () => client.call(request(), signal));
    await expect(Promise.all(calls)).resolves.toHaveLength(3);
    expect(sent).toHaveLength(6);
  });

  test('is read when a call is sent: what waited for its turn has a signature of then', async () => {
    let now = NOW;
    const spend = () => Promise.resolve(void (now += 600_000));
    const { client, sent } = harness([], () => ({ spend, hold: () => undefined }));
    await client.call(request({ now: () => now }), signal);
    expect(header(sent[0], 'X-TC-Timestamp')).toBe(String((NOW + 600_000) / 1_000));
  });

  test('is a failure when the time is refused again, or the cloud does not tell its own', async () => {
    const { client, sent } = harness([
      failed('AuthFailure.SignatureExpire', late),
      failed('AuthFailure.SignatureExpire', late),
    ]);
    await expect(client.call(request(), signal)).rejects.toMatchObject({
      reason: 'ClockSkew',
      message: expect.stringContaining('10 min behind, and the cloud accepts 5 min'),
    });
    expect(sent).toHaveLength(2);
    // By the same clock once more would be in vain.
    const { client: third, sent: calls } = harness([
      ...[failed('AuthFailure.SignatureExpire', late), success, failed('AuthFailure.SignatureExpire', late)],
    ]);
    await third.call(request(), signal);
    await expect(third.call(request(), signal)).rejects.toMatchObject({ reason: 'ClockSkew' });
    expect(calls).toHaveLength(3);
    const { client: other, sent: alone } = harness([failed('AuthFailure.SignatureExpire')]);
    await expect(other.call(request(), signal)).rejects.toMatchObject({ reason: 'ClockSkew' });
    expect(alone).toHaveLength(1);
  });
});

describe('[tcr W4] the rate', () => {
  test('is 100 in a second of the two fast actions and 20 of the others, each by region and action', async () => {
    const spent: string[] = [];
    const { client } = harness([], (perSecond) => ({
      spend: ({ scope, account }) => Promise.resolve(void spent.push(`${perSecond} ${scope} ${account}`)),
      hold: () => undefined,
    }));
    for (const action of [
      'CreateInstanceToken',
      'DescribeInstances',
      'DescribeInstanceToken',
      'DeleteServiceAccount',
    ]) {
      await client.call(request({ action }), signal);
    }
    await client.call(request({ region: 'ap-beijing' }), signal);
    expect(spent).toEqual([
      '100 ap-guangzhou/CreateInstanceToken a test',
      '100 ap-guangzhou/DescribeInstances a test',
      '20 ap-guangzhou/DescribeInstanceToken a test',
      '20 ap-guangzhou/DeleteServiceAccount a test',
      '100 ap-beijing/CreateInstanceToken a test',
    ]);
  });

  test('pauses for an account that was throttled', async () => {
    const held: string[] = [];
    const { client } = harness([failed('RequestLimitExceeded', { 'retry-after': '3' })], () => ({
      spend: () => Promise.resolve(),
      hold: ({ scope, account }, ms) => void held.push(`${scope} ${account} ${ms}`),
    }));
    await client.call(request(), signal).catch(() => undefined);
    expect(held).toEqual(['ap-guangzhou/CreateInstanceToken a test 3000']);
  });
});
