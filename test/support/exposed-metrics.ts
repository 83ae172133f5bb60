// What the program really exposes: every metric by name, with its labels, from the registries that /metrics gives.
import { createHostsMetrics } from '../../src/observability/hosts-metrics.ts';
import { createMetrics } from '../../src/observability/metrics.ts';

/** Labels by the name of a sample, as it stands in the Prometheus format (`…_bucket`, `…_sum`, `…_count`); of both commands. */
export async function exposedMetrics(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const texts = [await controllerText(), await hostsText()];
  const exposed = new Map<string, Set<string>>();
  for (const [, name = '', labels = ''] of texts.join('\n').matchAll(/^([a-z_]\w*)(?:\{(.*)\})? \S+$/gim)) {
    const known = exposed.get(name) ?? new Set();
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label);
    exposed.set(name, known);
  }
  return exposed;
}

async function controllerText(): Promise<string> {
  const metrics = createMetrics({ version: 'v', process: true });
  metrics.observe({
    queueDepth: () => 1,
    queueWorking: () => 1,
    namespacesInScope: () => 1,
    secretsManaged: () => 1,
    limiterWaiting: () => 1,
    reflectors: () => [{ kind: 'k', lastActivityAt: 1, restarts: 1 }],
    credentials: () => [{ provider: 'p', cacheKey: 'c', isHeld: true, expiresAt: 1, isEnding: false }],
    failingCredentials: () => [{ provider: 'p', cacheKey: 'c', reason: 'r' }],
    leftAlone: () => new Map([['r', 1]]),
    revocationsFailing: () => 1,
    webhookCertificates: () => [{ certificate: 'c', expiresAt: 1 }],
    isWebhookUsable: () => true,
  });
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

async function hostsText(): Promise<string> {
  const metrics = createHostsMetrics({ version: 'v', now: () => 1, process: true });
  metrics.kept({ items: 1, conflicts: 0, carriedBytes: 0, write: { how: 'h', reason: 'r' } });
  metrics.failed('r');
  return (await metrics.render()).text;
}
