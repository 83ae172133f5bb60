import { expect, test } from '@jest/globals';
import { allUsers, buildKubeconfig, buildTokenFile, makeTokens } from '../../../support/control-plane/users.ts';

test('every user has a token of its own', () => {
  const tokens = makeTokens(allUsers([{ name: 'a' }, { name: 'b' }]));
  expect([...tokens.keys()]).toEqual(['admin', 'system:kube-controller-manager', 'a', 'b']);
  expect(new Set(tokens.values()).size).toBe(4);
});

test('the token file quotes its fields, so that groups may be several', () => {
  const tokens = new Map([['a', 't']]);
  expect(buildTokenFile([{ name: 'a', groups: ['x', 'y'] }], tokens)).toBe('"t","a","a","x,y"\n');
});

test('a kubeconfig carries server, CA and token', () => {
  const config: unknown = JSON.parse(buildKubeconfig({ url: 'https://127.0.0.1:1', ca: 'PEM', user: 'a', token: 't' }));
  expect(config).toMatchObject({
    clusters: [{ cluster: { server: 'https://127.0.0.1:1', 'certificate-authority-data': 'UEVN' } }],
    users: [{ name: 'a', user: { token: 't' } }],
    'current-context': 'test',
  });
});
