// What the admission webhook needs to be allowed, where it is served, and where it is not any more.
import { webhookName, type WebhookKind } from '../core/names.ts';
import type { PermissionRow } from './permissions.ts';

const OBJECTS: Readonly<Record<WebhookKind, string>> = {
  MutatingWebhookConfiguration: 'the webhook for ServiceAccounts',
  ValidatingWebhookConfiguration: 'the webhook for ImagePullSecrets',
};

/**
 * What one installation needs for it. `clusterRole` owns its objects; undefined = it is not served: then only what an earlier time
 * left can be found and removed.
 */
export function webhookRows(instance: string, clusterRole: string | undefined): readonly PermissionRow[] {
  const kinds = Object.entries(OBJECTS).map(([kind, what]) => [`${kind.toLowerCase()}s`, what] as const);
  if (clusterRole === undefined) return kinds.map(([resource, what]) => leftRow(instance, resource, what));
  return [
    ...kinds.flatMap(([resource, what]) => objectRows(instance, resource, what)),
    {
      group: 'rbac.authorization.k8s.io',
      resource: 'clusterroles',
      scope: 'cluster',
      resourceNames: [clusterRole],
      whyByVerb: { get: 'to let the webhooks go when the installation does' },
    },
  ];
}

function objectRows(instance: string, resource: string, what: string): readonly PermissionRow[] {
  const objects = placeOf(resource);
  return [
    {
      ...objects,
      resourceNames: [webhookName(instance)],
      whyByVerb: {
        get: `to find ${what} when it is to be removed`,
        list: `to know ${what} as it is`,
        watch: `to notice when somebody edits or deletes ${what}`,
        update: `to change ${what}`,
        delete: `to remove ${what} when it is off`,
      },
    },
    { ...objects, whyByVerb: { create: `to create ${what}` } },
  ];
}

function leftRow(instance: string, resource: string, what: string): PermissionRow {
  return {
    ...placeOf(resource),
    resourceNames: [webhookName(instance)],
    whyByVerb: {
      get: `to find ${what} that an earlier time left`,
      delete: `to remove ${what} that an earlier time left`,
    },
  };
}

function placeOf(resource: string): Pick<PermissionRow, 'group' | 'resource' | 'scope'> {
  return { group: 'admissionregistration.k8s.io', resource, scope: 'cluster' };
}
