// The one HTTP transport to the Kubernetes API, for calls and watches. Why not the library's typed API: it parses into classes
// that drop fields, opens a connection per call by default, and turns a proxy's error page into an empty object.
import type { KubeConfig } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { KubeError } from '../core/errors.ts';
import { parseRecord } from '../core/records.ts';
import { createAccessSource, type Access } from './access.ts';
import { codeOf, errorOfAnswer, errorOfThrown } from './errors.ts';
import { splitLines } from './lines.ts';
import { orAborted } from './pause.ts';
import { createGate } from './throttle.ts';

/** A JSON object as the API sent it; unchecked but for being an object. */
export type KubeObject = Readonly<Record<string, unknown>>;

/** Query parameters; undefined ones are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** One call. */
export interface KubeCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Begins with `/api/` or `/apis/`; names in it are DNS labels or encoded. */
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default `application/json`, for PATCH `application/merge-patch+json`. */
  readonly contentType?: string;
  /** Form of the answer; default `application/json`. */
  readonly accept?: string;
  /** Ends a GET at once; any other call is not sent any more, but goes on when it was. */
  readonly signal?: AbortSignal | undefined;
  /** Deadline, milliseconds; default that of the client. Waiting at the gate does not count. */
  readonly timeoutMs?: number;
  /** True = does not wait while the API server has asked us to slow down: Leases have a lane of their own there. */
  readonly ungated?: boolean;
}

/** A watch to open. */
export type KubeStreamCall = Pick<KubeCall, 'path' | 'query'> & { readonly signal: AbortSignal };

/** The transport. Every failure is a KubeError whose message names verb, path and status, never headers or bodies. */
export interface KubeClient {
  /** One call. A GET that meets a socket just closed is sent twice, and whatever meets a 401, with fresh credentials. */
  call(call: KubeCall): Promise<KubeObject>;
  /** Opens a watch and gives its lines; ends when the server ends it, throws KubeError when it breaks. */
  stream(call: KubeStreamCall): Promise<AsyncIterable<string>>;
  /** Ends everything that is under way. */
  close(): Promise<void>;
}

export interface KubeClientOptions {
  /** Loaded by `loadKubeConfig`. */
  readonly kubeConfig: KubeConfig;
  readonly userAgent: string;
  /** Deadline of a call, milliseconds; default 15,000. */
  readonly callTimeoutMs?: number;
  /** Told of every answer, and (`code` undefined) of every call that got none. */
  readonly onCall?: (call: { readonly method: string; readonly code: number | undefined }) => void;
  /** Most sockets for calls; default 32. Bound concurrency in front: a call's clock runs while it waits for a socket. */
  readonly connections?: number;
}

/** Codes of a socket that the server closed while we were about to use it. */
const CLOSED_SOCKET: readonly (string | undefined)[] = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'];

/** Builds the transport; makes no call. */
export function createKubeClient({
  kubeConfig,
  userAgent,
  callTimeoutMs = 15_000,
  onCall = () => undefined,
  connections = 32,
}: KubeClientOptions): KubeClient {
  const elapsed = (): number => performance.now();
  const access = createAccessSource({ kubeConfig, connections, callTimeoutMs, elapsed });
  const gate = createGate(elapsed);
  const server = new URL(kubeConfig.getCurrentCluster()?.server ?? '');
  const basePath = server.pathname.replace(/\/$/, '');

  const send = (call: KubeCall, kind: 'calls' | 'watches', { headers, ...sockets }: Access) =>
    sockets[kind].request({
      origin: server.origin,
      path: `${basePath}${call.path}${queryText(call.query)}`,
      method: call.method,
      headers: {
        ...headers,
        accept: call.accept ?? 'application/json',
        'user-agent': userAgent,
        ...(call.body === undefined ? {} : { 'content-type': contentTypeOf(call) }),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    });

  const request: typeof send = async (call, kind, used) => {
    try {
      const answering = send(call, kind, used);
      // The library heeds a signal only once it has a connection: a silent server would hold the call until that times out.
      const answer = await (call.signal === undefined ? answering : orAborted(answering, 'an answer', call.signal));
      onCall({ method: call.method, code: answer.statusCode });
      return answer;
    } catch (error) {
      onCall({ method: call.method, code: undefined });
      throw error;
    }
  };

  const open = async (call: KubeCall, kind: 'calls' | 'watches'): Promise<Dispatcher.ResponseData> => {
    let used = await access.current();
    let answer: Dispatcher.ResponseData;
    try {
      answer = await request(call, kind, used);
    } catch (error) {
      if (call.method !== 'GET' || call.signal?.aborted === true || !CLOSED_SOCKET.includes(codeOf(error))) throw error;
      answer = await request(call, kind, used);
    }
    if (answer.statusCode !== 401) return answer;
    await answer.body.dump();
    used = await access.renew(used);
    return request(call, kind, used);
  };

  /** Throws unless it is a 2xx; shuts the gate when the server says when to come back. */
  const refuse = async (what: string, { statusCode, headers, body }: Dispatcher.ResponseData): Promise<void> => {
    if (statusCode >= 200 && statusCode < 300) return;
    const error = errorOfAnswer(what, { status: statusCode, headers, body: await body.text() }, Date.now());
    if (error.reason === 'Throttled' && error.retryAfterMs !== undefined) gate.shut(error.retryAfterMs);
    throw error;
  };

  return {
    async call(call) {
      const what = `${call.method} ${call.path}`;
      if (call.ungated !== true) await gate.pass(call.signal);
      if (call.signal?.aborted === true) throw errorOfThrown(what, call.signal.reason, call.signal);
      // A write that was sent is not cut off, only its deadline ends it: nobody would know what became of it.
      const cut = call.method === 'GET' ? call.signal : undefined;
      return withDeadline(cut, call.timeoutMs ?? callTimeoutMs, async (signal) => {
        try {
          const answer = await open({ ...call, signal }, 'calls');
          await refuse(what, answer);
          return parseObject(what, answer, await answer.body.text());
        } catch (error) {
          if (codeOf(signal.reason) === 'TimeoutError' && call.signal?.aborted !== true) {
            throw new KubeError('Unavailable', `${what} had no answer in time`, { cause: error });
          }
          throw errorOfThrown(what, error, call.signal);
        }
      });
    },

    async stream({ path, query, signal }) {
      const what = `WATCH ${path}`;
      await gate.pass(signal);
      try {
        const answer = await open(
          { method: 'GET', path, ...(query === undefined ? {} : { query }), signal },
          'watches',
        );
        await refuse(what, answer);
        answer.body.setEncoding('utf8');
        return translate(what, splitLines(answer.body as AsyncIterable<string>), signal);
      } catch (error) {
        throw errorOfThrown(what, error, signal);
      }
    },

    close: () => access.destroy(),
  };
}

async function* translate(what: string, lines: AsyncIterable<string>, signal: AbortSignal): AsyncGenerator<string> {
  try {
    yield* lines;
  } catch (error) {
    throw errorOfThrown(what, error, signal);
  }
}

/** Runs `work` with a signal that is aborted with `parent`, or after `ms`. Leaves no listener on a long-lived parent. */
async function withDeadline<R>(
  parent: AbortSignal | undefined,
  ms: number,
  work: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  const controller = new AbortController();
  const stop = (): void => controller.abort(parent?.reason);
  const timer = setTimeout(() => controller.abort(new DOMException('timed out', 'TimeoutError')), ms);
  parent?.addEventListener('abort', stop, { once: true });
  if (parent?.aborted === true) stop();
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    parent?.removeEventListener('abort', stop);
  }
}

function contentTypeOf(call: KubeCall): string {
  return call.contentType ?? (call.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json');
}

function queryText(query: Query | undefined): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined) params.set(key, String(value));
  return params.size === 0 ? '' : `?${params.toString()}`;
}

function parseObject(what: string, { statusCode, headers }: Dispatcher.ResponseData, text: string): KubeObject {
  const type = String(headers['content-type'] ?? '');
  const parsed = parseRecord(text);
  if (parsed !== undefined && type.includes('json')) return parsed;
  throw new KubeError('BadAnswer', `${what} answered ${statusCode} with something that is not a JSON object`, {
    status: statusCode,
  });
}
