// What is remembered by namespace is forgotten with it, and never outgrows its bound.
import { describe, expect, test } from '@jest/globals';
import { ByNamespace } from '../../../src/controller/by-namespace.ts';

/** Puts `a/1` and the like in, in this order; the value is the text itself. */
function holding(limit: number | undefined, ...texts: readonly string[]): ByNamespace<string> {
  const values = new ByNamespace<string>(limit);
  for (const text of texts) values.set(memberOf(text), text);
  return values;
}

function memberOf(text: string): { readonly namespace: string; readonly id: string } {
  const [namespace = '', id = ''] = text.split('/');
  return { namespace, id };
}

const textsOf = (values: ByNamespace<string>): readonly string[] =>
  ['a', 'b', 'c'].flatMap((namespace) => [...values.inNamespace(namespace).values()]).sort();

describe('values by namespace', () => {
  test('are kept for each namespace and id', () => {
    const values = holding(undefined, 'a/1', 'a/2', 'b/1');
    values.set(memberOf('a/1'), 'newer');
    expect(values.get(memberOf('a/1'))).toBe('newer');
    expect(values.get(memberOf('b/2'))).toBeUndefined();
    expect([...values.inNamespace('a').keys()].sort()).toEqual(['1', '2']);
  });

  test('are deleted one by one, with their namespace, or all', () => {
    const values = holding(undefined, 'a/1', 'a/2', 'b/1', 'c/1');
    values.delete(memberOf('a/1'));
    values.delete(memberOf('a/3'));
    values.deleteNamespace('b');
    values.deleteNamespace('unknown');
    expect(textsOf(values)).toEqual(['a/2', 'c/1']);
    values.clear();
    expect(textsOf(values)).toEqual([]);
  });

  test('above the limit, those go that were set longest ago', () => {
    expect(textsOf(holding(3, 'a/1', 'a/2', 'a/3', 'a/4'))).toEqual(['a/2', 'a/3', 'a/4']);
    expect(textsOf(holding(3, 'a/1', 'b/1', 'b/2', 'a/1', 'c/1'))).toEqual(['a/1', 'b/2', 'c/1']);
  });

  test('what was deleted leaves room', () => {
    const values = holding(3, 'a/1', 'a/2', 'b/1');
    values.delete(memberOf('a/1'));
    values.deleteNamespace('b');
    for (const text of ['c/1', 'c/2']) values.set(memberOf(text), text);
    expect(textsOf(values)).toEqual(['a/2', 'c/1', 'c/2']);
  });
});
