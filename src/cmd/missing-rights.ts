// What the command `controller` says at its start of rights that it lacks: later failures are then no riddle.
import { checkPermissions, messagesOf } from '../kube/check-permissions.ts';
import { permissionsOf } from '../kube/permissions.ts';
import type { Connection } from './connect.ts';
import type { Settings } from './settings.ts';

/** Names each by verb, resource and namespace; a served namespace without any is one line. */
export async function warnOfMissingRights(
  connection: Connection,
  { instance, namespaces, secretNamespaces, webhook, valuesConfigMap }: Settings,
  signal: AbortSignal,
): Promise<void> {
  const { client, logger, namespace, configMap } = connection;
  const places = {
    ownNamespace: namespace,
    configNamespace: configMap.namespace,
    servedNamespaces: namespaces ?? [],
    secretNamespaces,
  };
  const isServed = webhook.target !== undefined && webhook.address !== '';
  const isNamespaced = namespaces !== undefined;
  const values = valuesConfigMap === undefined ? undefined : { configMap: configMap.name, values: valuesConfigMap };
  const permissions = permissionsOf(instance, isServed ? webhook : undefined, { isNamespaced, values });
  try {
    for (const message of messagesOf(await checkPermissions(client, { ...places, permissions, signal }))) {
      logger.error('A right is missing', { message });
    }
  } catch (error) {
    logger.warn('Rights could not be checked', { error });
  }
}
