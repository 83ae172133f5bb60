// Kubernetes Events: tells people, on the object that they wrote or own, what they can act on. Never in the way of anything.
import { randomBytes } from 'node:crypto';
import type { KubeError } from '../core/errors.ts';
import { MANAGER } from '../core/names.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient } from './client.ts';
import { errorOfThrown } from './errors.ts';
import { EventFilter } from './event-filter.ts';

/** What an Event is about. */
export interface EventObject {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty for cluster-scoped kinds: their Events go to the namespace `default`. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** What a person should know. */
export interface EventToRecord<Reason extends string> {
  readonly object: EventObject;
  readonly type: 'Normal' | 'Warning';
  /** From the closed list of the caller. */
  readonly reason: Reason;
  /** One sentence, no secrets; cut to 1,024 characters. */
  readonly message: string;
}

/** What the recorder tells about itself. */
export type RecorderEvent =
  | { readonly type: 'posted'; readonly reason: string }
  | { readonly type: 'dropped'; readonly reason: string; readonly why: 'duplicate' | 'spam' | 'queueFull' }
  | { readonly type: 'failed'; readonly reason: string; readonly error: KubeError };

export interface EventRecorderOptions {
  readonly client: KubeClient;
  /** Name of our Pod: `reportingInstance`. */
  readonly identity: string;
  readonly now: () => EpochMs;
  readonly report: (event: RecorderEvent) => void;
}

/** The API server's own limit for messages. */
const MAX_MESSAGE = 1_024;
const MAX_WAITING = 200;
const DEADLINE_MS = 10_000;
/** `reportingInstance` may hold no more. */
const MAX_INSTANCE = 128;

/** Posts Events one after the other in the background. An Event that fails is reported and lost. */
export class EventRecorder<Reason extends string> {
  readonly #options: EventRecorderOptions;
  readonly #filter = new EventFilter();
  readonly #stopped = new AbortController();
  readonly #waiting: (EventToRecord<Reason> & { readonly at: EpochMs })[] = [];
  #posting: Promise<void> | undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Takes an Event to be posted; never throws, never waits. */
  record(event: EventToRecord<Reason>): void {
    const { now, report } = this.#options;
    const { reason } = event;
    if (this.#stopped.signal.aborted) return;
    const message = event.message.slice(0, MAX_MESSAGE);
    const key = { uid: event.object.uid, reason, message };
    const why = this.#waiting.length >= MAX_WAITING ? 'queueFull' : this.#filter.refuse(key, now());
    if (why !== undefined) {
      report({ type: 'dropped', reason, why });
      return;
    }
    this.#waiting.push({ ...event, message, at: now() });
    this.#posting ??= this.#post().finally(() => (this.#posting = undefined));
  }

  /** Settles when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#posting;
  }

  /** Drops what waits and ends the call under way; nothing is posted any more. */
  stop(): void {
    this.#waiting.length = 0;
    this.#stopped.abort();
  }

  async #post(): Promise<void> {
    const { client, report } = this.#options;
    const { signal } = this.#stopped;
    // Let the caller finish first: it is told nothing while it records.
    await Promise.resolve();
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      const { object, reason, message } = event;
      const namespace = namespaceOf(object);
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
      try {
        const body = buildEvent(event, { namespace, identity: this.#options.identity });
        await client.call({ method: 'POST', path, body, timeoutMs: DEADLINE_MS, signal });
        report({ type: 'posted', reason });
      } catch (thrown) {
        this.#filter.forget({ uid: object.uid, reason, message });
        const error = errorOfThrown(`POST ${path}`, thrown, signal);
        if (error.reason !== 'Aborted') report({ type: 'failed', reason, error });
      }
    }
  }
}

function namespaceOf(object: EventObject): string {
  return object.namespace === '' ? 'default' : object.namespace;
}

/** A core/v1 Event: kubectl shows these, and every cluster has them. */
function buildEvent(
  { object, type, reason, message, at }: EventToRecord<string> & { readonly at: EpochMs },
  where: { readonly namespace: string; readonly identity: string },
): Readonly<Record<string, unknown>> {
  const { apiVersion, kind, namespace, name, uid } = object;
  const timestamp = new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z');
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace: where.namespace, name: `${name.slice(0, 200)}.${randomBytes(8).toString('hex')}` },
    involvedObject: { apiVersion, kind, name, uid, ...(namespace === '' ? {} : { namespace }) },
    type,
    reason,
    message,
    count: 1,
    firstTimestamp: timestamp,
    lastTimestamp: timestamp,
    source: { component: MANAGER },
    reportingComponent: MANAGER,
    reportingInstance: where.identity.slice(0, MAX_INSTANCE),
  };
}
