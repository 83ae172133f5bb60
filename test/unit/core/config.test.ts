// The ConfigMap: every key, every default, every problem at once with path, line and value.
import { describe, expect, test } from '@jest/globals';
import { CONFIG_DEFAULTS, CONFIG_KEYS, parseConfig } from '../../../src/core/config.ts';
import { ACR_SECRET_NAME, SECRET_NAME } from '../../../src/core/names.ts';
import { includesNamespace, includesServiceAccount, NO_NAMES } from '../../../src/core/scope.ts';
import type { Config, Issue } from '../../../src/core/types.ts';
import { MINUTE, patterns } from '../../support/builders.ts';
import { FAKE_CONTEXT } from '../../support/fake-items.ts';
import { RECORDING_CONTEXT } from '../../support/recorded-items.ts';

type Data = Readonly<Record<string, string>>;

const ONE = { 'registry-info': '- provider: fake\n  id: one\n  domains: a.example' };

function parse(data: Data) {
  return parseConfig(data, FAKE_CONTEXT);
}

/** The configuration of data that is right but for warnings. */
function configOf(data: Data): Config {
  const parsed = parse({ ...ONE, ...data });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.value;
}

function issuesOf(data: Data): readonly Issue[] {
  return parse({ ...ONE, ...data }).issues;
}

describe('of more than a hundred issues', () => {
  const unknown = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`unknown-key-${index}`, 'x']));

  test('the errors come first, and the rest is counted', () => {
    const issues = issuesOf({ ...unknown, 'adopt-existing': 'x' });
    expect(issues).toHaveLength(101);
    expect(issues[0]).toMatchObject({ severity: 'error', path: 'adopt-existing' });
    expect(issues.at(-1)).toEqual({ severity: 'warning', path: '', message: '… and 51 more' });
  });

  test('warnings alone refuse nothing', () => {
    expect(parse({ ...ONE, ...unknown })).toMatchObject({ ok: true });
  });

  test('the rest counts as an error when there are errors in it', () => {
    const issues = issuesOf({ 'registry-info': '- x\n'.repeat(150) });
    expect(issues.at(-1)).toEqual({ severity: 'error', path: '', message: '… and 50 more' });
  });
});

describe('a mask that was pasted back is refused, with one error,', () => {
  const message = 'holds ********, which stands for what is not shown: write your own';
  const nested = [
    'registry-info',
    'acr-registry-info',
    'tcr-registry-info',
    'acr-registry',
    'managed-secret-labels',
    'rrsa',
  ];

  test.each(CONFIG_KEYS.filter((key) => ![...nested, 'webhook-configuration'].includes(key)))('in %s', (key) => {
    expect(issuesOf({ [key]: 'a********' })).toEqual([{ severity: 'error', path: key, message }]);
  });

  test('in a name of the managed edition', () => {
    expect(issuesOf({ watchNamespace: '********' })).toEqual([{ severity: 'error', path: 'watchNamespace', message }]);
  });

  test.each(['watch-namespace', 'service-account', 'secret-name', 'provider', 'domains', 'id'])(
    'in %s of an item',
    (field) => {
      const item = { provider: 'fake', id: 'one', domains: 'a.example', [field]: '********' };
      const path = `registry-info[0].${field}`;
      expect(issuesOf({ 'registry-info': JSON.stringify([item]) })).toEqual([{ severity: 'error', path, message }]);
    },
  );

  test.each([
    ['managed-secret-labels', 'team: "********"'],
    ['rrsa', 'enable: "********"'],
    ['webhook-configuration', 'enable: true\nfailure-policy: "********"'],
    ['acr-registry', '********.aliyuncs.com'],
  ])('inside %s', (key, text) => {
    const [base, context] = key === 'acr-registry' ? [{}, RECORDING_CONTEXT] : [ONE, FAKE_CONTEXT];
    const { issues } = parseConfig({ ...base, [key]: text }, context);
    const errors = issues.filter(({ severity }) => severity === 'error');
    expect(errors).toEqual([expect.objectContaining({ path: expect.stringContaining(key) })]);
  });
});

describe('a key that is absent or empty has its default', () => {
  const scopeOf = (data: Data) => configOf(data).rules[0]?.scope;

  test.each<readonly [string, (data: Data) => unknown, unknown]>([
    ['watch-namespace', (data) => scopeOf(data)?.namespaces, patterns('default')],
    ['service-account', (data) => scopeOf(data)?.serviceAccounts, patterns('default')],
    ['exclude-namespace', (data) => scopeOf(data)?.excludedNamespaces, NO_NAMES],
    ['watch-namespace-selector', (data) => scopeOf(data)?.namespaceSelector, undefined],
    ['service-account-selector', (data) => scopeOf(data)?.serviceAccountSelector, undefined],
    ['expiring-threshold', (data) => configOf(data).thresholdMs, 15 * MINUTE],
    ['adopt-existing', (data) => configOf(data).adoptExisting, 'vendor'],
    ['managed-secret-labels', (data) => configOf(data).secretLabels, {}],
    ['notify-email', (data) => configOf(data).email, undefined],
    ['webhook-configuration', (data) => configOf(data).webhook, undefined],
    ['secret-name', (data) => configOf(data).rules[0]?.secretName, SECRET_NAME],
    [
      'acr-secret-name',
      (data) => configOf({ 'registry-info': '', 'acr-registry-info': '- id: x', ...data }).rules[0]?.secretName,
      ACR_SECRET_NAME,
    ],
    ['region', (data) => configOf(data).rules[0]?.requests[0]?.target, { id: 'one', region: undefined }],
  ])('%s', (key, read, expected) => {
    expect(CONFIG_KEYS).toContain(key);
    for (const data of [{}, { [key]: '' }, { [key]: ' \n' }]) expect(read(data)).toEqual(expected);
    expect(issuesOf({})).toEqual([]);
  });

  test('and every default is written down in one place', () => {
    expect(Object.keys(CONFIG_DEFAULTS).sort()).toEqual(
      ['acr-secret-name', 'adopt-existing', 'exclude-namespace', 'expiring-threshold', 'secret-name'].concat([
        'service-account',
        'tokenMode',
        'watch-namespace',
      ]),
    );
  });
});

describe('a key that is set', () => {
  test('bounds the scope of every item', () => {
    const { rules } = configOf({
      'watch-namespace': 'shop, team-*',
      'watch-namespace-selector': 'pull in (yes)',
      'exclude-namespace': 'team-legacy',
      'service-account': '*',
      'service-account-selector': 'x!=y',
    });
    const scope = rules[0]?.scope;
    if (scope === undefined) throw new Error('no rule');
    const names = ['shop', 'team-a', 'team-legacy', 'other'];
    expect(names.filter((name) => includesNamespace(scope, { name, labels: {} }))).toEqual(['shop', 'team-a']);
    expect(includesNamespace(scope, { name: 'other', labels: { pull: 'yes' } })).toBe(true);
    expect(includesServiceAccount(scope, { name: 'any', labels: {} })).toBe(true);
  });

  test.each<readonly [string, Data, unknown]>([
    ['a selector alone replaces the default list', { 'watch-namespace-selector': 'a=b' }, NO_NAMES],
    ['a selector adds to a list', { 'watch-namespace-selector': 'a=b', 'watch-namespace': 'x' }, patterns('x')],
  ])('%s', (_, data, expected) => {
    expect(configOf(data).rules[0]?.scope.namespaces).toEqual(expected);
  });

  test.each([
    ['15m', 15 * MINUTE],
    ['1h30m', 90 * MINUTE],
    ['900s', 15 * MINUTE],
    ['15min', 15 * MINUTE],
    ['15 m', 15 * MINUTE],
  ])('expiring-threshold %p is %p', (text, expected) => {
    expect(configOf({ 'expiring-threshold': text }).thresholdMs).toBe(expected);
  });

  test.each(['vendor', 'ALL', ' None '])('adopt-existing %p in any case', (text) => {
    expect(configOf({ 'adopt-existing': text }).adoptExisting).toBe(text.trim().toLowerCase());
  });

  test.each([
    ['as YAML', 'team: shop\ntier: 1', { team: 'shop', tier: '1' }],
    ['as YAML, indented', '\n  team: shop\n  tier: "1"', { team: 'shop', tier: '1' }],
    ['as JSON', '{"team": "shop"}', { team: 'shop' }],
    ['as pairs', 'team=shop, tier=1', { team: 'shop', tier: '1' }],
    ['as pairs in lines, with a comma too many', 'team=shop,\ntier=1,', { team: 'shop', tier: '1' }],
    ['with a domain', 'images.alibabacloud.com/accelerated: "true"', { 'images.alibabacloud.com/accelerated': 'true' }],
    ['with an empty value', 'team:', { team: '' }],
    ['of which only a comment is left', '# team: shop', {}],
  ])('[acr O3] managed-secret-labels %s', (_, text, expected) => {
    expect(configOf({ 'managed-secret-labels': text }).secretLabels).toEqual(expected);
  });

  test('region reaches the items, notify-email the Secrets', () => {
    const config = configOf({ region: ' cn-hangzhou ', 'notify-email': 'a@b.c' });
    expect(config.rules[0]?.requests[0]?.target).toEqual({ id: 'one', region: 'cn-hangzhou' });
    expect(config.email).toBe('a@b.c');
  });
});

describe('an error refuses the whole and names', () => {
  test.each<readonly [string, Data, Partial<Issue>]>([
    ['a list of names', { 'watch-namespace': 'a b' }, { path: 'watch-namespace', value: 'a b' }],
    ['a list of ServiceAccounts', { 'service-account': 'a/b' }, { path: 'service-account', value: 'a/b' }],
    ['the excluded namespaces', { 'exclude-namespace': '_' }, { path: 'exclude-namespace', value: '_' }],
    ['a selector', { 'watch-namespace-selector': 'a in b' }, { path: 'watch-namespace-selector', value: 'a in b' }],
    ['a selector that is only a comma', { 'service-account-selector': ',' }, { path: 'service-account-selector' }],
    ['a threshold without unit', { 'expiring-threshold': '900' }, { path: 'expiring-threshold', value: '900' }],
    ['a negative threshold', { 'expiring-threshold': '-5m' }, { path: 'expiring-threshold', value: '-5m' }],
    ['whom to adopt', { 'adopt-existing': 'yes' }, { path: 'adopt-existing', value: 'yes' }],
    ['the local region', { region: 'evil.example/' }, { path: 'region', value: 'evil.example/' }],
    ['a Secret name', { 'secret-name': 'Bad Name' }, { path: 'secret-name', value: 'Bad Name' }],
    ['a Secret name with two dots', { 'acr-secret-name': 'a..b' }, { path: 'acr-secret-name', value: 'a..b' }],
    ['labels that are a list', { 'managed-secret-labels': '- a' }, { path: 'managed-secret-labels' }],
    ['labels that are no YAML', { 'managed-secret-labels': '{a: b' }, { path: 'managed-secret-labels', line: 1 }],
    [
      'a label value that holds another label',
      { 'managed-secret-labels': 'team: "a,b=c"' },
      { path: 'managed-secret-labels', value: 'team=a,b=c' },
    ],
    [
      'a label that is a map',
      { 'managed-secret-labels': 'team: {a: b}' },
      { path: 'managed-secret-labels', value: 'team=…' },
    ],
    [
      'a label of ours',
      { 'managed-secret-labels': 'app.kubernetes.io/instance=x' },
      { path: 'managed-secret-labels', value: 'app.kubernetes.io/instance' },
    ],
    [
      'a label of our domain',
      { 'managed-secret-labels': 'registry-credential-helper.io/state: x' },
      { path: 'managed-secret-labels', value: 'registry-credential-helper.io/state' },
    ],
  ])('%s', (_, data, issue) => {
    expect(parse({ ...ONE, ...data })).toMatchObject({ ok: false, issues: [{ severity: 'error', ...issue }] });
    expect(issuesOf(data)).toHaveLength(1);
  });

  test('all of them at once', () => {
    const { issues } = parse({
      'watch-namespace': 'a b',
      'service-account': '_',
      'expiring-threshold': 'soon',
      'adopt-existing': 'maybe',
      'managed-secret-labels': '-',
      'registry-info': '- provider: nobody\n- provider: fake\n  id: [x]\n  watch-namespace: "?!"',
    });
    expect(issues.map(({ path, line }) => [path, line])).toEqual([
      ['watch-namespace', undefined],
      ['service-account', undefined],
      ['registry-info[0].provider', 1],
      ['registry-info[1].watch-namespace', 4],
      ['registry-info[1].id', 3],
      ['expiring-threshold', undefined],
      ['adopt-existing', undefined],
      ['managed-secret-labels', undefined],
    ]);
  });

  test('long values are shortened', () => {
    const { issues } = parse({ ...ONE, 'expiring-threshold': 'x'.repeat(5_000), 'secret-name': 'X'.repeat(5_000) });
    for (const issue of issues) expect(issue.value?.length).toBeLessThanOrEqual(80);
  });
});

describe('a warning', () => {
  test.each([
    ['of an unknown key names the nearest known one', 'watch-namespaces', 'did you mean watch-namespace?'],
    ['of an unknown key that is like none names all', 'foo', `known keys are ${CONFIG_KEYS.join(', ')}`],
  ])('%s', (_, key, message) => {
    expect(parse({ ...ONE, [key]: 'x' })).toMatchObject({
      ok: true,
      issues: [{ severity: 'warning', path: key, message: expect.stringContaining(message) }],
    });
  });

  test.each([['*'], ['ALL'], ['a, all']])('of a selector beside %p says that it adds nothing', (text) => {
    expect(issuesOf({ 'watch-namespace': text, 'watch-namespace-selector': 'a=b' })).toMatchObject([
      { severity: 'warning', path: 'watch-namespace-selector' },
    ]);
  });

  test.each(['acr-api-version', '_example'])('is not made of %s, which needs nothing of us', (key) => {
    expect(issuesOf({ [key]: 'v1' })).toEqual([]);
  });
});

test('keys of the prototype are unknown keys', () => {
  const data = JSON.parse('{"__proto__": "x", "constructor": "y", "toString": "z"}') as Data;
  expect(parse({ ...ONE, ...data }).ok).toBe(true);
  expect(parse({ 'registry-info': '[]', ...data })).toMatchObject({ ok: true, value: { rules: [] } });
});
