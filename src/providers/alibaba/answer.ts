// What came back from a call of Alibaba Cloud, judged: the document, or a ProviderError that says in one sentence what went wrong.
import { parseRecord } from '../../core/records.ts';
import { codeOf, refused, retryAfterOf, unavailable, type CallContext, type RawAnswer } from '../call-failure.ts';
import { meaningOf } from './errors.ts';

/** The document of a successful answer. Throws ProviderError: HTTP 200 with `IsSuccess: false` is a failure. */
export function documentOf(answer: RawAnswer, context: CallContext): Readonly<Record<string, unknown>> {
  const document = parseBody(answer.body);
  // `x-acs-retry-after` is in milliseconds (its unit is not documented).
  const retryAfterMs = retryAfterOf(answer, Number(answer.headers['x-acs-retry-after'] ?? Number.NaN));
  if (document === undefined) {
    const what = answer.body.trim() === '' ? 'an empty answer' : 'an answer that is not JSON';
    throw unavailable(context, `${context.endpoint.address} gave ${what} (HTTP ${answer.status})`, retryAfterMs);
  }
  const code = codeOf(document.Code ?? document.code);
  if (answer.status < 400 && document.IsSuccess !== false && isSuccessCode(code)) return document;
  const meaning = meaningOf(code ?? '', answer.status, context.codes);
  throw refused(context, { answer, fields: document, code, meaning, retryAfterMs });
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

function isSuccessCode(code: string | undefined): boolean {
  return code === undefined || /^(success|ok|200)$/i.test(code);
}
