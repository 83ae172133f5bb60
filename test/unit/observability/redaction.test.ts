// Masking: no form of a registered secret survives, and nothing else is touched.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SecretRegistry } from '../../../src/observability/redaction.ts';

const SECRET = 'fake "secret"+/=ü';

describe('a registered secret', () => {
  const secrets = new SecretRegistry();
  secrets.register('a', [SECRET]);

  test.each<[string, string]>([
    ['as it is', SECRET],
    ['inside JSON', JSON.stringify({ a: SECRET })],
    ['inside JSON inside JSON', JSON.stringify({ a: JSON.stringify({ b: SECRET }) })],
    ['in a URL', `https://a.example/?x=${encodeURIComponent(SECRET)}&y=1`],
    ['in a form', new URLSearchParams({ x: SECRET }).toString()],
    ['in base64', Buffer.from(SECRET).toString('base64')],
    ['in base64 for URLs', Buffer.from(SECRET).toString('base64url')],
    ...['robot', 'robo', 'rob'].map((user): [string, string] => [
      `in basic authentication of ${user}`,
      Buffer.from(`${user}:${SECRET}`).toString('base64'),
    ]),
    [
      'in a docker configuration in base64',
      Buffer.from(JSON.stringify({ auths: { 'a.example': { password: SECRET } } })).toString('base64'),
    ],
  ])('is masked %s', (_name, text) => {
    const masked = secrets.mask(`before ${text} after`);
    expect(masked).toContain('[redacted]');
    expect(masked).toMatch(/^before .* after$/s);
    for (const form of [SECRET, encodeURIComponent(SECRET)]) expect(masked).not.toContain(form);
    expect(Buffer.from(masked.replaceAll(/before | after/g, ''), 'base64').toString()).not.toContain(SECRET);
  });

  test('leaves other text alone', () => {
    expect(secrets.mask('Wrote a Secret [redactable] fake')).toBe('Wrote a Secret [redactable] fake');
  });
});

test('before anything is registered every text is as it was', () => {
  expect(new SecretRegistry().mask('fake-secret')).toBe('fake-secret');
});

test('the previous generation stays masked, the one before it does not', () => {
  const secrets = new SecretRegistry();
  for (const generation of ['fake-first', 'fake-second', 'fake-third']) secrets.register('a', [generation]);
  expect(secrets.mask('fake-first fake-second fake-third')).toBe('fake-first [redacted] [redacted]');
});

test('registering the same again does not push the previous generation out', () => {
  const secrets = new SecretRegistry();
  for (const generation of ['fake-first', 'fake-second', 'fake-second']) secrets.register('a', [generation]);
  expect(secrets.mask('fake-first')).toBe('[redacted]');
});

test('what is shorter than six characters is a word, not a secret', () => {
  const secrets = new SecretRegistry();
  secrets.register('a', ['', 'kube']);
  expect(secrets.mask('kube-system')).toBe('kube-system');
});

test('a secret that contains another is masked whole', () => {
  const secrets = new SecretRegistry();
  secrets.register('a', ['fake-secret']);
  secrets.register('b', ['fake-secret-and-more']);
  expect(secrets.mask('fake-secret-and-more')).toBe('[redacted]');
});

test('no text whatever, at any place of a base64 document, shows a secret', () => {
  const long = fc.string({ minLength: 12, unit: 'binary' }).filter((text) => text.isWellFormed());
  fc.assert(
    fc.property(long, fc.string(), fc.string(), (secret, before, after) => {
      const secrets = new SecretRegistry();
      secrets.register('a', [secret]);
      const text = Buffer.from(`${before}${secret}${after}`).toString('base64');
      expect(secrets.mask(text)).not.toBe(text);
      expect(secrets.mask(JSON.stringify(secret))).toBe('"[redacted]"');
    }),
  );
});
