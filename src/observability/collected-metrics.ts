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

/** Per followed kind, when anything was heard of it, and how often its watch was started again. */
export function collectReflectors({ registry, prefix, sources }: Collected): void {
  const read = () => sources.flatMap((source) => source.reflectors?.() ?? []);
  const activity = new Gauge({
    name: `${prefix}_watch_last_activity_timestamp_seconds`,
    help: 'When the API server last sent anything of this kind',
    labelNames: ['kind'],
    registers: [registry],
    collect: guarded(() => {
      for (const { kind, lastActivityAt } of read()) activity.set({ kind }, lastActivityAt / 1_000);
    }),
  });
  const restarts = new Gauge({
    name: `${prefix}_watch_restarts`,
    help: 'Watches started after the first',
    labelNames: ['kind'],
    registers: [registry],
    collect: guarded(() => {
      for (const { kind, restarts: count } of read()) restarts.set({ kind }, count);
    }),
  });
}

/** Per credential, when it ends and why it fails; one that is held no longer has no sample any more. */
export function collectCredentials({ registry, prefix, sources }: Collected): void {
  const expiry = new Gauge({
    name: `${prefix}_credential_expires_at_seconds`,
    help: 'When a credential stops working, Unix time; those that never do are left out',
    labelNames: ['provider', 'credential'],
    registers: [registry],
    collect: guarded(() => {
      expiry.reset();
      for (const { provider, cacheKey, expiresAt } of sources.flatMap((source) => source.credentials?.() ?? [])) {
        if (expiresAt !== undefined) expiry.set({ provider, credential: cacheKey }, expiresAt / 1_000);
      }
    }),
  });
  const failing = new Gauge({
    name: `${prefix}_credential_failing`,
    help: '1 = the last attempt to obtain this credential failed, for this reason',
    labelNames: ['provider', 'credential', 'reason'],
    registers: [registry],
    collect: guarded(() => {
      failing.reset();
      for (const { provider, cacheKey, reason } of sources.flatMap((source) => source.failingCredentials?.() ?? [])) {
        failing.set({ provider, credential: cacheKey, reason }, 1);
      }
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
