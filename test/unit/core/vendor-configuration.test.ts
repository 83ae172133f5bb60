// The ConfigMap of Alibaba's add-on: every key and form of it means to us what it means there.
import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../../src/core/config.ts';
import { ACR_SECRET_NAME } from '../../../src/core/names.ts';
import { includesNamespace, includesServiceAccount } from '../../../src/core/scope.ts';
import { createItemParser } from '../../../src/credentials/requests.ts';
import { createProviders } from '../../../src/providers/table.ts';
import { MINUTE } from '../../support/builders.ts';
import { RECORDING_CONTEXT, recordedConfig, recordedItems } from '../../support/recorded-items.ts';
import { FULL_SAMPLE } from '../../support/vendor-samples.ts';

type Data = Readonly<Record<string, string>>;

const ONE = '- instanceId: cri-a\n  regionId: cn-hangzhou\n';
const issuesOf = (data: Data) => parseConfig(data, RECORDING_CONTEXT).issues;
const itemsOf = (data: Data) => recordedItems(recordedConfig(data).config);
const fieldsOf = (data: Data) => itemsOf(data).map(({ fields }) => fields);
const scopeOf = (data: Data) => {
  const scope = recordedConfig({ 'acr-registry-info': ONE, ...data }).config.rules[0]?.scope;
  if (scope === undefined) throw new Error('no rule');
  return scope;
};
const named = (name: string) => ({ name, labels: {} });

test('[acr C1] every key of the vendor works under its exact name, without a remark', () => {
  const data = { ...FULL_SAMPLE, 'notify-email': 'cs@aliyuncs.com' };
  const { config, issues } = recordedConfig(data);
  expect(issues).toEqual([]);
  expect(config).toMatchObject({ thresholdMs: 15 * MINUTE, email: 'cs@aliyuncs.com' });
  expect(config.rules.map(({ secretName }) => secretName)).toEqual([ACR_SECRET_NAME]);
  const scope = scopeOf(data);
  expect(['shop', 'billing', 'default'].filter((name) => includesNamespace(scope, named(name)))).toEqual([
    'shop',
    'billing',
  ]);
  expect(['default', 'builder', 'other'].filter((name) => includesServiceAccount(scope, named(name)))).toEqual([
    'default',
    'builder',
  ]);
  expect(itemsOf(data).map(({ defaults }) => defaults.rrsaEnabled)).toEqual([true, true, true]);
});

describe('[acr C1] a key that is absent or empty has its default:', () => {
  test.each<readonly [string, (data: Data) => unknown, unknown]>([
    ['service-account', (data) => [...scopeOf(data).serviceAccounts.names], ['default']],
    ['watch-namespace', (data) => [...scopeOf(data).namespaces.names], ['default']],
    [
      'expiring-threshold',
      (data) => recordedConfig({ 'acr-registry-info': ONE, ...data }).config.thresholdMs,
      15 * MINUTE,
    ],
    ['rrsa', (data) => itemsOf({ 'acr-registry-info': ONE, ...data })[0]?.defaults.rrsaEnabled, false],
    ['tokenMode', (data) => itemsOf({ 'acr-registry-info': ONE, ...data })[0]?.defaults.tokenMode, 'auto'],
    [
      'rrsa-service-account',
      (data) => itemsOf({ 'acr-registry-info': ONE, ...data })[0]?.defaults.rrsaServiceAccount,
      undefined,
    ],
  ])('%s', (key, read, expected) => {
    for (const data of [{}, { [key]: '' }, { [key]: ' \n ' }]) expect(read(data)).toEqual(expected);
  });

  test('and an unknown key is reported', () => {
    expect(issuesOf({ 'acr-registry-info': ONE, 'acr-registries': 'x' })).toMatchObject([
      { severity: 'warning', path: 'acr-registries', message: expect.stringContaining('unknown key') },
    ]);
  });
});

describe('[acr C2] service-account', () => {
  test.each([
    ['a name', 'builder', ['builder']],
    ['a list with spaces', ' default , builder ', ['default', 'builder']],
    ['a star: every one, also those that come later', '*', ['default', 'builder', 'later']],
  ])('may be %s', (_, text, expected) => {
    const scope = scopeOf({ 'service-account': text });
    const names = ['default', 'builder', 'later'];
    expect(names.filter((name) => includesServiceAccount(scope, named(name)))).toEqual(expected);
  });

  test('as a star reaches only the watched namespaces', () => {
    const scope = scopeOf({ 'service-account': '*', 'watch-namespace': 'shop' });
    expect(includesNamespace(scope, named('shop'))).toBe(true);
    expect(includesNamespace(scope, named('other'))).toBe(false);
  });
});

describe('[acr C3] watch-namespace', () => {
  test.each([
    ['a name', 'shop', ['shop']],
    ['a list', 'shop,billing', ['shop', 'billing']],
    ['all: every one, also those that come later', 'all', ['shop', 'billing', 'later']],
    ['ALL', 'ALL', ['shop', 'billing', 'later']],
    ['All', 'All', ['shop', 'billing', 'later']],
  ])('may be %s', (_, text, expected) => {
    const scope = scopeOf({ 'watch-namespace': text });
    expect(['shop', 'billing', 'later'].filter((name) => includesNamespace(scope, named(name)))).toEqual(expected);
  });
});

describe('[acr C4] expiring-threshold', () => {
  test.each([
    ['15m', 15],
    ['1h30m', 90],
    ['900s', 15],
    ['15min', 15],
    ['15 m', 15],
  ])('%p is accepted', (text, minutes) => {
    const { config, issues } = recordedConfig({ 'acr-registry-info': ONE, 'expiring-threshold': text });
    expect([config.thresholdMs, issues]).toEqual([minutes * MINUTE, []]);
  });

  test.each(['900', '-5m', 'abc'])('%p is refused', (text) => {
    expect(issuesOf({ 'acr-registry-info': ONE, 'expiring-threshold': text })).toMatchObject([
      { severity: 'error', path: 'expiring-threshold', value: text },
    ]);
  });
});

test('[acr C5] acr-api-version selects nothing', () => {
  const configs = ['2018-12-01', 'v1', ''].map((version) =>
    recordedConfig({ 'acr-registry-info': ONE, 'acr-api-version': version }),
  );
  const absent = recordedConfig({ 'acr-registry-info': ONE });
  for (const config of configs) expect(config).toEqual(absent);
});

test('[acr C6] notify-email becomes the e-mail of the entries, and there is none without it', () => {
  expect(recordedConfig({ 'acr-registry-info': ONE, 'notify-email': ' a@b.example ' }).config.email).toBe(
    'a@b.example',
  );
  expect(recordedConfig({ 'acr-registry-info': ONE }).config.email).toBeUndefined();
});

describe('[acr C7] without a list there is one item of the Personal Edition, of the local region:', () => {
  test.each<readonly [string, Data]>([
    ['the list is empty', { 'acr-registry-info': '' }],
    ['the list is white space', { 'acr-registry-info': ' \n\t\n' }],
    ['the list is only a comment (F5)', { 'acr-registry-info': '#- instanceId: ""' }],
    ['the list is null', { 'acr-registry-info': 'null' }],
    ['the list is an empty text', { 'acr-registry-info': '""' }],
    ['the list is empty beside another list that is', { 'acr-registry-info': '', 'registry-info': ' # none' }],
    ['there is only acr-api-version', { 'acr-api-version': '2018-12-01' }],
    ['the managed edition’s list is empty', { AcrInstanceInfo: '[]' }],
  ])('%s', (_, data) => {
    const { config, issues } = recordedConfig({ ...data, region: 'cn-beijing', 'watch-namespace': 'all' });
    expect(issues).toEqual([]);
    expect(config.rules.map(({ secretName }) => secretName)).toEqual([ACR_SECRET_NAME]);
    expect(itemsOf({ ...data, region: 'cn-beijing' })).toEqual([
      { provider: 'acr', fields: { domains: undefined }, defaults: expect.objectContaining({ region: 'cn-beijing' }) },
    ]);
  });

  test('the provider is asked for the instance with the empty id', () => {
    const asked: unknown[] = [];
    parseConfig(
      { 'acr-registry-info': '' },
      {
        ...RECORDING_CONTEXT,
        parseItem: (provider, item) => {
          asked.push({ provider, ...item });
          return { ok: false, issues: [{ severity: 'error', path: 'regionId', message: 'is missing', line: 7 }] };
        },
      },
    );
    expect(asked).toEqual([{ provider: 'acr', instanceId: '' }]);
  });

  test.each<readonly [string, Data, string]>([
    ['an empty list', { 'acr-registry-info': '# none' }, 'acr-registry-info.regionId'],
    ['the version', { 'acr-api-version': 'v1' }, 'acr-api-version.regionId'],
    ['the old list', { 'acr-registry': 'a.example' }, 'acr-registry.regionId'],
    ['the managed form', { AcrInstanceInfo: '' }, 'AcrInstanceInfo.regionId'],
  ])('what is wrong with it is told at what implied it: %s', (_, data, path) => {
    const issue = { severity: 'error', path: 'regionId', message: 'is missing' } as const;
    const { issues } = parseConfig(data, { ...RECORDING_CONTEXT, parseItem: () => ({ ok: false, issues: [issue] }) });
    expect(issues).toEqual([{ ...issue, path }]);
  });

  test.each<readonly [string, Data]>([
    ['registry-info', { 'registry-info': '- {provider: static, domains: a.example}' }],
    ['registry-info that removes everything', { 'registry-info': '[]' }],
    ['acr-registry-info that removes everything', { 'acr-registry-info': '[]' }],
  ])('but not beside %s', (_, data) => {
    for (const more of [
      { 'acr-registry-info': '', ...data },
      { 'acr-api-version': 'v1', ...data },
    ]) {
      expect(itemsOf(more).filter(({ provider }) => provider === 'acr')).toEqual([]);
    }
  });

  test('but not beside tcr-registry-info', () => {
    const list = '- registryId: tcr-a1b2c3d4\n  regionId: ap-guangzhou\n';
    for (const more of [{ 'acr-registry-info': '' }, { 'acr-api-version': 'v1' }]) {
      const data = { ...more, 'tcr-registry-info': list };
      expect(itemsOf(data)).toMatchObject([{ provider: 'tcr' }]);
      expect(issuesOf(data)).toEqual([]);
    }
  });

  test.each<readonly [string, Data]>([
    ['no key', {}],
    ['no key of a registry', { 'watch-namespace': 'all', 'registry-info': '' }],
  ])('[acr C7] and with %s it is refused, so that nothing is removed, and says what to write', (_, data) => {
    expect(issuesOf(data)).toMatchObject([
      {
        severity: 'error',
        path: 'registry-info',
        message: expect.stringMatching(/^no registry configured.*`- provider: acr`.*`\[\]`/),
      },
    ]);
  });
});

describe('[acr C8] a field', () => {
  test('has its default when it is absent or empty', () => {
    const fields = ['regionId', 'domains', 'assumeRoleARN', 'expireDuration', 'rrsaRoleARN', 'rrsaOIDCProviderRoleARN'];
    const empty = fields.map((field) => `  ${field}: ""\n`).join('');
    const nothing = fields.map((field) => `  ${field}:\n`).join('');
    const alone = fieldsOf({ 'acr-registry-info': '- instanceId: cri-a\n' });
    for (const more of [empty, nothing]) {
      expect(fieldsOf({ 'acr-registry-info': `- instanceId: cri-a\n${more}` })).toEqual(alone);
    }
  });

  test('matches in any case, and numbers may be quoted', () => {
    const written = '- instanceId: cri-a\n  regionId: r\n  assumeRoleARN: acs:ram::1:role/b\n  expireDuration: 3600\n';
    const other = '- InstanceId: cri-a\n  RegionID: r\n  assumerolearn: acs:ram::1:role/b\n  ExpireDuration: "3600"\n';
    expect(fieldsOf({ 'acr-registry-info': other })).toEqual(fieldsOf({ 'acr-registry-info': written }));
    expect(issuesOf({ 'acr-registry-info': other })).toEqual([]);
  });

  test('may be written as JSON', () => {
    const json = JSON.stringify([{ instanceId: 'cri-a', regionId: 'cn-hangzhou' }]);
    expect(recordedConfig({ 'acr-registry-info': json })).toEqual(recordedConfig({ 'acr-registry-info': ONE }));
  });
});

describe('[acr C9] a comma list of ids', () => {
  const list = '- instanceId: "cri-a, cri-b,,cri-a"\n  regionId: cn-hangzhou\n  assumeRoleARN: acs:ram::1:role/b\n';

  test('gives one item each', () => {
    const shared = { regionId: 'cn-hangzhou', assumeRoleARN: 'acs:ram::1:role/b', domains: undefined };
    expect(fieldsOf({ 'acr-registry-info': list })).toEqual([
      { instanceId: 'cri-a', ...shared },
      { instanceId: 'cri-b', ...shared },
    ]);
    expect(issuesOf({ 'acr-registry-info': list })).toEqual([]);
  });

  test('tells once what is wrong with what they share', () => {
    expect(issuesOf({ 'acr-registry-info': `${list}  unknownField: x\n` })).toHaveLength(1);
  });

  test('with explicit domains is reported at that item', () => {
    expect(issuesOf({ 'acr-registry-info': `${ONE}${list}  domains: a.example\n` })).toMatchObject([
      {
        severity: 'error',
        path: 'acr-registry-info[1].domains',
        line: 6,
        message: expect.stringContaining('one item for each instance'),
      },
    ]);
  });

  test('of one id and a comma is one item, and may have domains', () => {
    const one = '- instanceId: "cri-a,"\n  domains: a.example\n';
    expect(fieldsOf({ 'acr-registry-info': one })).toMatchObject([{ instanceId: 'cri-a', domains: ['a.example'] }]);
  });

  test('is bounded like items', () => {
    const ids = Array.from({ length: 600 }, (_, index) => `cri-${index}`).join(',');
    const { issues } = parseConfig(
      { 'acr-registry-info': `- instanceId: ${ids}\n- instanceId: ${ids}\n` },
      RECORDING_CONTEXT,
    );
    expect(issues).toMatchObject([
      {
        severity: 'error',
        path: 'acr-registry-info[1].instanceId',
        message: expect.stringContaining('more than 1000'),
      },
    ]);
  });
});

describe('the older list of domains', () => {
  const legacy = 'registry.*.aliyuncs.com,registry-vpc.*.aliyuncs.com';

  test('[acr G2] alone is one item of the Personal Edition with those domains', () => {
    expect(itemsOf({ 'acr-registry': ` "${legacy}" ` })).toMatchObject([
      { provider: 'acr', fields: { domains: ['registry.*.aliyuncs.com', 'registry-vpc.*.aliyuncs.com'] } },
    ]);
    expect(issuesOf({ 'acr-registry': legacy, 'acr-registry-info': ' # none' })).toEqual([]);
  });

  test('[acr G2] with domains of the Enterprise Edition is told that its token does not serve them', () => {
    const enterprise = 'x-registry.*.cr.aliyuncs.com,x-registry-vpc.*.cr.aliyuncs.com';
    expect(issuesOf({ 'acr-registry': `${legacy},${enterprise}` })).toMatchObject([
      { severity: 'warning', path: 'acr-registry', value: 'x-registry.*.cr.aliyuncs.com' },
    ]);
    expect(fieldsOf({ 'acr-registry': `${legacy},${enterprise}` })[0]?.domains).toHaveLength(4);
  });

  test('[acr G2] beside acr-registry-info is ignored with a warning', () => {
    const both = recordedConfig({ 'acr-registry': legacy, 'acr-registry-info': ONE });
    expect(both.config).toEqual(recordedConfig({ 'acr-registry-info': ONE }).config);
    expect(both.issues).toMatchObject([{ severity: 'warning', path: 'acr-registry' }]);
  });
});

describe('what items inherit', () => {
  const defaultsOf = (data: Data) => itemsOf({ 'acr-registry-info': ONE, ...data })[0]?.defaults;

  test.each([
    ['enable: true', true],
    ['{"enable": true}', true],
    ['enable: "True"', true],
    ['enable: “true”', true],
    ['enable: false', false],
    ['enable:', false],
    ['# enable: true', false],
    ['\n  enable: true\n', true],
  ])('rrsa %p: %p', (text, expected) => {
    expect(defaultsOf({ rrsa: text })?.rrsaEnabled).toBe(expected);
  });

  test.each([
    ['a list', '- enable: true', 'rrsa', 1, undefined],
    ['only a word', 'true', 'rrsa', 1, 'enable: true\n'],
    ['without a space', 'enable:true', 'rrsa', 1, 'enable: true\n'],
    ['another word', '\nenable: yes', 'rrsa.enable', 2, undefined],
    ['no YAML', 'enable: {', 'rrsa', undefined, undefined],
  ])('rrsa as %s is refused with its line and cure', (_, text, path, line, correction) => {
    const [issue] = issuesOf({ 'acr-registry-info': ONE, rrsa: text });
    expect(issue).toMatchObject({ severity: 'error', path, message: expect.stringMatching(/`true`|enable: true/) });
    if (line !== undefined) expect(issue?.line).toBe(line);
    expect(issue?.correction).toBe(correction);
  });

  test('an unknown key of rrsa is a warning', () => {
    expect(issuesOf({ 'acr-registry-info': ONE, rrsa: 'enabled: true' })).toMatchObject([
      { severity: 'warning', path: 'rrsa.enabled', line: 1, message: expect.stringContaining('did you mean enable?') },
    ]);
  });

  test.each([
    ['tokenMode', 'managedRole', 'managedRole'],
    ['tokenMode', 'MANAGEDROLE', 'managedRole'],
    ['token-mode', 'workerrole', 'workerRole'],
    ['TokenMode', ' Auto ', 'auto'],
  ])('%s %p is %p', (key, text, expected) => {
    expect(defaultsOf({ [key]: text })?.tokenMode).toBe(expected);
    expect(issuesOf({ 'acr-registry-info': ONE, [key]: text })).toEqual([]);
  });

  test.each([
    ['tokenMode', 'role'],
    ['rrsa-service-account', 'a/b/c'],
    ['rrsa-service-account', 'Upper'],
    ['rrsa-service-account', '/x'],
  ])('%s %p is refused', (key, value) => {
    expect(issuesOf({ 'acr-registry-info': ONE, [key]: value })).toMatchObject([
      { severity: 'error', path: key, value },
    ]);
  });

  test.each([
    ['helper', { namespace: 'kube-system', name: 'helper' }],
    ['other/my.helper', { namespace: 'other', name: 'my.helper' }],
    ['kube-system/aliyun-acr-credential-helper', { namespace: 'kube-system', name: 'aliyun-acr-credential-helper' }],
  ])('rrsa-service-account %p', (text, expected) => {
    expect(defaultsOf({ 'rrsa-service-account': text })?.rrsaServiceAccount).toEqual(expected);
  });
});

test('[acr D4] one host in two items: the first wins, and it is reported', () => {
  const { config, issues } = recordedConfig({
    'acr-registry-info':
      '- instanceId: cri-a\n  domains: a.example\n- instanceId: cri-b\n  domains: a.example,b.example\n',
  });
  expect(config.rules[0]?.requests.map(({ hosts }) => hosts)).toEqual([['a.example'], ['a.example', 'b.example']]);
  expect(issues).toMatchObject([
    { severity: 'warning', path: 'acr-registry-info[1].domains', value: 'a.example', line: 4 },
  ]);
});

describe('with the real providers', () => {
  const providers = createProviders();
  const parse = (data: Data) =>
    parseConfig(data, {
      parseItem: createItemParser(providers, {
        namespace: 'kube-system',
        secretNamespaces: [],
      }),
      providers: [...providers.keys()],
      namespace: 'kube-system',
    });

  test('[acr D2] explicit domains are exactly those: ports are kept, a scheme is stripped with a warning', () => {
    const parsed = parse({ 'acr-registry-info': `${ONE}  domains: "https://a.example:5000, b.example"\n` });
    expect(parsed).toMatchObject({
      ok: true,
      value: { rules: [{ requests: [{ hosts: ['a.example:5000', 'b.example'] }] }] },
      issues: [{ severity: 'warning', path: 'acr-registry-info[0].domains', line: 3 }],
    });
  });

  test('[acr E3] a crpi- host works through static, and acr-registry-info points there', () => {
    const host = 'crpi-abc123.cn-hangzhou.personal.cr.aliyuncs.com';
    const fixed = `- provider: static\n  domains: ${host}\n  secretRef: {name: personal-login}\n`;
    expect(parse({ 'registry-info': fixed })).toMatchObject({
      ok: true,
      value: { rules: [{ requests: [{ provider: 'static', hosts: [host] }] }] },
      issues: [],
    });
    const { issues } = parse({ 'acr-registry-info': `${ONE}  domains: ${host}\n` });
    expect(issues).toMatchObject([
      { path: 'acr-registry-info[0].domains', message: expect.stringContaining('static') },
    ]);
  });
});
