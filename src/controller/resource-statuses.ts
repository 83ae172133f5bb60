// The one writer of every resource's status: gathers what happened, and writes what differs, at most every five seconds.
import { soonest } from '../core/plan-secrets.ts';
import type { EpochMs } from '../core/types.ts';
import type { WrittenStatus } from '../core/resource-status.ts';
import { isRecord } from '../core/records.ts';
import { sameJson } from '../core/same-json.ts';
import type { Resource } from '../kube/resource-objects.ts';

export interface ResourceStatusesOptions {
  /** Of those that are there. */
  readonly names: () => readonly string[];
  /** As it is now; undefined = it has gone. */
  readonly resource: (name: string) => Resource | undefined;
  /** The status as it should be. `previous`: what was sent last, or else what is there. */
  readonly build: (resource: Resource, previous: unknown) => WrittenStatus;
  /** When a status changes although nothing happens: a password comes near its end. */
  readonly nextChangeAt: () => EpochMs | undefined;
  /** Writes it and gives the status that is there afterwards. Throws KubeError. */
  readonly write: (resource: Resource, status: WrittenStatus, signal: AbortSignal) => Promise<unknown>;
  /** Another number each time the definition may have learnt fields. */
  readonly definition: () => number;
  readonly onFailure: (resource: Resource, error: unknown) => void;
  readonly now: () => EpochMs;
  /** Waits, milliseconds; resolves early when the signal aborts. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Lets all else that waits have its turn. */
  readonly giveWay: () => Promise<unknown>;
}

/** What happened within this time of the first change goes into the same write, milliseconds. */
const GATHER_MS = 200;

/** Least time between two looks, milliseconds. */
const PAUSE_MS = 5_000;

/** Longest pause before a status that was refused is tried again, milliseconds. */
const MAX_RETRY_MS = 300_000;

/** Longest wait that a timer takes, milliseconds; then it is looked at again. */
const MAX_WAIT_MS = 3_600_000;

interface Failed {
  readonly uid: string;
  readonly generation: number;
  /** In a row. */
  readonly failures: number;
  readonly retryAt: EpochMs;
  readonly message: string;
}

interface Written {
  readonly uid: string;
  /** What was sent: a definition that is not ours may drop parts of it. */
  readonly status: WrittenStatus;
  /** All of it was kept. */
  readonly isWhole: boolean;
  /** What `definition` gave then. */
  readonly definition: number;
}

/** Keeps the statuses while `run` runs. */
export class ResourceStatuses {
  readonly #options: ResourceStatusesOptions;
  readonly #written = new Map<string, Written>();
  readonly #failed = new Map<string, Failed>();
  #woken = Promise.withResolvers<undefined>();

  constructor(options: ResourceStatusesOptions) {
    this.#options = options;
  }

  /** Something happened that a status may tell. Costs nothing. */
  changed(): void {
    this.#woken.resolve(undefined);
  }

  /** Writes until aborted; never throws. What an earlier term wrote is compared with what is there. */
  async run(signal: AbortSignal): Promise<void> {
    const { pause } = this.#options;
    this.#written.clear();
    for (;;) {
      await this.#wait(signal);
      await pause(GATHER_MS, signal);
      if (signal.aborted) return;
      this.#woken = Promise.withResolvers<undefined>();
      await this.#write(signal);
      // Also when nothing differed: building them takes time in a large cluster.
      await pause(PAUSE_MS, signal);
    }
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const { now, nextChangeAt, pause } = this.#options;
    const at = soonest(nextChangeAt(), ...[...this.#failed.values()].map(({ retryAt }) => retryAt));
    const ended = new AbortController();
    const until = AbortSignal.any([signal, ended.signal]);
    const waitMs = at === undefined ? MAX_WAIT_MS : Math.min(Math.max(at - now(), 0), MAX_WAIT_MS);
    await Promise.race([this.#woken.promise, pause(waitMs, until)]);
    ended.abort();
  }

  async #write(signal: AbortSignal): Promise<void> {
    const isAborted = (): boolean => signal.aborted;
    const names = new Set(this.#options.names());
    for (const memory of [this.#written, this.#failed]) {
      for (const name of memory.keys()) if (!names.has(name)) memory.delete(name);
    }
    for (const name of names) {
      // Counting takes time: a look at many resources must not hold up the Lease.
      await this.#options.giveWay();
      if (isAborted()) return;
      const resource = this.#options.resource(name);
      if (resource !== undefined && !this.#isWaiting(resource)) await this.#writeOne(resource, signal);
    }
  }

  async #writeOne(resource: Resource, signal: AbortSignal): Promise<void> {
    const { build, write, onFailure } = this.#options;
    const { name, uid } = resource;
    const definition = this.#options.definition();
    const known = this.#written.get(name);
    const written = known?.uid === uid ? known : undefined;
    // What an earlier definition dropped is lost until it is written again.
    const isSettled = written !== undefined && (written.isWhole || written.definition === definition);
    const status = build(resource, written?.status ?? resource.status);
    const isDone = isSettled ? sameJson(status, written.status) : isThere(status, resource.status);
    if (isDone) {
      // Nothing is left to be tried again: what was to be written is as it was before, or somebody else wrote it.
      this.#failed.delete(name);
      if (!isSettled) this.#written.set(name, { uid, status, isWhole: true, definition });
      return;
    }
    try {
      const live = await write(resource, status, signal);
      this.#written.set(name, { uid, status, isWhole: isThere(status, live), definition });
      this.#failed.delete(name);
    } catch (error) {
      if (!signal.aborted) this.#fail(resource, error, onFailure);
    }
  }

  /** An edit may have put right what was refused. */
  #isWaiting({ name, uid, generation }: Resource): boolean {
    const failed = this.#failed.get(name);
    return failed?.uid === uid && failed.generation === generation && failed.retryAt > this.#options.now();
  }

  /** Tries ever more rarely, and tells only what is new. */
  #fail(resource: Resource, error: unknown, onFailure: ResourceStatusesOptions['onFailure']): void {
    const { name, uid, generation } = resource;
    const last = this.#failed.get(name);
    const failures = last?.uid === uid ? last.failures + 1 : 1;
    const message = error instanceof Error ? error.message : String(error);
    const waitMs = Math.min(PAUSE_MS * 2 ** (failures - 1), MAX_RETRY_MS);
    this.#failed.set(name, { uid, generation, failures, retryAt: this.#options.now() + waitMs, message });
    if (last?.message !== message) onFailure(resource, error);
  }
}

/** True when `live` says all of `status`; what else it says is somebody else's. */
function isThere(status: WrittenStatus, live: unknown): boolean {
  if (!isRecord(live)) return false;
  return Object.entries(status).every(([key, value]) => sameJson(value, live[key]));
}
