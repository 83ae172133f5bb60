// The refusals of the clouds' APIs, in the forms in which the real ones write them. Alibaba's: the gateway's JSON, XML for
// callers that did not negotiate JSON, the Personal Edition's lower-case JSON. Tencent's two. And the metadata services' page.

import { randomUUID } from 'node:crypto';

/** A refusal of a gateway: its HTTP status, its code as in acr.md section 21 or tcr.md section 13, and a text for people. */
export interface ApiError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** An HTTP answer before it is written to a socket. The body is text because the contracts know no other. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Builds a request id in the upper-case UUID form of acr.md section 14. */
export function buildRequestId(): string {
  return randomUUID().toUpperCase();
}

/** Builds an answer that holds a JSON document. */
export function buildJsonAnswer(status: number, document: unknown, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json;charset=utf-8', ...headers },
    body: JSON.stringify(document),
  };
}

/**
 * Who is told, and how. Alibaba: `json` and `xml` are the gateway's, `lower-case` the Personal Edition's. Tencent: `response`, and
 * `legacy` of old. `page` is no API's.
 */
export interface ErrorReader {
  readonly host: string;
  readonly form: 'json' | 'xml' | 'lower-case' | 'response' | 'legacy' | 'page';
}

/** Builds an error answer (acr.md sections 15 and 21, tcr.md section 9). */
export function buildErrorAnswer(error: ApiError, { host, form }: ErrorReader): Answer {
  const { status, code, message } = error;
  if (form === 'response') {
    return buildJsonAnswer(status, { Response: { Error: { Code: code, Message: message }, RequestId: randomUUID() } });
  }
  if (form === 'legacy') return buildJsonAnswer(status, { code: LEGACY_CODE, message, codeDesc: code });
  const requestId = buildRequestId();
  if (form === 'lower-case') return buildJsonAnswer(status, { code, message, requestId });
  if (form === 'page') {
    return {
      status,
      headers: { 'content-type': 'text/html' },
      body: `<?xml version="1.0" encoding="utf-8"?>\n<html><head><title>${status} - ${escapeXml(code)}</title></head><body><h1>${status} - ${escapeXml(message)}</h1></body></html>\n`,
    };
  }
  const document = {
    RequestId: requestId,
    HostId: host,
    Code: code,
    Message: message,
    Recommend: `https://api.alibabacloud.com/troubleshoot?q=${encodeURIComponent(code)}`,
  };
  if (form === 'json') return buildJsonAnswer(status, document);
  return {
    status,
    headers: { 'content-type': 'text/xml;charset=utf-8' },
    body: `<?xml version='1.0' encoding='UTF-8'?><Error>${Object.entries(document)
      .map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`)
      .join('')}</Error>`,
  };
}

const LEGACY_CODE = 4000;

/** Whether the gateway answers a request in JSON or in XML (acr.md section 21). */
export function readErrorReader(request: {
  readonly headers: Readonly<Record<string, string>>;
  readonly query: string;
}): ErrorReader {
  const isJson =
    (request.headers.accept ?? '').includes('application/json') ||
    (new URLSearchParams(request.query).get('Format') ?? '').toUpperCase() === 'JSON';
  return { host: request.headers.host ?? '', form: isJson ? 'json' : 'xml' };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
