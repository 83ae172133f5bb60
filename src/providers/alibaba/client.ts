// The seam to Alibaba Cloud's SDK and the only file that knows it: two calls of the registry API, with deadlines and plain types.
// The SDK's own request path throws the answer's headers away, connects only to the host that it signs, and puts URLs into its
// errors; so our own gateway is plugged into it (its extension point), which signs, and reads answers whole.
import { createHash, randomUUID } from 'node:crypto';
import type { ProviderError } from '../../core/errors.ts';
import type { EpochMs } from '../../core/types.ts';
import { documentOf, malformed, unavailable, unexpected, type CallContext, type RawAnswer } from './answer.ts';
import type { ResolvedEndpoint } from './endpoints.ts';
import type { AlibabaKey } from './identity.ts';
import { createGate, type Gate } from './gate.ts';

/** One call about one instance. */
export interface CrCall {
  readonly region: string;
  readonly instanceId: string;
  readonly endpoint: ResolvedEndpoint;
  readonly key: AlibabaKey;
  readonly now: EpochMs;
}

/** Answer of GetAuthorizationToken. */
export interface AuthorizationToken {
  readonly username: string;
  /** Secret. */
  readonly token: string;
  readonly expiresAt: EpochMs;
}

/** The registry API of the Enterprise Edition, 2018-12-01. Every failure is a ProviderError. */
export interface CrClient {
  getAuthorizationToken(call: CrCall, signal: AbortSignal): Promise<AuthorizationToken>;
  /** Domains of the enabled endpoints of the registry, public and VPC, the vendor's and the customer's. */
  listInstanceEndpoint(call: CrCall, signal: AbortSignal): Promise<readonly string[]>;
}

/** How long one call may take, milliseconds. */
const TIMEOUT_MS = 10_000;

/** Calls at a time: the SDK bounds nothing, and an account has about 15 a second in a region. */
const CONCURRENCY = 8;

const MAX_ANSWER_BYTES = 1_048_576;
const ALGORITHM = 'ACS3-HMAC-SHA256';
const EMPTY_HASH = createHash('sha256').digest('hex');

/** Builds the client. The SDK is loaded at the first call. */
export function createCrClient(options: { readonly timeoutMs?: number; readonly gate?: Gate } = {}): CrClient {
  const { timeoutMs = TIMEOUT_MS, gate = createGate(CONCURRENCY) } = options;
  const call = async (action: string, request: CrCall, query: Record<string, string>, signal: AbortSignal) => {
    const context = contextOf(action, request);
    const answer = await gate(() => exchange({ request, context, query, timeoutMs, signal }));
    return { context, document: documentOf(answer, context) };
  };
  return {
    async getAuthorizationToken(request, signal) {
      const query = { InstanceId: request.instanceId };
      const { context, document } = await call('GetAuthorizationToken', request, query, signal);
      const { TempUsername: username, AuthorizationToken: token } = document;
      const expiresAt = Number(document.ExpireTime ?? Number.NaN);
      if (typeof username !== 'string' || username === '' || username.includes(':'))
        throw malformed(context, document, 'TempUsername');
      if (typeof token !== 'string' || token === '') throw malformed(context, document, 'AuthorizationToken');
      if (!Number.isSafeInteger(expiresAt) || expiresAt <= 0) throw malformed(context, document, 'ExpireTime');
      return { username, token, expiresAt };
    },
    async listInstanceEndpoint(request, signal) {
      const query = { InstanceId: request.instanceId, ModuleName: 'Registry' };
      const { context, document } = await call('ListInstanceEndpoint', request, query, signal);
      if (!Array.isArray(document.Endpoints)) throw malformed(context, document, 'Endpoints');
      return domainsOf(document.Endpoints as readonly ListedEndpoint[]);
    },
  };
}

/** Only what is read of an endpoint; everything may be missing. */
type ListedEndpoint = { readonly Enable?: unknown; readonly Domains?: unknown } | null;

function domainsOf(endpoints: readonly ListedEndpoint[]): readonly string[] {
  const enabled = endpoints.filter((endpoint) => endpoint?.Enable !== false);
  const listed = enabled.flatMap((endpoint) =>
    Array.isArray(endpoint?.Domains) ? (endpoint.Domains as unknown[]) : [],
  );
  const names = listed.flatMap((entry) => {
    const name = typeof entry === 'string' ? entry : (entry as { readonly Domain?: unknown } | null)?.Domain;
    return typeof name === 'string' ? [name.trim().toLowerCase()] : [];
  });
  return [...new Set(names)].filter((name) => name !== '');
}

function contextOf(action: string, { region, instanceId, endpoint, key, now }: CrCall): CallContext {
  return { action, region, instanceId, endpoint, origin: key.origin, now };
}

interface Exchange {
  readonly request: CrCall;
  readonly context: CallContext;
  readonly query: Record<string, string>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** One request and its answer, given up after the deadline: the SDK cannot be cancelled, so it is left alone then. */
async function exchange(work: Exchange): Promise<RawAnswer> {
  const deadline = AbortSignal.any([work.signal, AbortSignal.timeout(work.timeoutMs)]);
  const { address } = work.context.endpoint;
  const aborted = (): Error =>
    unavailable(
      work.context,
      work.signal.aborted ? `${address} was given up` : `${address} did not answer within ${work.timeoutMs / 1000} s`,
    );
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
  if (String(name).startsWith('RequestTimeout')) return unavailable(context, `${address} did not answer in time`);
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code)) {
    return unavailable(context, `${address} could not be reached (${code})`);
  }
  return unexpected(context, String(name), error);
}

async function send({ request, context, query, timeoutMs }: Exchange, deadline: AbortSignal): Promise<RawAnswer> {
  // By `default` only: in the bundle, a dynamically imported CommonJS module has no other names.
  const [{ default: openApi }, { default: openApiUtil }, { default: teaUtil }] = await Promise.all([
    import('@alicloud/openapi-client'),
    import('@alicloud/openapi-util'),
    import('@alicloud/tea-util'),
  ]);
  const { Config, OpenApiRequest, Params } = openApi;
  const { RuntimeOptions } = teaUtil;
  const { scheme, address, host, ca } = request.endpoint;
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
      sent.headers = signedHeaders();
      return Promise.resolve();
    },
    modifyResponse: async ({ response }) => {
      response.deserializedBody = await readBody(response.body as AsyncIterable<Uint8Array> | undefined, deadline);
    },
  });
  const params = new Params({
    ...{ action: context.action, version: '2018-12-01', protocol: scheme, pathname: '/', method: 'POST' },
    ...{ authType: 'AK', style: 'RPC', reqBodyType: 'formData', bodyType: 'json' },
  });
  const answer = (await client.callApi(
    params,
    new OpenApiRequest({ query }),
    new RuntimeOptions({ autoretry: false }),
  )) as {
    readonly statusCode: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  return { status: answer.statusCode, headers: answer.headers, body: answer.body };

  function signedHeaders(): Record<string, string> {
    const { accessKeyId, accessKeySecret, securityToken } = request.key;
    const headers: Record<string, string> = {
      host,
      'x-acs-action': context.action,
      'x-acs-version': '2018-12-01',
      'x-acs-date': `${new Date(request.now).toISOString().slice(0, 19)}Z`,
      'x-acs-signature-nonce': randomUUID(),
      'x-acs-content-sha256': EMPTY_HASH,
      ...(securityToken === undefined
        ? {}
        : { 'x-acs-accesskey-id': accessKeyId, 'x-acs-security-token': securityToken }),
    };
    const signed = { method: 'POST', pathname: '/', query, headers };
    type Signed = Parameters<typeof openApiUtil.default.getAuthorization>[0];
    const authorization = openApiUtil.default.getAuthorization(
      signed as Signed,
      ALGORITHM,
      EMPTY_HASH,
      accessKeyId,
      accessKeySecret,
    );
    return {
      ...headers,
      authorization,
      accept: 'application/json',
      // A socket for each call: the SDK's timers leak from one call to the next on the same one.
      connection: 'close',
      // The transport connects to `host` and sends `Host`, which also names the certificate.
      host: address,
      ...(host === address ? {} : { Host: host }),
    };
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
