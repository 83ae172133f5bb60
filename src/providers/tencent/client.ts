// The seam to Tencent Cloud's SDK and the only file that knows it: one call, with a deadline and plain types. Only the SDK's signer
// is used: its client throws away what a failure says, and takes the service to sign from the host's first label (tcr.md section 10).
import { ProviderError } from '../../core/errors.ts';
import { createRequestBudget, holdAfterThrottling, type RequestBudget } from '../budget.ts';
import { malformed, skewOf, unavailable, unexpected, type CallContext, type RawAnswer } from '../call-failure.ts';
import type { ResolvedEndpoint } from '../resolved-endpoint.ts';
import { responseOf } from './answer.ts';
import type { CloudRequest, TencentClient, TencentService } from './cloud-request.ts';
import { endpointOf } from './endpoints.ts';
import { exchange, type Exchanged, type Sending } from './exchange.ts';
import type { TencentKey } from './identity.ts';

/** How long one call may take, milliseconds. */
const TIMEOUT_MS = 10_000;

/** Of the APIs (tcr.md section 9). */
const VERSIONS: Readonly<Record<TencentService, string>> = { tcr: '2019-09-24', sts: '2018-08-13' };

/** Actions of which the cloud bears 100 requests in a second, and what it bears of all others (tcr.md section 11). */
const FAST_ACTIONS: ReadonlySet<string> = new Set(['CreateInstanceToken', 'DescribeInstances']);
const FAST_PER_SECOND = 100;
const PER_SECOND = 20;

/** Clocks that differ by less count as equal, milliseconds. */
const SAME_CLOCK_MS = 1_000;

const CONTENT_TYPE = 'application/json';

/** How the client behaves. */
export interface TencentClientOptions {
  /** How long one call may take, milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  /** Makes the budget of actions of which so many requests are borne in a second. */
  readonly createBudget?: (perSecond: number) => RequestBudget;
  /** Sends one request. */
  readonly exchange?: (sending: Sending, signal: AbortSignal) => Promise<Exchanged>;
}

/** Builds the client. The SDK is loaded at the first call. */
export function createTencentClient(options: TencentClientOptions = {}): TencentClient {
  const { timeoutMs = TIMEOUT_MS, exchange: send = exchange } = options;
  const { createBudget = (perSecond) => createRequestBudget({ perSecond }) } = options;
  const [fast, usual] = [createBudget(FAST_PER_SECOND), createBudget(PER_SECOND)];
  /** The cloud's clock less ours, milliseconds, since a call was refused for it. */
  let clockOffsetMs = 0;

  const attempt = async (request: CloudRequest, endpoint: ResolvedEndpoint, signal: AbortSignal) => {
    const { action, subject, key, codes } = request;
    const origin = key?.origin ?? subject;
    const about = { action, subject, endpoint, origin, ...(codes === undefined ? {} : { codes }) };
    const budget = FAST_ACTIONS.has(action) ? fast : usual;
    const spender = { scope: `${request.region}/${action}`, account: key?.account ?? subject };
    await budget.spend(spender, signal).catch(() => {
      throw unavailable({ ...about, now: request.now() }, `${endpoint.address} was given up`);
    });
    // After the wait: a signature is good for minutes.
    const now = request.now();
    const signedOffsetMs = clockOffsetMs;
    const context = { ...about, now };
    const sending = await sign(request, { context, endpoint, now: now + signedOffsetMs });
    const answer = await answerTo(sending, { context, send, timeoutMs, signal });
    try {
      return { answer, response: responseOf(answer, context), context };
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      if (error.reason === 'Throttled') holdAfterThrottling(budget, spender, error.retryAfterMs);
      const skewMs = error.reason === 'ClockSkew' ? skewOf(answer, now) : undefined;
      throw skewMs === undefined ? error : new ClockOff(error, { skewMs, signedOffsetMs });
    }
  };

  /** A second time when the clock was to blame and the answer tells the right one: nothing was done then. */
  const attemptByTheirClock = async (request: CloudRequest, endpoint: ResolvedEndpoint, signal: AbortSignal) => {
    try {
      return await attempt(request, endpoint, signal);
    } catch (error) {
      if (!(error instanceof ClockOff) || Math.abs(error.skewMs - error.signedOffsetMs) < SAME_CLOCK_MS) throw error;
      clockOffsetMs = error.skewMs;
      return attempt(request, endpoint, signal);
    }
  };

  return {
    async call(request, signal) {
      const endpoint = endpointOf(request.service, request.region, request.endpoints);
      const { response, context } = await attemptByTheirClock(request, endpoint, signal);
      return { response, clockOffsetMs, malformed: (field) => malformed(context, response, field) };
    },
  };
}

/** The clock was to blame, and the answer tells the cloud's. */
class ClockOff extends ProviderError {
  readonly skewMs: number;
  /** The offset that the call was signed with. */
  readonly signedOffsetMs: number;

  constructor(
    { reason, message, requestId, retryAfterMs }: ProviderError,
    { skewMs, signedOffsetMs }: Pick<ClockOff, 'skewMs' | 'signedOffsetMs'>,
  ) {
    super(reason, message, { requestId, retryAfterMs });
    this.skewMs = skewMs;
    this.signedOffsetMs = signedOffsetMs;
  }
}

interface Sender {
  readonly context: CallContext;
  readonly send: (sending: Sending, signal: AbortSignal) => Promise<Exchanged>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The whole answer within the deadline. Throws ProviderError `CloudUnavailable`. */
async function answerTo(sending: Sending, { context, send, timeoutMs, signal }: Sender): Promise<RawAnswer> {
  const { address } = context.endpoint;
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const exchanged: Exchanged = deadline.aborted ? { kind: 'broken', how: '' } : await send(sending, deadline);
  if (signal.aborted) throw unavailable(context, `${address} was given up`);
  if (exchanged.kind === 'answered') return exchanged.answer;
  const how = deadline.aborted ? `did not answer within ${timeoutMs / 1000} s` : exchanged.how;
  throw unavailable(context, `${address} ${how}`);
}

async function sign(
  { service, action, parameters, region, key }: CloudRequest,
  {
    context,
    endpoint,
    now,
  }: { readonly context: CallContext; readonly endpoint: ResolvedEndpoint; readonly now: number },
): Promise<Sending> {
  const body = Buffer.from(JSON.stringify(parameters, withoutNothing));
  const timestamp = Math.floor(now / 1000);
  const headers = {
    'Content-Type': CONTENT_TYPE,
    Accept: CONTENT_TYPE,
    'X-TC-Action': action,
    'X-TC-Version': VERSIONS[service],
    'X-TC-Region': region,
    'X-TC-Timestamp': String(timestamp),
    'X-TC-RequestClient': 'registry-credential-helper',
  };
  if (key === undefined) return { endpoint, body, headers: { ...headers, Authorization: 'SKIP' } };
  checkKey(key, context);
  const { secretId, secretKey, token } = key;
  const signature = await authorize({ service, endpoint, body, timestamp, secretId, secretKey }).catch(
    (error: unknown) => {
      throw unexpected(context, 'signer', error);
    },
  );
  return {
    ...{ endpoint, body },
    headers: { ...headers, ...(token === undefined ? {} : { 'X-TC-Token': token }), Authorization: signature },
  };
}

/** Members without a value are not sent, at any depth: the cloud refuses some, and signs none. */
function withoutNothing(_name: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((member) => member !== null && member !== undefined);
  return value === null ? undefined : value;
}

async function authorize(of: {
  readonly service: TencentService;
  readonly endpoint: ResolvedEndpoint;
  readonly body: Buffer;
  readonly timestamp: number;
  readonly secretId: string;
  readonly secretKey: string;
}): Promise<string> {
  // By `default` only: in the bundle, a dynamically imported CommonJS module has no other names.
  const { default: signer } = await import('tencentcloud-sdk-nodejs-common/tencentcloud/common/sign.js');
  const { endpoint, body, ...rest } = of;
  return signer.default.sign3({
    ...rest,
    method: 'POST',
    // The signer leaves the port out; the cloud accepts the host with and without.
    url: `https://${endpoint.host}/`,
    // Bytes, so that what is hashed is what is sent.
    payload: body,
    multipart: false,
    boundary: '',
    headers: { 'Content-Type': CONTENT_TYPE },
  });
}

/** What cannot stand in a header is no key: most often a file was pasted. */
function checkKey({ secretId, secretKey, token = 'x', origin }: TencentKey, { action, subject }: CallContext): void {
  const wrong = Object.entries({ SecretId: secretId, SecretKey: secretKey, token }).flatMap(([name, text]) =>
    /^[\x21-\x7e]+$/.test(text) ? [] : [name],
  );
  if (wrong.length === 0) return;
  throw new ProviderError(
    'AccessKeyInvalid',
    `${action} of ${subject} failed: the ${wrong.join(' and ')} in ${origin} ${wrong.length === 1 ? 'is' : 'are'} empty or ${wrong.length === 1 ? 'holds' : 'hold'} characters that no key has: write it there again`,
  );
}
