// A metadata service of a node on loopback, whatever the cloud: always plain HTTP, as on the nodes. `down()` is the node that has
// none.

import type { SignedRequest } from './acs3.ts';
import type { Answer } from './api-error.ts';
import { buildFaultyDelivery, createFaultBook } from './faults.ts';
import type { FaultBook } from './faults.ts';
import type { Listener } from './listener.ts';
import { startListener } from './listener.ts';

/** One request. `code` is the status, or `fault:<kind>`; `at` is epoch milliseconds. */
export interface MetadataServiceCall {
  readonly method: string;
  readonly path: string;
  readonly code: string;
  readonly at: number;
}

/** How to start a metadata service. */
export interface MetadataServiceOptions<Settings, Details> {
  /** The cloud's clock, epoch milliseconds. */
  readonly now: () => number;
  readonly settings: Settings;
  /** Answers a request, and says what else of it is to be recorded. */
  readonly answer: (
    request: SignedRequest,
    world: { readonly settings: Settings; readonly now: number },
  ) => { readonly answer: Answer; readonly details: Details };
  readonly port?: number;
}

/** A running metadata service. */
export interface MetadataService<Settings, Call> extends Listener {
  readonly faults: FaultBook;
  settings(): Settings;
  /** Takes effect with the next request. A token or session that was handed out stays as good as it was. */
  change(settings: Partial<Settings>): void;
  /** Every request so far that equals `filter` where it is set, in order. */
  calls(filter?: Partial<Call>): readonly Call[];
  clearCalls(): void;
}

/** Starts a metadata service on 127.0.0.1. Scripted faults hit every request; theirs is the field `path`. */
export async function startMetadataService<Settings, Details extends object>(
  options: MetadataServiceOptions<Settings, Details>,
): Promise<MetadataService<Settings, MetadataServiceCall & Details>> {
  type Call = MetadataServiceCall & Details;
  const { now, port = 0 } = options;
  let settings = options.settings;
  const faults = createFaultBook();
  const calls: Call[] = [];
  const listener = await startListener({
    port,
    now,
    handle: (request) => {
      const { method, path, headers } = request;
      const at = now();
      const { answer, details } = options.answer(request, { settings, now: at });
      const fault = faults.take({ path });
      const { delivery, code } =
        fault === undefined
          ? { delivery: { answer }, code: undefined }
          : buildFaultyDelivery(answer, fault, { host: headers.host ?? '', form: 'page' });
      calls.push({ method, path, code: code ?? String(answer.status), at, ...details });
      return delivery;
    },
  });
  return {
    ...listener,
    faults,
    settings: () => settings,
    change: (changes) => void (settings = { ...settings, ...changes }),
    clearCalls: () => void calls.splice(0),
    calls: (filter = {}) =>
      calls.filter((call) => Object.entries(filter).every(([name, value]) => call[name as keyof Call] === value)),
  };
}
