// Every metric of the program: names, labels, and the functions that the other layers call.
import type { EpochMs } from '../core/types.ts';

/** Values that are read when somebody asks for the metrics; absent ones are left out. */
export interface MetricSources {
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
  /** Per credential that is held; undefined = does not expire. */
  readonly credentials?: () => readonly {
    readonly provider: string;
    readonly cacheKey: string;
    readonly expiresAt: EpochMs | undefined;
  }[];
}

/** The metrics, as functions. */
export interface Metrics {
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
export declare function createMetrics(options: { readonly version: string; readonly process?: boolean }): Metrics;
