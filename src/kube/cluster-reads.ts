// What a plan of a move reads of any cluster, and nothing is ever written: lists in pages, of Secrets only the metadata. What the user
// may not read is told and left out.
import { KubeError } from '../core/errors.ts';
import { leaseName, MANAGED_BY_LABEL, MANAGER, SECRET_TYPE } from '../core/names.ts';
import { isRecord } from '../core/records.ts';
import type { FoundSecret, Looked, TakeOverFacts, VendorDeployment } from '../core/take-over-facts.ts';
import type { EpochMs, ObservedNamespace, ObservedServiceAccount } from '../core/types.ts';
import type { KubeClient, Query } from './client.ts';
import { readLeaseHolder } from './lease-holder.ts';
import { listPages } from './list-pages.ts';
import { projectNamespace, projectSecret, projectServiceAccount } from './projections.ts';

/** Metadata of objects in place of the objects: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables */
export const METADATA = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json';

/** Reads of one list before giving up on pages that expire. */
const MAX_READS = 3;

/** Where and what to read. */
export interface ClusterReads {
  readonly client: KubeClient;
  /** Our own namespace, and the name of our installation. */
  readonly namespace: string;
  readonly instance: string;
  /** True for Secrets that matter, besides those with our label. */
  readonly isNamed: (name: string) => boolean;
  readonly now: EpochMs;
  readonly signal: AbortSignal;
}

type Reads = Pick<ClusterReads, 'client' | 'signal'>;

/** Namespaces, ServiceAccounts, the metadata of Secrets, and who holds our Lease. Throws KubeError for what is not a missing right. */
export async function lookAtCluster(
  reads: ClusterReads,
): Promise<Pick<TakeOverFacts, 'namespaces' | 'serviceAccounts' | 'secrets' | 'holder'>> {
  const { client, namespace, instance, now, signal } = reads;
  const name = leaseName(instance);
  const [namespaces, serviceAccounts, secrets, holder] = await Promise.all([
    lookForNamespaces(reads),
    lookForAccounts(reads),
    look('allow "list" of secrets in every namespace', () => listSecrets(reads)),
    look(`allow "get" of leases.coordination.k8s.io in the namespace ${namespace}`, () =>
      readLeaseHolder(client, { namespace, name, now, signal }),
    ),
  ]);
  return { namespaces, serviceAccounts, secrets, holder };
}

/** Every namespace. */
export function lookForNamespaces(reads: Reads): Promise<Looked<readonly ObservedNamespace[]>> {
  return look('allow "list" of namespaces', () =>
    listAll(reads, '/api/v1/namespaces', { project: (object) => projectNamespace(object)?.value }),
  );
}

/** The ServiceAccounts of `namespace`; undefined = all. */
export function lookForAccounts(
  reads: Reads & Pick<ClusterReads, 'instance'>,
  namespace?: string,
): Promise<Looked<readonly ObservedServiceAccount[]>> {
  const project = projectServiceAccount(reads.instance);
  return look(`allow "list" of serviceaccounts ${whereOf(namespace)}`, () =>
    listAll(reads, `${collectionOf(namespace)}/serviceaccounts`, { project: (object) => project(object)?.value }),
  );
}

/** Path before the kind, of the core group, in `namespace`; undefined = in the whole cluster. */
export function collectionOf(namespace: string | undefined): string {
  return namespace === undefined ? '/api/v1' : `/api/v1/namespaces/${namespace}`;
}

/** The same, for people. */
export function whereOf(namespace: string | undefined): string {
  return namespace === undefined ? 'in every namespace' : `in the namespace ${namespace}`;
}

/** What `read` gives, or `cure` when the right to it is missing. */
export async function look<T>(cure: string, read: () => Promise<T>): Promise<Looked<T>> {
  try {
    return { ok: true, value: await read() };
  } catch (error) {
    if (error instanceof KubeError && error.reason === 'Forbidden') return { ok: false, cure };
    throw error;
  }
}

/** The Deployment of a vendor's add-on; undefined = there is none. */
export async function readDeployment(
  { client, signal }: Reads,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<VendorDeployment | undefined> {
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const query = { fieldSelector: `metadata.name=${name}` };
  const { items } = await client.call({ method: 'GET', path, query, signal });
  const found: unknown = Array.isArray(items) ? items[0] : undefined;
  if (!isRecord(found)) return undefined;
  const spec = isRecord(found.spec) ? found.spec : {};
  const template = isRecord(spec.template) && isRecord(spec.template.spec) ? spec.template.spec : {};
  const container: unknown = Array.isArray(template.containers) ? template.containers[0] : undefined;
  const image = isRecord(container) && typeof container.image === 'string' ? container.image : undefined;
  return { image, replicas: typeof spec.replicas === 'number' ? spec.replicas : 1 };
}

/** The whole list, whatever page of it expires. */
export async function listAll<P>(
  { client, signal }: Reads,
  path: string,
  {
    query = {},
    accept,
    project,
  }: {
    readonly query?: Query;
    readonly accept?: string;
    readonly project: (object: unknown) => P | undefined;
  },
): Promise<readonly P[]> {
  const list = { path, query, project, onPage: () => undefined, signal, ...(accept === undefined ? {} : { accept }) };
  for (let read = 1; ; read += 1) {
    try {
      return (await listPages(client, list)).items;
    } catch (error) {
      const isExpired = error instanceof KubeError && error.reason === 'Expired';
      if (!isExpired || read === MAX_READS) throw error;
    }
  }
}

/** Metadata does not tell the type: one list of those that are pull Secrets, one of those that are not. */
async function listSecrets(reads: ClusterReads): Promise<readonly FoundSecret[]> {
  const list = (selector: string, type: string): Promise<readonly FoundSecret[]> =>
    listAll(reads, '/api/v1/secrets', {
      query: { fieldSelector: `type${selector}${SECRET_TYPE}` },
      accept: METADATA,
      project: (object) => foundSecret(object, type, reads.isNamed),
    });
  const [pull, others] = await Promise.all([list('=', SECRET_TYPE), list('!=', '')]);
  return [...pull, ...others];
}

function foundSecret(object: unknown, type: string, isNamed: (name: string) => boolean): FoundSecret | undefined {
  const secret = isRecord(object) ? projectSecret({ ...object, type })?.value : undefined;
  if (secret === undefined || !isRecord(object)) return undefined;
  if (!isNamed(secret.name) && secret.labels[MANAGED_BY_LABEL] !== MANAGER) return undefined;
  return { ...secret, othersWrote: othersWrote(object.metadata) };
}

/** The last field manager but us, unless we wrote after it. */
function othersWrote(metadata: unknown): FoundSecret['othersWrote'] {
  const listed: unknown = isRecord(metadata) ? metadata.managedFields : undefined;
  const writes = (Array.isArray(listed) ? listed : []).flatMap((field: unknown) => {
    if (!isRecord(field) || typeof field.manager !== 'string' || typeof field.time !== 'string') return [];
    return [{ manager: field.manager, at: Date.parse(field.time) }];
  });
  const last = writes.sort((a, b) => b.at - a.at)[0];
  return last === undefined || last.manager === MANAGER ? undefined : last;
}
