// What is said about a configuration fits into an Event, whatever is wrong with it, and takes no time.
import { describe, expect, test } from '@jest/globals';
import { fitting, sentenceOf } from '../../../src/controller/report-configuration.ts';

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
