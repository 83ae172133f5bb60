// Settings of the process: flags, each with an environment variable of the same meaning. The only reader of `process.env`.
import { parseArgs } from 'node:util';
import { ConfigError } from '../core/errors.ts';
import type { CloudEndpoints } from '../providers/provider.ts';
import { IDENTITY_VARIABLES } from '../providers/table.ts';
import { parseCloudEndpoints } from './cloud-endpoints.ts';
import { parseChoice, parseSwitch } from './flag-values.ts';
import { flagsOf, LOG_LEVELS, NAMED_COMMANDS, variableOf, type LogLevel } from './flags.ts';
import { parseCleanupFlags, type CleanupFlags } from './cleanup-settings.ts';
import { parseHostsFlags, type HostsFlags } from './hosts-settings.ts';
import { parseObjectPlace, type ObjectPlace } from './object-place.ts';
import { parseSelfTestFlags, type SelfTestFlags } from './self-test-settings.ts';
import { parseServedNamespaces } from './served-namespaces.ts';
import { inCluster, kubeconfigOf, podNamespace } from './surroundings.ts';
import { parseWebhookFlags, type WebhookFlags } from './webhook-settings.ts';

const OBJECT_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/** What a command is told. */
export interface Settings {
  /** Path of a kubeconfig; undefined = in the cluster. */
  readonly kubeconfig: string | undefined;
  /** Where the Lease, the master copy and Secret references are; undefined = to be found out from the kubeconfig. */
  readonly namespace: string | undefined;
  /** The same as the flag has it; undefined = it is not there. */
  readonly writtenNamespace: string | undefined;
  /** undefined = `acr-configuration` in our namespace. */
  readonly configMap: ObjectPlace | undefined;
  readonly instance: string;
  /** The only ones that are served; undefined = all. */
  readonly namespaces: readonly string[] | undefined;
  readonly leaderElect: boolean;
  /** Alibaba's add-on is looked for, and its keys are used where rights on Secrets are limited to namespaces. */
  readonly takeOver: boolean;
  readonly cloudEndpoints: CloudEndpoints;
  /** Variables that the clouds' own tools and injectors set, as they are; see `IDENTITY_VARIABLES`. */
  readonly identityEnvironment: Readonly<Record<string, string>>;
  /** In each region. */
  readonly cloudRequestsPerSecond: number;
  readonly secretNamespaces: readonly string[];
  /** Name of the Secret that declares resources; undefined = as `declaredSecretName` says. */
  readonly declaredResources: string | undefined;
  /** ConfigMap in our own namespace from which the configuration is kept; undefined = it is not. */
  readonly valuesConfigMap: string | undefined;
  /** `:8080`, `127.0.0.1:0`; `0` = none. */
  readonly metricsAddress: string;
  readonly webhook: WebhookFlags;
  /** `hosts` only. */
  readonly hosts: HostsFlags;
  readonly logLevel: LogLevel;
  readonly logFormat: 'json' | 'text';
  /** `cleanup` only. */
  readonly cleanup: CleanupFlags;
  /** `self-test` only. */
  readonly selfTest: SelfTestFlags;
  /** `cleanup`: `namespaces` are all that the installation serves. */
  readonly wholeInstallation: boolean;
  /** `cleanup` and `hosts`: print, write nothing. */
  readonly dryRun: boolean;
  /** `migrate config` only: the file to read in place of the cluster; `-` = standard input. */
  readonly file: string | undefined;
  /** What the command is about, where it takes a name; '' for those that take none. */
  readonly name: string;
}

/**
 * Reads flags and environment of `command`; flags win. Throws ConfigError with every problem at once, each naming the flag,
 * the value and how to write it right.
 */
export function readSettings(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Settings {
  const issues: string[] = [];
  const { values, names } = readFlags(command, args, env, issues);
  const settings: Settings = {
    kubeconfig: values.get('kubeconfig') ?? (inCluster(env) ? undefined : kubeconfigOf(env)),
    namespace: values.get('namespace') ?? podNamespace(env),
    writtenNamespace: values.get('namespace'),
    configMap: parseObjectPlace(values.get('config-map'), {
      ...{ flag: 'config-map', example: 'kube-system/acr-configuration', issues },
    }),
    instance: matching(
      'instance',
      values.get('instance') ?? 'default',
      /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/,
      '1 to 40 lower-case letters, digits and -',
      issues,
    ),
    namespaces: parseServedNamespaces(values.get('namespaces'), issues),
    leaderElect: parseSwitch(values, 'leader-elect', { fallback: true, issues }),
    takeOver: parseSwitch(values, 'take-over', { fallback: true, issues }),
    cloudEndpoints: parseCloudEndpoints(values.get('cloud-endpoints'), issues),
    identityEnvironment: Object.fromEntries(
      IDENTITY_VARIABLES.flatMap((name) => {
        const value = env[name]?.trim() ?? '';
        return value === '' ? [] : [[name, value]];
      }),
    ),
    cloudRequestsPerSecond: Number(
      matching(
        'cloud-requests-per-second',
        values.get('cloud-requests-per-second') ?? '15',
        /^[1-9]\d{0,2}$/,
        'a whole number from 1 to 999',
        issues,
      ),
    ),
    secretNamespaces: (values.get('allow-secret-namespaces') ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    declaredResources: objectName('declared-resources', 'a Secret', values.get('declared-resources'), issues),
    valuesConfigMap: objectName('values-config-map', 'a ConfigMap', values.get('values-config-map'), issues),
    metricsAddress: matching(
      'metrics-address',
      values.get('metrics-address') ?? ':8080',
      /^(0|(\[[0-9a-f:.]+\]|[^:\s]*):([0-5]?\d{1,4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]))$/i,
      'HOST:PORT, :PORT or 0',
      issues,
    ),
    webhook: parseWebhookFlags(values, issues),
    hosts: parseHostsFlags(values, issues),
    cleanup: parseCleanupFlags(values, issues),
    selfTest: parseSelfTestFlags(values, issues),
    logLevel: parseChoice('log-level', values.get('log-level') ?? 'info', LOG_LEVELS, issues) ?? 'info',
    logFormat: parseChoice('log-format', values.get('log-format') ?? 'json', ['json', 'text'], issues) ?? 'json',
    wholeInstallation: parseSwitch(values, 'whole-installation', { issues }),
    dryRun: parseSwitch(values, 'dry-run', { issues }),
    file: values.get('file'),
    name: onlyName(command, names, issues),
  };
  if (issues.length > 0) throw new ConfigError(issues);
  return settings;
}

/** Namespace and name of the ConfigMap, and our own namespace, once the kubeconfig's namespace is known. */
export function placesOf(
  settings: Pick<Settings, 'namespace' | 'configMap'>,
  kubeconfigNamespace: string | undefined,
): { readonly namespace: string; readonly configMap: { readonly namespace: string; readonly name: string } } {
  const namespace = settings.namespace ?? settings.configMap?.namespace ?? kubeconfigNamespace ?? 'kube-system';
  return { namespace, configMap: settings.configMap ?? { namespace, name: 'acr-configuration' } };
}

function readFlags(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  issues: string[],
): { readonly values: ReadonlyMap<string, string>; readonly names: readonly string[] } {
  const flags = flagsOf(command);
  const names: string[] = [];
  const isSwitch = (arg: string): boolean =>
    flags.some(({ name, value }) => arg === `--${name}` && (value === undefined || value === 'true|false'));
  const values = new Map<string, string>();
  for (const { name } of flags) {
    const fromEnv = env[variableOf(name)]?.trim();
    if (fromEnv !== undefined && fromEnv !== '') values.set(name, fromEnv);
  }
  const { tokens } = parseArgs({
    args: args.map((arg) => (isSwitch(arg) ? `${arg}=true` : withoutShortEquals(arg))),
    options: Object.fromEntries(
      flags.map(({ name, short }) => [name, { type: 'string' as const, ...(short === undefined ? {} : { short }) }]),
    ),
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === 'positional') names.push(token.value);
    if (token.kind !== 'option') continue;
    const flag = flags.find(({ name }) => name === token.name);
    if (flag?.mayBeEmpty === true && token.inlineValue === true && token.value === '') values.set(token.name, '');
    else if (flag === undefined) issues.push(`unknown flag ${token.rawName}: see ${command} --help`);
    else if (token.value === undefined || token.value === '' || (!token.inlineValue && token.value.startsWith('--')))
      issues.push(`${token.rawName} needs a value: ${token.rawName}=…`);
    else values.set(token.name, token.value);
  }
  return { values, names };
}

/** The one argument of a command that takes one, in the form of an object's name. */
function onlyName(command: string, names: readonly string[], issues: string[]): string {
  const takesName = NAMED_COMMANDS.includes(command);
  const unexpected = names.slice(takesName ? 1 : 0);
  for (const name of unexpected)
    issues.push(
      `unexpected argument ${name}: every ${takesName ? 'other ' : ''}setting is a flag, see ${command} --help`,
    );
  if (!takesName) return '';
  const [name] = names;
  if (name === undefined) issues.push(`a name is missing: ${command} NAME`);
  else if (!OBJECT_NAME.test(name))
    issues.push(`${name} must be the name of an object: lower-case letters, digits, - and .`);
  return name ?? '';
}

/** `-f=FILE` as kubectl takes it; Node would read the `=` as part of the value. */
function withoutShortEquals(arg: string): string {
  return arg.replace(/^(-[a-z])=/, '$1');
}

/** A name of an object, or nothing. */
function objectName(name: string, what: string, text: string | undefined, issues: string[]): string | undefined {
  const form = `the name of ${what}: lower-case letters, digits, - and .`;
  return text === undefined ? undefined : matching(name, text, OBJECT_NAME, form, issues);
}

function matching(name: string, text: string, pattern: RegExp, form: string, issues: string[]): string {
  if (!pattern.test(text)) issues.push(`--${name}=${text} must be ${form}`);
  return text;
}
