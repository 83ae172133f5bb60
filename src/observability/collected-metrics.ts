// Metrics with a sample for each thing that there is when somebody asks for them.
import { Gauge, type Registry } from '@prometheus-io/client';
import type { MetricSources } from './metrics.ts';

/** Where they go, and where their values are read. */
interface Collected {
  readonly registry: Registry;
  /** Begins their names. */
  readonly prefix: string;
  readonly sources: readonly MetricSources[];
}

/**
 * Per followed kind, when anything was heard of it, and how often its watch was started again. A kind that is followed no longer has
 * no sample any more: it would look like one that went silent.
 */
export function collectReflectors({ registry, prefix, sources }: Collected): void {
  const read = () => sources.flatMap((source) => source.reflectors?.() ?? []);
  const activity = new Gauge({
    name: `${prefix}_watch_last_activity_timestamp_seconds`,
    help: 'When the API server last sent anything of this kind',
    labelNames: ['kind'],
    registers: [registry],
    collect: guarded(() => {
      const found = read();
      activity.reset();
      for (const { kind, lastActivityAt } of found) activity.set({ kind }, lastActivityAt / 1_000);
    }),
  });
  const restarts = new Gauge({
    name: `${prefix}_watch_restarts`,
    help: 'Watches started after the first',
    labelNames: ['kind'],
    registers: [registry],
    collect: guarded(() => {
      const found = read();
      restarts.reset();
      for (const { kind, restarts: count } of found) restarts.set({ kind }, count);
    }),
  });
}

/** One source that fails must not take all the others' metrics with it. */
export function guarded(collect: () => void): () => void {
  return () => {
    try {
      collect();
    } catch {
      // Its last value stays.
    }
  };
}
