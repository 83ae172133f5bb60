// `ImagePullSecret` resources -> rules: with the vendor's fields alone, and with ours.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_RESOURCE_NAME, parseImagePullSecret } from '../../../src/core/image-pull-secret.ts';
import { includesNamespace, includesServiceAccount } from '../../../src/core/scope.ts';
import { createItemParser } from '../../../src/credentials/requests.ts';
import { createProviders, withResourceProvider } from '../../../src/providers/table.ts';

const parseItem = createItemParser(withResourceProvider(createProviders()), {
  namespace: 'kube-system',
  secretNamespaces: [],
  keptSecrets: ['our-resources'],
});
const DOCKER = { server: 'acme-prod.tencentcloudcr.com', username: '100099990001', password: 'Fake-Passw0rd' };

const parse = (spec: unknown, name = 'tcr-a1b2c3d4-vpc') => parseImagePullSecret(name, spec, parseItem);
const issuesOf = (spec: unknown, name?: string) => parse(spec, name).issues;

test('the vendor’s sample is a rule under the vendor’s Secret name, without its password', () => {
  const { rule, issues } = parse({ namespaces: '*', serviceAccounts: 'default,builder', docker: DOCKER });
  expect(issues).toEqual([]);
  expect(rule).toMatchObject({
    origin: 'ImagePullSecret tcr-a1b2c3d4-vpc',
    secretName: 'tcr.ipstcr-a1b2c3d4-vpc',
    requests: [{ cacheKey: 'image-pull-secret/tcr-a1b2c3d4-vpc', hosts: ['acme-prod.tencentcloudcr.com'] }],
  });
  expect(JSON.stringify(rule)).not.toContain('Fake-Passw0rd');
});

test('[tcr S3] `*` includes system namespaces and our own, unless they are excluded', () => {
  const all = parse({ namespaces: '*', docker: DOCKER }).rule?.scope;
  const fewer = parse({ namespaces: '*', excludeNamespaces: 'kube-*', docker: DOCKER }).rule?.scope;
  for (const name of ['kube-system', 'kube-public', 'kube-node-lease', 'tcr-assistant-system', 'web']) {
    const namespace = { name, labels: {} };
    expect(all !== undefined && includesNamespace(all, namespace)).toBe(true);
    expect(fewer !== undefined && includesNamespace(fewer, namespace)).toBe(!name.startsWith('kube-'));
  }
});

test('selectors add to names, and stand for an absent list', () => {
  const scopeOf = (spec: object) => parse({ ...spec, docker: DOCKER }).rule?.scope;
  const web = { name: 'web', labels: { team: 'shop' } };
  const other = { name: 'other', labels: {} };
  const selector = { matchLabels: { team: 'shop' } };
  const selected = scopeOf({ namespaceSelector: selector });
  expect([web, other].map((one) => selected && includesNamespace(selected, one))).toEqual([true, false]);
  const both = scopeOf({ namespaces: 'other', namespaceSelector: selector });
  expect([web, other].map((one) => both && includesNamespace(both, one))).toEqual([true, true]);
  const accounts = scopeOf({ serviceAccountSelector: selector });
  expect([web, other].map((one) => accounts && includesServiceAccount(accounts, one))).toEqual([true, false]);
});

describe('what is wrong', () => {
  test.each<[string, unknown, string]>([
    ['an empty server', { ...DOCKER, server: '' }, 'spec.docker.server'],
    ['a scheme', { ...DOCKER, server: 'https://acme.example' }, 'spec.docker.server'],
    ['a path', { ...DOCKER, server: 'acme.example/v2' }, 'spec.docker.server'],
    ['an empty user name', { ...DOCKER, username: '' }, 'spec.docker.username'],
    ['a user name with a colon', { ...DOCKER, username: 'a:b' }, 'spec.docker.username'],
    ['no password', { ...DOCKER, password: undefined }, 'spec.docker.password'],
    ['a password as long as a file', { ...DOCKER, password: 'p'.repeat(16_385) }, 'spec.docker.password'],
    ['a user name that is none', { ...DOCKER, username: 'u'.repeat(1_025) }, 'spec.docker.username'],
    ['two passwords', { ...DOCKER, passwordSecretRef: { name: 'login' } }, 'spec.docker.password'],
    [
      'a Secret elsewhere',
      { ...DOCKER, password: undefined, passwordSecretRef: { name: 'login', namespace: 'other' } },
      'spec.docker.passwordSecretRef.namespace',
    ],
    [
      'a Secret with a key to a cloud',
      { ...DOCKER, password: undefined, passwordSecretRef: { name: 'alibaba-addon-secret' } },
      'spec.docker.passwordSecretRef.name',
    ],
    [
      'the Secret that declares resources, under a name of its own',
      { ...DOCKER, password: undefined, passwordSecretRef: { name: 'our-resources', key: 'imagePullSecrets.json' } },
      'spec.docker.passwordSecretRef.name',
    ],
  ])('[tcr V1] %s is no rule', (_what, docker, path) => {
    const { rule, issues } = parse({ docker });
    expect(rule).toBeUndefined();
    expect(issues).toMatchObject([{ severity: 'error', path }]);
  });

  test.each<[string, object, string]>([
    ['no spec', {}, 'spec.docker.server'],
    [
      'a selector that cannot be read',
      { namespaceSelector: { matchLabels: 1 }, docker: DOCKER },
      'spec.namespaceSelector.matchLabels',
    ],
    ['exclusions that are no names', { excludeNamespaces: 'a b', docker: DOCKER }, 'spec.excludeNamespaces'],
    [
      'a list of more than 100 patterns and exceptions',
      { excludeNamespaces: `${'a*,'.repeat(60)}${'!b,'.repeat(41)}`, docker: DOCKER },
      'spec.excludeNamespaces',
    ],
    [
      'a selector of more than 1,000 values',
      {
        serviceAccountSelector: {
          matchExpressions: [{ key: 'team', operator: 'In', values: Array<string>(1_001).fill('a') }],
        },
        docker: DOCKER,
      },
      'spec.serviceAccountSelector',
    ],
    ['a list of tcr', { tcr: [], docker: DOCKER }, 'spec.tcr'],
    [
      'a server that means the mirrors of the vendor, too,',
      { tcr: { registryId: 'tcr-fake0000', regionId: 'ap-guangzhou' }, docker: { server: '*.*.com' } },
      'spec.docker.server',
    ],
  ])('%s is no rule', (_what, spec, path) => {
    const { rule, issues } = parse(spec);
    expect(rule).toBeUndefined();
    expect(issues[0]).toMatchObject({ severity: 'error', path });
  });

  test('[tcr V1] a name that makes the Secret’s too long', () => {
    expect(issuesOf({ docker: DOCKER }, 'a'.repeat(MAX_RESOURCE_NAME))).toEqual([]);
    expect(MAX_RESOURCE_NAME).toBe(246);
    expect(issuesOf({ docker: DOCKER }, 'a'.repeat(247))).toMatchObject([{ path: 'metadata.name' }]);
  });

  test('[tcr C6] a bad list has its real names only', () => {
    const { rule, issues } = parse({ namespaces: '*,web', docker: DOCKER });
    expect(issues).toMatchObject([{ path: 'spec.namespaces' }]);
    const scope = rule?.scope;
    const reached = ['web', 'other'].filter((name) => scope && includesNamespace(scope, { name, labels: {} }));
    expect(reached).toEqual(['web']);
  });

  test('a list that is too long to be read is no rule, and takes nothing away', () => {
    const { rule, issues } = parse({ namespaces: 'a,'.repeat(10_001), docker: DOCKER });
    expect(rule).toBeUndefined();
    expect(issues).toMatchObject([{ path: 'spec.namespaces', message: expect.stringContaining('use a selector') }]);
  });

  test('as many names as there is room for are excluded, and 100 patterns and exceptions', () => {
    const text = `${'a*,'.repeat(60)}${'!b,'.repeat(40)}${Array.from({ length: 5_000 }, (_, at) => `n${at}`).join()}`;
    expect(issuesOf({ excludeNamespaces: text, docker: DOCKER })).toEqual([]);
  });

  test('another Secret, or another key in it, is another credential', () => {
    const login = { server: DOCKER.server, username: DOCKER.username };
    const keyOf = (reference: object | undefined): string | undefined =>
      parse({ docker: reference === undefined ? DOCKER : { ...login, passwordSecretRef: reference } }).rule?.requests[0]
        ?.cacheKey;
    const keys = [undefined, { name: 'a' }, { name: 'b' }, { name: 'a', key: 'token' }].map(keyOf);
    expect(new Set(keys).size).toBe(4);
    expect(keys).not.toContain(undefined);
  });

  test('nothing that JSON can hold makes it throw, or shows the password', () => {
    const field = fc.oneof(fc.jsonValue(), fc.constant('fake-secret-0123456789abcdef'));
    const keys = fc.constantFrom(
      'namespaces',
      'serviceAccounts',
      'docker',
      'tcr',
      'namespaceSelector',
      'excludeNamespaces',
    );
    const docker = fc.dictionary(fc.constantFrom('server', 'username', 'passwordSecretRef'), fc.jsonValue());
    fc.assert(
      fc.property(fc.dictionary(keys, field), docker, (spec, of) => {
        const secret = 'fake-secret-0123456789abcdef';
        const { issues } = parse({ ...spec, docker: { ...of, password: secret } });
        expect(JSON.stringify(issues.filter(({ path }) => path.startsWith('spec.docker')))).not.toContain(secret);
      }),
    );
  });
});
