// Wires, for the command `controller`, the configuration that is kept from the values of a chart.
import { createFollowedValues, type FollowedValues } from '../controller/followed-values.ts';
import { createValuesReport } from '../controller/report-values.ts';
import type { EventReason } from '../controller/report.ts';
import { ConfigError } from '../core/errors.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { ReflectorEvent } from '../kube/reflector.ts';
import type { HealthCheck } from '../observability/http.ts';
import type { Metrics, MetricSources } from '../observability/metrics.ts';
import type { Connection } from './connect.ts';
import type { Settings } from './settings.ts';

/** What the command does with them, whether there are any or not. */
export interface WiredValues extends Pick<FollowedValues, 'isMaking' | 'run' | 'lead'> {
  readonly check: HealthCheck;
  readonly gauges: MetricSources;
}

/** Builds it; nothing is read or written before `run` and `lead`. Throws ConfigError when the values are the configuration itself. */
export function wireValues(of: {
  readonly connection: Connection;
  readonly settings: Pick<Settings, 'instance' | 'valuesConfigMap'>;
  readonly metrics: Metrics;
  readonly events: Pick<EventRecorder<EventReason>, 'record'>;
  readonly onChange: () => void;
  readonly onReflector: (kind: string, event: ReflectorEvent) => void;
}): WiredValues {
  const { client, logger, namespace, configMap } = of.connection;
  const { instance, valuesConfigMap: name } = of.settings;
  if (name === undefined) return NO_VALUES;
  if (namespace === configMap.namespace && name === configMap.name) {
    const message = `--values-config-map=${name} is the configuration itself, ${namespace}/${name}: name another ConfigMap`;
    throw new ConfigError([message]);
  }
  const followed = createFollowedValues({
    ...{ client, instance, configMap, values: { namespace, name } },
    observer: createValuesReport({ logger, metrics: of.metrics, events: of.events, configMap }),
    onChange: of.onChange,
    report: (place, event) => of.onReflector(`configmap ${place.namespace}/${place.name}`, event),
    now: Date.now,
    random: Math.random,
  });
  const problem = (): string | undefined => {
    const problems = followed.problems();
    return problems.length === 0 ? undefined : problems.join(' ');
  };
  const gauges = { editedKeys: followed.editedKeys, leftAlone: followed.leftAlone };
  return { ...followed, check: { ...CHECK, check: problem }, gauges };
}

/** Tells; a hand edit is nobody's failure. */
const CHECK = { name: 'values', informational: true } as const;

const NO_VALUES: WiredValues = {
  isMaking: () => false,
  run: () => Promise.resolve(),
  lead: () => Promise.resolve(),
  check: { ...CHECK, check: () => undefined },
  gauges: {},
};
