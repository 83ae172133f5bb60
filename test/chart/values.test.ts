// The values of the chart: each does something, and what is wrong is refused with words that help.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { GROUPS } from '../../scripts/chart-values/all.ts';
import type { Members } from '../../scripts/chart-values/shape.ts';
import { createHelm, EVERY_VALUE, type Helm, type Values } from './helm.ts';
import { merge, nested } from './nested-values.ts';

const BUILD_MS = 900_000;
/** Values that exclude others, and so are not in EVERY_VALUE. */
const ALONE: Values = {
  config: { existingConfigMap: 'mine' },
  declaredResources: { existingSecret: 'mine' },
  hosts: { existingConfigMap: 'mine' },
  extraCa: { configMapName: 'mine' },
  AcrInstanceInfo: [{ instanceId: 'cri-aaaa0000bbbb1111' }],
  enableRRSA: true,
  expiringThreshold: '20m',
  serviceAccount: 'builder',
  watchNamespace: 'shop',
  notifyEmail: 'team@example.com',
};
/** What must be on for a value, or for all of a section, to count for anything. */
const SWITCHES: Readonly<Record<string, Values>> = {
  rrsa: { rrsa: { enabled: true } },
  tke: { tke: { enabled: true } },
  'proxy.noProxy': { proxy: { https: 'http://proxy.example.com' } },
  'extraCa.key': { extraCa: { secretName: 'ca' } },
  hosts: { hosts: { enabled: true } },
  'global.hosts': { hosts: { enabled: true } },
  networkPolicy: { networkPolicy: { enabled: true } },
  'podServiceAccount.create': { podServiceAccount: { name: 'puller' } },
  'webhook.hostNetwork': { webhook: { port: 10443 } },
  'rrsa.tokenServiceAccount': {},
};
/** Not in what an installation renders: told to people alone, or used by what is not there by default. */
const ELSEWHERE = [
  'global.cluster.region',
  ...['metrics.serviceMonitor', 'metrics.podMonitor', 'metrics.prometheusRule', 'metrics.dashboard'],
  ...['selfTest', 'onUninstall', 'cleanup'],
  // Where the default is what is meant by leaving it out.
  ...['rbac.create', 'crds.install', 'podDisruptionBudget.enabled', 'webhook.enabled', 'rrsa.enabled', 'tke.enabled'],
  ...['networkPolicy.enabled', 'hosts.enabled'],
];

jest.setTimeout(120_000);

let helm: Helm;
beforeAll(async () => {
  helm = await createHelm();
}, BUILD_MS);
afterAll(() => helm.remove());

/** The same text as `helm.render` has: most values are compared with the same few. */
const known = new Map<string, Promise<string>>();
function renderedOnce(values: Values): Promise<string> {
  const key = JSON.stringify(values);
  const text = known.get(key) ?? helm.render(values);
  known.set(key, text);
  return text;
}

const all = Object.assign({}, ...GROUPS.map(({ members }) => members)) as Members;
const isElsewhere = (path: string): boolean =>
  ELSEWHERE.some((prefix) => path === prefix || path.startsWith(`${prefix}.`));
const paths = pathsOf(all, '').filter((path) => !isElsewhere(path));

describe('the values', () => {
  test.each(paths)('%s changes what is rendered', async (path) => {
    const value = at(EVERY_VALUE, path) ?? at(ALONE, path);
    expect(value).toBeDefined();
    const [section = ''] = path.split('.');
    const rest = SWITCHES[path] ?? SWITCHES[section] ?? {};
    const both = merge(rest, nested(path, value));
    expect(await helm.render(both)).not.toBe(await renderedOnce(rest));
  });

  test('may hold members of `global` that nobody knows, as Helm gives them to every subchart', async () => {
    expect(await helm.render({ global: { storageClass: 'fast', cluster: { uin: '1' } } })).toBe(await helm.render());
  });

  test.each<[string, Values, string]>([
    ['an unknown key', { replicaCount: 2 }, "additional properties 'replicaCount' not allowed"],
    ['an unknown key of a section', { image: { name: 'x' } }, "at '/image': additional properties 'name' not allowed"],
    [
      'a key of the ConfigMap that there is not',
      { config: { 'watch-namespaces': 'a' } },
      "at '/config': additional properties 'watch-namespaces' not allowed",
    ],
    ['a text for a number', { replicas: 'two' }, "at '/replicas': got string, want integer"],
    ['a number for a tag', { image: { tag: 1.1 } }, "at '/image/tag': got number, want string"],
    ['a text for a list', { allowSecretNamespaces: 'a,b' }, "at '/allowSecretNamespaces': got string, want array"],
    ['a boolean annotation', { podAnnotations: { a: true } }, "at '/podAnnotations/a': got boolean, want string"],
    [
      'a level that there is not',
      { logLevel: 'trace' },
      "at '/logLevel': value must be one of 'error', 'warn', 'info'",
    ],
    ['an instance that is no label', { instance: 'A_B' }, "at '/instance': 'A_B' does not match pattern"],
    ['a digest without algorithm', { image: { digest: 'abc' } }, "at '/image/digest': 'abc' does not match pattern"],
    ['a variable that is no text', { extraEnv: [{ name: 'A', value: 1 }] }, "at '/extraEnv/0/value': got number, want"],
    ['a variable without a name', { extraEnv: [{ value: 'a' }] }, "at '/extraEnv/0': missing property 'name'"],
    ['the ARN of another thing', { rrsa: { roleArn: EVERY_VALUE.rrsa.oidcProviderArn } }, "at '/rrsa/roleArn': 'acs:"],
    ['an argument that is no flag', { extraArgs: ['cleanup'] }, "at '/extraArgs/0': 'cleanup' does not match pattern"],
    ['a namespace with a star', { namespaces: ['team-*'] }, "at '/namespaces/0': 'team-*' does not match pattern"],
    ['a namespace twice', { namespaces: ['a', 'a'] }, "at '/namespaces': items at 0 and 1 are equal"],
    [
      'a name list without a name',
      { config: { 'watch-namespace': [] } },
      "at '/config/watch-namespace': minItems: got 0, want 1",
    ],
    ['registries as a map', { config: { 'registry-info': {} } }, "at '/config/registry-info': got object, want"],
    [
      'another end than there is',
      { onUninstall: 'delete' },
      "at '/onUninstall': value must be one of 'retain', 'cleanup'",
    ],
    [
      'a map of ServiceAccount values, as other charts have it',
      { serviceAccount: { create: true } },
      "at '/serviceAccount': got object, want string",
    ],
    [
      'a host without a domain',
      { hosts: { items: [{ ip: '10.0.0.1' }] } },
      "at '/hosts/items/0': missing property 'domain'",
    ],
    [
      'a budget that is no share',
      { podDisruptionBudget: { maxUnavailable: 'half' } },
      "/maxUnavailable': 'half' does not",
    ],
    [
      'a URL without https',
      { webhook: { url: 'http://hook.example' } },
      "at '/webhook/url': 'http://hook.example' does",
    ],
    [
      '[tcr M2] credentials of another type than docker',
      { global: { imagePullSecretsCrs: [{ name: 'a', type: 'helm' }] } },
      "at '/global/imagePullSecretsCrs/0/type': value must be 'docker'",
    ],
    [
      'a user name whose digits are a number',
      { global: { imagePullSecretsCrs: [{ name: 'a', dockerUsername: 100099990001 }] } },
      "at '/global/imagePullSecretsCrs/0/dockerUsername': got number, want string",
    ],
  ])('with %s are refused, and the message says where and why', async (_, values, message) => {
    await expect(helm.render(values)).rejects.toThrow(message);
  });

  test.each<[string, Values, string]>([
    [
      'a variable that is set already',
      { extraEnv: [{ name: 'POD_NAMESPACE', value: 'a' }] },
      'The value extraEnv sets POD_NAMESPACE, which is set already: keep one of them.',
    ],
    [
      'a variable of an identity',
      { rrsa: EVERY_VALUE.rrsa, extraEnv: [{ name: 'ALIBABA_CLOUD_ROLE_ARN', value: 'a' }] },
      'The value extraEnv sets ALIBABA_CLOUD_ROLE_ARN, which is set already: keep one of them.',
    ],
    [
      'a variable twice',
      { extraEnv: [{ name: 'TWICE', value: 'a' }, { name: 'TWICE' }] },
      'The value extraEnv sets TWICE, which is set already: keep one of them.',
    ],
    [
      'a label that selects Pods',
      { podLabels: { 'app.kubernetes.io/component': 'web' } },
      'The value podLabels sets app.kubernetes.io/component, which the chart sets itself: leave it out.',
    ],
    [
      'no ServiceAccount at all',
      { podServiceAccount: { create: false } },
      'name the one to use in podServiceAccount.name',
    ],
    [
      'keys for a ConfigMap that is only read',
      { config: { existingConfigMap: 'mine', region: 'cn-hangzhou' }, watchNamespace: 'all' },
      'these values would do nothing: region, watch-namespace.',
    ],
    [
      'pull Secrets in the place of resources',
      { imagePullSecrets: [{ name: 'mirror' }] },
      'The value imagePullSecrets[0] has neither spec nor dockerServer',
    ],
    [
      'resources beside a Secret that holds them',
      { declaredResources: { existingSecret: 'mine' }, imagePullSecrets: EVERY_VALUE.imagePullSecrets },
      'The value declaredResources.existingSecret takes the place of imagePullSecrets',
    ],
    [
      'hosts beside a ConfigMap that holds them',
      { hosts: { existingConfigMap: 'mine' }, global: { hosts: EVERY_VALUE.global.hosts } },
      'The value hosts.existingConfigMap takes the place of hosts.items and global.hosts',
    ],
    [
      'authorities in two places',
      { extraCa: { secretName: 'a', configMapName: 'b' } },
      'The values extraCa.secretName and extraCa.configMapName exclude each other',
    ],
    ['a port of the kubelet', { webhook: { hostNetwork: true } }, "the port 10250 is the kubelet's"],
  ])('with %s are refused in one sentence', async (_, values, message) => {
    await expect(helm.render(values)).rejects.toThrow(message);
  });

  test('that are refused show no password', async () => {
    const item = { name: 'a', dockerServer: 'b.example', dockerPassword: 'not-a-real-password', type: 'helm' };
    const refusal = helm.render({ global: { imagePullSecretsCrs: [item] } });
    await expect(refusal).rejects.toThrow("value must be 'docker'");
    await expect(refusal).rejects.not.toThrow('not-a-real-password');
  });
});

function pathsOf(members: Members, prefix: string): readonly string[] {
  return Object.entries(members).flatMap(([name, member]) =>
    member.kind === 'section' ? pathsOf(member.members, `${prefix}${name}.`) : [`${prefix}${name}`],
  );
}

function at(values: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Values | undefined)?.[name], values);
}
