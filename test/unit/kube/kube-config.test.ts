import { expect, test } from '@jest/globals';
import { ConfigError } from '../../../src/core/errors.ts';
import { loadKubeConfig } from '../../../src/kube/kube-config.ts';

function kubeconfig(cluster: object = {}, overrides: object = {}): string {
  return JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443', ...cluster } }],
    users: [{ name: 'u', user: { token: 'hunter2' } }],
    contexts: [
      { name: 'x', context: { cluster: 'c', user: 'u' } },
      { name: 'other', context: { cluster: 'c', user: 'u' } },
    ],
    'current-context': 'x',
    ...overrides,
  });
}

function issueOf(content: string, context?: string): string {
  try {
    loadKubeConfig({ inCluster: false, content, context });
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.join('\n');
    throw error;
  }
  return 'none';
}

test('takes the current context, or the one that is named', () => {
  expect(loadKubeConfig({ inCluster: false, content: kubeconfig() }).getCurrentContext()).toBe('x');
  const named = loadKubeConfig({ inCluster: false, content: kubeconfig(), context: 'other' });
  expect(named.getCurrentContext()).toBe('other');
});

test.each<[string, string, string | undefined, RegExp]>([
  ['is no YAML', ': : {hunter2', undefined, /^the kubeconfig is not a kubeconfig/],
  ['has no such context', kubeconfig(), 'none', /^the kubeconfig has no context none: it has x, other$/],
  ['has no current context', kubeconfig({}, { 'current-context': '' }), undefined, /no cluster for its context \(none/],
  ['has no cluster', kubeconfig({}, { clusters: [] }), undefined, /no cluster for its context x/],
  ['has no user', kubeconfig({}, { users: [] }), undefined, /no user for its context x/],
  ['has an address that is no URL', kubeconfig({ server: 'somewhere' }), undefined, /is not a URL: somewhere/],
  ['would send tokens in the clear', kubeconfig({ server: 'http://127.0.0.1' }), undefined, /is not https/],
  ['has a proxy of an unknown kind', kubeconfig({ 'proxy-url': 'socks5://127.0.0.1' }), undefined, /proxy-url/],
])('a kubeconfig that %s is refused, never with its content', (_sentence, content, context, expected) => {
  expect(issueOf(content, context)).toMatch(expected);
  expect(issueOf(content, context)).not.toContain('hunter2');
});

test('a file that is not there is named', () => {
  expect(() => loadKubeConfig({ inCluster: false, file: '/nowhere/config' })).toThrow(
    'cannot read the kubeconfig /nowhere/config (ENOENT)',
  );
});

test('outside a cluster the rights of the Pod are missing, and what to do is said', () => {
  expect(() => loadKubeConfig({ inCluster: true })).toThrow(/outside a cluster name a kubeconfig/);
});
