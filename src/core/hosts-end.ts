// The end of the hosts block: how the DaemonSet of the command `hosts` is told of it, and which nodes are there yet. A Pod that is only
// stopped cannot know: a restart, a rolling update and the end look the same from inside.
import { BEFORE_END_ANNOTATION, MANAGER } from './names.ts';
import { isRecord } from './records.ts';

/** Flag with which a Pod of the command `hosts` removes the block, and stays, ready once that is done. */
export const ENDING_FLAG = '--cleanup-and-stay';

/** What is sent to the API server, as a strategic merge patch; `isEnding` = its Pods are told already. */
export type HostsEnding =
  { readonly isEnding: true } | { readonly isEnding: false; readonly patch: Readonly<Record<string, unknown>> };

/** A Pod of the DaemonSet. */
export interface HostsPod {
  readonly name: string;
  /** undefined = it has none yet. */
  readonly node: string | undefined;
  readonly isReady: boolean;
  /** Of its containers. */
  readonly args: readonly string[];
}

/** How far it is. */
export interface HostsEndProgress {
  readonly isDone: boolean;
  /** Nodes that are not done, sorted. */
  readonly left: readonly string[];
  /** Pods that are still to be made, or have no node yet. */
  readonly missing: number;
}

/**
 * How the DaemonSet is changed so that all of its Pods are replaced at once by such that remove the block; undefined = none of its
 * containers runs the command `hosts`. The patch holds the version that was read, and keeps in an annotation what it changes.
 */
export function endHosts(daemonSet: Readonly<Record<string, unknown>>): HostsEnding | undefined {
  const metadata = recordOf(daemonSet.metadata);
  const template = recordOf(recordOf(daemonSet.spec).template);
  const containers = listOf(recordOf(template.spec).containers);
  const found = containers.find((container) => wordsOf(container).includes('hosts'));
  if (found === undefined) return undefined;
  const args = textsOf(found.args);
  if (isEnding(args)) return { isEnding: true };
  const rollingUpdate = { maxUnavailable: '100%', maxSurge: 0 };
  const spec = { containers: [{ name: found.name, args: [...args, ENDING_FLAG] }] };
  const { generation } = metadata;
  const before = { name: found.name, args, updateStrategy: recordOf(daemonSet.spec).updateStrategy, generation };
  return {
    isEnding: false,
    patch: {
      metadata: { ...versionOf(metadata), annotations: { [BEFORE_END_ANNOTATION]: JSON.stringify(before) } },
      spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate }, template: { spec } },
    },
  };
}

/**
 * The strategic merge patch after which its Pods keep the block again; undefined = it was not `endHosts` that told them, or somebody changed
 * it since: then what the annotation remembers is old, and the Pods may be told by someone who means it. The patch holds the version that
 * was read.
 */
export function resumeHosts(
  daemonSet: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> | undefined {
  const metadata = recordOf(daemonSet.metadata);
  const before = parseRecord(recordOf(metadata.annotations)[BEFORE_END_ANNOTATION]);
  if (before === undefined) return undefined;
  const args = textsOf(before.args);
  const spec = recordOf(daemonSet.spec);
  const container = listOf(recordOf(recordOf(spec.template).spec).containers).find(({ name }) => name === before.name);
  const isOurs = JSON.stringify(container?.args) === JSON.stringify([...args, ENDING_FLAG]);
  // Each change of what is wanted counts it up by one.
  if (!isOurs || numberOf(metadata.generation) !== numberOf(before.generation) + 1) return undefined;
  return {
    metadata: { ...versionOf(metadata), annotations: { [BEFORE_END_ANNOTATION]: null } },
    spec: {
      updateStrategy: { $patch: 'replace', ...recordOf(before.updateStrategy) },
      template: { spec: { containers: [{ name: before.name, args }] } },
    },
  };
}

/**
 * The strategic merge patch after which the API server takes no field of it for ours; undefined = none is. What was set back would count as
 * ours, and Helm 4, which applies on the server, would be refused to change it. The patch holds the version that was read.
 */
export function disownHosts(
  daemonSet: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> | undefined {
  const metadata = recordOf(daemonSet.metadata);
  const entries = listOf(metadata.managedFields);
  const managedFields = entries.filter(({ manager }) => manager !== MANAGER);
  if (managedFields.length === entries.length) return undefined;
  return { metadata: { ...versionOf(metadata), managedFields } };
}

/**
 * Judges it: a node is done when a Pod that removes the block is ready there. `before`: the nodes that had a Pod before; one of them may get
 * no new one (it has a taint since, or is not ready), and is not counted by the DaemonSet any more: its block stays all the same.
 */
export function hostsEndProgress(
  daemonSet: Readonly<Record<string, unknown>>,
  pods: readonly HostsPod[],
  before: readonly string[],
): HostsEndProgress {
  const { generation } = recordOf(daemonSet.metadata);
  const { desiredNumberScheduled, observedGeneration } = recordOf(daemonSet.status);
  // Until it was looked at once, nobody knows how many there are to be.
  const isObserved = numberOf(observedGeneration) >= numberOf(generation);
  const done = new Set(nodesOf(pods.filter(({ isReady, args }) => isReady && isEnding(args))));
  const left = [...new Set([...before, ...nodesOf(pods)])].filter((node) => !done.has(node)).sort();
  const missing = Math.max(0, numberOf(desiredNumberScheduled) - done.size - left.length);
  return { isDone: isObserved && left.length === 0 && missing === 0, left, missing };
}

/** The nodes that the Pods are on; some may be there twice. */
export function nodesOf(pods: readonly Pick<HostsPod, 'node'>[]): readonly string[] {
  return pods.flatMap(({ node }) => node ?? []);
}

function versionOf({ uid, resourceVersion }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return { uid, resourceVersion };
}

function parseRecord(text: unknown): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = typeof text === 'string' ? JSON.parse(text) : undefined;
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isEnding(args: readonly string[]): boolean {
  return args.includes(ENDING_FLAG) || args.includes(`${ENDING_FLAG}=true`);
}

function wordsOf({ command, args }: Readonly<Record<string, unknown>>): readonly string[] {
  return [...textsOf(command), ...textsOf(args)];
}

function textsOf(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : [];
}

function listOf(list: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(list) ? list.filter(isRecord) : [];
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
