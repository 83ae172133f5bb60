// What an installation in a cluster is told to do, for commands that explain it: the ConfigMap and the resources, by the controller's own parsers.
import { effectiveConfig, type KnownResource } from '../core/effective-config.ts';
import type { RefusedResource } from '../core/explain-pod.ts';
import { parseImagePullSecret, type ParsedResource } from '../core/image-pull-secret.ts';
import { claimOf } from '../core/resource-conflicts.ts';
import { TCR_ASSISTANT } from '../core/names.ts';
import { isWanted, type Looked, type UnderstoodConfiguration, type VendorDeployment } from '../core/take-over-facts.ts';
import type { Config, Issue } from '../core/types.ts';
import { withUnservedNames } from '../core/unserved-namespaces.ts';
import { createItemParser } from '../credentials/requests.ts';
import { listAll, look, readDeployment } from '../kube/cluster-reads.ts';
import { unlessAbsent } from '../kube/errors.ts';
import { projectResource, RESOURCES_PATH } from '../kube/resource-objects.ts';
import { lookForConfigMap } from '../kube/take-over-reads.ts';
import { createProviders, withResourceProvider } from '../providers/table.ts';
import type { Connection } from './connect.ts';
import { understand } from './from-acr-helper.ts';
import { secretDefaultsOf } from './secret-defaults.ts';
import type { Settings } from './settings.ts';

/** What was found. */
export interface RulesInForce {
  readonly configuration: Looked<UnderstoodConfiguration | undefined>;
  /** With the issues that follow from other resources. */
  readonly resources: Looked<readonly (ParsedResource & { readonly name: string })[]>;
  /** Resources that are not in force as they stand; none while they are left to Tencent's add-on. */
  readonly refused: readonly RefusedResource[];
  /** Tencent's add-on, which serves the same resources: while it runs they are left to it. */
  readonly tcrAssistant: Looked<VendorDeployment | undefined>;
  /** undefined = what is in force cannot be told: one of both may not be read, or the ConfigMap is refused. */
  readonly config: Config | undefined;
}

/**
 * Reads it; the settings as the controller is told them, and `namespace` that of the controller. Throws KubeError for what is not a
 * missing right.
 */
export async function lookForRules(
  { client, namespace, configMap }: Pick<Connection, 'client' | 'namespace' | 'configMap'>,
  settings: Pick<Settings, 'instance' | 'secretNamespaces' | 'declaredResources' | 'namespaces'>,
  signal: AbortSignal,
): Promise<RulesInForce> {
  const { namespaces } = settings;
  const secrets = secretDefaultsOf(settings, namespace);
  const parseItem = createItemParser(withResourceProvider(createProviders()), secrets);
  const [read, found, tcrAssistant] = await Promise.all([
    lookForConfigMap(client, configMap, signal),
    look('allow "list" of imagepullsecrets.tcr.tencentcloudcr.com', async () => {
      const listing = listAll({ client, signal }, RESOURCES_PATH, {
        project: (object) => projectResource(object)?.value,
      });
      return ((await unlessAbsent(listing)) ?? []).map((resource) => {
        const { name, spec } = resource;
        const parsed = withUnservedNames(parseImagePullSecret(name, spec, parseItem), namespaces);
        return { name, ...claimOf(resource), ...parsed };
      });
    }),
    look(`allow "list" of deployments.apps in the namespace ${TCR_ASSISTANT.namespace}`, () =>
      readDeployment({ client, signal }, TCR_ASSISTANT),
    ),
  ]);
  const configuration: RulesInForce['configuration'] = read.ok
    ? {
        ok: true,
        value: read.value === undefined ? undefined : understand(read.value, namespace, { ...secrets, namespaces }),
      }
    : read;
  const isLeft = isWanted(tcrAssistant);
  const ours = found.ok && isLeft ? { ok: true as const, value: [] } : found;
  const config = inForce(configuration, { resources: ours, areAll: !isLeft });
  const conflictsOf = (name: string): readonly Issue[] => [config?.unknown?.conflicts?.get(name) ?? []].flat();
  const refused = (ours.ok ? ours.value : []).flatMap(({ name, rule, issues }) => {
    const issue = [...conflictsOf(name), ...(rule === undefined ? issues.filter(isError) : [])][0];
    return issue === undefined ? [] : [{ name, rule, issue }];
  });
  const resources: RulesInForce['resources'] = found.ok
    ? { ok: true, value: found.value.map((one) => ({ ...one, issues: [...one.issues, ...conflictsOf(one.name)] })) }
    : found;
  return { configuration, resources, refused, tcrAssistant, config };
}

function isError({ severity }: Issue): boolean {
  return severity === 'error';
}

function inForce(
  configuration: RulesInForce['configuration'],
  { resources, areAll }: { readonly resources: Looked<readonly KnownResource[]>; readonly areAll: boolean },
): Config | undefined {
  if (!configuration.ok || !resources.ok) return undefined;
  if (configuration.value !== undefined && configuration.value.config === undefined) return undefined;
  const defaults = understand({ 'registry-info': '[]' }, 'kube-system').config;
  if (defaults === undefined) return undefined;
  return effectiveConfig(
    configuration.value?.config ?? { ...defaults, rules: [] },
    { known: resources.value, areAll },
    defaults,
  );
}
