// How the configuration follows the values: a case for each row of the table, and the merge over random histories.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EXAMPLE_TEXT } from '../../../src/core/example-text.ts';
import { EXAMPLE_KEY } from '../../../src/core/names.ts';
import { isAsTakenOver, planValues, type FoundConfiguration, type ValuesWrite } from '../../../src/core/plan-values.ts';
import { FAKE_KEY_SECRET } from '../../support/vendor-samples.ts';

type Data = Readonly<Record<string, string>>;

/** What is there once the write was made. */
function applied(
  found: FoundConfiguration | undefined,
  write: ValuesWrite | undefined,
): FoundConfiguration | undefined {
  if (write === undefined) return found;
  const data = new Map(Object.entries(found?.data ?? {}));
  for (const [key, text] of Object.entries(write.data)) {
    if (text === null) data.delete(key);
    else data.set(key, text);
  }
  return { data: Object.fromEntries(data), binaryKeys: found?.binaryKeys ?? [], taken: write.taken };
}

/** A configuration that was made from `values`, with edits by hand; null = deleted. */
function madeFrom(values: Data, edits: Readonly<Record<string, string | null>> = {}): FoundConfiguration {
  const made = applied(undefined, planValues(values, undefined).write);
  if (made === undefined) throw new Error('nothing was made');
  const data = Object.entries({ ...made.data, ...edits });
  return { ...made, data: Object.fromEntries(data.filter((pair): pair is [string, string] => pair[1] !== null)) };
}

describe('the merge', () => {
  const V1 = { region: 'cn-hangzhou', 'watch-namespace': 'a' };
  const V2 = { region: 'cn-beijing', 'watch-namespace': 'b' };

  test.each<
    [string, { was: Data; edits?: Record<string, string | null>; now: Data }, Record<string, string | null>, string[]]
  >([
    ['leaves what is as the values say', { was: V1, now: V1 }, {}, []],
    [
      'lets a key that nobody touched follow',
      { was: V1, now: V2 },
      { region: 'cn-beijing', 'watch-namespace': 'b' },
      [],
    ],
    [
      'removes a key that is gone from the values',
      { was: V1, now: { region: 'cn-hangzhou' } },
      { 'watch-namespace': null },
      [],
    ],
    [
      'adds a key that is new in the values',
      { was: {}, now: { region: 'cn-hangzhou' } },
      { region: 'cn-hangzhou' },
      [],
    ],
    [
      'keeps a key that was edited, and tells',
      { was: V1, edits: { region: 'mine' }, now: V2 },
      { 'watch-namespace': 'b' },
      ['region'],
    ],
    [
      'tells of an edit though the values are as they were',
      { was: V1, edits: { region: 'mine' }, now: V1 },
      {},
      ['region'],
    ],
    ['keeps a key away that was deleted, and tells', { was: V1, edits: { region: null }, now: V1 }, {}, ['region']],
    [
      'keeps an edited key that is gone from the values',
      { was: V1, edits: { region: 'mine' }, now: {} },
      { 'watch-namespace': null },
      [],
    ],
    [
      'does not mind a deleted key that is gone from the values',
      { was: V1, edits: { region: null }, now: { 'watch-namespace': 'a' } },
      {},
      [],
    ],
    ['keeps a key that somebody added', { was: V1, edits: { 'secret-name': 'mine' }, now: V1 }, {}, []],
    [
      'keeps an added key that the values get later, and tells',
      { was: V1, edits: { 'secret-name': 'mine' }, now: { ...V1, 'secret-name': 'theirs' } },
      {},
      ['secret-name'],
    ],
    ['keeps an empty text that somebody wrote', { was: V1, edits: { region: '' }, now: V1 }, {}, ['region']],
    [
      'has nothing to tell where an edit says what the values say',
      { was: V1, edits: { region: 'cn-beijing' }, now: { ...V1, region: 'cn-beijing' } },
      {},
      [],
    ],
    ['does not tell of the explanation', { was: V1, edits: { [EXAMPLE_KEY]: 'mine' }, now: V1 }, {}, []],
    ['does not bring the explanation back', { was: V1, edits: { [EXAMPLE_KEY]: null }, now: V1 }, {}, []],
    [
      'reads keys that every object has',
      { was: {}, edits: { constructor: 'mine' }, now: { constructor: 'theirs', toString: 'new' } },
      { toString: 'new' },
      ['constructor'],
    ],
  ])('%s', (_what, { was, edits = {}, now }, changes, told) => {
    const found = madeFrom(was, edits);
    const { write, kept, unused } = planValues(now, found);
    expect(write?.data ?? {}).toEqual(changes);
    expect(kept.map(({ key }) => key)).toEqual(told);
    expect(unused).toEqual([]);
    expect(planValues(now, applied(found, write)).write).toBeUndefined();
  });

  test('never makes two keys of the two names of one: what was written under the other is the edit', () => {
    const found = { ...madeFrom({}), data: { watchNamespace: 'mine', EXPIRINGTHRESHOLD: '20m', enableRRSA: ' ' } };
    const { write, kept } = planValues(
      { 'watch-namespace': 'a', 'expiring-threshold': '20m', rrsa: 'enable: true' },
      { ...found, data: { ...madeFrom({}).data, ...found.data } },
    );
    // What says nothing is in nobody's way, and what says the same is no edit.
    expect(write?.data).toEqual({ rrsa: 'enable: true' });
    expect(kept).toEqual([
      { key: 'watch-namespace', writtenAs: 'watchNamespace', live: 'mine', isBinary: false, value: 'a' },
    ]);
  });

  test.each<[string, { was: Data; edits: Record<string, string | null>; now: Data }, Data, string[]]>([
    [
      'that was edited under the other name stays, also where the values change their form',
      { was: { watchNamespace: 'a' }, edits: { watchNamespace: 'mine' }, now: { 'watch-namespace': 'b' } },
      { watchNamespace: 'mine' },
      ['watch-namespace'],
    ],
    [
      'that nobody edited takes the form of the values',
      { was: { watchNamespace: 'a' }, edits: {}, now: { 'watch-namespace': 'b' } },
      { 'watch-namespace': 'b' },
      [],
    ],
    [
      'that was only renamed follows, under the name of the values',
      { was: V1, edits: { 'watch-namespace': null, watchNamespace: 'a' }, now: V2 },
      { region: 'cn-beijing', 'watch-namespace': 'b' },
      [],
    ],
    [
      'that was renamed and edited stays',
      { was: V1, edits: { 'watch-namespace': null, watchNamespace: 'mine' }, now: V2 },
      { region: 'cn-beijing', watchNamespace: 'mine' },
      ['watch-namespace'],
    ],
    [
      'that was joined by another name is left to that when the values change',
      { was: V1, edits: { watchNamespace: 'mine' }, now: V2 },
      { region: 'cn-beijing', watchNamespace: 'mine' },
      ['watch-namespace'],
    ],
    [
      'under the other name stays when the values no longer hold it',
      { was: V1, edits: { watchNamespace: 'mine' }, now: { region: 'cn-hangzhou' } },
      { region: 'cn-hangzhou', watchNamespace: 'mine' },
      [],
    ],
  ])('a key of two names %s', (_what, { was, edits, now }, expected, told) => {
    const found = madeFrom(was, edits);
    const { write, kept } = planValues(now, found);
    const after = applied(found, write);
    expect({ ...after?.data }).toEqual({ ...expected, [EXAMPLE_KEY]: EXAMPLE_TEXT });
    expect(kept.map(({ key }) => key)).toEqual(told);
    const again = planValues(now, after);
    expect([again.write, again.kept.map(({ key }) => key)]).toEqual([undefined, told]);
  });

  test('makes what is missing with every key of the values and the explanation', () => {
    const { write } = planValues(V1, undefined);
    expect(write).toMatchObject({ kind: 'create-configuration', reason: 'ConfigurationMissing' });
    expect(write?.data).toEqual({ ...V1, [EXAMPLE_KEY]: EXAMPLE_TEXT });
  });

  test('does nothing while the values are not known', () => {
    const nothing = { write: undefined, kept: [], unused: [] };
    expect(planValues(undefined, undefined)).toEqual(nothing);
    expect(planValues(undefined, madeFrom(V1, { region: 'mine' }))).toEqual(nothing);
  });

  test('lets a key follow again that was written by hand as the values say', () => {
    const found = madeFrom(V1, { region: 'cn-beijing' });
    const after = applied(found, planValues({ region: 'cn-beijing' }, found).write);
    expect(planValues({ region: 'cn-shanghai' }, after).write?.data).toEqual({ region: 'cn-shanghai' });
  });

  test('keeps what somebody wrote by hand though it is what the values said long ago', () => {
    const edited = madeFrom({ region: 'first' }, { region: 'mine' });
    const after = applied(edited, planValues({ region: 'second' }, edited).write);
    if (after === undefined) throw new Error('nothing is there');
    const { write, kept } = planValues({ region: 'second' }, { ...after, data: { ...after.data, region: 'first' } });
    expect(write).toBeUndefined();
    expect(kept).toEqual([{ key: 'region', live: 'first', isBinary: false, value: 'second' }]);
  });

  test('never writes one without our annotation, and names the keys that differ', () => {
    const vendors = { data: { region: 'cn-hangzhou', 'watch-namespace': 'all' }, binaryKeys: [], taken: undefined };
    expect(planValues({ ...V1, 'notify-email': ' ' }, vendors)).toEqual({
      write: undefined,
      kept: [],
      unused: ['watch-namespace'],
    });
    expect(planValues({ region: 'cn-hangzhou' }, vendors).unused).toEqual([]);
    const managed = { ...vendors, data: { watchNamespace: 'a' } };
    expect(planValues({ 'watch-namespace': 'a' }, managed).unused).toEqual([]);
    expect(planValues({}, vendors)).toEqual({ write: undefined, kept: [], unused: [] });
  });

  test('takes a ConfigMap over whose annotation says that nothing was taken: what is there stays, what is missing comes', () => {
    const handed = { data: { region: 'mine' }, binaryKeys: [], taken: '{}' };
    const { write, kept } = planValues(V1, handed);
    expect(write?.data).toEqual({ 'watch-namespace': 'a', [EXAMPLE_KEY]: EXAMPLE_TEXT });
    expect(kept.map(({ key }) => key)).toEqual(['region']);
  });

  test.each(['', 'no JSON', '[]', '{"region":1}'])(
    'counts every difference as an edit while the annotation is %j, and puts it right',
    (taken) => {
      const { write, kept } = planValues(V2, { ...madeFrom(V1), taken });
      expect(write?.data).toEqual({});
      expect(kept.map(({ key }) => key)).toEqual(['region', 'watch-namespace']);
      expect(write?.taken).toBe(madeFrom(V2).taken);
    },
  );

  test('leaves a key alone that is in binaryData', () => {
    const found = { ...madeFrom({}), binaryKeys: ['region'] };
    const { write, kept } = planValues({ region: 'x' }, found);
    expect(write?.data).toEqual({});
    expect(kept).toEqual([{ key: 'region', live: undefined, isBinary: true, value: 'x' }]);
  });

  test('remembers no text: a plaintext AccessKey reaches no annotation', () => {
    const text = `- instanceId: cri-a\n  customAccessKey: LTAIfake\n  customAccessKeySecret: ${FAKE_KEY_SECRET}\n`;
    const { write } = planValues({ 'acr-registry-info': text, short: 'x' }, undefined);
    const remembered = Object.entries(JSON.parse(write?.taken ?? '{}') as Data);
    expect(remembered.map(([key]) => key)).toEqual([EXAMPLE_KEY, 'acr-registry-info', 'short']);
    for (const [, digest] of remembered) expect(digest).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('a configuration at the end of its installation', () => {
  test.each<[string, FoundConfiguration, boolean]>([
    ['as it was taken over', madeFrom({ region: 'x' }), true],
    ['without the explanation', madeFrom({ region: 'x' }, { [EXAMPLE_KEY]: null }), true],
    ['edited', madeFrom({ region: 'x' }, { region: 'y' }), false],
    ['with a key more', madeFrom({ region: 'x' }, { 'secret-name': 'y' }), false],
    ['with a key less', madeFrom({ region: 'x' }, { region: null }), false],
    ['with binary data', { ...madeFrom({ region: 'x' }), binaryKeys: ['b'] }, false],
    ['of somebody else', { ...madeFrom({ region: 'x' }), taken: undefined }, false],
    ['whose annotation cannot be read', { ...madeFrom({ region: 'x' }), taken: 'no JSON' }, false],
  ])('%s: nothing is lost with it = %j %s', (_what, found, isLossless) => {
    expect(isAsTakenOver(found)).toBe(isLossless);
  });
});

describe('over random histories', () => {
  const KEYS = ['region', 'secret-name', '__proto__', EXAMPLE_KEY];
  const key = fc.constantFrom(...KEYS);
  const text = fc.constantFrom('', 'x', 'y', 'z');
  const step = fc.oneof(
    fc.record({ do: fc.constant('edit' as const), key, text: fc.option(text, { nil: undefined }) }),
    fc.record({ do: fc.constant('upgrade' as const), key, text: fc.option(text, { nil: undefined }) }),
    // The ConfigMap of the values is not there for a while.
    fc.record({ do: fc.constant('hide' as const), isHidden: fc.boolean() }),
    // `overtaken`: somebody edits between our look and our write, which the guard refuses then.
    fc.record({
      do: fc.constant('merge' as const),
      overtakenBy: fc.option(fc.record({ key, text }), { nil: undefined }),
    }),
  );

  test('no hand edit is lost, what nobody touched follows, and a second merge writes nothing', () => {
    fc.assert(
      fc.property(fc.dictionary(key, text), fc.array(step, { maxLength: 40 }), (first, steps) => {
        const values = new Map(Object.entries(first));
        let isHidden = false;
        let found = madeFrom(Object.fromEntries(values));
        const said = (name: string) => values.get(name) ?? (name === EXAMPLE_KEY ? EXAMPLE_TEXT : undefined);
        // What people would expect: keys that are somebody's own, with their texts, and what the values said last.
        const own = new Map<string, string | undefined>();
        let merged = new Map(KEYS.map((name) => [name, said(name)]));
        const edit = (name: string, to: string | undefined): void => {
          const data = new Map(Object.entries(found.data));
          if (to === undefined) data.delete(name);
          else data.set(name, to);
          found = { ...found, data: Object.fromEntries(data) };
          if (to === merged.get(name)) own.delete(name);
          else own.set(name, to);
        };
        for (const one of steps) {
          if (one.do === 'edit') edit(one.key, one.text);
          else if (one.do === 'hide') isHidden = one.isHidden;
          else if (one.do === 'upgrade') {
            if (one.text === undefined) values.delete(one.key);
            else values.set(one.key, one.text);
          } else {
            const seen = isHidden ? undefined : Object.fromEntries(values);
            const { write } = planValues(seen, found);
            if (one.overtakenBy !== undefined) {
              edit(one.overtakenBy.key, one.overtakenBy.text);
              continue;
            }
            found = applied(found, write) ?? found;
            expect(planValues(seen, found).write).toBeUndefined();
            if (!isHidden) {
              merged = new Map(KEYS.map((name) => [name, said(name)]));
              for (const [name, mine] of own) if (mine === said(name)) own.delete(name);
            }
            const live = new Map(Object.entries(found.data));
            for (const name of KEYS) {
              expect([name, live.get(name)]).toEqual([name, own.has(name) ? own.get(name) : merged.get(name)]);
            }
            if (isHidden) continue;
            const told = planValues(seen, found).kept.map(({ key: name }) => name);
            const differ = [...own.keys()].filter((name) => name !== EXAMPLE_KEY && values.has(name));
            expect([...told].sort()).toEqual(differ.sort());
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
