// One of several replicas leads, by a Lease, after client-go's tools/leaderelection.
//
// What is NOT guaranteed: that there is never more than one leader. There is no fencing: a leader that is stopped between its
// last look at the clock and a write may still make that write after another took over. This is harmless here, because every write
// carries the version that was observed: of two leaders one gets a Conflict and plans again. What is held up: a leader that
// cannot renew stops before another may start, as long as both clocks run at about the same speed; what they show is never
// compared. Identities must be unique for each process, not only for each Pod.
import { KubeError } from '../core/errors.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { errorOfThrown } from './errors.ts';
import {
  buildHeldLease,
  buildReleasedLease,
  mayHold,
  observeLease,
  readLease,
  type LeaseObservation,
} from './lease.ts';
import { pause } from './pause.ts';

/** What the election tells about itself. */
export type LeaderElectionEvent =
  | { readonly type: 'acquired' }
  /** `taken` = another holds the Lease, or it is gone; `deadline` = it could not be renewed in time. */
  | { readonly type: 'lost'; readonly why: 'taken' | 'deadline' }
  | { readonly type: 'released' }
  | { readonly type: 'otherLeader'; readonly identity: string }
  | { readonly type: 'failed'; readonly error: KubeError }
  /** A handler threw: a bug. Of `onStartedLeading`, the Lease is released and sought again after its duration. */
  | { readonly type: 'handlerFailed'; readonly error: unknown };

export interface LeaderElectionOptions {
  readonly client: KubeClient;
  /** Of the Lease. */
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  /** How long others wait for a leader that they no longer hear of, milliseconds; default 15,000. */
  readonly leaseDurationMs?: number;
  /** A leader that could not renew for this long stops; must be less than the duration; default 10,000. */
  readonly renewDeadlineMs?: number;
  /** Between attempts, milliseconds; default 2,000. */
  readonly retryPeriodMs?: number;
  readonly now: () => EpochMs;
  readonly random: () => number;
  /** Milliseconds on a clock that is never set; default that of the process. */
  readonly elapsed?: () => number;
  /** Works as the leader until `signal` is aborted, then settles soon: only after that is the Lease released or sought again. */
  readonly onStartedLeading: (signal: AbortSignal) => Promise<void> | void;
  readonly onStoppedLeading: () => void;
  readonly report: (event: LeaderElectionEvent) => void;
}

/** A Lease that we hold, and since when that is certain. */
interface Held {
  readonly lease: KubeObject;
  /** Just before the call that renewed it. */
  readonly renewedAt: number;
}

type Settings = Required<LeaderElectionOptions> & { readonly collection: string; readonly path: string };

/** Takes part until `signal` is aborted, then releases the Lease if it is held; never throws. */
export async function runLeaderElection(options: LeaderElectionOptions, signal: AbortSignal): Promise<void> {
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(options.namespace)}/leases`;
  const settings: Settings = {
    leaseDurationMs: 15_000,
    renewDeadlineMs: 10_000,
    retryPeriodMs: 2_000,
    elapsed: () => performance.now(),
    ...options,
    collection,
    path: `${collection}/${encodeURIComponent(options.name)}`,
  };
  while (!signal.aborted) {
    const held = await acquire(settings, signal);
    if (held === undefined) return;
    const worked = await lead(settings, held, signal);
    // Another may do better: it gets the time to take over, and a bug that is always met does not turn in a circle.
    if (!worked) await pause(settings.leaseDurationMs, signal).catch(() => undefined);
  }
}

/** Tries until it holds the Lease; undefined = stopped. */
async function acquire(settings: Settings, signal: AbortSignal): Promise<Held | undefined> {
  const { identity, elapsed, random, retryPeriodMs, report } = settings;
  let observation: LeaseObservation | undefined;
  let told: string | undefined;
  while (!signal.aborted) {
    try {
      const renewedAt = elapsed();
      const lease = await readOrCreate(settings, signal);
      observation = observeLease(observation, readLease(lease), elapsed());
      if (mayHold(observation, identity, elapsed())) {
        return { lease: await hold(settings, { lease, timeoutMs: settings.renewDeadlineMs, signal }), renewedAt };
      }
      if (told !== observation.record.holder) report({ type: 'otherLeader', identity: observation.record.holder });
      told = observation.record.holder;
    } catch (thrown) {
      const error = errorOfThrown('Leader election', thrown, signal);
      // Somebody was faster: no failure, look again.
      if (!['Conflict', 'AlreadyExists', 'Aborted'].includes(error.reason)) report({ type: 'failed', error });
    }
    await pause(retryPeriodMs * (1 + 1.2 * random()), signal).catch(() => undefined);
  }
  return undefined;
}

/** Leads until the Lease is lost or `signal` is aborted, and until the work has ended; false = the work threw. */
async function lead(settings: Settings, held: Held, signal: AbortSignal): Promise<boolean> {
  const { onStartedLeading, onStoppedLeading, renewDeadlineMs, report } = settings;
  const leading = new AbortController();
  const failed = new AbortController();
  report({ type: 'acquired' });
  const work = Promise.resolve()
    .then(() => onStartedLeading(leading.signal))
    .catch((error: unknown) => {
      // A leader that does nothing must not keep others from leading.
      failed.abort();
      report({ type: 'handlerFailed', error });
    });

  const end = await keep(settings, held, AbortSignal.any([signal, failed.signal]));
  leading.abort();
  if (end.why !== 'stopped') report({ type: 'lost', why: end.why });
  try {
    onStoppedLeading();
  } catch (error) {
    report({ type: 'handlerFailed', error });
  }
  if (end.why !== 'stopped') {
    await work;
    return !failed.signal.aborted;
  }
  // Work that does not end keeps the Lease: others wait for its duration rather than work at the same time.
  const waiting = new AbortController();
  const ended = await Promise.race([
    work.then(() => true),
    pause(renewDeadlineMs, waiting.signal).then(
      () => false,
      () => false,
    ),
  ]);
  waiting.abort();
  if (ended) await release(settings, end.lease);
  return !failed.signal.aborted;
}

/** Renews until that is no longer possible or wanted. */
async function keep(
  settings: Settings,
  held: Held,
  signal: AbortSignal,
): Promise<{ readonly why: 'stopped' | 'taken' | 'deadline'; readonly lease: KubeObject }> {
  const { identity, elapsed, renewDeadlineMs, retryPeriodMs, report } = settings;
  let { lease, renewedAt } = held;
  const left = (): number => renewDeadlineMs - (elapsed() - renewedAt);
  for (;;) {
    await pause(Math.max(0, Math.min(retryPeriodMs, left())), signal).catch(() => undefined);
    if (signal.aborted) return { why: 'stopped', lease };
    if (left() <= 0) return { why: 'deadline', lease };
    // One call that hangs must not use up the whole time.
    const timeoutMs = Math.ceil(Math.min(left(), 2 * retryPeriodMs));
    const startedAt = elapsed();
    try {
      lease = await hold(settings, { lease, timeoutMs, signal });
      renewedAt = startedAt;
    } catch (thrown) {
      const error = errorOfThrown('Leader election', thrown, signal);
      if (error.reason === 'NotFound') return { why: 'taken', lease };
      if (error.reason !== 'Conflict') {
        if (error.reason !== 'Aborted') report({ type: 'failed', error });
        continue;
      }
      const current = await reread(settings, { timeoutMs, signal });
      if (current === undefined) continue;
      if (readLease(current).holder !== identity) return { why: 'taken', lease };
      lease = current;
    }
  }
}

/** The Lease as it is now; undefined when that cannot be read. */
async function reread(
  { client, path, report }: Settings,
  call: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<KubeObject | undefined> {
  try {
    return await client.call({ method: 'GET', path, ungated: true, ...call });
  } catch (thrown) {
    const error = errorOfThrown('Leader election', thrown, call.signal);
    if (error.reason !== 'Aborted') report({ type: 'failed', error });
    return undefined;
  }
}

async function readOrCreate(settings: Settings, signal: AbortSignal): Promise<KubeObject> {
  const { client, path, collection, namespace, name, renewDeadlineMs: timeoutMs } = settings;
  try {
    return await client.call({ method: 'GET', path, timeoutMs, ungated: true, signal });
  } catch (error) {
    if (!(error instanceof KubeError) || error.reason !== 'NotFound') throw error;
  }
  const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name }, spec: {} };
  return client.call({ method: 'POST', path: collection, body, timeoutMs, ungated: true, signal });
}

/** One guarded write; gives the Lease as it is then. */
function hold(
  settings: Settings,
  { lease, ...call }: { readonly lease: KubeObject; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<KubeObject> {
  const { client, path, identity, leaseDurationMs, now } = settings;
  const body = buildHeldLease(lease, { identity, leaseDurationMs, now: now() });
  return client.call({ method: 'PUT', path, body, ungated: true, ...call });
}

async function release(settings: Settings, lease: KubeObject): Promise<void> {
  const { client, path, now, retryPeriodMs, report } = settings;
  try {
    const body = buildReleasedLease(lease, now());
    await client.call({ method: 'PUT', path, body, timeoutMs: 2 * retryPeriodMs, ungated: true });
    report({ type: 'released' });
  } catch (thrown) {
    const error = errorOfThrown('Releasing the Lease', thrown, undefined);
    if (error.reason !== 'Conflict') report({ type: 'failed', error });
  }
}
