// Serves metrics and health to kubelet and Prometheus.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { ConfigError } from '../core/errors.ts';
import { Connections } from './connections.ts';
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

const MAX_CONNECTIONS = 64;
/** How long a connection may be silent in the middle of a request or an answer, milliseconds. */
const SILENCE_MS = 10_000;
const LIMITS = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 1_000,
  connectionsCheckingInterval: 1_000,
};

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly contentType?: string;
}

/** Listens; undefined when the address is `0`. Throws ConfigError when it cannot listen there. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer | undefined> {
  if (options.address === '0') return undefined;
  const at = options.address.lastIndexOf(':');
  const host = options.address.slice(0, at).replace(/^\[(.*)\]$/, '$1');
  const port = Number(options.address.slice(at + 1));
  const connections = new Connections(MAX_CONNECTIONS);
  const server = createServer(LIMITS, (request, response) => {
    connections.answer(request.socket, response);
    // A rejection that nobody handles would end the process: any request could do it.
    void answer(options, request).then(
      (result) => send(request, response, result),
      () => send(request, response, { status: 500, text: 'internal error\n' }),
    );
  });
  server.on('connection', (socket: Socket) => connections.admit(socket));
  server.setTimeout(SILENCE_MS);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new ConfigError([`--metrics-address=${options.address} cannot be listened on (${error.code ?? 'unknown'})`]),
      ),
    );
    server.listen(port, host === '' ? undefined : host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(options: HealthServerOptions, request: IncomingMessage): Promise<Answer> {
  const [pathname, query] = (request.url ?? '/').split('?', 2);
  const verbose = new URLSearchParams(query).has('verbose');
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, text: 'only GET and HEAD\n' };
  switch (pathname) {
    case '/metrics':
      return render(options.metrics);
    case '/livez':
      return health(options.live, verbose);
    case '/readyz':
      return health(options.ready, verbose);
    default:
      return { status: 404, text: 'try /metrics, /livez or /readyz\n' };
  }
}

async function render(metrics: Pick<Metrics, 'render'>): Promise<Answer> {
  try {
    return { status: 200, ...(await metrics.render()) };
  } catch {
    return { status: 500, text: 'the metrics could not be gathered\n' };
  }
}

/** As kube-apiserver answers: `ok`, or every check by name with `?verbose` and whenever one fails. */
function health(checks: readonly HealthCheck[], verbose: boolean): Answer {
  const results = checks.map(({ name, check, informational = false }) => ({ name, why: run(check), informational }));
  const failed = results.some(({ why, informational }) => why !== undefined && !informational);
  if (!failed && !verbose) return { status: 200, text: 'ok\n' };
  const lines = results.map(({ name, why }) => (why === undefined ? `[+]${name} ok` : `[-]${name} failed: ${why}`));
  return { status: failed ? 503 : 200, text: `${lines.join('\n')}\n${failed ? 'check failed' : 'check passed'}\n` };
}

/** A check that throws has found something. */
function run(check: HealthCheck['check']): string | undefined {
  try {
    return check();
  } catch {
    return 'the check itself failed';
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, text, contentType }: Answer): void {
  response.writeHead(status, {
    'content-type': contentType ?? 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
