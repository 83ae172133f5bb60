// Keeps a projected copy of one kind of object: lists in pages, watches, resumes, lists again now and then. Why not the library's
// informer: it stops for good on most errors, keeps whole objects, pages nothing and never notices a dead connection.
import { KubeError } from '../core/errors.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient } from './client.ts';
import { codeOf, errorOfStatus, errorOfThrown } from './errors.ts';
import { parseWatchEvent } from './lines.ts';
import { listPages } from './list-pages.ts';
import { ObjectCache, type Change, type Projected } from './object-cache.ts';
import { backoffMs, orAborted, pause } from './pause.ts';
import type { ReflectorEvent, WatchEnd } from './reflector-event.ts';

export type { Change, Projected } from './object-cache.ts';
export type { ReflectorEvent, WatchEnd } from './reflector-event.ts';

/** What to follow, and whom to tell. */
export interface ReflectorOptions<T> {
  readonly client: KubeClient;
  /** e.g. `/api/v1/serviceaccounts`. */
  readonly path: string;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Keeps only what is needed; undefined = unreadable, reported as `badLine`. */
  readonly project: (object: unknown) => Projected<T> | undefined;
  /** False = nobody here is to know of it; default: all are kept. */
  readonly isKept?: (item: Projected<T>) => boolean;
  /** Called at once for each change that matters; must not wait for anything. */
  readonly onChange?: (change: Change<T>) => void;
  readonly report: (event: ReflectorEvent) => void;
  /** True = the change is not worth an `onChange`; the cache takes the new value all the same. */
  readonly isEqual?: (a: T, b: T) => boolean;
  /** Between full lists, milliseconds, give or take a fifth; default six hours. */
  readonly relistMs?: number;
  readonly now: () => EpochMs;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
}

/** A watch that lived this long was healthy: the next failure is the first again. */
const HEALTHY_MS = 30_000;
/** A watch that ends sooner, though cleanly, would make a hot loop. */
const TOO_SHORT_MS = 1_000;
/** Failures in a row after which resuming is given up: the version may be one that this server never reaches. */
const MAX_RESUMES = 5;
const RELIST_MS = 6 * 3_600_000;

/** One kind, followed while `run` runs. Reads are from memory. */
export class Reflector<T> {
  readonly #options: ReflectorOptions<T>;
  readonly #cache: ObjectCache<T>;
  readonly #firstList = Promise.withResolvers<undefined>();
  #synced = false;
  #mustList: 'first' | 'periodic' | 'expired' | undefined = 'first';
  #relistAt = Number.POSITIVE_INFINITY;
  #lastActivityAt: EpochMs;
  #watches = 0;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#lastActivityAt = options.now();
    this.#cache = new ObjectCache<T>(options.isEqual ?? (() => false), (change) => this.#tell(change));
  }

  /** True after the first full list, for ever. */
  get synced(): boolean {
    return this.#synced;
  }

  /** When the API server last sent anything, or when this was made. */
  get lastActivityAt(): EpochMs {
    return this.#lastActivityAt;
  }

  /** Watches started after the first. */
  get restarts(): number {
    return Math.max(0, this.#watches - 1);
  }

  get size(): number {
    return this.#cache.size;
  }

  get(namespace: string, name: string): T | undefined {
    return this.#cache.get(namespace, name);
  }

  inNamespace(namespace: string): ReadonlyMap<string, T> {
    return this.#cache.inNamespace(namespace);
  }

  all(): Iterable<T> {
    return this.#cache.all();
  }

  /** Settles after the first full list. Throws KubeError `Aborted`. */
  async whenSynced(signal: AbortSignal): Promise<void> {
    await orAborted(this.#firstList.promise, this.#options.path, signal);
  }

  /** Puts the answer of one of our own writes into the cache at once. Fires no change. */
  absorb(object: unknown): void {
    const item = this.#project(object);
    if (item !== undefined) this.#cache.absorb(item);
  }

  /** Takes out at once what we have just deleted. Fires no change. */
  absorbDeletion(namespace: string, name: string, uid: string): void {
    this.#cache.absorbDeletion(namespace, name, uid);
  }

  /** Follows until aborted; never throws. Call it once. */
  async run(signal: AbortSignal): Promise<void> {
    const { now, random, report } = this.#options;
    for (let failures = 0; !signal.aborted;) {
      let watchingAt: EpochMs | undefined;
      try {
        if (now() >= this.#relistAt) this.#mustList ??= 'periodic';
        const why = this.#mustList;
        if (why !== undefined) await this.#list(why, signal);
        watchingAt = now();
        await this.#watch(why === undefined ? 'resumed' : 'watchStarted', signal);
        failures = 0;
      } catch (thrown) {
        const error = errorOfThrown(`Following ${this.#options.path}`, thrown, signal);
        if (error.reason === 'Aborted') return;
        if (watchingAt !== undefined && now() - watchingAt >= HEALTHY_MS) failures = 0;
        failures += 1;
        const retryInMs = Math.max(backoffMs(failures, random()), error.retryAfterMs ?? 0);
        if (mustListAfter(error) || failures % MAX_RESUMES === 0) this.#mustList ??= 'expired';
        report({ type: 'failed', error, retryInMs });
        await pause(retryInMs, signal).catch(() => undefined);
      }
    }
  }

  async #list(why: 'first' | 'periodic' | 'expired', signal: AbortSignal): Promise<void> {
    const { client, path, labelSelector, fieldSelector, now, random, report, relistMs = RELIST_MS } = this.#options;
    const startedAt = now();
    this.#cache.beginList();
    const { items, resourceVersion, pages } = await listPages(client, {
      path,
      query: { labelSelector, fieldSelector },
      project: (object) => this.#kept(this.#project(object)),
      onPage: () => (this.#lastActivityAt = now()),
      signal,
    });
    this.#mustList = undefined;
    const missed = this.#cache.replace(items, resourceVersion, why === 'first' ? 'list' : 'relist');
    this.#relistAt = now() + relistMs * (0.8 + 0.4 * random());
    report({ type: 'listed', pages, items: items.length, ms: now() - startedAt });
    if (why !== 'first') report({ type: 'relisted', missed, why });
    if (this.#synced) return;
    this.#synced = true;
    this.#firstList.resolve(undefined);
    report({ type: 'synced', items: items.length });
  }

  /** Watches once: to the end that the server makes, or to silence. Throws KubeError for every other end. */
  async #watch(how: 'watchStarted' | 'resumed', signal: AbortSignal): Promise<void> {
    const { client, path, labelSelector, fieldSelector, now, random, report } = this.#options;
    const startedAt = now();
    const resourceVersion = this.#cache.seen ?? '';
    const untilRelist = Math.max(1, Math.ceil((this.#relistAt - startedAt) / 1_000));
    const timeoutSeconds = Math.min(300 + Math.floor(random() * 300), untilRelist);
    const end = (reason: WatchEnd): void => report({ type: 'watchEnded', reason, ms: now() - startedAt });
    try {
      const query = { watch: true, allowWatchBookmarks: true, timeoutSeconds, resourceVersion };
      const lines = await client.stream({ path, query: { ...query, labelSelector, fieldSelector }, signal });
      report({ type: how, resourceVersion });
      this.#watches += 1;
      this.#lastActivityAt = now();
      for await (const line of lines) {
        this.#lastActivityAt = now();
        this.#take(line);
      }
    } catch (thrown) {
      const error = errorOfThrown(`WATCH ${path}`, thrown, signal);
      const isIdle = codeOf(error.cause) === 'UND_ERR_BODY_TIMEOUT';
      end(isIdle ? 'idle' : endOf(error));
      if (isIdle) return;
      throw error;
    }
    end('ended');
    if (now() - startedAt < TOO_SHORT_MS && timeoutSeconds > 1) {
      throw new KubeError('Unavailable', `WATCH ${path} ended at once`);
    }
  }

  #take(line: string): void {
    const { path, report } = this.#options;
    const event = parseWatchEvent(line);
    if (event === undefined) {
      report({ type: 'badLine' });
      return;
    }
    if (event.type === 'BOOKMARK') {
      this.#cache.advance(event.resourceVersion);
      return;
    }
    if (event.type === 'ERROR') {
      const error = errorOfStatus(`WATCH ${path}`, event.object);
      report({ type: 'errorEvent', error });
      throw error;
    }
    const item = this.#project(event.object);
    if (item === undefined) return;
    if (this.#kept(item) === undefined) this.#cache.advance(item.resourceVersion);
    else if (event.type === 'DELETED') this.#cache.applyDeletion(item);
    else this.#cache.apply(item);
  }

  #kept(item: Projected<T> | undefined): Projected<T> | undefined {
    return item !== undefined && (this.#options.isKept?.(item) ?? true) ? item : undefined;
  }

  #project(object: unknown): Projected<T> | undefined {
    let item: Projected<T> | undefined;
    try {
      item = this.#options.project(object);
    } catch {
      item = undefined;
    }
    if (item === undefined) this.#options.report({ type: 'badLine' });
    return item;
  }

  #tell(change: Change<T>): void {
    try {
      this.#options.onChange?.(change);
    } catch (error) {
      this.#options.report({ type: 'handlerFailed', error });
    }
  }
}

/** The version cannot be watched from: gone, malformed, or (504, "too large") from before a restore of the cluster. */
function mustListAfter(error: KubeError): boolean {
  return error.reason === 'Expired' || error.status === 400 || error.status === 504;
}

function endOf(error: KubeError): WatchEnd {
  if (error.reason === 'Aborted') return 'aborted';
  return error.reason === 'Expired' ? 'expired' : 'failed';
}
