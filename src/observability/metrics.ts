// Every metric of the program: names, labels, and the functions that the other layers call.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from '@prometheus-io/client';
import type { EpochMs } from '../core/types.ts';
import { collectReflectors, guarded } from './collected-metrics.ts';
import { collectLeaderMetrics, type LeaderSources } from './leader-metrics.ts';
import { createWebhookMetrics, type CertificateExpiry, type WebhookMetrics } from './webhook-metrics.ts';

const PREFIX = 'registry_credential_helper';
const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];

/** Values that are read when somebody asks for the metrics; absent ones are left out. */
export interface MetricSources extends LeaderSources {
  readonly queueDepth?: () => number;
  readonly queueWorking?: () => number;
  readonly namespacesInScope?: () => number;
  readonly secretsManaged?: () => number;
  readonly limiterWaiting?: () => number;
  /** Per followed kind: when the API server last sent anything, and watches started after the first. */
  readonly reflectors?: () => readonly {
    readonly kind: string;
    readonly lastActivityAt: EpochMs;
    readonly restarts: number;
  }[];
  readonly webhookCertificates?: () => readonly CertificateExpiry[];
  /** The API server can use the webhook of this replica, or nobody calls it. */
  readonly isWebhookUsable?: () => boolean;
  /** Keys of the configuration that do not follow the values since somebody edited them. */
  readonly editedKeys?: () => number;
}

/** The metrics, as functions. */
export interface Metrics extends WebhookMetrics {
  /** Says where values are read; later calls add to earlier ones. */
  observe(sources: MetricSources): void;
  queueAdded(): void;
  queueWaited(ms: number): void;
  queueWorked(ms: number): void;
  queueRetried(): void;
  /** One pass ended. */
  reconciled(result: 'success' | 'error' | 'requeue'): void;
  /** One call to the Kubernetes API; `code` = HTTP status or `none`. */
  apiCalled(call: { readonly method: string; readonly code: number | undefined }): void;
  configValid(valid: boolean): void;
  leading(leading: boolean): void;
  standingDown(isRunning: boolean): void;
  credentialAttempted(attempt: {
    readonly provider: string;
    readonly ok: boolean;
    readonly reason: string | undefined;
    readonly ms: number;
  }): void;
  wrote(write: { readonly kind: string; readonly reason: string }): void;
  writeFailed(write: { readonly kind: string; readonly reason: string }): void;
  skipped(reason: string): void;
  contended(): void;
  relistMissed(kind: string, missed: number): void;
  eventsDropped(count: number): void;
  /** Text in the Prometheus format, and its content type. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Builds the metrics in a registry of their own. `process` = add those of the process and of Node. */
export function createMetrics(options: { readonly version: string; readonly process?: boolean }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, buckets, registers });
  const flag = (name: string, help: string) => new Gauge({ name, help, registers });
  const sources: MetricSources[] = [];
  const gauge = (name: string, help: string, read: () => number | undefined): void => {
    const built = new Gauge({
      name,
      help,
      registers,
      collect: guarded(() => {
        const value = read();
        if (value !== undefined) built.set(value);
      }),
    });
  };
  const sum = (pick: (source: MetricSources) => (() => number) | undefined) => (): number | undefined => {
    const reads = sources.flatMap((source) => pick(source) ?? []);
    return reads.length === 0 ? undefined : reads.reduce((total, read) => total + read(), 0);
  };
  if (options.process === true) collectDefaultMetrics({ register: registry, eventLoopUtilizationTimeout: 1_000 });

  const build = new Gauge({
    name: `${PREFIX}_build_info`,
    help: 'Version of the program',
    labelNames: ['version'],
    registers,
  });
  build.set({ version: options.version }, 1);
  gauge(
    'workqueue_depth',
    'Namespaces that wait to be looked at',
    sum((source) => source.queueDepth),
  );
  gauge(
    'workqueue_unfinished_work',
    'Namespaces that are being looked at',
    sum((source) => source.queueWorking),
  );
  gauge(
    `${PREFIX}_namespaces_in_scope`,
    'Namespaces that a rule reaches',
    sum((source) => source.namespacesInScope),
  );
  gauge(
    `${PREFIX}_secrets_managed`,
    'Secrets that carry our labels',
    sum((source) => source.secretsManaged),
  );
  gauge(
    `${PREFIX}_writes_waiting`,
    'Writes that wait for their turn',
    sum((source) => source.limiterWaiting),
  );
  gauge(
    `${PREFIX}_config_keys_edited`,
    'Keys of the ConfigMap that were edited by hand and do not follow the values',
    sum((source) => source.editedKeys),
  );
  let isLeading = false;
  const collected = { registry, prefix: PREFIX, sources, isLeading: () => isLeading };
  collectReflectors(collected);
  collectLeaderMetrics(collected);
  const certificates = () => sources.flatMap((source) => source.webhookCertificates?.() ?? []);
  const isUsable = () => sources.every((source) => source.isWebhookUsable?.() ?? true);
  const webhook = createWebhookMetrics({ registry, prefix: PREFIX, certificates, isUsable });

  const adds = counter('workqueue_adds_total', 'Namespaces added to the queue');
  const retries = counter('workqueue_retries_total', 'Namespaces added again after a failure');
  const waited = histogram('workqueue_queue_duration_seconds', 'Time in the queue', SECONDS);
  const worked = histogram('workqueue_work_duration_seconds', 'Time of a pass', SECONDS);
  const passes = counter('controller_runtime_reconcile_total', 'Passes, by result', ['result']);
  const calls = counter('rest_client_requests_total', 'Calls to the Kubernetes API', ['code', 'method']);
  const attempts = counter(`${PREFIX}_credential_attempts_total`, 'Attempts to obtain a credential', [
    'provider',
    'result',
  ]);
  const attemptTime = histogram(`${PREFIX}_credential_attempt_duration_seconds`, 'Time of such an attempt', SECONDS);
  const writes = counter(`${PREFIX}_writes_total`, 'Writes, by kind and reason', ['kind', 'reason']);
  const failures = counter(`${PREFIX}_write_failures_total`, 'Writes that failed', ['kind', 'reason']);
  const skips = counter(`${PREFIX}_skips_total`, 'Things left alone, by reason', ['reason']);
  const contention = counter(`${PREFIX}_contentions_total`, 'References or Secrets that another writer keeps undoing');
  const missed = counter(`${PREFIX}_watch_missed_total`, 'Changes that only a full list found', ['kind']);
  const dropped = counter(`${PREFIX}_events_dropped_total`, 'Kubernetes Events that were not posted');
  const valid = flag(`${PREFIX}_config_valid`, '1 = the ConfigMap can be used as it is');
  const leader = flag(`${PREFIX}_leading`, '1 = this replica writes');
  const standing = flag(
    `${PREFIX}_standing_down`,
    '1 = an add-on that this one replaces runs: what it would undo waits',
  );

  return {
    ...webhook,
    observe: (source) => void sources.push(source),
    queueAdded: () => adds.inc(),
    queueWaited: (ms) => waited.observe(sane(ms) / 1_000),
    queueWorked: (ms) => worked.observe(sane(ms) / 1_000),
    queueRetried: () => retries.inc(),
    reconciled: (result) => passes.inc({ result }),
    apiCalled: ({ method, code }) => calls.inc({ method, code: code === undefined ? 'none' : String(code) }),
    configValid: (isValid) => valid.set(isValid ? 1 : 0),
    leading: (leads) => {
      isLeading = leads;
      leader.set(leads ? 1 : 0);
      // Who leads now tells of it.
      if (!leads) standing.set(0);
    },
    standingDown: (isRunning) => standing.set(isRunning ? 1 : 0),
    credentialAttempted: ({ provider, ok, reason, ms }) => {
      attempts.inc({ provider, result: ok ? 'success' : (reason ?? 'Unexpected') });
      attemptTime.observe(sane(ms) / 1_000);
    },
    wrote: ({ kind, reason }) => writes.inc({ kind, reason }),
    writeFailed: ({ kind, reason }) => failures.inc({ kind, reason }),
    skipped: (reason) => skips.inc({ reason }),
    contended: () => contention.inc(),
    relistMissed: (kind, count) => missed.inc({ kind }, sane(count)),
    eventsDropped: (count) => dropped.inc(sane(count)),
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

/** A clock that jumped back gives negative times, and what is no number would spoil a counter for ever. */
function sane(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}
