import { describe, expect, test } from '@jest/globals';
import { KubeError } from '../../../src/core/errors.ts';
import { errorOfAnswer, errorOfStatus, errorOfThrown } from '../../../src/kube/errors.ts';

const NOW = Date.parse('2030-01-01T00:00:00Z');

function answer(code: number, status?: object, headers: Record<string, string> = {}): KubeError {
  const body = status === undefined ? 'no JSON' : JSON.stringify({ kind: 'Status', code, ...status });
  return errorOfAnswer('PATCH /api/v1/namespaces/a/secrets/b', { status: code, headers, body }, NOW);
}

const terminating = { reason: 'Forbidden', details: { causes: [{ reason: 'NamespaceTerminating' }] } };

const FAILED_WEBHOOK =
  'Internal error occurred: failed calling webhook "policy.example.com": failed to call webhook: hunter2';

test.each<[string, KubeError, string]>([
  ['401 says that the token was refused', answer(401), 'Unauthorized'],
  ['403 says that RBAC forbids it', answer(403, { reason: 'Forbidden' }), 'Forbidden'],
  ['403 in a namespace that ends says so', answer(403, terminating), 'NamespaceTerminating'],
  ['404 says that there is none', answer(404, { reason: 'NotFound' }), 'NotFound'],
  ['409 with its reason says that there is one already', answer(409, { reason: 'AlreadyExists' }), 'AlreadyExists'],
  ['409 says that it changed', answer(409, { reason: 'Conflict' }), 'Conflict'],
  ['409 without a Status says that it changed', answer(409), 'Conflict'],
  ['410 says that the version is too old', answer(410, { reason: 'Expired' }), 'Expired'],
  ['422 says that the object is invalid', answer(422, { reason: 'Invalid' }), 'Invalid'],
  ['400 says that the call is invalid', answer(400, { reason: 'BadRequest' }), 'Invalid'],
  ['429 says slow down', answer(429), 'Throttled'],
  ['503 with Retry-After says slow down', answer(503, undefined, { 'retry-after': '3' }), 'Throttled'],
  ['503 alone says that it is not there', answer(503), 'Unavailable'],
  ['500 says that it is not well', answer(500, { reason: 'InternalError' }), 'Unavailable'],
  ['500 for a webhook that must answer says so', answer(500, { message: FAILED_WEBHOOK }), 'WebhookFailed'],
  ['a redirect is no answer', answer(302), 'BadAnswer'],
])('%s', (_sentence, error, reason) => {
  expect(error.reason).toBe(reason);
});

describe('how long to wait', () => {
  test.each<[string, string | undefined, object | undefined, number | undefined]>([
    ['seconds of the header', '7', undefined, 7_000],
    ['a date in the header', 'Tue, 01 Jan 2030 00:00:20 GMT', undefined, 20_000],
    ['the Status where there is no header', undefined, { details: { retryAfterSeconds: 4 } }, 4_000],
    ['never longer than a minute', '3600', undefined, 60_000],
    ['never shorter than a second', '0', undefined, 1_000],
    ['nothing when there is nothing', undefined, undefined, undefined],
    ['nothing when it is no time', 'soon', undefined, undefined],
  ])('%s', (_sentence, header, status, expected) => {
    const error = answer(429, status, header === undefined ? {} : { 'retry-after': header });
    expect(error.retryAfterMs).toBe(expected);
  });
});

describe('the message', () => {
  test('passes on what explains a refusal, cut short', () => {
    const message = 'x'.repeat(1_000);
    expect(answer(403, { reason: 'Forbidden', message }).message).toBe(
      `PATCH /api/v1/namespaces/a/secrets/b answered 403 Forbidden: ${'x'.repeat(300)}`,
    );
  });

  test('never passes on what the API server says of an invalid Secret, but where it is wrong', () => {
    const causes = [{ field: 'data[.dockerconfigjson]', reason: 'FieldValueInvalid', message: 'Invalid: hunter2' }];
    const { message } = answer(422, { reason: 'Invalid', message: 'hunter2 is bad', details: { causes } });
    expect(message).not.toContain('hunter2');
    expect(message).toContain('data[.dockerconfigjson]: FieldValueInvalid');
  });

  test('names of a refused ImagePullSecret only the fields: its spec holds a password', () => {
    const causes = [{ field: 'spec.docker.password', reason: 'FieldValueTypeInvalid' }];
    const details = { kind: 'ImagePullSecret', causes };
    const body = JSON.stringify({ kind: 'Status', code: 422, message: 'hunter2 is bad', details });
    const path = '/apis/tcr.tencentcloudcr.com/v1/imagepullsecrets';
    const { message } = errorOfAnswer(`POST ${path}`, { status: 422, headers: {}, body }, NOW);
    expect(message).not.toContain('hunter2');
    expect(message).toContain('spec.docker.password: FieldValueTypeInvalid');
  });

  test('names the webhook that did not answer, and nothing of what was met in its place', () => {
    expect(answer(500, { reason: 'InternalError', message: FAILED_WEBHOOK }).message).toBe(
      'PATCH /api/v1/namespaces/a/secrets/b answered 500 InternalError: the webhook policy.example.com, which has to answer, did not',
    );
  });

  test('never passes on anything of a server error', () => {
    expect(answer(500, { reason: 'InternalError', message: 'hunter2' }).message).not.toContain('hunter2');
  });
});

test('an ERROR event of a watch becomes the same error as the status', () => {
  const error = errorOfStatus('WATCH /api/v1/secrets', { kind: 'Status', code: 410, reason: 'Expired' });
  expect(error).toMatchObject({ reason: 'Expired', status: 410 });
});

describe('what was thrown', () => {
  const refused = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });

  test('by the network is Unavailable and names its code', () => {
    const error = errorOfThrown('GET /x', refused, new AbortController().signal);
    expect(error).toMatchObject({ reason: 'Unavailable', message: 'GET /x failed: ECONNREFUSED' });
  });

  test('after our own signal is Aborted', () => {
    expect(errorOfThrown('GET /x', refused, AbortSignal.abort()).reason).toBe('Aborted');
  });

  test('as a KubeError stays what it is', () => {
    const error = new KubeError('Conflict', 'x');
    expect(errorOfThrown('GET /x', error, undefined)).toBe(error);
  });
});
