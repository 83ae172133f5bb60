// What is said of names in vain: once, with all of them, and never of a pattern.
import { expect, test } from '@jest/globals';
import { withUnserved, withUnservedNames } from '../../../src/core/unserved-namespaces.ts';
import type { Config } from '../../../src/core/types.ts';
import { buildRule, buildScope, buildSettings, patterns } from '../../support/builders.ts';

const config = (...lists: readonly string[]): Config => ({
  ...buildSettings(),
  webhook: undefined,
  rules: lists.map((list) => buildRule({ scope: buildScope({ namespaces: patterns(list) }) })),
});
const said = (lists: readonly string[], served: readonly string[] | undefined): readonly string[] =>
  withUnserved({ ok: true, value: config(...lists), issues: [] }, served).issues.map(({ message }) => message);

test.each<readonly [string, readonly string[], readonly string[] | undefined, string | undefined]>([
  ['names that are served', ['a,b'], ['a', 'b'], undefined],
  ['any names where all are served', ['a,b'], undefined, undefined],
  ['patterns, whatever they mean', ['team-*,!team-x'], ['a'], undefined],
  ['a name that is taken out again', ['a,x,!x'], ['a'], undefined],
  ['names of several rules, each once', ['x,a', 'w,x'], ['a'], 'w, x'],
])('of %s', (_, lists, served, names) => {
  const message = `names what this installation does not serve, so that nothing is written there: ${names}; add it to --namespaces and give it the Role of docs/rbac-namespaced.yaml, or take it out here`;
  expect(said(lists, served)).toEqual(names === undefined ? [] : [message]);
});

test('a long list is told by its first ten names and a number', () => {
  const names = Array.from({ length: 13 }, (_, at) => `n-${at + 10}`);
  expect(said([names.join(',')], ['a'])[0]).toContain('n-18, n-19 and 3 more; add');
});

test('a resource is told the same at its own field, beside what else is wrong with it', () => {
  const [rule] = config('a,x').rules;
  const other = { severity: 'warning', path: 'spec', message: 'm' } as const;
  const { issues } = withUnservedNames({ rule, issues: [other] }, ['a']);
  expect(issues).toEqual([
    other,
    { severity: 'warning', path: 'spec.namespaces', message: expect.stringContaining(' x; ') as unknown },
  ]);
  expect(withUnservedNames({ rule: undefined, issues: [other] }, ['a']).issues).toEqual([other]);
});
