// Masking: no form of a registered secret survives, and nothing else is touched.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SecretRegistry } from '../../../src/observability/redaction.ts';

const SECRET = 'fake "Secret"+/=ü<&(\'A';
const SECRET_URL = encodeURIComponent(SECRET);

describe('a registered secret', () => {
  const secrets = new SecretRegistry();
  secrets.register('a', [SECRET]);

  test.each<[string, string]>([
    ['as it is', SECRET],
    ['inside JSON', JSON.stringify({ a: SECRET })],
    ['inside JSON inside JSON', JSON.stringify({ a: JSON.stringify({ b: SECRET }) })],
    ['in a URL', `https://a.example/?x=${encodeURIComponent(SECRET)}&y=1`],
    ['in a URL with small hexadecimals', SECRET_URL.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())],
    ['in a URL that leaves no sign out', SECRET_URL.replaceAll('(', '%28').replaceAll("'", '%27')],
    ['inside JSON as Go writes it', JSON.stringify(SECRET).replaceAll('<', '\\u003c').replaceAll('&', '\\u0026')],
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

describe('however long and many', () => {
  const long = Array.from({ length: 20_000 }, (_, at) => `k${at}.`).join('');

  test('a secret of more than 100,000 characters is masked whole and in part, in base64 too', () => {
    const secrets = new SecretRegistry();
    secrets.register('a', [long]);
    expect(secrets.mask(`before ${long} after`)).toMatch(/^before (\[redacted\])+ after$/);
    expect(secrets.mask(long.slice(0, 50_000))).not.toContain('k1000.');
    expect(secrets.mask(Buffer.from(long).toString('base64')).length).toBeLessThan(long.length / 100);
  });

  test('one is found among thousands that begin alike', () => {
    const secrets = new SecretRegistry();
    for (let at = 0; at < 5_000; at += 1) secrets.register(`key ${at}`, [`eyJhbGciOiJSUzI1NiJ9.fake-${at}.x`]);
    expect(secrets.mask('a eyJhbGciOiJSUzI1NiJ9.fake-4321.x b eyJhbGciOiJSUzI1NiJ9.other')).toBe(
      'a [redacted] b eyJhbGciOiJSUzI1NiJ9.other',
    );
  });

  test('half a character does no harm', () => {
    const secrets = new SecretRegistry();
    secrets.register('a', ['fake-\ud800-secret']);
    expect(secrets.mask('fake-\ufffd-secret')).toBe('[redacted]');
  });
});

describe('what is forgotten', () => {
  test('stays masked until a hundred others were', () => {
    const secrets = new SecretRegistry();
    const names = Array.from({ length: 101 }, (_, at) => `fake-secret-${at}-x`);
    for (const name of names) secrets.register(name, [name]);
    for (const name of names.slice(0, 100)) secrets.forget(name);
    expect(secrets.mask(names[0] ?? '')).toBe('[redacted]');
    secrets.forget(names[100] ?? '');
    expect([secrets.mask(names[0] ?? ''), secrets.mask(names[1] ?? '')]).toEqual([names[0], '[redacted]']);
  });

  test('stays masked when it is registered again, and where it is another’s as well', () => {
    const secrets = new SecretRegistry();
    secrets.register('a', ['fake-shared-secret']);
    secrets.register('b', ['fake-shared-secret']);
    secrets.forget('a');
    secrets.forget('b');
    secrets.register('b', ['fake-shared-secret']);
    for (let at = 0; at < 200; at += 1) {
      secrets.register(`other ${at}`, [`fake-other-${at}`]);
      secrets.forget(`other ${at}`);
    }
    expect(secrets.mask('fake-shared-secret')).toBe('[redacted]');
  });
});
