// The few single Secrets that identities and static passwords come from: each is followed from its first use on, so that a changed
// password is noticed at once and reading it again costs no call.
import { createHash } from 'node:crypto';
import { KubeError } from '../core/errors.ts';
import { isRecord } from '../core/records.ts';
import type { EpochMs, SecretReference } from '../core/types.ts';
import type { KubeClient } from './client.ts';
import type { Projected } from './object-cache.ts';
import { orAborted } from './pause.ts';
import type { ReflectorEvent } from './reflector-event.ts';
import { Reflector } from './reflector.ts';

/** What such a Secret holds. */
export interface SourceSecret {
  /** Decoded values. Secret. */
  readonly data: Readonly<Record<string, string>>;
  /** Changes whenever the data does; tells nothing of it. */
  readonly digest: string;
}

export interface SecretSourcesOptions {
  readonly client: KubeClient;
  /**
   * The Secret appeared, disappeared or changed its data after it was first read, or can be read at last; must not wait for
   * anything. It may be read from within.
   */
  readonly onChange: (reference: SecretReference) => void;
  readonly report: (reference: SecretReference, event: ReflectorEvent) => void;
  readonly now: () => EpochMs;
  readonly random: () => number;
}

interface Source {
  readonly reflector: Reflector<SourceSecret>;
  readonly stop: AbortController;
  readonly running: Promise<void>;
  /** Why it could not be read last, until it could be for the first time. */
  lastError: KubeError | undefined;
  /** Wakes those that wait for the first list when it fails. */
  onFailure: () => void;
}

/** Secrets by reference, each followed from its first read until it is no longer retained. */
export class SecretSources {
  readonly #options: SecretSourcesOptions;
  readonly #sources = new Map<string, Source>();
  readonly #ending = new Set<Promise<void>>();
  #stopped = false;

  constructor(options: SecretSourcesOptions) {
    this.#options = options;
  }

  /**
   * The Secret as it is, from memory after the first read; undefined = there is none. Throws KubeError: `Forbidden` at once,
   * else the last failure, or `Aborted`, when `signal` is aborted before the API server answers.
   */
  async read(reference: SecretReference, signal: AbortSignal): Promise<SourceSecret | undefined> {
    const { namespace, name } = reference;
    if (this.#stopped) throw new KubeError('Aborted', `Reading the Secret ${namespace}/${name} was stopped`);
    const source = this.#sources.get(keyOf(reference)) ?? this.#follow(reference);
    while (!source.reflector.synced) {
      if (source.lastError?.reason === 'Forbidden') throw source.lastError;
      const failed = Promise.withResolvers<undefined>();
      const wake = source.onFailure;
      source.onFailure = () => {
        wake();
        failed.resolve(undefined);
      };
      try {
        const settled = Promise.race([source.reflector.whenSynced(source.stop.signal), failed.promise]);
        await orAborted(settled, `the Secret ${namespace}/${name}`, signal);
      } catch (error) {
        throw source.lastError ?? error;
      }
    }
    return source.reflector.get(namespace, name);
  }

  /** Stops following all others. */
  retain(references: Iterable<SecretReference>): void {
    const kept = new Set([...references].map(keyOf));
    for (const [key, source] of this.#sources) {
      if (kept.has(key)) continue;
      this.#sources.delete(key);
      this.#end(source);
    }
  }

  /** Stops all; settles when they have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.retain([]);
    await Promise.all(this.#ending);
  }

  #follow(reference: SecretReference): Source {
    const { namespace, name } = reference;
    const { client, now, random } = this.#options;
    const stop = new AbortController();
    const reflector = new Reflector<SourceSecret>({
      client,
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`,
      fieldSelector: `metadata.name=${name}`,
      project: projectSource,
      isEqual: (a, b) => a.digest === b.digest,
      onChange: ({ source: from }) => {
        if (from !== 'list') this.#options.onChange(reference);
      },
      report: (event) => {
        this.#options.report(reference, event);
        if (event.type === 'failed') {
          source.lastError = explainForbidden(reference, event.error);
          source.onFailure();
          source.onFailure = () => undefined;
        }
        // Whoever could not read it at first waits for it, and reads it at once: not before it can be read.
        if (event.type === 'synced' && source.lastError !== undefined) this.#options.onChange(reference);
      },
      now,
      random,
    });
    const source: Source = {
      reflector,
      stop,
      running: Promise.resolve().then(() => reflector.run(stop.signal)),
      lastError: undefined,
      onFailure: () => undefined,
    };
    this.#sources.set(keyOf(reference), source);
    return source;
  }

  #end(source: Source): void {
    source.stop.abort();
    this.#ending.add(source.running);
    void source.running.finally(() => this.#ending.delete(source.running));
  }
}

function keyOf({ namespace, name }: SecretReference): string {
  return `${namespace}/${name}`;
}

function explainForbidden({ namespace, name }: SecretReference, error: KubeError): KubeError {
  if (error.reason !== 'Forbidden') return error;
  const message = `the Secret ${namespace}/${name} may not be read: allow "list" and "watch" of secrets in that namespace`;
  return new KubeError('Forbidden', message, { status: error.status, cause: error });
}

function projectSource(object: unknown): Projected<SourceSecret> | undefined {
  if (!isRecord(object) || !isRecord(object.metadata)) return undefined;
  const { namespace, name, uid, resourceVersion } = object.metadata;
  if (typeof namespace !== 'string' || typeof name !== 'string') return undefined;
  if (typeof uid !== 'string' || typeof resourceVersion !== 'string') return undefined;
  const encoded = Object.entries(isRecord(object.data) ? object.data : {})
    .filter((pair): pair is [string, string] => typeof pair[1] === 'string')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const data = Object.fromEntries(
    encoded.map(([key, text]) => [key, Buffer.from(text, 'base64').toString('utf8')] as const),
  );
  const digest = `sha256:${createHash('sha256').update(JSON.stringify(encoded)).digest('hex')}`;
  return { namespace, name, uid, resourceVersion, value: { data, digest } };
}
