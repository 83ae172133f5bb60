// Provider `acr`: what an item of the configuration may say.
import { describe, expect, test } from '@jest/globals';
import { createAcrProvider } from '../../../src/providers/alibaba/acr.ts';
import type { TargetDefaults } from '../../../src/providers/provider.ts';
import { emptyWorld, TARGET_DEFAULTS } from '../../support/provider-world.ts';

const DEFAULTS: TargetDefaults = { ...TARGET_DEFAULTS, namespace: 'registry', secretNamespaces: ['vault'] };
const ROLE = 'acs:ram::1000000000000001:role/acr-a';
const PROVIDER = 'acs:ram::1000000000000001:oidc-provider/ack-rrsa-fake';

describe('an item', () => {
  test('with the id alone takes everything else from defaults', () => {
    expect(parse({ instanceId: 'cri-fake' })).toEqual({
      ok: true,
      issues: [],
      value: {
        instanceId: 'cri-fake',
        region: 'cn-hangzhou',
        domains: undefined,
        base: { kind: 'token-mode', mode: 'auto' },
        assumedRole: undefined,
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
    [
      'an ARN that is none',
      { instanceId: 'cri-a', assumeRoleARN: 'acr-b' },
      'assumeRoleARN',
      'must be the ARN of a role',
    ],
    [
      'a role where the provider belongs',
      { instanceId: 'cri-a', rrsaOIDCProviderRoleARN: ROLE },
      'rrsaOIDCProviderRoleARN',
      ':oidc-provider/<name>',
    ],
    [
      'a session that is too long',
      { instanceId: 'cri-a', assumeRoleARN: ROLE, expireDuration: '43201' },
      'expireDuration',
      'from 900 to 43200',
    ],
    [
      'a session that is no number',
      { instanceId: 'cri-a', assumeRoleARN: ROLE, expireDuration: '1h' },
      'expireDuration',
      'must be a number of seconds',
    ],
    ['a mode that is none', { instanceId: 'cri-a', tokenMode: 'nodeRole' }, 'tokenMode', 'must be `auto`'],
  ])('with %s is refused', (_name, item, path, text) => {
    const errors = parse({ ...item }).issues.filter(({ severity }) => severity === 'error');
    expect(errors).toEqual([expect.objectContaining({ path, message: expect.stringContaining(text) })]);
  });

  test.each<readonly [string, unknown, string?]>([
    ['instanceId', 'cri-********'],
    ['regionId', '********'],
    ['domains', '********-registry.cn-hangzhou.cr.aliyuncs.com'],
    ['customAccessKey', '********'],
    ['customAccessKeySecret', '********'],
    ['accessKeySecretRef', { name: '********' }, '.name'],
    ['accessKeySecretRef', { name: 'x', namespace: '********' }, '.namespace'],
    ['rrsaRoleARN', 'acs:ram::1000000000000001:role/********'],
    ['assumeRoleARN', 'acs:ram::1000000000000001:role/********'],
    ['tokenMode', '********'],
  ])('with a mask that was pasted back in %s is refused, with one error', (field, value, at = '') => {
    const pair = { customAccessKey: 'LTAIfake', customAccessKeySecret: 'fake-secret' };
    const { issues } = parse({ instanceId: 'cri-a', ...(field.startsWith('custom') ? pair : {}), [field]: value });
    const message = 'holds ********, which stands for what is not shown: write your own';
    const errors = issues.filter(({ severity }) => severity === 'error');
    expect(errors).toEqual([{ severity: 'error', path: `${field}${at}`, message }]);
  });

  test('without any region is of the local one, which the node tells', () => {
    expect(parse({ instanceId: 'cri-a' }, { ...DEFAULTS, region: undefined })).toMatchObject({
      ok: true,
      value: { region: undefined },
      issues: [],
    });
  });

  test.each([{}, { instanceId: '' }])('with %j as its id means the Personal Edition', (item) => {
    const parsed = parse(item);
    expect(parsed).toMatchObject({ ok: true, value: { instanceId: undefined }, issues: [] });
    if (!parsed.ok) return;
    const provider = createAcrProvider();
    expect(provider.registryHosts(parsed.value)).toEqual([
      'registry.cn-hangzhou.aliyuncs.com',
      'registry-vpc.cn-hangzhou.aliyuncs.com',
      'registry-internal.cn-hangzhou.aliyuncs.com',
    ]);
    expect(provider.cacheKey(parsed.value)).toBe('acr/cn-hangzhou/personal/auto');
  });

  test('[acr I6] with a key in plain text works with a warning, and shows it nowhere', () => {
    const parsed = parse({
      instanceId: 'cri-a',
      customAccessKey: 'LTAIfake',
      customAccessKeySecret: 'fake-secret',
    });
    expect(parsed.issues).toEqual([
      expect.objectContaining({
        severity: 'warning',
        path: 'customAccessKeySecret',
        message: expect.stringContaining('accessKeySecretRef'),
      }),
    ]);
    expect(JSON.stringify(parsed.issues)).not.toMatch(/LTAIfake|fake-secret/);
    if (!parsed.ok) throw new Error('refused');
    const key = createAcrProvider().cacheKey(parsed.value);
    expect(key).toMatch(/^acr\/cn-hangzhou\/cri-a\/custom-access-key-[0-9a-f]{12}$/);
  });

  test.each(['customAccessKey', 'customAccessKeySecret'])(
    '[acr I6] with %s alone fails for itself only',
    async (name) => {
      const parsed = parse({ instanceId: 'cri-a', [name]: 'fake-half' });
      expect(parsed).toMatchObject({ ok: true, issues: [{ severity: 'warning', path: name }] });
      if (!parsed.ok) return;
      const attempt = createAcrProvider().fetchCredential(parsed.value, emptyWorld(), new AbortController().signal);
      await expect(attempt).rejects.toMatchObject({
        reason: 'IdentityUnavailable',
        message: expect.stringMatching(/^GetAuthorizationToken of cri-a in cn-hangzhou failed: .*write both/),
      });
      expect(JSON.stringify(parsed.issues)).not.toContain('fake-half');
    },
  );

  test.each<[string, Partial<TargetDefaults>, object, object]>([
    [
      'its Secret before everything',
      { rrsaEnabled: true },
      { rrsaRoleARN: ROLE, accessKeySecretRef: { name: 'x' } },
      { kind: 'secret' },
    ],
    [
      'RRSA before the mode',
      { rrsaEnabled: true },
      { rrsaRoleARN: ROLE, rrsaOIDCProviderRoleARN: PROVIDER },
      { kind: 'rrsa' },
    ],
    [
      'RRSA, of the environment perhaps, when it is on',
      { rrsaEnabled: true, tokenMode: 'workerRole' },
      {},
      { kind: 'rrsa', mode: 'workerRole' },
    ],
    [
      'the mode of the whole configuration',
      { tokenMode: 'workerRole' },
      {},
      { kind: 'token-mode', mode: 'workerRole' },
    ],
    [
      'its own mode before that',
      { tokenMode: 'workerRole' },
      { tokenMode: 'MANAGEDROLE' },
      { kind: 'token-mode', mode: 'managedRole' },
    ],
  ])('takes %s', (_name, defaults, item, base) => {
    expect(parse({ instanceId: 'cri-a', ...item }, { ...DEFAULTS, ...defaults })).toMatchObject({
      ok: true,
      value: { base },
      issues: [],
    });
  });

  test('with a role for RRSA while that is off has a warning that says how to switch it on', () => {
    expect(parse({ instanceId: 'cri-a', rrsaRoleARN: ROLE })).toMatchObject({
      ok: true,
      value: { base: { kind: 'token-mode' } },
      issues: [{ severity: 'warning', path: 'rrsaRoleARN', message: expect.stringContaining('enable: true') }],
    });
  });

  test('[acr C8] assumes a role for an hour unless it says otherwise', () => {
    const durationOf = (item: object) => parse({ instanceId: 'cri-a', assumeRoleARN: ROLE, ...item });
    expect(durationOf({})).toMatchObject({ value: { assumedRole: { roleArn: ROLE, durationSeconds: 3_600 } } });
    expect(durationOf({ expireDuration: '7200' })).toMatchObject({
      value: { assumedRole: { durationSeconds: 7_200 } },
    });
    expect(durationOf({ expireDuration: 900 })).toMatchObject({ value: { assumedRole: { durationSeconds: 900 } } });
  });

  test('[acr E3] a host of the new Personal Edition among others is left out, with a pointer', () => {
    const parsed = parse({ domains: 'registry.cn-hangzhou.aliyuncs.com,crpi-x.cn-hangzhou.personal.cr.aliyuncs.com' });
    expect(parsed).toMatchObject({
      ok: true,
      value: { domains: ['registry.cn-hangzhou.aliyuncs.com'] },
      issues: [{ severity: 'warning', path: 'domains', message: expect.stringContaining('provider: static') }],
    });
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
    expect(parse({ instanceId: 'cri-a', accessKeySecretRef })).toMatchObject({
      ok: true,
      value: { base: { kind: 'secret', secret: accessKeySecret } },
    });
  });

  test('is known under region, instance and Secret', () => {
    const parsed = parse({ instanceId: 'cri-x', accessKeySecretRef: { name: 'keys' } });
    if (!parsed.ok) throw new Error('refused');
    expect(createAcrProvider().cacheKey(parsed.value)).toBe('acr/cn-hangzhou/cri-x/registry/keys');
  });
});

function parse(item: Readonly<Record<string, unknown>>, defaults: TargetDefaults = DEFAULTS) {
  return createAcrProvider().parseTarget(item, defaults);
}
