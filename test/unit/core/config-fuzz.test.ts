// Whatever stands in the ConfigMap: no crash, no hang, no secret in an issue.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CONFIG_KEYS, parseConfig } from '../../../src/core/config.ts';
import { FAKE_CONTEXT } from '../../support/fake-items.ts';

const PLANTED = 'hunter2hunter2';

const scalars = fc.oneof(
  fc.string(),
  fc.constantFrom(
    'a.example',
    '',
    '"',
    '[x]',
    '{a: b}',
    '*x',
    '!x y',
    '&x',
    '&x y',
    '|',
    '>-',
    '"a","b"',
    '// c',
    '%',
    '@',
  ),
);
const secrets = fc.constantFrom(
  PLANTED,
  `"${PLANTED}"`,
  `'${PLANTED}'`,
  `"${PLANTED}" // comment`,
  `"${PLANTED}","x"`,
  `"${PLANTED}`,
  `*${PLANTED}`,
  `&${PLANTED}`,
  `!${PLANTED} x`,
  `&${PLANTED} x`,
  `[${PLANTED}]`,
  `{${PLANTED}}`,
  `{a: ${PLANTED}}`,
  `|\n    ${PLANTED}`,
  `|\n ${PLANTED}`,
  `\n    ${PLANTED}`,
  `\n  ${PLANTED}`,
  `>\n${PLANTED}: x`,
  `%${PLANTED}`,
  `@${PLANTED}`,
  `${PLANTED}: ${PLANTED}`,
);
const secretFields = fc.constantFrom(
  'customAccessKeySecret',
  'CustomAccessKeySecret',
  'secret',
  'accessKeySecret',
  'Secret_Key',
);
const field = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom('provider', 'id', 'regionId', 'domains', 'x', '"q"'), scalars) },
  { weight: 2, arbitrary: fc.tuple(secretFields, secrets) },
);
const separator = fc.constantFrom(': ', ': ', ': ', ': ', ':', ' : ', ' ', '= ');
const line = fc
  .tuple(fc.constantFrom('- ', '  ', '  ', '    ', '', '\t', '  - '), field, separator)
  .map(([indent, [name, value], colon]) => `${indent}${name}${colon}${value}`);
const list = fc.oneof(
  fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n')),
  fc
    .array(fc.tuple(secretFields, secrets), { maxLength: 4 })
    .map((pairs) => `[{provider: fake, id: a, ${pairs.map((pair) => pair.join(': ')).join(', ')}}]`),
  fc
    .array(fc.tuple(secretFields, secrets), { maxLength: 4 })
    .map((pairs) => `[{provider: fake, id: a, ${pairs.map((pair) => pair.join(':')).join(', ')}}]`),
);
const data = fc.record(
  {
    'registry-info': list,
    'acr-registry-info': list,
    ...Object.fromEntries(
      CONFIG_KEYS.filter((key) => !key.endsWith('registry-info')).map((key) => [key, scalars] as const),
    ),
  },
  { requiredKeys: ['registry-info'] },
);

test('any ConfigMap is read without a throw, and no issue tells a secret', () => {
  fc.assert(
    fc.property(data, (values) => {
      const { ok, issues } = parseConfig(values, FAKE_CONTEXT);
      expect(ok).toBe(!issues.some((issue) => issue.severity === 'error'));
      expect(JSON.stringify(issues)).not.toContain(PLANTED);
    }),
    { numRuns: 1_000 },
  );
});

test('any text under any key is read without a throw', () => {
  fc.assert(
    fc.property(fc.constantFrom(...CONFIG_KEYS), fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (key, text) => {
      parseConfig({ 'registry-info': '[]', [key]: text }, FAKE_CONTEXT);
    }),
    { numRuns: 500 },
  );
});

describe('a megabyte that would make a careless parser hang or break:', () => {
  const filled = (text: string): string => text.repeat(Math.floor(1e6 / text.length));
  const numbered = (build: (index: number) => string): string =>
    Array.from({ length: 70_000 }, (_, index) => build(index)).join('');

  test.each<readonly [string, string, string]>([
    ['commas in a list of names', 'watch-namespace', filled(',')],
    ['wrong names', 'watch-namespace', filled('_,')],
    ['stars', 'watch-namespace', filled('*')],
    ['commas in a selector', 'watch-namespace-selector', filled(',')],
    ['open parentheses', 'service-account-selector', filled('(')],
    ['equals signs in labels', 'managed-secret-labels', `${filled('=')}:`],
    ['labels', 'managed-secret-labels', numbered((index) => `a${index}: 1\n`)],
    ['wrong labels', 'managed-secret-labels', numbered((index) => `a${index}: "_"\n`)],
    ['digits', 'expiring-threshold', filled('1')],
    ['unknown fields of one item', 'registry-info', `- provider: fake\n${numbered((index) => `  f${index}: 1\n`)}`],
    [
      'unknown fields of many items',
      'registry-info',
      Array.from(
        { length: 1_000 },
        () => `- provider: fake\n${Array.from({ length: 90 }, (_, index) => `  f${index}: 1\n`).join('')}`,
      ).join(''),
    ],
    ['members of a nested list', 'registry-info', `- provider: fake\n  domains:\n${filled('    - x\n')}`],
    ['items that are none', 'registry-info', filled('- x\n')],
    [
      'items that claim the same hosts',
      'registry-info',
      Array.from(
        { length: 1_000 },
        (_, index) =>
          `- {provider: fake, id: i${index}, domains: "${Array.from({ length: 90 }, (__, host) => `h${host}.example`).join(',')}"}\n`,
      ).join(''),
    ],
    [
      'aliases of one long list',
      'registry-info',
      `- {provider: fake, id: i, domains: &d [${numbered((index) => (index < 10_000 ? `h${index}.example,` : ''))}]}\n${Array.from({ length: 999 }, (_, index) => `- {provider: fake, id: i${index}, domains: *d}\n`).join('')}`,
    ],
    ['a key', 'x'.repeat(1e6), 'x'],
  ])('%s', (_, key, text) => {
    const before = process.cpuUsage();
    const { issues } = parseConfig({ 'registry-info': '[]', [key]: text }, FAKE_CONTEXT);
    // Generous, and not by the clock on the wall: what this guards against takes minutes.
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(10_000);
    expect(issues.every((issue) => (issue.value ?? '').length <= 200)).toBe(true);
  });
});
