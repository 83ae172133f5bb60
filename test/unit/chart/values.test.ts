// The values of the chart have one source: its files are what that says, and it says what the program knows.
import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { GROUPS } from '../../../scripts/chart-values/all.ts';
import { chartFiles } from '../../../scripts/chart-values/chart-files.ts';
import type { Members, Section, Value } from '../../../scripts/chart-values/shape.ts';
import { CONFIG_DEFAULTS, CONFIG_KEYS } from '../../../src/core/config.ts';
import { MANAGED_NAMES } from '../../../src/core/managed-form.ts';

const CHART = 'charts/registry-credential-helper';
const all = Object.assign({}, ...GROUPS.map(({ members }) => members)) as Members;

describe('the source of the values', () => {
  test('is what values.yaml, values.schema.json and the README of the chart are made from: else run scripts/chart', async () => {
    for (const { path, text, wanted } of await chartFiles()) expect({ path, text }).toEqual({ path, text: wanted });
  });

  test('says of every value what stands for it where it is null: a list for a list, a map for a map', () => {
    const missing = load(readFileSync(`${CHART}/files/missing-values.yaml`, 'utf8')) as Readonly<Record<string, Node>>;
    for (const [path, { fallback }] of leaves(all, '')) {
      const node = path.split('.').reduce<Node>((one, name) => one.members?.[name] ?? {}, { members: missing });
      expect(node.default).toEqual(fallback);
      const stand = 'missing' in node ? node.missing : node.default;
      expect([path, kindOf(stand)]).toEqual([path, kindOf(fallback)]);
      if (typeof stand === 'object' && stand !== null) expect([path, Object.keys(stand)]).toEqual([path, []]);
    }
  });

  test('has no name in two groups', () => {
    const names = GROUPS.flatMap(({ members }) => Object.keys(members));
    expect(names).toEqual([...new Set(names)]);
  });

  test('lets unknown members through only where others write them', () => {
    expect(openSections(all, '')).toEqual(['global', 'global.cluster']);
  });

  test('says of every value what it is, in a sentence', () => {
    const bare = leaves(all, '').filter(([, { about }]) => !/^['`A-Z(].*[.:)]$/s.test(about));
    expect(bare.map(([path]) => path)).toEqual([]);
  });

  test('has defaults that its schema lets through, as values.yaml has them', () => {
    const values = load(readFileSync(`${CHART}/values.yaml`, 'utf8'));
    for (const [path, { fallback }] of leaves(all, '')) expect(values).toHaveProperty(path.split('.'), fallback);
  });
});

test('every template begins by filling in values that are not there', () => {
  const templates = globSync(`${CHART}/templates/{*.yaml,*/*.yaml,NOTES.txt}`);
  const first = '{{- include "registry-credential-helper.values" . }}';
  const others = templates.filter((file) => !readFileSync(file, 'utf8').startsWith(`${first}\n`));
  expect(templates.length).toBeGreaterThan(20);
  expect(others).toEqual([]);
});

describe('the section config', () => {
  const { members } = all.config as Section;

  test('has every key of the ConfigMap under its own name', () => {
    const names = ['existingConfigMap', 'name', 'namespace'];
    const keys = Object.keys(members).filter((key) => !names.includes(key));
    expect(keys.sort()).toEqual([...new Set([...CONFIG_KEYS, 'acr-api-version'])].sort());
  });

  test('gives no key but the namespaces of the system to leave out', () => {
    const given = leaves(members, '').filter(([, { fallback }]) => fallback !== '' && fallback !== null);
    expect(given.map(([path]) => path)).toEqual(['name', 'exclude-namespace']);
  });

  test('tells the defaults that the program has', () => {
    const told = Object.keys(CONFIG_DEFAULTS).filter((key) => key !== 'exclude-namespace');
    for (const key of told) {
      expect(members[key]?.about).toContain(`\`${(CONFIG_DEFAULTS as Readonly<Record<string, string>>)[key] ?? ''}\``);
    }
  });
});

test('the managed form is the one that the program reads', () => {
  const template = readFileSync(`${CHART}/templates/_configuration.tpl`, 'utf8');
  const names = /managedNames" -}}\n(.*?)\{\{/s.exec(template)?.[1] ?? '';
  expect(load(names)).toEqual(Object.fromEntries(MANAGED_NAMES));
  for (const name of MANAGED_NAMES.values()) expect(all).toHaveProperty(name);
});

interface Node {
  readonly members?: Readonly<Record<string, Node>>;
  readonly default?: unknown;
  readonly missing?: unknown;
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'list' : typeof value;
}

function leaves(members: Members, prefix: string): readonly (readonly [string, Value])[] {
  return Object.entries(members).flatMap(([name, member]) =>
    member.kind === 'section' ? leaves(member.members, `${prefix}${name}.`) : [[`${prefix}${name}`, member] as const],
  );
}

function openSections(members: Members, prefix: string): readonly string[] {
  return Object.entries(members).flatMap(([name, member]) => {
    if (member.kind === 'value') return [];
    const path = `${prefix}${name}`;
    return [...(member.isOpen ? [path] : []), ...openSections(member.members, `${path}.`)];
  });
}
