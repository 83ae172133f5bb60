// The one HTTP transport to the Kubernetes API, for calls and watches.
import type { KubeConfig } from '@kubernetes/client-node';

/** A JSON object as the API sent it; unchecked but for being an object. */
export type KubeObject = Readonly<Record<string, unknown>>;

/** Query parameters; undefined ones are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** One call. */
export interface KubeCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Begins with `/api/` or `/apis/`; names in it are encoded by the caller. */
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default `application/json`, for PATCH `application/merge-patch+json`. */
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
  /** Deadline, milliseconds; default that of the client. */
  readonly timeoutMs?: number;
  /** True = does not wait while the API server has asked us to slow down (Leases have a lane of their own there). */
  readonly ungated?: boolean;
}

/** The transport. Every failure is a KubeError. */
export interface KubeClient {
  call(call: KubeCall): Promise<KubeObject>;
  /** Opens a watch and gives its lines; ends when the server ends it. */
  stream(call: {
    readonly path: string;
    readonly query?: Query;
    readonly signal: AbortSignal;
  }): Promise<AsyncIterable<string>>;
  /** Ends everything that is under way. */
  close(): Promise<void>;
}

/** Builds the transport on a loaded kubeconfig. */
export declare function createKubeClient(options: {
  readonly kubeConfig: KubeConfig;
  readonly userAgent: string;
  /** Default 15,000. */
  readonly callTimeoutMs?: number;
  /** Most sockets for calls; default 32. */
  readonly connections?: number;
}): KubeClient;
