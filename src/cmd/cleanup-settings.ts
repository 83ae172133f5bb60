// The flags of the command `cleanup` that end an installation which still runs, and bound how long that takes.
import { parseDuration } from '../core/duration.ts';
import { parseSwitch } from './flag-values.ts';
import { parseObjectPlace, type ObjectPlace } from './object-place.ts';

/** What the flags say. */
export interface CleanupFlags {
  /** The Deployment of the controller, which is stopped first; undefined = none. */
  readonly deployment: ObjectPlace | undefined;
  /** How many Pods it gets back where it has 0; undefined = not said. */
  readonly replicas: number | undefined;
  /** The DaemonSet of the command `hosts`, whose Pods remove the block; undefined = none. */
  readonly daemonSet: ObjectPlace | undefined;
  /** Milliseconds; undefined = however long it takes. */
  readonly deadlineMs: number | undefined;
  /** What is left where a cloud or a node cannot be reached is named, and is no failure. */
  readonly leaveUnreachable: boolean;
}

const MIN_DEADLINE_MS = 10_000;
const MAX_DEADLINE_MS = 86_400_000;

/** The flags as rows of the table in `flags.ts`. */
export const CLEANUP_FLAGS = [
  {
    name: 'stop-deployment',
    value: 'NAMESPACE/NAME',
    help: 'first scale this Deployment of the controller to 0, and wait until its Pods are gone and the Lease is free; scale it back where cleanup fails',
    commands: ['cleanup'],
  },
  {
    name: 'replicas',
    value: 'NUMBER',
    help: 'how many Pods that Deployment gets back where it was found with 0, as a run that was killed leaves it (default: it stays at 0)',
    commands: ['cleanup'],
  },
  {
    name: 'end-hosts',
    value: 'NAMESPACE/NAME',
    help: 'have the Pods of this DaemonSet of the command hosts remove the block on every node, and wait until they have',
    commands: ['cleanup'],
  },
  {
    name: 'deadline',
    value: 'DURATION',
    help: 'end within this time and say what is left, e.g. 4m (default: however long it takes)',
    commands: ['cleanup'],
  },
  {
    name: 'leave-unreachable',
    value: undefined,
    help: 'end with 0 also where a cloud or a node could not be reached in time: what is left there is named',
    commands: ['cleanup'],
  },
] as const;

/** Reads them; what is wrong goes to `issues`. */
export function parseCleanupFlags(values: ReadonlyMap<string, string>, issues: string[]): CleanupFlags {
  const deadline = values.get('deadline');
  const deadlineMs = deadline === undefined ? undefined : (parseDuration(deadline) ?? 0);
  if (deadlineMs !== undefined && (deadlineMs < MIN_DEADLINE_MS || deadlineMs > MAX_DEADLINE_MS)) {
    issues.push(`--deadline=${deadline ?? ''} must be a duration from 10s to 24h, e.g. 4m`);
  }
  const replicas = values.get('replicas');
  const isNumber = replicas === undefined || /^\d{1,4}$/.test(replicas);
  if (!isNumber) issues.push(`--replicas=${replicas} must be a whole number from 0 to 9999, e.g. 2`);
  const place = (flag: string, example: string): ObjectPlace | undefined =>
    parseObjectPlace(values.get(flag), { flag, example, issues });
  return {
    deployment: place('stop-deployment', 'kube-system/registry-credential-helper'),
    replicas: replicas === undefined ? undefined : Number(replicas),
    daemonSet: place('end-hosts', 'kube-system/registry-credential-helper-hosts'),
    deadlineMs,
    leaveUnreachable: parseSwitch(values, 'leave-unreachable', { issues }),
  };
}
