// The seam to Alibaba Cloud's SDK and the only file that knows it: one call, with a deadline and plain types.
// The SDK's own request path throws the answer's headers away, connects only to the host that it signs, and puts URLs into its
// errors; so our own gateway is plugged into it (its extension point), which signs, and reads answers whole.
import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { ProviderError } from '../../core/errors.ts';
import { createRequestBudget, holdAfterThrottling, type RequestBudget } from '../budget.ts';
import { unavailable, unexpected, type CallContext, type RawAnswer } from '../call-failure.ts';
import type { ResolvedEndpoint } from '../resolved-endpoint.ts';
import { documentOf } from './answer.ts';
import type { AlibabaClient, CloudAnswer, CloudRequest } from './cloud-request.ts';

/** How long one call may take, milliseconds. */
const TIMEOUT_MS = 10_000;

/** How long one may take that has another address to fall back on, milliseconds. */
const FIRST_TIMEOUT_MS = 4_000;

/** Requests in a second that the cloud bears from one account in one region without throttling (acr.md section 21). */
const REQUESTS_PER_SECOND = 15;

const MAX_ANSWER_BYTES = 1_048_576;
const ALGORITHM = 'ACS3-HMAC-SHA256';

/** How the client behaves. */
export interface AlibabaClientOptions {
  /** How long one call may take, milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  /** In each region, whatever the account. */
  readonly requestsPerSecond?: number;
  readonly budget?: RequestBudget;
  /** Gives another text each time. */
  readonly nonce?: () => string;
}

/** Builds the client. The SDK is loaded at the first call. */
export function createAlibabaClient(options: AlibabaClientOptions = {}): AlibabaClient {
  const { timeoutMs = TIMEOUT_MS, requestsPerSecond: perSecond = REQUESTS_PER_SECOND, nonce = randomUUID } = options;
  const { budget = createRequestBudget({ perSecond }) } = options;

  const callAt = async (
    request: CloudRequest,
    endpoint: ResolvedEndpoint,
    limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<CloudAnswer> => {
    const { action, subject, key, now, codes } = request;
    const origin = key?.origin ?? subject;
    const context = { action, subject, endpoint, origin, now, ...(codes === undefined ? {} : { codes }) };
    const spender = { scope: request.region, account: key?.account ?? subject };
    await budget.spend(spender, limits.signal).catch(() => {
      throw unavailable(context, `${endpoint.address} was given up`);
    });
    try {
      return { document: documentOf(await exchange({ request, context, nonce, ...limits }), context), context };
    } catch (error) {
      if (error instanceof ProviderError && error.reason === 'Throttled') {
        holdAfterThrottling(budget, spender, error.retryAfterMs);
      }
      throw error;
    }
  };

  return {
    async call(request, signal) {
      const last = request.endpoints.length - 1;
      for (const [index, endpoint] of request.endpoints.entries()) {
        const limit = index < last ? Math.min(timeoutMs, FIRST_TIMEOUT_MS) : timeoutMs;
        try {
          return await callAt(request, endpoint, { timeoutMs: limit, signal });
        } catch (error) {
          if (index === last || signal.aborted || !(error instanceof Unreachable)) throw error;
        }
      }
      throw new ProviderError('Unexpected', `${request.action} of ${request.subject} has no endpoint`);
    },
  };
}

/** Nothing was there to answer: another address may be. */
class Unreachable extends ProviderError {}

interface Exchange {
  readonly request: CloudRequest;
  readonly context: CallContext;
  readonly nonce: () => string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** One request and its answer, given up after the deadline: the SDK cannot be cancelled, so it is left alone then. */
async function exchange(work: Exchange): Promise<RawAnswer> {
  const deadline = AbortSignal.any([work.signal, AbortSignal.timeout(work.timeoutMs)]);
  const { address } = work.context.endpoint;
  const aborted = (): Error =>
    work.signal.aborted
      ? unavailable(work.context, `${address} was given up`)
      : unreachable(work.context, `${address} did not answer within ${work.timeoutMs / 1000} s`);
  if (deadline.aborted) throw aborted();
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(aborted());
    deadline.addEventListener('abort', onAbort, { once: true });
    send(work, deadline)
      .then(resolve, (error: unknown) => reject(deadline.aborted ? aborted() : brokenCall(work.context, error)))
      .finally(() => deadline.removeEventListener('abort', onAbort));
  });
}

/** Messages of the SDK's errors hold the whole URL: only the code goes on. What has none is a bug, and told as one. */
function brokenCall(context: CallContext, error: unknown): ProviderError {
  const { address } = context.endpoint;
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  if (String(name).startsWith('RequestTimeout')) return unreachable(context, `${address} did not answer in time`);
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code)) {
    return unreachable(context, `${address} could not be reached (${code})`);
  }
  return unexpected(context, String(name), error);
}

function unreachable(context: CallContext, what: string): ProviderError {
  const { reason, message } = unavailable(context, what);
  return new Unreachable(reason, message);
}

async function send({ request, context, nonce, timeoutMs }: Exchange, deadline: AbortSignal): Promise<RawAnswer> {
  // By `default` only: in the bundle, a dynamically imported CommonJS module has no other names.
  const [{ default: openApi }, { default: openApiUtil }, { default: teaUtil }] = await Promise.all([
    import('@alicloud/openapi-client'),
    import('@alicloud/openapi-util'),
    import('@alicloud/tea-util'),
  ]);
  const { Config, OpenApiRequest, Params } = openApi;
  const { RuntimeOptions } = teaUtil;
  const { scheme, address, host, ca } = context.endpoint;
  const { action, version, method, pathname, query, key } = request;
  const body = request.form === undefined ? '' : new URLSearchParams(request.form).toString();
  const client = new openApi.default(
    new Config({
      endpoint: address,
      protocol: scheme,
      // Equal on purpose: timers of the SDK's transport outlive a call when they differ.
      readTimeout: timeoutMs,
      connectTimeout: timeoutMs,
      ...(ca === undefined ? {} : { ca }),
    }),
  );
  // Makes the client go through the gateway below.
  client._signatureVersion = 'v4';
  client.setGatewayClient({
    modifyConfiguration: () => Promise.resolve(),
    modifyRequest: (exchanged) => {
      const sent = exchanged.request;
      sent.headers = headersToSend();
      if (body !== '') sent.stream = Readable.from([Buffer.from(body)]);
      return Promise.resolve();
    },
    modifyResponse: async ({ response }) => {
      response.deserializedBody = await readBody(response.body as AsyncIterable<Uint8Array> | undefined, deadline);
    },
  });
  const params = new Params({
    ...{ action, version, protocol: scheme, pathname, method },
    ...{ authType: 'AK', style: 'RPC', reqBodyType: 'formData', bodyType: 'json' },
  });
  const sent = new OpenApiRequest({ query: { ...query } });
  const answer = (await client.callApi(params, sent, new RuntimeOptions({ autoretry: false }))) as {
    readonly statusCode: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  return { status: answer.statusCode, headers: answer.headers, body: answer.body };

  function headersToSend(): Record<string, string> {
    return {
      ...signedHeaders(),
      ...(body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      accept: 'application/json',
      // A socket for each call: the SDK's timers leak from one call to the next on the same one.
      connection: 'close',
      // The transport connects to `host` and sends `Host`, which also names the certificate.
      host: address,
      ...(host === address ? {} : { Host: host }),
    };
  }

  function signedHeaders(): Record<string, string> {
    const form = body === '' ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
    if (key === undefined) return form;
    const { accessKeyId, accessKeySecret, securityToken } = key;
    const bodyHash = createHash('sha256').update(body).digest('hex');
    const headers: Record<string, string> = {
      ...form,
      host,
      'x-acs-action': action,
      'x-acs-version': version,
      'x-acs-date': `${new Date(request.now).toISOString().slice(0, 19)}Z`,
      'x-acs-signature-nonce': nonce(),
      'x-acs-content-sha256': bodyHash,
      ...(securityToken && { 'x-acs-accesskey-id': accessKeyId, 'x-acs-security-token': securityToken }),
    };
    type Signed = Parameters<typeof openApiUtil.default.getAuthorization>[0];
    const authorization = openApiUtil.default.getAuthorization(
      { method, pathname, query, headers } as unknown as Signed,
      ALGORITHM,
      bodyHash,
      accessKeyId,
      accessKeySecret,
    );
    return { ...headers, authorization };
  }
}

async function readBody(body: AsyncIterable<Uint8Array> | undefined, deadline: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES || deadline.aborted) break;
    chunks.push(chunk);
  }
  // What is cut is no JSON and ends as `not JSON`.
  return Buffer.concat(chunks).toString('utf8');
}
