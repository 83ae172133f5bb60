// The values as tables of the chart's README.
import type { Group, Members } from './shape.ts';

const BEGIN = '<!-- values: written by scripts/chart -->';
const END = '<!-- end of values -->';

/** `readme` with tables of all values between its two marks. Throws when it has no such marks. */
export function writeTables(groups: readonly Group[], readme: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`The README of the chart lacks the lines ${BEGIN} and ${END}`);
  const tables = groups.map(({ title, members }) => `### ${title}\n\n${tableOf(members)}`);
  return [readme.slice(0, begin + BEGIN.length), ...tables, readme.slice(end)].join('\n\n');
}

function tableOf(members: Members): string {
  const rows = rowsOf(members, '');
  return ['| Value | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function rowsOf(members: Members, prefix: string): readonly string[] {
  return Object.entries(members).flatMap(([name, member]) => {
    const path = `${prefix}${name}`;
    if (member.kind === 'value') return [rowOf(path, shown(member.fallback), member.about)];
    return [rowOf(path, '', member.about), ...rowsOf(member.members, `${path}.`)];
  });
}

function rowOf(path: string, fallback: string, about: string): string {
  return `| \`${path}\` | ${fallback} | ${about.replaceAll('|', '\\|')} |`;
}

/** A default in one cell; a long one stands in values.yaml. */
function shown(fallback: unknown): string {
  const text = JSON.stringify(fallback);
  return text.length > 50 ? 'see `values.yaml`' : `\`${text}\``;
}
