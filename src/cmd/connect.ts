// What every command that talks to a cluster needs first: transport, logger, and the place that it works in.
import { loadKubeConfig } from '../kube/kube-config.ts';
import { createKubeClient, type KubeClient } from '../kube/client.ts';
import { createLogger, type Logger } from '../observability/logger.ts';
import { SecretRegistry } from '../observability/redaction.ts';
import { placesOf, type Settings } from './settings.ts';

/** A connected process. */
export interface Connection {
  readonly client: KubeClient;
  readonly logger: Logger;
  readonly secrets: SecretRegistry;
  /** Our own namespace. */
  readonly namespace: string;
  readonly configMap: { readonly namespace: string; readonly name: string };
  /** That of the kubeconfig’s current context; undefined = it names none. */
  readonly contextNamespace: string | undefined;
}

/** Connects; no call is made yet. `onCall` is told of every answer. Throws ConfigError when there is no usable kubeconfig. */
export function connect(
  settings: Settings,
  version: string,
  onCall?: (call: { readonly method: string; readonly code: number | undefined }) => void,
): Connection {
  const secrets = new SecretRegistry();
  const kubeConfig = loadKubeConfig({ inCluster: settings.kubeconfig === undefined, file: settings.kubeconfig });
  const kubeconfigNamespace = kubeConfig.getContextObject(kubeConfig.getCurrentContext())?.namespace;
  const userAgent = `registry-credential-helper/${version}`;
  return {
    client: createKubeClient({ kubeConfig, userAgent, ...(onCall === undefined ? {} : { onCall }) }),
    logger: createLogger({ level: settings.logLevel, format: settings.logFormat, secrets }),
    secrets,
    contextNamespace: kubeconfigNamespace,
    ...placesOf(settings, kubeconfigNamespace),
  };
}
