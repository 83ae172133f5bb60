// Time series for unit tests of alerts, minute by minute, in the form that promtool takes.

/** What a series shows at a minute: a number, that it is gone, or nothing (it did not begin yet, or was gone before). */
export type Sample = number | 'stale' | '_';

/** A series as promtool takes it. */
export interface Series {
  readonly series: string;
  readonly values: string;
}

/** Labels of a series. */
export type Labels = Readonly<Record<string, string>>;

/** Where the installation of the tests is. */
export const PLACE: Labels = { namespace: 'kube-system', job: 'registry-credential-helper-metrics' };
const P = 'registry_credential_helper_';
const DAY = 86_400;

/** Of one Pod of the controller. */
export function podOf(name: string): Labels {
  return { ...PLACE, pod: name, instance: `${name}:8080` };
}

/** Of one Pod that keeps the hosts file of a node. */
export function hostsPodOf(name: string): Labels {
  return {
    namespace: 'kube-system',
    job: 'kube-system/hosts',
    pod: name,
    instance: `${name}:8080`,
    node: `node-of-${name}`,
  };
}

/** One series from minute 0 to `minutes`; `metric` without our prefix where that is ours. */
export function series(metric: string, labels: Labels, minutes: number, at: (minute: number) => Sample): Series {
  const name = /^(workqueue|controller_runtime|rest_client)_/.test(metric) ? metric : `${P}${metric}`;
  const set = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const values = Array.from({ length: minutes + 1 }, (_, minute) => String(at(minute)));
  return { series: `${name}{${set.join(',')}}`, values: values.join(' ') };
}

interface Replica {
  readonly name: string;
  readonly from: number;
  /** Gone from this minute on. */
  readonly to: number;
  /** Leads from this minute to that. */
  readonly leads?: readonly [number, number];
}

/** Everything that a healthy installation shows while `replicas` come, lead and go. */
export function healthyWorld(replicas: readonly Replica[], minutes: number): readonly Series[] {
  return replicas.flatMap(({ name, from, to, leads: [since, until] = [Infinity, Infinity] }) => {
    const pod = podOf(name);
    const of = (metric: string, labels: Labels, at: (minute: number) => Sample) =>
      series(metric, { ...pod, ...labels }, minutes, (minute) =>
        minute < from || minute > to ? '_' : minute === to ? 'stale' : at(minute),
      );
    const leading = (value: (minute: number) => Sample) => (minute: number) =>
      minute < since || minute > until ? '_' : minute === until ? 'stale' : value(minute);
    const credential = { provider: 'acr', credential: 'acr/cn-hangzhou/cri-a' };
    // Of an hour's life: renewed with fifteen minutes left, at the first minute in which somebody leads.
    const issuedAt = (minute: number): number => {
      const due = Math.floor(minute / 45) * 45;
      const isLate = replicas.every(({ leads: [a, b] = [Infinity, Infinity] }) => due < a || due >= b);
      return isLate && minute < due + 5 ? due - 45 : due;
    };
    return [
      of('leading', {}, (minute) => (minute >= since && minute < until ? 1 : 0)),
      // In the first minute nothing was read yet.
      of('config_valid', {}, (minute) => (minute === from ? 0 : 1)),
      of('standing_down', {}, () => 0),
      of('webhook_usable', {}, (minute) => (minute <= from + 1 ? 0 : 1)),
      of('webhook_certificate_expires_at_seconds', { certificate: 'leaf' }, () => from * 60 + DAY),
      of('webhook_certificate_expires_at_seconds', { certificate: 'authority' }, () => 300 * DAY),
      of('webhook_requests_total', { outcome: 'NothingMissing' }, (minute) => (minute - from) * 30),
      of('revocations_failing', {}, () => 0),
      of('resources_invalid', {}, () => 0),
      of('config_keys_edited', {}, () => 0),
      ...['namespaces', 'serviceaccounts', 'secrets'].map((kind) =>
        of('watch_last_activity_timestamp_seconds', { kind }, (minute) => minute * 60 - 50),
      ),
      // Who begins to lead looks at everything.
      of('workqueue_depth', {}, (minute) => (minute >= since && minute < since + 3 ? 400 : 0)),
      of('controller_runtime_reconcile_total', { result: 'success' }, (minute) => Math.max(0, minute - since) * 9 || 0),
      of('rest_client_requests_total', { code: '200', method: 'GET' }, (minute) => (minute - from) * 5),
      of('rest_client_requests_total', { code: '403', method: 'POST' }, () => 1),
      of(
        'credential_expires_at_seconds',
        credential,
        leading((minute) => (issuedAt(minute) + 60) * 60),
      ),
      of(
        'credential_held',
        credential,
        leading(() => 1),
      ),
      // What it asked for first, a proxy that had just begun refused.
      of('credential_failing', { ...credential, reason: 'CloudUnavailable' }, (minute) =>
        minute < since || minute > since + 2 ? '_' : minute === since + 2 ? 'stale' : 1,
      ),
      of(
        'left_alone',
        { reason: 'NamespaceTerminating' },
        leading(() => 1),
      ),
    ];
  });
}

/** Hosts files of nodes that are kept, while the DaemonSet is updated node by node. */
export function healthyHosts(pods: readonly Replica[], minutes: number): readonly Series[] {
  return pods.flatMap(({ name, from, to }) => {
    const of = (metric: string, labels: Labels, at: (minute: number) => Sample) =>
      series(metric, { ...hostsPodOf(name), ...labels }, minutes, (minute) =>
        minute < from || minute > to ? '_' : minute === to ? 'stale' : at(minute),
      );
    return [
      of('hosts_list_valid', {}, (minute) => (minute === from ? 0 : 1)),
      of('hosts_file_kept', {}, (minute) => (minute === from ? 0 : 1)),
      of('hosts_conflicts', {}, () => 0),
      of('hosts_writes_total', { how: 'replaced', reason: 'BlockDamaged' }, (minute) =>
        Math.floor((minute - from) / 20),
      ),
    ];
  });
}
