// The switch of the webhook: every spelling of the vendor's, every default, every value that is refused and why.
import { describe, expect, test } from '@jest/globals';
import { parseWebhookConfiguration } from '../../../src/core/webhook-configuration.ts';
import { parseConfig } from '../../../src/core/config.ts';
import { FAKE_CONTEXT } from '../../support/fake-items.ts';

const parse = parseWebhookConfiguration;

describe('the webhook is off', () => {
  test.each([
    ['without the key', undefined],
    ['when the text is empty', ' \n'],
    ['when the text is only a comment', '# enable: true'],
    ['when it says so', 'enable: false'],
    ['when it says so in quotes', 'enable: "False"\nfailure-policy: Fail'],
  ])('%s', (_, text) => {
    expect(parse(text)).toEqual({ ok: true, value: undefined, issues: [] });
  });

  test('when `enable` is forgotten, with a warning that says how to write it', () => {
    const parsed = parse('failure-policy: Ignore');
    expect(parsed).toMatchObject({ ok: true, value: undefined });
    expect(parsed.issues).toMatchObject([{ severity: 'warning', path: 'webhook-configuration.enable' }]);
    expect(parsed.issues[0]?.message).toContain('`enable: true`');
  });
});

describe('[acr W3] the webhook is on', () => {
  test.each([
    ['with Ignore and 3 s unless told', 'enable: true', { failurePolicy: 'Ignore', timeoutSeconds: 3 }],
    [
      'as the vendor’s sample has it',
      'enable: true\nfailure-policy: Ignore\ntimeout-seconds: 10\n',
      { failurePolicy: 'Ignore', timeoutSeconds: 10 },
    ],
    ['with quotes', 'enable: "true"\ntimeout-seconds: "30"', { failurePolicy: 'Ignore', timeoutSeconds: 30 }],
    ['in any case', 'Enable: TRUE\nfailurePolicy: ignore', { failurePolicy: 'Ignore', timeoutSeconds: 3 }],
    [
      'with another spelling of a whole number',
      'enable: true\ntimeout-seconds: 3.0',
      { failurePolicy: 'Ignore', timeoutSeconds: 3 },
    ],
    ['as JSON', '{"enable": true, "timeout-seconds": 1}', { failurePolicy: 'Ignore', timeoutSeconds: 1 }],
  ])('%s', (_, text, value) => {
    expect(parse(text)).toEqual({ ok: true, value, issues: [] });
  });

  test.each(['Fail', 'fail', 'FAIL'])('with %s, and a warning on its line that says what that means', (policy) => {
    const parsed = parse(`enable: true\nfailure-policy: ${policy}`);
    expect(parsed).toMatchObject({ ok: true, value: { failurePolicy: 'Fail', timeoutSeconds: 3 } });
    expect(parsed.issues).toMatchObject([
      { severity: 'warning', path: 'webhook-configuration.failure-policy', line: 2 },
    ]);
    expect(parsed.issues[0]?.message).toMatch(/no ServiceAccount can be created or changed while no replica answers/);
  });

  test('with a warning for a field that nobody knows', () => {
    const parsed = parse('enable: true\nfailure-polcy: Fail');
    expect(parsed).toMatchObject({ ok: true, value: { failurePolicy: 'Ignore' } });
    expect(parsed.issues).toMatchObject([{ severity: 'warning', line: 2 }]);
    expect(parsed.issues[0]?.message).toContain('did you mean failure-policy?');
  });
});

describe('[acr W3] refused, with path, line, value and cure, is', () => {
  test.each([
    ['another switch', 'enable: maybe', 'enable', 1, 'maybe', '`true` or `false`'],
    ['another policy', 'enable: true\nfailure-policy: Retry', 'failure-policy', 2, 'Retry', '`Ignore`'],
    ['no second at all', 'enable: true\n\ntimeout-seconds: 0', 'timeout-seconds', 3, '0', 'from 1 to 30'],
    ['more than the API server takes', 'timeout-seconds: 31', 'timeout-seconds', 1, '31', 'from 1 to 30'],
    ['half a second', 'timeout-seconds: 0.5', 'timeout-seconds', 1, '0.5', 'whole number'],
    ['a negative one', 'timeout-seconds: -1', 'timeout-seconds', 1, '-1', 'whole number'],
    ['a unit', 'timeout-seconds: 10s', 'timeout-seconds', 1, '10s', 'without a unit'],
  ])('%s', (_, text, field, line, value, cure) => {
    const parsed = parse(text);
    expect(parsed.ok).toBe(false);
    const errors = parsed.issues.filter((issue) => issue.severity === 'error');
    expect(errors).toMatchObject([{ path: `webhook-configuration.${field}`, line, value }]);
    expect(errors[0]?.message).toContain(cure);
  });

  test.each([
    ['a text', 'true'],
    ['a list', '- enable: true'],
  ])('%s instead of a map', (_, text) => {
    expect(parse(text)).toMatchObject({ ok: false, issues: [{ path: 'webhook-configuration' }] });
    expect(parse(text).issues[0]?.message).toContain('`enable: true`');
  });

  test('a deeper second key, which is no YAML', () => {
    const parsed = parse('enable: true\n  failure-policy: Ignore');
    expect(parsed).toMatchObject({ ok: false, issues: [{ severity: 'error', path: 'webhook-configuration' }] });
    expect(parsed.issues[0]?.line).toBeDefined();
  });

  test('a list where a text belongs', () => {
    expect(parse('enable: [true]')).toMatchObject({
      ok: false,
      issues: [{ path: 'webhook-configuration.enable' }, {}],
    });
  });

  test('the whole ConfigMap with it: a bad edit of the switch changes nothing', () => {
    const data = { 'registry-info': '[]', 'webhook-configuration': 'enable: true\ntimeout-seconds: 99' };
    expect(parseConfig(data, FAKE_CONTEXT)).toMatchObject({
      ok: false,
      issues: [{ path: 'webhook-configuration.timeout-seconds', line: 2 }],
    });
  });
});
