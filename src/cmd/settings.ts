// Settings of the process: flags, each with an environment variable of the same meaning. The only reader of `process.env`.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ConfigError } from '../core/errors.ts';
import type { CloudEndpoints } from '../providers/provider.ts';
import { parseCloudEndpoints } from './cloud-endpoints.ts';
import { parseWebhookFlags, WEBHOOK_FLAGS, type WebhookFlags } from './webhook-settings.ts';

/** What the commands `controller` and `cleanup` are told. */
export interface Settings {
  /** Path of a kubeconfig; undefined = in the cluster. */
  readonly kubeconfig: string | undefined;
  /** Where the Lease, the master copy and Secret references are; undefined = to be found out from the kubeconfig. */
  readonly namespace: string | undefined;
  /** undefined = `acr-configuration` in our namespace. */
  readonly configMap: { readonly namespace: string; readonly name: string } | undefined;
  readonly instance: string;
  readonly leaderElect: boolean;
  readonly cloudEndpoints: CloudEndpoints;
  readonly secretNamespaces: readonly string[];
  /** `:8080`, `127.0.0.1:0`; `0` = none. */
  readonly metricsAddress: string;
  readonly webhook: WebhookFlags;
  readonly logLevel: LogLevel;
  readonly logFormat: 'json' | 'text';
  /** `cleanup` only: print, write nothing. */
  readonly dryRun: boolean;
}

export type LogLevel = (typeof LOG_LEVELS)[number];

const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

/** One flag; the environment variable is derived from its name. */
interface Flag {
  readonly name: string;
  readonly value: string | undefined;
  readonly help: string;
  /** Only for these commands; absent = for all. */
  readonly commands?: readonly string[];
  /** True = `--flag=` says something. */
  readonly mayBeEmpty?: boolean;
}

const FLAGS: readonly Flag[] = [
  {
    name: 'kubeconfig',
    value: 'FILE',
    help: 'kubeconfig to use (default: in the cluster its own rights, else $KUBECONFIG or ~/.kube/config)',
  },
  {
    name: 'namespace',
    value: 'NAME',
    help: 'namespace of the Lease, of the master copy and of Secret references (default: that of the Pod, else of --config-map, else of the kubeconfig)',
  },
  {
    name: 'config-map',
    value: 'NAMESPACE/NAME',
    help: 'the configuration (default: acr-configuration in --namespace)',
  },
  {
    name: 'instance',
    value: 'NAME',
    help: 'label value that tells several installations in one cluster apart (default: default)',
  },
  {
    name: 'leader-elect',
    value: 'true|false',
    help: 'write only while holding the Lease, so that several replicas may run (default: true)',
    commands: ['controller'],
  },
  {
    name: 'cloud-endpoints',
    value: 'FILE|JSON',
    help: 'other addresses of cloud services: {"alibaba": {"cr": {"url": "https://cr-vpc.{region}.aliyuncs.com", "host": "…", "caFile": "…"}}}',
    commands: ['controller'],
  },
  {
    name: 'allow-secret-namespaces',
    value: 'LIST',
    help: 'further namespaces that Secret references in the configuration may name, separated by commas',
    commands: ['controller'],
  },
  {
    name: 'metrics-address',
    value: 'ADDRESS',
    help: 'where to serve /metrics, /livez and /readyz; 0 = nowhere (default: :8080)',
    commands: ['controller'],
  },
  ...WEBHOOK_FLAGS,
  { name: 'log-level', value: LOG_LEVELS.join('|'), help: 'least important lines that are printed (default: info)' },
  { name: 'log-format', value: 'json|text', help: 'form of the log lines (default: json)' },
  { name: 'dry-run', value: undefined, help: 'print what would be removed and remove nothing', commands: ['cleanup'] },
];

/** The flags of `command` as a table for `--help`. */
export function flagsHelp(command: string): string {
  const rows = flagsOf(command).map(({ name, value, help }) => {
    const usage = `  --${name}${value === undefined ? '' : `=${value}`}`;
    return `${usage}\n        ${help} [${variableOf(name)}]`;
  });
  return rows.join('\n');
}

/**
 * Reads flags and environment of `command`; flags win. Throws ConfigError with every problem at once, each naming the flag,
 * the value and how to write it right.
 */
export function readSettings(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Settings {
  const issues: string[] = [];
  const values = readFlags(command, args, env, issues);
  const settings: Settings = {
    kubeconfig: values.get('kubeconfig') ?? (inCluster(env) ? undefined : kubeconfigOf(env)),
    namespace: values.get('namespace') ?? podNamespace(env),
    configMap: parseConfigMap(values.get('config-map'), issues),
    instance: matching(
      'instance',
      values.get('instance') ?? 'default',
      /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/,
      '1 to 40 lower-case letters, digits and -',
      issues,
    ),
    leaderElect: choice('leader-elect', values.get('leader-elect') ?? 'true', ['true', 'false'], issues) !== 'false',
    cloudEndpoints: parseCloudEndpoints(values.get('cloud-endpoints'), issues),
    secretNamespaces: (values.get('allow-secret-namespaces') ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    metricsAddress: matching(
      'metrics-address',
      values.get('metrics-address') ?? ':8080',
      /^(0|(\[[0-9a-f:.]+\]|[^:\s]*):([0-5]?\d{1,4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]))$/i,
      'HOST:PORT, :PORT or 0',
      issues,
    ),
    webhook: parseWebhookFlags(values, issues),
    logLevel: choice('log-level', values.get('log-level') ?? 'info', LOG_LEVELS, issues) ?? 'info',
    logFormat: choice('log-format', values.get('log-format') ?? 'json', ['json', 'text'], issues) ?? 'json',
    dryRun: choice('dry-run', values.get('dry-run') ?? 'false', ['true', 'false'], issues) !== 'false',
  };
  if (issues.length > 0) throw new ConfigError(issues);
  return settings;
}

/** Namespace and name of the ConfigMap, and our own namespace, once the kubeconfig's namespace is known. */
export function placeOf(
  settings: Pick<Settings, 'namespace' | 'configMap'>,
  kubeconfigNamespace: string | undefined,
): { readonly namespace: string; readonly configMap: { readonly namespace: string; readonly name: string } } {
  const namespace = settings.namespace ?? settings.configMap?.namespace ?? kubeconfigNamespace ?? 'kube-system';
  return { namespace, configMap: settings.configMap ?? { namespace, name: 'acr-configuration' } };
}

function flagsOf(command: string): readonly Flag[] {
  return FLAGS.filter((flag) => flag.commands?.includes(command) ?? true);
}

function variableOf(name: string): string {
  return `REGISTRY_CREDENTIAL_HELPER_${name.toUpperCase().replaceAll('-', '_')}`;
}

function readFlags(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  issues: string[],
): ReadonlyMap<string, string> {
  const flags = flagsOf(command);
  const values = new Map<string, string>();
  for (const { name } of flags) {
    const fromEnv = env[variableOf(name)]?.trim();
    if (fromEnv !== undefined && fromEnv !== '') values.set(name, fromEnv);
  }
  const { tokens } = parseArgs({
    args: args.map((arg) => (arg === '--leader-elect' || arg === '--dry-run' ? `${arg}=true` : arg)),
    options: Object.fromEntries(flags.map(({ name }) => [name, { type: 'string' as const }])),
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === 'positional')
      issues.push(`unexpected argument ${token.value}: every setting is a flag, see ${command} --help`);
    if (token.kind !== 'option') continue;
    const flag = flags.find(({ name }) => name === token.name);
    if (flag?.mayBeEmpty === true && token.inlineValue === true && token.value === '') values.set(token.name, '');
    else if (flag === undefined) issues.push(`unknown flag ${token.rawName}: see ${command} --help`);
    else if (token.value === undefined || token.value === '' || (!token.inlineValue && token.value.startsWith('--')))
      issues.push(`${token.rawName} needs a value: ${token.rawName}=…`);
    else values.set(token.name, token.value);
  }
  return values;
}

function parseConfigMap(text: string | undefined, issues: string[]): Settings['configMap'] {
  if (text === undefined) return undefined;
  const [namespace = '', name = '', ...rest] = text.split('/');
  if (namespace === '' || name === '' || rest.length > 0) {
    issues.push(`--config-map=${text} must be NAMESPACE/NAME, e.g. kube-system/acr-configuration`);
    return undefined;
  }
  return { namespace, name };
}

function choice<const T extends string>(
  name: string,
  text: string,
  allowed: readonly T[],
  issues: string[],
): T | undefined {
  const found = allowed.find((value) => value === text.toLowerCase());
  if (found === undefined) issues.push(`--${name}=${text} must be one of ${allowed.join(', ')}`);
  return found;
}

function matching(name: string, text: string, pattern: RegExp, form: string, issues: string[]): string {
  if (!pattern.test(text)) issues.push(`--${name}=${text} must be ${form}`);
  return text;
}

function inCluster(env: NodeJS.ProcessEnv): boolean {
  return (env.KUBERNETES_SERVICE_HOST ?? '') !== '';
}

function kubeconfigOf(env: NodeJS.ProcessEnv): string {
  const listed = (env.KUBECONFIG ?? '').split(':').find((file) => file !== '');
  return listed ?? `${env.HOME ?? '~'}/.kube/config`;
}

function podNamespace(env: NodeJS.ProcessEnv): string | undefined {
  if (env.POD_NAMESPACE !== undefined && env.POD_NAMESPACE !== '') return env.POD_NAMESPACE;
  if (!inCluster(env)) return undefined;
  try {
    return readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/namespace', 'utf8').trim();
  } catch {
    return undefined;
  }
}
