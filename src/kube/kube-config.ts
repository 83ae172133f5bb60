// Loads the kubeconfig, and says clearly why it cannot be used: the library is silent, or quotes what must not be quoted.
import { accessSync, readFileSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';
import { ConfigError } from '../core/errors.ts';
import { codeOf } from './errors.ts';

/** Where the library finds what a Pod is given. */
const POD_CREDENTIALS = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Where to load from: exactly one of `inCluster`, `file` and `content`. */
export interface KubeConfigSource {
  /** True = the rights of the Pod that we run in. */
  readonly inCluster: boolean;
  /** Path of a kubeconfig. */
  readonly file?: string | undefined;
  /** Text of a kubeconfig. */
  readonly content?: string | undefined;
  /** Context in place of the current one of the kubeconfig. */
  readonly context?: string | undefined;
}

/** Loads and checks; makes no call. Throws ConfigError. */
export function loadKubeConfig(source: KubeConfigSource): KubeConfig {
  const kubeConfig = source.inCluster ? loadPod() : loadText(source);
  if (source.context !== undefined) selectContext(kubeConfig, source.context);
  check(kubeConfig);
  return kubeConfig;
}

function loadPod(): KubeConfig {
  for (const file of [`${POD_CREDENTIALS}/token`, `${POD_CREDENTIALS}/ca.crt`]) {
    try {
      accessSync(file);
    } catch (error) {
      throw new ConfigError([
        `cannot read ${file} (${codeOf(error) ?? 'unreadable'}): outside a cluster name a kubeconfig; inside, the Pod needs ` +
          'automountServiceAccountToken',
      ]);
    }
  }
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromCluster();
  return kubeConfig;
}

function loadText({ file, content }: KubeConfigSource): KubeConfig {
  if (file === undefined && content === undefined) throw new ConfigError(['no kubeconfig is named']);
  const name = file === undefined ? 'the kubeconfig' : `the kubeconfig ${file}`;
  try {
    if (file !== undefined) accessSync(file);
  } catch (error) {
    throw new ConfigError([
      `cannot read ${name} (${codeOf(error) ?? 'unreadable'}): name another with --kubeconfig or $KUBECONFIG`,
    ]);
  }
  const kubeConfig = new KubeConfig();
  try {
    // By its file, paths inside are relative to it.
    if (file === undefined) kubeConfig.loadFromString(content ?? '');
    else if (readFileSync(file, 'utf8').trim() === '') throw new ConfigError([`${name} is empty`]);
    else kubeConfig.loadFromFile(file);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    // Its own message may quote a line that holds a token.
    throw new ConfigError([`${name} is not a kubeconfig: check that it is YAML with clusters, users and contexts`]);
  }
  return kubeConfig;
}

function selectContext(kubeConfig: KubeConfig, context: string): void {
  const names = kubeConfig.getContexts().map(({ name }) => name);
  if (!names.includes(context)) {
    throw new ConfigError([`the kubeconfig has no context ${context}: it has ${names.join(', ') || 'none'}`]);
  }
  kubeConfig.setCurrentContext(context);
}

function check(kubeConfig: KubeConfig): void {
  const cluster = kubeConfig.getCurrentCluster();
  const context = kubeConfig.getCurrentContext();
  if (cluster === null)
    throw new ConfigError([`the kubeconfig has no cluster for its context ${context || '(none set)'}`]);
  if (kubeConfig.getCurrentUser() === null) {
    throw new ConfigError([`the kubeconfig has no user for its context ${context}`]);
  }
  if (!URL.canParse(cluster.server) || cluster.server.includes('undefined')) {
    throw new ConfigError([`the address of the API server is not a URL: ${cluster.server}`]);
  }
  const { protocol } = new URL(cluster.server);
  if (protocol !== 'https:' && !(protocol === 'http:' && cluster.skipTLSVerify)) {
    throw new ConfigError([
      `the address of the API server is not https: ${cluster.server} (http is used only with insecure-skip-tls-verify)`,
    ]);
  }
  if (cluster.proxyUrl !== undefined && !/^https?:\/\//.test(cluster.proxyUrl)) {
    throw new ConfigError(['the proxy-url of the kubeconfig is not http or https']);
  }
}
