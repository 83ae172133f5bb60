// To which registries one logs in, and with what.
import { expect, test } from '@jest/globals';
import { unknownHosts, wantedLogins } from '../../../src/core/logins.ts';
import { buildCredential, buildRequest, buildRule } from '../../support/builders.ts';

const config = (...requests: Parameters<typeof buildRequest>[]) => ({
  rules: requests.map((request) => buildRule({ requests: [buildRequest(...request)] })),
});
const A = buildCredential({ username: 'a' });
const B = buildCredential({ username: 'b', hosts: ['told.example'] });

test('each host is asked once, with the credential that is held for it', () => {
  const wanted = wantedLogins(
    config(['none', ['two.example']], ['a', ['two.example', 'one.example']], ['a', ['one.example']]),
    new Map([['a', A]]),
  );
  expect(wanted).toEqual([
    { host: 'one.example', address: 'one.example', credential: A },
    { host: 'two.example', address: 'two.example', credential: A },
  ]);
});

test('hosts that the cloud told count, and those that it has not told yet are named by their request', () => {
  const rules = config(['b'], ['c']);
  const held = new Map([['b', B]]);
  expect(wantedLogins(rules, held).map(({ host }) => host)).toEqual(['told.example']);
  expect(unknownHosts(rules, held)).toEqual(['c']);
});

test('a pattern has no address, and Docker Hub another one than its name', () => {
  const wanted = wantedLogins(config(['a', ['*.example', 'index.docker.io']]), new Map());
  expect(wanted).toEqual([
    { host: '*.example', address: undefined, credential: undefined },
    { host: 'index.docker.io', address: 'registry-1.docker.io', credential: undefined },
  ]);
});
