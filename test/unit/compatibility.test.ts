// Every line of the acceptance checklists has its tests, and the compatibility pages name them: counted from the tests' own titles.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { headingsOf, tableUnder } from '../support/markdown.ts';

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

/** Ids in titles: `[acr R2]`. That tests with them passed is counted by scripts/test, of what ran. */
const titledIn = (text: string): readonly string[] =>
  [...text.replace(/^\s*(\/\/|\/?\*).*$/gm, '').matchAll(/\[acr ([A-Z]\d+)\]/g)].map(([, id = '']) => id);
const tested = new Set(sources.flatMap(titledIn));

/** Where each id of the page links to: `[R2]: ../test/…`. */
const links = new Map(
  [...readFileSync(PAGE, 'utf8').matchAll(/^\[([A-Z]\d+)\]: \.\.\/(test\/\S+)$/gm)].map(
    ([, id = '', file = '']) => [id, file] as const,
  ),
);
const idsOf = (cell: string): readonly string[] => [...cell.matchAll(/\[([A-Z]\d+)\]/g)].map(([, id = '']) => id);

describe('the acceptance checklist of Alibaba’s add-on', () => {
  test.each(ids)('line %s has a test that names it', (id) => {
    expect([...tested]).toContain(id);
  });

  const rows = headingsOf(PAGE).flatMap((heading) => tableUnder(PAGE, heading));

  test.each(ids)('line %s is in a row of docs/compatibility-acr.md, and links to a suite with a test of it', (id) => {
    expect(rows.flatMap(([, tests = '']) => idsOf(tests))).toContain(id);
    expect(titledIn(readFileSync(links.get(id) ?? '', 'utf8'))).toContain(id);
  });

  test('every row of the page names its lines, and what is different with it', () => {
    expect(rows.length).toBeGreaterThan(40);
    for (const [feature = '', tests = '', different = ''] of rows) {
      expect([feature, idsOf(tests).filter((id) => !ids.includes(id))]).toEqual([feature, []]);
      expect([feature, idsOf(tests).length > 0, different !== '']).toEqual([feature, true, true]);
    }
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
