// Whatever a call to the Kubernetes API ends in becomes a KubeError here, once, with a reason to branch on.
import { KubeError, type KubeErrorReason } from '../core/errors.ts';
import { isRecord, parseRecord } from '../core/records.ts';

/** An answer that is not the one that was asked for. */
export interface FailedAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Unparsed; a `Status` object where it comes from the API server. */
  readonly body: string;
}

/** Longest part of a server's message that is passed on, characters. */
const MAX_MESSAGE = 300;
/** Bounds of a `Retry-After` that is honoured, milliseconds. */
const MIN_RETRY_AFTER_MS = 1_000;
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * The error for an answer. `what` names verb and path. The server's own sentence is passed on where it explains what a person
 * can do (403, 404, 409, 422), of a failed webhook only its name, but of the 422 of a Secret or an ImagePullSecret only fields and
 * reasons: the sentence may quote values.
 */
export function errorOfAnswer(what: string, answer: FailedAnswer, now: number): KubeError {
  const status = parseStatus(answer.body);
  const retryAfterMs = readRetryAfter(answer.headers['retry-after'], status, now);
  return buildError(what, { code: answer.status, status, retryAfterMs });
}

/** The error for the `Status` object inside an ERROR event of a watch. */
export function errorOfStatus(what: string, object: unknown): KubeError {
  const status = isRecord(object) ? object : {};
  const code = typeof status.code === 'number' ? status.code : 0;
  return buildError(what, { code, status, retryAfterMs: readRetryAfter(undefined, status, 0) });
}

/** The error for what was thrown in place of an answer; `signal` is the caller's own: aborted = it wanted this. */
export function errorOfThrown(what: string, thrown: unknown, signal: AbortSignal | undefined): KubeError {
  if (thrown instanceof KubeError) return thrown;
  if (signal?.aborted === true) return new KubeError('Aborted', `${what} was stopped`, { cause: thrown });
  const code = codeOf(thrown) ?? 'no answer';
  return new KubeError('Unavailable', `${what} failed: ${code}`, { cause: thrown });
}

/** Code of a network error (`ECONNREFUSED`, `UND_ERR_BODY_TIMEOUT`), of it or of its cause; else its name. */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const { code, cause, name } = thrown as { code?: unknown; cause?: unknown; name?: unknown };
  if (typeof code === 'string') return code;
  return codeOf(cause) ?? (typeof name === 'string' ? name : undefined);
}

function buildError(
  what: string,
  answer: {
    readonly code: number;
    readonly status: Readonly<Record<string, unknown>>;
    readonly retryAfterMs: number | undefined;
  },
): KubeError {
  const { code, status, retryAfterMs } = answer;
  const reason = reasonOf(code, status, retryAfterMs);
  const word = typeof status.reason === 'string' && status.reason !== '' ? ` ${status.reason}` : '';
  const detail = explain(what, code, status);
  const message = `${what} answered ${code}${word}${detail === '' ? '' : `: ${detail}`}`;
  return new KubeError(reason, message, { status: code, retryAfterMs });
}

function reasonOf(
  code: number,
  status: Readonly<Record<string, unknown>>,
  retryAfterMs: number | undefined,
): KubeErrorReason {
  switch (code) {
    case 401:
      return 'Unauthorized';
    case 403:
      return causesOf(status).some((cause) => cause.reason === 'NamespaceTerminating')
        ? 'NamespaceTerminating'
        : 'Forbidden';
    case 404:
      return 'NotFound';
    case 409:
      return status.reason === 'AlreadyExists' ? 'AlreadyExists' : 'Conflict';
    case 410:
      return 'Expired';
    case 429:
      return 'Throttled';
    case 503:
      return retryAfterMs === undefined ? 'Unavailable' : 'Throttled';
    default:
      if (failedWebhook(code, status) !== undefined) return 'WebhookFailed';
      if (code >= 500 || code === 408) return 'Unavailable';
      return code >= 400 ? 'Invalid' : 'BadAnswer';
  }
}

function explain(what: string, code: number, status: Readonly<Record<string, unknown>>): string {
  const webhook = failedWebhook(code, status);
  if (webhook !== undefined) return `the webhook ${webhook}, which has to answer, did not`;
  if (![403, 404, 409, 422].includes(code)) return '';
  if (code === 422 && isAboutSecrets(what, status)) {
    return causesOf(status)
      .map((cause) => `${cause.field}: ${cause.reason}`)
      .join(', ')
      .slice(0, MAX_MESSAGE);
  }
  return typeof status.message === 'string' ? status.message.slice(0, MAX_MESSAGE) : '';
}

/**
 * Name of an admission webhook with `failurePolicy: Fail` that could not be called; the sentence of the API server is the only place
 * that says so (`k8s.io/apiserver`, `ErrCallingWebhook`). What follows it may quote an answer of whoever was met.
 */
function failedWebhook(code: number, { message }: Readonly<Record<string, unknown>>): string | undefined {
  if (code < 500 || typeof message !== 'string') return undefined;
  return /failed calling webhook "([a-z0-9.-]{1,253})"/.exec(message)?.[1];
}

function isAboutSecrets(what: string, status: Readonly<Record<string, unknown>>): boolean {
  const kind = isRecord(status.details) ? status.details.kind : undefined;
  return /\/(imagepull)?secrets\b/.test(what) || typeof kind !== 'string' || /^(imagepull)?secrets?$/i.test(kind);
}

/** `details.causes`: what each says of which field. The API server calls the reason of a cause `reason`. */
function causesOf(status: Readonly<Record<string, unknown>>): readonly { field: string; reason: string }[] {
  const causes = isRecord(status.details) ? status.details.causes : undefined;
  if (!Array.isArray(causes)) return [];
  return causes.filter(isRecord).map(({ field, reason }) => ({
    field: typeof field === 'string' ? field : '?',
    reason: typeof reason === 'string' ? reason : '?',
  }));
}

/** The answer of a call; undefined where the object is not there. */
export async function unlessAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof KubeError && error.reason === 'NotFound') return undefined;
    throw error;
  }
}

function parseStatus(body: string): Readonly<Record<string, unknown>> {
  const parsed = parseRecord(body);
  return parsed?.kind === 'Status' ? parsed : {};
}

/** `Retry-After` is seconds or an HTTP date (RFC 9110, section 10.2.3). */
function readRetryAfter(
  header: string | readonly string[] | undefined,
  status: Readonly<Record<string, unknown>>,
  now: number,
): number | undefined {
  const text = typeof header === 'string' ? header : header?.[0];
  const said = isRecord(status.details) ? status.details.retryAfterSeconds : undefined;
  const seconds = text === undefined ? (typeof said === 'number' ? said : Number.NaN) : Number(text);
  const ms = Number.isNaN(seconds) && text !== undefined ? Date.parse(text) - now : seconds * 1_000;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, MIN_RETRY_AFTER_MS), MAX_RETRY_AFTER_MS);
}

/** True when asking again gives the same answer until somebody changes rights or what there is. */
export function isFinal({ reason }: KubeError): boolean {
  return ['Forbidden', 'Unauthorized', 'NotFound'].includes(reason);
}
