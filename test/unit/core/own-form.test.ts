// Our own form of a configuration: the same rules, no secret, and comments on what changed.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { parseConfig } from '../../../src/core/config.ts';
import { foldName } from '../../../src/core/fields.ts';
import { ITEM_FIELD_KINDS, SECRET_ITEM_FIELDS } from '../../../src/core/item-fields.ts';
import { NO_ITEM_DEFAULTS } from '../../../src/core/item-defaults.ts';
import { documentData } from '../../../src/core/managed-form.ts';
import { renderOwnForm } from '../../../src/core/own-form.ts';
import { ITEM_FIELDS } from '../../../src/core/registry-items.ts';
import type { Config } from '../../../src/core/types.ts';
import { renderYaml } from '../../../src/core/yaml.ts';
import { createItemParser } from '../../../src/credentials/requests.ts';
import { createProviders } from '../../../src/providers/table.ts';
import { RECORDING_CONTEXT, recordedConfig } from '../../support/recorded-items.ts';
import { FAKE_KEY_ID, FAKE_KEY_SECRET, FULL_SAMPLE, MANAGED_DOCUMENT } from '../../support/vendor-samples.ts';

type Data = Readonly<Record<string, string>>;

const place = { namespace: 'kube-system', name: 'acr-configuration' };

function textOf(written: Data): string {
  return renderOwnForm({ written, config: recordedConfig(written).config, place, namespace: 'registry' });
}

function dataOf(text: string): Data {
  return (load(text) as { data: Data }).data;
}

/** All of a configuration but where each rule was written. */
function meaning({ rules, ...config }: Config): unknown {
  return { ...config, rules: rules.map(({ secretName, scope, requests }) => ({ secretName, scope, requests })) };
}

describe('the own form', () => {
  test('is a ConfigMap with our keys, and comments on what changed', () => {
    const written = {
      ...FULL_SAMPLE,
      'acr-registry-info': '- InstanceId: cri-a\n  domains: ["a.example", b.example]\n  expireDuration: "900"\n',
      'expiring-threshold': '15 min',
      watchNamespace: 'billing,SHOP',
      'managed-secret-labels': 'team=shop',
      'acr-registry-infos': 'x',
    };
    expect(textOf(written))
      .toBe(`# The configuration of kube-system/acr-configuration as registry-credential-helper understands it, in its own form.
# acr-registry-info is now registry-info, each item with \`provider: acr\`.
# secret-name keeps the name of the Secret.
# Left out, since it means nothing here: acr-api-version, acr-registry-infos.
# Where trust policies name the ServiceAccount of Alibaba's add-on, add rrsa-service-account: kube-system/aliyun-acr-credential-helper.
# Put it in place with \`kubectl replace -f\`, which drops the keys that are not in it, or \`kubectl create -f\` where there is none yet.
# Not while Alibaba's add-on still runs, which does not know this form.
apiVersion: v1
kind: ConfigMap
metadata:
  namespace: kube-system
  name: acr-configuration
data:
  watch-namespace: shop,billing
  service-account: default,builder
  expiring-threshold: 15m
  secret-name: acr-credential-secret-aggregation
  managed-secret-labels: 'team: shop'
  rrsa: 'enable: true'
  registry-info: |
    # from acr-registry-info[0]
    - provider: acr
      instanceId: cri-a
      domains: a.example,b.example
      expireDuration: 900
`);
  });

  test('names what implied the Personal Edition', () => {
    expect(textOf({ 'acr-api-version': 'v1' })).toContain(
      '# acr-api-version meant the Personal Edition of the local region: registry-info says so.\n',
    );
    expect(dataOf(textOf({ 'acr-registry-info': '# none' }))['registry-info']).toContain(
      "- provider: acr\n  instanceId: ''\n",
    );
  });

  test('names the managed edition’s keys', () => {
    const text = textOf(documentData(MANAGED_DOCUMENT));
    expect(text).toContain('# enableRRSA is now rrsa.\n');
    const off = textOf({ AcrInstanceInfo: '[{"instanceId": "cri-a"}]', enableRRSA: 'false' });
    expect(off).toContain('means nothing here: enableRRSA.');
    expect(off).not.toContain('is now rrsa');
    expect(text).toContain('# AcrInstanceInfo is now registry-info, each item with `provider: acr`.\n');
    expect(dataOf(text)).toMatchObject({ 'watch-namespace': 'all', rrsa: 'enable: true' });
  });

  test('keeps a list that removes everything', () => {
    expect(dataOf(textOf({ 'registry-info': '[]' }))).toEqual({ 'registry-info': '[]' });
  });

  test('never prints a key: a pair becomes a Secret, and the command that makes it', () => {
    const pair = (id: string, more = '') =>
      `- instanceId: cri-${id}\n  customAccessKey: ${FAKE_KEY_ID}${more}\n  customAccessKeySecret: ${FAKE_KEY_SECRET}\n`;
    const other = '- instanceId: cri-d\n  accessKeySecretRef: {name: acr-access-key-1}\n';
    const text = textOf({
      'acr-registry-info': `# ${FAKE_KEY_SECRET}\n${pair('a')}${pair('b')}${pair('c', 'X')}${other}`,
      [FAKE_KEY_ID]: 'x',
    });
    expect(text).not.toMatch(new RegExp(`${FAKE_KEY_ID}|${FAKE_KEY_SECRET}`));
    const list = load(dataOf(text)['registry-info'] ?? '') as readonly { accessKeySecretRef: { name: string } }[];
    expect(list.map(({ accessKeySecretRef }) => accessKeySecretRef.name)).toEqual([
      'acr-access-key-2',
      'acr-access-key-2',
      'acr-access-key-3',
      'acr-access-key-1',
    ]);
    const command =
      "kubectl -n registry create secret generic acr-access-key-2 --from-literal=access-key-id='<access key id>' --from-literal=access-key-secret='<access key secret>'";
    expect(text.split('\n').filter((line) => line.includes('create secret'))).toEqual([
      `# ${command}`,
      `# ${command.replace('key-2', 'key-3')}`,
    ]);
  });

  test('masks what looks like a key wherever somebody pasted one', () => {
    expect(textOf({ 'registry-info': '[]', 'notify-email': FAKE_KEY_ID })).not.toContain(FAKE_KEY_ID);
  });

  test('keeps an item of Tencent Cloud as it is, maps of texts included', () => {
    const item = {
      ...{ provider: 'tcr', registryId: 'tcr-fake0000', region: 'ap-guangzhou', namespaces: 'team-a,team-b' },
      ...{ description: 'builds', externalId: 'x-1', assumeRoleARN: 'qcs::cam::uin/100000000001:roleName/puller' },
      ...{ tokenMode: 'robot', identity: 'webIdentity' },
      webIdentity: { providerId: 'cls-fake', roleARN: 'qcs::cam::uin/100000000001:roleName/base' },
    };
    const context = {
      parseItem: createItemParser(createProviders(), { namespace: 'registry', secretNamespaces: [] }),
      providers: ['tcr'],
      namespace: 'registry',
    };
    const written = { 'registry-info': renderYaml([item]) };
    const parsed = parseConfig(written, context);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
    const text = renderOwnForm({ written, config: parsed.value, place, namespace: 'registry' });
    expect(load(dataOf(text)['registry-info'] ?? '')).toEqual([item]);
  });

  test('has every field that a provider reads', () => {
    const known = [...ITEM_FIELD_KINDS.keys(), ...SECRET_ITEM_FIELDS, ...ITEM_FIELDS].map(foldName);
    for (const provider of createProviders().values()) {
      // The message about a field that nobody could have meant names all that are known.
      const defaults = { ...NO_ITEM_DEFAULTS, namespace: 'registry', secretNamespaces: [] };
      const { issues } = provider.parseTarget({ qqqqqqqqqqqqqqqqqqqq: 1 }, defaults);
      const fields = /known are (.*)$/.exec(issues.map(({ message }) => message).join('\n'))?.[1]?.split(', ') ?? [];
      expect(fields.length).toBeGreaterThan(3);
      expect(fields.map(foldName).filter((field) => !known.includes(field))).toEqual([]);
    }
  });
});

const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const names = fc.constantFrom(
  'all',
  'ALL',
  '*',
  'a',
  'a,b',
  ' "a" , team-*',
  '!x',
  'a, !b',
  '“*”',
  '“a”,“b”',
  '“a,b”',
  '',
);
const hosts = fc.constantFrom('', 'a.example', 'a.example, b.example:5000', '“a.example”', '“a.example”,“b.example”');
const vendorItem = fc.record(
  {
    regionId: fc.constantFrom('cn-hangzhou', ' cn-beijing ', '', '“cn-beijing”'),
    domains: fc.oneof(hosts, fc.constant(['a.example', 'b.example'])),
    assumeRoleARN: fc.constantFrom('acs:ram::1:role/b', ''),
    ExpireDuration: fc.constantFrom(900, '3600', ''),
    rrsarolearn: fc.constantFrom('acs:ram::1:role/a', ''),
    'rrsa-oidc-provider-role-arn': fc.constant('acs:ram::1:oidc-provider/x'),
    accessKeySecretRef: fc.constantFrom({ name: 'k' }, { Name: 'k', namespace: 'other' }),
    'watch-namespace': names,
    serviceAccount: names,
    secretName: fc.constantFrom('one', 'two', ''),
    unknown: fc.constant('x'),
  },
  { requiredKeys: [] },
);
const ids = fc.constantFrom('cri-#', 'cri-#', 'cri-#a, cri-#b', 'cri-#,', '“cri-#”');
const vendorItems = fc
  .array(fc.tuple(ids, vendorItem), { maxLength: 4 })
  .map((items) => items.map(([id, item], index) => ({ instanceId: id.replaceAll('#', String(index)), ...item })));
const ownItem = fc.tuple(fc.constantFrom('acr', 'static'), vendorItem, fc.constantFrom('x.example', '“y.example”'));
const ownItems = fc.array(ownItem, { maxLength: 3 }).map((items) =>
  items.map(([provider, item, server], index) => ({
    provider,
    instanceId: `cri-own-${index}`,
    server,
    secretRef: { name: 'login' },
    ...item,
  })),
);
const inSomeForm = (value: unknown): fc.Arbitrary<string> =>
  fc.constantFrom(renderYaml(value), JSON.stringify(value), `# c\n${renderYaml(value)}`);
const vendorList = fc.oneof(
  { weight: 8, arbitrary: vendorItems.chain(inSomeForm) },
  { weight: 1, arbitrary: fc.constantFrom('', '# none', 'null') },
);
const configMap = fc
  .record({
    vendors: some(fc.tuple(fc.constantFrom('acr-registry-info', 'AcrInstanceInfo'), vendorList)),
    own: some(ownItems.chain(inSomeForm)),
    namespaces: some(fc.tuple(fc.constantFrom('watch-namespace', 'watchNamespace'), names)),
    accounts: some(fc.tuple(fc.constantFrom('service-account', 'serviceAccount'), names)),
    threshold: some(
      fc.tuple(fc.constantFrom('expiring-threshold', 'expiringThreshold'), fc.constantFrom('15 min', '1h30m', '“15m”')),
    ),
    rrsa: some(
      fc.constantFrom(
        ['rrsa', 'enable: true'],
        ['rrsa', '{"enable": “true”}'],
        ['enableRRSA', 'true'],
        ['enableRRSA', 'false'],
      ),
    ),
    mode: some(fc.tuple(fc.constantFrom('tokenMode', 'token-mode'), fc.constantFrom('AUTO', 'workerrole'))),
    more: fc.record(
      {
        'acr-api-version': fc.constant('v1'),
        'acr-registry': fc.constantFrom('', 'registry.*.aliyuncs.com, registry-vpc.*.aliyuncs.com'),
        'acr-secret-name': fc.constantFrom('one', 'registry-credentials'),
        'secret-name': fc.constantFrom('one', 'two'),
        'exclude-namespace': fc.constantFrom('kube-*', ''),
        'watch-namespace-selector': fc.constant('team=shop, !legacy'),
        'service-account-selector': fc.constant('“a=b”'),
        'rrsa-service-account': fc.constantFrom('x', 'y/x'),
        'managed-secret-labels': fc.constantFrom('a=b, c=', 'a: "1"\nb/c: “d”'),
        'adopt-existing': fc.constantFrom('All', 'none'),
        'notify-email': fc.constantFrom('a@b.example', '“a@b.example”', '\u007f: "\n# x'),
        region: fc.constantFrom('cn-hangzhou', 'us-west-1'),
        unknown: fc.constant('x'),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ vendors, own, more, ...pairs }): Data => {
    const known = [vendors, ...Object.values(pairs)].flatMap((pair) => (pair === undefined ? [] : [pair]));
    return { ...more, ...(own === undefined ? {} : { 'registry-info': own }), ...Object.fromEntries(known) };
  });

test('any configuration that is taken means the same in the own form', () => {
  let taken = 0;
  fc.assert(
    fc.property(configMap, (written) => {
      const before = parseConfig(written, RECORDING_CONTEXT);
      if (!before.ok) return;
      taken += 1;
      const text = renderOwnForm({ written, config: before.value, place, namespace: 'registry' });
      const after = parseConfig(dataOf(text), RECORDING_CONTEXT);
      expect(after.ok ? meaning(after.value) : after.issues).toEqual(meaning(before.value));
      // Once more changes nothing: it is our form already.
      if (after.ok) {
        const again = renderOwnForm({ written: dataOf(text), config: after.value, place, namespace: 'registry' });
        expect(Object.keys(dataOf(again))).toEqual(Object.keys(dataOf(text)));
      }
    }),
    { numRuns: 600 },
  );
  expect(taken).toBeGreaterThan(120);
});
