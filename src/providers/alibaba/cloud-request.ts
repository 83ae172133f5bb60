// What is asked of a service of Alibaba Cloud, and what comes of it: the seam between the services and the client that sends.
import type { EpochMs } from '../../core/types.ts';
import type { CodeRow } from '../error-codes.ts';
import type { CallContext } from '../call-failure.ts';
import type { ResolvedEndpoint } from '../resolved-endpoint.ts';
import type { AlibabaKey } from './identity.ts';

/** One call of a service. */
export interface CloudRequest {
  readonly action: string;
  /** Of the API: `2018-12-01`. */
  readonly version: string;
  /** `POST /` with a query (RPC), or a path of its own (ROA). */
  readonly method: 'GET' | 'POST';
  readonly pathname: string;
  readonly query: Readonly<Record<string, string>>;
  /** Sent as a form in the body: what must not stand in a URL. Secret. */
  readonly form?: Readonly<Record<string, string>>;
  /** undefined = the call is not signed. */
  readonly key: AlibabaKey | undefined;
  readonly region: string;
  /** In the order to try: the next one when one cannot be reached. */
  readonly endpoints: readonly ResolvedEndpoint[];
  /** What it is about, for messages: `cri-… in cn-hangzhou`. */
  readonly subject: string;
  /** What codes mean to this call, before what they mean to all. */
  readonly codes?: readonly CodeRow[];
  readonly now: EpochMs;
}

/** A successful answer. */
export interface CloudAnswer {
  readonly document: Readonly<Record<string, unknown>>;
  readonly context: CallContext;
}

/** Makes calls. Every failure is a ProviderError. */
export interface AlibabaClient {
  call(request: CloudRequest, signal: AbortSignal): Promise<CloudAnswer>;
}
