// Fields as vendors and people write them, and the misspelt words that they probably meant.
import { describe, expect, test } from '@jest/globals';
import { foldName, readFields, textOf } from '../../../src/core/fields.ts';
import { nearest } from '../../../src/core/nearest.ts';

describe('text', () => {
  test.each([
    ['as it is', { regionId: 'cn-hangzhou' }, 'cn-hangzhou'],
    ['trimmed', { regionId: '  x\n' }, 'x'],
    ['in another case', { RegionID: 'x' }, 'x'],
    ['with dashes', { 'region-id': 'x' }, 'x'],
    ['with underscores', { region_id: 'x' }, 'x'],
    ['of a number', { regionId: 3600 }, '3600'],
    ['of a quoted number', { regionId: '3600' }, '3600'],
    ['of nothing', {}, undefined],
    ['of null', { regionId: null }, undefined],
    ['of an empty text', { regionId: '' }, undefined],
    ['of white space', { regionId: ' ' }, undefined],
  ])('%s', (_, input, expected) => {
    const fields = readFields(input);
    expect(fields.text('regionId')).toBe(expected);
    expect(fields.issues()).toEqual([]);
  });

  test.each([
    ['a list', { regionId: ['x'] }, 'must be text, not a list'],
    ['a map', { regionId: { a: 1 } }, 'must be text, not a map'],
    ['a boolean', { regionId: true }, 'must be text, not true'],
  ])('is refused for %s, without its content', (_, input, message) => {
    const fields = readFields(input, 'registry-info[1]');
    expect(fields.text('regionId')).toBeUndefined();
    expect(fields.issues()).toEqual([{ severity: 'error', path: 'registry-info[1].regionId', message }]);
  });

  test('twice under two spellings is an error that names both', () => {
    const fields = readFields({ regionId: 'a', RegionId: 'b' });
    fields.text('regionId');
    expect(fields.issues()).toMatchObject([
      { severity: 'error', path: 'regionId', message: 'regionId and RegionId mean the same field: keep one of them' },
    ]);
  });

  test('that is required and absent is one error with its cure; of a wrong type, one error too', () => {
    const absent = readFields({});
    expect(absent.requiredText('instanceId', 'write `cri-…`')).toBeUndefined();
    expect(absent.issues()).toEqual([{ severity: 'error', path: 'instanceId', message: 'is missing: write `cri-…`' }]);
    const wrong = readFields({ instanceId: [] });
    wrong.requiredText('instanceId', 'write `cri-…`');
    expect(wrong.issues()).toHaveLength(1);
    expect(readFields({ instanceId: 'x' }).requiredText('instanceId', '')).toBe('x');
  });
});

describe('a list', () => {
  test.each([
    ['of commas', 'a, b,,c ', ['a', 'b', 'c']],
    ['of quoted members', '"a", \'b\'', ['a', 'b']],
    ['of YAML', ['a ', '"b"', ''], ['a', 'b']],
    ['of numbers', [1, 2], ['1', '2']],
    ['that is a number', 7, ['7']],
    ['that is empty', ' , ', undefined],
    ['of YAML that is empty', [], undefined],
    ['that is null', null, undefined],
  ])('%s', (_, domains, expected) => {
    const fields = readFields({ domains });
    expect(fields.list('domains')).toEqual(expected);
    expect(fields.issues()).toEqual([]);
  });

  test.each([[[['a']]], [[{ a: 1 }]], [[null]], [{ a: 1 }]])('of %j is refused', (domains) => {
    const fields = readFields({ domains });
    fields.list('domains');
    expect(fields.issues()).toMatchObject([{ severity: 'error', path: 'domains' }]);
  });
});

describe('a mask that was pasted back is refused, and nothing else is said of the field:', () => {
  test.each<readonly [string, unknown, (fields: ReturnType<typeof readFields>) => unknown]>([
    ['a text', '********', (fields) => fields.text('f')],
    ['a part of a text', 'acs:ram::1:role/********', (fields) => fields.text('f')],
    ['a text that is required', '********', (fields) => fields.requiredText('f', 'write one')],
    ['a list', 'a, ********', (fields) => fields.list('f')],
    ['a YAML list', ['a', '********', '********b'], (fields) => fields.list('f')],
    ['a flag', '********', (fields) => fields.flag('f')],
  ])('%s', (_, f, read) => {
    const fields = readFields({ f }, 'item');
    read(fields);
    read(fields);
    fields.report('f', 'is wrong in another way');
    const message = 'holds ********, which stands for what is not shown: write your own';
    expect(fields.issues()).toEqual([{ severity: 'error', path: 'item.f', message }]);
  });

  test('fewer stars are a pattern', () => {
    const fields = readFields({ f: '*-a-*,***' });
    expect([fields.list('f'), fields.issues()]).toEqual([['*-a-*', '***'], []]);
  });
});

describe('a nested map', () => {
  test('is read by the same rules, its issues under its path', () => {
    const fields = readFields({ SecretRef: { Name: 'x', colour: 'red' } }, 'item');
    const nested = fields.object('secretRef');
    expect(nested?.text('name')).toBe('x');
    expect(fields.issues()).toEqual([
      { severity: 'warning', path: 'item.secretRef.colour', message: 'unknown field, ignored: known are name' },
    ]);
  });

  test.each([[undefined], [null], ['']])('that is %p is absent', (secretRef) => {
    const fields = readFields({ secretRef });
    expect(fields.object('secretRef')).toBeUndefined();
    expect(fields.issues()).toEqual([]);
  });

  test.each([['x'], [1], [['x']]])('that is %p is refused', (secretRef) => {
    const fields = readFields({ secretRef });
    expect(fields.object('secretRef')).toBeUndefined();
    expect(fields.issues()).toEqual([{ severity: 'error', path: 'secretRef', message: 'must be a map of fields' }]);
  });
});

describe('a field that nobody reads', () => {
  test('is a warning that names the nearest that is read', () => {
    const fields = readFields({ regoinId: 'x' });
    fields.text('regionId');
    expect(fields.issues()).toEqual([
      { severity: 'warning', path: 'regoinId', message: 'unknown field, ignored: did you mean regionId?' },
    ]);
  });

  test('shows no more of its key than a name: its value may be part of it', () => {
    const fields = readFields({ 'customAccessKeySecret:hunter2': null, '{}': 1, ['x'.repeat(1_000)]: 1 });
    fields.text('regionId');
    expect(fields.issues().map((issue) => issue.path)).toEqual(['customAccessKeySecret', '…', 'x'.repeat(64)]);
  });
});

test('of very many unknown fields twenty are named, and how many more there are', () => {
  const fields = readFields(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`f${index}`, 1])), 'item');
  expect(fields.issues()).toHaveLength(21);
  expect(fields.issues().at(-1)).toEqual({
    severity: 'warning',
    path: 'item.…',
    message: '80 more unknown fields, ignored',
  });
});

test('a report is an error unless said otherwise', () => {
  const fields = readFields({});
  fields.report('a', 'is wrong', { value: 'v' });
  fields.report('b', 'is doubtful', { severity: 'warning' });
  expect(fields.issues()).toEqual([
    { severity: 'error', path: 'a', message: 'is wrong', value: 'v' },
    { severity: 'warning', path: 'b', message: 'is doubtful' },
  ]);
});

test('only plain values have a text', () => {
  expect([textOf('a'), textOf(1), textOf(false)]).toEqual(['a', '1', 'false']);
  expect([textOf(null), textOf(undefined), textOf({}), textOf([])]).toEqual(Array(4).fill(undefined));
});

test('names fold', () => {
  expect(['instanceId', 'InstanceID', 'instance-id', 'instance_id'].map(foldName)).toEqual(Array(4).fill('instanceid'));
});

describe('the nearest word', () => {
  const known = ['watch-namespace', 'service-account', 'region', 'secret-name', 'acr-secret-name'];

  test.each([
    ['watch-namespaces', 'watch-namespace'],
    ['watchnamespace', 'watch-namespace'],
    ['WATCH-NAMESPACE', 'watch-namespace'],
    ['serviceaccount', 'service-account'],
    ['regoin', 'region'],
    ['secretname', 'secret-name'],
    ['region', 'region'],
    ['zzz', undefined],
    ['', undefined],
    ['webhook', undefined],
  ])('to %p is %p', (word, expected) => {
    expect(nearest(word, known)).toBe(expected);
  });

  test('is found at once for a word of a megabyte', () => {
    expect(nearest('x'.repeat(1e6), known)).toBeUndefined();
  });
});
