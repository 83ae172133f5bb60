// What stands under the key `_example` of a ConfigMap that we make: every key with its default and a sample, for whoever edits it. Nobody
// reads it; `docs/configuration.md` says all of it at length.
import { CONFIG_DEFAULTS } from './config.ts';

/** A key of the configuration, for people. */
export interface ExplainedKey {
  readonly key: string;
  /** Lines of at most a hundred characters. */
  readonly meaning: readonly string[];
  /** A text that the key may have. */
  readonly sample: string;
}

/** Every key of the configuration. */
export const EXPLAINED_KEYS: readonly ExplainedKey[] = [
  {
    key: 'registry-info',
    meaning: [
      'Registries: a YAML list; each item names its provider: acr, tcr or static. `[]` = none: everything that was',
      'written is removed. Every item may have `watch-namespace`, `service-account` and `secret-name` of its own.',
    ],
    sample: [
      '- provider: acr',
      '  instanceId: cri-aaaa0000bbbb1111',
      '  regionId: cn-hangzhou',
      '- provider: tcr',
      '  registryId: tcr-a1b2c3d4',
      '  regionId: ap-guangzhou',
      '  apiKeySecretRef: {name: tcr-api-key}',
      '- provider: static',
      '  domains: registry.example.com',
      '  secretRef: {name: registry-login}',
    ].join('\n'),
  },
  {
    key: 'acr-registry-info',
    meaning: ["The same list in the grammar of Alibaba's add-on: `provider: acr` is implied."],
    sample: '- instanceId: cri-aaaa0000bbbb1111\n  regionId: cn-hangzhou',
  },
  {
    key: 'tcr-registry-info',
    meaning: ["The same list for Tencent's registries: `provider: tcr` is implied."],
    sample: '- registryId: tcr-a1b2c3d4\n  regionId: ap-guangzhou\n  apiKeySecretRef: {name: tcr-api-key}',
  },
  {
    key: 'watch-namespace',
    meaning: [
      'Namespaces in scope: names joined by commas; `*` and `?` are wildcards, a leading `!` excludes, `all` = all.',
    ],
    sample: 'team-*,!team-legacy',
  },
  {
    key: 'watch-namespace-selector',
    meaning: ['Further namespaces in scope, by their labels. Without watch-namespace, only these.'],
    sample: 'pull=yes,tier in (web, api)',
  },
  {
    key: 'exclude-namespace',
    meaning: ['Namespaces that `all`, wildcards and selectors do not reach. A name that is listed is always reached.'],
    sample: 'kube-system,kube-public,kube-node-lease',
  },
  {
    key: 'service-account',
    meaning: ['ServiceAccounts in those namespaces that get the reference: names as above; `*` = all.'],
    sample: 'default,builder',
  },
  {
    key: 'service-account-selector',
    meaning: ['Further ServiceAccounts, by their labels. Without service-account, only these.'],
    sample: 'pull=yes',
  },
  { key: 'expiring-threshold', meaning: ['Credentials are renewed when less than this is left.'], sample: '15m' },
  { key: 'region', meaning: ['The local region, for items without regionId.'], sample: 'cn-hangzhou' },
  { key: 'secret-name', meaning: ['Secret of registry-info in each namespace.'], sample: 'registry-credentials' },
  {
    key: 'acr-secret-name',
    meaning: ['Secret of acr-registry-info in each namespace; people have hard-coded the default.'],
    sample: 'acr-credential-secret-aggregation',
  },
  {
    key: 'adopt-existing',
    meaning: [
      'Which Secrets that were there before may be taken over in place: `vendor` (those under a well-known name of a',
      "vendor's add-on), `all` or `none`.",
    ],
    sample: 'vendor',
  },
  {
    key: 'managed-secret-labels',
    meaning: ['Further labels on our Secrets, one `key: value` a line.'],
    sample: 'team: platform',
  },
  { key: 'notify-email', meaning: ['Written as `email` into every entry.'], sample: 'platform@example.com' },
  {
    key: 'rrsa',
    meaning: ['Turns the fields of items for RRSA (Alibaba Cloud) on.'],
    sample: 'enable: true',
  },
  {
    key: 'rrsa-service-account',
    meaning: ['ServiceAccount whose token RRSA shows to the cloud, as name or namespace/name. None = our own.'],
    sample: 'kube-system/aliyun-acr-credential-helper',
  },
  {
    key: 'tokenMode',
    meaning: ['Role of the cluster for acr items without an identity of their own: auto, managedRole or workerRole.'],
    sample: 'auto',
  },
  {
    key: 'webhook-configuration',
    meaning: ['Switches the admission webhook on: a new ServiceAccount has the reference from its first moment on.'],
    sample: 'enable: true\nfailure-policy: Ignore\ntimeout-seconds: 3',
  },
  {
    key: 'acr-registry',
    meaning: ['Older list of domains: one item of the Personal Edition with these. Not beside acr-registry-info.'],
    sample: 'registry.cn-hangzhou.aliyuncs.com',
  },
];

const HEAD = [
  'This key is an explanation: nobody reads it. Copy a key from here to the level of this one to set it; an edit takes',
  'effect at once. What is wrong with it is told in Events of this ConfigMap, and changes nothing.',
  'A key that you edit here stays as you wrote it, whatever the values of the Helm release say; one that you leave alone',
  'follows them. To let a key follow again, write what they say.',
];

/** The text: YAML, in which every key is explained and has a sample. */
export const EXAMPLE_TEXT = [
  ...HEAD.map((line) => `# ${line}`),
  ...EXPLAINED_KEYS.flatMap(({ key, meaning, sample }) => ['', ...commented(key, meaning), ...written(key, sample)]),
  '',
].join('\n');

function commented(key: string, meaning: readonly string[]): readonly string[] {
  const usual = (CONFIG_DEFAULTS as Readonly<Record<string, string>>)[key] ?? '';
  const lines = usual === '' ? meaning : [...meaning, `Default: ${usual}`];
  return lines.map((line) => `# ${line}`);
}

function written(key: string, sample: string): readonly string[] {
  const lines = sample.split('\n');
  // A text that YAML would read as something else needs quotes in one line, none in a block.
  const isPlain = lines.length === 1 && /^[a-z0-9/.@-]+$/i.test(sample);
  if (isPlain) return [`${key}: ${sample}`];
  return lines.length === 1 && !sample.includes(': ')
    ? [`${key}: '${sample}'`]
    : [`${key}: |`, ...lines.map((line) => `  ${line}`)];
}
