// What Alibaba Cloud's answers mean: every code that its documentation and field reports name, and answers that are none.
import { describe, expect, test } from '@jest/globals';
import { ProviderError, type FailureReason } from '../../../src/core/errors.ts';
import { documentOf } from '../../../src/providers/alibaba/answer.ts';
import type { CallContext, RawAnswer } from '../../../src/providers/call-failure.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const CONTEXT: CallContext = {
  action: 'GetAuthorizationToken',
  subject: 'cri-fake in cn-hangzhou',
  endpoint: { scheme: 'https', address: '127.0.0.1:1', host: 'cr.cn-hangzhou.aliyuncs.com', ca: undefined },
  origin: 'the Secret kube-system/keys',
  now: NOW,
};

describe('[acr X2] codes', () => {
  test.each<[string, number, FailureReason, string]>([
    ['InvalidAccessKeyId.NotFound', 404, 'AccessKeyInvalid', 'check access-key-id there'],
    ['InvalidAccessKeyId.Inactive', 400, 'AccessKeyInvalid', 'is disabled'],
    ['SignatureDoesNotMatch', 400, 'SignatureMismatch', 'access-key-secret in the Secret kube-system/keys'],
    ['SignatureDoesNotMatch', 403, 'SignatureMismatch', 'access-key-secret'],
    ['IncompleteSignature', 400, 'SignatureMismatch', 'access-key-secret'],
    ['InvalidTimeStamp.Expired', 400, 'ClockSkew', 'time synchronisation'],
    ['SignatureNonceUsed', 400, 'CloudUnavailable', 'made again'],
    ['MissingSecurityToken', 400, 'SessionExpired', 'session'],
    ['InvalidSecurityToken.Expired', 403, 'SessionExpired', 'session'],
    ['InvalidSecurityToken.Malformed', 404, 'SessionExpired', 'session'],
    ['MissingInstanceId', 400, 'RequestRefused', 'instanceId'],
    ['InvalidParameter', 400, 'RequestRefused', 'instanceId'],
    ['InvalidApi.NotFound', 404, 'RequestRefused', 'cr.cn-hangzhou.aliyuncs.com does not serve this call'],
    ['InvalidAction.NotFound', 404, 'RequestRefused', '--cloud-endpoints'],
    ['Forbidden.RAM', 403, 'PermissionDenied', 'cr:GetAuthorizationToken'],
    ['NoPermission', 403, 'PermissionDenied', 'cr:GetAuthorizationToken'],
    ['NoPrivilege', 403, 'PermissionDenied', 'cr:GetAuthorizationToken'],
    ['INSTANCE_NOT_EXIST', 200, 'InstanceNotFound', 'regionId'],
    ['INSTANCE_NOT_EXIST', 404, 'InstanceNotFound', 'regionId'],
    ['INSTANCE_STATUS_NOT_SUPPORT', 200, 'InstanceNotReady', 'does not run'],
    ['Throttling', 400, 'Throttled', 'slow down'],
    ['Throttling.User', 400, 'Throttled', 'slow down'],
    ['Throttling.Api', 429, 'Throttled', 'slow down'],
    ['Rejected.Throttling', 400, 'Throttled', 'slow down'],
    ['ServiceUnavailable', 503, 'CloudUnavailable', 'asked again'],
    ['InternalError', 500, 'CloudUnavailable', 'asked again'],
    ['SystemError', 500, 'CloudUnavailable', 'asked again'],
    ['Something.New', 400, 'RequestRefused', 'not known here'],
    ['Something.New', 500, 'CloudUnavailable', 'asked again'],
    ['Something.New', 429, 'Throttled', 'slow down'],
  ])('%s with HTTP %d is %s', (Code, status, reason, advice) => {
    const error = refused({
      status,
      body: JSON.stringify({ Code, RequestId: 'ID-1', IsSuccess: false, Message: 'fake-detail' }),
    });
    expect(error).toMatchObject({ reason, requestId: 'ID-1' });
    for (const text of ['GetAuthorizationToken', 'cri-fake', 'cn-hangzhou', Code, 'ID-1', advice]) {
      expect(error.message).toContain(text);
    }
    // The cloud's own text can quote the request.
    expect(error.message).not.toContain('fake-detail');
  });

  test('lower-case fields, as some services write them, are understood', () => {
    expect(refused({ status: 403, body: '{"code":"NoPermission","requestId":"ID-2"}' })).toMatchObject({
      reason: 'PermissionDenied',
      requestId: 'ID-2',
    });
  });

  test('the XML form is understood', () => {
    const body = "<?xml version='1.0'?><Error><RequestId>ID-3</RequestId><Code>Throttling.User</Code></Error>";
    expect(refused({ status: 400, body })).toMatchObject({ reason: 'Throttled', requestId: 'ID-3' });
  });

  test.each([
    ['five minutes behind', 5, 'is 5 min behind'],
    ['twenty minutes ahead', -20, 'is 20 min ahead'],
  ])('a clock that is %s is said to be', (_name, minutes, text) => {
    const headers = { date: new Date(NOW + minutes * 60_000).toUTCString() };
    expect(refused({ status: 400, headers, body: '{"Code":"InvalidTimeStamp.Expired"}' }).message).toContain(text);
  });

  test('a code or id that is no word does not get into the message', () => {
    const error = refused({ status: 400, body: JSON.stringify({ Code: 'a\nb<c>', RequestId: 'x y\n' }) });
    expect(error.message).toContain('(HTTP 400)');
    expect(error.message).not.toMatch(/a\nb|<c>/);
    expect(error.requestId).toBeUndefined();
  });
});

describe('[acr X3] answers that say nothing', () => {
  test.each<[string, number, string, string]>([
    ['HTML', 502, '<!doctype html><html></html>', 'not JSON (HTTP 502)'],
    ['nothing', 200, '', 'an empty answer (HTTP 200)'],
    ['half a document', 200, '{"RequestId":"ID-1","Co', 'not JSON (HTTP 200)'],
    ['a list', 200, '[]', 'not JSON (HTTP 200)'],
    ['another XML', 500, '<?xml version="1.0"?><a/>', 'not JSON (HTTP 500)'],
  ])('%s is CloudUnavailable', (_name, status, body, text) => {
    expect(refused({ status, body })).toMatchObject({
      reason: 'CloudUnavailable',
      message: expect.stringContaining(text),
    });
  });

  test('an error without a code goes by its status', () => {
    expect(refused({ status: 503, body: '{}' })).toMatchObject({
      reason: 'CloudUnavailable',
      message: expect.stringContaining('HTTP 503'),
    });
    expect(refused({ status: 200, body: '{"IsSuccess":false}' })).toMatchObject({ reason: 'RequestRefused' });
  });
});

test.each<[string, Readonly<Record<string, string>>, number | undefined]>([
  ['x-acs-retry-after in milliseconds', { 'x-acs-retry-after': '2500' }, 2_500],
  ['no less than a second', { 'x-acs-retry-after': '3' }, 1_000],
  ['no more than a minute', { 'x-acs-retry-after': '3600000' }, 60_000],
  ['retry-after in seconds', { 'retry-after': '7' }, 7_000],
  ['nothing', {}, undefined],
  ['nonsense', { 'x-acs-retry-after': 'soon' }, undefined],
])('how long to wait: %s', (_name, headers, retryAfterMs) => {
  expect(refused({ status: 400, headers, body: '{"Code":"Throttling.User"}' }).retryAfterMs).toBe(retryAfterMs);
});

test('a code of a megabyte is no code, and costs nothing', () => {
  const Code = `${'Throttling'.repeat(80_000)}\n!`;
  expect(refused({ status: 400, body: JSON.stringify({ Code }) })).toMatchObject({
    reason: 'RequestRefused',
    message: expect.stringContaining('(HTTP 400)'),
  });
});

test('a success is its document', () => {
  const document = { Code: 'success', IsSuccess: true, TempUsername: 'x' };
  expect(documentOf({ status: 200, headers: {}, body: JSON.stringify(document) }, CONTEXT)).toEqual(document);
});

function refused(answer: Partial<RawAnswer>): ProviderError {
  try {
    documentOf({ status: 200, headers: {}, body: '', ...answer }, CONTEXT);
  } catch (error) {
    if (error instanceof ProviderError) return error;
    throw error;
  }
  throw new Error('was not refused');
}
