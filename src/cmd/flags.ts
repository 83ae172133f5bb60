// The flags of every command, each with an environment variable of the same meaning.
import { CLEANUP_FLAGS } from './cleanup-settings.ts';
import { HOSTS_FLAGS } from './hosts-settings.ts';
import { SELF_TEST_FLAGS } from './self-test-settings.ts';
import { WEBHOOK_FLAGS } from './webhook-settings.ts';

/** How important a log line is. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Most important first. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

/** One flag; the environment variable is derived from its name. */
export interface Flag {
  readonly name: string;
  /** undefined = a switch; `true|false` may be left out too, and means true. */
  readonly value: string | undefined;
  readonly help: string;
  /** One letter that may stand in place of the name. */
  readonly short?: string;
  /** Only for these commands; absent = for all. */
  readonly commands?: readonly string[];
  /** True = `--flag=` says something. */
  readonly mayBeEmpty?: boolean;
}

/** Commands that take the name of an object beside their flags. */
export const NAMED_COMMANDS: readonly string[] = ['explain pod'];

/** Commands that look at an installation, which people name by its ConfigMap. */
const LOOKING = ['explain pod', 'doctor', 'self-test'] as const;

const NAMESPACE = { name: 'namespace', value: 'NAME' } as const;
const CONFIG_MAP = { name: 'config-map', value: 'NAMESPACE/NAME' } as const;

/** Some flags have a row for each meaning: their defaults differ. */
const FLAGS: readonly Flag[] = [
  {
    name: 'kubeconfig',
    value: 'FILE',
    help: 'kubeconfig to use (default: in the cluster its own rights, else $KUBECONFIG or ~/.kube/config)',
    commands: [
      ...['controller', 'cleanup', 'migrate config', 'migrate from-acr-helper', 'migrate from-tcr-assistant'],
      ...LOOKING,
    ],
  },
  {
    ...NAMESPACE,
    help: 'namespace of the Lease, of the master copy and of Secret references (default: that of the Pod, else of --config-map, else of the kubeconfig, else kube-system)',
    commands: ['controller', 'cleanup', 'self-test'],
  },
  {
    ...NAMESPACE,
    help: 'namespace of Secret references (default: that of the Pod, else of --config-map or the file, else of the kubeconfig, else kube-system)',
    commands: ['migrate config'],
  },
  {
    ...NAMESPACE,
    help: 'namespace where this program is or will be (default: that of the Pod, else of --config-map)',
    commands: ['migrate from-acr-helper'],
  },
  {
    ...NAMESPACE,
    help: 'namespace where this program is or will be (default: that of the Pod, else kube-system)',
    commands: ['migrate from-tcr-assistant'],
  },
  {
    ...{ ...NAMESPACE, short: 'n' },
    help: 'namespace of the Pod (default: that of the kubeconfig, else default). Short: -n NAME',
    commands: ['explain pod'],
  },
  {
    ...{ ...NAMESPACE, short: 'n' },
    help: 'look at the Pods of this namespace only (default: at all). Short: -n NAME',
    commands: ['doctor'],
  },
  {
    ...CONFIG_MAP,
    help: 'the configuration of the installation (default: kube-system/acr-configuration, whatever --namespace is)',
    commands: LOOKING,
  },
  {
    ...CONFIG_MAP,
    help: 'the configuration (default: acr-configuration in --namespace)',
    commands: ['controller', 'cleanup', 'migrate from-tcr-assistant'],
  },
  {
    ...CONFIG_MAP,
    help: 'the configuration (default: acr-configuration in --namespace); with --file, which of those in it (default: the only one, else acr-configuration)',
    commands: ['migrate config'],
  },
  {
    ...CONFIG_MAP,
    help: "the configuration of Alibaba's add-on (default: kube-system/acr-configuration, whatever --namespace is)",
    commands: ['migrate from-acr-helper'],
  },
  {
    name: 'instance',
    value: 'NAME',
    help: 'label value that tells several installations in one cluster apart (default: default)',
    commands: ['controller', 'cleanup', 'migrate from-acr-helper', 'migrate from-tcr-assistant', ...LOOKING],
  },
  {
    name: 'namespaces',
    value: 'LIST',
    help: 'the only namespaces that are served, by name, separated by commas: rights on Secrets are needed in these alone, see docs/rbac.md (default: every namespace)',
    commands: ['controller', 'cleanup'],
  },
  {
    name: 'namespaces',
    value: 'LIST',
    help: 'the only namespaces that the installation serves, as the controller is told (default: every namespace)',
    commands: LOOKING,
  },
  {
    name: 'leader-elect',
    value: 'true|false',
    help: 'write only while holding the Lease, so that several replicas may run (default: true)',
    commands: ['controller'],
  },
  {
    name: 'take-over',
    value: 'true|false',
    help: 'look whether Alibaba’s add-on runs, and stand down while it does; with --namespaces also use the keys that it has in kube-system: false takes no right there (default: true)',
    commands: ['controller', 'self-test'],
  },
  {
    name: 'cloud-endpoints',
    value: 'FILE|JSON',
    help: 'other addresses of cloud services (alibaba: cr, sts, metadata; tencent: tcr, sts, metadata): {"alibaba": {"cr": {"url": "https://cr-vpc.{region}.aliyuncs.com", "host": "…", "caFile": "…"}}}',
    commands: ['controller', 'cleanup'],
  },
  {
    name: 'cloud-requests-per-second',
    value: 'NUMBER',
    help: 'most requests to Alibaba Cloud in one region, each second: what one account may make, since identities may share one (default: 15)',
    commands: ['controller'],
  },
  {
    name: 'allow-secret-namespaces',
    value: 'LIST',
    help: 'further namespaces that Secret references in the configuration may name, separated by commas',
    commands: ['controller', 'migrate config', 'migrate from-tcr-assistant', ...LOOKING],
  },
  {
    name: 'declared-resources',
    value: 'NAME',
    help: 'Secret in our own namespace whose list of ImagePullSecret resources is made and kept (default: registry-credential-helper-resources-INSTANCE)',
    commands: ['controller'],
  },
  {
    name: 'values-config-map',
    value: 'NAME',
    help: 'ConfigMap in our own namespace with the values of a chart: the configuration is made from it, and follows it where nobody edited by hand (default: none)',
    commands: ['controller', 'self-test'],
  },
  {
    name: 'metrics-address',
    value: 'ADDRESS',
    help: 'where to serve /metrics, /livez and /readyz; 0 = nowhere (default: :8080)',
    commands: ['controller', 'hosts'],
  },
  ...WEBHOOK_FLAGS,
  ...HOSTS_FLAGS,
  ...CLEANUP_FLAGS,
  ...SELF_TEST_FLAGS,
  {
    name: 'file',
    short: 'f',
    value: 'FILE|-',
    help: 'read this file in place of the cluster; - is standard input. Short: -f FILE',
    commands: ['migrate config'],
  },
  {
    name: 'log-level',
    value: LOG_LEVELS.join('|'),
    help: 'least important lines that are printed (default: info)',
    commands: ['controller', 'cleanup', 'hosts'],
  },
  {
    name: 'log-format',
    value: 'json|text',
    help: 'form of the log lines (default: json)',
    commands: ['controller', 'cleanup', 'hosts'],
  },
  {
    name: 'whole-installation',
    value: undefined,
    help: 'the namespaces of --namespaces are all that the installation serves: remove as well what they share',
    commands: ['cleanup'],
  },
  { name: 'dry-run', value: undefined, help: 'print what would be removed and remove nothing', commands: ['cleanup'] },
  {
    name: 'dry-run',
    value: undefined,
    help: 'print as a diff what would be written, and write nothing',
    commands: ['hosts'],
  },
];

/** The flags of `command` as a table for `--help`. */
export function flagsHelp(command: string): string {
  const rows = flagsOf(command).map(({ name, value, help }) => {
    const usage = `  --${name}${value === undefined ? '' : `=${value}`}`;
    return `${usage}\n        ${help} [${variableOf(name)}]`;
  });
  return rows.join('\n');
}

/** The flags that `command` takes. */
export function flagsOf(command: string): readonly Flag[] {
  return FLAGS.filter((flag) => flag.commands?.includes(command) ?? true);
}

/** The environment variable of the same meaning. */
export function variableOf(name: string): string {
  return `REGISTRY_CREDENTIAL_HELPER_${name.toUpperCase().replaceAll('-', '_')}`;
}
