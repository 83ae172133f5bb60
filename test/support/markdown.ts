// Reads what the documentation holds: code blocks, tables, inline code, links.
import { readdirSync, readFileSync } from 'node:fs';

/** A fenced block. */
export interface CodeBlock {
  readonly language: string;
  readonly text: string;
}

/** README.md and every page under docs/. */
export function documentationPages(): readonly string[] {
  const pages = readdirSync('docs', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
  return ['README.md', ...pages.map((name) => `docs/${name}`).sort()];
}

/** Fenced blocks of a page, in order. */
export function codeBlocks(page: string): readonly CodeBlock[] {
  return [...readFileSync(page, 'utf8').matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
}

/** Headings of a page, in order, without the title. */
export function headingsOf(page: string): readonly string[] {
  return [...readFileSync(page, 'utf8').matchAll(/^##+ (.*)$/gm)].map(([, heading = '']) => heading);
}

/** The rows of the table under a heading, without its head: cells as they are written. */
export function tableUnder(page: string, heading: string): readonly (readonly string[])[] {
  const text = readFileSync(page, 'utf8');
  const section = text.split(/^(?=#+ )/m).find((part) => part.split('\n')[0]?.replace(/^#+ /, '') === heading);
  if (section === undefined) throw new Error(`${page} has no heading ${heading}`);
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

/** Everything between backticks in a text. */
export function inlineCode(text: string): readonly string[] {
  return [...text.replace(/^```.*?^```$/gms, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

/** Targets of links that stay in the repository, without what follows a #. */
export function localLinks(page: string): readonly string[] {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target.replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target));
}
