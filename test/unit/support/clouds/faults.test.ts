import { describe, expect, test } from '@jest/globals';
import type { Fault } from '../../../support/clouds/faults.ts';
import { buildFaultyDelivery, createFaultBook, FAULT_KINDS, isCarriedOut } from '../../../support/clouds/faults.ts';

const HONEST = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"Code":"success"}' };
const READER = { host: 'host', form: 'json' } as const;

describe('the fault book', () => {
  test('hits only the action and instance of a rule, as often as it says', () => {
    const book = createFaultBook();
    book.add({ fault: { kind: 'html' }, action: 'A', instanceId: 'cri-1', times: 2 });
    const take = (action: string, instanceId: string) => book.take({ action, instanceId })?.kind;
    expect([
      take('B', 'cri-1'),
      take('A', 'cri-2'),
      take('A', 'cri-1'),
      take('A', 'cri-1'),
      take('A', 'cri-1'),
    ]).toEqual([undefined, undefined, 'html', 'html', undefined]);
    expect(book.list()).toEqual([]);
  });

  test('a rule without a count holds until it is cleared', () => {
    const book = createFaultBook();
    book.add({ fault: { kind: 'reset' } });
    for (let i = 0; i < 3; i++) expect(book.take({ action: 'A', instanceId: '' })?.kind).toBe('reset');
    book.clear();
    expect(book.take({ action: 'A', instanceId: '' })).toBeUndefined();
  });
});

test('the fault book hits by role or by path where a rule names them', () => {
  const book = createFaultBook();
  book.add({ fault: { kind: 'html' }, roleArn: 'acs:ram::1:role/b' });
  book.add({ fault: { kind: 'empty' }, path: '/latest/api/token' });
  expect(book.take({ action: 'AssumeRole', roleArn: 'acs:ram::1:role/a' })).toBeUndefined();
  expect(book.take({ action: 'AssumeRole', roleArn: 'acs:ram::1:role/b' })?.kind).toBe('html');
  expect(book.take({ path: '/latest/api/token' })?.kind).toBe('empty');
  expect(book.take({ action: 'GetAuthorizationToken', instanceId: 'cri-1' })).toBeUndefined();
});

describe('a spoilt delivery', () => {
  test.each<[Fault, number, string | RegExp, string | undefined]>([
    [{ kind: 'throttle' }, 400, /"Code":"Throttling.User"/, 'Throttling.User'],
    [{ kind: 'unsuccessful', code: 'X' }, 200, /"Code":"X","IsSuccess":false/, 'X'],
    [{ kind: 'error', status: 500, code: 'InternalError' }, 500, /"Code":"InternalError"/, 'InternalError'],
    [{ kind: 'unavailable' }, 503, /"Code":"ServiceUnavailable"/, 'ServiceUnavailable'],
    [{ kind: 'truncated' }, 200, '{"Code":"', 'fault:truncated'],
    [{ kind: 'html' }, 502, /^<!doctype html>/, 'fault:html'],
    [{ kind: 'xml' }, 503, /<Code>ServiceUnavailable<\/Code>/, 'fault:xml'],
    [{ kind: 'xml', status: 403, code: 'X' }, 403, /<Code>X<\/Code>/, 'fault:xml'],
    [{ kind: 'throttle', status: 429, code: 'Throttling' }, 429, /"Code":"Throttling"/, 'Throttling'],
    [{ kind: 'empty' }, 200, '', 'fault:empty'],
    [{ kind: 'body', body: '{}' }, 200, '{}', 'fault:body'],
    [{ kind: 'body', body: '[]', status: 502 }, 502, '[]', 'fault:body'],
    [{ kind: 'cut' }, 200, HONEST.body, 'fault:cut'],
    [{ kind: 'slow', delayMs: 5 }, 200, HONEST.body, undefined],
  ])('%j', (fault, status, body, recorded) => {
    const { delivery, code } = buildFaultyDelivery(HONEST, fault, READER);
    expect(delivery.answer.status).toBe(status);
    if (typeof body === 'string') expect(delivery.answer.body).toBe(body);
    else expect(delivery.answer.body).toMatch(body);
    expect(code).toBe(recorded);
  });

  test('throttling carries x-acs-retry-after when asked', () => {
    const { delivery } = buildFaultyDelivery(HONEST, { kind: 'throttle', retryAfter: 1500 }, READER);
    expect(delivery.answer.headers).toMatchObject({ 'x-acs-retry-after': '1500' });
  });

  test('speaks as its API does', () => {
    const throttled = (form: 'lower-case' | 'response' | 'legacy' | 'page') =>
      buildFaultyDelivery(HONEST, { kind: 'throttle' }, { host: 'host', form }).delivery.answer;
    expect(throttled('lower-case')).toMatchObject({
      status: 400,
      body: expect.stringMatching(/^\{"code":"Throttling.User",/),
    });
    const limited = { Response: { Error: { Code: 'RequestLimitExceeded' } } };
    expect([throttled('response').status, JSON.parse(throttled('response').body)]).toMatchObject([200, limited]);
    expect(JSON.parse(throttled('legacy').body)).toMatchObject({ codeDesc: 'RequestLimitExceeded' });
    expect(throttled('page')).toMatchObject({ status: 429, headers: { 'content-type': 'text/html' } });
  });

  test('comes after what was asked for is done where it loses the answer, before where it refuses, or as it says', () => {
    const done = (fault: Fault) => isCarriedOut(fault);
    const lost: Fault[] = [{ kind: 'reset' }, { kind: 'cut' }, { kind: 'truncated' }, { kind: 'slow', delayMs: 1 }];
    const refused: Fault[] = [{ kind: 'throttle' }, { kind: 'unavailable' }, { kind: 'error', status: 200, code: 'X' }];
    expect([lost.every(done), refused.some(done), done({ kind: 'unavailable', acts: true })]).toEqual([
      true,
      false,
      true,
    ]);
  });

  test('every kind is known by name', () => {
    expect(new Set(FAULT_KINDS).size).toBe(13);
  });
});
