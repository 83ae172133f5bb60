// What the chart renders for Prometheus and Grafana, and what the alerts do: no cluster is needed for that.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { dump, load } from 'js-yaml';
import { createRunFolder, type RunFolder } from '../support/control-plane/run-folder.ts';
import { findTools } from '../support/control-plane/tools.ts';
import { healthyHosts, healthyWorld, podOf, series, type Labels, type Series } from '../support/rule-world.ts';
import { ALERT_CASES } from './alert-cases.ts';
import { CHART, createHelm, deploymentOf, manifestsOf, type Helm, type Manifest, type Values } from './helm.ts';

const BUILD_MS = 900_000;
const FILES = path.join(CHART, 'files/monitoring');
const ALERTS = load(readFileSync(path.join(FILES, 'alerts.yaml'), 'utf8')) as RuleFile;
const MONITORS = ['ServiceMonitor', 'PodMonitor', 'PrometheusRule'];

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Labels;
  readonly annotations: Labels;
}

interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

/** An object of the chart whose spec is read as it is. */
interface Rendered extends Omit<Manifest, 'spec'> {
  readonly spec: Readonly<Record<string, unknown>>;
  readonly data?: Labels;
}

jest.setTimeout(120_000);

let helm: Helm;
let promtool: string;
let folder: RunFolder;
beforeAll(async () => {
  helm = await createHelm();
  ({ promtool } = await findTools(['promtool']));
  folder = await createRunFolder('promtool');
}, BUILD_MS);
afterAll(async () => {
  await helm.remove();
  await folder.remove();
});

const on = (name: string, values: Values = {}): Values => ({ metrics: { [name]: { enabled: true, ...values } } });
const HOSTS: Values = { hosts: { enabled: true } };

describe('the chart', () => {
  test('renders nothing for monitoring unless it is asked to', async () => {
    const kinds = (await rendered({})).map(({ kind }) => kind);
    expect(kinds.filter((kind) => MONITORS.includes(kind))).toEqual([]);
    expect(kinds.filter((kind) => kind === 'Service')).toHaveLength(1);
  });

  test.each(['serviceMonitor', 'podMonitor', 'prometheusRule', 'dashboard'])(
    'puts the labels and annotations of %s over its own, and the object where it is wanted',
    async (name) => {
      const own = { release: 'monitoring', 'app.kubernetes.io/name': 'other' };
      const values = { namespace: 'monitoring', labels: own, annotations: { a: 'b' } };
      const [object] = (await rendered(on(name, values))).filter(({ metadata }) => metadata.namespace === 'monitoring');
      expect(object?.metadata).toMatchObject({ labels: own, annotations: { a: 'b' } });
      expect(object?.metadata.labels?.['app.kubernetes.io/instance']).toBe('registry-credential-helper');
    },
  );
});

describe('the ServiceMonitor', () => {
  test('leads to a Service of the controller, and by that to the port of its Pods that gives metrics', async () => {
    const objects = await rendered(on('serviceMonitor', { interval: '30s' }));
    const [monitor] = objects.filter(({ kind }) => kind === 'ServiceMonitor');
    const { namespaceSelector, selector, endpoints } = monitor?.spec as {
      namespaceSelector: unknown;
      selector: { matchLabels: Labels };
      endpoints: unknown;
    };
    expect(namespaceSelector).toEqual({ matchNames: ['kube-system'] });
    expect(endpoints).toEqual([{ port: 'http', path: '/metrics', interval: '30s' }]);
    const services = objects.filter(
      ({ kind, metadata }) => kind === 'Service' && matches(selector.matchLabels, metadata.labels),
    );
    expect(services.map(({ metadata }) => metadata.name)).toEqual(['registry-credential-helper-metrics']);
    const { selector: pods, ports } = services[0]?.spec as { selector: Labels; ports: unknown };
    expect(ports).toEqual([{ name: 'http', port: 8080, targetPort: 'http', protocol: 'TCP' }]);
    expect(matches(pods, deploymentOf(objects as unknown as readonly Manifest[]).template.metadata.labels)).toBe(true);
    expect(pods['app.kubernetes.io/component']).toBe('controller');
  });
});

describe('the PodMonitor', () => {
  const monitors = async (values: Values) =>
    (await rendered(values)).filter(({ kind }) => kind === 'PodMonitor').map(({ metadata }) => metadata.name);

  test('is of the Pods of the controller, by the port that gives metrics', async () => {
    const objects = await rendered(on('podMonitor'));
    const [monitor] = objects.filter(({ kind }) => kind === 'PodMonitor');
    const { selector, podMetricsEndpoints } = monitor?.spec as {
      selector: { matchLabels: Labels };
      podMetricsEndpoints: unknown;
    };
    const { template } = deploymentOf(objects as unknown as readonly Manifest[]);
    expect(matches(selector.matchLabels, template.metadata.labels)).toBe(true);
    expect(podMetricsEndpoints).toEqual([{ port: 'http', path: '/metrics' }]);
    expect(template.spec.containers[0].ports[0]).toMatchObject({ name: 'http', containerPort: 8080 });
  });

  test('asks no Pod twice', async () => {
    const both = { metrics: { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } } };
    expect(await monitors(both)).toEqual([]);
    expect(await monitors({ ...both, ...HOSTS })).toEqual(['registry-credential-helper-hosts']);
    expect(await monitors({ ...on('podMonitor'), ...HOSTS })).toHaveLength(2);
  });

  test('of hosts files is there exactly when their Pods are, and tells the node', async () => {
    const items = [{ domain: 'a.example.com', ip: '10.0.0.1' }];
    const name = 'registry-credential-helper-hosts';
    expect(await monitors({ ...on('podMonitor'), hosts: { items } })).toContain(name);
    expect(await monitors({ ...on('podMonitor'), global: { hosts: items } })).toContain(name);
    expect(await monitors({ ...on('podMonitor'), hosts: { enabled: false, items } })).not.toContain(name);
    const objects = await rendered({ ...on('podMonitor'), ...HOSTS });
    expect(objects.find(({ kind, metadata }) => kind === 'PodMonitor' && metadata.name === name)?.spec).toMatchObject({
      selector: { matchLabels: { 'app.kubernetes.io/component': 'hosts' } },
      podMetricsEndpoints: [
        { relabelings: [{ sourceLabels: ['__meta_kubernetes_pod_node_name'], targetLabel: 'node' }] },
      ],
    });
  });
});

describe('the PrometheusRule', () => {
  test('has every alert, each with its page', async () => {
    const found = await rules();
    expect(found.map(({ alert }) => alert)).toEqual(
      ALERTS.groups.flatMap((group) => group.rules).map(({ alert }) => alert),
    );
    for (const { alert, annotations } of found) expect(annotations.runbook_url).toBe(`docs/runbooks/${alert}.md`);
  });

  test('leads to the pages where they are', async () => {
    const [rule] = await rules({ runbookBaseUrl: 'https://docs.example.com/runbooks/' });
    expect(rule?.annotations.runbook_url).toBe(`https://docs.example.com/runbooks/${rule?.alert ?? ''}.md`);
  });

  test('is about the installation in its own namespace alone', async () => {
    for (const { expr } of await rules()) {
      expect(expr).toContain('namespace="kube-system"');
      expect(expr).not.toContain('namespace=~');
    }
  });

  test('puts further labels to every alert', async () => {
    for (const { labels } of await rules({ alertLabels: { team: 'platform' } })) {
      expect(labels).toEqual({ team: 'platform', severity: expect.any(String) });
    }
  });

  test('leaves out, delays and weighs single alerts otherwise', async () => {
    const alerts = {
      RegistryCredentialHelperStandingDown: { enabled: false },
      RegistryCredentialHelperNoLeader: { for: '1h', severity: 'page' },
    };
    const [before, after] = [await rules(), await rules({ alerts })];
    expect(after).toHaveLength(before.length - 1);
    expect(after.find(({ alert }) => alert === 'RegistryCredentialHelperStandingDown')).toBeUndefined();
    expect(after.find(({ alert }) => alert === 'RegistryCredentialHelperNoLeader')).toMatchObject({
      for: '1h',
      labels: { severity: 'page' },
    });
  });

  test('has no group without an alert', async () => {
    const names = ALERTS.groups[1]?.rules.map(({ alert }) => [alert, { enabled: false }]) ?? [];
    const objects = await rendered(on('prometheusRule', { alerts: Object.fromEntries(names) }));
    const rule = objects.find(({ kind }) => kind === 'PrometheusRule')?.spec as unknown as RuleFile;
    expect(rule.groups.map(({ name }) => name)).toEqual(['registry-credential-helper']);
  });

  test('refuses an alert that there is not', async () => {
    const values = on('prometheusRule', { alerts: { RegistryCredentialHelperTypo: { enabled: false } } });
    await expect(helm.render(values)).rejects.toThrow('RegistryCredentialHelperTypo');
  });

  test('knows by name, for values, exactly the alerts that there are', () => {
    const schema = JSON.stringify(JSON.parse(readFileSync(path.join(CHART, 'values.schema.json'), 'utf8')));
    const known = [...schema.matchAll(/"(RegistryCredentialHelper\w+)"/g)].map(([, name]) => name);
    expect(known.sort()).toEqual(ALERTS.groups.flatMap((group) => group.rules.map(({ alert }) => alert)).sort());
  });

  test('takes every threshold from the values, by the numbers that the file has by default', async () => {
    const { metrics } = load(readFileSync(path.join(CHART, 'values.yaml'), 'utf8')) as {
      metrics: { prometheusRule: { thresholds: Readonly<Record<string, number>> } };
    };
    const { thresholds } = metrics.prometheusRule;
    const inFile = [...readFileSync(path.join(FILES, 'alerts.yaml'), 'utf8').matchAll(/(\d+) # threshold: (\w+)\n/g)];
    expect(Object.fromEntries(inFile.map(([, number, name]) => [name, Number(number)]))).toEqual(thresholds);
    const others = Object.fromEntries(Object.keys(thresholds).map((name, index) => [name, 7_000_001 + index]));
    const text = (await rules({ thresholds: others })).map(({ expr }) => expr).join('\n');
    for (const [name, number] of Object.entries(others))
      expect({ name, isUsed: text.includes(` ${number}`) }).toEqual({ name, isUsed: true });
  });
});

test('the dashboard is in a ConfigMap that the sidecar of Grafana takes, byte for byte', async () => {
  const map = (await rendered(on('dashboard'))).find(({ metadata }) => metadata.name.endsWith('-dashboard'));
  expect(map?.metadata.labels?.grafana_dashboard).toBe('1');
  const { 'registry-credential-helper.json': text = '', ...others } = map?.data ?? {};
  expect(others).toEqual({});
  expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(path.join(FILES, 'dashboard.json'), 'utf8')));
});

describe('Prometheus', () => {
  let file: string;
  beforeAll(async () => {
    file = await write('rules.yaml', { groups: (await ruleFile()).groups });
  });

  test.each([
    ['as it is in the chart', () => path.join(FILES, 'alerts.yaml')],
    ['as it is rendered', () => file],
  ])('takes the file of alerts %s', async (_, name) => {
    await run(['check', 'rules', '--lint=all', '--lint-fatal', name()]);
  });

  test('is told of every alert what sets it off', () => {
    const known = ALERTS.groups.flatMap((group) => group.rules.map(({ alert }) => alert));
    expect([...new Set(ALERT_CASES.map(({ alert }) => alert))]).toEqual(known);
  });

  test.each(ALERT_CASES)('fires $alert when $fires', async ({ alert, minutes, firing, labels }) => {
    const rule = (await rules()).find((one) => one.alert === alert);
    const severity = rule?.labels.severity ?? '';
    await evaluate(firing, minutes, `ALERTS{alertname="${alert}",alertstate="firing"}`, [
      { alertname: alert, alertstate: 'firing', severity, ...labels },
    ]);
    // A text that names a label which is not there would have a hole.
    const named = [...JSON.stringify(rule?.annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
    expect(named.filter((label) => !(label in labels))).toEqual([]);
  });

  test.each(ALERT_CASES)('does not fire $alert when $stays', async ({ alert, minutes, silent }) => {
    const fired = `max_over_time(ALERTS{alertname="${alert}",alertstate="firing"}[${minutes + 1}m])`;
    await evaluate(silent, minutes, fired, []);
  });

  test('fires nothing while healthy replicas are replaced one by one, and another one leads', async () => {
    const replicas = healthyWorld(
      [
        { name: 'a', from: 0, to: 31 },
        { name: 'b', from: 0, to: 33, leads: [0, 33] },
        { name: 'c', from: 30, to: 200, leads: [34, 200] },
        { name: 'd', from: 32, to: 200 },
      ],
      120,
    );
    const nodes = healthyHosts(
      [
        { name: 'x', from: 0, to: 40 },
        { name: 'x2', from: 41, to: 200 },
        { name: 'y', from: 0, to: 42 },
        { name: 'y2', from: 43, to: 200 },
      ],
      120,
    );
    await evaluate([...replicas, ...nodes], 120, 'max_over_time(ALERTS{alertstate="firing"}[121m])', []);
  });

  test('fires nothing while all replicas are replaced at once, just as a credential is due', async () => {
    const replicas = healthyWorld(
      [
        { name: 'a', from: 0, to: 44, leads: [0, 44] },
        { name: 'b', from: 47, to: 200, leads: [48, 200] },
      ],
      120,
    );
    await evaluate(replicas, 120, 'max_over_time(ALERTS{alertstate="firing"}[121m])', []);
  });

  test('fires nothing about another installation', async () => {
    const elsewhere = { ...podOf('a'), namespace: 'other' };
    const present = series('leading', podOf('b'), 60, () => 1);
    const other = [
      series('leading', elsewhere, 60, () => 0),
      series('config_valid', elsewhere, 60, () => 0),
      series('left_alone', { ...elsewhere, reason: 'NameTaken' }, 60, () => 3),
    ];
    await evaluate([present, ...other], 60, 'max_over_time(ALERTS{alertstate="firing"}[61m])', []);
  });

  test('fills in what the texts of an alert leave open', async () => {
    const alert = 'RegistryCredentialHelperCredentialExpiresSoon';
    const rule = (await rules()).find((one) => one.alert === alert);
    const known = ALERT_CASES.find((one) => one.alert === alert);
    const labels: Labels = known?.labels ?? {};
    const annotations = Object.fromEntries(
      Object.entries(rule?.annotations ?? {}).map(([name, text]) => [
        name,
        text
          .replace('{{ $labels.credential }}', labels.credential ?? '')
          .replace('{{ $value | humanizeDuration }}', '1m 0s'),
      ]),
    );
    expect(JSON.stringify(annotations)).not.toContain('{{');
    const expected = [{ exp_labels: { ...labels, severity: 'warning' }, exp_annotations: annotations }];
    await evaluateTest({
      input_series: known?.firing ?? [],
      alert_rule_test: [{ eval_time: '59m', alertname: alert, exp_alerts: expected }],
    });
  });

  /** Runs all alerts over the series, and asks what there is at the last minute. */
  const evaluate = (input: readonly Series[], minutes: number, expr: string, expected: readonly Labels[]) =>
    evaluateTest({
      input_series: input,
      promql_expr_test: [
        {
          expr,
          eval_time: `${minutes}m`,
          exp_samples: expected.map((labels) => ({
            labels: `ALERTS{${Object.entries(labels)
              .map(([label, value]) => `${label}="${value}"`)
              .join(',')}}`,
            value: 1,
          })),
        },
      ],
    });
  const evaluateTest = async (one: object): Promise<void> => {
    const content = { rule_files: [file], evaluation_interval: '1m', tests: [{ interval: '1m', ...one }] };
    await run(['test', 'rules', await write(`test-${(counter += 1)}.yaml`, content)]);
  };
  let counter = 0;
});

async function rendered(values: Values): Promise<readonly Rendered[]> {
  return manifestsOf(await helm.render(values)) as unknown as readonly Rendered[];
}

async function ruleFile(values: Values = {}): Promise<RuleFile> {
  const objects = await rendered(on('prometheusRule', values));
  return objects.find(({ kind }) => kind === 'PrometheusRule')?.spec as unknown as RuleFile;
}

async function rules(values: Values = {}): Promise<readonly Rule[]> {
  return (await ruleFile(values)).groups.flatMap((group) => group.rules);
}

function matches(selector: Labels, labels: Labels = {}): boolean {
  return Object.entries(selector).every(([label, value]) => labels[label] === value);
}

async function write(name: string, content: unknown): Promise<string> {
  const file = path.join(folder.path, name);
  await writeFile(file, dump(content));
  return file;
}

/** Runs promtool; throws with what it said when it fails. */
function run(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(promtool, args, { cwd: folder.path, timeout: 60_000 }, (error, stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(`promtool ${args.join(' ')} failed:\n${stdout}${stderr}`));
    });
  });
}
