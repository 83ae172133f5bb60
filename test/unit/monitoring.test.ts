// Alerts, runbooks and dashboard rely on nothing that the program does not give, and lead people to something.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { exposedMetrics } from '../support/exposed-metrics.ts';
import { codeBlocks, headingsOf, inlineCode, tableUnder } from '../support/markdown.ts';
import { readQuery } from '../support/promql.ts';

const FOLDER = 'charts/registry-credential-helper/files/monitoring';
const RUNBOOKS = 'docs/runbooks';
/** Labels that Prometheus, or its operator, puts to every sample of a target. `cluster` where one sets it. */
const OF_TARGET: readonly string[] = ['cluster', 'namespace', 'job', 'instance', 'pod', 'node'];

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

const { groups } = load(readFileSync(path.join(FOLDER, 'alerts.yaml'), 'utf8')) as {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Alert[] }[];
};
const alerts = groups.flatMap(({ rules }) => rules);
const dashboard = JSON.parse(readFileSync(path.join(FOLDER, 'dashboard.json'), 'utf8')) as {
  readonly uid: string;
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly description?: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
};
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const queries = [
  ...alerts.map(({ alert, expr }) => [`the alert ${alert}`, expr] as const),
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [`the panel ${title}`, expr] as const)),
];
const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(path.join('src', name), 'utf8'))
  .join('\n');

describe('every query', () => {
  let exposed: ReadonlyMap<string, ReadonlySet<string>>;
  beforeAll(async () => {
    exposed = await exposedMetrics();
  });
  const labelsOf = (metric: string): readonly string[] => [...(exposed.get(metric) ?? []), ...OF_TARGET];

  test.each(queries)('of %s uses only metrics that the program exposes, with labels that they have', (_, expr) => {
    const { selectors, grouped, others } = readQuery(expr);
    expect(others).toEqual([]);
    expect(selectors.map(({ metric }) => metric).filter((metric) => !exposed.has(metric))).toEqual([]);
    for (const { metric, matchers } of selectors) {
      const unknown = matchers.filter(({ label }) => !labelsOf(metric).includes(label));
      expect({ metric, unknown }).toEqual({ metric, unknown: [] });
    }
    const known = selectors.flatMap(({ metric }) => labelsOf(metric));
    expect(grouped.filter((label) => !known.includes(label))).toEqual([]);
  });

  test('asks of labels only for values that are documented', () => {
    const documented = inlineCode(
      ['docs/metrics.md', 'docs/reasons.md'].map((page) => readFileSync(page, 'utf8')).join('\n'),
    );
    const asked = queries
      .flatMap(([, expr]) => readQuery(expr).selectors.flatMap(({ matchers }) => matchers))
      .filter(({ label }) => !OF_TARGET.includes(label) && label !== 'code' && label !== 'method')
      .flatMap(({ value }) => value.split('|'));
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((value) => !documented.includes(value))).toEqual([]);
  });

  test('about metrics that other programs have too counts only where one of ours is', () => {
    for (const { expr } of alerts) {
      const { selectors } = readQuery(expr);
      const isOurs = ({ metric }: (typeof selectors)[number]): boolean =>
        metric.startsWith('registry_credential_helper_');
      expect({ expr, isNarrow: selectors.some(isOurs) }).toEqual({ expr, isNarrow: true });
      if (!selectors.every(isOurs)) expect(expr).toContain('and on (cluster, namespace, job, instance)');
    }
  });

  test('is read as it should be, also a wrong one', () => {
    expect(readQuery('sum by (a, b) (rate(x{c="d", e!~"f|g"}[5m])) - time() < 3 # c{d="e"}')).toEqual({
      selectors: [
        {
          metric: 'x',
          matchers: [
            { label: 'c', value: 'd' },
            { label: 'e', value: 'f|g' },
          ],
        },
      ],
      grouped: ['a', 'b'],
      others: [],
    });
    expect(readQuery('bare + x{} and on (a) y{}').others).toEqual(['bare']);
  });
});

describe('every alert', () => {
  const isPage = (name: string): boolean => name.endsWith('.md') && name !== 'README.md';

  test('has a page, and every page an alert', () => {
    const pages = readdirSync(RUNBOOKS).filter(isPage);
    expect(pages.sort()).toEqual(alerts.map(({ alert }) => `${alert}.md`).sort());
  });

  test('stands in the index with its severity', () => {
    const rows = tableUnder(path.join(RUNBOOKS, 'README.md'), 'Runbooks').map(([alert = '', severity = '']) => [
      inlineCode(alert)[0],
      severity,
    ]);
    expect(rows).toEqual(alerts.map(({ alert, labels }) => [alert, labels.severity]));
  });

  test.each(alerts)(
    '$alert says what is the matter and what to do first',
    ({ alert, labels, annotations, ...rest }) => {
      expect(alert).toMatch(/^RegistryCredentialHelper[A-Z][A-Za-z]+$/);
      expect(rest.for).toMatch(/^\d+[mh]$/);
      expect(['critical', 'warning', 'info']).toContain(labels.severity);
      expect(Object.keys(annotations)).toEqual(['summary', 'description']);
      expect(annotations.summary).toMatch(/^\S.{15,110}\.$/);
      expect(annotations.description).toMatch(/First .{15,}\.$/);
    },
  );

  test.each(alerts)(
    '$alert has a page that tells meaning, impact, diagnosis with commands, and mitigation',
    ({ alert }) => {
      const page = path.join(RUNBOOKS, `${alert}.md`);
      expect(readFileSync(page, 'utf8')).toMatch(new RegExp(`^# ${alert}\n`));
      expect(headingsOf(page)).toEqual(['Meaning', 'Impact', 'Diagnosis', 'Mitigation']);
      expect(codeBlocks(page).map(({ language }) => language)).toContain('sh');
    },
  );

  test('and every page quote only lines of the log that there are', () => {
    const quoted = alerts.flatMap(({ annotations: { description = '' } }) =>
      [...description.matchAll(/"([A-Z][^"]+)"/g)].map(([, line = '']) => line),
    );
    const searched = readdirSync(RUNBOOKS).flatMap((name) =>
      codeBlocks(path.join(RUNBOOKS, name)).flatMap(({ text }) =>
        [...text.matchAll(/grep '([^']+)'/g)].flatMap(([, pattern = '']) => pattern.split('\\|')),
      ),
    );
    expect(quoted.length).toBeGreaterThan(5);
    expect(searched.length).toBeGreaterThan(15);
    expect([...quoted, ...searched].filter((line) => !source.includes(line))).toEqual([]);
  });

  test('names only Events that there are', () => {
    const pages = readdirSync(RUNBOOKS).map((name) => readFileSync(path.join(RUNBOOKS, name), 'utf8'));
    const asked = pages.flatMap((text) => [...text.matchAll(/reason=(\w+)/g)].map(([, reason = '']) => reason));
    const known = tableUnder('docs/reasons.md', 'Events').flatMap(([cell = '']) => inlineCode(cell));
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((reason) => !known.includes(reason))).toEqual([]);
  });
});

describe('the dashboard', () => {
  test('lets people choose data source, namespace and replica, and asks every question about those', () => {
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'namespace', 'instance']);
    for (const { expr } of panels.flatMap(({ targets = [] }) => targets)) {
      for (const { metric, matchers } of readQuery(expr).selectors) {
        expect([metric, ...matchers.slice(0, 2)]).toEqual([
          metric,
          { label: 'namespace', value: '$namespace' },
          { label: 'instance', value: '$instance' },
        ]);
      }
    }
  });

  test('names in legends only labels that the query leaves', () => {
    for (const { expr, legendFormat } of panels.flatMap(({ targets = [] }) => targets)) {
      const { grouped } = readQuery(expr);
      const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      const left = grouped.length === 0 ? [...OF_TARGET, 'kind'] : grouped;
      expect({ expr, lost: named.filter((label) => !left.includes(label)) }).toEqual({ expr, lost: [] });
    }
  });

  test('explains every panel, and lays none over another', () => {
    expect(panels.filter(({ description = '' }) => description === '').map(({ title }) => title)).toEqual([]);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });
});
