// What the admission webhook needs to be allowed, where it is served.
import { webhookName } from '../core/names.ts';
import type { PermissionRow } from './permissions.ts';

/** What the admission webhook needs besides: of one installation, and with the ClusterRole that owns its objects. */
export function webhookRows(instance: string, clusterRole: string): readonly PermissionRow[] {
  return [
    ...objectRows(instance, 'mutatingwebhookconfigurations', 'the webhook for ServiceAccounts'),
    ...objectRows(instance, 'validatingwebhookconfigurations', 'the webhook for ImagePullSecrets'),
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
  const objects = { group: 'admissionregistration.k8s.io', resource, scope: 'cluster' } as const;
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
