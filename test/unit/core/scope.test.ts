// The grammar of lists and selectors, and which namespaces and ServiceAccounts they mean.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { IGNORE_LABEL } from '../../../src/core/names.ts';
import {
  includesNamespace,
  includesServiceAccount,
  isLabel,
  matchesName,
  matchesSelector,
  parseLabelSelector,
  parseNamePatterns,
} from '../../../src/core/scope.ts';
import type { LabelSelector } from '../../../src/core/types.ts';
import { buildScope, patterns } from '../../support/builders.ts';

describe('a list of names', () => {
  test.each([
    ['a name means itself', 'default', ['default'], ['default2', 'def', '']],
    ['* means everything', '*', ['default', 'kube-system'], []],
    ['all, ALL and All mean everything', 'ALL', ['default'], []],
    ['a name that contains all is a name', 'all-hands', ['all-hands'], ['default']],
    ['names match in any case as written', 'Default', ['default'], []],
    ['members are trimmed and empty ones dropped', ' a ,, b,\n c\r\n,', ['a', 'b', 'c'], ['', ' ']],
    ['line breaks part as commas do', 'a\nb', ['a', 'b'], ['ab']],
    ['members may be quoted', '"a", \'b\'', ['a', 'b'], ['"a"']],
    ['typographic quotes are read as plain ones', '“*”', ['x'], []],
    ['* stands for any text', 'team-*', ['team-', 'team-a', 'team-a-b'], ['team', 'steam-a']],
    ['? stands for one character', 'a?', ['ab', 'a1'], ['a', 'abc']],
    ['wildcards mix', '*-a?-*', ['x-ab-', '-a1-y'], ['x-a-y', 'ab-']],
    ['! excludes and wins', '*, !kube-*', ['default'], ['kube-system']],
    ['! wins over a listed name', 'a, !a', [], ['a']],
    ['the order of exclusions does not matter', '!team-legacy, team-*', ['team-a'], ['team-legacy']],
    ['exclusions alone mean everything else', '!kube-system', ['default'], ['kube-system']],
    ['an exclusion may be quoted, inside or outside', '"!a", !"b"', ['c'], ['a', 'b']],
    ['!all means nothing', '!all', [], ['default']],
    ['dots are no wildcards', 'a.b', ['a.b'], ['axb']],
  ])('%s', (_, text, included, excluded) => {
    const list = patterns(text);
    for (const name of included) expect([name, matchesName(list, name)]).toEqual([name, true]);
    for (const name of excluded) expect([name, matchesName(list, name)]).toEqual([name, false]);
  });

  test.each(['a b', 'Ä', 'a_b', '-a', 'a-', '!', '!!a', 'a/b', '"a', '“', '[a-z]', 'a;b', '$(x)'])(
    '%p is refused with the member that is wrong',
    (text) => {
      const parsed = parseNamePatterns(`good, ${text}`, 'watch-namespace');
      expect(parsed.ok).toBe(false);
      expect(parsed.issues.filter((issue) => issue.severity === 'error')).toMatchObject([{ path: 'watch-namespace' }]);
    },
  );

  test('every wrong member is named at once, shortened', () => {
    const { issues } = parseNamePatterns(`a b, good, ${'x'.repeat(500)}_`, 'p');
    expect(issues.map((issue) => issue.value)).toEqual(['a b', 'x'.repeat(80)]);
  });

  test('typographic quotes are a warning, each time', () => {
    for (let time = 0; time < 3; time += 1) {
      expect(parseNamePatterns('“a”', 'p')).toMatchObject({ ok: true, issues: [{ severity: 'warning', path: 'p' }] });
    }
  });

  test('a glob that makes backtracking matchers explode is matched at once', () => {
    const list = patterns(`${'*a'.repeat(2_000)}*b`);
    expect(matchesName(list, 'a'.repeat(253))).toBe(false);
    expect(matchesName(patterns('*'.repeat(50_000)), 'x')).toBe(true);
  });

  test('globs mean what the regular expression means', () => {
    const letters = (alphabet: string): fc.Arbitrary<string> =>
      fc.array(fc.constantFrom(...alphabet.split(',')), { maxLength: 7 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(letters('a,b,*,?'), letters('a,b'), (glob, name) => {
        fc.pre(/[*?]/.test(glob) && glob !== '');
        const expression = new RegExp(`^${glob.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        expect(matchesName({ names: new Set(), globs: [glob], excluded: [] }, name)).toBe(expression.test(name));
      }),
    );
  });
});

const LABELS = { team: 'shop', tier: 'web', empty: '', 'example.com/x': '1' };

describe('a label selector', () => {
  test.each([
    ['team=shop', true],
    ['team==shop', true],
    ['team = shop', true],
    ['team=bank', false],
    ['none=', false],
    ['empty=', true],
    ['team!=shop', false],
    ['team!=bank', true],
    ['none!=shop', true],
    ['team in (shop)', true],
    ['team in(shop , bank)', true],
    ['team in (bank,)', false],
    ['empty in (,a)', true],
    ['empty in ()', true],
    ['team notin (bank, pub)', true],
    ['team notin\n (shop)', false],
    ['none notin (shop)', true],
    ['team', true],
    ['empty', true],
    ['none', false],
    ['!team', false],
    ['! none', true],
    ['example.com/x', true],
    ['example.com/x=1,team in (shop, bank),!legacy', true],
    ['team=shop,tier=db', false],
    ['constructor', false],
    ['!constructor', true],
    ['toString!=x', true],
    ['team=shop,', true],
  ])('%p matches: %p', (text, matches) => {
    const parsed = parseLabelSelector(text, 'p');
    expect(parsed.issues).toEqual([]);
    expect(matchesSelector(parsed.ok ? parsed.value : [], LABELS)).toBe(matches);
  });

  test.each([
    ',',
    ' , ',
    'a=b c',
    'a==b==c',
    'a=b=c',
    'a in b',
    'a in (b',
    'a in b)',
    'a nott in (b)',
    'a in (b c)',
    'a in (b)c',
    '!a=b',
    '!a in (b)',
    'a>1',
    'a<1',
    'a||b',
    '(',
    '=b',
    '-a',
    '/a',
    'a/',
    'a/b/c',
    'Ä=1',
    'k'.repeat(64),
    `a=${'v'.repeat(64)}`,
    'a=-b',
  ])('%p is refused', (text) => {
    const parsed = parseLabelSelector(text, 'sel');
    expect(parsed.ok).toBe(false);
    expect(parsed.issues[0]).toMatchObject({ severity: 'error', path: 'sel' });
  });

  test('a megabyte of commas or parentheses is read at once', () => {
    for (const text of [','.repeat(1e6), '('.repeat(1e6), `a in (${','.repeat(1e6)}`, `a${' '.repeat(1e6)}b`]) {
      expect(parseLabelSelector(text, 'p').ok).toBe(false);
    }
  });
});

test.each([
  ['team', 'shop', true],
  ['team', '', true],
  ['example.com/team', 'a.b_c', true],
  ['team', 'a,b', false],
  ['a,b', 'x', false],
  ['team', 'a b', false],
  ['', 'x', false],
  [`${'p'.repeat(254)}/x`, '', false],
  ['team', 'x\n', false],
])('is %p: %p a label? %p', (key, value, expected) => {
  expect(isLabel(key, value)).toBe(expected);
});

describe('a namespace is in scope', () => {
  const selector: LabelSelector = [{ key: 'team', operator: 'exists' }];
  const plain = { name: 'kube-system', labels: {} };

  test.each([
    ['when it is listed', { namespaces: patterns('kube-system') }, plain, true],
    ['when `*` reaches it', { namespaces: patterns('*') }, plain, true],
    [
      '[acr S3] not when `exclude-namespace` bounds the glob that reaches it',
      { namespaces: patterns('*'), excludedNamespaces: patterns('kube-*') },
      plain,
      false,
    ],
    [
      '[acr S3] when it is listed, whatever `exclude-namespace` says',
      { namespaces: patterns('kube-system'), excludedNamespaces: patterns('kube-*') },
      plain,
      true,
    ],
    [
      'when it is listed and reached by a glob, whatever `exclude-namespace` says',
      { namespaces: patterns('*, kube-system'), excludedNamespaces: patterns('*') },
      plain,
      true,
    ],
    ['not when it is listed and taken out again', { namespaces: patterns('kube-system, !kube-*') }, plain, false],
    [
      'when its labels are selected though no list names it',
      { namespaces: patterns('default'), namespaceSelector: selector },
      { name: 'shop', labels: { team: 'x' } },
      true,
    ],
    [
      'when the list names it though its labels are not selected',
      { namespaces: patterns('shop'), namespaceSelector: selector },
      { name: 'shop', labels: {} },
      true,
    ],
    [
      'not when it is neither listed nor selected',
      { namespaces: patterns('default'), namespaceSelector: selector },
      { name: 'shop', labels: {} },
      false,
    ],
    [
      'not when it is selected but taken out of the list',
      { namespaces: patterns('default, !shop'), namespaceSelector: selector },
      { name: 'shop', labels: { team: 'x' } },
      false,
    ],
    [
      'not when it is selected but `exclude-namespace` bounds the selector',
      { namespaces: patterns(''), namespaceSelector: selector, excludedNamespaces: patterns('shop') },
      { name: 'shop', labels: { team: 'x' } },
      false,
    ],
    [
      'not when it bears the ignore label, even when it is listed',
      { namespaces: patterns('shop') },
      { name: 'shop', labels: { [IGNORE_LABEL]: 'true' } },
      false,
    ],
    ['when the ignore label says something else', {}, { name: 'shop', labels: { [IGNORE_LABEL]: 'no' } }, true],
  ])('%s', (_, scope, namespace, expected) => {
    expect(includesNamespace(buildScope(scope), namespace)).toBe(expected);
  });
});

describe('a ServiceAccount is in scope', () => {
  const selector: LabelSelector = [{ key: 'pull', operator: 'in', values: ['yes'] }];

  test.each([
    ['when it is listed', {}, { name: 'default', labels: {} }, true],
    ['not when it is not', {}, { name: 'builder', labels: {} }, false],
    ['when it is selected', { serviceAccountSelector: selector }, { name: 'x', labels: { pull: 'yes' } }, true],
    ['not when it bears the ignore label', {}, { name: 'default', labels: { [IGNORE_LABEL]: 'true' } }, false],
    [
      'not when it is selected but taken out of the list',
      { serviceAccounts: patterns('!x'), serviceAccountSelector: selector },
      { name: 'x', labels: { pull: 'yes' } },
      false,
    ],
  ])('%s', (_, scope, account, expected) => {
    expect(includesServiceAccount(buildScope(scope), account)).toBe(expected);
  });
});
