// Typographic quotes, which word processors and the vendors' own guides put where plain ones belong.

/** What is said where one was read. */
export const TYPOGRAPHIC_QUOTES = 'typographic quotes are read as plain ones: write " instead';

const TYPOGRAPHIC = /[“”„‟«»‘’‚‛＂]/;
const ALL_TYPOGRAPHIC = /[“”„‟«»‘’‚‛＂]/g;
const ENCLOSED = /^["'“”„‟«»‘’‚‛＂]([^"'“”„‟«»‘’‚‛＂]*)["'“”„‟«»‘’‚‛＂]$/;

/** True when there is one anywhere. */
export function hasTypographicQuotes(text: string): boolean {
  return TYPOGRAPHIC.test(text);
}

/**
 * What stands between typographic quotes that enclose the whole text, trimmed; undefined when none do. A text with more of them
 * inside, such as `“a”,“b”`, is left to whoever knows its members.
 */
export function insideTypographicQuotes(text: string): string | undefined {
  if (!hasTypographicQuotes(text)) return undefined;
  return ENCLOSED.exec(text.trim())?.[1]?.trim();
}

/** The text with each typographic quote as a plain one. */
export function withPlainQuotes(text: string): string {
  return text.replace(ALL_TYPOGRAPHIC, '"');
}
