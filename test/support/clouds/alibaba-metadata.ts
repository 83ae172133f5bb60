// The metadata service of an ECS instance on loopback, as on 100.100.100.200.

import type { MetadataMemory, MetadataSettings } from './alibaba-metadata-answers.ts';
import { answerMetadata, hasValidToken } from './alibaba-metadata-answers.ts';
import type { AlibabaState } from './alibaba-state.ts';
import type { MetadataService, MetadataServiceCall } from './metadata-service.ts';
import { startMetadataService } from './metadata-service.ts';

/** How to start the metadata service. */
export interface AlibabaMetadataOptions {
  readonly state: AlibabaState;
  /** The cloud's clock, epoch milliseconds. */
  readonly now: () => number;
  readonly settings: MetadataSettings;
  readonly port?: number;
}

/** One request. */
export interface MetadataCall extends MetadataServiceCall {
  /** Whether it carried a token of this service that had not expired. */
  readonly token: boolean;
}

/** A running metadata service. */
export interface AlibabaMetadata extends MetadataService<MetadataSettings, MetadataCall> {
  /** Hands out a new session of the role from now on, before the old one ends. */
  renewSession(): void;
}

/** Starts the metadata service on 127.0.0.1. */
export async function startAlibabaMetadata({ state, ...options }: AlibabaMetadataOptions): Promise<AlibabaMetadata> {
  const memory: MetadataMemory = { tokens: new Map(), session: undefined };
  const service = await startMetadataService({
    ...options,
    answer: (request, { settings, now }) => {
      const world = { state, settings, memory, now };
      const answer = answerMetadata(request, world);
      return { answer, details: { token: hasValidToken(request.headers, world) } };
    },
  });
  return { ...service, renewSession: () => void (memory.session = undefined) };
}
