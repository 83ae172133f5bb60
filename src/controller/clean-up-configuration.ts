// At the end of an installation: the configuration that was made from values. What somebody wrote by hand is theirs, and stays.
import { isAsTakenOver } from '../core/plan-values.ts';
import type { KubeClient } from '../kube/client.ts';
import { foundConfiguration, readConfiguration, removeConfiguration } from '../kube/values-config-map.ts';

/** Removes it where nobody edited it, and prints what became of it. Throws KubeError: `Conflict` = it changed meanwhile. */
export async function cleanUpConfiguration({
  client,
  configMap,
  instance,
  dryRun,
  print,
  signal,
}: {
  readonly client: KubeClient;
  readonly configMap: { readonly namespace: string; readonly name: string };
  readonly instance: string;
  readonly dryRun: boolean;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const observed = await readConfiguration(client, configMap, signal);
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
