// The ConfigMap that holds the values of a chart, and the configuration that is kept from it: read, and written by guarded calls.
import type { ConfigData } from '../core/managed-form.ts';
import { GITOPS_ANNOTATIONS, managedLabels, valuesAnnotation } from '../core/names.ts';
import type { FoundConfiguration, ValuesWrite } from '../core/plan-values.ts';
import { isRecord } from '../core/records.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { unlessAbsent } from './errors.ts';
import { createObjectCalls, type ObjectPlace } from './one-object.ts';

/** The place of a ConfigMap. */
export function configMapPlace({
  namespace,
  name,
}: {
  readonly namespace: string;
  readonly name: string;
}): ObjectPlace {
  return { collection: `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`, name };
}

/** Its texts. */
export function configMapData({ data }: KubeObject): ConfigData {
  const pairs = Object.entries(isRecord(data) ? data : {});
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}

/** What planning reads of the configuration. */
export function foundConfiguration(object: KubeObject, instance: string): FoundConfiguration {
  const { annotations } = isRecord(object.metadata) ? object.metadata : {};
  const taken = isRecord(annotations) ? annotations[valuesAnnotation(instance)] : undefined;
  return {
    data: configMapData(object),
    binaryKeys: Object.keys(isRecord(object.binaryData) ? object.binaryData : {}),
    taken: typeof taken === 'string' ? taken : undefined,
  };
}

/**
 * Makes the call, as `instance`; gives the ConfigMap as it is afterwards. Throws KubeError: `Conflict` = it is not as `observed` any
 * more, `AlreadyExists` = somebody was faster. Whatever else the ConfigMap holds stays.
 */
export async function writeConfiguration(
  client: KubeClient,
  write: ValuesWrite,
  of: {
    readonly configMap: { readonly namespace: string; readonly name: string };
    readonly instance: string;
    /** undefined = there is none. */
    readonly observed: KubeObject | undefined;
    readonly signal: AbortSignal;
  },
): Promise<KubeObject> {
  const calls = createObjectCalls(client, configMapPlace(of.configMap));
  const taken = { [valuesAnnotation(of.instance)]: write.taken };
  if (write.kind === 'create-configuration') {
    const annotations = { ...GITOPS_ANNOTATIONS, ...taken };
    const metadata = { name: of.configMap.name, labels: managedLabels(of.instance), annotations };
    return calls.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: write.data }, of.signal);
  }
  const isOnlyNoted = Object.keys(write.data).length === 0;
  const patch = { metadata: { annotations: taken }, ...(isOnlyNoted ? {} : { data: write.data }) };
  return calls.patch(of.observed ?? {}, patch, of.signal);
}

/** The ConfigMap, by a list: the right to get it is not needed for anything else. undefined = there is none. Throws KubeError. */
export async function readConfiguration(
  client: KubeClient,
  configMap: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const { collection, name } = configMapPlace(configMap);
  const query = { fieldSelector: `metadata.name=${name}` };
  const items = (await client.call({ method: 'GET', path: collection, query, signal })).items;
  const found: unknown = Array.isArray(items) ? items[0] : undefined;
  return isRecord(found) ? found : undefined;
}

/** Removes exactly what was read. Throws KubeError: `Conflict` = it changed meanwhile. */
export async function removeConfiguration(
  client: KubeClient,
  configMap: { readonly namespace: string; readonly name: string },
  { observed, signal }: { readonly observed: KubeObject; readonly signal: AbortSignal },
): Promise<void> {
  await unlessAbsent(createObjectCalls(client, configMapPlace(configMap)).remove(observed, signal));
}
