// A loopback server that can go down and come back on the same port, and that writes deliveries as scripted: slowly, in
// pieces, or not at all. Every simulator of this folder listens through it.

import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { SignedRequest } from './acs3.ts';
import type { Delivery } from './faults.ts';

/** Decides how to answer a request; a rejection becomes a 500 that names its message. */
export type RequestHandler = (request: SignedRequest) => Delivery | Promise<Delivery>;

/** Where and how to listen. Port 0 (the default) takes a free one; `tls` makes it HTTPS; `now` stamps the `Date` header. */
export interface ListenerOptions {
  readonly handle: RequestHandler;
  readonly now: () => number;
  readonly port?: number;
  readonly tls?: ServerOptions;
}

/** A running server of 127.0.0.1. `down` refuses connections and cuts the open ones; `up` takes the same port again. */
export interface Listener {
  readonly port: number;
  readonly url: string;
  isUp(): boolean;
  down(): Promise<void>;
  up(): Promise<void>;
}

const MAX_BODY_BYTES = 1_000_000;

/** Starts a server on 127.0.0.1 and resolves when it accepts connections. `down()` is also how to stop it. */
export async function startListener({ handle, now, port = 0, tls }: ListenerOptions): Promise<Listener> {
  const sockets = new Set<Socket>();
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    void serve(request, response, { handle, now });
  };
  const server = tls === undefined ? createHttpServer(onRequest) : createHttpsServer(tls, onRequest);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });

  const listen = (wanted: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(wanted, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  await listen(port);
  const taken = (server.address() as AddressInfo).port;

  return {
    port: taken,
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${taken}`,
    isUp: () => server.listening,
    up: async () => {
      if (!server.listening) await listen(taken);
    },
    down: async () => {
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { handle, now }: Pick<ListenerOptions, 'handle' | 'now'>,
): Promise<void> {
  try {
    const delivery = await handle(await readRequest(request));
    if (delivery.reset === true) {
      request.socket.destroy();
      return;
    }
    if (delivery.delayMs !== undefined) await sleep(delivery.delayMs, undefined, { ref: false });
    const text = Buffer.from(delivery.answer.body);
    const body = delivery.gzip === true ? gzipSync(text) : text;
    response.writeHead(delivery.answer.status, {
      date: new Date(now()).toUTCString(),
      'content-length': body.length,
      ...(delivery.gzip === true ? { 'content-encoding': 'gzip' } : {}),
      ...delivery.answer.headers,
    });
    if (delivery.cut === true) {
      response.write(body.subarray(0, Math.floor(body.length / 2)), () => request.socket.destroy());
      return;
    }
    for (const chunk of split(body, delivery.trickle?.chunkBytes)) {
      if (response.destroyed) return;
      response.write(chunk);
      if (delivery.trickle !== undefined) await sleep(delivery.trickle.chunkDelayMs, undefined, { ref: false });
    }
    response.end();
  } catch (error) {
    if (request.socket.destroyed) return;
    response.writeHead(500, { 'content-type': 'text/plain' });
    response.end(String(error));
  }
}

async function readRequest(request: IncomingMessage): Promise<SignedRequest> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new RangeError(`The body is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  const [path = '/', ...query] = (request.url ?? '/').split('?');
  const headers = Object.entries(request.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(',') : value] as const],
  );
  return {
    method: request.method ?? 'GET',
    path,
    query: query.join('?'),
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks),
  };
}

function split(body: Buffer, chunkBytes = body.length): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; at += chunkBytes) chunks.push(body.subarray(at, at + chunkBytes));
  return chunks;
}
