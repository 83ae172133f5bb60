// What came back from a call, judged: the document, or a ProviderError that says in one sentence what went wrong.
import { ProviderError, type FailureReason } from '../../core/errors.ts';
import { parseRecord } from '../../core/records.ts';
import type { EpochMs } from '../../core/types.ts';
import type { CodeRow } from '../error-codes.ts';
import type { ResolvedEndpoint } from './endpoints.ts';
import { meaningOf } from './errors.ts';

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

/** Bounds of what a cloud may make us wait, milliseconds (acr.md section 21). */
const RETRY_AFTER_MS = { min: 1_000, max: 60_000 } as const;

/** The document of a successful answer. Throws ProviderError: HTTP 200 with `IsSuccess: false` is a failure. */
export function documentOf(answer: RawAnswer, context: CallContext): Readonly<Record<string, unknown>> {
  const document = parseBody(answer.body);
  if (document === undefined) {
    const what = answer.body.trim() === '' ? 'an empty answer' : 'an answer that is not JSON';
    throw unavailable(
      context,
      `${context.endpoint.address} gave ${what} (HTTP ${answer.status})`,
      retryAfterOf(answer),
    );
  }
  const code = codeOf(document);
  if (answer.status < 400 && document.IsSuccess !== false && isSuccessCode(code)) return document;
  const requestId = idOf(document);
  const meaning = meaningOf(code ?? '', answer.status, context.codes);
  const sentence = meaning.advice({
    action: context.action,
    origin: context.origin,
    host: context.endpoint.host,
    skewMs: skewOf(answer, context.now),
  });
  const facts = [
    code === undefined ? `HTTP ${answer.status}` : safeWord(code),
    ...(requestId === undefined ? [] : [`request id ${requestId}`]),
  ];
  throw new ProviderError(meaning.reason, `${subjectOf(context)} failed (${facts.join(', ')}): ${sentence}`, {
    requestId,
    retryAfterMs: retryAfterOf(answer),
  });
}

/** The failure of a call that got no whole answer. */
export function unavailable(context: CallContext, what: string, retryAfterMs?: number): ProviderError {
  return failure('CloudUnavailable', context, `${what}; it will be asked again`, { retryAfterMs });
}

/** The failure of a call that this program broke itself; `cause` is kept for its stack. */
export function unexpected(context: CallContext, name: string, cause: unknown): ProviderError {
  return new ProviderError('Unexpected', `${subjectOf(context)} failed: internal error (${name})`, { cause });
}

/** An answer that succeeded but lacks what it must hold. */
export function malformed(
  context: CallContext,
  document: Readonly<Record<string, unknown>>,
  field: string,
): ProviderError {
  const requestId = idOf(document);
  const id = requestId === undefined ? '' : ` (request id ${requestId})`;
  return failure('CloudUnavailable', context, `the answer has no usable ${field}${id}; it will be asked again`, {
    requestId,
  });
}

/** `GetAuthorizationToken of cri-… in cn-hangzhou`. */
function subjectOf({ action, subject }: CallContext): string {
  return `${action} of ${subject}`;
}

function failure(
  reason: FailureReason,
  context: CallContext,
  sentence: string,
  details: { readonly requestId?: string | undefined; readonly retryAfterMs?: number | undefined },
): ProviderError {
  return new ProviderError(reason, `${subjectOf(context)} failed: ${sentence}`, details);
}

function parseBody(body: string): Readonly<Record<string, unknown>> | undefined {
  return /^\s*<(\?xml|Error)/.test(body) ? parseXmlError(body) : parseRecord(body);
}

/** The gateway's fallback form: a flat `<Error>` element. */
function parseXmlError(body: string): Readonly<Record<string, unknown>> | undefined {
  const text = (tag: string): string | undefined => new RegExp(`<${tag}>([^<]{0,200})</${tag}>`).exec(body)?.[1];
  const Code = text('Code');
  return Code === undefined ? undefined : { Code, RequestId: text('RequestId'), IsSuccess: false };
}

function codeOf(document: Readonly<Record<string, unknown>>): string | undefined {
  const code = document.Code ?? document.code;
  // From outside, and matched against patterns: nothing but what codes look like.
  return typeof code === 'string' && /^[\w.:/-]{1,128}$/.test(code) ? code : undefined;
}

function isSuccessCode(code: string | undefined): boolean {
  return code === undefined || /^(success|ok|200)$/i.test(code);
}

function idOf(document: Readonly<Record<string, unknown>>): string | undefined {
  const id = document.RequestId ?? document.requestId;
  return typeof id === 'string' && /^[\w-]{1,64}$/.test(id) ? id : undefined;
}

/** A code comes from outside and goes into messages: only the characters that codes have. */
function safeWord(code: string): string {
  return code.replace(/[^\w.-]/g, '?').slice(0, 64);
}

/** `x-acs-retry-after` in milliseconds (its unit is not documented), else `retry-after` in seconds; bounded. */
function retryAfterOf({ headers }: RawAnswer): number | undefined {
  const own = Number(headers['x-acs-retry-after'] ?? Number.NaN);
  const ms = Number.isFinite(own) ? own : Number(headers['retry-after'] ?? Number.NaN) * 1_000;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, RETRY_AFTER_MS.min), RETRY_AFTER_MS.max) : undefined;
}

function skewOf({ headers }: RawAnswer, now: EpochMs): number | undefined {
  const at = Date.parse(headers.date ?? '');
  return Number.isFinite(at) ? at - now : undefined;
}
