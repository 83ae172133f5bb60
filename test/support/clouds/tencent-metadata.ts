// The metadata service of a CVM on loopback: always plain HTTP, as at metadata.tencentyun.com. `down()` is the node that has
// none.

import { buildFaultyDelivery, createFaultBook } from './faults.ts';
import type { FaultBook } from './faults.ts';
import type { Listener } from './listener.ts';
import { startListener } from './listener.ts';
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

/** One request. `code` is the status, or `fault:<kind>`; `at` is epoch milliseconds. */
export interface TencentMetadataCall {
  readonly method: string;
  readonly path: string;
  readonly code: string;
  readonly at: number;
}

/** A running metadata service. */
export interface TencentMetadata extends Listener {
  readonly faults: FaultBook;
  settings(): TencentMetadataSettings;
  /** Takes effect with the next request. A session that was handed out stays as good as it was. */
  change(settings: Partial<TencentMetadataSettings>): void;
  /** Hands out a new session of the role from now on, before the old one ends. */
  renewSession(): void;
  calls(): readonly TencentMetadataCall[];
  clearCalls(): void;
}

/** Starts the metadata service on 127.0.0.1. Scripted faults hit every request; theirs is the field `path`. */
export async function startTencentMetadata(options: TencentMetadataOptions): Promise<TencentMetadata> {
  const { state, now, port = 0 } = options;
  let settings = options.settings;
  const memory: TencentMetadataMemory = { session: undefined };
  const faults = createFaultBook();
  const calls: TencentMetadataCall[] = [];
  const listener = await startListener({
    port,
    now,
    handle: (request) => {
      const { method, path } = request;
      const at = now();
      const answer = answerTencentMetadata(request, { state, settings, memory, now: at });
      const fault = faults.take({ path });
      const { delivery, code } =
        fault === undefined
          ? { delivery: { answer }, code: undefined }
          : buildFaultyDelivery(answer, fault, { host: '', form: 'page' });
      calls.push({ method, path, code: code ?? String(answer.status), at });
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
    calls: () => [...calls],
  };
}
