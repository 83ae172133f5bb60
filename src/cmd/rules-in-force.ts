// What an installation in a cluster is told to do, for commands that explain it: the ConfigMap and the resources, by the controller's own parsers.
import { effectiveConfig } from '../core/effective-config.ts';
import { parseImagePullSecret, type ParsedResource } from '../core/image-pull-secret.ts';
import { claimOf } from '../core/resource-conflicts.ts';
import type { Looked, UnderstoodConfiguration } from '../core/take-over-facts.ts';
import type { Config } from '../core/types.ts';
import { withUnservedNames } from '../core/unserved-namespaces.ts';
import { createItemParser } from '../credentials/requests.ts';
import { listAll, look } from '../kube/cluster-reads.ts';
import { unlessAbsent } from '../kube/errors.ts';
import { projectResource, RESOURCES_PATH } from '../kube/resource-objects.ts';
import { lookForConfigMap } from '../kube/take-over-reads.ts';
import { createProviders, withResourceProvider } from '../providers/table.ts';
import type { Connection } from './connect.ts';
import { understand } from './from-acr-helper.ts';
import type { Settings } from './settings.ts';

/** What was found. */
export interface RulesInForce {
  readonly configuration: Looked<UnderstoodConfiguration | undefined>;
  readonly resources: Looked<readonly (ParsedResource & { readonly name: string })[]>;
  /** undefined = what is in force cannot be told: one of both may not be read, or the ConfigMap is refused. */
  readonly config: Config | undefined;
}

/** Reads it; the settings as the controller is told them. Throws KubeError for what is not a missing right. */
export async function lookForRules(
  { client, configMap }: Pick<Connection, 'client' | 'configMap'>,
  { secretNamespaces, namespaces }: Pick<Settings, 'secretNamespaces' | 'namespaces'>,
  signal: AbortSignal,
): Promise<RulesInForce> {
  const { namespace } = configMap;
  const parseItem = createItemParser(withResourceProvider(createProviders()), { namespace, secretNamespaces });
  const [read, resources] = await Promise.all([
    lookForConfigMap(client, configMap, signal),
    look('allow "list" of imagepullsecrets.tcr.tencentcloudcr.com', async () => {
      const listing = listAll({ client, signal }, RESOURCES_PATH, {
        project: (object) => projectResource(object)?.value,
      });
      const found = (await unlessAbsent(listing)) ?? [];
      return found.map((resource) => {
        const { name, spec } = resource;
        const parsed = withUnservedNames(parseImagePullSecret(name, spec, parseItem), namespaces);
        return { name, ...claimOf(resource), ...parsed };
      });
    }),
  ]);
  const configuration: RulesInForce['configuration'] = read.ok
    ? {
        ok: true,
        value:
          read.value === undefined ? undefined : understand(read.value, namespace, { secretNamespaces, namespaces }),
      }
    : read;
  return { configuration, resources, config: inForce(configuration, resources) };
}

function inForce(
  configuration: RulesInForce['configuration'],
  resources: RulesInForce['resources'],
): Config | undefined {
  if (!configuration.ok || !resources.ok) return undefined;
  if (configuration.value !== undefined && configuration.value.config === undefined) return undefined;
  const defaults = understand({ 'registry-info': '[]' }, 'kube-system').config;
  if (defaults === undefined) return undefined;
  return effectiveConfig(
    configuration.value?.config ?? { ...defaults, rules: [] },
    { known: resources.value, areAll: true },
    defaults,
  );
}
