// What `migrate from-tcr-assistant` reads of a cluster besides what every move reads; nothing is ever written.
import { HOSTS_UPDATER, TCR_ASSISTANT, TCR_WEBHOOK } from '../core/names.ts';
import { isRecord } from '../core/records.ts';
import type { FoundDefinition, FoundHosts, FoundTcrResource, TcrTakeOverFacts } from '../core/tcr-take-over-facts.ts';
import { parseYaml } from '../core/yaml.ts';
import { listAll, look, lookAtCluster, readDeployment, type ClusterReads } from './cluster-reads.ts';
import type { KubeObject } from './client.ts';
import { readConfigMap } from './config-map.ts';
import { unlessAbsent } from './errors.ts';
import { createObjectCalls } from './one-object.ts';
import { DEFINITION, RESOURCES_PATH } from './resource-objects.ts';

/** Where and what to read. */
export interface TcrAssistantReads extends ClusterReads {
  /** Reads a resource; its password must not come out. */
  readonly find: (name: string, spec: unknown) => FoundTcrResource;
}

/** Namespaces in which the updater is, by the vendor's examples (tcr.md section 6). */
const UPDATER_NAMESPACES = [TCR_ASSISTANT.namespace, 'kube-system'] as const;

/** Everything. Throws KubeError for what is not a missing right. */
export async function lookForTcrAssistant(
  reads: TcrAssistantReads,
): Promise<Omit<TcrTakeOverFacts, 'now' | 'namespace' | 'instance' | 'config'>> {
  const { client, find, signal } = reads;
  const webhooks = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  const namespaces = UPDATER_NAMESPACES.join(' and ');
  const read = (collection: string, name: string) => createObjectCalls(client, { collection, name }).read(signal);
  const [assistant, webhook, definition, resources, updaters, hosts, cluster] = await Promise.all([
    look(`allow "list" of deployments.apps in the namespace ${TCR_ASSISTANT.namespace}`, () =>
      readDeployment(reads, TCR_ASSISTANT),
    ),
    look('allow "get" of validatingwebhookconfigurations.admissionregistration.k8s.io', async () =>
      policiesOf(await read(webhooks, TCR_WEBHOOK)),
    ),
    look('allow "get" of customresourcedefinitions.apiextensions.k8s.io', async () =>
      definitionOf(await read(DEFINITION.collection, DEFINITION.name)),
    ),
    look('allow "list" of imagepullsecrets.tcr.tencentcloudcr.com', async () => {
      const project = (object: unknown) => foundResource(object, find);
      return (await unlessAbsent(listAll(reads, RESOURCES_PATH, { project }))) ?? [];
    }),
    look(`allow "list" of daemonsets.apps in the namespaces ${namespaces}`, () => readUpdaters(reads)),
    look(`allow "list" of configmaps in the namespaces ${namespaces}`, () => readHosts(reads)),
    lookAtCluster(reads),
  ]);
  return { assistant, webhook, definition, resources, updaters, hosts, ...cluster };
}

/** The Helm release that an object belongs to, as Helm marks it. */
function definitionOf(object: KubeObject | undefined): FoundDefinition | undefined {
  if (object === undefined) return undefined;
  const metadata = isRecord(object.metadata) ? object.metadata : {};
  const annotations = isRecord(metadata.annotations) ? metadata.annotations : {};
  const { 'meta.helm.sh/release-name': name, 'meta.helm.sh/release-namespace': namespace } = annotations;
  return { release: typeof name === 'string' ? `${String(namespace)}/${name}` : undefined };
}

function policiesOf(object: KubeObject | undefined): readonly string[] | undefined {
  if (object === undefined) return undefined;
  const webhooks: readonly unknown[] = Array.isArray(object.webhooks) ? object.webhooks : [];
  return webhooks.map((webhook) => (isRecord(webhook) ? String(webhook.failurePolicy) : '?'));
}

function foundResource(object: unknown, find: TcrAssistantReads['find']): FoundTcrResource | undefined {
  if (!isRecord(object) || !isRecord(object.metadata) || typeof object.metadata.name !== 'string') return undefined;
  return find(object.metadata.name, object.spec);
}

async function readUpdaters({ client, signal }: TcrAssistantReads): Promise<readonly string[]> {
  const query = { fieldSelector: `metadata.name=${HOSTS_UPDATER.daemonSet}` };
  const found = UPDATER_NAMESPACES.map(async (namespace) => {
    const path = `/apis/apps/v1/namespaces/${namespace}/daemonsets`;
    const { items } = await client.call({ method: 'GET', path, query, signal });
    return Array.isArray(items) && items.length > 0 ? [namespace] : [];
  });
  return (await Promise.all(found)).flat();
}

async function readHosts({ client, signal }: TcrAssistantReads): Promise<readonly FoundHosts[]> {
  const found = UPDATER_NAMESPACES.map(async (namespace): Promise<readonly FoundHosts[]> => {
    const data = await readConfigMap(client, { namespace, name: HOSTS_UPDATER.configMap }, signal);
    return data === undefined ? [] : [{ namespace, domains: domainsOf(data[HOSTS_UPDATER.key]) }];
  });
  return (await Promise.all(found)).flat();
}

function domainsOf(text: unknown): FoundHosts['domains'] {
  const parsed = typeof text === 'string' ? parseYaml(text, HOSTS_UPDATER.key, '') : undefined;
  if (parsed?.ok !== true || !Array.isArray(parsed.value)) return undefined;
  return parsed.value.flatMap((item: unknown) =>
    isRecord(item) && typeof item.domain === 'string' ? [{ domain: item.domain, isOn: item.disabled !== true }] : [],
  );
}
