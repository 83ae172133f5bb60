// What is needed to keep the configuration from the values of a chart, where that is wanted.
import type { PermissionRow } from './permissions.ts';

/** Names of the two ConfigMaps. */
export interface KeptFromValues {
  readonly configMap: string;
  /** In our own namespace. */
  readonly values: string;
}

/** The rows; Kubernetes cannot limit `create` to a name. */
export function valuesRows({ configMap, values }: KeptFromValues): readonly PermissionRow[] {
  const configMaps = { group: '', resource: 'configmaps' } as const;
  return [
    {
      ...{ ...configMaps, scope: 'own-namespace', resourceNames: [values] },
      whyByVerb: { list: 'to read the values of the chart', watch: 'to notice at once when they change' },
    },
    {
      ...{ ...configMaps, scope: 'config-namespace' },
      whyByVerb: { create: 'to make the configuration from the values where there is none' },
    },
    {
      ...{ ...configMaps, scope: 'config-namespace', resourceNames: [configMap] },
      whyByVerb: {
        patch: 'to let keys that nobody edited by hand follow the values',
        delete: 'to remove the configuration at the end, with the command cleanup, where nobody edited it',
      },
    },
  ];
}
