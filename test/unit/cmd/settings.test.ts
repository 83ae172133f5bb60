// Every flag and environment variable, which of them wins, and every problem at once.
import { describe, expect, test } from '@jest/globals';
import { flagsHelp } from '../../../src/cmd/flags.ts';
import { placesOf, readSettings, type Settings } from '../../../src/cmd/settings.ts';
import { ConfigError } from '../../../src/core/errors.ts';

const CLUSTER = [
  'controller',
  'cleanup',
  'migrate config',
  'migrate from-acr-helper',
  'migrate from-tcr-assistant',
  'self-test',
] as const;
const COMMANDS = [...CLUSTER, 'hosts'] as const;
const RUNNING = ['controller', 'cleanup', 'hosts'] as const;
const HOME = { HOME: '/home/me' };

function read(args: readonly string[], env: NodeJS.ProcessEnv = HOME, command = 'controller'): Settings {
  return readSettings(command, args, env);
}

function issuesOf(args: readonly string[], env: NodeJS.ProcessEnv = HOME, command = 'controller'): readonly string[] {
  try {
    readSettings(command, args, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
}

interface FlagCase {
  readonly flag: string;
  readonly text: string;
  readonly setting: keyof Settings;
  readonly value: unknown;
  readonly other: string;
  readonly otherValue: unknown;
  readonly byDefault: unknown;
  readonly commands: readonly (typeof COMMANDS)[number][];
  readonly mayBeEmpty?: boolean;
}

const WEBHOOK = { address: ':10250', target: undefined, clusterRole: 'registry-credential-helper' };

const HOSTS = {
  configFolder: '/config',
  file: '/host/etc/hosts',
  lockFile: '/host/etc/hosts.lock',
  inPlace: false,
  intervalMs: 30_000,
  cleanup: false,
  cleanupAndStay: false,
  cleanupOnExit: false,
};
const CLEANUP = { deployment: undefined, daemonSet: undefined, deadlineMs: undefined, leaveUnreachable: false };
const SELF_TEST = { registries: false, patienceMs: 30_000 };
/** They may stand alone, so that a value of theirs is joined by `=`. */
const SWITCHES: readonly string[] = [
  'dry-run',
  'whole-installation',
  'leader-elect',
  'take-over',
  'in-place',
  'cleanup',
  'cleanup-and-stay',
  'cleanup-on-exit',
  'leave-unreachable',
  'registries',
];

const FLAGS: readonly FlagCase[] = [
  {
    flag: 'kubeconfig',
    text: '/k',
    setting: 'kubeconfig',
    value: '/k',
    other: '/o',
    otherValue: '/o',
    byDefault: '/home/me/.kube/config',
    commands: CLUSTER,
  },
  {
    flag: 'namespace',
    text: 'n',
    setting: 'namespace',
    value: 'n',
    other: 'o',
    otherValue: 'o',
    byDefault: undefined,
    commands: CLUSTER,
  },
  {
    flag: 'config-map',
    text: 'ns/name',
    setting: 'configMap',
    value: { namespace: 'ns', name: 'name' },
    other: 'o/p',
    otherValue: { namespace: 'o', name: 'p' },
    byDefault: undefined,
    commands: CLUSTER,
  },
  {
    flag: 'instance',
    text: 'blue',
    setting: 'instance',
    value: 'blue',
    other: 'green',
    otherValue: 'green',
    byDefault: 'default',
    commands: ['controller', 'cleanup', 'migrate from-acr-helper', 'migrate from-tcr-assistant', 'self-test'],
  },
  {
    flag: 'namespaces',
    text: 'team-a, team-b,',
    setting: 'namespaces',
    value: ['team-a', 'team-b'],
    other: 'c',
    otherValue: ['c'],
    byDefault: undefined,
    commands: ['controller', 'cleanup', 'self-test'],
  },
  {
    flag: 'leader-elect',
    text: 'false',
    setting: 'leaderElect',
    value: false,
    other: 'TRUE',
    otherValue: true,
    byDefault: true,
    commands: ['controller'],
  },
  {
    flag: 'take-over',
    text: 'false',
    setting: 'takeOver',
    value: false,
    other: 'TRUE',
    otherValue: true,
    byDefault: true,
    commands: ['controller', 'self-test'],
  },
  {
    flag: 'cloud-endpoints',
    text: '{"alibaba": {"cr": {"host": "h"}}}',
    setting: 'cloudEndpoints',
    value: { alibaba: { cr: { host: 'h' } } },
    other: '{}',
    otherValue: {},
    byDefault: {},
    commands: ['controller', 'cleanup'],
  },
  {
    flag: 'cloud-requests-per-second',
    text: '30',
    setting: 'cloudRequestsPerSecond',
    value: 30,
    other: '1',
    otherValue: 1,
    byDefault: 15,
    commands: ['controller'],
  },
  {
    flag: 'allow-secret-namespaces',
    text: 'a, b,,',
    setting: 'secretNamespaces',
    value: ['a', 'b'],
    other: 'c',
    otherValue: ['c'],
    byDefault: [],
    commands: ['controller', 'migrate config', 'migrate from-tcr-assistant', 'self-test'],
  },
  {
    flag: 'values-config-map',
    text: 'registry-values',
    setting: 'valuesConfigMap',
    value: 'registry-values',
    other: 'others',
    otherValue: 'others',
    byDefault: undefined,
    commands: ['controller', 'self-test'],
  },
  {
    flag: 'declared-resources',
    text: 'registry-values',
    setting: 'declaredResources',
    value: 'registry-values',
    other: 'others',
    otherValue: 'others',
    byDefault: undefined,
    commands: ['controller', 'self-test'],
  },
  {
    flag: 'metrics-address',
    text: '127.0.0.1:0',
    setting: 'metricsAddress',
    value: '127.0.0.1:0',
    other: '0',
    otherValue: '0',
    byDefault: ':8080',
    commands: ['controller', 'hosts'],
  },
  {
    flag: 'webhook-address',
    text: '127.0.0.1:0',
    setting: 'webhook',
    value: { ...WEBHOOK, address: '127.0.0.1:0' },
    other: '0',
    otherValue: { ...WEBHOOK, address: '' },
    byDefault: WEBHOOK,
    commands: ['controller'],
    mayBeEmpty: true,
  },
  {
    flag: 'webhook-service',
    text: 'ns/name:8443',
    setting: 'webhook',
    value: { ...WEBHOOK, target: { kind: 'service', namespace: 'ns', name: 'name', port: 8443 } },
    other: 'ns/name',
    otherValue: { ...WEBHOOK, target: { kind: 'service', namespace: 'ns', name: 'name', port: 443 } },
    byDefault: WEBHOOK,
    commands: ['controller', 'self-test'],
  },
  {
    flag: 'webhook-url',
    text: 'https://127.0.0.1:10250',
    setting: 'webhook',
    value: { ...WEBHOOK, target: { kind: 'url', url: 'https://127.0.0.1:10250' } },
    other: 'https://hook.example/path/',
    otherValue: { ...WEBHOOK, target: { kind: 'url', url: 'https://hook.example/path' } },
    byDefault: WEBHOOK,
    commands: ['controller', 'self-test'],
  },
  {
    flag: 'cluster-role',
    text: 'mine',
    setting: 'webhook',
    value: { ...WEBHOOK, clusterRole: 'mine' },
    other: 'other',
    otherValue: { ...WEBHOOK, clusterRole: 'other' },
    byDefault: WEBHOOK,
    commands: ['controller', 'self-test'],
  },
  {
    flag: 'log-level',
    text: 'DEBUG',
    setting: 'logLevel',
    value: 'debug',
    other: 'warn',
    otherValue: 'warn',
    byDefault: 'info',
    commands: RUNNING,
  },
  {
    flag: 'log-format',
    text: 'text',
    setting: 'logFormat',
    value: 'text',
    other: 'json',
    otherValue: 'json',
    byDefault: 'json',
    commands: RUNNING,
  },
  {
    flag: 'dry-run',
    text: 'true',
    setting: 'dryRun',
    value: true,
    other: 'false',
    otherValue: false,
    byDefault: false,
    commands: ['cleanup', 'hosts'],
  },
  {
    flag: 'whole-installation',
    text: 'true',
    setting: 'wholeInstallation',
    value: true,
    other: 'false',
    otherValue: false,
    byDefault: false,
    commands: ['cleanup'],
  },
  ...(
    [
      ['config-folder', 'configFolder', '/list', '/list', '/other', '/other'],
      ['lock-file', 'lockFile', '/run/lock/hosts', '/run/lock/hosts', '/other', '/other'],
      ['in-place', 'inPlace', 'true', true, 'FALSE', false],
      ['interval', 'intervalMs', '1m30s', 90_000, '1h', 3_600_000],
      ['cleanup', 'cleanup', 'true', true, 'false', false],
      ['cleanup-and-stay', 'cleanupAndStay', 'true', true, 'false', false],
      ['cleanup-on-exit', 'cleanupOnExit', 'true', true, 'false', false],
    ] as const
  ).map(([flag, field, text, value, other, otherValue]): FlagCase => ({
    flag,
    text,
    setting: 'hosts',
    value: { ...HOSTS, [field]: value },
    other,
    otherValue: { ...HOSTS, [field]: otherValue },
    byDefault: HOSTS,
    commands: ['hosts'],
  })),
  ...(
    [
      ['stop-deployment', 'deployment', 'a/b', { namespace: 'a', name: 'b' }, 'c/d', { namespace: 'c', name: 'd' }],
      ['end-hosts', 'daemonSet', 'a/b', { namespace: 'a', name: 'b' }, 'c/d', { namespace: 'c', name: 'd' }],
      ['replicas', 'replicas', '2', 2, '0', 0],
      ['deadline', 'deadlineMs', '4m', 240_000, '10s', 10_000],
      ['leave-unreachable', 'leaveUnreachable', 'true', true, 'false', false],
    ] as const
  ).map(([flag, field, text, value, other, otherValue]): FlagCase => ({
    flag,
    text,
    setting: 'cleanup',
    value: { ...CLEANUP, [field]: value },
    other,
    otherValue: { ...CLEANUP, [field]: otherValue },
    byDefault: CLEANUP,
    commands: ['cleanup'],
  })),
  ...(
    [
      ['registries', 'registries', 'true', true, 'false', false],
      ['patience', 'patienceMs', '1m', 60_000, '0', 0],
    ] as const
  ).map(([flag, field, text, value, other, otherValue]): FlagCase => ({
    flag,
    text,
    setting: 'selfTest',
    value: { ...SELF_TEST, [field]: value },
    other,
    otherValue: { ...SELF_TEST, [field]: otherValue },
    byDefault: SELF_TEST,
    commands: ['self-test'],
  })),
  {
    flag: 'hosts-file',
    text: '/etc/hosts',
    setting: 'hosts',
    value: { ...HOSTS, file: '/etc/hosts', lockFile: '/etc/hosts.lock' },
    other: '/h',
    otherValue: { ...HOSTS, file: '/h', lockFile: '/h.lock' },
    byDefault: HOSTS,
    commands: ['hosts'],
  },
  {
    flag: 'file',
    text: '-',
    setting: 'file',
    value: '-',
    other: 'f.yaml',
    otherValue: 'f.yaml',
    byDefault: undefined,
    commands: ['migrate config'],
  },
];

const variableOf = (flag: string): string => `REGISTRY_CREDENTIAL_HELPER_${flag.toUpperCase().replaceAll('-', '_')}`;

describe.each(FLAGS)('--$flag', (row) => {
  const { flag, text, setting, value, other, otherValue, byDefault, commands } = row;
  const command = commands[0] ?? '';

  test('has its default, also when its variable is empty', () => {
    expect(read([], HOME, command)[setting]).toEqual(byDefault);
    expect(read([], { ...HOME, [variableOf(flag)]: ' ' }, command)[setting]).toEqual(byDefault);
  });

  test('is read as --flag=value, as --flag value and from its variable', () => {
    expect(read([`--${flag}=${text}`], HOME, command)[setting]).toEqual(value);
    expect(read([], { ...HOME, [variableOf(flag)]: text }, command)[setting]).toEqual(value);
    if (!SWITCHES.includes(flag)) {
      expect(read([`--${flag}`, text], HOME, command)[setting]).toEqual(value);
    }
  });

  test('wins over its variable, and the last one over the first', () => {
    const env = { ...HOME, [variableOf(flag)]: text };
    expect(read([`--${flag}=${other}`], env, command)[setting]).toEqual(otherValue);
    expect(read([`--${flag}=${text}`, `--${flag}=${other}`], HOME, command)[setting]).toEqual(otherValue);
  });

  test('is in the help of its commands with its variable, and unknown to the others', () => {
    for (const name of COMMANDS) {
      const isKnown = commands.includes(name);
      const times = isKnown ? 1 : 0;
      expect(flagsHelp(name).split(`[${variableOf(flag)}]`)).toHaveLength(times + 1);
      expect([...flagsHelp(name).matchAll(new RegExp(`^  --${flag}(=|$)`, 'gm'))]).toHaveLength(times);
      if (!isKnown)
        expect(issuesOf([`--${flag}=${text}`], HOME, name)).toEqual([`unknown flag --${flag}: see ${name} --help`]);
    }
  });

  test('needs a value, which only an address that means nowhere may leave empty', () => {
    const issues = [`--${flag} needs a value: --${flag}=…`];
    expect(issuesOf([`--${flag}=`], HOME, command)).toEqual(row.mayBeEmpty === true ? [] : issues);
    expect(issuesOf([`--${flag}`, ''], HOME, command)).toEqual(
      SWITCHES.includes(flag) ? [expect.stringContaining('unexpected argument')] : issues,
    );
  });
});

test('the help lists every flag of this table and no other', () => {
  for (const command of COMMANDS) {
    const listed = [...flagsHelp(command).matchAll(/^ {2}--([a-z-]+)/gm)].map((match) => match[1]);
    const known = FLAGS.filter((flag) => flag.commands.includes(command)).map((flag) => flag.flag);
    expect(listed.sort()).toEqual(known.sort());
  }
});

describe('problems', () => {
  test.each([
    ['a name with upper case', ['--instance=Blue'], '--instance=Blue must be 1 to 40 lower-case letters, digits and -'],
    ['a name that is too long', [`--instance=${'a'.repeat(41)}`], `--instance=${'a'.repeat(41)} must be`],
    ['a name that begins with -', ['--instance=-a'], '--instance=-a must be'],
    [
      'a Secret that cannot be one',
      ['--declared-resources=a/b'],
      '--declared-resources=a/b must be the name of a Secret',
    ],
    ['values with a namespace', ['--values-config-map=a/b'], '--values-config-map=a/b must be the name of a ConfigMap'],
    ['a ConfigMap without namespace', ['--config-map=x'], '--config-map=x must be NAMESPACE/NAME'],
    ['a ConfigMap with too many parts', ['--config-map=a/b/c'], '--config-map=a/b/c must be NAMESPACE/NAME'],
    ['a ConfigMap without name', ['--config-map=a/'], '--config-map=a/ must be NAMESPACE/NAME'],
    ['an address without port', ['--metrics-address=localhost'], '--metrics-address=localhost must be HOST:PORT'],
    ['a port that does not exist', ['--metrics-address=:65536'], '--metrics-address=:65536 must be'],
    [
      'a webhook address without port',
      ['--webhook-address=localhost'],
      '--webhook-address=localhost must be HOST:PORT',
    ],
    ['a Service without namespace', ['--webhook-service=x:1'], '--webhook-service=x:1 must be NAMESPACE/NAME:PORT'],
    ['a Service with a port that cannot be', ['--webhook-service=a/b:0'], '--webhook-service=a/b:0 must be'],
    ['a webhook without TLS', ['--webhook-url=http://a'], '--webhook-url=http://a must be https://HOST:PORT'],
    ['a webhook with a query', ['--webhook-url=https://a/?b'], '--webhook-url=https://a/?b must be'],
    ['a webhook that is no address', ['--webhook-url=a'], '--webhook-url=a must be'],
    [
      'two ways to the webhook',
      ['--webhook-url=https://a', '--webhook-service=a/b:1'],
      '--webhook-service and --webhook-url exclude each other',
    ],
    ['an unknown level', ['--log-level=loud'], '--log-level=loud must be one of error, warn, info, debug'],
    ['an unknown format', ['--log-format=xml'], '--log-format=xml must be one of json, text'],
    [
      'a pattern among the served namespaces',
      ['--namespaces=a,team-*'],
      '--namespaces=a,team-* has team-*, which is not the name of a namespace: write names without wildcards, separated by commas',
    ],
    [
      'a served namespace twice',
      ['--namespaces=a,b,a'],
      '--namespaces=a,b,a names a more than once: write each name once',
    ],
    [
      'a list of served namespaces without a name',
      ['--namespaces=, ,'],
      '--namespaces=, , names no namespace: leave the flag out to serve all',
    ],
    ['neither true nor false', ['--leader-elect=yes'], '--leader-elect=yes must be one of true, false'],
    ['an unknown flag', ['--colour=red'], 'unknown flag --colour: see controller --help'],
    ['a short flag', ['-v'], 'unknown flag -v: see controller --help'],
    ['a negation', ['--no-leader-elect'], 'unknown flag --no-leader-elect'],
    ['a word that is no flag', ['now'], 'unexpected argument now'],
    ['a flag at the end without value', ['--instance'], '--instance needs a value'],
    ['a flag before another without value', ['--instance', '--log-level=debug'], '--instance needs a value'],
    ['endpoints that are no JSON', ['--cloud-endpoints={'], '--cloud-endpoints: neither JSON nor a file'],
  ])('%s is named with its value', (_, args, expected) => {
    const issues = issuesOf(args);
    expect(issues).toHaveLength(1);
    expect(issues[0]).toContain(expected);
  });

  test('are all named at once', () => {
    const args = ['--instance=A', '--config-map=x', '--log-level=x', '--what=1', 'word'];
    const env = { ...HOME, [variableOf('metrics-address')]: 'x', [variableOf('leader-elect')]: 'x' };
    expect(issuesOf(args, env)).toHaveLength(7);
  });

  test.each(['yes', '1', 'on'])('--dry-run=%s is refused rather than taken for no', (text) => {
    expect(issuesOf([`--dry-run=${text}`], HOME, 'cleanup')).toHaveLength(1);
    expect(issuesOf([], { ...HOME, [variableOf('dry-run')]: text }, 'cleanup')).toHaveLength(1);
  });

  test('--dry-run is not swallowed by a flag before it that lacks its value', () => {
    expect(issuesOf(['--namespace', '--dry-run'], HOME, 'cleanup')).toEqual([
      '--namespace needs a value: --namespace=…',
    ]);
  });
});

test.each([
  ['an interval without unit', '--interval=30'],
  ['an interval that is a storm', '--interval=999ms'],
  ['an interval that is for ever', '--interval=61m'],
  ['neither true nor false', '--in-place=no'],
  ['a switch that is none', '--cleanup=1'],
  ['another one', '--cleanup-and-stay=1'],
])('of the command hosts, %s is named with its value', (_, arg) => {
  expect(issuesOf([arg], HOME, 'hosts')).toEqual([expect.stringContaining(`${arg} must be`)]);
});

test.each([
  ['a Deployment without namespace', 'cleanup', '--stop-deployment=x'],
  ['a DaemonSet without name', 'cleanup', '--end-hosts=a/'],
  ['a number of Pods that is none', 'cleanup', '--replicas=two'],
  ['a number of Pods that is too long', 'cleanup', '--replicas=10000'],
  ['a deadline without unit', 'cleanup', '--deadline=300'],
  ['a deadline that is over at once', 'cleanup', '--deadline=9s'],
  ['a deadline that is none', 'cleanup', '--deadline=25h'],
  ['a switch that is none', 'cleanup', '--leave-unreachable=1'],
  ['patience without unit', 'self-test', '--patience=5'],
  ['patience without end', 'self-test', '--patience=11m'],
  ['neither true nor false', 'self-test', '--registries=no'],
])('%s of the command %s is named with its value', (_, command, arg) => {
  expect(issuesOf([arg], HOME, command)).toEqual([expect.stringContaining(`${arg} must be`)]);
});

test.each([
  ['--dry-run alone means true', ['--dry-run'], 'cleanup', 'dryRun'],
  ['--leader-elect alone means true', ['--leader-elect'], 'controller', 'leaderElect'],
] as const)('%s', (_, args, command, setting) => {
  expect(read(args, HOME, command)[setting]).toBe(true);
});

test.each([['-f', 'x'], ['-f', '-'], ['-fx'], ['-f=x']])('the file may be named by its letter: %p %p', (...args) => {
  expect(read(args, HOME, 'migrate config').file).toBe(args[1] ?? 'x');
  expect(issuesOf(args, HOME, 'cleanup')[0]).toBe('unknown flag -f: see cleanup --help');
});

test('an empty webhook address means nowhere', () => {
  expect(read(['--webhook-address=']).webhook.address).toBe('');
});

test.each(['0', ':8080', ':0', '[::1]:9090', 'localhost:65535', '0.0.0.0:80'])('the address %p is right', (address) => {
  expect(read([`--metrics-address=${address}`]).metricsAddress).toBe(address);
});

describe('where we are', () => {
  const cluster = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };

  test.each<readonly [string, NodeJS.ProcessEnv, string | undefined]>([
    ['the first file of KUBECONFIG', { ...HOME, KUBECONFIG: ':/a:/b' }, '/a'],
    ['the file at home', HOME, '/home/me/.kube/config'],
    ['none in the cluster, whatever KUBECONFIG says', { ...HOME, ...cluster, KUBECONFIG: '/a' }, undefined],
  ])('the kubeconfig is %s', (_, env, expected) => {
    expect(read([], env).kubeconfig).toBe(expected);
  });

  test('a kubeconfig that is named is used in the cluster, too', () => {
    expect(read(['--kubeconfig=/k'], { ...HOME, ...cluster }).kubeconfig).toBe('/k');
  });

  test('the namespace is that of the Pod unless it is named', () => {
    expect(read([], { ...HOME, POD_NAMESPACE: 'pod' }).namespace).toBe('pod');
    expect(read(['--namespace=n'], { ...HOME, POD_NAMESPACE: 'pod' }).namespace).toBe('n');
    expect(read([], { ...HOME, ...cluster }).namespace).toBeUndefined();
  });

  const configMap = { namespace: 'c', name: 'm' };
  test.each([
    ['of its own', { namespace: 'n', configMap }, 'k', 'n', configMap],
    ['of the ConfigMap', { namespace: undefined, configMap }, 'k', 'c', configMap],
    [
      'of the kubeconfig',
      { namespace: undefined, configMap: undefined },
      'k',
      'k',
      { namespace: 'k', name: 'acr-configuration' },
    ],
    [
      'of the system',
      { namespace: undefined, configMap: undefined },
      undefined,
      'kube-system',
      { namespace: 'kube-system', name: 'acr-configuration' },
    ],
    [
      'of its own, for the ConfigMap too',
      { namespace: 'n', configMap: undefined },
      'k',
      'n',
      { namespace: 'n', name: 'acr-configuration' },
    ],
  ])('the place is the namespace %s', (_, settings, fromKubeconfig, namespace, expected) => {
    expect(placesOf(settings, fromKubeconfig)).toEqual({ namespace, configMap: expected });
  });
});
