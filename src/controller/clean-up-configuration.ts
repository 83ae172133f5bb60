// At the end of an installation: the configuration that was made from values. What somebody wrote by hand is theirs, and stays.
import { isAsTakenOver } from '../core/plan-values.ts';
import { foundConfiguration, readConfiguration, removeConfiguration } from '../kube/values-config-map.ts';
import type { CleanUpOptions } from './clean-up.ts';
import { unlessUnreadable } from './clean-up-shared.ts';

/** Removes it where nobody edited it, and prints what became of it. Throws KubeError: `Conflict` = it changed meanwhile. */
export async function cleanUpConfiguration(
  options: Pick<CleanUpOptions, 'client' | 'configMap' | 'instance' | 'dryRun' | 'print' | 'onUnknown' | 'signal'>,
): Promise<void> {
  const { client, configMap, instance, dryRun, print, signal } = options;
  const look = () => readConfiguration(client, configMap, signal);
  const observed = await unlessUnreadable('the configuration', options, look);
  if (observed === undefined) return;
  const found = foundConfiguration(observed, instance);
  const place = `ConfigMap ${configMap.namespace}/${configMap.name}`;
  if (!isAsTakenOver(found)) {
    if (found.taken !== undefined) print(`left ${place}: it was edited by hand`);
    return;
  }
  if (!dryRun) await removeConfiguration(client, configMap, { observed, signal });
  print(`${dryRun ? 'would delete' : 'deleted'} ${place}`);
}
