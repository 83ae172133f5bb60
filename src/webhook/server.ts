// Serves the webhook over TLS to the API server, and to whoever else finds the port: bounded in every direction.
import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Connections } from '../observability/connections.ts';
import type { KeyPair } from './certificates.ts';

/** By path: body of a review -> body of the answer; must not throw. */
export type ReviewHandlers = Readonly<Record<string, (body: string) => string>>;

export interface WebhookServerOptions {
  /** `:10250`, `127.0.0.1:0`. */
  readonly address: string;
  /** What it serves with at first. */
  readonly pair: KeyPair;
  readonly handlers: ReviewHandlers;
  /** A request that is no review: another path or method, too large, cut off. */
  readonly onRefused: () => void;
}

/** A server that listens. */
export interface WebhookServer {
  /** The port that it took. */
  readonly port: number;
  /** Serves with another certificate from the next connection on; open ones go on. Throws when key and certificate do not fit. */
  use(pair: KeyPair): void;
  /** Goes on answering, and asks whoever is connected to come back elsewhere. */
  drain(): void;
  /** Lets what is under way end, for a second at most, and closes. */
  close(): Promise<void>;
}

/** Two objects of the largest size that the API server stores, and what surrounds them. */
const MAX_BODY = 4_194_304;
/** All bodies that are being read, together: whoever sends halves of them must not fill the memory. */
const MAX_BODIES = 33_554_432;
const MAX_CONNECTIONS = 256;
const CLOSE_MS = 1_000;
const LIMITS = {
  maxHeaderSize: 16_384,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  handshakeTimeout: 5_000,
  // Longer than the 90 s after which the API server gives an idle connection up: only one side should.
  keepAliveTimeout: 120_000,
  connectionsCheckingInterval: 5_000,
};

/** Listens. Throws the error of the socket (`code`: EADDRINUSE, EACCES, …), or of a pair that does not fit. */
export async function startWebhookServer(options: WebhookServerOptions): Promise<WebhookServer> {
  const { address, pair, handlers, onRefused } = options;
  const at = address.lastIndexOf(':');
  const host = address.slice(0, at).replace(/^\[(.*)\]$/, '$1');
  const connections = new Connections(MAX_CONNECTIONS);
  let isDraining = false;
  const readBody = bodyReader();

  const send = (response: ServerResponse, status: number, body: string): void => {
    if (isDraining || status === 413 || status === 503) response.shouldKeepAlive = false;
    const type = status === 200 ? 'application/json' : 'text/plain; charset=utf-8';
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
    response.end(body);
  };
  const server = createServer({ ...LIMITS, ...pair, minVersion: 'TLSv1.2' }, (request, response) => {
    connections.answer(request.socket, response);
    const refuse = (status: number, why: string): void => {
      onRefused();
      send(response, status, `${why}\n`);
    };
    const path = request.url?.split('?')[0] ?? '';
    const [, handle] = Object.entries(handlers).find(([suffix]) => path.endsWith(suffix)) ?? [];
    if (handle === undefined) refuse(404, `try ${Object.keys(handlers).join(' or ')}`);
    else if (request.method !== 'POST') refuse(405, 'only POST');
    else {
      readBody(request, (body) => {
        if (body === 'large') refuse(413, `more than ${MAX_BODY} bytes`);
        else if (body === 'crowded') refuse(503, 'too many bodies at a time');
        else send(response, 200, handle(body.text));
      });
    }
  });
  server.on('secureConnection', (socket) => connections.admit(socket));
  // Also those that have not shaken hands yet: the server itself knows nothing of them.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(Number(address.slice(at + 1)), host === '' ? undefined : host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    use: (next) => server.setSecureContext({ ...next, minVersion: 'TLSv1.2' }),
    drain: () => void (isDraining = true),
    close: () => {
      isDraining = true;
      const timer = setTimeout(() => sockets.forEach((socket) => socket.destroy()), CLOSE_MS);
      return new Promise((resolve) => {
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
  };
}

/** A whole body; or what is wrong: it is too large, or gave way to others. */
type Body = { readonly text: string } | 'large' | 'crowded';

/**
 * Reads bodies within one budget. Over it the largest that is unfinished gives way: whoever sends a lot and never ends does not keep
 * a review out. `onEnd` is called once, and not at all when the connection breaks before the end.
 */
function bodyReader(): (request: IncomingMessage, onEnd: (body: Body) => void) => void {
  const open = new Map<IncomingMessage, { size: number; readonly giveUp: (why: Exclude<Body, object>) => void }>();
  let total = 0;
  return (request, onEnd) => {
    const chunks: Buffer[] = [];
    const forget = (): void => {
      if (open.delete(request)) total -= body.size;
    };
    const body = {
      size: 0,
      giveUp: (why: Exclude<Body, object>) => {
        forget();
        chunks.length = 0;
        request.removeAllListeners('data').removeAllListeners('end').resume();
        onEnd(why);
      },
    };
    open.set(request, body);
    request.on('error', () => undefined).once('close', forget);
    request.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      body.size += chunk.length;
      total += chunk.length;
      if (body.size > MAX_BODY) body.giveUp('large');
      else if (total > MAX_BODIES) [...open.values()].reduce((a, b) => (b.size > a.size ? b : a)).giveUp('crowded');
    });
    request.on('end', () => {
      forget();
      onEnd({ text: Buffer.concat(chunks).toString('utf8') });
    });
  };
}
