// What the environment says of where the process runs.
import { readFileSync } from 'node:fs';

/** True in a Pod. */
export function inCluster(env: NodeJS.ProcessEnv): boolean {
  return (env.KUBERNETES_SERVICE_HOST ?? '') !== '';
}

/** The kubeconfig that kubectl would use. */
export function kubeconfigOf(env: NodeJS.ProcessEnv): string {
  const listed = (env.KUBECONFIG ?? '').split(':').find((file) => file !== '');
  return listed ?? `${env.HOME ?? '~'}/.kube/config`;
}

/** The namespace of our Pod; undefined outside of a cluster. */
export function podNamespace(env: NodeJS.ProcessEnv): string | undefined {
  if (env.POD_NAMESPACE !== undefined && env.POD_NAMESPACE !== '') return env.POD_NAMESPACE;
  if (!inCluster(env)) return undefined;
  try {
    return readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/namespace', 'utf8').trim();
  } catch {
    return undefined;
  }
}
