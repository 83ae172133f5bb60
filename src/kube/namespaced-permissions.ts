// What is needed where only listed namespaces are served: no right on Secrets and ServiceAccounts in the whole cluster, but in those
// namespaces, and what the cluster-wide right covered besides: our own namespace, and the few places of keys.
import { ALIBABA_KEY_SECRETS, authoritySecretName, stateSecretName } from '../core/names.ts';
import type { PermissionRow } from './permissions.ts';

const SECRETS = { group: '', resource: 'secrets' } as const;
const EVENTS = { group: '', resource: 'events' } as const;

const VENDOR_KEYS: PermissionRow = {
  ...SECRETS,
  scope: 'vendor-namespace',
  resourceNames: [ALIBABA_KEY_SECRETS.addon, ...ALIBABA_KEY_SECRETS.managedRole],
  whyByVerb: {
    list: 'to use the keys that Alibaba’s add-on, or its control plane, has there',
    watch: 'to notice at once when those keys change',
  },
};

/** The rows of an installation that serves all namespaces -> those of one that serves only some. */
export function namespacedRows(
  rows: readonly PermissionRow[],
  { instance, takeOver }: { readonly instance: string; readonly takeOver: boolean },
): readonly PermissionRow[] {
  return [
    ...rows.map((row) => (isOfTenants(row) ? { ...row, scope: 'served-namespaces' as const } : row)),
    {
      ...SECRETS,
      scope: 'own-namespace',
      whyByVerb: {
        list: 'to read the Secrets that identities, passwords and declared resources come from',
        watch: 'to notice edits of those Secrets at once',
        create: 'to write the master copy, and the certificate authority of the webhook',
      },
    },
    {
      ...SECRETS,
      scope: 'own-namespace',
      resourceNames: [stateSecretName(instance), authoritySecretName(instance)],
      whyByVerb: {
        get: 'to read what an earlier leader left',
        patch: 'to keep it up to date',
        delete: 'to remove it at the end, with the command cleanup',
      },
    },
    ...(takeOver ? [VENDOR_KEYS] : []),
    {
      ...SECRETS,
      scope: 'secret-namespaces',
      whyByVerb: {
        list: 'to read the Secrets that the configuration may name there',
        watch: 'to notice edits of those Secrets at once',
      },
    },
    {
      ...EVENTS,
      scope: 'own-namespace',
      whyByVerb: { create: 'to tell people what is wrong with declared resources' },
    },
    {
      ...EVENTS,
      scope: 'config-namespace',
      whyByVerb: { create: 'to tell people what is wrong with the configuration' },
    },
    { ...EVENTS, scope: 'default-namespace', whyByVerb: { create: 'to tell people what is wrong with a resource' } },
  ];
}

/** What is read and written in the namespaces of tenants. */
function isOfTenants({ group, resource, scope }: PermissionRow): boolean {
  return group === '' && scope === 'cluster' && ['serviceaccounts', 'secrets', 'events'].includes(resource);
}
