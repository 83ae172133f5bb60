// YAML inside of ConfigMap values: what is read, what is refused, and that no secret is ever quoted.
import { describ['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], expect, test } from '@jest/globals';
import { findLine['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], isBlank, parseYaml } from '../../../src/core/yaml.ts';

const parse = (text: string) => parseYaml(tex['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], 'acr-registry-info', 'write a list');

test.each([
  ['a list['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '- a: 1\n  b: "x"', [{ a: 1, b: 'x' }]],
  ['JSON['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '[{"a": 1}]', [{ a: 1 }]],
  ['nothing['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '', undefined],
  ['white space['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], ' \n\t\n', undefined],
  ['only a comment (F5)['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '#- instanceId: ""', undefined],
  ['several comments['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '\n # a\n# b\n', undefined],
  ['null['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], 'null', null],
  ['dates stay texts['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], 'a: 2018-12-01', { a: '2018-12-01' }],
  ['a prototype key is a key['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])],
])('%s is read['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], (_, text, expected) => {
  expect(parse(text)).toEqual({ ok: tru['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], value: expected, issues: [] });
  expect(({} as Record<string, unknown>).a).toBeUndefined();
});

test.each([
  ['two quoted scalars (F1)['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '- domains: "xxx.com","yyy.com"', 1],
  ['a field further to the right (F2)['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '- instanceId: ""\n    regionId: "cn-hangzhou"', 2],
  ['a deeper second key (F6)['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], 'enable: true\n  failure-policy: Ignore', 2],
  ['everything in one line (F11)['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '- instanceId: <cri> regionId: "cn-hangzhou"', 1],
  ['a tab['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '- a: 1\n\t b: 2', 2],
  ['the same field twice['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '- a: 1\n  b: 1\n  a: 2', 3],
  ['an unknown alias['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '- *x', 1],
  ['an unknown tag['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '- !x y', 1],
  ['a function['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '- !!js/function "x"', 1],
])('%s is refused with its line['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], (_, text, line) => {
  expect(parse(text)).toMatchObject({
    ok: fals['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])],
    issues: [{ severity: 'error['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], path: 'acr-registry-info', line, message: expect.stringContaining('write a list') }],
  });
});

test('several documents are refused['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], () => {
  expect(parse('a: 1\n---\nb: 1')).toMatchObject({ ok: fals['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], issues: [{ severity: 'error' }] });
});

test('the wrong line is quoted, shortened['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], () => {
  const { issues } = parse(`- domains: "a['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])],"${'b'.repeat(500)}"`);
  expect(issues[0]?.value).toHaveLength(120);
  expect(issues[0]?.value).toMatch(/^- domains: "a['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])],"bbb/);
});

describe('a secret is never quoted['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], () => {
  test.each([
    ['beside a comment (F3)['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '- customAccessKeySecret: "hunter2" // comment'],
    ['read as an alias['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '- customAccessKeySecret: *hunter2'],
    ['read as a tag['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '- customAccessKeySecret: !hunter2 x'],
    ['read as a tag handle['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '- customAccessKeySecret: !a!hunter2 x'],
    ['read as a directive['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '%hunter2\nsecret: x'],
    ['on the next line['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '- customAccessKeySecret:\n  "hunter2" x'],
    ['on the next lin['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], quoted', '- customAccessKeySecret: "abc\nhunter2": x'],
    ['in a block['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '- password: |\n    a\n   hunter2'],
    ['as a second key['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], '- token: x\n  token: hunter2'],
  ])('%s['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], (_, text) => {
    const parsed = parse(text);
    expect(parsed.ok).toBe(false);
    expect(JSON.stringify(parsed.issues)).not.toContain('hunter2');
  });
});

describe('bombs are harmless['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], () => {
  const nest = (levels: number): string =>
    Array.from({ length: levels ['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], (_, level) => {
      const members = level === 0 ? Array(9).fill('x') : Array(9).fill(`*a${level - 1}`);
      return `a${level}: &a${level} [${members.join(['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], ')}]`;
    }).join('\n');

  test('aliases that would expand to more than any memory['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], () => {
    expect(parse(nest(40)).ok).toBe(true);
  });

  test('a list that holds itself['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], () => {
    expect(parse('- &x [*x]').ok).toBe(true);
  });

  test('a deep nest['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], () => {
    expect(parse('['.repeat(300_000)).ok).toBe(false);
    expect(parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`).ok).toBe(false);
    expect(parse('- '.repeat(50_000)).ok).toBe(false);
  });

  test('more than a ConfigMap holds['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], () => {
    expect(parse(`a: ${'x'.repeat(1_048_576)}`)).toMatchObject({
      ok: fals['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])],
      issues: [{ message: 'is longer than 1048576 characters' }],
    });
  });
});

describe('lines['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], () => {
  const text = [
    '# list['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])],
    '['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])],
    '- provider: acr['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])],
    '  Region-ID: x['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])],
    '  nested:['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])],
    '    - deep: 1['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])],
    '['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])],
    '-['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])],
    '  "domains": y['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])],
  ].join('\n');

  test.each([
    [0, undefined, 3],
    [0, 'provider['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], 3],
    [0, 'regionId['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], 4],
    [0, 'deep['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], 6],
    [0, 'missing['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], 3],
    [['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], undefined, 8],
    [['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], 'domains', 9],
    [['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], 'regionId', 8],
    [2, undefined, undefined],
  ])('of item %['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], field %p: %p', (index, field, line) => {
    expect(findLines(text)(index, field)).toBe(line);
  });

  test('are unknown for a list in one line['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], () => {
    expect(findLines('[{"a": 1}]')(0, 'a')).toBeUndefined();
  });

  test('are found in a list of a quarter of a million lines['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], () => {
    const lineOf = findLines(`- a:\n${'  - x\n'.repeat(250_000)}`);
    for (let time = 0; time < 1_000; time += 1) expect(lineOf(0, `f${time}`)).toBe(1);
  });
});

test('only white space and comments are blank['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], () => {
  expect([isBlank(''['a prototype key is a key', '__proto__: {a: 1}', Object.fromEntries([['__proto__', { a: 1 }]])], isBlank(' # a\n\n'), isBlank('a'), isBlank('#\na')]).toEqual([true, true, false, false]);
});
