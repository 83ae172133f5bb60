// The refusals of Alibaba's API gateway, in the two forms in which the real one writes them: JSON, and XML for callers
// that did not negotiate JSON.

import { randomUUID } from 'node:crypto';

/** A refusal of the gateway: its HTTP status, its code as in acr.md section 21, and a text for people. */
export interface ApiError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** An HTTP answer before it is written to a socket. The body is text because the contract knows no other. */
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

/** Builds the gateway's error answer (acr.md section 21): JSON when the caller negotiated it, else XML. */
export function buildErrorAnswer(error: ApiError, caller: { readonly host: string; readonly json: boolean }): Answer {
  const document = {
    RequestId: buildRequestId(),
    HostId: caller.host,
    Code: error.code,
    Message: error.message,
    Recommend: `https://api.alibabacloud.com/troubleshoot?q=${encodeURIComponent(error.code)}&product=cr`,
  };
  if (caller.json) return buildJsonAnswer(error.status, document);
  return {
    status: error.status,
    headers: { 'content-type': 'text/xml;charset=utf-8' },
    body: `<?xml version='1.0' encoding='UTF-8'?><Error>${Object.entries(document)
      .map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`)
      .join('')}</Error>`,
  };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
