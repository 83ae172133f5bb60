// Follows the `ImagePullSecret` resources, and first of all whether the cluster serves them. A resource counts as deleted only while
// its definition is there to stay: whoever removes the vendor's add-on with its definition must not take every credential along.
import { isRecord } from '../core/records.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient, KubeObject } from './client.ts';
import type { Change } from './object-cache.ts';
import { isFinal } from './errors.ts';
import { isStillDefined } from './definition-calls.ts';
import { followObject } from './one-object.ts';
import type { ReflectorEvent } from './reflector-event.ts';
import { Reflector } from './reflector.ts';
import {
  DEFINITION,
  isAsBefore,
  isServed,
  projectResource,
  RESOURCES_PATH,
  uidOf,
  versionOf,
  type Resource,
  type ResourceChange,
} from './resource-objects.ts';

/** Whether there can be resources: `unknown` = it was not seen yet, or may not be looked for. */
export type ResourceKindState = 'unknown' | 'absent' | 'served';

export interface ImagePullSecretsOptions {
  readonly client: KubeClient;
  /** A resource came, went or changed its spec or its labels; must not wait for anything. */
  readonly onChange: (change: ResourceChange) => void;
  /** The kind began or ceased to be served; between two definitions it always does. */
  readonly onKind: (state: ResourceKindState) => void;
  /** The definition was seen, in this version; undefined = there is none. */
  readonly onDefinition: (version: string | undefined) => void;
  readonly report: (kind: 'customresourcedefinitions' | 'imagepullsecrets', event: ReflectorEvent) => void;
  readonly now: () => EpochMs;
  readonly random: () => number;
}

/** What liveness needs to know of a watch. */
export type Watched = Pick<Reflector<unknown>, 'synced' | 'lastActivityAt' | 'restarts'>;

interface Following {
  readonly definitionUid: string;
  readonly reflector: Reflector<Resource>;
  readonly stop: AbortController;
}

/** The resources, followed while `run` runs. */
export class ImagePullSecrets {
  readonly #options: ImagePullSecretsOptions;
  readonly #definition: Reflector<KubeObject>;
  readonly #asked = Promise.withResolvers<undefined>();
  /** What counts as being there; in the order of their names. */
  readonly #resources = new Map<string, Resource>();
  #following: Following | undefined;
  /** The definition whose resources are known. */
  #servedUid: string | undefined;
  #state: ResourceKindState = 'unknown';
  #signal: AbortSignal | undefined;

  constructor(options: ImagePullSecretsOptions) {
    this.#options = options;
    const { client, report, now, random } = options;
    this.#definition = followObject({
      client,
      place: DEFINITION,
      onChange: () => this.#look(),
      report: (event) => {
        if (event.type === 'synced') this.#look();
        // Whoever may not look for it serves no resources: that is told, and the rest goes on.
        if (event.type === 'failed' && isFinal(event.error)) this.#asked.resolve(undefined);
        report('customresourcedefinitions', event);
      },
      now,
      random,
    });
  }

  get state(): ResourceKindState {
    return this.#state;
  }

  /** UID of the definition of those that are known, also when it is gone, or another one whose resources are not known yet; undefined = none are. */
  get definition(): string | undefined {
    return this.#servedUid;
  }

  /** Those that are there; while the kind is not served, those that were there last. */
  all(): readonly Resource[] {
    return [...this.#resources.values()];
  }

  /** One of them. */
  get(name: string): Resource | undefined {
    return this.#resources.get(name);
  }

  /** Those that the API server serves now, in their latest version; undefined = none are, or it is not known yet. */
  served(): readonly Resource[] | undefined {
    const reflector = this.#following?.reflector;
    return this.#state === 'served' && reflector?.synced === true ? [...reflector.all()] : undefined;
  }

  /** One in its latest version, with the status that it has now. */
  latest(name: string): Resource | undefined {
    return this.#following?.reflector.get('', name) ?? this.#resources.get(name);
  }

  /** Puts the answer to one of our own writes into the cache. */
  absorb(object: unknown): void {
    this.#following?.reflector.absorb(object);
    const name = isRecord(object) && isRecord(object.metadata) ? object.metadata.name : undefined;
    const after = typeof name === 'string' ? this.#following?.reflector.get('', name) : undefined;
    if (after !== undefined && this.#resources.has(after.name)) this.#resources.set(after.name, after);
  }

  /** The watches, for liveness. */
  reflectors(): readonly { readonly kind: string; readonly reflector: Watched }[] {
    return [
      { kind: 'customresourcedefinitions', reflector: this.#definition },
      ...(this.#following === undefined ? [] : [{ kind: 'imagepullsecrets', reflector: this.#following.reflector }]),
    ];
  }

  /** Resolves when it is known whether the kind is served and, where it is, which resources there are; or that nobody may know. */
  whenAsked(): Promise<undefined> {
    return this.#asked.promise;
  }

  /** Follows until aborted; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    await this.#definition.run(signal);
    this.#unfollow();
  }

  #look(): void {
    if (!this.#definition.synced) return;
    const definition = this.#definition.get('', DEFINITION.name);
    this.#options.onDefinition(definition && versionOf(definition));
    const uid = definition === undefined || !isServed(definition) ? undefined : uidOf(definition);
    if (uid === this.#following?.definitionUid) {
      if (uid === undefined) this.#become('absent');
      return;
    }
    this.#unfollow();
    // Also when another is there already: until its resources are listed, those of the last one count.
    if (uid === undefined || this.#state === 'served') this.#become('absent');
    if (uid !== undefined) this.#follow(uid);
  }

  #follow(definitionUid: string): void {
    const { client, report, now, random } = this.#options;
    const signal = this.#signal;
    if (signal === undefined || signal.aborted) return;
    const stop = new AbortController();
    const reflector = new Reflector<Resource>({
      client,
      path: RESOURCES_PATH,
      project: projectResource,
      isEqual: isAsBefore,
      onChange: (change) => this.#take(change, reflector),
      report: (event) => {
        if (event.type === 'synced') this.#synced(reflector);
        if (event.type === 'failed' && isFinal(event.error)) this.#asked.resolve(undefined);
        report('imagepullsecrets', event);
      },
      now,
      random,
    });
    this.#following = { definitionUid, reflector, stop };
    void reflector.run(AbortSignal.any([signal, stop.signal]));
  }

  /** Reads them anew: a watch that is older than a change of the definition shows them without the fields that it has learnt. */
  reread(): void {
    const uid = this.#following?.definitionUid;
    this.#unfollow();
    if (uid !== undefined) this.#follow(uid);
  }

  #unfollow(): void {
    this.#following?.stop.abort();
    this.#following = undefined;
  }

  /** What is remembered from before, and is not in the first list, was deleted while the kind was not served. */
  #synced(reflector: Reflector<Resource>): void {
    if (this.#following?.reflector !== reflector) return;
    const there = new Set([...reflector.all()].map(({ name }) => name));
    const gone = this.all().filter(({ name }) => !there.has(name));
    const { definitionUid } = this.#following;
    const isSame = this.#servedUid === definitionUid;
    this.#servedUid = definitionUid;
    // First: what is told of the kind is acted upon at once, and what is gone must not count as known under another definition.
    for (const before of gone) {
      if (isSame) void this.#confirmDeletion(before);
      else this.#remove(before, false);
    }
    this.#become('served');
  }

  #take({ name, after }: Change<Resource>, reflector: Reflector<Resource>): void {
    if (this.#following?.reflector !== reflector) return;
    const before = this.#resources.get(name);
    if (after === undefined) {
      if (before !== undefined) void this.#confirmDeletion(before);
      return;
    }
    this.#resources.set(name, after);
    if (before === undefined || !isAsBefore(before, after)) this.#options.onChange({ before, after });
  }

  /** Asks for the definition before a deletion counts: it goes first, and the two watches come in any order. */
  async #confirmDeletion(before: Resource): Promise<void> {
    const [signal, uid] = [this.#signal, this.#following?.definitionUid];
    // Gone, going, or another one: the look at it decides what becomes of its resources.
    if (signal === undefined || !(await isStillDefined(uid, { ...this.#options, signal }))) return;
    const { reflector, definitionUid } = this.#following ?? {};
    // Another of the same name may have come meanwhile; and while they are read anew it shows then.
    const isAway = reflector?.synced === true && reflector.get('', before.name) === undefined;
    if (isAway && definitionUid === uid) this.#remove(before, true);
  }

  #remove(before: Resource, isDeleted: boolean): void {
    if (this.#resources.get(before.name)?.uid !== before.uid) return;
    this.#resources.delete(before.name);
    this.#options.onChange({ before, after: undefined, isDeleted });
  }

  #become(state: ResourceKindState): void {
    const isNews = this.#state !== state;
    this.#state = state;
    this.#asked.resolve(undefined);
    if (isNews) this.#options.onKind(state);
  }
}
