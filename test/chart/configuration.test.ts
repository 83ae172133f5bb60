// What the values say about registries, namespaces and ServiceAccounts, as the program reads it.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { parseConfig } from '../../src/core/config.ts';
import { parseDeclarations } from '../../src/core/declared-resources.ts';
import { parseHostsItems } from '../../src/core/hosts-items.ts';
import { parseImagePullSecret } from '../../src/core/image-pull-secret.ts';
import { MANAGED_NAMES } from '../../src/core/managed-form.ts';
import { createItemParser } from '../../src/credentials/requests.ts';
import { createProviders, withResourceProvider } from '../../src/providers/table.ts';
import { TARGET_DEFAULTS } from '../support/provider-world.ts';
import { createHelm, EVERY_VALUE, manifestsOf, valuesFiles, type Helm, type Values } from './helm.ts';
import { objectOf } from './rendered.ts';

const BUILD_MS = 900_000;
const NAME = 'registry-credential-helper';

jest.setTimeout(60_000);

let helm: Helm;
beforeAll(async () => {
  helm = await createHelm();
}, BUILD_MS);
afterAll(() => helm.remove());

const dataOf = async (values: Values) =>
  objectOf(manifestsOf(await helm.render(values)), 'ConfigMap', `${NAME}-values`).data ?? {};
const providers = withResourceProvider(createProviders());
const parseItem = createItemParser(providers, TARGET_DEFAULTS);
const parse = (data: Readonly<Record<string, string>>) =>
  parseConfig(data, { parseItem, providers: [...providers.keys()], namespace: 'kube-system' });
const EXCLUDED = { 'exclude-namespace': 'kube-system,kube-public,kube-node-lease' };

describe('the ConfigMap with the values', () => {
  test('holds by default nothing but the namespaces of the system to leave out', async () => {
    expect(await dataOf({})).toEqual(EXCLUDED);
  });

  test.each<[string, Values, Readonly<Record<string, string>>]>([
    ['a text as it is', { 'watch-namespace': ' all\n' }, { 'watch-namespace': 'all' }],
    ['a list of names', { 'watch-namespace': ['shop', 'team-*'] }, { 'watch-namespace': 'shop,team-*' }],
    ['items as a list', { 'registry-info': [{ provider: 'tcr' }] }, { 'registry-info': '- provider: tcr' }],
    ['no item at all', { 'registry-info': [] }, { 'registry-info': '[]' }],
    ['items as text', { 'acr-registry-info': '# comment\n[]\n' }, { 'acr-registry-info': '# comment\n[]' }],
    ['a map', { rrsa: { enable: true } }, { rrsa: 'enable: true' }],
    ['a map that is empty', { rrsa: {} }, {}],
    ['labels as a map', { 'managed-secret-labels': { a: 'true' } }, { 'managed-secret-labels': 'a: "true"' }],
    ['an empty text, which gives nothing', { 'exclude-namespace': '', region: '' }, { 'exclude-namespace': '-' }],
  ])('holds %s', async (_, config, expected) => {
    const { 'exclude-namespace': excluded = '-', ...data } = await dataOf({ config });
    const all = { 'exclude-namespace': excluded, ...data };
    expect(all).toEqual({ ...EXCLUDED, ...expected });
  });

  test('keeps digits as they are, however many', async () => {
    const data = await dataOf({
      AcrInstanceInfo: [{ instanceId: 'cri-a', expireDuration: 43200, note: 100099990001 }],
    });
    expect(data['acr-registry-info']).toBe('- expireDuration: 43200\n  instanceId: cri-a\n  note: 100099990001');
  });

  test('takes the region of the cluster where the configuration names none', async () => {
    const global = { cluster: { longregion: 'ap-guangzhou' } };
    expect(await dataOf({ global })).toEqual({ ...EXCLUDED, region: 'ap-guangzhou' });
    expect(await dataOf({ global, config: { region: 'cn-hangzhou' } })).toMatchObject({ region: 'cn-hangzhou' });
  });

  test('says that there are no registries where there are only resources', async () => {
    const { imagePullSecrets } = EVERY_VALUE;
    expect(await dataOf({ imagePullSecrets })).toEqual({ ...EXCLUDED, 'registry-info': '[]' });
    expect(await dataOf({ declaredResources: { existingSecret: 'mine' } })).toMatchObject({ 'registry-info': '[]' });
    expect(await dataOf({ imagePullSecrets, config: { 'tcr-registry-info': '[]' } })).not.toHaveProperty(
      'registry-info',
    );
  });

  test.each<[string, unknown, string]>([
    ['alone', null, 'example.com/team: "platform"'],
    ['beside a map', { a: 'b' }, 'a: b\nexample.com/team: platform'],
    ['beside lines', 'a: b\n', 'a: b\nexample.com/team: "platform"'],
    ['beside pairs', 'a=b,c=d', 'a=b,c=d\nexample.com/team=platform'],
  ])('holds the common labels for the Secrets, %s', async (_, labels, expected) => {
    const { commonLabels } = EVERY_VALUE;
    const data = await dataOf({ commonLabels, config: { 'managed-secret-labels': labels, 'registry-info': '[]' } });
    expect(data['managed-secret-labels']).toBe(expected);
    const parsed = parse(data);
    expect(parsed.issues).toEqual([]);
    expect(parsed.ok && parsed.value.secretLabels).toMatchObject(commonLabels);
  });

  test('is not there when the configuration is only read', async () => {
    const text = await helm.render({ config: { existingConfigMap: 'mine' } });
    expect(manifestsOf(text).filter(({ kind }) => kind === 'ConfigMap')).toEqual([]);
  });

  test.each(
    [...valuesFiles()].filter(([name]) => !['default', 'existing-config-map', 'hosts', 'mirrors'].includes(name)),
  )('of values/%s.yaml is a configuration that the program takes', async (_, values) => {
    const { ok, issues } = parse(await dataOf(values));
    expect({ ok, errors: issues.filter(({ severity }) => severity === 'error') }).toEqual({ ok: true, errors: [] });
  });
});

describe('the managed form', () => {
  const document = valuesFiles().get('managed-form') ?? {};

  test('[acr M1] renders every key to the key of the ConfigMap that it means', async () => {
    expect(await dataOf(document)).toEqual({
      ...EXCLUDED,
      'acr-registry-info': [
        '- assumeRoleARN: acs:ram::2000000000000002:role/acr-b',
        '  domains: acme-registry-vpc.cn-hangzhou.cr.aliyuncs.com,images.acme.example',
        '  expireDuration: 3600',
        '  instanceId: cri-aaaa0000bbbb1111',
        '  regionId: cn-hangzhou',
        '  rrsaOIDCProviderRoleARN: acs:ram::1000000000000001:oidc-provider/ack-rrsa-c0ffee',
        '  rrsaRoleARN: acs:ram::1000000000000001:role/acr-a',
        '- InstanceId: cri-cccc2222dddd3333',
        '  expireDuration: "900"',
        '  regionId: cn-beijing',
      ].join('\n'),
      rrsa: 'enable: true',
      'expiring-threshold': '20m',
      'service-account': 'default,builder',
      'watch-namespace': 'shop,billing',
      'notify-email': 'team@example.com',
    });
  });

  test('[acr M1] and the forms of the two add-ons are read without a warning by the program', async () => {
    const { ok, issues } = parse(
      await dataOf({ ...document, enableRRSA: false, AcrInstanceInfo: [{ InstanceId: '' }] }),
    );
    expect([ok, issues]).toEqual([true, []]);
  });

  test.each<[string, Values, string]>([
    ['acr-registry-info', { AcrInstanceInfo: [{ instanceId: 'cri-a' }] }, '- instanceId: cri-b'],
    ['rrsa', { enableRRSA: false }, 'enable: true'],
    ['expiring-threshold', { expiringThreshold: '15m' }, '20m'],
    ['service-account', { serviceAccount: 'a' }, 'b'],
    ['watch-namespace', { watchNamespace: 'all' }, 'default'],
    ['notify-email', { notifyEmail: 'a@example.com' }, 'b@example.com'],
  ])('[acr M2] is refused where config.%s says something else, and both are named', async (key, values, text) => {
    const name = MANAGED_NAMES.get(key) ?? '';
    await expect(helm.render({ ...values, config: { [key]: text } })).rejects.toThrow(
      `The values config.${key} and ${name} are two forms of one key and say different things: keep one of them.`,
    );
  });

  test.each<[string, Values, unknown]>([
    ['acr-registry-info', { AcrInstanceInfo: [{ instanceId: 'cri-a' }] }, '- {instanceId: cri-a}'],
    ['acr-registry-info', { AcrInstanceInfo: [{ instanceId: 'cri-a' }] }, [{ instanceId: 'cri-a' }]],
    ['rrsa', { enableRRSA: true }, { enable: true }],
    ['watch-namespace', { watchNamespace: 'all' }, 'all'],
  ])('[acr M2] is taken where config.%s says the same', async (key, values, same) => {
    expect(await dataOf({ ...values, config: { [key]: same } })).toEqual(await dataOf(values));
  });
});

describe('the Secret of declared resources', () => {
  const declaredBy = async (values: Values) => {
    const secret = objectOf(manifestsOf(await helm.render(values)), 'Secret', `${NAME}-resources-default`);
    const data = Object.entries(secret.data ?? {}).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]);
    return parseDeclarations(Object.fromEntries(data) as Record<string, string>, (name, spec) =>
      parseImagePullSecret(name, spec, parseItem),
    );
  };

  test('has an empty list when none is declared, so that the last one goes', async () => {
    expect(await declaredBy({})).toMatchObject({ resources: [], areAll: true, issues: [] });
  });

  test('[tcr M2] has the credentials of Tencent’s values, beside members of global that nobody knows', async () => {
    const { resources, issues } = await declaredBy(valuesFiles().get('tcr-form') ?? {});
    expect(issues).toEqual([]);
    expect(resources).toEqual([
      {
        name: 'tcr-a1b2c3d4-public',
        spec: {
          ...{ namespaces: '*', serviceAccounts: '*' },
          docker: {
            ...{ server: 'acme-prod.tencentcloudcr.com', username: '100099990001' },
            password: 'not-a-real-password',
          },
        },
      },
    ]);
  });

  test('has those of both lists', async () => {
    const { imagePullSecrets, global } = EVERY_VALUE;
    const { resources } = await declaredBy({ imagePullSecrets, global });
    expect(resources.map(({ name }) => name)).toEqual(['minted', 'tcr-a1b2c3d4-vpc']);
  });
});

describe('the list of hosts', () => {
  test('has the names of Tencent’s values and of ours', async () => {
    const { hosts, global } = EVERY_VALUE;
    const manifests = manifestsOf(await helm.render({ hosts: { items: hosts.items }, global }));
    const parsed = parseHostsItems(objectOf(manifests, 'ConfigMap', 'updater-config').data?.['hosts.yaml'] ?? '');
    expect(parsed).toMatchObject({ ok: true, issues: [] });
    expect(parsed.ok && parsed.value.pairs).toEqual([
      { domain: 'acme-vpc.tencentcloudcr.com', ip: '10.20.0.7' },
      { domain: 'acme.tencentcloudcr.com', ip: '10.20.0.8' },
    ]);
  });

  test('removes every line when it is empty', async () => {
    const manifests = manifestsOf(await helm.render({ hosts: { enabled: true } }));
    const text = objectOf(manifests, 'ConfigMap', 'updater-config').data?.['hosts.yaml'] ?? '';
    expect(parseHostsItems(text)).toMatchObject({ ok: true, value: { pairs: [] }, issues: [] });
  });
});
