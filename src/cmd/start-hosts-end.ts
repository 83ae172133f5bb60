// The part of the command `cleanup` that is on nodes: it is begun first, goes on beside everything else, and is waited for last.
import { awaitHostsEnd, tellHosts, type HostsEndOptions } from '../controller/end-hosts.ts';
import { KubeError } from '../core/errors.ts';
import { count } from '../core/take-over-words.ts';
import type { ObjectPlace } from './object-place.ts';

/** What is left of the hosts block: on all nodes where nobody could be asked, on some where nodes were not done in time. */
export type HostsLeft = 'none' | 'some' | 'all';

/**
 * Begins; what it gives waits for the end, and names the nodes that are not done by then; undefined = nobody could be told, and the block
 * stays on all nodes. Throws no KubeError.
 */
export async function startHostsEnd(
  options: Omit<HostsEndOptions, 'daemonSet'> & { readonly daemonSet: ObjectPlace | undefined },
): Promise<(() => Promise<HostsLeft>) | undefined> {
  const { daemonSet } = options;
  if (daemonSet === undefined) return () => Promise.resolve('none');
  const place = `${daemonSet.namespace}/${daemonSet.name}`;
  const fail = (error: unknown): HostsLeft => {
    if (!(error instanceof KubeError)) throw error;
    complain(`the hosts block stays on nodes: DaemonSet ${place}: ${error.message}`);
    return 'all';
  };
  let before: readonly string[] | undefined;
  try {
    before = await tellHosts({ ...options, daemonSet });
  } catch (error) {
    fail(error);
    return undefined;
  }
  return async () => {
    if (before === undefined) return 'none';
    try {
      const { isDone, left, missing } = await awaitHostsEnd({ ...options, daemonSet, before });
      for (const node of left) complain(`the hosts block may still be on the node ${node}: it was not done in time`);
      if (missing > 0)
        complain(`the hosts block may still be on ${count(missing, 'node')} where no Pod was made in time`);
      if (isDone) process.stdout.write('the hosts block is gone from every node\n');
      return isDone ? 'none' : 'some';
    } catch (error) {
      return fail(error);
    }
  };
}

function complain(line: string): void {
  process.stderr.write(`cleanup: ${line}\n`);
}
