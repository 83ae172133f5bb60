// What `migrate from-acr-helper` reads of a cluster besides what every move reads.
import type { ConfigData } from '../core/managed-form.ts';
import { MANAGED_ROLE_KEY, managedRoleError } from '../core/managed-role.ts';
import { VENDOR_HELPER } from '../core/names.ts';
import { parseRecord } from '../core/records.ts';
import type { Looked, ManagedRoleToken, TakeOverFacts } from '../core/take-over-facts.ts';
import type { SecretReference } from '../core/types.ts';
import type { KubeClient } from './client.ts';
import { look, lookAtCluster, readDeployment, type ClusterReads } from './cluster-reads.ts';
import { readConfigMap } from './config-map.ts';
import { dataOf } from './one-object.ts';
import { readSecret } from './writes.ts';

/** Where and what to read. */
export interface TakeOverReads extends ClusterReads {
  /** Secrets that may hold the managed role's session: the first that is there counts. */
  readonly managedRoleSecrets: readonly SecretReference[];
}

type Reads = Pick<TakeOverFacts, 'helper' | 'namespaces' | 'serviceAccounts' | 'secrets' | 'managedRole' | 'holder'>;

/** The data of the ConfigMap; undefined when there is none. Throws KubeError when the cluster cannot be read at all. */
export function lookForConfigMap(
  client: KubeClient,
  place: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<Looked<ConfigData | undefined>> {
  return look(`allow "list" of configmaps in the namespace ${place.namespace}`, () =>
    readConfigMap(client, place, signal),
  );
}

/** Everything else. Throws KubeError for what is not a missing right. */
export async function lookAround(reads: TakeOverReads): Promise<Reads> {
  const [helper, managedRole, cluster] = await Promise.all([
    look(`allow "list" of deployments.apps in the namespace ${VENDOR_HELPER.namespace}`, () =>
      readDeployment(reads, VENDOR_HELPER),
    ),
    lookForManagedRole(reads),
    lookAtCluster(reads),
  ]);
  return { helper, managedRole, ...cluster };
}

async function lookForManagedRole(reads: TakeOverReads): Promise<Looked<ManagedRoleToken | undefined>> {
  for (const secret of reads.managedRoleSecrets) {
    const cure = `allow "get" of the Secret ${secret.namespace}/${secret.name}`;
    const looked = await look(cure, () => readManagedRole(reads, secret));
    if (!looked.ok || looked.value !== undefined) return looked;
  }
  return { ok: true, value: undefined };
}

/** Of its document only whether it is an error, and until when it works; the keys in it are not looked at. */
async function readManagedRole(
  { client, signal }: TakeOverReads,
  secret: SecretReference,
): Promise<ManagedRoleToken | undefined> {
  const live = await readSecret(client, secret, signal);
  if (live === undefined) return undefined;
  const document = parseRecord(dataOf(live)[MANAGED_ROLE_KEY] ?? '') ?? {};
  const at = typeof document.expiration === 'string' ? Date.parse(document.expiration) : Number.NaN;
  return { secret, expiresAt: Number.isNaN(at) ? undefined : at, hasError: managedRoleError(document) !== undefined };
}
