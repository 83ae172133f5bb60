// Puts the parts together: every replica keeps the caches, the leader works on the queue.
import { setTimeout as pause } from 'node:timers/promises';
import type { Config, CredentialRequest, EpochMs, Parsed, SecretReference } from '../core/types.ts';
import { isManaged, stateSecretName } from '../core/names.ts';
import type { CredentialStore } from '../credentials/store.ts';
import type { KubeClient } from '../kube/client.ts';
import { ConfigurationSource, type ConfigurationState } from '../kube/configuration.ts';
import { createLimiter, type Limiter } from '../kube/limiter.ts';
import { projectSecret } from '../kube/projections.ts';
import type { ReflectorEvent } from '../kube/reflector.ts';
import type { SecretSources } from '../kube/secret-sources.ts';
import { VendorHelper } from '../kube/vendor-helper.ts';
import { createStateSecret } from '../kube/state-secret.ts';
import { makeWrite, readSecret } from '../kube/writes.ts';
import { createClusterCaches, type ClusterCaches } from './cluster-caches.ts';
import { createCaches, forgetWriters } from './observe.ts';
import type { PassObserver, PassWorld } from './pass-world.ts';
import { reconcile } from './reconcile.ts';
import { createSourceChanges } from './source-changes.ts';
import { StateKeeper } from './state.ts';
import { createTriggers } from './triggers.ts';
import { aborted, untilKnown } from './until.ts';
import { WorkQueue, type QueueObserver } from './work-queue.ts';

/** Namespaces that are worked on at a time, and writes that are under way at a time. */
const PASSES = 32;
const WRITES = 24;

/** How often what changed and could not be renewed is asked for again; no call is made when there is none. */
const RETRY_UNVERIFIED_MS = 60_000;

/** What the controller is given. */
export interface ControllerOptions {
  readonly client: KubeClient;
  readonly instance: string;
  /** Our own namespace. */
  readonly namespace: string;
  readonly configMap: { readonly namespace: string; readonly name: string };
  readonly parse: (data: Readonly<Record<string, string>>) => Parsed<Config>;
  /** Builds the store; what it tells goes to the hooks. */
  readonly createStore: (hooks: StoreHooks) => { readonly store: CredentialStore; readonly sources: SecretSources };
  readonly observer: ControllerObserver;
  readonly now: () => EpochMs;
  readonly random: () => number;
}

/** What the store and the Secrets of identities tell the controller. */
export interface StoreHooks {
  readonly thresholdMs: () => number;
  readonly onChanged: () => void;
  readonly onSettled: (cacheKey: string) => void;
  readonly onSourceChanged: (reference: SecretReference) => void;
}

/** What the controller tells: to logs, metrics and Events. */
export interface ControllerObserver extends PassObserver, QueueObserver {
  readonly onReflector: (kind: string, event: ReflectorEvent) => void;
  readonly onConfiguration: (state: ConfigurationState) => void;
  readonly onStateFailure: (error: unknown) => void;
  readonly onLeading: (leading: boolean) => void;
  /** Told by the leader: the add-on that this one replaces runs, or does not. */
  readonly onVendorHelper: (isRunning: boolean) => void;
}

/** The running whole. */
export interface Controller {
  readonly caches: ClusterCaches;
  readonly configuration: ConfigurationSource;
  readonly store: CredentialStore;
  readonly queue: WorkQueue;
  /** The add-on that this one replaces runs: nothing is written that it would undo. */
  readonly standingDown: boolean;
  /** Bounds the writes; says how many wait. */
  readonly lane: Pick<Limiter, 'waiting'>;
  /** Keeps the caches until aborted; never throws. */
  run(signal: AbortSignal): Promise<void>;
  /** Works on the queue until aborted, then lets the writes in flight end. Waits for the caches first. */
  lead(signal: AbortSignal): Promise<void>;
}

/** Builds a controller; nothing is read or written before `run` and `lead`. */
export function createController(options: ControllerOptions): Controller {
  const { client, instance, observer, now, random } = options;
  const waiting: PassWorld['waiting'] = new Map();
  const lane = createLimiter(WRITES);
  const queue = new WorkQueue({ concurrency: PASSES, now, random, observer });
  let leading = false;
  const triggers = createTriggers({
    // Whoever begins to lead looks at everything: before that, keys would only pile up.
    queue: {
      add: (key, lane) => {
        if (leading) queue.add(key, lane);
      },
    },
    caches: () => caches,
    takeWaiting: (cacheKey) => {
      const namespaces = waiting.get(cacheKey) ?? [];
      waiting.delete(cacheKey);
      return namespaces;
    },
  });
  const cluster = createClusterCaches({ client, instance, triggers, report: observer.onReflector, now, random });
  const caches = createCaches(cluster);
  const helper = new VendorHelper({
    client,
    onChange: (isRunning) => {
      if (leading) observer.onVendorHelper(isRunning);
      triggers.onEverything();
    },
    report: (event) => observer.onReflector('deployments', event),
    now,
    random,
  });
  const configuration = new ConfigurationSource({
    client,
    ...options.configMap,
    parse: options.parse,
    onChange: (state) => {
      observer.onConfiguration(state);
      applyConfiguration(state);
    },
    report: (event) => observer.onReflector('configmaps', event),
    now,
    random,
  });
  const changes = createSourceChanges({
    store: () => store,
    requests: () => requestsOf(configuration.state.good),
    leading: () => leading,
    onOtherSource: triggers.onEverything,
  });
  const { store, sources } = options.createStore({
    thresholdMs: () => configuration.state.good?.thresholdMs ?? 0,
    onChanged: () => {
      sources.retain(store.sources());
      keeper.changed();
    },
    onSettled: (cacheKey) => {
      changes.onSettled(cacheKey);
      triggers.onCredentialSettled(cacheKey);
    },
    onSourceChanged: changes.onSourceChanged,
  });
  const keeper = new StateKeeper({
    secret: createStateSecret(client, { namespace: options.namespace, name: stateSecretName(instance), instance }),
    instance,
    current: () => ({ credentials: store.snapshot(), configuration: configuration.state.goodData }),
    onFailure: observer.onStateFailure,
    pause: (ms, signal) => pause(ms, undefined, { signal, ref: false }).catch(() => undefined),
  });

  function applyConfiguration({ good, status }: ConfigurationState): void {
    if (good === undefined || status !== 'valid') return;
    store.retain(requestsOf(good).map((request) => request.cacheKey));
    store.resetBackoff();
    sources.retain(store.sources());
    caches.foreignSecrets.clear();
    caches.refusals.clear();
    keeper.changed();
    triggers.onEverything();
  }

  async function restore(signal: AbortSignal): Promise<void> {
    const state = await untilKnown(() => keeper.read(signal), observer.onStateFailure, signal);
    if (state === undefined) return;
    if (state.configuration !== undefined) configuration.restore(state.configuration);
    if (state.credentials !== undefined) store.load(state.credentials, now());
    // What was taken out of the configuration while nobody led must not come back.
    const { good } = configuration.state;
    if (good !== undefined) store.retain(requestsOf(good).map((request) => request.cacheKey));
  }

  async function lead(signal: AbortSignal): Promise<void> {
    await Promise.all([cluster.whenSynced(signal), configuration.whenSynced(signal)]);
    await restore(signal);
    await Promise.race([helper.whenAsked(), aborted(signal)]);
    if (signal.aborted) return;
    const world: PassWorld = {
      caches,
      config: () => configuration.state.good,
      standingDown: () => helper.isRunning,
      instance,
      store,
      schedule: queue,
      lane,
      makeWrite: makeWrite(client, instance),
      absorb: (write, answer) => cluster.absorb(write, answer),
      readSecret: async (namespace, name) => {
        const object = await readSecret(client, { namespace, name }, signal);
        const secret = object === undefined ? undefined : projectSecret(object);
        // Ours after all: the cache was behind.
        if (secret !== undefined && isManaged(secret.value, instance)) cluster.secrets.absorb(object);
        return secret === undefined || isManaged(secret.value, instance) ? undefined : secret.value;
      },
      waiting,
      observer,
      now,
    };
    // What an earlier term learnt is out of date: somebody else may have led meanwhile.
    forgetWriters(caches);
    waiting.clear();
    // From here to the look at everything nothing waits, so that no event is lost in between.
    leading = true;
    observer.onLeading(true);
    observer.onVendorHelper(helper.isRunning);
    const retries = setInterval(changes.retryUnverified, RETRY_UNVERIFIED_MS);
    try {
      keeper.start();
      keeper.changed();
      queue.start((key) => reconcile(world, key, signal));
      triggers.onEverything();
      changes.verifyLoaded();
      await aborted(signal);
    } finally {
      clearInterval(retries);
      leading = false;
      await queue.stop();
      await keeper.stop();
      observer.onLeading(false);
    }
  }

  return {
    caches: cluster,
    configuration,
    store,
    queue,
    lane,
    get standingDown() {
      return helper.isRunning;
    },
    run: async (signal) => {
      await Promise.all([cluster.run(signal), configuration.run(signal), helper.run(signal)]);
      await sources.stop();
    },
    lead: async (signal) => {
      try {
        await lead(signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  };
}

function requestsOf(config: Config | undefined): readonly CredentialRequest[] {
  return config?.rules.flatMap((rule) => rule.requests) ?? [];
}
