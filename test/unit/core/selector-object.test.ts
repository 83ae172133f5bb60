// Label selectors in the form of objects.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { matchesSelector } from '../../../src/core/scope.ts';
import { parseSelectorObject } from '../../../src/core/selector-object.ts';

const PATH = 'spec.namespaceSelector';
const values = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `v${at}`);

test.each<[object, Record<string, string>, boolean]>([
  [{}, {}, true],
  [{ matchLabels: { team: 'web' } }, { team: 'web' }, true],
  [{ matchLabels: { team: 'web' } }, { team: 'api' }, false],
  [{ matchLabels: { team: 'web', tier: '1' } }, { team: 'web' }, false],
  [{ matchExpressions: [{ key: 'team', operator: 'In', values: ['a', 'b'] }] }, { team: 'b' }, true],
  [{ matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] }, {}, true],
  [{ matchExpressions: [{ key: 'team', operator: 'Exists' }] }, { team: '' }, true],
  [{ matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] }, { team: '' }, false],
])('%j selects %j: %s', (selector, labels, selected) => {
  const parsed = parseSelectorObject(selector, PATH);
  expect(parsed.ok && matchesSelector(parsed.value, labels)).toBe(selected);
});

test.each<[unknown, string]>([
  ['team=web', PATH],
  [[], PATH],
  [{ matchLabel: { team: 'web' } }, PATH],
  [{ matchLabels: ['team'] }, `${PATH}.matchLabels`],
  [{ matchLabels: { team: 1 } }, `${PATH}.matchLabels`],
  [{ matchLabels: { '-': 'x' } }, `${PATH}.matchLabels`],
  [{ matchExpressions: {} }, `${PATH}.matchExpressions`],
  [{ matchExpressions: [{ key: 'team', operator: 'in', values: ['a'] }] }, `${PATH}.matchExpressions[0]`],
  [{ matchExpressions: [{ key: 'team', operator: 'In', values: [] }] }, `${PATH}.matchExpressions[0]`],
  [{ matchExpressions: [{ key: 'team', operator: 'In', values: ['a', 1] }] }, `${PATH}.matchExpressions[0]`],
  [{ matchExpressions: [{ key: 'team', operator: 'Exists', values: ['a'] }] }, `${PATH}.matchExpressions[0]`],
  [{ matchExpressions: [{ operator: 'Exists' }] }, `${PATH}.matchExpressions[0]`],
  [{ matchExpressions: [{ key: 'team', operator: 'constructor' }] }, `${PATH}.matchExpressions[0]`],
  [{ matchLabels: Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`l${at}`, 'x'])) }, PATH],
  [{ matchExpressions: [1, 2].map(() => ({ key: 'team', operator: 'In', values: values(501) })) }, PATH],
])('%j is refused at %s', (selector, path) => {
  expect(parseSelectorObject(selector, PATH)).toMatchObject({ ok: false, issues: [{ severity: 'error', path }] });
});

test('1,000 values in all are taken', () => {
  const matchExpressions = [1, 2].map(() => ({ key: 'team', operator: 'In', values: values(500) }));
  expect(parseSelectorObject({ matchExpressions }, PATH)).toMatchObject({ ok: true });
});

test('nothing that JSON can hold makes it throw', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => void parseSelectorObject(value, PATH)));
});
