// How clients reach the simulators: with the vendor's own SDK, or by plain HTTP with a Host header of their choice.

import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import OpenApiPkg, { Config, OpenApiRequest, Params } from '@alicloud/openapi-client';
import { RuntimeOptions } from '@alicloud/tea-util';
import type { SignedRequest, SigningKey } from './acs3.ts';

const Client = OpenApiPkg.default; // CommonJS: the class is .default under ESM

/** Where a service is, as `endpoints()` says. */
export interface CallEndpoint {
  readonly url: string;
  readonly caFile?: string;
}

/** One call of the SDK. Without `key` it is not signed. `form` is sent as the body. */
export interface SdkCall {
  readonly endpoint: CallEndpoint;
  readonly key?: Pick<SigningKey, 'accessKeyId' | 'accessKeySecret' | 'securityToken'>;
  readonly action: string;
  readonly version: string;
  readonly method?: string;
  /** Anything but `/` makes it a call in ROA style. */
  readonly path?: string;
  readonly query?: Record<string, string>;
  readonly form?: Record<string, string>;
  readonly headers?: Record<string, string>;
}

/** Calls with the real SDK and resolves with the body; rejects with what the SDK throws. */
export async function callSdk(call: SdkCall): Promise<Record<string, unknown>> {
  const { endpoint, key, action, version, method = 'POST', path = '/', query = {}, headers = {}, form } = call;
  const { protocol, host } = new URL(endpoint.url);
  const credential = {
    type: key?.securityToken === undefined ? 'access_key' : 'sts',
    ...{ accessKeyId: key?.accessKeyId, accessKeySecret: key?.accessKeySecret, securityToken: key?.securityToken },
  };
  const client = new Client(
    new Config({
      endpoint: host,
      protocol: protocol === 'http:' ? 'HTTP' : 'HTTPS',
      ...(endpoint.caFile === undefined ? {} : { ca: await readFile(endpoint.caFile, 'utf8') }),
      readTimeout: 1_000,
      connectTimeout: 1_000,
      credential: { getCredential: () => Promise.resolve(credential) },
    }),
  );
  const params = new Params({
    ...{ action, version, protocol: 'HTTPS', pathname: path, method, authType: key === undefined ? 'Anonymous' : 'AK' },
    ...{ style: path === '/' ? 'RPC' : 'ROA', reqBodyType: 'formData', bodyType: 'json' },
  });
  const request = new OpenApiRequest({ query, headers, ...(form === undefined ? {} : { body: form }) });
  const answer = (await client.callApi(params, request, new RuntimeOptions({}))) as { body: Record<string, unknown> };
  return answer.body;
}

/** What came back. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends a request as it is; connects to the endpoint, and names and verifies the host of the request's own header. */
export async function sendRaw(endpoint: CallEndpoint, request: SignedRequest): Promise<RawAnswer> {
  const { method, headers, path, query, body } = request;
  const url = `${endpoint.url}${path}${query === '' ? '' : `?${query}`}`;
  const options = { method, headers, agent: false };
  const ca = endpoint.caFile === undefined ? undefined : await readFile(endpoint.caFile, 'utf8');
  return new Promise((resolve, reject) => {
    const call =
      ca === undefined
        ? httpRequest(url, options)
        : httpsRequest(url, { ...options, ca, servername: (headers.host ?? '').replace(/:\d+$/, '') });
    call.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    call.on('error', reject);
    call.end(body);
  });
}
