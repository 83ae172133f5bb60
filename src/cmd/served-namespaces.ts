// The flag `--namespaces`: where this installation may look and write, and nowhere else.

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Most namespaces: each is followed by two watches of its own, and every start asks for the rights in each. */
const MAX_NAMESPACES = 100;

/** Reads it; undefined = every namespace. A mistake never means more than was written: what is wrong goes to `issues`. */
export function parseServedNamespaces(text: string | undefined, issues: string[]): readonly string[] | undefined {
  if (text === undefined) return undefined;
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  const refuse = (what: string): void => void issues.push(`--namespaces=${shown} ${what}`);
  if (names.length === 0) refuse('names no namespace: leave the flag out to serve all');
  if (names.length > MAX_NAMESPACES) {
    refuse(`names ${names.length} namespaces, at most ${MAX_NAMESPACES} are possible: leave the flag out to serve all`);
    return [];
  }
  for (const name of names.filter((one) => !DNS_LABEL.test(one))) {
    refuse(
      `has ${name.slice(0, 80)}, which is not the name of a namespace: write names without wildcards, separated by commas`,
    );
  }
  const twice = names.filter((name, at) => names.indexOf(name) < at);
  if (twice.length > 0) refuse(`names ${[...new Set(twice)].join(', ')} more than once: write each name once`);
  return names;
}
