// What we need to be allowed to do, as data.
import { leaseName, MANAGER, RESOURCE_KIND, TCR_ASSISTANT, VENDOR_HELPER } from '../core/names.ts';
import { namespacedRows } from './namespaced-permissions.ts';
import { valuesRows } from './values-permissions.ts';
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
  /** The value of the chart that gives it, where an installation may do without; of several, the first row tells whether it was given. */
  readonly optional?: 'rrsa.tokenServiceAccount';
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
    ...core('serviceaccounts'),
    scope: 'vendor-namespace',
    subresource: 'token',
    resourceNames: [VENDOR_HELPER.name],
    optional: 'rrsa.tokenServiceAccount',
    whyByVerb: { create: 'to show the cloud the ServiceAccount that trust policies of RRSA name' },
  },
  {
    ...core('serviceaccounts'),
    scope: 'vendor-namespace',
    optional: 'rrsa.tokenServiceAccount',
    whyByVerb: { create: 'to make that ServiceAccount where the add-on that it belonged to is gone' },
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
];

const VENDOR_ROW: PermissionRow = {
  ...{ group: 'apps', resource: 'deployments', scope: 'vendor-namespace', resourceNames: [VENDOR_HELPER.name] },
  whyByVerb: {
    list: 'to see whether the add-on that this one replaces still runs',
    watch: 'to notice when that add-on is stopped or comes back',
  },
};

/** What the permissions of an installation depend on. */
export interface Installation {
  readonly instance: string;
  /** Name of the ConfigMap that holds the configuration. */
  readonly configMap: string;
  /** Name of the ConfigMap, in our own namespace, with the values that the configuration is kept from; undefined = it is not. */
  readonly values?: string | undefined;
  /** How the webhook is served; undefined = not at all, and what is left of an earlier one goes. */
  readonly webhook?: { readonly clusterRole: string } | undefined;
  /** It serves only namespaces that are listed, and has rights on Secrets and ServiceAccounts in those alone. */
  readonly isNamespaced?: boolean;
  /** It looks whether Alibaba's add-on runs, and may use its keys. Default true. */
  readonly takeOver?: boolean;
}

/** The permissions of an installation. */
export function permissionsOf(installation: Installation): readonly Permission[] {
  const { instance, configMap, values, webhook, isNamespaced = false, takeOver = true } = installation;
  const inCluster = [
    ...ROWS,
    ...ownRows(instance, configMap),
    ...(takeOver ? [VENDOR_ROW] : []),
    ...webhookRows(instance, webhook?.clusterRole),
    ...(values === undefined ? [] : valuesRows({ configMap, values })),
  ];
  const rows = isNamespaced ? namespacedRows(inCluster, { instance, takeOver }) : inCluster;
  return rows.flatMap(({ whyByVerb, ...row }) =>
    Object.entries(whyByVerb).map(([verb, why]) => ({ ...row, verb: verb as Permission['verb'], why })),
  );
}

/** Single objects of ours; Kubernetes cannot limit `create` to a name. */
function ownRows(instance: string, configMap: string): readonly PermissionRow[] {
  return [
    {
      ...core('configmaps'),
      scope: 'config-namespace',
      resourceNames: [configMap],
      whyByVerb: { list: 'to read the configuration', watch: 'to notice edits of the configuration at once' },
    },
    {
      ...LEASES,
      resourceNames: [leaseName(instance)],
      whyByVerb: { get: 'to see which replica leads', update: 'to stay the leader' },
    },
    { ...LEASES, whyByVerb: { create: 'to take part in the election of the leader' } },
  ];
}

/** As the chart names them. */
const DOCUMENTED: Installation = {
  instance: 'default',
  configMap: 'acr-configuration',
  values: `${MANAGER}-values`,
  webhook: { clusterRole: MANAGER },
};

/** Everything that the controller needs unless told otherwise; `docs/rbac.yaml` gives this and no more. */
export const REQUIRED_PERMISSIONS: readonly Permission[] = permissionsOf(DOCUMENTED);

/** The same with `--namespaces`; `docs/rbac-namespaced.yaml` gives this and no more. */
export const NAMESPACED_PERMISSIONS: readonly Permission[] = permissionsOf({ ...DOCUMENTED, isNamespaced: true });

function core(resource: string): Pick<PermissionRow, 'group' | 'resource' | 'scope'> {
  return { group: '', resource, scope: 'cluster' };
}
