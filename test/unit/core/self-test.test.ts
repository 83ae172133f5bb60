// What `self-test` says of what it tried.
import { describe, expect, test } from '@jest/globals';
import {
  admissionFinding,
  loginFinding,
  rightsFinding,
  webhookFinding,
  type SeenAdmission,
  type SeenLogin,
  type SeenWebhook,
  unseenFinding,
} from '../../../src/core/self-test.ts';

const DAY = Date.parse('2026-01-02T00:00:00Z');
const served = (...all: Extract<SeenWebhook['object'], object>['served']): SeenWebhook['object'] => ({
  address: 'name.ours.svc:443',
  served: all,
});

const ANSWERED = { kind: 'answered', how: 'create', place: 'web/new', expected: ['s'] } as const;

describe('rights', () => {
  test('pass when none is missing', () => {
    expect(rightsFinding([])).toMatchObject({ level: 'PASS' });
  });
  test('fail with each that is missing, and how to mend it', () => {
    const finding = rightsFinding(['may not patch secrets in every namespace: this is needed to renew them']);
    expect(finding).toMatchObject({ level: 'FAIL', page: 'rbac.md' });
    expect(finding.sentences).toContain('It may not patch secrets in every namespace: this is needed to renew them.');
    expect(finding.cure).toBeDefined();
  });
  test('that are missing fail what needs them, by its name', () => {
    expect(unseenFinding('webhooks', 'GET x answered 403')).toMatchObject({
      ...{ level: 'FAIL', subject: 'webhooks' },
      sentences: ['It may not be looked at: GET x answered 403.'],
    });
  });
});

test.each<[string, Partial<SeenWebhook>, object]>([
  [
    'passes until the earliest end of what is served',
    { object: served({ ok: true, expiresAt: DAY + 1 }, { ok: true, expiresAt: DAY }) },
    {
      level: 'PASS',
      sentences: ['The caBundle verifies what name.ours.svc:443 serves, by name, until 2026-01-02T00:00:00.000Z.'],
    },
  ],
  [
    'fails as soon as one connection does',
    { object: served({ ok: true, expiresAt: DAY }, { ok: false, why: 'no answer' }) },
    { level: 'FAIL', sentences: ['name.ours.svc:443: no answer.'] },
  ],
  ['fails when it is somebody else’s', { object: 'foreign' }, { level: 'FAIL' }],
  ['fails when it should be there', { object: 'absent', isWanted: true }, { level: 'FAIL' }],
  [
    'is skipped when it is switched off',
    { object: 'absent', isWanted: false },
    { level: 'SKIP', sentences: ['There is none: it is switched off.'] },
  ],
  ['is skipped when nobody knows', { object: 'absent', isWanted: undefined }, { level: 'SKIP' }],
  [
    'is judged although it should not be there',
    { object: served({ ok: false, why: 'no' }), isWanted: false },
    { level: 'FAIL' },
  ],
])('a webhook object %s', (_, parts, expected) => {
  const seen = { kind: 'MutatingWebhookConfiguration', name: 'n', isWanted: true, object: 'absent', ...parts } as const;
  expect(webhookFinding(seen)).toMatchObject(expected);
});

test.each<[string, SeenAdmission, object]>([
  ['passes with every reference', { ...ANSWERED, references: ['foreign', 's'] }, { level: 'PASS' }],
  [
    'fails without one',
    { ...ANSWERED, references: ['foreign'] },
    {
      level: 'FAIL',
      sentences: ['A new ServiceAccount web/new came back, from a dry run, without the reference to s.'],
    },
  ],
  [
    'fails when it was refused, and shows nothing that a terminal obeys',
    { kind: 'refused', why: 'no\u001b[2J' },
    { level: 'FAIL', sentences: ['The API server refused the dry run: no?[2J.'] },
  ],
  [
    'fails when a webhook that must answer did not, with what to do about it',
    { kind: 'webhook-failed', why: 'the webhook x.example did not' },
    {
      level: 'FAIL',
      sentences: ['The API server could not take the dry run: the webhook x.example did not.'],
      cure: expect.stringContaining('failurePolicy'),
    },
  ],
  [
    'is skipped with its reason',
    { kind: 'skipped', why: 'it is off' },
    { level: 'SKIP', sentences: ['Not tried: it is off.'] },
  ],
])('admission %s', (_, seen, expected) => {
  expect(admissionFinding(seen)).toMatchObject(expected);
});

test.each<[SeenLogin['outcome'], object]>([
  [{ kind: 'accepted', how: 'token' }, { level: 'PASS' }],
  [
    { kind: 'accepted', how: 'open' },
    { level: 'PASS', sentences: ['It asks for none.'] },
  ],
  [{ kind: 'skipped', why: 'a pattern' }, { level: 'SKIP' }],
  [
    { kind: 'failed', why: 'It refuses', cure: 'renew it', mayPass: false },
    { level: 'FAIL', sentences: ['It refuses.'], cure: 'renew it' },
  ],
])('a login that was %p is told of by its host', (outcome, expected) => {
  expect(loginFinding({ host: 'r.example', outcome })).toMatchObject({ subject: 'registry r.example', ...expected });
});
