// Asks whether we may do what we need to: a missing rule should be one clear sentence at the start, not a failed call an hour later.
import { VENDOR_HELPER } from '../core/names.ts';
import { isRecord } from '../core/records.ts';
import type { KubeClient } from './client.ts';
import { createLimiter } from './limiter.ts';
import { REQUIRED_PERMISSIONS, type Permission } from './permissions.ts';

/** A permission that is missing, with a sentence for people. */
export interface MissingPermission {
  readonly permission: Permission;
  readonly message: string;
}

/** Questions that are asked at a time. */
const CONCURRENCY = 5;

/**
 * Asks the API server (SelfSubjectAccessReview, which everybody may ask); empty = all are there. Throws KubeError when it cannot
 * be asked.
 */
export async function checkPermissions(
  client: KubeClient,
  options: {
    /** Namespace of the scope `own-namespace`. */
    readonly ownNamespace: string;
    /** Namespace of the scope `config-namespace`; default our own. */
    readonly configNamespace?: string;
    /** Default `REQUIRED_PERMISSIONS`. */
    readonly permissions?: readonly Permission[];
    readonly signal: AbortSignal;
  },
): Promise<readonly MissingPermission[]> {
  const { ownNamespace, configNamespace = ownNamespace, permissions = REQUIRED_PERMISSIONS, signal } = options;
  const namespaceOf = ({ scope }: Permission): string | undefined =>
    ({
      cluster: undefined,
      'own-namespace': ownNamespace,
      'config-namespace': configNamespace,
      'vendor-namespace': VENDOR_HELPER.namespace,
    })[scope];
  const limiter = createLimiter(CONCURRENCY);
  const questions = permissions.flatMap((permission) =>
    (permission.resourceNames ?? [undefined]).map((name) => ({ permission, name })),
  );
  const answers = await Promise.all(
    questions.map(({ permission, name }) =>
      limiter.run('normal', async () => {
        const namespace = namespaceOf(permission);
        const allowed = await isAllowed(client, { permission, name, namespace, signal });
        return allowed ? [] : [{ permission, message: explain(permission, name, namespace) }];
      }),
    ),
  );
  return answers.flat();
}

async function isAllowed(
  client: KubeClient,
  question: {
    readonly permission: Permission;
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
