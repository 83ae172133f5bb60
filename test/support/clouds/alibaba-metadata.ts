// The metadata service of an ECS instance on loopback: always plain HTTP, as on 100.100.100.200. `down()` is the node that
// has none.

import type { MetadataMemory, MetadataSettings } from './alibaba-metadata-answers.ts';
import { answerMetadata, hasValidToken } from './alibaba-metadata-answers.ts';
import type { AlibabaState } from './alibaba-state.ts';
import { buildFaultyDelivery, createFaultBook } from './faults.ts';
import type { FaultBook } from './faults.ts';
import type { Listener } from './listener.ts';
import { startListener } from './listener.ts';

/** How to start the metadata service. */
export interface AlibabaMetadataOptions {
  readonly state: AlibabaState;
  /** The cloud's clock, epoch milliseconds. */
  readonly now: () => number;
  readonly settings: MetadataSettings;
  readonly port?: number;
}

/** One request. `code` is the status, or `fault:<kind>`; `at` is epoch milliseconds. */
export interface MetadataCall {
  readonly method: string;
  readonly path: string;
  /** Whether it carried a token of this service that had not expired. */
  readonly token: boolean;
  readonly code: string;
  readonly at: number;
}

/** A running metadata service. */
export interface AlibabaMetadata extends Listener {
  readonly faults: FaultBook;
  settings(): MetadataSettings;
  /** Takes effect with the next request. A token or session that was handed out stays as good as it was. */
  change(settings: Partial<MetadataSettings>): void;
  /** Hands out a new session of the role from now on, before the old one ends. */
  renewSession(): void;
  calls(filter?: Partial<MetadataCall>): readonly MetadataCall[];
  clearCalls(): void;
}

/** Starts the metadata service on 127.0.0.1. Scripted faults hit every request; theirs is the field `path`. */
export async function startAlibabaMetadata(options: AlibabaMetadataOptions): Promise<AlibabaMetadata> {
  const { state, now, port = 0 } = options;
  let settings = options.settings;
  const memory: MetadataMemory = { tokens: new Map(), session: undefined };
  const faults = createFaultBook();
  const calls: MetadataCall[] = [];
  const listener = await startListener({
    port,
    now,
    handle: (request) => {
      const { method, path, headers } = request;
      const world = { state, settings, memory, now: now() };
      const answer = answerMetadata(request, world);
      const fault = faults.take({ path });
      const { delivery, code } =
        fault === undefined
          ? { delivery: { answer }, code: undefined }
          : buildFaultyDelivery(answer, fault, { host: headers.host ?? '', form: 'page' });
      const token = hasValidToken(headers, world);
      calls.push({ method, path, token, code: code ?? String(answer.status), at: world.now });
      return delivery;
    },
  });
  return {
    ...listener,
    faults,
    settings: () => settings,
    change: (changes) => void (settings = { ...settings, ...changes }),
    renewSession: () => void (memory.session = undefined),
    clearCalls: () => void calls.splice(0),
    calls: (filter = {}) =>
      calls.filter((call) =>
        Object.entries(filter).every(([name, value]) => call[name as keyof MetadataCall] === value),
      ),
  };
}
