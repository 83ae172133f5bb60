// A small client of Tencent Cloud's APIs for tests: it signs with TC3 in its own way, not the verifier's, and reads answers
// as they come. It retries nothing and corrects nothing.

import { createHmac, hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { SignedRequest } from './acs3.ts';

/** The key of a user or of a session. */
export interface SigningTencentKey {
  readonly secretId: string;
  readonly secretKey: string;
  readonly token?: string;
}

/** What is asked, by whom and when (epoch milliseconds). Without `key` it is sent with `Authorization: SKIP`. */
export interface TencentRequest {
  readonly service: 'tcr' | 'sts';
  readonly action: string;
  readonly now: number;
  readonly key?: SigningTencentKey;
  /** Members of the body, or its text. */
  readonly body?: object | string;
  /** Default that of the service. */
  readonly version?: string;
  /** `X-TC-Region`; empty for none. Default `ap-guangzhou`. */
  readonly region?: string;
  /** The Host header. Default the public one of the China site. */
  readonly host?: string;
  /** The host as it is signed, where it differs from the header. */
  readonly signedHost?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The versions of the APIs (tcr.md section 9). */
export const TENCENT_VERSIONS = { tcr: '2019-09-24', sts: '2018-08-13' } as const;

/** Builds a signed request (tcr.md section 10). */
export function buildTencentRequest(wanted: TencentRequest): SignedRequest {
  const { service, action, key, region = 'ap-guangzhou', host = `${service}.tencentcloudapi.com` } = wanted;
  const body = typeof wanted.body === 'string' ? wanted.body : JSON.stringify(wanted.body ?? {});
  const seconds = Math.floor(wanted.now / 1000);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    host,
    'x-tc-action': action,
    'x-tc-version': wanted.version ?? TENCENT_VERSIONS[service],
    'x-tc-timestamp': String(seconds),
    ...(region === '' ? {} : { 'x-tc-region': region }),
    ...(key?.token === undefined ? {} : { 'x-tc-token': key.token }),
  };
  headers.authorization =
    key === undefined ? 'SKIP' : signTc3({ key, service, seconds, host: wanted.signedHost ?? host, body });
  return { method: 'POST', path: '/', query: '', headers: { ...headers, ...wanted.headers }, body: Buffer.from(body) };
}

/** The `Authorization` header of a POST of JSON. `seconds` is epoch seconds. */
export function signTc3(of: {
  readonly key: SigningTencentKey;
  readonly service: string;
  readonly seconds: number;
  readonly host: string;
  readonly body: string;
}): string {
  const { key, service, seconds, host, body } = of;
  const day = new Date(seconds * 1000);
  const date = `${day.getUTCFullYear()}-${pad(day.getUTCMonth() + 1)}-${pad(day.getUTCDate())}`;
  const canonical = `POST\n/\n\ncontent-type:application/json\nhost:${host}\n\ncontent-type;host\n${hash('sha256', body)}`;
  const scope = `${date}/${service}/tc3_request`;
  const text = ['TC3-HMAC-SHA256', seconds, scope, hash('sha256', canonical)].join('\n');
  const dated = createHmac('sha256', `TC3${key.secretKey}`).update(date).digest();
  const serviced = createHmac('sha256', dated).update(service).digest();
  const signing = createHmac('sha256', serviced).update('tc3_request').digest();
  const signature = createHmac('sha256', signing).update(text).digest('hex');
  return `TC3-HMAC-SHA256 Credential=${key.secretId}/${scope}, SignedHeaders=content-type;host, Signature=${signature}`;
}

/** An answer with its body as the API wrote it, decompressed. */
export interface TencentAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends a request to an endpoint of `endpoints()`; verifies the certificate for the host of the request. */
export async function sendTencent(
  endpoint: { readonly url: string; readonly caFile?: string },
  request: SignedRequest,
): Promise<TencentAnswer> {
  const { method, headers, body } = request;
  const url = `${endpoint.url}${request.path}${request.query === '' ? '' : `?${request.query}`}`;
  const options = { method, headers, agent: false };
  const ca = endpoint.caFile === undefined ? undefined : await readFile(endpoint.caFile, 'utf8');
  return new Promise((resolve, reject) => {
    const name = (headers.host ?? '').replace(/:\d+$/, '');
    const tls = { ca, ...(isIP(name) === 0 ? { servername: name } : {}) };
    const call = ca === undefined ? httpRequest(url, options) : httpsRequest(url, { ...options, ...tls });
    call.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const isZipped = response.headers['content-encoding'] === 'gzip';
        const text = (isZipped ? gunzipSync(bytes) : bytes).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}

/** Calls an API and resolves with what stands under `Response`; rejects with the error's code as message. */
export async function callTencent(
  endpoint: { readonly url: string; readonly caFile?: string },
  request: Omit<TencentRequest, 'now'> & { readonly now?: number },
): Promise<Readonly<Record<string, unknown>>> {
  const { text } = await sendTencent(endpoint, buildTencentRequest({ now: Date.now(), ...request }));
  const { Response } = JSON.parse(text) as { Response: Record<string, unknown> & { Error?: { Code: string } } };
  if (Response.Error !== undefined) throw new Error(Response.Error.Code);
  return Response;
}

/** Reads the key out of an answer of STS, or of the metadata service's document under `Credentials`. */
export function readSession({ Credentials }: Readonly<Record<string, unknown>>): Required<SigningTencentKey> {
  const { TmpSecretId = '', TmpSecretKey = '', Token = '' } = Credentials as Record<string, string>;
  return { secretId: TmpSecretId, secretKey: TmpSecretKey, token: Token };
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
