// What the command `controller` says at its start of rights that it lacks: later failures are then no riddle. The command `self-test` says the same.
import { checkPermissions, messagesOf, splitMissing, type NotGiven, type Places } from '../kube/check-permissions.ts';
import { permissionsOf, type Permission } from '../kube/permissions.ts';
import type { Connection } from './connect.ts';
import type { Settings } from './settings.ts';

/** Names each by verb, resource and namespace; a served namespace without any is one line, and so is what was left out on purpose. */
export async function warnOfMissingRights(
  connection: Connection,
  settings: Settings,
  signal: AbortSignal,
): Promise<void> {
  const { logger } = connection;
  try {
    const { lacking, notGiven } = await missingRights(connection, settings, signal);
    for (const message of lacking) logger.error('A right is missing', { message });
    for (const { value, message } of notGiven) logger.info('Rights were not given', { value, message });
    if (!settings.takeOver) logger.info('Did not look whether another add-on runs', { value: 'rbac.takeOver' });
  } catch (error) {
    logger.warn('Rights could not be checked', { error });
  }
}

/** The same as sentences; `notGiven` is needed only for what its value of the chart is for. Throws KubeError when it cannot be asked. */
export async function missingRights(
  connection: Pick<Connection, 'client' | 'namespace' | 'configMap'>,
  settings: Settings,
  signal: AbortSignal,
): Promise<{ readonly lacking: readonly string[]; readonly notGiven: readonly NotGiven[] }> {
  const { permissions, places } = neededRights(settings, connection);
  const missing = await checkPermissions(connection.client, { ...places, permissions, signal });
  const { lacking, notGiven } = splitMissing(missing, permissions);
  return { lacking: messagesOf(lacking), notGiven };
}

/** What an installation needs with these settings, and where. */
export function neededRights(
  settings: Pick<Settings, 'instance' | 'namespaces' | 'secretNamespaces' | 'takeOver' | 'webhook' | 'valuesConfigMap'>,
  { namespace, configMap }: Pick<Connection, 'namespace' | 'configMap'>,
): { readonly permissions: readonly Permission[]; readonly places: Places } {
  const { instance, namespaces, secretNamespaces, takeOver, webhook, valuesConfigMap } = settings;
  const isServed = webhook.target !== undefined && webhook.address !== '';
  const permissions = permissionsOf({
    ...{ instance, configMap: configMap.name, values: valuesConfigMap, takeOver },
    webhook: isServed ? webhook : undefined,
    isNamespaced: namespaces !== undefined,
  });
  const configNamespace = configMap.namespace;
  const places = { ownNamespace: namespace, configNamespace, servedNamespaces: namespaces ?? [], secretNamespaces };
  return { permissions, places };
}
