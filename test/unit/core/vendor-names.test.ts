// The vendor's grammar of names: exact, and never wider than what is written.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { includesNamespace, matchesName, NO_NAMES } from '../../../src/core/scope.ts';
import { parseVendorNames } from '../../../src/core/vendor-names.ts';

const PATH = 'spec.namespaces';
const EVERYTHING = ['default', 'kube-system', 'a', 'b', 'team-1'];

function matched(written: unknown): readonly string[] {
  const { patterns } = parseVendorNames(written, 'namespace', PATH);
  return EVERYTHING.filter((name) => matchesName(patterns, name));
}

test.each([[''], [undefined], [null], ['*'], ['  '], [' * ']])('[tcr C5] %j means any namespace', (written) => {
  expect(parseVendorNames(written, 'namespace', PATH).issues).toEqual([]);
  expect(matched(written)).toEqual(EVERYTHING);
});

test('[tcr C5] names are trimmed, empty ones dropped', () => {
  expect(parseVendorNames(' a , b,', 'namespace', PATH).issues).toEqual([]);
  expect(matched(' a , b,')).toEqual(['a', 'b']);
});

test('[tcr C5] a pattern matches nothing, and is told', () => {
  expect(matched('a*')).toEqual([]);
  expect(parseVendorNames('a*', 'namespace', PATH).issues).toMatchObject([{ path: PATH, value: 'a*' }]);
});

describe('what is wrong never widens the match', () => {
  test.each([
    [',', []],
    [' , ,', []],
    ['*,a', ['a']],
    ['a,*', ['a']],
    ['**', []],
    ['all', []],
    ['!a', []],
    ['_', []],
    ['a b', []],
    [['a'], []],
    [7, []],
  ])('[tcr C6] %j', (written, names) => {
    expect(matched(written)).toEqual(names);
    const { issues } = parseVendorNames(written, 'namespace', PATH);
    // "all" is a name like any other here.
    if (written !== 'all') expect(issues).toMatchObject([{ severity: 'error', path: PATH }]);
  });

  test('only names of the right form are read', () => {
    expect(parseVendorNames('my.account', 'serviceAccount', 'spec.serviceAccounts').issues).toEqual([]);
    expect(parseVendorNames('my.namespace', 'namespace', PATH).issues).toHaveLength(1);
    expect(parseVendorNames('UPPER', 'namespace', PATH).issues).toHaveLength(1);
  });

  test('whatever is written: what matches is any, or a member that stands there', () => {
    const word = fc.constantFrom('a', 'b', 'kube-system', '*', 'a*', '', ' ', '?', '!a', 'A', 'a.b', '*,');
    fc.assert(
      fc.property(
        fc.array(word).map((words) => words.join(',')),
        fc.constantFrom(...EVERYTHING),
        (text, name) => {
          const { patterns, issues } = parseVendorNames(text, 'namespace', PATH);
          const scope = {
            namespaces: patterns,
            namespaceSelector: undefined,
            excludedNamespaces: NO_NAMES,
            serviceAccounts: NO_NAMES,
            serviceAccountSelector: undefined,
          };
          const isAny = text.trim() === '' || text.trim() === '*';
          const isMember = text.split(',').some((member) => member.trim() === name);
          expect(includesNamespace(scope, { name, labels: {} })).toBe(isAny || isMember);
          if (!isAny && !isMember && patterns.names.size === 0) expect(issues).not.toEqual([]);
        },
      ),
    );
  });

  test('a text without end costs no more than its names', () => {
    const { issues } = parseVendorNames('x*,'.repeat(50_000), 'namespace', PATH);
    expect(issues).toHaveLength(1);
  });
});
