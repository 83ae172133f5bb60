import { expect, test } from '@jest/globals';
import { parseChallenge } from '../../../support/control-plane/oci-session.ts';

test.each([
  [
    'Bearer realm="https://r/auth",service="a b",scope="repository:x/y:pull,push"',
    { scheme: 'bearer', parameters: { realm: 'https://r/auth', service: 'a b', scope: 'repository:x/y:pull,push' } },
  ],
  ['basic realm=simple', { scheme: 'basic', parameters: { realm: 'simple' } }],
  ['Negotiate', undefined],
  ['', undefined],
])('the challenge %j is read', (header, challenge) => {
  expect(parseChallenge(header)).toEqual(challenge);
});
