// What is told of a token of a ServiceAccount: never the token.
import { expect, test } from '@jest/globals';
import { oidcClaimsOf } from '../../../src/providers/oidc-claims.ts';

const NONE = { subject: undefined, issuer: undefined, audience: undefined, expiresAt: undefined };
const tokenOf = (claims: unknown): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.fake`;

test.each<[string, string, object]>([
  [
    'what a cluster signs',
    tokenOf({ sub: 'system:serviceaccount:a:b', iss: 'https://issuer.example', aud: ['x', 'y'], exp: 1_767_225_600 }),
    {
      ...{ subject: 'system:serviceaccount:a:b', issuer: 'https://issuer.example', audience: 'x, y' },
      expiresAt: Date.parse('2026-01-01T00:00:00Z'),
    },
  ],
  ['one audience as text', tokenOf({ aud: 'x' }), { ...NONE, audience: 'x' }],
  [
    'line breaks and long texts',
    tokenOf({ sub: `a\nb${'c'.repeat(300)}` }),
    { ...NONE, subject: `a?b${'c'.repeat(197)}` },
  ],
  ['an end that is no date', tokenOf({ exp: 1e15 }), NONE],
  ['claims of other kinds', tokenOf({ sub: 1, iss: {}, aud: 7, exp: 'soon' }), NONE],
  ['a list', tokenOf([]), NONE],
  ['no token', 'fake', NONE],
  ['nothing', '', NONE],
])('of %s it is told', (_what, token, expected) => {
  expect(oidcClaimsOf(token)).toEqual(expected);
});
