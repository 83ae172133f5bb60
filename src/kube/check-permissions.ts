// Asks whether we may do what we need to: a missing rule should be one clear sentence at the start, not a failed call an hour later.
import { VENDOR_HELPER } from '../core/names.ts';
import { isRecord } from '../core/records.ts';
import type { ServiceAccountReference } from '../core/types.ts';
import type { KubeClient } from './client.ts';
import { createLimiter } from './limiter.ts';
import { REQUIRED_PERMISSIONS, type Permission, type PermissionScope } from './permissions.ts';

/** A permission that is missing, with a sentence for people. */
export interface MissingPermission {
  readonly permission: Permission;
  /** undefined = in every namespace. */
  readonly namespace: string | undefined;
  readonly message: string;
}

/** The namespaces that scopes mean. */
export interface Places {
  /** Namespace of the scope `own-namespace`. */
  readonly ownNamespace: string;
  /** Namespace of the scope `config-namespace`; default our own. */
  readonly configNamespace?: string;
  /** Those of the scope `served-namespaces`. */
  readonly servedNamespaces?: readonly string[];
  /** Those of the scope `secret-namespaces`. */
  readonly secretNamespaces?: readonly string[];
}

/** Where a permission is needed; undefined = in every namespace. */
export function placesOf(scope: PermissionScope, places: Places): readonly (string | undefined)[] {
  const { ownNamespace, configNamespace = ownNamespace, servedNamespaces = [], secretNamespaces = [] } = places;
  const all: Readonly<Record<PermissionScope, readonly (string | undefined)[]>> = {
    cluster: [undefined],
    'own-namespace': [ownNamespace],
    'config-namespace': [configNamespace],
    'vendor-namespace': [VENDOR_HELPER.namespace],
    'served-namespaces': servedNamespaces,
    'secret-namespaces': secretNamespaces,
    'default-namespace': ['default'],
  };
  return all[scope];
}

/** Questions that are asked at a time. */
const CONCURRENCY = 5;

/**
 * Asks the API server (SelfSubjectAccessReview, which everybody may ask); empty = all are there. Throws KubeError when it cannot
 * be asked.
 */
export async function checkPermissions(
  client: KubeClient,
  options: Places & {
    /** Default `REQUIRED_PERMISSIONS`. */
    readonly permissions?: readonly Permission[];
    readonly signal: AbortSignal;
  },
): Promise<readonly MissingPermission[]> {
  const { permissions = REQUIRED_PERMISSIONS, signal } = options;
  const limiter = createLimiter(CONCURRENCY);
  const questions = permissions.flatMap((permission) =>
    placesOf(permission.scope, options).flatMap((namespace) =>
      (permission.resourceNames ?? [undefined]).map((name) => ({ permission, namespace, name })),
    ),
  );
  const answers = await Promise.all(
    questions.map(({ permission, namespace, name }) =>
      limiter.run('normal', async () => {
        const allowed = await isAllowed(client, { permission, name, namespace, signal });
        return allowed ? [] : [{ permission, namespace, message: explain(permission, name, namespace) }];
      }),
    ),
  );
  return answers.flat();
}

/** Whether we may ask for tokens of a ServiceAccount. Throws KubeError when it cannot be asked. */
export async function mayAskForToken(
  client: KubeClient,
  { namespace, name }: ServiceAccountReference,
  signal: AbortSignal,
): Promise<boolean> {
  const permission = { verb: 'create', group: '', resource: 'serviceaccounts', subresource: 'token' } as const;
  return isAllowed(client, { permission, name, namespace, signal });
}

/** Rights that an installation may do without, left out as a group. */
export interface NotGiven {
  /** The value of the chart that gives them. */
  readonly value: string;
  /** What may not be done, in one sentence. */
  readonly message: string;
}

/**
 * Tells what was left out on purpose, a group of rights, from what is missing; `asked` = all that was asked about. The first of a group
 * decides: the others may have come from elsewhere, as that to create ServiceAccounts does while `helm test` runs.
 */
export function splitMissing(
  missing: readonly MissingPermission[],
  asked: readonly Permission[],
): { readonly lacking: readonly MissingPermission[]; readonly notGiven: readonly NotGiven[] } {
  const values = [...new Set(asked.flatMap(({ optional }) => optional ?? []))].filter((value) => {
    const first = asked.find(({ optional }) => optional === value);
    return missing.some(({ permission }) => permission === first);
  });
  const isNotGiven = ({ permission }: MissingPermission): boolean => values.some((one) => one === permission.optional);
  return {
    lacking: missing.filter((one) => !isNotGiven(one)),
    notGiven: values.map((value) => {
      const rights = missing.filter(({ permission }) => permission.optional === value);
      return { value, message: rights.map(({ message }) => message).join('; ') };
    }),
  };
}

/** The messages to show; what is missing in a namespace that is served is one: mostly it is everything, for lack of one Role. */
export function messagesOf(missing: readonly MissingPermission[]): readonly string[] {
  const isServed = ({ permission }: MissingPermission): boolean => permission.scope === 'served-namespaces';
  const served = Map.groupBy(missing.filter(isServed), ({ namespace }) => namespace ?? '');
  return [
    ...missing.filter((one) => !isServed(one)).map(({ message }) => message),
    ...[...served].map(([namespace, lacks]) => {
      const verbs = Map.groupBy(lacks, ({ permission }) => permission.resource);
      const what = [...verbs].map(
        ([resource, rights]) => `${rights.map(({ permission }) => permission.verb).join(', ')} ${resource}`,
      );
      return `may not ${what.join('; ')} in the namespace ${namespace}: put the Role and the RoleBinding of docs/rbac-namespaced.yaml into it; until then it is left alone`;
    }),
  ];
}

async function isAllowed(
  client: KubeClient,
  question: {
    readonly permission: Pick<Permission, 'verb' | 'group' | 'resource' | 'subresource'>;
    readonly name: string | undefined;
    /** undefined = every namespace. */
    readonly namespace: string | undefined;
    readonly signal: AbortSignal;
  },
): Promise<boolean> {
  const { permission, name, namespace, signal } = question;
  const { verb, group, resource, subresource } = permission;
  const resourceAttributes = {
    verb,
    group,
    resource,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes },
  };
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const { status } = await client.call({ method: 'POST', path, body, signal });
  return isRecord(status) && status.allowed === true;
}

function explain(permission: Permission, name: string | undefined, namespace: string | undefined): string {
  const { verb, group, resource, subresource, why } = permission;
  const what = `${resource}${subresource === undefined ? '' : `/${subresource}`}${group === '' ? '' : `.${group}`}`;
  const which = name === undefined ? '' : ` ${name}`;
  const where = namespace === undefined ? 'in every namespace' : `in the namespace ${namespace}`;
  return `may not ${verb} ${what}${which} ${where}: this is needed ${why}`;
}
