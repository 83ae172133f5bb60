// The malformed samples of the vendor's guides: accepted, or refused with the text as it should be.
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { parseConfig } from '../../../src/core/config.ts';
import { correctYaml } from '../../../src/core/corrections.ts';
import { parseYaml } from '../../../src/core/yaml.ts';
import { patterns } from '../../support/builders.ts';
import { RECORDING_CONTEXT, recordedConfig, recordedItems } from '../../support/recorded-items.ts';
import { FAKE_KEY_ID, FAKE_KEY_SECRET, REFUSED_SAMPLES } from '../../support/vendor-samples.ts';

const ONE = '- instanceId: cri-a\n  regionId: cn-hangzhou\n';

describe('[acr G1] what is not YAML is refused, with the corrected text:', () => {
  test.each(REFUSED_SAMPLES)('$id, $what', ({ key, text, line, twin }) => {
    const parsed = parseConfig({ 'acr-registry-info': ONE, [key]: text }, RECORDING_CONTEXT);
    expect(parsed).toMatchObject({ ok: false, issues: [{ severity: 'error', path: key, line }] });
    const correction = parsed.issues[0]?.correction ?? '';
    expect(load(correction)).toEqual(load(twin));
    expect(parseYaml(correction, key, '')).toMatchObject({ ok: true });
    const told = JSON.stringify(parsed.issues);
    expect(told).not.toContain(FAKE_KEY_ID);
    expect(told).not.toContain(FAKE_KEY_SECRET);
  });

  test('F3 shows nothing of a comment, where an old key may stand', () => {
    const text = `# was ${FAKE_KEY_SECRET}\n- instanceId: "cri-a" // ${FAKE_KEY_SECRET}\n`;
    const { issues } = parseConfig({ 'acr-registry-info': text }, RECORDING_CONTEXT);
    expect(load(issues[0]?.correction ?? '')).toEqual([{ instanceId: 'cri-a' }]);
  });
});

describe('[acr G1] what is YAML but sloppy is accepted:', () => {
  test('F5: a list that is only a comment is empty', () => {
    expect(recordedConfig({ 'acr-registry-info': `#- instanceId: ""` }).config).toEqual(
      recordedConfig({ 'acr-registry-info': '' }).config,
    );
  });

  test.each(['Default', 'ALL', 'All'])('F7: %s', (text) => {
    const { config, issues } = recordedConfig({ 'acr-registry-info': ONE, 'watch-namespace': text });
    expect([config.rules[0]?.scope.namespaces, issues]).toEqual([patterns(text.toLowerCase()), []]);
  });

  test('F8: spaces after commas, and quoted numbers', () => {
    const text = `- instanceId: cri-a\n  domains: "a.example,  b.example"\n  expireDuration: "3600"\n`;
    const { config, issues } = recordedConfig({ 'acr-registry-info': text, 'service-account': 'a,  b' });
    expect(recordedItems(config)[0]?.fields).toMatchObject({
      domains: ['a.example', 'b.example'],
      expireDuration: '3600',
    });
    expect(issues).toEqual([]);
  });

  test('digits without quotes, as they are written', () => {
    const text = `- customAccessKey: ${FAKE_KEY_ID}\n  customAccessKeySecret: 0123456789\n  watch-namespace: 12e4\n  service-account: [007, 1.10]\n  secret-name: 0123\n  expireDuration: 3600\n`;
    const { config } = recordedConfig({ 'acr-registry-info': text, 'managed-secret-labels': 'version: 1.10' });
    expect(config.rules[0]).toMatchObject({
      secretName: '0123',
      scope: { namespaces: patterns('12e4'), serviceAccounts: patterns('007,1.10') },
    });
    expect(recordedItems(config)[0]?.fields).toMatchObject({
      customAccessKeySecret: '0123456789',
      expireDuration: '3600',
    });
    expect(config.secretLabels).toEqual({ version: '1.10' });
  });

  test.each(['15min', '15 m'])('F9: the threshold %p', (text) => {
    const { config, issues } = recordedConfig({ 'acr-registry-info': ONE, 'expiring-threshold': text });
    expect([config.thresholdMs, issues]).toEqual([900_000, []]);
  });
});

describe('[acr G1] F10: typographic quotes are accepted with one warning', () => {
  const twin = { 'acr-registry-info': `${ONE}  domains: "a.example,b.example"\n` };

  test.each<readonly [string, string, string, string]>([
    ['a list of names', 'service-account', '“*”', '*'],
    ['each member of a list of names', 'watch-namespace', '“a”,“b”', 'a,b'],
    ['a threshold', 'expiring-threshold', '“15m”', '15m'],
    ['a mode', 'tokenMode', '‘workerRole’', 'workerRole'],
    ['a nested value', 'rrsa', 'enable: “true”', 'enable: true'],
    ['a nested text as a whole', 'rrsa', '“enable: true”', 'enable: true'],
    ['the switch of the webhook', 'webhook-configuration', '“enable: true”', 'enable: true'],
    ['a selector', 'watch-namespace-selector', '“team=shop”', 'team=shop'],
    ['a label', 'managed-secret-labels', 'team: “shop”', 'team: shop'],
    ['the older list', 'acr-registry', '“registry.*.aliyuncs.com”', '"registry.*.aliyuncs.com"'],
  ])('around %s', (_, key, text, plain) => {
    const base = key === 'acr-registry' ? {} : twin;
    const { config, issues } = recordedConfig({ ...base, [key]: text });
    expect(config).toEqual(recordedConfig({ ...base, [key]: plain }).config);
    expect(issues).toMatchObject([{ severity: 'warning', message: expect.stringContaining('typographic quotes') }]);
  });

  test.each([
    ['a field', `- instanceId: “cri-a”\n  regionId: cn-hangzhou\n  domains: "a.example,b.example"\n`, 1],
    ['a whole list of domains', `${ONE}  domains: “a.example,b.example”\n`, 3],
    ['each domain', `${ONE}  domains: “a.example”, ”b.example”\n`, 3],
    ['the members of a YAML list', `${ONE}  domains: [“a.example”, “b.example”]\n`, 3],
    ['an empty field', `${ONE}  assumeRoleARN: “”\n  domains: "a.example,b.example"\n`, 3],
  ])('around %s', (_, text, line) => {
    const { config, issues } = recordedConfig({ 'acr-registry-info': text });
    expect(config).toEqual(recordedConfig(twin).config);
    expect(issues).toMatchObject([{ severity: 'warning', line }]);
  });
});

describe('a correction', () => {
  const correctionOf = (text: string): string | undefined => {
    const parsed = parseYaml(text, 'k', 'c');
    return parsed.ok ? 'YAML' : parsed.issues[0]?.correction;
  };

  test.each([
    ['a field left of the others', '- a: 1\n - b: 2\n   instanceId: x'],
    ['an unknown field', `- instanceId: "a","b"\n  whatever: x`],
    ['a field that may have been meant to hold a secret', `- instanceId: "a","b"\n  accessKeySecret: x`],
    ['a text that nobody wrote by hand', `- domains: "a","b"\n${'  regionId: x\n'.repeat(2_000)}`],
    ['a field that would fall into a reference', `${ONE}  accessKeySecretRef:\n    name: x\n      tokenMode: auto`],
    ['the same, left of the reference', '- accessKeySecretRef:\n    name: x\n   regionId: cn-hangzhou'],
    ['the same, right below the reference', '- secretRef:\n      domains: "a","b"'],
    ['a field of a reference that would fall out', '- secretRef:\n    name: x\n  server: a\n    namespace: y'],
    ['a reference that is not indented', '- secretRef:\n  name: x\n  domains: "a","b"'],
    ['a map inside of a text', '- provider: static\n  server:\n    name: x\n      namespace: y'],
    ['an item without a dash', 'instanceId: cri-a\n  regionId: cn-hangzhou'],
    ['a bracket that is not closed', '- {instanceId: a'],
    ['a glob without quotes', '- domains: *.example'],
  ])('is not offered for %s', (_, text) => {
    expect(correctionOf(text)).toBeUndefined();
  });

  test.each([
    ['keeps nested maps', '- provider: static\n  domains: "a","b"\n  secretRef:\n    name: x\n  usernameKey: u\n'],
    [
      'moves a field that is too far to the left',
      '- provider: static\n  secretRef:\n    name: x\n  usernameKey: u\n domains: a,b',
    ],
    [
      'moves fields after a nested map',
      '- provider: static\n  domains: a,b\n  secretRef:\n    name: x\n      namespace: ""\n  usernameKey: u',
    ],
  ])('%s', (_, text) => {
    const value = load(correctionOf(text) ?? '') as readonly Record<string, unknown>[];
    expect(value).toMatchObject([{ provider: 'static', domains: 'a,b', secretRef: { name: 'x' }, usernameKey: 'u' }]);
  });

  test('keeps digits as they were written, in quotes where another reader would change them', () => {
    const text = '- domains: "a","b"\n  secret-name: 0123\n  watch-namespace: 12e4\n  expireDuration: 3600\n';
    expect(correctionOf(text)).toBe(
      "- domains: a,b\n  secret-name: '0123'\n  watch-namespace: '12e4'\n  expireDuration: 3600\n",
    );
  });

  test('masks a text that swallowed a field, and one that looks like a key', () => {
    const text = `- domains: "a.example","customAccessKeySecret= hunter2"\n  regionId: ${FAKE_KEY_SECRET}\n`;
    expect(load(correctionOf(text) ?? '')).toEqual([{ domains: '********', regionId: '********' }]);
  });

  test('leaves blocks and comments of a manifest as they are', () => {
    const text = 'metadata:\n a: 1\n  b: 2\ndata:\n  list: |\n    # c\n    - x: ""\n        y: "a","b"\n';
    expect(correctYaml(text)).toBe(
      'metadata:\n a: 1\n b: 2\ndata:\n  list: |\n    # c\n    - x: ""\n        y: "a","b"\n',
    );
  });

  test('is undefined for what is right', () => {
    expect(correctYaml(`${ONE}# c\n\n  domains: "a"\n`)).toBeUndefined();
  });
});
