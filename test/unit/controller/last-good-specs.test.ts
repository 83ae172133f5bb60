// What the master copy keeps of resources that a wrong edit has made unreadable.
import { expect, test } from '@jest/globals';
import {
  formatLastGood,
  parseLastGood,
  withoutPassword,
  type LastGood,
} from '../../../src/controller/last-good-specs.ts';
import { SAMPLE_SPEC } from '../../support/image-pull-secrets.ts';

const lastGood = (name: string, spec: unknown = SAMPLE_SPEC): LastGood => ({
  ...{ name, uid: `u-${name}`, spec, source: 'sha256:0123' },
});

test('is read as it was written, in a stable order', () => {
  const all = [lastGood('b'), lastGood('a')];
  expect(parseLastGood(formatLastGood(all))).toEqual([lastGood('a'), lastGood('b')]);
  expect(formatLastGood(all)).toBe(formatLastGood(all.toReversed()));
  expect(formatLastGood([])).toBeUndefined();
});

test('is bounded: what is long makes room for the others', () => {
  const long = lastGood('long', { namespaces: 'x'.repeat(70_000) });
  const many = Array.from({ length: 1_000 }, (_, at) => lastGood(`r-${at}`));
  const text = formatLastGood([long, ...many]) ?? '';
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(65_536);
  expect(parseLastGood(text).length).toBeGreaterThan(100);
  expect(text).not.toContain('"long"');
});

test.each([undefined, '', '{', 'null', '{"a":1}', '[1,null,{"name":1}]', '[{"name":"a","uid":"u"}]'])(
  'nonsense is nothing: %p',
  (text) => {
    expect(parseLastGood(text)).toEqual([]);
  },
);

test('holds no password', () => {
  expect(JSON.stringify(withoutPassword(SAMPLE_SPEC))).not.toContain(SAMPLE_SPEC.docker.password);
  for (const spec of [
    undefined,
    null,
    'x',
    {},
    { docker: null },
    { docker: { server: 'a.example' } },
    { docker: { password: '' } },
  ])
    expect(withoutPassword(spec)).toEqual(spec);
});
