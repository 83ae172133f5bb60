// What the command `controller` says at its start of rights that it lacks: later failures are then no riddle. The command `self-test` says the same.
import { checkPermissions, messagesOf } from '../kube/check-permissions.ts';
import { permissionsOf } from '../kube/permissions.ts';
import type { Connection } from './connect.ts';
import type { Settings } from './settings.ts';

/** Names each by verb, resource and namespace; a served namespace without any is one line. */
export async function warnOfMissingRights(
  connection: Connection,
  settings: Settings,
  signal: AbortSignal,
): Promise<void> {
  const { logger } = connection;
  try {
    for (const message of await missingRights(connection, settings, signal)) {
      logger.error('A right is missing', { message });
    }
  } catch (error) {
    logger.warn('Rights could not be checked', { error });
  }
}

/** The same as sentences; empty = all are there. Throws KubeError when it cannot be asked. */
export async function missingRights(
  { client, namespace, configMap }: Pick<Connection, 'client' | 'namespace' | 'configMap'>,
  { instance, namespaces, secretNamespaces, webhook, valuesConfigMap }: Settings,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const places = {
    ownNamespace: namespace,
    configNamespace: configMap.namespace,
    servedNamespaces: namespaces ?? [],
    secretNamespaces,
  };
  const isServed = webhook.target !== undefined && webhook.address !== '';
  const permissions = permissionsOf({
    ...{ instance, configMap: configMap.name, values: valuesConfigMap },
    webhook: isServed ? webhook : undefined,
    isNamespaced: namespaces !== undefined,
  });
  return messagesOf(await checkPermissions(client, { ...places, permissions, signal }));
}
