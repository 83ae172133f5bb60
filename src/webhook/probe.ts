// Connects to where a webhook object leads, as the API server does: by its address, and with nothing but its caBundle to trust.
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { ServedWebhook } from '../core/self-test.ts';
import { isRecord } from '../core/records.ts';
import type { KubeObject } from '../kube/client.ts';
import { readBundle } from './certificates.ts';
import { bundleOf } from './authority.ts';
import { caBundleOf } from './object.ts';

/** What was met. */
export interface ProbedWebhook {
  /** `name.namespace.svc:443`. */
  readonly address: string;
  /** One for each connection. */
  readonly served: readonly ServedWebhook[];
}

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Connections, one after the other: behind a Service is more than one replica. */
const CONNECTIONS = 4;
const TIMEOUT_MS = 5_000;

/** What errors of certificates mean, by their code. */
const MEANINGS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate that is served has expired',
  CERT_NOT_YET_VALID: 'the certificate that is served is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate that is served is for other names',
};

/** Connects; never throws but for `signal`. */
export async function probeWebhook(object: KubeObject, signal: AbortSignal): Promise<ProbedWebhook> {
  const place = placeOf(object);
  if (place === undefined) return { address: 'nowhere', served: [{ ok: false, why: 'the object names no address' }] };
  const address = `${place.host}:${place.port}`;
  const bundle = readBundle(caBundleOf(object));
  if (bundle.length === 0) return { address, served: [{ ok: false, why: 'the object has no caBundle' }] };
  const served: ServedWebhook[] = [];
  for (let at = 0; at < CONNECTIONS; at += 1) {
    signal.throwIfAborted();
    const met = await meet(place, bundleOf(bundle));
    served.push(met);
    if (!met.ok) break;
  }
  return { address, served };
}

function placeOf({ webhooks }: KubeObject): Place | undefined {
  const first: unknown = Array.isArray(webhooks) ? webhooks[0] : undefined;
  const config = isRecord(first) && isRecord(first.clientConfig) ? first.clientConfig : {};
  if (typeof config.url === 'string' && URL.canParse(config.url)) {
    const { hostname, port } = new URL(config.url);
    return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? 443 : Number(port) };
  }
  if (!isRecord(config.service)) return undefined;
  const { namespace, name, port = 443 } = config.service;
  if (typeof namespace !== 'string' || typeof name !== 'string' || typeof port !== 'number') return undefined;
  return { host: `${name}.${namespace}.svc`, port };
}

function meet({ host, port }: Place, ca: string): Promise<ServedWebhook> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, ca, ...(isIP(host) === 0 ? { servername: host } : {}) });
    const end = (met: ServedWebhook): void => {
      socket.destroy();
      resolve(met);
    };
    socket.setTimeout(TIMEOUT_MS, () => end({ ok: false, why: `no answer within ${TIMEOUT_MS / 1_000} s` }));
    socket.once('error', (error: NodeJS.ErrnoException) => end({ ok: false, why: meaningOf(error.code ?? '') }));
    socket.once('secureConnect', () => {
      const leaf = socket.getPeerX509Certificate();
      if (leaf === undefined) end({ ok: false, why: 'no certificate is served' });
      else end({ ok: true, expiresAt: leaf.validToDate.getTime() });
    });
  });
}

function meaningOf(code: string): string {
  const meaning = MEANINGS[code];
  if (meaning !== undefined) return meaning;
  const isUntrusted = /CERT|SIGNATURE|ISSUER|SELF_SIGNED|LEAF/.test(code);
  return isUntrusted
    ? `the caBundle does not verify the certificate that is served (${code})`
    : `it cannot be reached (${code === '' ? 'no answer' : code})`;
}
