// Undoes a whole installation: plans every namespace as if no rule reached it, and carries that out or prints it; then what is at clouds.
import { planNamespace } from '../core/plan.ts';
import type { KubeError } from '../core/errors.ts';
import type { Plan, Write } from '../core/plan-types.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient } from '../kube/client.ts';
import { createLimiter } from '../kube/limiter.ts';
import { makeWrite } from '../kube/writes.ts';
import type { Revocations } from '../credentials/revocation.ts';
import { cleanUpConfiguration } from './clean-up-configuration.ts';
import { applyPlan, isReplan, type FailedWrite } from './apply.ts';
import { cleanUpMinted } from './clean-up-minted.ts';
import { removeOwnSecrets, removeSources } from './clean-up-shared.ts';
import { createClusterCaches, type ClusterCaches } from './cluster-caches.ts';
import { createCaches, observe } from './observe.ts';

/** Namespaces that are cleaned at a time. */
const NAMESPACES = 4;
/** Writes under way at a time, in each of them. */
const WRITES = 8;
/** Passes over one namespace before giving up: other writers may get in between. */
const MAX_PASSES = 100;

/** What cleaning up is given. */
export interface CleanUpOptions {
  readonly client: KubeClient;
  readonly instance: string;
  /** Namespace of the master copy. */
  readonly namespace: string;
  /** The configuration. */
  readonly configMap: { readonly namespace: string; readonly name: string };
  /** The only ones that are looked at; absent = all. */
  readonly namespaces?: readonly string[] | undefined;
  /** True = no other namespace is served: what all of them share goes as well. */
  readonly isWhole: boolean;
  /** What was minted is revoked at its cloud with these. */
  readonly revocations: Pick<Revocations, 'mints' | 'revoke'>;
  /** Only say what would be done. */
  readonly dryRun: boolean;
  readonly now: () => EpochMs;
  readonly random: () => number;
  /** One line for each thing that is, or would be, removed. */
  readonly print: (line: string) => void;
  readonly onFailure: (failed: FailedWrite) => void;
  /** What was minted could not be revoked; `what` names provider, place, registry and mode, and the id where it is known. */
  readonly onLeftBehind: (what: string, error: unknown) => void;
  /** This may not be looked for; `why` names the missing right. */
  readonly onUnknown: (what: 'a webhook' | 'declared resources' | 'the configuration', why: KubeError) => void;
  /** Something could not be read and is tried again. */
  readonly onReadFailure: (kind: string, error: KubeError) => void;
  /** What is in this namespace may not be read, and stays; it counts as failed. */
  readonly onUnreadable: (namespace: string) => void;
  /** There was no time for these namespaces: what is in them stays, and they count as failed. */
  readonly onOutOfTime: (namespaces: readonly string[]) => void;
  /** Aborted when it is time to come to an end: no further namespace is begun, and no cloud is waited for any more. */
  readonly patience: AbortSignal;
  /** This one is listed and does not exist: maybe another was meant. It counts as failed unless `mayLack`. */
  readonly onAbsent: (namespace: string) => void;
  /** True = a listed namespace that does not exist is told, and is no failure: the list is one that was in force. */
  readonly mayLack: boolean;
  readonly signal: AbortSignal;
}

/** What was, or would be, done. */
export interface CleanUpOutcome {
  readonly references: number;
  readonly secrets: number;
  readonly failed: number;
  /** What could not be revoked at its cloud; it is not among `failed`. */
  readonly leftBehind: readonly string[];
}

type NamespaceOutcome = Omit<CleanUpOutcome, 'leftBehind'>;

/**
 * Removes the webhooks and declared resources, then references, then Secrets, then what was minted at clouds, then what is in our own
 * namespace, then the configuration where it was made from values and nobody edited it; of an installation that serves other namespaces too only references and Secrets. The master copy stays as long as something is left at a cloud: only it knows of that. Throws KubeError when the cluster may
 * not be read.
 */
export async function cleanUp(options: CleanUpOptions): Promise<CleanUpOutcome> {
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const refused = Promise.withResolvers<never>();
  const cluster = createClusterCaches({
    ...options,
    report: (kind, event) => {
      if (event.type !== 'failed') return;
      const isRefused = ['Forbidden', 'Unauthorized'].includes(event.error.reason);
      // Where each namespace has rights of its own, those that lack them are told of by name.
      if (isRefused && options.namespaces !== undefined && kind !== 'namespaces') return;
      // A controller waits until the right is granted; a person waits for an answer.
      if (isRefused) refused.reject(event.error);
      else options.onReadFailure(kind, event.error);
    },
  });
  const running = cluster.run(signal);
  try {
    await Promise.race([cluster.whenSynced(signal), refused.promise]);
    if (options.isWhole) await removeSources(options);
    const names = [...cluster.namespaces.all()].map((namespace) => namespace.name);
    const absent = (options.namespaces ?? []).filter((name) => !names.includes(name));
    absent.forEach(options.onAbsent);
    const outcomes = await cleanNamespaces(options, cluster, names);
    const sum = (pick: (outcome: NamespaceOutcome) => number): number =>
      outcomes.reduce((total, outcome) => total + pick(outcome), 0);
    const failed = sum((outcome) => outcome.failed) + (options.mayLack ? 0 : absent.length);
    let leftBehind: readonly string[] = [];
    if (failed === 0 && options.isWhole) {
      leftBehind = await cleanUpMinted(options);
      await removeOwnSecrets(options, { keepsMasterCopy: leftBehind.length > 0 });
      // Whoever runs this again must find the configuration that it is about.
      if (leftBehind.length === 0) await cleanUpConfiguration(options);
    }
    const [references, secrets] = [sum((outcome) => outcome.references), sum((outcome) => outcome.secrets)];
    return { references, secrets, failed, leftBehind };
  } finally {
    ended.abort();
    await running;
  }
}

async function cleanNamespaces(
  options: CleanUpOptions,
  cluster: ClusterCaches,
  names: readonly string[],
): Promise<readonly NamespaceOutcome[]> {
  const waiting = [...names];
  const outcomes: NamespaceOutcome[] = [];
  const work = async (): Promise<void> => {
    for (let name = next(); name !== undefined; name = next())
      outcomes.push(await cleanNamespace(options, cluster, name));
  };
  const next = (): string | undefined => (options.patience.aborted ? undefined : waiting.shift());
  await Promise.all(Array.from({ length: NAMESPACES }, work));
  if (waiting.length === 0) return outcomes;
  options.onOutOfTime(waiting);
  return [...outcomes, { references: 0, secrets: 0, failed: waiting.length }];
}

async function cleanNamespace(
  options: CleanUpOptions,
  cluster: ClusterCaches,
  name: string,
): Promise<NamespaceOutcome> {
  if (!cluster.isRead(name)) {
    options.onUnreadable(name);
    return { references: 0, secrets: 0, failed: 1 };
  }
  const lane = createLimiter(WRITES);
  const send = makeWrite(options.client, options.instance);
  const outcome = { references: 0, secrets: 0, failed: 0 };
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const plan = planRemoval(options, cluster, name);
    const count = (write: Write): void => {
      if (write.kind === 'patch-service-account') outcome.references += 1;
      else outcome.secrets += 1;
      options.print(lineOf(write, options.dryRun));
    };
    if (options.dryRun || plan.writes.length === 0) {
      plan.writes.forEach(count);
      return outcome;
    }
    const applied = await applyPlan(plan, {
      makeWrite: send,
      lane,
      signal: options.signal,
      onWritten: (write, answer) => {
        cluster.absorb(write, answer);
        count(write);
      },
    });
    const hopeless = applied.failed.filter(({ error }) => !isReplan(error));
    hopeless.forEach(options.onFailure);
    if (hopeless.length > 0) return { ...outcome, failed: hopeless.length };
  }
  return { ...outcome, failed: 1 };
}

function planRemoval(options: CleanUpOptions, cluster: ClusterCaches, name: string): Plan {
  const observed = observe(createCaches(cluster), name, { secretNames: [], now: options.now() });
  if (observed === undefined) return { writes: [], skips: [], nextCheckAt: undefined, truncated: false };
  const settings = {
    instance: options.instance,
    thresholdMs: 0,
    adoptExisting: 'none',
    secretLabels: {},
    email: undefined,
  } as const;
  return planNamespace({ secrets: [] }, new Map(), {
    settings,
    observed,
    currentSource: () => undefined,
    now: options.now(),
  });
}

function lineOf(write: Write, dryRun: boolean): string {
  const place = `${write.namespace}/${write.name}`;
  if (write.kind !== 'patch-service-account') return `${dryRun ? 'would delete' : 'deleted'} Secret ${place}`;
  const what = write.removed.length === 0 ? 'our annotation' : `reference to ${write.removed.join(', ')}`;
  return `${dryRun ? 'would remove' : 'removed'} ${what} from ServiceAccount ${place}`;
}
