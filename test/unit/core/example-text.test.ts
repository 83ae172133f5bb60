// What a ConfigMap that we make explains: every key, so that each sample can be used as it stands.
import { describe, expect, test } from '@jest/globals';
import { CONFIG_DEFAULTS, CONFIG_KEYS, parseConfig } from '../../../src/core/config.ts';
import { EXAMPLE_TEXT, EXPLAINED_KEYS } from '../../../src/core/example-text.ts';
import { EXAMPLE_KEY } from '../../../src/core/names.ts';
import { parseYaml } from '../../../src/core/yaml.ts';
import { createItemParser } from '../../../src/credentials/requests.ts';
import { createProviders } from '../../../src/providers/table.ts';

const providers = createProviders();
const parse = (data: Readonly<Record<string, string>>) =>
  parseConfig(data, {
    parseItem: createItemParser(providers, { namespace: 'kube-system', secretNamespaces: [] }),
    providers: [...providers.keys()],
    namespace: 'kube-system',
  });
const LISTS = ['registry-info', 'acr-registry-info', 'tcr-registry-info', 'acr-registry'];

describe('the explanation', () => {
  test('has every key of the configuration, and no other', () => {
    expect(EXPLAINED_KEYS.map(({ key }) => key).toSorted()).toEqual([...CONFIG_KEYS].sort());
  });

  test('tells every default', () => {
    for (const [key, value] of Object.entries(CONFIG_DEFAULTS)) {
      if (value !== '') expect(EXAMPLE_TEXT).toMatch(new RegExp(`# Default: ${value}\\n${key}: `));
    }
  });

  test('is YAML that holds each sample as the key would have it', () => {
    const parsed = parseYaml(EXAMPLE_TEXT, EXAMPLE_KEY, '');
    const samples = EXPLAINED_KEYS.map(({ key, sample }) => [key, sample.includes('\n') ? `${sample}\n` : sample]);
    const value = parsed.ok ? (parsed.value as Readonly<Record<string, string>>) : {};
    expect(Object.entries(value).map(([key, text]) => [key, text.trimEnd()])).toEqual(
      samples.map(([key, sample = '']) => [key, sample.trimEnd()]),
    );
  });

  test.each(EXPLAINED_KEYS.map(({ key, sample }) => [key, sample]))(
    'has a sample of %s that can be used',
    (key, sample) => {
      const issues = parse({ ...(LISTS.includes(key) ? {} : { 'registry-info': '[]' }), [key]: sample }).issues;
      expect(issues).toEqual([]);
    },
  );

  test('is no configuration: nobody is told of it', () => {
    expect(parse({ 'registry-info': '[]', [EXAMPLE_KEY]: EXAMPLE_TEXT })).toMatchObject({ ok: true, issues: [] });
  });

  test('stays readable in kubectl edit: no line is long, none ends with a space', () => {
    for (const line of EXAMPLE_TEXT.split('\n')) {
      expect(line).toBe(line.trimEnd());
      expect(line.length).toBeLessThanOrEqual(122);
    }
  });
});
