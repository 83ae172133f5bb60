// Loads the kubeconfig, and says clearly why it cannot be used.
import type { KubeConfig } from '@kubernetes/client-node';

/** Loads the rights of the Pod (`inCluster`), a kubeconfig file, or its text. Throws ConfigError. */
export declare function loadKubeConfig(source: {
  readonly inCluster: boolean;
  readonly file?: string | undefined;
  readonly content?: string | undefined;
  readonly context?: string | undefined;
}): KubeConfig;
