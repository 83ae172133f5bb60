// Puts the parts together: every replica keeps the caches, the leader works on the queue.
import { stateSecretName, VENDOR_HELPER } from '../core/names.ts';
import type { Config } from '../core/types.ts';
import { ConfigurationSource, type ConfigurationState } from '../kube/configuration.ts';
import { createLimiter } from '../kube/limiter.ts';
import { createStateSecret } from '../kube/state-secret.ts';
import { VendorHelper } from '../kube/vendor-helper.ts';
import { makeWrite } from '../kube/writes.ts';
import { createClusterCaches } from './cluster-caches.ts';
import type { Controller, ControllerOptions } from './controller-options.ts';
import { createInForce } from './in-force.ts';
import { LeftBehind } from './left-behind.ts';
import { createCaches, forgetWriters } from './observe.ts';
import type { PassWorld } from './pass-world.ts';
import { reconcile, settingsOf } from './reconcile.ts';
import { createResources } from './resources.ts';
import { createSecretReader } from './secret-reader.ts';
import { createSourceChanges } from './source-changes.ts';
import { StateKeeper } from './state.ts';
import { createTriggers } from './triggers.ts';
import { aborted, untilKnown, waitFor } from './until.ts';
import { WorkQueue } from './work-queue.ts';

/** Namespaces that are worked on at a time, and writes that are under way at a time. */
const PASSES = 32;
const WRITES = 24;

/** How often what changed and could not be renewed is asked for again; no call is made when there is none. */
const RETRY_UNVERIFIED_MS = 60_000;

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
  const cluster = createClusterCaches({ ...options, triggers, report: observer.onReflector });
  const caches = createCaches(cluster);
  const helper = new VendorHelper({
    client,
    place: VENDOR_HELPER,
    isLookedFor: options.takeOver ?? true,
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
    requests: () => force.requests() ?? [],
    leading: () => leading,
    onOtherSource: triggers.onEverything,
  });
  const { store, sources, revocations } = options.createStore({
    thresholdMs: () => inForce()?.thresholdMs ?? 0,
    onChanged: () => {
      sources.retain(store.sources());
      keeper.changed();
    },
    onSettled: (cacheKey) => {
      changes.onSettled(cacheKey);
      triggers.onCredentialSettled(cacheKey);
      leftBehind.attemptEnded(cacheKey, store.failure(cacheKey) !== undefined);
      resources.changed();
    },
    onSourceChanged: changes.onSourceChanged,
    readResource: (name) => resources.source(name),
  });
  const keeper: StateKeeper = new StateKeeper({
    secret: createStateSecret(client, { namespace: options.namespace, name: stateSecretName(instance), instance }),
    instance,
    current: () => ({
      credentials: store.snapshot(),
      configuration: configuration.state.goodData,
      resources: resources.lastGood(),
      minted: leftBehind.snapshot(),
    }),
    onFailure: observer.onStateFailure,
    pause: waitFor,
  });

  const force = createInForce({
    configuration: () => configuration.state,
    resources: () => resources,
    parse: options.parse,
  });
  const inForce = (): Config | undefined => force.config();

  const leftBehind: LeftBehind = new LeftBehind({
    revocations,
    inForce: force,
    current: (cacheKey) => store.current(cacheKey),
    secrets: () => cluster.secrets.all(),
    isBusy: () => queue.depth > 0 || queue.working > 0 || !keeper.isWritten || !cluster.isWhole(),
    onChanged: () => keeper.changed(),
    observer,
    now,
    pause: waitFor,
  });
  const resources = createResources({
    client,
    parse: options.parseResource,
    config: inForce,
    settings: (config) => settingsOf(config, instance),
    caches: () => caches,
    credentials: {
      source: (cacheKey) => store.current(cacheKey)?.source,
      facts: (cacheKey) => store.current(cacheKey),
      failure: (cacheKey) => store.failure(cacheKey),
    },
    onRules(rules) {
      forgetRules();
      if (rules === undefined) triggers.onEverything();
      else triggers.onRules(rules);
    },
    onSource: changes.onSourceChanged,
    observer,
    report: observer.onReflector,
    now,
    random,
  });

  /** What is in force is another: nothing is kept that belongs to what is not. */
  function forgetRules(): void {
    force.changed();
    if (force.areAllKnown()) store.retain((force.requests() ?? []).map((request) => request.cacheKey));
    sources.retain(store.sources());
    if (leading) leftBehind.rulesChanged();
    keeper.changed();
  }

  function applyConfiguration({ good, status }: ConfigurationState): void {
    if (good === undefined || status !== 'valid') return;
    forgetRules();
    store.resetBackoff();
    for (const memory of [caches.foreignSecrets, caches.refusals]) memory.clear();
    triggers.onEverything();
  }

  async function restore(signal: AbortSignal): Promise<void> {
    const state = await untilKnown(() => keeper.read(signal), observer.onStateFailure, signal);
    if (state === undefined) return;
    if (state.configuration !== undefined) configuration.restore(state.configuration);
    resources.restore(state.resources);
    if (state.credentials !== undefined) store.load(state.credentials, now());
    leftBehind.load(state.minted);
    // What was taken out of the configuration while nobody led must not come back.
    if (inForce() !== undefined) forgetRules();
  }

  async function lead(signal: AbortSignal): Promise<void> {
    await Promise.all([cluster.whenSynced(signal), configuration.whenSynced(signal)]);
    await Promise.race([Promise.all([helper.whenAsked(), resources.whenAsked()]), aborted(signal)]);
    await restore(signal);
    if (signal.aborted) return;
    const world: PassWorld = {
      caches,
      config: inForce,
      standingDown: () => helper.isRunning,
      instance,
      store,
      schedule: queue,
      lane,
      makeWrite: makeWrite(client, instance),
      absorb: (write, answer) => cluster.absorb(write, answer),
      readSecret: createSecretReader({ client, cluster, instance, signal }),
      waiting,
      observer: resources.observing(observer, () => leftBehind.changed()),
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
      leftBehind.rulesChanged();
      queue.start((key) => reconcile(world, key, signal));
      triggers.onEverything();
      changes.verifyLoaded();
      await Promise.all([resources.lead(signal), leftBehind.run(signal)]);
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
    resources,
    get config() {
      return inForce();
    },
    store,
    queue,
    lane,
    leftBehind,
    get standingDown() {
      return helper.isRunning;
    },
    run: async (signal) => {
      await Promise.all([cluster, configuration, helper, resources].map((part) => part.run(signal)));
      await sources.stop();
    },
    lead: (signal) =>
      lead(signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      }),
  };
}
