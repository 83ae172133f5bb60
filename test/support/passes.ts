// Whole passes over a namespace in memory, as the queue makes them: tests move the clock, refuse writes, play the other writers.
import { createCaches, type Caches, type ObjectCache } from '../../src/controller/observe.ts';
import type { PassWorld } from '../../src/controller/pass-world.ts';
import { reconcile } from '../../src/controller/reconcile.ts';
import { KubeError } from '../../src/core/errors.ts';
import { isManaged } from '../../src/core/names.ts';
import type { Skip, Write } from '../../src/core/plan-types.ts';
import type { Config, CredentialAnswer, EpochMs, Rule } from '../../src/core/types.ts';
import { createLimiter } from '../../src/kube/limiter.ts';
import { buildSettings, INSTANCE, NAMESPACE, NOW } from './builders.ts';
import { HealthyStore } from './healthy-store.ts';
import { observedSecret, PlannedWorld } from './planned-world.ts';

/** A namespace that is passed over. */
export class Passes {
  readonly world = new PlannedWorld();
  now: EpochMs = NOW;
  config: Config;
  /** False = there is no such namespace. */
  exists = true;
  terminating = false;
  /** Lives of credentials in milliseconds, by cache key; an hour by default. */
  readonly lives: Record<string, number> = {};
  /** The answer of a cloud; undefined = that of a store whose clouds always answer. */
  answer: (cacheKey: string) => CredentialAnswer | undefined = () => undefined;
  /** Why the API server refuses a write; undefined = it takes it. */
  refuse: (write: Write) => Error | undefined = () => undefined;
  /** Writes that were tried. */
  readonly tried: Write[] = [];
  /** Those that succeeded. */
  readonly writes: Write[] = [];
  /** What the last pass left alone. */
  skips: readonly Skip[] = [];
  /** What the last pass asked of the queue: `add`, `forget`, `retry 1000`. */
  scheduled: readonly string[] = [];
  /** When the last pass wants the namespace to be looked at again. */
  wakeAt: EpochMs | undefined;
  /** How often we were told to hold back from a fight. */
  pauses = 0;
  readonly caches: Caches;
  readonly #store: HealthyStore;
  readonly #world: PassWorld;

  constructor(rules: readonly Rule[], settings: Partial<Config> = {}) {
    this.config = { ...buildSettings(), webhook: undefined, ...settings, rules };
    this.#store = new HealthyStore(this.lives, this.config.thresholdMs);
    const namespaces = (): ReadonlyMap<string, ReturnType<PlannedWorld['observe']>['namespace']> => {
      const { namespace } = this.world.observe(INSTANCE);
      return new Map(this.exists ? [[NAMESPACE, { ...namespace, terminating: this.terminating }]] : []);
    };
    this.caches = createCaches({
      namespaces: cacheOf(namespaces),
      serviceAccounts: cacheOf(
        () => new Map(this.world.observe(INSTANCE).serviceAccounts.map((account) => [account.name, account])),
      ),
      secrets: cacheOf(() => {
        const all = [...this.world.secrets].map(([name, secret]) => [name, observedSecret(name, secret)] as const);
        return new Map(all.filter(([, secret]) => isManaged(secret, INSTANCE)));
      }),
    });
    this.#world = this.#passWorld();
  }

  /** Adds ServiceAccounts without references, each younger than the one before. */
  addAccounts(...names: readonly string[]): void {
    for (const name of names) {
      const [uid, resourceVersion] = [this.world.next(), this.world.next()];
      const createdAt = this.now + this.world.serviceAccounts.size;
      this.world.serviceAccounts.set(name, {
        uid,
        resourceVersion,
        createdAt,
        labels: {},
        imagePullSecrets: [],
        recorded: {},
      });
    }
  }

  /** Makes one pass. */
  async pass(): Promise<void> {
    this.scheduled = [];
    await reconcile(this.#world, NAMESPACE, new AbortController().signal);
  }

  #passWorld(): PassWorld {
    const ignore = (): void => undefined;
    const schedule = (what: string): void => void (this.scheduled = [...this.scheduled, what]);
    return {
      caches: this.caches,
      config: () => this.config,

      standingDown: () => false,
      instance: INSTANCE,
      store: {
        resolve: (wanted) => {
          const healthy = this.#store.resolve(wanted, this.now);
          return Promise.resolve(new Map([...healthy].map(([key, answer]) => [key, this.answer(key) ?? answer])));
        },
        current: (cacheKey) => {
          const answer = this.answer(cacheKey);
          const source = answer === undefined || answer.status === 'unavailable' ? undefined : answer.source;
          const held = answer === undefined ? this.#store.current(cacheKey) : source;
          return held === undefined ? undefined : { source: held };
        },
      },
      schedule: {
        add: () => schedule('add'),
        wakeAt: (_key, at) => void (this.wakeAt = at),
        retry: (_key, ms) => schedule(`retry ${ms}`),
        forget: () => schedule('forget'),
      },
      lane: createLimiter(8),
      makeWrite: async (write) => {
        await Promise.resolve();
        this.tried.push(write);
        const refusal = this.refuse(write);
        if (refusal !== undefined) throw refusal;
        const answer = this.world.apply(write, { instance: INSTANCE });
        if (answer !== 'Done') throw new KubeError(answer, `${write.kind} ${write.name}`);
        this.writes.push(write);
        return {};
      },
      absorb: ignore,
      readSecret: (_namespace, name) => {
        const stored = this.world.secrets.get(name);
        const secret = stored === undefined ? undefined : observedSecret(name, stored);
        return Promise.resolve(secret === undefined || isManaged(secret, INSTANCE) ? undefined : secret);
      },
      waiting: new Map(),
      observer: {
        onWrite: ignore,
        onFailedWrite: ignore,
        onPlan: (_namespace, plan) => void (this.skips = plan.skips),
        onGone: ignore,
        onContention: () => void (this.pauses += 1),
      },
      now: () => this.now,
    };
  }
}

function cacheOf<T>(read: () => ReadonlyMap<string, T>): ObjectCache<T> {
  return { get: (_namespace, name) => read().get(name), inNamespace: read, all: () => read().values() };
}
