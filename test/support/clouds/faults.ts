// Scripted misbehaviour of a simulated cloud: which answers to spoil, how, and how often.

import type { Answer, ErrorReader } from './api-error.ts';
import { buildErrorAnswer, buildRequestId } from './api-error.ts';

/**
 * One way to misbehave (acr.md section 24, tcr.md section 18). All but `slow` and `slow-body` replace the answer; times in
 * milliseconds. `throttle` defaults to the cloud's own code and status (Alibaba `Throttling.User` with 400, Tencent
 * `RequestLimitExceeded` with 200, pages 429) without `x-acs-retry-after`, whose unit is the header's own (acr.md section 21); `xml`
 * to a 503; `unsuccessful` is Alibaba's. `cut` ends the connection in the middle of the answer, `body` is any text in its place.
 *
 * What a call changes is changed before its answer is spoilt, also when that is lost (`reset`). Tencent's APIs alone refuse
 * before they change anything, where a fault stands for a refusal; `acts` says otherwise.
 */
export type Fault =
  | { readonly kind: 'throttle'; readonly code?: string; readonly status?: number; readonly retryAfter?: number }
  | { readonly kind: 'unsuccessful'; readonly code: string }
  | { readonly kind: 'error'; readonly status: number; readonly code: string; readonly acts?: boolean }
  | { readonly kind: 'xml'; readonly status?: number; readonly code?: string }
  | { readonly kind: 'unavailable' | 'html'; readonly acts?: boolean }
  | { readonly kind: 'reset' | 'truncated' | 'cut' | 'empty' }
  | { readonly kind: 'body'; readonly body: string; readonly status?: number; readonly acts?: boolean }
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'slow-body'; readonly chunkBytes: number; readonly chunkDelayMs: number };

/** Every kind of fault, for checking rules that come from outside. */
export const FAULT_KINDS: readonly Fault['kind'][] = [
  ...(['throttle', 'unsuccessful', 'error', 'unavailable', 'reset', 'truncated', 'cut'] as const),
  ...(['html', 'xml', 'empty', 'body', 'slow', 'slow-body'] as const),
];

/** What a call is about, as far as its API knows such a thing. `path` is the metadata service's. */
export interface FaultTarget {
  readonly action?: string;
  readonly instanceId?: string;
  readonly roleArn?: string;
  readonly path?: string;
}

/** A fault and what it hits: the calls that equal the rule in what it names, `times` of them, or until cleared. */
export interface FaultRule extends FaultTarget {
  readonly fault: Fault;
  readonly times?: number;
}

/** How to put an answer on the wire. Without `reset` the whole answer is written; the delay is before its first byte. */
export interface Delivery {
  readonly answer: Answer;
  readonly delayMs?: number;
  readonly trickle?: { readonly chunkBytes: number; readonly chunkDelayMs: number };
  /** Close the connection without an answer. */
  readonly reset?: true;
  /** Close the connection after half of the body. */
  readonly cut?: true;
  /** Compress the body, and say so. */
  readonly gzip?: true;
}

/** The scripted faults of one API. The first rule that matches and is not used up decides. */
export interface FaultBook {
  add(rule: FaultRule): void;
  clear(): void;
  list(): readonly FaultRule[];
  /** Takes the fault for one call; counts it against the rule's `times`. */
  take(call: FaultTarget): Fault | undefined;
}

/** Makes an empty fault book. */
export function createFaultBook(): FaultBook {
  let rules: { readonly rule: FaultRule; left: number }[] = [];
  return {
    add: (rule) => void rules.push({ rule, left: rule.times ?? Number.POSITIVE_INFINITY }),
    clear: () => void (rules = []),
    list: () => rules.filter(({ left }) => left > 0).map(({ rule }) => rule),
    take: (call) => {
      const hit = rules.find(
        ({ rule, left }) =>
          left > 0 && TARGET_FIELDS.every((field) => rule[field] === undefined || rule[field] === call[field]),
      );
      if (hit === undefined) return undefined;
      hit.left -= 1;
      return hit.rule.fault;
    },
  };
}

const TARGET_FIELDS = ['action', 'instanceId', 'roleArn', 'path'] as const;

/** Builds the spoilt delivery of an answer, and the code under which the call is recorded (`undefined`: unchanged). */
export function buildFaultyDelivery(
  answer: Answer,
  fault: Fault,
  reader: ErrorReader,
): { readonly delivery: Delivery; readonly code: string | undefined } {
  const error = (status: number, code: string, headers: Record<string, string> = {}) => {
    const built = buildErrorAnswer({ status, code, message: 'Scripted by the test.' }, reader);
    return { delivery: { answer: { ...built, headers: { ...built.headers, ...headers } } }, code };
  };
  const other = (replacement: Answer) => ({ delivery: { answer: replacement }, code: `fault:${fault.kind}` });
  switch (fault.kind) {
    case 'throttle':
      return error(
        fault.status ?? THROTTLED[reader.form]?.status ?? 400,
        fault.code ?? THROTTLED[reader.form]?.code ?? 'Throttling.User',
        fault.retryAfter === undefined ? {} : { 'x-acs-retry-after': String(fault.retryAfter) },
      );
    case 'unsuccessful': {
      const body = JSON.stringify({ RequestId: buildRequestId(), Code: fault.code, IsSuccess: false });
      return { delivery: { answer: { ...answer, status: 200, body } }, code: fault.code };
    }
    case 'error':
      return error(fault.status, fault.code);
    case 'unavailable':
      return error(503, 'ServiceUnavailable');
    case 'reset':
      return { delivery: { answer, reset: true }, code: 'fault:reset' };
    case 'truncated':
      // Half of the document with a content length of its own: valid HTTP, broken JSON.
      return other({ ...answer, body: answer.body.slice(0, Math.floor(answer.body.length / 2)) });
    case 'html':
      return other({ status: 502, headers: { 'content-type': 'text/html' }, body: HTML });
    case 'xml':
      return other(
        buildErrorAnswer(
          {
            status: fault.status ?? 503,
            code: fault.code ?? 'ServiceUnavailable',
            message: 'Scripted by the test.',
          },
          { ...reader, form: 'xml' },
        ),
      );
    case 'cut':
      return { delivery: { answer, cut: true }, code: 'fault:cut' };
    case 'body':
      return other({ ...answer, status: fault.status ?? answer.status, body: fault.body });
    case 'empty':
      return other({ status: 200, headers: {}, body: '' });
    case 'slow':
      return { delivery: { answer, delayMs: fault.delayMs }, code: undefined };
    case 'slow-body':
      return { delivery: { answer, trickle: fault }, code: undefined };
    default:
      return fault satisfies never;
  }
}

/** Whether a call is carried out before `fault` spoils its answer, where the cloud refuses before it changes anything. */
export function isCarriedOut(fault: Fault): boolean {
  switch (fault.kind) {
    case 'throttle':
    case 'unsuccessful':
    case 'xml':
      return false;
    case 'error':
    case 'unavailable':
    case 'html':
    case 'body':
      return fault.acts ?? false;
    case 'reset':
    case 'truncated':
    case 'cut':
    case 'empty':
    case 'slow':
    case 'slow-body':
      return true;
    default:
      return fault satisfies never;
  }
}

const THROTTLED: Readonly<Partial<Record<ErrorReader['form'], { readonly status: number; readonly code?: string }>>> = {
  page: { status: 429 },
  response: { status: 200, code: 'RequestLimitExceeded' },
  legacy: { status: 200, code: 'RequestLimitExceeded' },
};

const HTML = '<!doctype html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>';
