// What came back from a call of Tencent Cloud, judged (tcr.md sections 9 and 13): what stands under `Response`, or a ProviderError
// that says in one sentence what went wrong.
import type { ProviderError } from '../../core/errors.ts';
import { textOf } from '../../core/fields.ts';
import { isRecord, parseRecord } from '../../core/records.ts';
import { CLOUD_PROBLEM, SLOW_DOWN } from '../advice.ts';
import {
  codeOf,
  malformed,
  refused,
  retryAfterOf,
  unavailable,
  type CallContext,
  type RawAnswer,
} from '../call-failure.ts';
import { meaningOf } from './errors.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A failure that the cloud told, in either of its shapes. */
interface ToldError {
  readonly code: string | undefined;
  /** Hold the `RequestId`. */
  readonly fields: Fields;
}

/** What stands under `Response` of a successful answer. Throws ProviderError: HTTP 200 may hold a failure, and all else is one. */
export function responseOf(answer: RawAnswer, context: CallContext): Fields {
  const document = parseRecord(answer.body);
  const told = document === undefined ? undefined : errorOf(document);
  if (answer.status !== 200) throw brokenTransport(answer, told, context);
  if (told !== undefined) {
    const { code, fields } = told;
    if (code === undefined) throw malformed(context, fields, 'code of its failure');
    throw refused(context, { answer, fields, code, meaning: meaningOf(code, context.codes) });
  }
  if (isRecord(document?.Response)) return document.Response;
  const what = document !== undefined ? 'an answer without `Response`' : bodyKind(answer.body);
  throw unavailable(context, `${context.endpoint.address} gave ${what} (HTTP 200)`, retryAfterOf(answer));
}

/** Any status but 200 is trouble on the way, whatever it says: it passes. What it says is told. */
function brokenTransport(answer: RawAnswer, told: ToldError | undefined, context: CallContext): ProviderError {
  const [reason, sentence] =
    answer.status === 429 ? (['Throttled', SLOW_DOWN] as const) : (['CloudUnavailable', CLOUD_PROBLEM] as const);
  const meaning = { reason, advice: () => `${context.endpoint.address} answered HTTP ${answer.status}: ${sentence}` };
  return refused(context, { answer, fields: told?.fields ?? {}, code: told?.code, meaning });
}

/** `{"Response": {"Error": {"Code"}}}`, or the legacy `{"code", "codeDesc"}`; undefined = no failure. */
function errorOf(document: Fields): ToldError | undefined {
  const { Response: response, code, codeDesc } = document;
  if (isRecord(response)) {
    const { Error: error } = response;
    if (error === undefined || error === null) return undefined;
    return { code: isRecord(error) ? codeOf(error.Code) : undefined, fields: response };
  }
  if (code === undefined || Number(code) === 0) return undefined;
  return { code: codeOf(codeDesc) ?? codeOf(textOf(code)), fields: document };
}

function bodyKind(body: string): string {
  return body.trim() === '' ? 'an empty answer' : 'an answer that is not JSON';
}
