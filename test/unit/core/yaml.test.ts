// YAML inside of ConfigMap values: what is read, what is refused, and that no secret is ever quoted.
import { describe, expect, test } from '@jest/globals';
import { findLines } from '../../../src/core/yaml-lines.ts';
import { isBlank, parseDocuments, parseYaml } from '../../../src/core/yaml.ts';

const parse = (text: string) => parseYaml(text, 'acr-registry-info', 'write a list');

test.each([
  ['a list', '- a: 1\n  b: "x"', [{ a: 1, b: 'x' }]],
  ['JSON', '[{"a": 1}]', [{ a: 1 }]],
  ['nothing', '', undefined],
  ['white space', ' \n\t\n', undefined],
  ['only a comment (F5)', '#- instanceId: ""', undefined],
  ['several comments', '\n # a\n# b\n', undefined],
  ['null', 'null', null],
  ['a date, as text,', 'a: 2018-12-01', { a: '2018-12-01' }],
  ['a prototype key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])],
])('%s is read', (_, text, expected) => {
  expect(parse(text)).toEqual({ ok: true, value: expected, issues: [] });
  expect(({} as Record<string, unknown>).a).toBeUndefined();
});

test.each([
  ['a leading zero', '0123'],
  ['nothing but zeros', '000'],
  ['an exponent', '12e4'],
  ['an exponent as numbers have it', '1e+21'],
  ['a zero at the end', '1.10'],
  ['a sign', '+7'],
  ['another base', '0x10'],
  ['more digits than a number holds', '12345678901234567890'],
  ['infinity', '.inf'],
])('digits that a number would change are text: %s', (_, digits) => {
  expect(parse(`- a: ${digits}\n- [${digits}]\n- ${digits}: x`)).toMatchObject({
    value: [{ a: digits }, [digits], { [digits]: 'x' }],
  });
  expect(parseDocuments(`a: ${digits}`, 'file', '')).toMatchObject({ value: [{ a: digits }] });
});

test.each([
  ['3600', 3600],
  ['-1.5', -1.5],
  ['true', true],
  ['False', false],
  ['~', null],
])('what a number or a word says as well is one: %s', (text, value) => {
  expect(parse(`a: ${text}`)).toMatchObject({ value: { a: value } });
});

test.each([
  ['two quoted scalars (F1)', '- domains: "xxx.com","yyy.com"', 1],
  ['a field further to the right (F2)', '- instanceId: ""\n    regionId: "cn-hangzhou"', 2],
  ['a deeper second key (F6)', 'enable: true\n  failure-policy: Ignore', 2],
  ['everything in one line (F11)', '- instanceId: <cri> regionId: "cn-hangzhou"', 1],
  ['a tab', '- a: 1\n\t b: 2', 2],
  ['the same field twice', '- a: 1\n  b: 1\n  a: 2', 3],
  ['an alias without a name', '- *', 1],
  ['an unknown tag', '- !x y', 1],
  ['a function', '- !!js/function "x"', 1],
])('%s is refused with its line', (_, text, line) => {
  expect(parse(text)).toMatchObject({
    ok: false,
    issues: [{ severity: 'error', path: 'acr-registry-info', line, message: expect.stringContaining('write a list') }],
  });
});

test.each([
  ['an anchor', '- a: 1\n- &x b: 1', 2],
  ['an anchor of a list', '- &x [a]', 1],
  ['an anchor of a map', '- a:\n    &x\n    b: 1', 2],
  ['an anchor of nothing', '- a: &x', 1],
  ['an alias', '- a: &x 1\n- *x', 1],
  ['an unknown alias', '- a\n- *x', 2],
  ['a glob without quotes', '- domains: *.example', 1],
])('%s is refused with its line and how to write it', (_, text, line) => {
  const message = expect.stringMatching(/^anchors and aliases are not read: write it out/);
  expect(parse(text)).toMatchObject({ ok: false, issues: [{ severity: 'error', line, message }] });
});

test.each([
  ['in quotes', '- "*.example"\n- \'&x\'', ['*.example', '&x']],
  ['inside a text', '- a*\n- b & c\n- x&y', ['a*', 'b & c', 'x&y']],
  ['in a comment', '- a # *x &y\n# *x', ['a']],
  ['in a block', '- |-\n  *x\n  &y', ['*x\n&y']],
])('`*` and `&` %s are plain characters', (_, text, value) => {
  expect(parse(text)).toEqual({ ok: true, value, issues: [] });
});

test('several documents are refused', () => {
  expect(parse('a: 1\n---\nb: 1')).toMatchObject({ ok: false, issues: [{ severity: 'error' }] });
});

test('the wrong line is quoted, shortened', () => {
  const { issues } = parse(`- domains: "a","${'b'.repeat(500)}"`);
  expect(issues[0]?.value).toHaveLength(120);
  expect(issues[0]?.value).toMatch(/^- domains: "a","bbb/);
});

describe('a secret is never quoted', () => {
  test.each([
    ['beside a comment (F3)', '- customAccessKeySecret: "hunter2" // comment'],
    ['read as an alias', '- customAccessKeySecret: *hunter2'],
    ['read as an anchor', '- customAccessKeySecret: &hunter2 x'],
    ['read as an anchor, on the next line', '- customAccessKeySecret:\n  &hunter2'],
    ['read as a number', '- customAccessKeySecret: !!int hunter2'],
    ['read as a tag', '- customAccessKeySecret: !hunter2 x'],
    ['read as a tag handle', '- customAccessKeySecret: !a!hunter2 x'],
    ['read as a directive', '%hunter2\nsecret: x'],
    ['on the next line', '- customAccessKeySecret:\n  "hunter2" x'],
    ['on the next line, quoted', '- customAccessKeySecret: "abc\nhunter2": x'],
    ['in a block', '- password: |\n    a\n   hunter2'],
    ['as a second key', '- token: x\n  token: hunter2'],
  ])('%s', (_, text) => {
    const parsed = parse(text);
    expect(parsed.ok).toBe(false);
    expect(JSON.stringify(parsed.issues)).not.toContain('hunter2');
  });
});

describe('bombs are harmless', () => {
  const nest = (levels: number): string =>
    Array.from({ length: levels }, (_, level) => {
      const members = Array<string>(9).fill(level === 0 ? 'x' : `*a${level - 1}`);
      return `a${level}: &a${level} [${members.join(', ')}]`;
    }).join('\n');

  test('aliases that would expand to more than any memory', () => {
    expect(parse(nest(40)).ok).toBe(false);
  });

  test('a list that holds itself', () => {
    expect(parse('- &x [*x]').ok).toBe(false);
  });

  test('a deep nest', () => {
    expect(parse('['.repeat(300_000)).ok).toBe(false);
    expect(parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`).ok).toBe(false);
    expect(parse('- '.repeat(50_000)).ok).toBe(false);
  });

  test('more than a ConfigMap holds', () => {
    expect(parse(`a: ${'x'.repeat(1_048_576)}`)).toMatchObject({
      ok: false,
      issues: [{ message: 'is longer than 1048576 characters' }],
    });
  });
});

describe('lines', () => {
  const lines = ['# list', '', '- provider: acr', '  Region-ID: x', '  nested:', '    - deep: 1', '', '-'];
  const text = [...lines, '  "domains": y'].join('\n');

  test.each([
    [0, undefined, 3],
    [0, 'provider', 3],
    [0, 'regionId', 4],
    [0, 'deep', 6],
    [0, 'missing', 3],
    [1, undefined, 8],
    [1, 'domains', 9],
    [1, 'regionId', 8],
    [2, undefined, undefined],
  ])('of item %i, field %p: %p', (index, field, line) => {
    expect(findLines(text)(index, field)).toBe(line);
  });

  test('are unknown for a list in one line', () => {
    expect(findLines('[{"a": 1}]')(0, 'a')).toBeUndefined();
  });

  test('are found in a list of a quarter of a million lines', () => {
    const lineOf = findLines(`- a:\n${'  - x\n'.repeat(250_000)}`);
    for (let time = 0; time < 1_000; time += 1) expect(lineOf(0, `f${time}`)).toBe(1);
  });
});

test('only white space and comments are blank', () => {
  expect([isBlank(''), isBlank(' # a\n\n'), isBlank('a'), isBlank('#\na')]).toEqual([true, true, false, false]);
});
