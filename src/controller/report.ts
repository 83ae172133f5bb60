// Turns what happened into log lines, metrics and Events: one line for each write and each change of state, no repetitions.
import { TCR_ASSISTANT, VENDOR_HELPER } from '../core/names.ts';
import type { Skip, Write } from '../core/plan-types.ts';
import type { EpochMs } from '../core/types.ts';
import { KubeError } from '../core/errors.ts';
import type { CredentialOutcome, IdentityOutcome } from '../credentials/store.ts';
import type { EventObject, EventRecorder } from '../kube/events.ts';
import type { Resource } from '../kube/resource-objects.ts';
import type { ReflectorEvent } from '../kube/reflector.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { ControllerObserver } from './controller-options.ts';
import { reportContention } from './report-contention.ts';
import { createResourceReport, resourceObject } from './report-resources.ts';
import { reportVendorHelper } from './report-vendor-helper.ts';
import { reportIdentity, reportOutcome } from './report-credentials.ts';
import { reportConfiguration, sentenceOf, type RecordOnConfigMap } from './report-configuration.ts';
import { ToldSkips } from './told-skips.ts';

/** Every reason that our Events carry; `docs/reasons.md` explains them. */
export const EVENT_REASONS = [
  'ConfigInvalid',
  'ConfigApplied',
  'CredentialUnavailable',
  'CredentialRestored',
  'CredentialWarning',
  'VendorHelperRuns',
  'SpecInvalid',
  'SpecApplied',
  'PasswordExpires',
  'PasswordExpired',
  'NameTaken',
  'Contended',
  'HandEditKept',
  'ValuesUnused',
] as const;

export type EventReason = (typeof EVENT_REASONS)[number];

/** What reporting is given. */
export interface ReportOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly events: Pick<EventRecorder<EventReason>, 'record'>;
  readonly configMap: { readonly namespace: string; readonly name: string };
  /** Field managers of what we write to an object, newest first. */
  readonly readManagers: (at: {
    readonly kind: 'ServiceAccount' | 'Secret';
    readonly namespace: string;
    readonly name: string;
  }) => Promise<readonly string[]>;
  /** The resources that a credential is for. */
  readonly resourcesOf: (cacheKey: string) => readonly Resource[];
  readonly now: () => EpochMs;
}

/** The observer of the controller, and what the credential store tells. */
export interface Report extends ControllerObserver {
  readonly onOutcome: (outcome: CredentialOutcome) => void;
  readonly onIdentity: (outcome: IdentityOutcome) => void;
  /** The master copy had no room for so many credentials. */
  readonly onOmitted: (count: number) => void;
  /** How many things are left alone at this moment, by reason. */
  readonly leftAlone: () => ReadonlyMap<string, number>;
}

/** Builds the report. */
export function createReport(options: ReportOptions): Report {
  const { logger, metrics, events } = options;
  const skips = new ToldSkips();
  const lastFailures = new Map<string, string>();
  let configMapUid = '';
  let lastConfiguration = '';
  let wasBad = false;
  let wanted: ReadonlySet<string> = new Set();
  let wasHelped = false;
  let wasAssisted = false;

  const onConfigMap: RecordOnConfigMap = (type, reason, message) => {
    const object: EventObject = { apiVersion: 'v1', kind: 'ConfigMap', ...options.configMap, uid: configMapUid };
    events.record({ object, type, reason, message });
  };

  return {
    onAdd: () => metrics.queueAdded(),
    onStart: (waitedMs) => metrics.queueWaited(waitedMs),
    onDone: (workedMs) => metrics.queueWorked(workedMs),
    onRetry: () => metrics.queueRetried(),
    onBug: (namespace, error) => {
      metrics.reconciled('error');
      logger.error('Pass failed unexpectedly', { namespace, error });
    },
    onWrite: (write) => {
      metrics.wrote({ kind: write.kind, reason: write.reason });
      logger.info('Wrote', fieldsOf(write));
    },
    onFailedWrite: ({ write, error }) => {
      metrics.writeFailed({ kind: write.kind, reason: error instanceof KubeError ? error.reason : 'Unexpected' });
      if (isAborted(error)) return;
      logger.warn('Write failed', { ...fieldsOf(write), error });
    },
    onPlan: (namespace, plan) => {
      metrics.reconciled(plan.skips.length === 0 ? 'success' : 'requeue');
      for (const skip of skips.take(namespace, plan.skips)) reportSkip(namespace, skip);
    },
    onGone: (namespace) => skips.forget(namespace),
    onContention: () => metrics.contended(),
    onReflector: (kind, event) => {
      // One line until it changes: a missing right is asked for again and again.
      const failure = event.type === 'failed' ? `${event.error.reason} ${event.error.message}` : undefined;
      if (failure !== undefined && lastFailures.get(kind) === failure) return;
      if (failure !== undefined) lastFailures.set(kind, failure);
      else if (event.type === 'listed' || event.type === 'watchStarted') lastFailures.delete(kind);
      reportReflector(options, kind, event);
    },
    onConfiguration: (state) => {
      configMapUid = state.uid ?? configMapUid;
      metrics.configValid(state.status === 'valid');
      const text = `${state.status} ${state.resourceVersion ?? ''} ${state.issues.map(sentenceOf).join(' ')}`;
      if (text === lastConfiguration) return;
      lastConfiguration = text;
      reportConfiguration(logger, onConfigMap, state, wasBad);
      wasBad = state.status === 'invalid' || state.status === 'missing';
      wanted = new Set(state.good?.rules.flatMap((rule) => rule.requests.map((request) => request.cacheKey)));
    },
    onIdentity: (outcome) => reportIdentity(logger, outcome),
    onOmitted: (count) => {
      logger.warn('Master copy has no room for all credentials: after a restart the others are asked for again', {
        count,
      });
    },
    onStateFailure: (error) => {
      if (!isAborted(error)) logger.warn('Master copy could not be read or written', { error });
    },
    onLeading: (leading) => {
      if (!leading) skips.clear();
      metrics.leading(leading);
      logger.info(leading ? 'Started leading' : 'Stopped leading');
    },
    onVendorHelper: (isRunning) => {
      metrics.standingDown(isRunning);
      if (isRunning === wasHelped) return;
      wasHelped = isRunning;
      reportVendorHelper(logger, onConfigMap, { place: VENDOR_HELPER, isRunning });
    },
    ...createResourceReport(options),
    // Nothing to tell people: what becomes of it is told by others.
    onResources: () => undefined,
    onRevoked: (credential, ids) => logger.info('Removed what a credential had left at its cloud', { credential, ids }),
    onRevocationFailure: (credential, error) => {
      logger.warn('What a credential left at its cloud could not be removed', { credential, error });
    },
    onRevocationsFull: (credential) => {
      logger.warn('More is left at clouds than can be remembered: some of it stays there', { credential });
      onConfigMap(
        'Warning',
        'CredentialWarning',
        `More than can be remembered waits to be removed at clouds: what ${credential} left there, among others, stays. Delete by hand what bears the tag of this cluster, and look who changes registries, regions or identities so often.`,
      );
    },
    onTcrAssistant: (isRunning) => {
      if (isRunning === wasAssisted) return;
      wasAssisted = isRunning;
      reportVendorHelper(logger, onConfigMap, { place: TCR_ASSISTANT, isRunning });
    },
    onOutcome: (outcome) => {
      reportOutcome(logger, recordOn(outcome.request.cacheKey), outcome);
    },
    leftAlone: () => skips.counts(),
  };

  /** On what a person wrote: the resources that the credential is for, and the ConfigMap unless it is only for those. */
  function recordOn(cacheKey: string): RecordOnConfigMap {
    const resources = options.resourcesOf(cacheKey).map(resourceObject);
    return (type, reason, message) => {
      for (const object of resources) events.record({ object, type, reason, message });
      if (resources.length === 0 || wanted.has(cacheKey)) onConfigMap(type, reason, message);
    };
  }

  function reportSkip(namespace: string, skip: Skip): void {
    metrics.skipped(skip.reason);
    // What the store or the world has told already is not told again for each namespace.
    const level = skip.reason === 'NameTaken' || skip.reason === 'Contended' ? 'info' : 'debug';
    logger[level]('Left alone', { namespace, reason: skip.reason, name: skip.name, message: skip.message });
    if (skip.reason === 'Contended') void reportContention(options, namespace, skip);
    else if (skip.reason === 'NameTaken') {
      const object = { apiVersion: 'v1', kind: 'Secret', namespace, name: skip.name, uid: skip.uid ?? '' };
      events.record({ object, type: 'Warning', reason: skip.reason, message: skip.message });
    }
  }
}

function reportReflector({ logger, metrics }: ReportOptions, kind: string, event: ReflectorEvent): void {
  switch (event.type) {
    case 'failed':
      logger.warn('Reading the cluster failed', { kind, error: event.error, retryInMs: Math.round(event.retryInMs) });
      return;
    case 'handlerFailed':
      logger.error('A handler of changes failed', { kind, error: event.error });
      return;
    case 'relisted':
      // `secret kube-system/name`: names have no place in a label.
      metrics.relistMissed(kind.replace(/ .*/, ''), event.missed);
      if (event.missed > 0) logger.warn('A full list found what the watch had missed', { kind, missed: event.missed });
      return;
    case 'synced':
      logger.info('Read the cluster', { kind, items: event.items });
      return;
    case 'badLine':
    case 'errorEvent':
      logger.warn('Watch sent something unreadable', { kind, ...event });
      return;
    case 'listed':
    case 'watchStarted':
    case 'watchEnded':
    case 'resumed':
      logger.debug('Watched the cluster', { kind, ...event });
  }
}

/** That we ended it ourselves is no failure. */
function isAborted(error: unknown): boolean {
  return error instanceof KubeError && error.reason === 'Aborted';
}

function fieldsOf(write: Write): Readonly<Record<string, unknown>> {
  const { kind, namespace, name, reason } = write;
  if (write.kind !== 'patch-service-account') return { kind, namespace, name, reason };
  return { kind, namespace, name, reason, added: write.added, removed: write.removed };
}
