// Serves metrics and health to kubelet and Prometheus.
import type { Metrics } from './metrics.ts';

/** One named check. */
export interface HealthCheck {
  readonly name: string;
  /** undefined = all right, else the reason. Must not throw or wait. */
  readonly check: () => string | undefined;
  /** Shown by `?verbose`, but never fails the answer. */
  readonly informational?: boolean;
}

export interface HealthServerOptions {
  /** `:8080`, `127.0.0.1:0`; `0` = none. */
  readonly address: string;
  readonly metrics: Pick<Metrics, 'render'>;
  /** Checks of `/livez`. */
  readonly live: readonly HealthCheck[];
  /** Checks of `/readyz`. */
  readonly ready: readonly HealthCheck[];
}

/** A server that listens. */
export interface HealthServer {
  /** The port that it took. */
  readonly port: number;
  /** Ends it and every connection. */
  close(): Promise<void>;
}

/** Listens; undefined when the address is `0`. Throws ConfigError when it cannot listen there. */
export declare function startHealthServer(options: HealthServerOptions): Promise<HealthServer | undefined>;
