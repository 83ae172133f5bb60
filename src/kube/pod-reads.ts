// What is read of a cluster to say whether Pods get what they are meant to; nothing is written, and of Secrets only the metadata is read.
import { managedSelector, SECRET_TYPE } from '../core/names.ts';
import type { FoundPod } from '../core/judge-pod.ts';
import { isRecord } from '../core/records.ts';
import type { Looked } from '../core/take-over-facts.ts';
import type { ObservedNamespace, ObservedSecret, ObservedServiceAccount } from '../core/types.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { collectionOf, listAll, look, lookForAccounts, lookForNamespaces, METADATA, whereOf } from './cluster-reads.ts';
import { unlessAbsent } from './errors.ts';
import { projectNamespace, projectSecret, projectServiceAccount } from './projections.ts';
import { createdAtOf } from './resource-objects.ts';

/** Annotation of the image in the API of a Pod that kubelet made from a file. */
const MIRROR = 'kubernetes.io/config.mirror';

/** Pods that may still pull. */
const NOT_ENDED = 'status.phase!=Succeeded,status.phase!=Failed';

/** Where to read, and whose Secrets are ours. */
export interface PodReads {
  readonly client: KubeClient;
  readonly instance: string;
  readonly signal: AbortSignal;
}

/** One Pod and what it stands in; undefined = there is none. */
export interface PodAlone {
  readonly pod: Looked<FoundPod | undefined>;
  readonly namespace: Looked<ObservedNamespace | undefined>;
  /** That of the Pod. */
  readonly account: Looked<ObservedServiceAccount | undefined>;
  readonly secrets: Looked<readonly ObservedSecret[]>;
}

/** All Pods of a namespace, or of the cluster, and what they stand in. */
export interface PodsAtLarge {
  readonly pods: Looked<readonly FoundPod[]>;
  readonly namespaces: Looked<readonly ObservedNamespace[]>;
  readonly accounts: Looked<readonly ObservedServiceAccount[]>;
  readonly secrets: Looked<readonly ObservedSecret[]>;
}

/** Reads one. Throws KubeError for what is not a missing right. */
export async function lookAtPod(
  reads: PodReads,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<PodAlone> {
  const place = `/api/v1/namespaces/${namespace}`;
  const get = (path: string): Promise<KubeObject | undefined> =>
    unlessAbsent(reads.client.call({ method: 'GET', path, signal: reads.signal }));
  const [pod, found, secrets] = await Promise.all([
    look(`allow "get" of pods in the namespace ${namespace}`, async () =>
      projectPod(await get(`${place}/pods/${name}`)),
    ),
    look(`allow "get" of the namespace ${namespace}`, async () => projectNamespace(await get(place))?.value),
    lookForSecrets(reads, namespace),
  ]);
  const accountName = pod.ok ? pod.value?.serviceAccount : undefined;
  const account = await look(`allow "get" of serviceaccounts in the namespace ${namespace}`, async () =>
    accountName === undefined
      ? undefined
      : projectServiceAccount(reads.instance)(await get(`${place}/serviceaccounts/${accountName}`))?.value,
  );
  return { pod, namespace: found, account, secrets };
}

/** Reads those of `namespaces`; undefined = of the whole cluster. Throws KubeError for what is not a missing right. */
export async function lookAtPods(reads: PodReads, namespaces: readonly string[] | undefined): Promise<PodsAtLarge> {
  const parts = await Promise.all((namespaces ?? [undefined]).map((namespace) => lookAtPlace(reads, namespace)));
  return {
    pods: joined(parts.map(({ pods }) => pods)),
    namespaces: joined(parts.map((part) => part.namespaces)),
    accounts: joined(parts.map(({ accounts }) => accounts)),
    secrets: joined(parts.map(({ secrets }) => secrets)),
  };
}

/** All of them, or what to allow first. */
function joined<T>(parts: readonly Looked<readonly T[]>[]): Looked<readonly T[]> {
  const refused = parts.find((part) => !part.ok);
  return refused ?? { ok: true, value: parts.flatMap((part) => (part.ok ? part.value : [])) };
}

async function lookAtPlace(reads: PodReads, namespace: string | undefined): Promise<PodsAtLarge> {
  const of = (plural: string): string => `${collectionOf(namespace)}/${plural}`;
  const where = whereOf(namespace);
  const [pods, namespaces, accounts, secrets] = await Promise.all([
    look(`allow "list" of pods ${where}`, () =>
      listAll(reads, of('pods'), { query: { fieldSelector: NOT_ENDED }, project: projectPod }),
    ),
    namespace === undefined
      ? lookForNamespaces(reads)
      : look(`allow "get" of the namespace ${namespace}`, async () => {
          const call = reads.client.call({ method: 'GET', path: collectionOf(namespace), signal: reads.signal });
          const found = projectNamespace(await unlessAbsent(call))?.value;
          return found === undefined ? [] : [found];
        }),
    lookForAccounts(reads, namespace),
    lookForSecrets(reads, namespace),
  ]);
  return { pods, namespaces, accounts, secrets };
}

function lookForSecrets(reads: PodReads, namespace: string | undefined): Promise<Looked<readonly ObservedSecret[]>> {
  return look(`allow "list" of secrets ${whereOf(namespace)}`, () =>
    listAll(reads, `${collectionOf(namespace)}/secrets`, {
      query: { labelSelector: managedSelector(reads.instance) },
      accept: METADATA,
      project: (object) => (isRecord(object) ? projectSecret({ ...object, type: SECRET_TYPE })?.value : undefined),
    }),
  );
}

/** Keeps of a Pod what decides about pulling; undefined = not readable. */
function projectPod(object: unknown): FoundPod | undefined {
  if (!isRecord(object) || !isRecord(object.metadata) || !isRecord(object.spec)) return undefined;
  const { metadata, spec } = object;
  const { name, namespace, ownerReferences } = object.metadata;
  if (typeof name !== 'string' || typeof namespace !== 'string') return undefined;
  const owner = recordsOf(ownerReferences).find(({ controller }) => controller === true);
  const containers = [spec.initContainers, spec.containers, spec.ephemeralContainers].flatMap(recordsOf);
  return {
    namespace,
    name,
    serviceAccount: typeof spec.serviceAccountName === 'string' ? spec.serviceAccountName : 'default',
    createdAt: createdAtOf({ metadata }) ?? 0,
    owner: owner === undefined ? undefined : `${String(owner.kind)} ${String(owner.name)}`,
    imagePullSecrets: recordsOf(spec.imagePullSecrets).map(({ name: one }) => (typeof one === 'string' ? one : '')),
    isStatic: isRecord(metadata) && isRecord(metadata.annotations) && MIRROR in metadata.annotations,
    images: [...new Set(containers.flatMap(({ image }) => (typeof image === 'string' ? [image] : [])))],
  };
}

function recordsOf(list: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(list) ? list.filter(isRecord) : [];
}
