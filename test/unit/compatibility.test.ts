// Every line of the acceptance checklists has its tests, and the compatibility pages name them: counted from the tests' own titles.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { headingsOf, tableUnder } from '../support/markdown.ts';

const TESTS = join(import.meta.dirname, '..');

/** A contract's checklist: how many lines each letter has, and those about commands or a chart that are not there yet. */
interface Checklist {
  readonly name: string;
  readonly lines: Readonly<Record<string, number>>;
  readonly later: readonly string[];
  /** Fewest rows of its page. */
  readonly rows: number;
}

const CHECKLISTS: readonly Checklist[] = [
  // acr.md section 28.
  {
    name: 'acr',
    lines: { C: 10, M: 2, G: 3, T: 3, I: 8, E: 4, D: 5, O: 5, W: 3, R: 5, X: 7, S: 4 },
    later: [],
    rows: 40,
  },
  // tcr.md section 23.
  {
    name: 'tcr',
    lines: { C: 10, S: 7, A: 7, V: 4, K: 9, W: 10, H: 10, M: 7 },
    later: ['H10'],
    rows: 30,
  },
];

const sources = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => readFileSync(join(TESTS, file), 'utf8'));

const idsOf = (cell: string): readonly string[] => [...cell.matchAll(/\[([A-Z]\d+)\]/g)].map(([, id = '']) => id);

describe.each(CHECKLISTS)('the acceptance checklist $name', ({ name, lines, later, rows: fewest }) => {
  const page = `docs/compatibility-${name}.md`;
  const ids = Object.entries(lines)
    .flatMap(([letter, count]) => Array.from({ length: count }, (_, index) => `${letter}${index + 1}`))
    .filter((id) => !later.includes(id));

  /** Ids in titles: `[acr R2]`. That tests with them passed is counted by scripts/test, of what ran. */
  const titledIn = (text: string): readonly string[] =>
    [...text.replace(/^\s*(\/\/|\/?\*).*$/gm, '').matchAll(/\[(\w+) ([A-Z]\d+)\]/g)].flatMap(([, of, id = '']) =>
      of === name ? [id] : [],
    );
  const tested = new Set(sources.flatMap(titledIn));

  /** Where each id of the page links to: `[R2]: ../test/…`. */
  const links = new Map(
    [...readFileSync(page, 'utf8').matchAll(/^\[([A-Z]\d+)\]: \.\.\/(test\/\S+)$/gm)].map(
      ([, id = '', file = '']) => [id, file] as const,
    ),
  );

  test.each(ids)('line %s has a test that names it', (id) => {
    expect([...tested]).toContain(id);
  });

  const rows = headingsOf(page).flatMap((heading) => tableUnder(page, heading));

  test.each(ids)('line %s is in a row of the page, and links to a suite with a test of it', (id) => {
    expect(rows.flatMap(([, tests = '']) => idsOf(tests))).toContain(id);
    expect(titledIn(readFileSync(links.get(id) ?? '', 'utf8'))).toContain(id);
  });

  test('every row of the page names its lines, and what is different with it', () => {
    expect(rows.length).toBeGreaterThan(fewest);
    for (const [feature = '', tests = '', different = ''] of rows) {
      expect([feature, idsOf(tests).filter((id) => !ids.includes(id))]).toEqual([feature, []]);
      expect([feature, idsOf(tests).length > 0, different !== '']).toEqual([feature, true, true]);
    }
  });

  test('no test names a line that does not exist', () => {
    expect([...tested].filter((id) => !ids.includes(id) && !later.includes(id))).toEqual([]);
  });
});

test('no test is skipped or alone', () => {
  const found = sources.filter((text) => /\b(test|describe|it)\.(skip|only|todo)\b|\bx(it|test|describe)\(/.test(text));
  expect(found).toEqual([]);
});
