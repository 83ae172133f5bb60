// One pass over one namespace: observe, ask for credentials, plan, apply, report, say when to look again.
import type { PlanSettings, WantedCredential } from '../core/assess-secret.ts';
import { desiredFor } from '../core/desired.ts';
import { disposition, KubeError } from '../core/errors.ts';
import { planNamespace, planUnread } from '../core/plan.ts';
import { standDown } from '../core/stand-down.ts';
import { soonest, wantedCredentials, type PlanContext } from '../core/plan-secrets.ts';
import type { Plan } from '../core/plan-types.ts';
import type { Config, CredentialAnswer, Observed } from '../core/types.ts';
import { applyPlan, type Applied } from './apply.ts';
import { isRefused, noteFailures, noteWritten } from './note-writes.ts';
import { observe } from './observe.ts';
import type { PassWorld, Schedule } from './pass-world.ts';

/** How soon a namespace is planned again when only the world moved, milliseconds; it doubles with each time in a row. */
const REPLAN_MS = 10;
const RETRY_MS = 1_000;

/** Makes one pass over the namespace `key`. Ends early when `signal` aborts: nothing is written after that. */
export async function reconcile(world: PassWorld, key: string, signal: AbortSignal): Promise<void> {
  const config = world.config();
  const look = (): Observed | undefined =>
    observe(world.caches, key, {
      secretNames: config?.rules.map((rule) => rule.secretName) ?? [],
      now: world.now(),
    });
  const first = look();
  if (config === undefined || first === undefined) {
    world.schedule.wakeAt(key, undefined);
    world.schedule.forget(key);
    if (first === undefined) forgetNamespace(world, key);
    return;
  }
  // What comes after it under the same names is new, also when nobody sees it gone.
  if (first.namespace.terminating) world.caches.contention.forgetNamespace(key);
  if (!world.caches.isRead(key)) {
    // Whoever can read it again wakes it.
    world.observer.onPlan(key, planUnread(first.namespace));
    world.schedule.wakeAt(key, undefined);
    world.schedule.forget(key);
    return;
  }
  const contextOf = (observed: Observed): PlanContext => ({
    settings: settingsOf(config, world.instance),
    observed,
    currentSource: (cacheKey) => world.store.current(cacheKey)?.source,
    now: world.now(),
  });
  const wanted = wantedCredentials(desiredFor(config, first.namespace), contextOf(first));
  const answers = wanted.length === 0 ? new Map<string, CredentialAnswer>() : await askStore(world, key, wanted);
  // The world may have moved while a cloud was asked: what is decided now follows from what is there now.
  const observed = wanted.length === 0 ? first : look();
  if (world.config() !== config || observed === undefined || !world.caches.isRead(key)) {
    world.schedule.add(key);
    return;
  }
  const whole = planNamespace(desiredFor(config, observed.namespace), answers, contextOf(observed));
  const plan = world.standingDown() ? standDown(whole) : whole;
  world.observer.onPlan(key, plan);
  const applied = await applyPlan(plan, {
    makeWrite: world.makeWrite,
    lane: world.lane,
    signal,
    onWritten: (write, answer) => noteWritten(world, write, answer),
  });
  if (signal.aborted) return;
  await lookAtTakenNames(world, applied);
  const refusedUntil = noteFailures(world, applied);
  world.schedule.wakeAt(key, soonest(plan.nextCheckAt, refusedUntil));
  schedule(world.schedule, key, plan, applied);
}

/** What planning takes from the configuration. */
export function settingsOf(
  { thresholdMs, adoptExisting, secretLabels, email }: Config,
  instance: string,
): PlanSettings {
  return { instance, thresholdMs, adoptExisting, secretLabels, email };
}

/** Nothing is kept of a namespace that is gone: clusters make and remove thousands. */
function forgetNamespace(world: PassWorld, key: string): void {
  world.observer.onGone(key);
  world.caches.foreignSecrets.forgetNamespace(key);
  world.caches.contention.forgetNamespace(key);
  world.caches.refusals.forgetNamespace(key);
  for (const namespaces of world.waiting.values()) namespaces.delete(key);
}

/** Waits among those that want these credentials, before asking: a fetch may end before its answer is read here. */
async function askStore(
  world: PassWorld,
  key: string,
  wanted: readonly WantedCredential[],
): Promise<ReadonlyMap<string, CredentialAnswer>> {
  for (const { request } of wanted) {
    const namespaces = world.waiting.get(request.cacheKey) ?? new Set();
    world.waiting.set(request.cacheKey, namespaces.add(key));
  }
  const answers = await world.store.resolve(wanted);
  for (const [cacheKey, answer] of answers) {
    if (answer.status !== 'fresh' && answer.failure.reason === 'CredentialPending') continue;
    const namespaces = world.waiting.get(cacheKey);
    namespaces?.delete(key);
    if (namespaces?.size === 0) world.waiting.delete(cacheKey);
  }
  return answers;
}

/** AlreadyExists at create: somebody holds the name and our watch does not show it. Read that one name, then plan again. */
async function lookAtTakenNames(world: PassWorld, { failed }: Applied): Promise<void> {
  for (const { write, error } of failed) {
    if (write.kind === 'patch-service-account' || !(error instanceof KubeError)) continue;
    world.caches.foreignSecrets.forget(write.namespace, write.name);
    if (error.reason !== 'AlreadyExists') continue;
    try {
      const secret = await world.readSecret(write.namespace, write.name);
      if (secret !== undefined) world.caches.foreignSecrets.remember(secret, world.now());
    } catch (readError) {
      world.observer.onFailedWrite({ write, error: readError });
    }
  }
}

/** Looks again sooner than the plan says where something failed. What was refused does not count: it waits for itself. */
function schedule(queue: Schedule, key: string, { truncated }: Plan, { failed, held }: Applied): void {
  const tryAgain = failed.filter((failure) => !isRefused(failure));
  if (tryAgain.length > 0) {
    queue.retry(key, Math.min(...tryAgain.map(({ error }) => pauseFor(error))));
    return;
  }
  if (held.length > 0 && !truncated) {
    queue.retry(key, RETRY_MS);
    return;
  }
  queue.forget(key);
  if (truncated) queue.add(key);
}

function pauseFor(error: unknown): number {
  const what = disposition(error);
  if (what.kind === 'replan') return REPLAN_MS;
  return Math.max((what.kind === 'retry' ? what.afterMs : undefined) ?? 0, RETRY_MS);
}
