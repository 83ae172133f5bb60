// Every line of the acceptance checklists has its tests, and the compatibility pages name them: counted from the tests' own titles.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { headingsOf, inlineCode, tableUnder } from '../support/markdown.ts';

const TESTS = join(import.meta.dirname, '..');
const PAGE = 'docs/compatibility-acr.md';

/** The lines of acr.md section 28. */
const ACR: Readonly<Record<string, number>> = {
  C: 10,
  M: 2,
  G: 3,
  T: 3,
  I: 8,
  E: 4,
  D: 5,
  O: 5,
  W: 3,
  R: 5,
  X: 7,
  S: 4,
};

/** Lines about commands that are not there yet. */
const LATER: readonly string[] = ['O5'];

const ids = Object.entries(ACR)
  .flatMap(([letter, count]) => Array.from({ length: count }, (_, index) => `${letter}${index + 1}`))
  .filter((id) => !LATER.includes(id));

const sources = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => readFileSync(join(TESTS, file), 'utf8'));

/** Ids in titles: `[acr R2]`. */
const tested = new Set(sources.flatMap((text) => [...text.matchAll(/\[acr ([A-Z]\d+)\]/g)].map(([, id = '']) => id)));

describe('the acceptance checklist of Alibaba’s add-on', () => {
  test.each(ids)('line %s has a test that names it', (id) => {
    expect([...tested]).toContain(id);
  });

  test.each(ids)('line %s is in docs/compatibility-acr.md', (id) => {
    expect(readFileSync(PAGE, 'utf8')).toMatch(new RegExp(`\`${id}\``));
  });

  test('every row of the page names a line', () => {
    const rows = headingsOf(PAGE).flatMap((heading) => tableUnder(PAGE, heading));
    expect(rows.length).toBeGreaterThan(40);
    const named = rows.map(([feature = '', tests = '']) => [
      feature,
      inlineCode(tests).filter((id) => ids.includes(id)).length > 0,
    ]);
    expect(named.filter(([, hasId]) => hasId !== true)).toEqual([]);
  });

  test('no test names a line that does not exist', () => {
    expect([...tested].filter((id) => !ids.includes(id) && !LATER.includes(id))).toEqual([]);
  });

  test('no test is skipped or alone', () => {
    const found = sources.filter((text) =>
      /\b(test|describe|it)\.(skip|only|todo)\b|\bx(it|test|describe)\(/.test(text),
    );
    expect(found).toEqual([]);
  });
});
