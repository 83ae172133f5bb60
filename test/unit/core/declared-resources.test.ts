// What the Secret of declared resources says: the vendor's flat form, ours, and everything that can be wrong with either.
import { describe, expect, test } from '@jest/globals';
import { parseDeclarations, type Declarations } from '../../../src/core/declared-resources.ts';
import { parseImagePullSecret } from '../../../src/core/image-pull-secret.ts';
import { createItemParser } from '../../../src/credentials/requests.ts';
import { createProviders, withResourceProvider } from '../../../src/providers/table.ts';
import { TARGET_DEFAULTS } from '../../support/provider-world.ts';

const PASSWORD = 'fake-password-of-a-declaration';
/** As tcr.md section 7 has it. */
const FLAT = {
  ...{ name: 'tcr-a1b2c3d4-public', namespaces: '*', serviceAccounts: '*', type: 'docker' },
  ...{ dockerUsername: '100099990001', dockerPassword: PASSWORD, dockerServer: 'acme-prod.tencentcloudcr.com' },
};
const SPEC = {
  namespaces: 'web',
  excludeNamespaces: 'kube-*',
  docker: { server: 'acme-prod.tencentcloudcr.com', username: 'u', password: PASSWORD },
};
const parseItem = createItemParser(withResourceProvider(createProviders()), TARGET_DEFAULTS);

function parse(data: Readonly<Record<string, string>>): Declarations {
  return parseDeclarations(data, (name, spec) => parseImagePullSecret(name, spec, parseItem));
}

const list = (...items: readonly unknown[]): Declarations => parse({ 'imagePullSecrets.json': JSON.stringify(items) });
const sentences = ({ issues }: Declarations): readonly string[] =>
  issues.map(({ severity, path, message }) => `${severity} ${path}: ${message}`);

describe('an item', () => {
  test('in the vendor’s flat form becomes a spec, unchanged', () => {
    const { resources, issues, areAll } = list(FLAT);
    expect([issues, areAll]).toEqual([[], true]);
    expect(resources).toEqual([
      {
        name: 'tcr-a1b2c3d4-public',
        spec: {
          ...{ namespaces: '*', serviceAccounts: '*' },
          docker: { server: 'acme-prod.tencentcloudcr.com', username: '100099990001', password: PASSWORD },
        },
      },
    ]);
  });

  test('may have a whole spec, which is taken as it is', () => {
    expect(list({ name: 'own', spec: SPEC })).toMatchObject({ resources: [{ name: 'own', spec: SPEC }], issues: [] });
  });

  test('may be written as YAML', () => {
    const text = `- name: own\n  dockerServer: a.example\n  dockerUsername: 100099990001\n  dockerPassword: ${PASSWORD}\n`;
    const { resources, issues } = parse({ 'imagePullSecrets.yaml': text });
    expect(issues).toEqual([]);
    // A user name is text, also where YAML reads a number.
    expect(resources[0]?.spec).toEqual({
      docker: { server: 'a.example', username: '100099990001', password: PASSWORD },
    });
  });

  test('with a field that nobody knows counts, with a remark', () => {
    const declared = list({ ...FLAT, colour: 'blue' });
    expect(declared.resources).toHaveLength(1);
    expect(sentences(declared)).toEqual([
      expect.stringMatching(/^warning imagePullSecrets\.json\[0\]\.colour: unknown field/),
    ]);
  });
});

describe('an item that cannot be used is told with its place, and what was made of it before stays', () => {
  test.each<[string, object, RegExp]>([
    ['of another type', { type: 'opaque' }, /\[0\]\.type: must be `docker`/],
    ['without a server', { dockerServer: '' }, /\[0\]\.dockerServer: is missing/],
    [
      'with a URL for a server',
      { dockerServer: 'https://a.example/v2' },
      /\[0\]\.dockerServer: must be the host alone/,
    ],
    ['without a password', { dockerPassword: undefined }, /\[0\]\.dockerPassword: is missing/],
    ['with a list that means more than it says', { namespaces: '*,web' }, /\[0\]\.namespaces/],
    ['whose user name a tool rounded', { dockerUsername: '1.00099990001e+11' }, /\[0\]\.dockerUsername: was made/],
    ['with a spec beside flat fields', { spec: SPEC }, /\[0\]\.type: has no place beside `spec`/],
  ])('%s', (_what, parts, sentence) => {
    const declared = list({ ...FLAT, ...parts }, { ...FLAT, name: 'other' });
    expect(sentences(declared).join('\n')).toMatch(sentence);
    expect(declared.resources.map(({ name }) => name)).toEqual(['other']);
    expect([[...declared.kept], declared.areAll]).toEqual([['tcr-a1b2c3d4-public'], true]);
  });

  test('of the same name as an earlier one', () => {
    const declared = list(FLAT, { ...FLAT, dockerServer: 'b.example' });
    expect(declared.resources).toMatchObject([{ spec: { docker: { server: FLAT.dockerServer } } }]);
    expect(sentences(declared)).toEqual([
      expect.stringMatching(/^error .*\[1\]\.name: is the name of an earlier item/),
    ]);
  });

  test.each<[string, unknown]>([
    ['without a name', { ...FLAT, name: undefined }],
    ['with a name that is none', { ...FLAT, name: 'Not_A_Name' }],
    ['with a name that is too long', { ...FLAT, name: 'a'.repeat(247) }],
    ['that is no map', 'tcr-a1b2c3d4-public'],
  ])('%s: nobody knows which it was, and none is deleted', (_what, item) => {
    const declared = list(item, { ...FLAT, name: 'other' });
    expect(declared.areAll).toBe(false);
    expect(declared.resources.map(({ name }) => name)).toEqual(['other']);
    expect(declared.issues.some(({ severity }) => severity === 'error')).toBe(true);
  });
});

describe('a Secret that says nothing that can be understood', () => {
  test.each<[string, Readonly<Record<string, string>>]>([
    ['has no list', { other: '[]' }],
    ['has two lists', { 'imagePullSecrets.json': '[]', 'imagePullSecrets.yaml': '[]' }],
    ['has an empty text', { 'imagePullSecrets.json': ' \n' }],
    ['has no list in it', { 'imagePullSecrets.json': '{}' }],
    ['has nothing in it', { 'imagePullSecrets.json': 'null' }],
    ['is cut off', { 'imagePullSecrets.json': JSON.stringify([FLAT]).slice(0, -9) }],
    ['has too many items', { 'imagePullSecrets.json': JSON.stringify(Array.from({ length: 1_001 }, () => FLAT)) }],
  ])('%s: one error, and nothing is deleted', (_what, data) => {
    const { resources, areAll, issues } = parse(data);
    expect([resources, areAll]).toEqual([[], false]);
    expect(issues.map(({ severity }) => severity)).toEqual(['error']);
  });

  test('is another thing than one that lists none', () => {
    expect(parse({ 'imagePullSecrets.json': '[]' })).toMatchObject({ resources: [], areAll: true, issues: [] });
  });
});

describe('passwords', () => {
  test('are found in both forms, also of items that cannot be used, so that they can be kept out of every line', () => {
    const { passwords } = list(
      { ...FLAT, dockerPassword: `${PASSWORD}-1`, type: 'other' },
      { name: 'own', spec: { ...SPEC, docker: { ...SPEC.docker, password: `${PASSWORD}-2` } } },
    );
    expect(new Set(passwords)).toEqual(new Set([`${PASSWORD}-1`, `${PASSWORD}-2`]));
  });

  test.each<[string, string]>([
    [
      'a value of the wrong kind',
      JSON.stringify([{ ...FLAT, dockerServer: PASSWORD, namespaces: PASSWORD.toUpperCase() }]),
    ],
    ['a name', JSON.stringify([{ ...FLAT, name: `${PASSWORD}_` }])],
    ['a document that is cut off', `[{"dockerPassword": "${PASSWORD}", "name": [}`],
    ['a YAML text with a tab', `- name: a\n  dockerPassword: |\n    x\n\t${PASSWORD}\n`],
    ['a field’s name', JSON.stringify([{ ...FLAT, [PASSWORD]: 1 }])],
  ])('are in no issue about %s', (_what, text) => {
    const { issues } = parse({ 'imagePullSecrets.json': text });
    expect(issues.length).toBeGreaterThan(0);
    expect(issues.every(({ value, correction }) => value === undefined && correction === undefined)).toBe(true);
    const shown = JSON.stringify(issues.map(({ message }) => message));
    expect(shown.toLowerCase()).not.toContain(PASSWORD);
  });
});
