// What is said about the hosts file: lines, metrics and health, from what the updater tells.
import type { HealthCheck } from '../observability/http.ts';
import type { HostsMetrics } from '../observability/hosts-metrics.ts';
import type { Logger } from '../observability/logger.ts';
import type { HostsObserver, Kept, ListState } from './updater.ts';

/** Most conflicts that are named, each in a line of its own. */
const MAX_NAMED = 20;

/** An observer that tells, and the checks that it feeds. */
export interface HostsReport {
  readonly observer: HostsObserver;
  /** Checks of `/readyz`: only the first pass counts, so that a node which cannot be helped stops no rollout. */
  readonly ready: readonly HealthCheck[];
}

/** Builds it. Changes of state are told once, not in every pass. */
export function createHostsReport({
  logger,
  metrics,
}: {
  readonly logger: Logger;
  readonly metrics: HostsMetrics;
}): HostsReport {
  let list: ListState | undefined;
  let failure: string | undefined;
  let hasPassed = false;
  let lastConflicts = '';

  const observer: HostsObserver = {
    listRead(state) {
      list = state;
      hasPassed ||= state.status === 'unknown';
      metrics.listRead({ isValid: state.status === 'valid', issues: state.issues.length });
      for (const issue of state.issues) {
        logger[issue.severity === 'error' ? 'error' : 'warn']('Configuration has an issue', { ...issue });
      }
      if (state.status === 'valid') logger.info('Read the list of hosts');
      else logger.error('List of hosts cannot be used: the block stays', { status: state.status, why: state.why });
    },
    kept(kept) {
      if (failure !== undefined) logger.info('Hosts file can be kept again');
      failure = undefined;
      hasPassed = true;
      metrics.kept({
        items: kept.pairs.length,
        conflicts: kept.conflicts.length,
        carriedBytes: kept.update.carried,
        ...(kept.update.how === undefined ? {} : { write: { how: kept.update.how, reason: kept.reason } }),
      });
      tellUpdate(logger, kept);
      const conflicts = JSON.stringify(kept.conflicts);
      if (conflicts !== lastConflicts) tellConflicts(logger, kept.conflicts);
      lastConflicts = conflicts;
    },
    failed(error) {
      hasPassed = true;
      metrics.failed(error.reason);
      const told = `${error.reason}: ${error.message}`;
      if (told !== failure) logger.error('Hosts file could not be kept', { error });
      failure = told;
    },
    contended(isContended) {
      if (!isContended) {
        logger.info('Block is no longer undone by another writer');
        return;
      }
      metrics.contended();
      const cure = 'find what writes the whole hosts file and let it keep the block';
      logger.warn('Block keeps being undone by another writer: put right once a cycle from now on', { cure });
    },
  };
  return {
    observer,
    ready: [
      { name: 'first-pass', check: () => (hasPassed ? undefined : 'it is not complete') },
      { name: 'list', informational: true, check: () => listProblem(list) },
      { name: 'hosts-file', informational: true, check: () => failure },
    ],
  };
}

function tellUpdate(logger: Logger, { update, reason, pairs }: Kept): void {
  const { how, remarks, carried, lost, unread, unsynced } = update;
  for (const remark of remarks) {
    if (remark.reason === 'LineDropped')
      logger.info('Removed a line of the block that is not in the list', { ...remark });
    else if (remark.reason === 'LineLeft') {
      const cure = 'remove it by hand if nobody wants it';
      logger.error('Left a line that may be ours in the hosts file', { ...remark, cure });
    } else logger.warn('Block was not as it was left', { ...remark });
  }
  if (carried > 0) logger.info('Brought what was appended to the replaced file', { bytes: carried });
  if (lost > 0) {
    const cure = 'write it again: take the lock, or open the file anew';
    logger.error('Rewrite of the replaced file was not taken over: the file was rewritten since', { cure });
  }
  if (unread > 0) {
    const cure = 'write it again: take the lock, or open the file anew';
    logger.error('Replaced file was not followed to its end: it grew too long to be read', { files: unread, cure });
  }
  const remark = unsynced === undefined ? {} : { folderNotSynced: unsynced };
  if (how !== undefined) logger.info('Wrote the hosts file', { reason, how, lines: pairs.length, ...remark });
}

function tellConflicts(logger: Logger, conflicts: Kept['conflicts']): void {
  for (const conflict of conflicts.slice(0, MAX_NAMED)) {
    logger.warn('Left alone: a line outside of the block names the same host', { reason: 'Conflict', ...conflict });
  }
  const left = conflicts.length - MAX_NAMED;
  if (left > 0) logger.warn('Left alone: more such lines', { reason: 'Conflict', lines: left });
}

function listProblem(list: ListState | undefined): string | undefined {
  if (list === undefined) return 'it was not read yet';
  if (list.why !== undefined) return list.why;
  const problems = list.issues.map(({ path, message }) => `${path}: ${message}`);
  return problems.length === 0 ? undefined : problems.slice(0, MAX_NAMED).join('; ');
}
