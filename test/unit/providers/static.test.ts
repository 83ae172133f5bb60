// Provider `static`: a user name and password from a Secret; and the hosts that people write.
import { describe, expect, test } from '@jest/globals';
import { readFields } from '../../../src/core/fields.ts';
import { isRegistryHost, parseHosts } from '../../../src/core/registry-host.ts';
import type { ProviderWorld } from '../../../src/providers/provider.ts';
import { createStaticProvider } from '../../../src/providers/static/static.ts';
import { emptyWorld, TARGET_DEFAULTS } from '../../support/provider-world.ts';

const DEFAULTS = { ...TARGET_DEFAULTS, region: undefined, namespace: 'registry' };
const provider = createStaticProvider();
const { signal } = new AbortController();

describe('an item', () => {
  test('names hosts and a Secret', () => {
    expect(
      provider.parseTarget(
        { domains: ['A.example', 'b.example'], server: 'c.example', secretRef: { name: 'login' } },
        DEFAULTS,
      ),
    ).toEqual({
      ok: true,
      issues: [],
      value: {
        hosts: ['a.example', 'b.example', 'c.example'],
        secret: { namespace: 'registry', name: 'login' },
        usernameKey: 'username',
        passwordKey: 'password',
      },
    });
  });

  test.each<[string, object, string, string]>([
    ['no host', { secretRef: { name: 'login' } }, 'domains', 'is missing'],
    [
      'more hosts than a Secret takes',
      { domains: Array.from({ length: 1_001 }, (_, index) => `-h${index}`), secretRef: { name: 'login' } },
      'domains',
      'more than 1,000 hosts in one Secret',
    ],
    ['no Secret', { domains: 'a.example' }, 'secretRef', 'name a Secret with the keys `username` and `password`'],
    [
      'a Secret elsewhere',
      { domains: 'a.example', secretRef: { name: 'x', namespace: 'kube-system' } },
      'secretRef.namespace',
      'put the Secret into registry',
    ],
    [
      'the Secret of a cloud identity, which would be published',
      { domains: 'a.example', secretRef: { name: 'alibaba-addon-secret' }, passwordKey: 'access-key-secret' },
      'secretRef.name',
      'must not be written into namespaces',
    ],
    [
      'the token of a managed role, which would be published',
      { domains: 'a.example', secretRef: { name: 'addon.aliyuncsmanagedacrrole.token' } },
      'secretRef.name',
      'must not be written into namespaces',
    ],
    [
      'our own master copy, which would be published',
      { domains: 'a.example', secretRef: { name: 'registry-credential-helper-state-default' } },
      'secretRef.name',
      'must not be written into namespaces',
    ],
    [
      'a Secret that cannot be',
      { domains: 'a.example', secretRef: { name: 'A/../b' } },
      'secretRef.name',
      'must be the name of a Secret',
    ],
  ])('with %s is refused', (_name, item, path, text) => {
    const { issues } = provider.parseTarget({ ...item }, DEFAULTS);
    expect(issues).toEqual([
      expect.objectContaining({ severity: 'error', path, message: expect.stringContaining(text) }),
    ]);
  });
});

describe('fetchCredential', () => {
  const target = {
    hosts: ['a.example'],
    secret: { namespace: 'registry', name: 'login' },
    usernameKey: 'user',
    passwordKey: 'token',
  };
  const world = (data: Readonly<Record<string, string>>): ProviderWorld =>
    emptyWorld({ now: () => 7, readSecret: () => Promise.resolve(data) });

  test('gives what the Secret holds, for ever, without the line break that echo leaves', async () => {
    const credential = await provider.fetchCredential(
      target,
      world({ user: 'robot$ci\n', token: 'fake-pass word\n' }),
      signal,
    );
    expect(credential).toEqual({ username: 'robot$ci', password: 'fake-pass word', issuedAt: 7, expiresAt: undefined });
  });

  test('names the key that is missing and the command that creates it', async () => {
    await expect(
      provider.fetchCredential(target, world({ user: 'robot', password: 'fake' }), signal),
    ).rejects.toMatchObject({
      reason: 'IdentityUnavailable',
      message:
        'The Secret registry/login lacks the key token, or holds nothing there: create it with `kubectl -n registry create secret generic login --from-literal=user=… --from-literal=token=…`',
    });
  });

  test('a user name with a colon is refused without showing it', async () => {
    const refused = provider.fetchCredential(target, world({ user: 'robot:fake', token: 'fake' }), signal);
    await expect(refused).rejects.toThrow('Key user of the Secret registry/login holds a colon');
  });
});

describe('registry hosts', () => {
  test.each<[string, string | undefined, number]>([
    ['Registry.Example', 'registry.example', 0],
    ['registry.example:5000', 'registry.example:5000', 0],
    ['*.example', '*.example', 0],
    ['localhost', 'localhost', 0],
    ['10.0.0.1:80', '10.0.0.1:80', 0],
    ['[fd00::1]:5000', '[fd00::1]:5000', 0],
    ['registry.example/', 'registry.example', 0],
    ['https://registry.example', 'registry.example', 1],
    ['https://index.docker.io/v1/', 'index.docker.io', 1],
    ['docker.io', 'index.docker.io', 1],
    ['registry.example/team', undefined, 1],
    ['registry.example:0', undefined, 1],
    ['registry.example:65536', undefined, 1],
    ['-a.example', undefined, 1],
    ['a..example', undefined, 1],
    ['user:fake@registry.example', undefined, 1],
    ['a b', undefined, 1],
  ])('%s', (text, host, issues) => {
    const fields = readFields({});
    expect(parseHosts(fields, 'domains', [text])).toEqual(host === undefined ? [] : [host]);
    expect(fields.issues()).toHaveLength(issues);
    expect(JSON.stringify(fields.issues())).not.toContain('user:fake');
  });

  test('each counts once', () => {
    expect(parseHosts(readFields({}), 'domains', ['a.example', 'A.example'])).toEqual(['a.example']);
  });

  test('upper case is none of ours', () => {
    expect(isRegistryHost('A.example')).toBe(false);
  });
});
