// What we need to be allowed to do, as data.
import { MANAGER, RESOURCE_KIND, TCR_ASSISTANT, VENDOR_HELPER } from '../core/names.ts';
import { namespacedRows } from './namespaced-permissions.ts';
import { valuesRows, type KeptFromValues } from './values-permissions.ts';
import { webhookRows } from './webhook-permissions.ts';
import { DEFINITION } from './resource-objects.ts';

/** Where: `config-namespace` is that of the ConfigMap, `vendor-namespace` kube-system; neither need be our own. */
export type PermissionScope =
  | 'cluster'
  | 'own-namespace'
  | 'config-namespace'
  | 'vendor-namespace'
  /** Each that is served, where not all are. */
  | 'served-namespaces'
  /** Each of `--allow-secret-namespaces`. */
  | 'secret-namespaces'
  /** Where Events about objects of the cluster go. */
  | 'default-namespace';

/** One thing to be allowed to do. */
export interface Permission {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
  /** Empty for the core group. */
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly scope: PermissionScope;
  /** The names it is limited to; absent = any name. */
  readonly resourceNames?: readonly string[];
  /** Why: the end of the sentence "this is needed ...". */
  readonly why: string;
}

/** Permissions on one resource, several verbs at once. */
export type PermissionRow = Omit<Permission, 'verb' | 'why'> & {
  readonly whyByVerb: Readonly<Partial<Record<Permission['verb'], string>>>;
};

const LEASES = { group: 'coordination.k8s.io', resource: 'leases', scope: 'own-namespace' } as const;

const DEFINITIONS = { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions', scope: 'cluster' } as const;
const RESOURCES = { group: RESOURCE_KIND.group, resource: RESOURCE_KIND.plural, scope: 'cluster' } as const;

const ROWS: readonly PermissionRow[] = [
  {
    ...core('namespaces'),
    whyByVerb: { list: 'to know which namespaces there are', watch: 'to notice new namespaces at once' },
  },
  {
    ...core('serviceaccounts'),
    whyByVerb: {
      list: 'to know which ServiceAccounts there are',
      watch: 'to notice new ServiceAccounts at once',
      get: 'to name who else writes imagePullSecrets of a ServiceAccount',
      patch: 'to refer to the Secrets from ServiceAccounts',
    },
  },
  {
    ...core('secrets'),
    whyByVerb: {
      list: 'to know the Secrets that this program manages',
      watch: 'to notice when somebody edits or deletes such a Secret',
      get: 'to look at a Secret that is in the way under a wanted name',
      create: 'to write Secrets',
      patch: 'to renew Secrets in place',
      delete: 'to remove Secrets that no rule wants any more',
    },
  },
  { ...core('events'), whyByVerb: { create: 'to tell people what they can act on' } },
  {
    ...core('configmaps'),
    scope: 'config-namespace',
    whyByVerb: { list: 'to read the configuration', watch: 'to notice edits of the configuration at once' },
  },
  {
    ...core('serviceaccounts'),
    scope: 'vendor-namespace',
    subresource: 'token',
    resourceNames: [VENDOR_HELPER.name],
    whyByVerb: { create: 'to show the cloud the ServiceAccount that trust policies of RRSA name' },
  },
  {
    ...core('serviceaccounts'),
    scope: 'vendor-namespace',
    whyByVerb: { create: 'to make that ServiceAccount where the add-on that it belonged to is gone' },
  },
  {
    ...{ group: 'apps', resource: 'deployments', scope: 'vendor-namespace', resourceNames: [VENDOR_HELPER.name] },
    whyByVerb: {
      list: 'to see whether the add-on that this one replaces still runs',
      watch: 'to notice when that add-on is stopped or comes back',
    },
  },
  {
    ...DEFINITIONS,
    resourceNames: [DEFINITION.name],
    whyByVerb: {
      get: 'to tell a resource that was deleted from one that went with its definition',
      list: 'to see whether the cluster serves ImagePullSecret resources',
      watch: 'to notice when it begins or ceases to serve them',
    },
  },
  {
    ...RESOURCES,
    whyByVerb: {
      list: 'to know the ImagePullSecret resources',
      watch: 'to notice edits of them at once',
      create: 'to make those that are declared',
      patch: 'to keep those as they are declared',
      delete: 'to remove those that are not declared any more',
    },
  },
  { ...RESOURCES, subresource: 'status', whyByVerb: { patch: 'to say in an ImagePullSecret what became of it' } },
  {
    ...{ group: 'apps', resource: 'deployments', scope: 'cluster', resourceNames: [TCR_ASSISTANT.name] },
    whyByVerb: {
      list: 'to see whether Tencent’s add-on still runs',
      watch: 'to notice when that add-on is stopped or comes back',
    },
  },
  {
    ...LEASES,
    whyByVerb: {
      get: 'to see which replica leads',
      create: 'to take part in the election of the leader',
      update: 'to stay the leader',
    },
  },
];

/**
 * The permissions of an installation. `webhook`: how it is served; undefined = not at all. `isNamespaced`: it serves only namespaces
 * that are listed, and has rights on Secrets and ServiceAccounts in those alone. `values`: the configuration is kept from them.
 */
export function permissionsOf(
  instance: string,
  webhook: { readonly clusterRole: string } | undefined,
  {
    isNamespaced = false,
    values,
  }: { readonly isNamespaced?: boolean; readonly values?: KeptFromValues | undefined } = {},
): readonly Permission[] {
  const inCluster = [
    ...ROWS,
    ...(webhook === undefined ? [] : webhookRows(instance, webhook.clusterRole)),
    ...(values === undefined ? [] : valuesRows(values)),
  ];
  const rows = isNamespaced ? namespacedRows(inCluster, instance) : inCluster;
  return rows.flatMap(({ whyByVerb, ...row }) =>
    Object.entries(whyByVerb).map(([verb, why]) => ({ ...row, verb: verb as Permission['verb'], why })),
  );
}

/** As the chart names them. */
const DOCUMENTED_VALUES: KeptFromValues = { configMap: 'acr-configuration', values: `${MANAGER}-values` };

/** Everything that the controller needs unless told otherwise; `docs/rbac.yaml` gives this and no more. */
export const REQUIRED_PERMISSIONS: readonly Permission[] = permissionsOf(
  'default',
  { clusterRole: MANAGER },
  { values: DOCUMENTED_VALUES },
);

function core(resource: string): Pick<PermissionRow, 'group' | 'resource' | 'scope'> {
  return { group: '', resource, scope: 'cluster' };
}

/** The same with `--namespaces`; `docs/rbac-namespaced.yaml` gives this and no more. */
export const NAMESPACED_PERMISSIONS: readonly Permission[] = permissionsOf(
  'default',
  { clusterRole: MANAGER },
  { isNamespaced: true, values: DOCUMENTED_VALUES },
);
