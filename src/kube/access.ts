// How the API server is reached and who we are to it: sockets and headers, renewed when tokens or certificates rotate.
import { createHash } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { Agent, ProxyAgent, type buildConnector, type Dispatcher } from 'undici';
import { KubeError } from '../core/errors.ts';
import { codeOf } from './errors.ts';

/** What a request needs. */
export interface Access {
  readonly headers: Readonly<Record<string, string>>;
  readonly calls: Dispatcher;
  /** Apart, without a limit: watches must not eat the sockets of the calls. */
  readonly watches: Dispatcher;
}

/** Gives the current access. */
export interface AccessSource {
  /** Throws KubeError `Unauthorized` when there never was one that could be read. */
  current(): Promise<Access>;
  /** The one after `refused`, which the API server answered with 401: every cache of tokens is left behind. */
  renew(refused: Access): Promise<Access>;
  /** Cuts every socket. */
  destroy(): Promise<void>;
}

/** How long headers are used before files and plugins are asked again, milliseconds. */
const BELIEVED_MS = 10_000;

/** Times of the sockets, milliseconds. `libraries.md`: 60 to 90 s of silence on a watch are healthy, 150 s are not. */
const CONNECT_MS = 5_000;
const KEEP_ALIVE_PROBE_MS = 30_000;
const KEEP_ALIVE_MS = 30_000;
const HEADERS_MS = 10_000;
const WATCH_IDLE_MS = 150_000;

/** Builds the source on a loaded kubeconfig. */
export function createAccessSource(options: {
  readonly kubeConfig: KubeConfig;
  readonly connections: number;
  readonly callTimeoutMs: number;
  /** Milliseconds on a clock that is never set. */
  readonly elapsed: () => number;
}): AccessSource {
  const { connections, callTimeoutMs, elapsed } = options;
  let { kubeConfig } = options;
  let held: (Access & { readonly fingerprint: string; readonly readAt: number }) | undefined;
  let reading: Promise<Access> | undefined;
  const agents = new Set<Dispatcher>();

  const read = async (): Promise<Access> => {
    const tls: RequestOptions = {};
    try {
      await kubeConfig.applyToHTTPSOptions(tls);
    } catch (error) {
      // Files vanish for a moment when they rotate. What plugins print may hold a token: only the code is passed on.
      if (held !== undefined) return held;
      throw new KubeError('Unauthorized', `Own credentials could not be read: ${codeOf(error) ?? 'unreadable'}`);
    }
    const fingerprint = fingerprintOf(tls);
    const sockets = held?.fingerprint === fingerprint ? held : openSockets(tls);
    held = {
      calls: sockets.calls,
      watches: sockets.watches,
      fingerprint,
      headers: headersOf(tls),
      readAt: elapsed(),
    };
    return held;
  };

  const openSockets = (tls: RequestOptions): Pick<Access, 'calls' | 'watches'> => {
    for (const agent of held === undefined ? [] : [held.calls, held.watches]) {
      // What is under way on the old sockets may end; a watch does within ten minutes.
      const forget = (): void => void agents.delete(agent);
      agent.close().then(forget, forget);
    }
    const proxy = kubeConfig.getCurrentCluster()?.proxyUrl;
    const opened = {
      calls: openAgent(tls, proxy, { connections, bodyTimeout: callTimeoutMs }),
      watches: openAgent(tls, proxy, { bodyTimeout: WATCH_IDLE_MS }),
    };
    agents.add(opened.calls).add(opened.watches);
    return opened;
  };

  const readOnce = (): Promise<Access> => {
    reading ??= read().finally(() => (reading = undefined));
    return reading;
  };

  return {
    current: () =>
      held !== undefined && elapsed() - held.readAt < BELIEVED_MS ? Promise.resolve<Access>(held) : readOnce(),
    renew: (refused) => {
      if (held !== undefined && held !== refused) return Promise.resolve<Access>(held);
      kubeConfig = withoutCaches(kubeConfig);
      return readOnce();
    },
    destroy: async () => {
      await Promise.all([...agents].map((agent) => agent.destroy()));
      agents.clear();
    },
  };
}

function openAgent(tls: RequestOptions, proxy: string | undefined, options: Agent.Options): Dispatcher {
  const { ca, cert, key, servername, rejectUnauthorized } = tls;
  const requestTls: Partial<buildConnector.BuildOptions> = {
    timeout: CONNECT_MS,
    keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
    ...(ca === undefined ? {} : { ca: ca as Buffer }),
    ...(cert === undefined ? {} : { cert: cert as Buffer }),
    ...(key === undefined ? {} : { key: key as Buffer }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
  const common = { ...options, allowH2: false, keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_MS };
  if (proxy === undefined) return new Agent({ ...common, connect: requestTls as buildConnector.BuildOptions });
  return new ProxyAgent({ ...common, uri: proxy, requestTls: requestTls as buildConnector.BuildOptions });
}

function headersOf(tls: RequestOptions): Readonly<Record<string, string>> {
  const headers = Object.entries(tls.headers ?? {}).map(
    ([name, value]) => [name.toLowerCase(), String(value)] as const,
  );
  const basic = typeof tls.auth === 'string' ? `Basic ${Buffer.from(tls.auth).toString('base64')}` : undefined;
  return { ...Object.fromEntries(headers), ...(basic === undefined ? {} : { authorization: basic }) };
}

/** Equal as long as the same sockets serve. A digest, so that no key is held twice. */
function fingerprintOf({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): string {
  const parts = [ca, cert, key].map((part) => (part === undefined ? '' : (part as Buffer).toString('utf8')));
  return createHash('sha256')
    .update(JSON.stringify([...parts, servername, rejectUnauthorized]))
    .digest('hex');
}

/** The library's authenticators hold tokens for a minute and plugins' answers to their end: new ones hold nothing. */
function withoutCaches(kubeConfig: KubeConfig): KubeConfig {
  const { clusters, users, contexts, currentContext } = kubeConfig;
  const fresh = new KubeConfig();
  fresh.loadFromOptions({ clusters, users, contexts, currentContext });
  return fresh;
}
