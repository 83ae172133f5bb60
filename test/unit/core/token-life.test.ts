// The expiry of a password that is a token, read without a key.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readTokenLife } from '../../../src/core/token-life.ts';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = (claims: unknown, header: unknown = { alg: 'RS256' }): string =>
  `${encode(header)}.${encode(claims)}.c2ln`;

test('[tcr K1] a JSON Web Token tells when it ends', () => {
  expect(readTokenLife(token({ iat: 1_767_225_600, exp: 1_767_229_200 }))).toEqual({
    issuedAt: 1_767_225_600_000,
    expiresAt: 1_767_229_200_000,
  });
  expect(readTokenLife(` ${token({ exp: 1_767_229_200.5 })}\n`)).toEqual({
    issuedAt: undefined,
    expiresAt: 1_767_229_200_500,
  });
});

test.each<[string, string]>([
  ['a password', 'Fake-Passw0rd'],
  ['one with dots', 'fake.pass.word'],
  ['a token that does not end', token({ iat: 1 })],
  ['an end that is text', token({ exp: '1767229200' })],
  ['an end before all time', token({ exp: -1 })],
  ['an end beyond all time', token({ exp: 1e300 })],
  ['an end in milliseconds', token({ exp: 1_767_229_200_000 })],
  ['claims that are a list', token([1])],
  ['no header', `${encode({})}.${encode({ exp: 1_767_229_200 })}.c2ln`],
  ['a part too many', `${token({ exp: 1_767_229_200 })}.x`],
  ['a text without end', 'a'.repeat(20_000)],
])('[tcr K1] %s tells nothing', (_what, text) => {
  expect(readTokenLife(text)).toBeUndefined();
});

test('nothing that can be written makes it throw', () => {
  fc.assert(
    fc.property(fc.string(), fc.jsonValue(), (text, value) => {
      readTokenLife(text);
      readTokenLife(token(value, value));
    }),
  );
});
