// Values about what watches the installation.
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { ANY_MAP, DURATION_PATTERN, OPTIONAL_DURATION, OPTIONAL_NAMESPACE, PORT, strictMap, TEXTS } from './schemas.ts';
import { flag, integer, list, section, text, value, type Members, type Schema } from './shape.ts';

/** The names of the alerts; a wrong one among the values would be left out in silence. */
const ALERTS = (
  load(
    readFileSync(
      new URL('../../charts/registry-credential-helper/files/monitoring/alerts.yaml', import.meta.url),
      'utf8',
    ),
  ) as { readonly groups: readonly { readonly rules: readonly { readonly alert: string }[] }[] }
).groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));

const CHANGED_ALERT = strictMap({
  enabled: { type: 'boolean' },
  for: { type: 'string', pattern: `^(${DURATION_PATTERN})+$` },
  severity: { type: 'string', minLength: 1 },
});

const CHANGED_ALERTS: Schema = {
  ...{ type: 'object', additionalProperties: false },
  properties: Object.fromEntries(ALERTS.map((name) => [name, CHANGED_ALERT])),
};

const placed = (what: string, labels: Readonly<Record<string, string>> = {}): Members => ({
  enabled: flag(`Whether there is ${what}.`, false),
  namespace: text('Its namespace; empty = that of the release.', '', OPTIONAL_NAMESPACE),
  labels: value('Its further labels, such as those by which it is selected.', labels, TEXTS),
  annotations: value('Its annotations.', {}, TEXTS),
});

const scraped = (what: string): Members => ({
  ...placed(what),
  interval: text('How often metrics are read, such as `30s`; empty = as Prometheus does.', '', OPTIONAL_DURATION),
  scrapeTimeout: text('How long that may take; empty = as Prometheus does.', '', OPTIONAL_DURATION),
  relabelings: list('`relabelings` of the endpoint.', ANY_MAP),
  metricRelabelings: list('`metricRelabelings` of the endpoint.', ANY_MAP),
});

/** Metrics. */
export const MONITORING: Members = {
  metrics: section('Metrics, `/livez` and `/readyz`.', {
    port: value(
      'Port of the Pod, and of the node with `webhook.hostNetwork`, where it must be free on every node: 8080 is often taken there.',
      8080,
      PORT,
    ),
    serviceMonitor: section(
      'A Service for metrics, and a ServiceMonitor of it, for the Prometheus Operator.',
      scraped('one'),
    ),
    podMonitor: section(
      'A PodMonitor of the Pods that keep hosts files, where they are installed, and one of the controller’s unless there is a ServiceMonitor.',
      scraped('one'),
    ),
    prometheusRule: section('Alerts.', {
      ...placed('a PrometheusRule'),
      alertLabels: value('Labels of every alert.', {}, TEXTS),
      runbookBaseUrl: text(
        'Where the pages about alerts are, with the slash: `runbook_url` is this, the name of the alert and `.md`.',
        'docs/runbooks/',
      ),
      alerts: value(
        'Changes of single alerts by their names: `{RegistryCredentialHelperStandingDown: {enabled: false}}`, `for`, `severity`.',
        {},
        CHANGED_ALERTS,
      ),
      thresholds: section('When alerts begin.', {
        credentialExpirySeconds: integer(
          'A credential that was not renewed with less left than this, seconds. Renewal begins with a fifth of its life left at the latest.',
          300,
          0,
        ),
        watchSilenceSeconds: integer('Silence of a watch; liveness ends a Pod after 900.', 600, 0),
        webhookLeafSeconds: integer('Left of the certificate with which the webhook serves.', 14400, 0),
        webhookAuthoritySeconds: integer('Left of its certificate authority.', 2592000, 0),
        hostsRepairs: integer('Times in fifteen minutes that a block in a hosts file had to be put right.', 5, 0),
      }),
    }),
    dashboard: section(
      'A dashboard in a ConfigMap, for the sidecar of Grafana.',
      placed('one', { grafana_dashboard: '1' }),
    ),
  }),
};
