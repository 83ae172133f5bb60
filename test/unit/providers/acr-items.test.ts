// Provider `acr`: what an item of the configuration may say.
import { describe, expect, test } from '@jest/globals';
import type { Issue } from '../../../src/core/types.ts';
import { NO_ITEM_DEFAULTS } from '../../../src/core/item-defaults.ts';
import { createAcrProvider } from '../../../src/providers/alibaba/acr.ts';
import type { TargetDefaults } from '../../../src/providers/provider.ts';

const DEFAULTS: TargetDefaults = {
  ...NO_ITEM_DEFAULTS,
  region: 'cn-hangzhou',
  namespace: 'registry',
  secretNamespaces: ['vault'],
};

describe('an item', () => {
  test('with the id alone takes everything else from defaults', () => {
    expect(parse({ instanceId: 'cri-fake' })).toEqual({
      ok: true,
      issues: [],
      value: {
        instanceId: 'cri-fake',
        region: 'cn-hangzhou',
        domains: undefined,
        accessKeySecret: { namespace: 'kube-system', name: 'alibaba-addon-secret' },
      },
    });
  });

  test('may spell field names and values as the vendor’s guides do', () => {
    const parsed = parse({
      InstanceID: 'cri-fake',
      RegionId: 'AP-SOUTHEAST-1',
      domains: '"A.example", b.example:5000,,',
    });
    expect(parsed).toMatchObject({
      ok: true,
      value: { region: 'ap-southeast-1', domains: ['a.example', 'b.example:5000'] },
    });
  });

  test('with empty domains means all of them', () => {
    expect(parse({ instanceId: 'cri-fake', domains: '' })).toMatchObject({ ok: true, value: { domains: undefined } });
  });

  test('a scheme in domains is stripped with a warning', () => {
    expect(parse({ instanceId: 'cri-fake', domains: 'https://a.example/' })).toMatchObject({
      ok: true,
      value: { domains: ['a.example'] },
      issues: [{ severity: 'warning', path: 'domains' }],
    });
  });

  test.each<[string, object, string, string]>([
    ['no id', {}, 'instanceId', 'Personal Edition; this version does not serve it'],
    ['an empty id', { instanceId: '' }, 'instanceId', 'name an instance of the Enterprise Edition'],
    ['several ids', { instanceId: 'cri-a,cri-b' }, 'instanceId', 'write one item for each'],
    ['an id of the Personal Edition', { instanceId: 'crpi-a' }, 'instanceId', 'provider: static'],
    ['an id that is none', { instanceId: 'acme' }, 'instanceId', 'must be the id of an instance'],
    [
      'a region that is a host',
      { instanceId: 'cri-a', regionId: 'evil.example/' },
      'regionId',
      'must be the id of a region',
    ],
    [
      'a domain of the Personal Edition',
      { instanceId: 'cri-a', domains: 'crpi-x.cn-hangzhou.personal.cr.aliyuncs.com' },
      'domains',
      'provider: static',
    ],
    ['a domain that is none', { instanceId: 'cri-a', domains: 'a example' }, 'domains', 'is not a registry host'],
    [
      'a foreign namespace',
      { instanceId: 'cri-a', accessKeySecretRef: { name: 'x', namespace: 'tenant' } },
      'accessKeySecretRef.namespace',
      '--allow-secret-namespaces=tenant',
    ],
    ['a Secret without name', { instanceId: 'cri-a', accessKeySecretRef: {} }, 'accessKeySecretRef.name', 'is missing'],
    ['a Secret that is text', { instanceId: 'cri-a', accessKeySecretRef: 'x' }, 'accessKeySecretRef', 'must be a map'],
    ...['assumeRoleARN', 'expireDuration', 'rrsaRoleARN', 'rrsaOIDCProviderRoleARN'].map(
      (name): [string, object, string, string] => [
        name,
        { instanceId: 'cri-a', [name]: '3600' },
        name,
        'is not served by this version',
      ],
    ),
  ])('with %s is refused', (_name, item, path, text) => {
    const errors = parse({ ...item }).issues.filter(({ severity }) => severity === 'error');
    expect(errors).toEqual([expect.objectContaining({ path, message: expect.stringContaining(text) })]);
  });

  test('without any region names the key that gives one to all items', () => {
    const { issues } = parse({ instanceId: 'cri-a' }, { ...DEFAULTS, region: undefined });
    expect(issues).toMatchObject([
      { path: 'regionId', message: expect.stringContaining('key `region` of the ConfigMap') },
    ]);
  });

  test('a key in plain text is refused and shown nowhere', () => {
    const { issues } = parse({
      instanceId: 'cri-a',
      customAccessKey: 'LTAIfake',
      customAccessKeySecret: 'fake-secret',
    });
    expect(issues.map((issue: Issue) => issue.path)).toEqual(['customAccessKey', 'customAccessKeySecret']);
    expect(JSON.stringify(issues)).not.toMatch(/LTAIfake|fake-secret/);
    expect(JSON.stringify(issues)).toContain('accessKeySecretRef');
  });

  test.each([
    ['our own namespace', { name: 'x' }, { namespace: 'registry', name: 'x' }],
    ['one that the process allows', { name: 'x', namespace: 'vault' }, { namespace: 'vault', name: 'x' }],
    [
      'the vendor’s Secret',
      { name: 'alibaba-addon-secret', namespace: 'kube-system' },
      { namespace: 'kube-system', name: 'alibaba-addon-secret' },
    ],
  ])('may take its key from %s', (_name, accessKeySecretRef, accessKeySecret) => {
    expect(parse({ instanceId: 'cri-a', accessKeySecretRef })).toMatchObject({ ok: true, value: { accessKeySecret } });
  });

  test('is known under region, instance and Secret', () => {
    const parsed = parse({ instanceId: 'cri-x' });
    if (!parsed.ok) throw new Error('refused');
    expect(createAcrProvider().cacheKey(parsed.value)).toBe('acr/cn-hangzhou/cri-x/kube-system/alibaba-addon-secret');
  });
});

function parse(item: Readonly<Record<string, unknown>>, defaults: TargetDefaults = DEFAULTS) {
  return createAcrProvider().parseTarget(item, defaults);
}
