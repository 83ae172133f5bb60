// One kind in several namespaces, each followed by itself: for whoever may not read it in the whole cluster. A namespace that may not be
// read, or is not there yet, holds up none of the others.
import { isRecord } from '../core/records.ts';
import type { EpochMs } from '../core/types.ts';
import { Reflector, type ReflectorEvent, type ReflectorOptions } from './reflector.ts';

/** One kind as it is read from memory, whether a reflector follows it or a group of them. */
export interface Followed<T> extends Pick<Reflector<T>, keyof Reflector<T>> {
  /** False = what is held of this namespace may not be relied on; absent = where the whole is synced, every namespace is. */
  isKnownIn?(namespace: string): boolean;
}

/** What to follow, and whom to tell. */
export interface ReflectorGroupOptions<T> extends Omit<ReflectorOptions<T>, 'path' | 'report'> {
  /** In the core group: `secrets`. */
  readonly resource: string;
  readonly namespaces: readonly string[];
  readonly report: (namespace: string, event: ReflectorEvent) => void;
  /** `isKnownIn` of this namespace has changed; must not wait for anything. */
  readonly onKnown: (namespace: string) => void;
}

interface Member<T> {
  readonly reflector: Reflector<T>;
  readonly asked: PromiseWithResolvers<undefined>;
  /** True for ever once the API server gave a list, or refused one. */
  wasAsked: boolean;
  /** The last refusal since something was read; undefined = it may be read. */
  refusedAt: EpochMs | undefined;
  wasKnown: boolean;
}

/** One kind, followed in each namespace while `run` runs. Reads are from memory. */
export class ReflectorGroup<T> implements Followed<T> {
  readonly #members = new Map<string, Member<T>>();
  readonly #options: ReflectorGroupOptions<T>;

  constructor(options: ReflectorGroupOptions<T>) {
    const { resource, namespaces } = options;
    this.#options = options;
    for (const namespace of namespaces) {
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/${resource}`;
      const member: Member<T> = {
        reflector: new Reflector<T>({ ...options, path, report: (event) => this.#note(namespace, member, event) }),
        asked: Promise.withResolvers(),
        wasAsked: false,
        refusedAt: undefined,
        wasKnown: false,
      };
      this.#members.set(namespace, member);
    }
  }

  /** True once every namespace was listed, or refused. */
  get synced(): boolean {
    return this.#all().every(({ wasAsked }) => wasAsked);
  }

  /** False while it was not listed, or may not be read: what is held of it may be out of date. */
  isKnownIn(namespace: string): boolean {
    const member = this.#members.get(namespace);
    return member !== undefined && isKnown(member);
  }

  /** Where the API server was silent longest, of what is known or refused: a refusal is an answer. */
  get lastActivityAt(): EpochMs {
    const heard = this.#all().flatMap(
      ({ reflector, refusedAt }) => refusedAt ?? (reflector.synced ? reflector.lastActivityAt : []),
    );
    return Math.min(...(heard.length > 0 ? heard : this.#all().map(({ reflector }) => reflector.lastActivityAt)));
  }

  get restarts(): number {
    return this.#all().reduce((sum, { reflector }) => sum + reflector.restarts, 0);
  }

  get size(): number {
    return this.#all().reduce((sum, { reflector }) => sum + reflector.size, 0);
  }

  get(namespace: string, name: string): T | undefined {
    return this.#members.get(namespace)?.reflector.get(namespace, name);
  }

  inNamespace(namespace: string): ReadonlyMap<string, T> {
    return this.#members.get(namespace)?.reflector.inNamespace(namespace) ?? EMPTY;
  }

  *all(): Generator<T> {
    for (const { reflector } of this.#members.values()) yield* reflector.all();
  }

  /** Settles once every namespace was listed, or refused. Throws KubeError `Aborted`. */
  async whenSynced(signal: AbortSignal): Promise<void> {
    await Promise.all(
      this.#all().map(({ reflector, asked }) => Promise.race([reflector.whenSynced(signal), asked.promise])),
    );
  }

  /** See Reflector; what is in none of the namespaces is dropped. */
  absorb(object: unknown): void {
    const { namespace } = isRecord(object) && isRecord(object.metadata) ? object.metadata : {};
    if (typeof namespace === 'string') this.#members.get(namespace)?.reflector.absorb(object);
  }

  absorbDeletion(namespace: string, name: string, uid: string): void {
    this.#members.get(namespace)?.reflector.absorbDeletion(namespace, name, uid);
  }

  /** Follows until aborted; never throws. Call it once. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#all().map(({ reflector }) => reflector.run(signal)));
  }

  #all(): readonly Member<T>[] {
    return [...this.#members.values()];
  }

  #note(namespace: string, member: Member<T>, event: ReflectorEvent): void {
    // A list alone is no proof: who may not watch would be known for a moment with each.
    if (event.type === 'watchStarted' || event.type === 'resumed') {
      member.refusedAt = undefined;
    } else if (event.type === 'failed' && ['Forbidden', 'NotFound'].includes(event.error.reason)) {
      member.refusedAt = this.#options.now();
    }
    if (member.reflector.synced || member.refusedAt !== undefined) {
      member.wasAsked = true;
      member.asked.resolve(undefined);
    }
    this.#options.report(namespace, event);
    if (isKnown(member) === member.wasKnown) return;
    member.wasKnown = isKnown(member);
    this.#options.onKnown(namespace);
  }
}

function isKnown<T>({ reflector, refusedAt }: Member<T>): boolean {
  return reflector.synced && refusedAt === undefined;
}

const EMPTY: ReadonlyMap<string, never> = new Map<string, never>();
