// Values about what watches the installation.
import { ANY_MAP, OPTIONAL_DURATION, OPTIONAL_NAMESPACE, PORT, TEXTS } from './schemas.ts';
import { flag, list, section, text, value, type Members } from './shape.ts';

const placed = (what: string): Members => ({
  enabled: flag(`Whether there is ${what}.`, false),
  namespace: text('Its namespace; empty = that of the release.', '', OPTIONAL_NAMESPACE),
  labels: value('Its further labels, such as those that your Prometheus selects.', {}, TEXTS),
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
    port: value('Port of the Pod.', 8080, PORT),
    serviceMonitor: section('For the Prometheus Operator, by a Service.', scraped('a ServiceMonitor')),
    podMonitor: section('The same, of the Pods themselves, those of the hosts DaemonSet too.', scraped('a PodMonitor')),
    prometheusRule: section('Alerts.', {
      ...placed('a PrometheusRule'),
      runbookUrl: text('Where the runbooks are, without the name of the alert; empty = in this project.'),
      disabled: list('Names of alerts that are left out.', { type: 'string', minLength: 1 }),
    }),
    dashboard: section('A dashboard for Grafana, in a ConfigMap.', placed('a dashboard')),
  }),
};
