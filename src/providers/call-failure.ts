// What is said of a call of a cloud that failed: one sentence with action, subject, code, request id and what to do.
import { ProviderError, type FailureReason } from '../core/errors.ts';
import type { EpochMs } from '../core/types.ts';
import type { CodeMeaning, CodeRow } from './error-codes.ts';
import type { ResolvedEndpoint } from './resolved-endpoint.ts';

/** What a call was about, for messages. */
export interface CallContext {
  readonly action: string;
  /** What it is about: `cri-… in cn-hangzhou`. */
  readonly subject: string;
  readonly endpoint: ResolvedEndpoint;
  /** Where the key comes from. */
  readonly origin: string;
  readonly now: EpochMs;
  /** What codes mean to this call, before what they mean to all. */
  readonly codes?: readonly CodeRow[];
}

/** An answer as it came off the wire. */
export interface RawAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Fields of a document that came from a cloud. */
type Fields = Readonly<Record<string, unknown>>;

/** Bounds of what a cloud may make us wait, milliseconds (acr.md section 21). */
const RETRY_AFTER_MS = { min: 1_000, max: 60_000 } as const;

/** The failure that the cloud told; `fields` hold its `RequestId`. */
export function refused(
  context: CallContext,
  {
    answer,
    fields,
    code,
    meaning,
    retryAfterMs = retryAfterOf(answer),
  }: {
    readonly answer: RawAnswer;
    readonly fields: Fields;
    readonly code: string | undefined;
    readonly meaning: CodeMeaning;
    readonly retryAfterMs?: number | undefined;
  },
): ProviderError {
  const { action, origin, endpoint, now } = context;
  const requestId = requestIdOf(fields);
  const sentence = meaning.advice({ action, origin, host: endpoint.host, skewMs: skewOf(answer, now) });
  const facts = [
    code === undefined ? `HTTP ${answer.status}` : safeWord(code),
    ...(requestId === undefined ? [] : [`request id ${requestId}`]),
  ];
  const message = `${aboutOf(context)} failed (${facts.join(', ')}): ${sentence}`;
  return new ProviderError(meaning.reason, message, { requestId, retryAfterMs });
}

/** The failure of a call that got no whole answer. */
export function unavailable(context: CallContext, what: string, retryAfterMs?: number): ProviderError {
  return failure('CloudUnavailable', context, `${what}; it will be asked again`, { retryAfterMs });
}

/** The failure of a call that this program broke itself; `cause` is kept for its stack. */
export function unexpected(context: CallContext, name: string, cause: unknown): ProviderError {
  return new ProviderError('Unexpected', `${aboutOf(context)} failed: internal error (${name})`, { cause });
}

/** An answer that succeeded but lacks what it must hold; `fields` hold its `RequestId`. */
export function malformed(context: CallContext, fields: Fields, field: string): ProviderError {
  const requestId = requestIdOf(fields);
  const id = requestId === undefined ? '' : ` (request id ${requestId})`;
  return failure('CloudUnavailable', context, `the answer has no usable ${field}${id}; it will be asked again`, {
    requestId,
  });
}

/** A code from outside, to be matched against patterns: nothing but what codes look like. */
export function codeOf(code: unknown): string | undefined {
  return typeof code === 'string' && /^[\w.:/-]{1,128}$/.test(code) ? code : undefined;
}

/** `retry-after` in milliseconds, or `ownMs`, a cloud's own header; bounded. */
export function retryAfterOf({ headers }: RawAnswer, ownMs = Number.NaN): number | undefined {
  const ms = Number.isFinite(ownMs) ? ownMs : Number(headers['retry-after'] ?? Number.NaN) * 1_000;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, RETRY_AFTER_MS.min), RETRY_AFTER_MS.max) : undefined;
}

/** Clock of the cloud less ours, milliseconds, where the answer tells. */
export function skewOf({ headers }: RawAnswer, now: EpochMs): number | undefined {
  const at = Date.parse(headers.date ?? '');
  return Number.isFinite(at) ? at - now : undefined;
}

/** `GetAuthorizationToken of cri-… in cn-hangzhou`. */
function aboutOf({ action, subject }: CallContext): string {
  return `${action} of ${subject}`;
}

function failure(
  reason: FailureReason,
  context: CallContext,
  sentence: string,
  details: { readonly requestId?: string | undefined; readonly retryAfterMs?: number | undefined },
): ProviderError {
  return new ProviderError(reason, `${aboutOf(context)} failed: ${sentence}`, details);
}

function requestIdOf(fields: Fields): string | undefined {
  const id = fields.RequestId ?? fields.requestId;
  return typeof id === 'string' && /^[\w-]{1,64}$/.test(id) ? id : undefined;
}

/** A code goes into messages: only the characters that codes have. */
function safeWord(code: string): string {
  return code.replace(/[^\w.-]/g, '?').slice(0, 64);
}
