import { beforeEach, describe, expect, test } from '@jest/globals';
import { isNewer, ObjectCache, type Change, type Projected } from '../../../src/kube/object-cache.ts';

interface Thing {
  readonly text: string;
}

let changes: Change<Thing>[];
let cache: ObjectCache<Thing>;

beforeEach(() => {
  changes = [];
  cache = new ObjectCache<Thing>(
    (a, b) => a.text === b.text,
    (change) => void changes.push(change),
  );
});

function thing(name: string, version: number, text = `v${version}`, uid = `uid-${name}`): Projected<Thing> {
  return { namespace: 'a', name, uid, resourceVersion: String(version), value: { text } };
}

function list(version: number, ...items: Projected<Thing>[]): number {
  cache.beginList();
  const missed = cache.replace(items, String(version), cache.seen === undefined ? 'list' : 'relist');
  return missed;
}

const texts = () => [...cache.inNamespace('a')].map(([name, { text }]) => `${name}=${text}`);
const told = () => changes.map(({ key, before, after, source }) => [key, before?.text, after?.text, source]);

describe('lists and events', () => {
  test('the first list fills it and tells each object once', () => {
    expect(list(10, thing('x', 5), thing('y', 7))).toBe(0);
    expect(texts()).toEqual(['x=v5', 'y=v7']);
    expect(cache.size).toBe(2);
    expect(told()).toEqual([
      ['a/x', undefined, 'v5', 'list'],
      ['a/y', undefined, 'v7', 'list'],
    ]);
  });

  test('events add, change and remove', () => {
    list(10);
    cache.apply(thing('x', 11));
    cache.apply(thing('x', 12));
    cache.applyDeletion(thing('x', 13));
    expect(texts()).toEqual([]);
    expect(told()).toEqual([
      ['a/x', undefined, 'v11', 'watch'],
      ['a/x', 'v11', 'v12', 'watch'],
      ['a/x', 'v12', undefined, 'watch'],
    ]);
  });

  test('an event that changes nothing relevant is taken over but not told', () => {
    list(10, thing('x', 5, 'same'));
    changes = [];
    const value = { text: 'same' };
    cache.apply({ ...thing('x', 11), value });
    expect(cache.get('a', 'x')).toBe(value);
    expect(changes).toEqual([]);
  });

  test('the same name with another uid is another object, however alike', () => {
    list(10, thing('x', 5, 'same'));
    cache.apply(thing('x', 12, 'same', 'other'));
    expect(told()).toHaveLength(2);
  });

  test('an older event never replaces a newer object', () => {
    list(10, thing('x', 9));
    cache.apply(thing('x', 8, 'old'));
    cache.applyDeletion(thing('x', 7));
    expect(texts()).toEqual(['x=v9']);
  });

  test('a bookmark moves the point from which the watch resumes, never back', () => {
    list(10);
    cache.advance('30');
    cache.advance('20');
    expect(cache.seen).toBe('30');
  });

  test('a later list counts what the watch should have shown', () => {
    list(10, thing('x', 5), thing('gone', 6));
    cache.advance('20');
    expect(list(25, thing('x', 15, 'missed'), thing('z', 22, 'new since'))).toBe(2);
    expect(texts()).toEqual(['x=missed', 'z=new since']);
    expect(told().slice(2)).toEqual([
      ['a/x', 'v5', 'missed', 'relist'],
      ['a/z', undefined, 'new since', 'relist'],
      ['a/gone', 'v6', undefined, 'relist'],
    ]);
  });

  test('after a restore of the cluster the list is right although its versions are older', () => {
    list(100, thing('x', 90), thing('y', 95));
    expect(list(50, thing('x', 40))).toBe(2);
    expect(texts()).toEqual(['x=v40']);
    expect(cache.seen).toBe('50');
  });
});

describe('our own writes', () => {
  test('are in the cache at once and tell nothing', () => {
    list(10, thing('x', 5));
    changes = [];
    cache.absorb(thing('x', 12));
    cache.absorb(thing('new', 13));
    expect(texts()).toEqual(['x=v12', 'new=v13']);
    expect(changes).toEqual([]);
  });

  test('are not undone by events that are older, nor told again by their own', () => {
    list(10, thing('x', 5));
    cache.absorb(thing('x', 12));
    changes = [];
    cache.apply(thing('x', 11, 'old'));
    cache.apply(thing('x', 12));
    expect(texts()).toEqual(['x=v12']);
    expect(changes).toEqual([]);
  });

  test('do not come back when the watch has already shown what became of them', () => {
    list(10);
    cache.apply(thing('x', 11));
    cache.applyDeletion(thing('x', 12));
    cache.absorb(thing('x', 11));
    expect(texts()).toEqual([]);
  });

  test('survive a list that was read before them', () => {
    list(10, thing('x', 5));
    cache.beginList();
    cache.absorb(thing('x', 12));
    cache.absorb(thing('new', 13));
    expect(cache.replace([thing('x', 5)], '11', 'relist')).toBe(0);
    expect(texts()).toEqual(['x=v12', 'new=v13']);
  });

  test('go with a list that was read after them and does not show them', () => {
    list(10);
    cache.absorb(thing('new', 13));
    list(20);
    expect(texts()).toEqual([]);
  });

  test('do nothing before the first list', () => {
    cache.absorb(thing('x', 12));
    expect(cache.size).toBe(0);
  });
});

describe('our own deletions', () => {
  test('are gone at once, and no late event brings them back', () => {
    list(10, thing('x', 5));
    changes = [];
    cache.absorbDeletion('a', 'x', 'uid-x');
    cache.apply(thing('x', 11, 'deletionTimestamp'));
    expect(texts()).toEqual([]);
    cache.applyDeletion(thing('x', 12));
    expect(changes).toEqual([]);
  });

  test('do not hide a new object under the same name', () => {
    list(10, thing('x', 5));
    cache.absorbDeletion('a', 'x', 'uid-x');
    cache.apply(thing('x', 13, 'new', 'other'));
    cache.applyDeletion(thing('x', 12));
    expect(texts()).toEqual(['x=new']);
  });

  test('stay gone in a list that began before them', () => {
    list(10, thing('x', 5));
    cache.beginList();
    cache.absorbDeletion('a', 'x', 'uid-x');
    cache.replace([thing('x', 5)], '11', 'relist');
    expect(texts()).toEqual([]);
  });

  test('come back with a list that began after them: a finalizer holds them', () => {
    list(10, thing('x', 5));
    cache.absorbDeletion('a', 'x', 'uid-x');
    list(20, thing('x', 11, 'ending'));
    expect(texts()).toEqual(['x=ending']);
  });

  test('leave another object under the name alone', () => {
    list(10, thing('x', 5));
    cache.absorbDeletion('a', 'x', 'uid-of-an-earlier-one');
    expect(texts()).toEqual(['x=v5']);
  });
});

test.each([
  ['10', '9', true],
  ['9', '10', false],
  ['10', '10', false],
  ['18446744073709551617', '18446744073709551616', true],
  ['abc', '10', true],
])('version %s is newer than %s: %s', (a, b, expected) => {
  expect(isNewer(a, b)).toBe(expected);
});
