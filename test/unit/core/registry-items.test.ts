// The lists of registries: what is an item, what items share, and what they must not.
import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../../src/core/config.ts';
import { ACR_SECRET_NAME, SECRET_NAME } from '../../../src/core/names.ts';
import { isSecretName } from '../../../src/core/registry-items.ts';
import { createItemParser } from '../../../src/credentials/requests.ts';
import { createProviders } from '../../../src/providers/table.ts';
import type { Rule } from '../../../src/core/types.ts';
import { patterns } from '../../support/builders.ts';
import { FAKE_CONTEXT } from '../../support/fake-items.ts';

function parse(registryInfo: string | undefined, data: Readonly<Record<string, string>> = {}) {
  return parseConfig(
    { ...(registryInfo === undefined ? {} : { 'registry-info': registryInfo }), ...data },
    FAKE_CONTEXT,
  );
}

function rulesOf(registryInfo: string | undefined, data: Readonly<Record<string, string>> = {}): readonly Rule[] {
  const parsed = parse(registryInfo, data);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.value.rules;
}

/** `secret: key, key` of each rule. */
function summary(rules: readonly Rule[]): readonly string[] {
  return rules.map((rule) => `${rule.secretName}: ${rule.requests.map((request) => request.cacheKey).join(', ')}`);
}

const A = '- provider: fake\n  id: a\n  domains: a.example\n';
const B = '- provider: fake\n  id: b\n  domains: b.example\n';

describe('a list of registries', () => {
  test.each([
    ['items under one Secret make one rule', A + B, [`${SECRET_NAME}: fake/a, fake/b`]],
    ['JSON is YAML too', '[{"provider": "fake", "id": "a"}]', [`${SECRET_NAME}: fake/a`]],
    ['the first line may be indented', '\n  - provider: fake\n    id: a\n', [`${SECRET_NAME}: fake/a`]],
    [
      'the first line may be indented without a line break before',
      '  - provider: fake\n    id: a',
      [`${SECRET_NAME}: fake/a`],
    ],
    ['field names match in any case', '- Provider: fake\n  ID: a\n  Secret_Name: x', ['x: fake/a']],
    ['`[]` means no registry', '[]', []],
    [
      'the same instance in two regions is not the same credential',
      '- {provider: fake, id: a, regionId: r1}\n- {provider: fake, id: a, regionId: r2}',
      [`${SECRET_NAME}: fake/a/r1, fake/a/r2`],
    ],
    [
      'the same instance in two accounts is not the same credential',
      '- {provider: fake, id: a, account: x}\n- {provider: fake, id: a, account: y}',
      [`${SECRET_NAME}: fake/a/x, fake/a/y`],
    ],
    [
      'the same credential in two Secrets is allowed',
      '- {provider: fake, id: a}\n- {provider: fake, id: a, secret-name: other}',
      [`${SECRET_NAME}: fake/a`, 'other: fake/a'],
    ],
  ])('%s', (_, text, expected) => {
    expect(summary(rulesOf(text))).toEqual(expected);
    expect(parse(text).issues).toEqual([]);
  });

  test('of the vendor implies its provider and its Secret', () => {
    const rules = rulesOf(A, { 'acr-registry-info': '- id: x' });
    expect(summary(rules)).toEqual([`${ACR_SECRET_NAME}: acr/x`, `${SECRET_NAME}: fake/a`]);
    expect(rules.map((rule) => rule.origin)).toEqual(['acr-registry-info', 'registry-info']);
  });

  test('shares a Secret with the other list when it bears the same name', () => {
    const rules = rulesOf(A, { 'acr-registry-info': '- id: x', 'acr-secret-name': 'one', 'secret-name': 'one' });
    expect(summary(rules)).toEqual(['one: acr/x, fake/a']);
    expect(rules[0]?.origin).toBe('acr-registry-info and registry-info');
  });

  test('that is only a comment is like none beside one that is not', () => {
    expect(summary(rulesOf(A, { 'acr-registry-info': '#- instanceId: ""' }))).toEqual([`${SECRET_NAME}: fake/a`]);
    expect(summary(rulesOf('# none', { 'acr-registry-info': '- id: x' }))).toEqual([`${ACR_SECRET_NAME}: acr/x`]);
  });

  test.each([
    ['only a comment', '# none', {}, 'registry-info', 'holds no item'],
    ['null', 'null', {}, 'registry-info', 'holds no item'],
    ['a map', 'provider: fake', {}, 'registry-info', 'must be a YAML list'],
    ['a text', 'fake', {}, 'registry-info', 'must be a YAML list'],
    ['more items than anybody has', '- a\n'.repeat(1_001), {}, 'registry-info', 'at most 1000 items'],
  ])('%s is refused', (_, text, data, path, message) => {
    expect(parse(text, data)).toMatchObject({
      ok: false,
      issues: [{ severity: 'error', path, message: expect.stringContaining(message) }],
    });
  });
});

describe('an item', () => {
  test('may have namespaces, ServiceAccounts and a Secret of its own', () => {
    const own = '- provider: fake\n  id: c\n  secret-name: c\n  watch-namespace: [x, "y-*"]\n  service-account: "*"';
    const data = { 'watch-namespace': 'default', 'watch-namespace-selector': 'a=b', 'exclude-namespace': 'z' };
    const [inherited, overridden] = rulesOf(`${A}${own}`, data);
    expect(inherited?.scope).toMatchObject({ namespaces: patterns('default'), serviceAccounts: patterns('default') });
    expect(inherited?.scope.namespaceSelector).toHaveLength(1);
    expect(overridden?.scope).toEqual({
      namespaces: patterns('x, y-*'),
      namespaceSelector: undefined,
      excludedNamespaces: patterns('z'),
      serviceAccounts: patterns('*'),
      serviceAccountSelector: undefined,
    });
  });

  test.each([
    ['is no map', '- fake', 'registry-info[0]', 1, 'must be a map of fields'],
    ['names no provider', '- id: a', 'registry-info[0].provider', 1, 'is missing: write one of acr, fake'],
    [
      'names an unknown provider',
      '-\n  id: a\n  provider: ecr',
      'registry-info[0].provider',
      3,
      'unknown provider: write one of acr, fake',
    ],
    ['lacks a field of its provider', `${A}- provider: fake`, 'registry-info[1].id', 4, 'is missing'],
    [
      'has a field of a wrong type',
      '- provider: fake\n  id: a\n  regionId: [x]',
      'registry-info[0].regionId',
      3,
      'must be text',
    ],
    [
      'has a wrong Secret name',
      '- provider: fake\n  id: a\n  secretName: A',
      'registry-info[0].secret-name',
      3,
      'must be the name of a Secret',
    ],
    [
      'has a wrong scope',
      '- provider: fake\n  id: a\n  watch-namespace: "a b"',
      'registry-info[0].watch-namespace',
      3,
      'not a name',
    ],
    [
      'has a field twice',
      '- provider: fake\n  id: a\n  secretName: a\n  secret-name: b',
      'registry-info[0].secret-name',
      3,
      'mean the same field',
    ],
    [
      'asks for the same credential as another',
      A + A,
      'registry-info[1]',
      4,
      'asks for the same credential as registry-info[0]',
    ],
    [
      'shares a Secret but not the namespaces',
      `${A}- provider: fake\n  id: b\n  watch-namespace: x`,
      'registry-info[1]',
      4,
      'for other namespaces or ServiceAccounts',
    ],
  ])('that %s is an error', (_, text, path, line, message) => {
    const parsed = parse(text);
    expect(parsed.ok).toBe(false);
    const errors = parsed.issues.filter((issue) => issue.severity === 'error');
    expect(errors).toMatchObject([{ path, message: expect.stringContaining(message) }]);
    if (!message.includes('the same credential') && !message.includes('for other')) expect(errors[0]?.line).toBe(line);
  });

  test('may repeat the scope that it shares, in any order', () => {
    const text = `- {provider: fake, id: a, watch-namespace: "x-*, y-*, b, a"}\n- {provider: fake, id: b, watch-namespace: "a, b, y-*, x-*"}`;
    expect(summary(rulesOf(text))).toEqual([`${SECRET_NAME}: fake/a, fake/b`]);
    expect(summary(rulesOf(`${A}- {provider: fake, id: b, watch-namespace: default}`))).toHaveLength(1);
  });

  test('that claims a host of another is a warning: the first wins', () => {
    const text = `${A}- provider: fake\n  id: b\n  domains: b.example, a.example`;
    expect(parse(text)).toMatchObject({
      ok: true,
      issues: [{ severity: 'warning', path: 'registry-info[1].domains', value: 'a.example' }],
    });
    expect(parse(`${A}- {provider: fake, id: b, domains: a.example, secret-name: other}`).issues).toEqual([]);
  });

  test('that claims many hosts of another is one warning', () => {
    const domains = 'a.example, b.example, c.example';
    const parsed = parse(
      `- {provider: fake, id: a, domains: "${domains}"}\n- {provider: fake, id: b, domains: "${domains}"}`,
    );
    expect(parsed.ok).toBe(true);
    expect(parsed.issues).toMatchObject([
      { severity: 'warning', value: 'a.example', message: expect.stringContaining('and 2 more like it') },
    ]);
  });

  test('that has an unknown field is a warning with its line and the nearest field', () => {
    expect(parse('- provider: fake\n  id: a\n  domain: x').issues).toEqual([
      {
        severity: 'warning',
        path: 'registry-info[0].domain',
        message: 'unknown field, ignored: did you mean domains?',
        line: 3,
      },
    ]);
  });
});

describe('the hosts of one Secret', () => {
  const hosts = (from: number, count: number, label = 'h') =>
    Array.from({ length: count }, (_, index) => `${label}${from + index}.example`).join(',');
  const item = (id: string, domains: string, more = '') =>
    `- {provider: fake, id: ${id}, domains: "${domains}"${more}}\n`;

  test('may be a thousand', () => {
    expect(parse(item('a', hosts(0, 500)) + item('b', hosts(500, 500)))).toMatchObject({ ok: true, issues: [] });
    expect(parse(item('a', hosts(0, 1_000)) + item('b', hosts(1_000, 1_000), ', secret-name: other')).ok).toBe(true);
  });

  test.each([
    [
      'more than a thousand',
      item('a', hosts(0, 500)) + item('b', hosts(500, 501)),
      'more than 1,000 hosts in one Secret',
    ],
    [
      'more characters than an annotation takes',
      item('a', hosts(0, 900, `${'l'.repeat(60)}.${'l'.repeat(60)}.`)),
      'hosts of more than 100,000 characters',
    ],
  ])('may not be %s', (_, text, message) => {
    expect(parse(text)).toMatchObject({
      ok: false,
      issues: [{ severity: 'error', message: expect.stringContaining(message) as unknown, value: SECRET_NAME }],
    });
  });
});

describe('a Secret in which one item has its key', () => {
  const providers = createProviders();
  const context = {
    parseItem: createItemParser(providers, {
      namespace: 'registry',
      secretNamespaces: ['keys'],
    }),
    providers: [...providers.keys()],
    namespace: 'registry',
  };
  const key = (ref: string) => `- {instanceId: cri-a, regionId: cn-hangzhou, accessKeySecretRef: ${ref}}`;
  const login = (ref: string) =>
    `- {provider: static, domains: a.example, secretRef: ${ref}, usernameKey: access-key-id}`;
  const parseBoth = (acr: string, fixed: string) =>
    parseConfig({ 'acr-registry-info': key(acr), 'registry-info': login(fixed) }, context);

  test.each([
    ['{name: acr-key}', '{name: acr-key}'],
    ['{name: acr-key}', '{name: acr-key, namespace: registry}'],
    ['{name: acr-key, namespace: keys}', '{name: acr-key, namespace: keys}'],
  ])('may not be published by another: %s, %s', (acr, fixed) => {
    expect(parseBoth(acr, fixed)).toMatchObject({
      ok: false,
      issues: [
        {
          severity: 'error',
          path: 'registry-info[0]',
          message: expect.stringMatching(
            /^publishes the Secret \w+\/acr-key, in which acr-registry-info\[0\] has its key/,
          ),
        },
      ],
    });
  });

  test('says nothing of one of the same name elsewhere', () => {
    expect(parseBoth('{name: x, namespace: keys}', '{name: x}')).toMatchObject({ ok: true, issues: [] });
  });
});

test.each([
  ['a', true],
  ['a.b-c.d', true],
  ['a'.repeat(253), true],
  ['a'.repeat(254), false],
  ['', false],
  ['A', false],
  ['a..b', false],
  ['a.-b', false],
  ['-a', false],
  ['a\n', false],
])('is %p the name of a Secret? %p', (name, expected) => {
  expect(isSecretName(name)).toBe(expected);
});
