// What is asked of a service of Tencent Cloud, and what comes of it: the seam between the services and the client that sends.
import type { EpochMs } from '../../core/types.ts';
import type { CodeRow } from '../error-codes.ts';
import type { CloudEndpoints } from '../provider.ts';
import type { TencentKey } from './identity.ts';

/** Services that are called with a key. */
export type TencentService = 'tcr' | 'sts';

/** One call of a service (tcr.md sections 9 to 11). */
export interface CloudRequest {
  readonly service: TencentService;
  readonly action: string;
  /** JSON body; members that are undefined or null are not sent. May hold secrets. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** `X-TC-Region`. */
  readonly region: string;
  /** undefined = the call is not signed (`Authorization: SKIP`). */
  readonly key: TencentKey | undefined;
  readonly endpoints: CloudEndpoints;
  /** What it is about, for messages: `tcr-… in ap-guangzhou`. */
  readonly subject: string;
  /** What codes mean to this call, before what they mean to all. */
  readonly codes?: readonly CodeRow[];
  /** Our clock: it is read when the call is sent, which may be long after it was wanted. */
  readonly now: () => EpochMs;
}

/** A successful answer. */
export interface CloudAnswer {
  /** What stands under `Response`. */
  readonly response: Readonly<Record<string, unknown>>;
  /** Builds the failure of an answer that lacks a usable `field`. */
  readonly malformed: (field: string) => Error;
  /** The cloud's clock less ours, milliseconds, since a call was refused for it; absent or 0 before. */
  readonly clockOffsetMs?: number;
}

/** Makes calls. Every failure is a ProviderError. */
export interface TencentClient {
  call(request: CloudRequest, signal: AbortSignal): Promise<CloudAnswer>;
}
