// What is said about a configuration fits into an Event, whatever is wrong with it, and takes no time.
import { describe, expect, test } from '@jest/globals';
import { correctionsOf, fitting, sentenceOf, withCorrections } from '../../../src/controller/report-configuration.ts';

describe('the text of an Event', () => {
  test('holds every sentence that fits', () => {
    expect(fitting(['One.', 'Two.'])).toBe('One. Two.');
  });

  test('says how many more there are, and stays under the limit of the API server', () => {
    const text = fitting(['First.', ...Array.from({ length: 100_000 }, (_, index) => `Sentence ${index}.`)]);
    expect(text.length).toBeLessThanOrEqual(1_024);
    expect(text).toMatch(/^First\. Sentence 0\. .*Sentence \d+\. … and \d+ more: see the log/);
  });

  test('holds the first two sentences however long', () => {
    expect(fitting(['a'.repeat(2_000), 'b'.repeat(2_000), 'c'])).toMatch(/^a+ b+ … and 1 more/);
  });
});

describe('a sentence', () => {
  test.each([
    [{ severity: 'error', path: 'k', message: 'is wrong', line: 3, value: 'x' }, 'k (line 3): is wrong; it reads "x".'],
    [{ severity: 'warning', path: '', message: 'did you mean y?' }, 'did you mean y?'],
  ] as const)('ends once', (issue, expected) => {
    expect(sentenceOf(issue)).toBe(expected);
  });
});

describe('corrected texts', () => {
  const issue = { severity: 'error', path: 'rrsa', message: 'must be a map' } as const;

  test('stand under what they replace, and say what is masked', () => {
    const masked = '- customAccessKey: "********"\n';
    expect(correctionsOf([issue, { ...issue, correction: 'enable: true\n' }])).toEqual([
      'Corrected rrsa, ready to paste below `data:`:\n  rrsa: |\n    enable: true',
    ]);
    expect(correctionsOf([{ ...issue, path: 'k', correction: masked }])).toEqual([
      'Corrected k, ready to paste below `data:` (write your own for ********):\n  k: |\n    - customAccessKey: "********"',
    ]);
  });

  test('are part of an Event that has room for them', () => {
    expect(withCorrections('Wrong.', ['Corrected a:\nx', 'Corrected b:\ny'])).toBe(
      'Wrong.\nCorrected a:\nx\nCorrected b:\ny',
    );
    expect(withCorrections('Wrong.', [])).toBe('Wrong.');
  });

  test('are named where they are when an Event has no room for them', () => {
    const long = 'x'.repeat(1_024);
    expect(withCorrections('Wrong.', [long])).toBe('Wrong. The corrected text is in the log and in /readyz?verbose.');
    expect(withCorrections(long, ['short'])).toBe(long);
  });
});
