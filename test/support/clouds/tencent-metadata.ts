// The metadata service of a CVM on loopback, as at metadata.tencentyun.com.

import type { MetadataService, MetadataServiceCall } from './metadata-service.ts';
import { startMetadataService } from './metadata-service.ts';
import type { TencentMetadataMemory, TencentMetadataSettings } from './tencent-metadata-answers.ts';
import { answerTencentMetadata } from './tencent-metadata-answers.ts';
import type { TencentState } from './tencent-state.ts';

/** How to start the metadata service. */
export interface TencentMetadataOptions {
  readonly state: TencentState;
  /** The cloud's clock, epoch milliseconds. */
  readonly now: () => number;
  readonly settings: TencentMetadataSettings;
  readonly port?: number;
}

/** A running metadata service. */
export interface TencentMetadata extends MetadataService<TencentMetadataSettings, MetadataServiceCall> {
  /** Hands out a new session of the role from now on, before the old one ends. */
  renewSession(): void;
}

/** Starts the metadata service on 127.0.0.1. */
export async function startTencentMetadata({ state, ...options }: TencentMetadataOptions): Promise<TencentMetadata> {
  const memory: TencentMetadataMemory = { session: undefined };
  const service = await startMetadataService({
    ...options,
    answer: (request, world) => ({ answer: answerTencentMetadata(request, { state, memory, ...world }), details: {} }),
  });
  return { ...service, renewSession: () => void (memory.session = undefined) };
}
