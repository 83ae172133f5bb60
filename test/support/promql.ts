// Reads as much of a PromQL query as tells which metrics and labels it relies on. No parser: promtool is.

/** What a query relies on. */
export interface Query {
  /** Every metric that is selected, with the labels and the values that are asked for. */
  readonly selectors: readonly {
    readonly metric: string;
    readonly matchers: readonly { readonly label: string; readonly value: string }[];
  }[];
  /** Labels in `by (…)`, `on (…)` and their like. */
  readonly grouped: readonly string[];
  /** Names that are neither: a metric without a selector, a word that is no operator. */
  readonly others: readonly string[];
}

const OPERATORS: ReadonlySet<string> = new Set(['and', 'or', 'unless', 'bool', 'offset']);

/** Reads it. */
export function readQuery(text: string): Query {
  const code = text.replace(/#.*$/gm, '');
  const selectors: Query['selectors'][number][] = [];
  const grouped: string[] = [];
  const rest = code
    .replace(/([A-Za-z_:][\w:]*)\{((?:[^{}"]|"[^"]*")*)\}/g, (_all, metric: string, inside: string) => {
      const matchers = [...inside.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"/g)];
      selectors.push({ metric, matchers: matchers.map(([, label = '', value = '']) => ({ label, value })) });
      return ' ';
    })
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g, (_all, labels: string) => {
      grouped.push(...labels.split(',').map((label) => label.trim()));
      return ' ';
    })
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(/\b[a-z_]\w*\s*\(/g, '(');
  // A name before `by (…)` is an aggregation: its bracket comes later.
  const names = [...rest.matchAll(/[A-Za-z_]\w*(?!\w*\s*\()/g)].map(([name]) => name);
  return { selectors, grouped, others: names.filter((name) => !OPERATORS.has(name)) };
}
