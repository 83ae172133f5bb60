// What the program really exposes: every metric by name, with its labels, from the registries that /metrics gives.
import { createHostsMetrics } from '../../src/observability/hosts-metrics.ts';
import { createMetrics, type MetricSources } from '../../src/observability/metrics.ts';

/** A value of each source; the compiler asks for one that is added. */
const SOURCES: Required<MetricSources> = {
  queueDepth: () => 1,
  queueWorking: () => 1,
  namespacesInScope: () => 1,
  secretsManaged: () => 1,
  limiterWaiting: () => 1,
  reflectors: () => [{ kind: 'k', lastActivityAt: 1, restarts: 1 }],
  credentials: () => [{ provider: 'p', cacheKey: 'c', isHeld: true, expiresAt: 1, isEnding: false }],
  failingCredentials: () => [{ provider: 'p', cacheKey: 'c', reason: 'r' }],
  leftAlone: () => new Map([['r', 1]]),
  invalidResources: () => 1,
  revocationsFailing: () => 1,
  webhookCertificates: () => [{ certificate: 'c', expiresAt: 1 }],
  isWebhookUsable: () => true,
  editedKeys: () => 1,
};

/** Labels by the name of a sample, as it stands in the Prometheus format (`…_bucket`, `…_sum`, `…_count`); of both commands. */
export async function exposedMetrics(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const texts = [await controllerText({ process: true }), await hostsText({ process: true })];
  const exposed = new Map<string, Set<string>>();
  for (const [, name = '', labels = ''] of texts.join('\n').matchAll(/^([a-z_]\w*)(?:\{(.*)\})? \S+$/gim)) {
    const known = exposed.get(name) ?? new Set();
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label);
    exposed.set(name, known);
  }
  return exposed;
}

/** What the command `controller` gives when everything has happened once; `process` = with the metrics of the process. */
export async function controllerText(options: { readonly process: boolean }): Promise<string> {
  const metrics = createMetrics({ version: 'v', ...options });
  metrics.observe(SOURCES);
  metrics.leading(true);
  metrics.apiCalled({ method: 'GET', code: 200 });
  metrics.reconciled('success');
  metrics.credentialAttempted({ provider: 'p', ok: true, reason: undefined, ms: 1 });
  metrics.wrote({ kind: 'k', reason: 'r' });
  metrics.writeFailed({ kind: 'k', reason: 'r' });
  metrics.skipped('r');
  metrics.relistMissed('k', 1);
  metrics.admissionAnswered({ outcome: 'o', ms: 1 });
  return (await metrics.render()).text;
}

/** The same of the command `hosts`. */
export async function hostsText(options: { readonly process: boolean }): Promise<string> {
  const metrics = createHostsMetrics({ version: 'v', now: () => 1, ...options });
  metrics.kept({ items: 1, conflicts: 0, carriedBytes: 0, write: { how: 'h', reason: 'r' } });
  metrics.failed('r');
  return (await metrics.render()).text;
}
