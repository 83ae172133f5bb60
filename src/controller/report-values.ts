// What is said about a configuration that is kept from values: lines, and Events on its ConfigMap.
import { KubeError } from '../core/errors.ts';
import type { EventObject, EventRecorder } from '../kube/events.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { ValuesObserver, ValuesSkip } from './followed-values.ts';
import { fitting } from './report-configuration.ts';
import type { EventReason } from './report.ts';

/** Those that a person can act on; why a write was refused is told where it failed. */
const TOLD = ['HandEditKept', 'ValuesUnused', 'Contended'] as const satisfies readonly EventReason[];

/** Builds the report: each thing is told once, until it is another. */
export function createValuesReport({
  logger,
  metrics,
  events,
  configMap,
}: {
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'wrote' | 'writeFailed' | 'skipped' | 'contended'>;
  readonly events: Pick<EventRecorder<EventReason>, 'record'>;
  readonly configMap: { readonly namespace: string; readonly name: string };
}): ValuesObserver {
  const place = `${configMap.namespace}/${configMap.name}`;
  let before: ReadonlySet<string> = new Set();
  return {
    onValuesWrite(write) {
      metrics.wrote(write);
      logger.info('Wrote', { kind: write.kind, configMap: place, reason: write.reason, keys: Object.keys(write.data) });
    },
    onValuesFailure(write, error) {
      metrics.writeFailed({ kind: write.kind, reason: error instanceof KubeError ? error.reason : 'Unexpected' });
      logger.warn('Write failed', { kind: write.kind, configMap: place, reason: write.reason, error });
    },
    onValuesContention: () => metrics.contended(),
    onValuesSkips(skips, uid) {
      const isNew = ({ reason, message }: ValuesSkip): boolean => !before.has(`${reason} ${message}`);
      for (const { reason, message } of skips.filter(isNew)) {
        metrics.skipped(reason);
        logger.info('Left alone', { reason, configMap: place, message });
      }
      for (const reason of TOLD) {
        const those = skips.filter((skip) => skip.reason === reason);
        if (!those.some(isNew)) continue;
        const object: EventObject = { apiVersion: 'v1', kind: 'ConfigMap', ...configMap, uid };
        const message = fitting(those.map((skip) => skip.message));
        events.record({ object, type: reason === 'HandEditKept' ? 'Normal' : 'Warning', reason, message });
      }
      before = new Set(skips.map(({ reason, message }) => `${reason} ${message}`));
    },
  };
}
