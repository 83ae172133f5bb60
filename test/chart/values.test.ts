// The values of the chart: each does something, and what is wrong is refused with words that help.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { GROUPS } from '../../scripts/chart-values/all.ts';
import type { Members } from '../../scripts/chart-values/shape.ts';
import { createHelm, EVERY_VALUE, type Helm, type Values } from './helm.ts';
import { merge, nested } from './nested-values.ts';

const BUILD_MS = 900_000;
const placed = { namespace: 'watching', labels: { release: 'prometheus' }, annotations: { 'example.com/owner': 'b' } };
const scraped = {
  ...{ ...placed, enabled: true, interval: '45s', scrapeTimeout: '9s' },
  relabelings: [{ action: 'labeldrop', regex: 'pod' }],
  metricRelabelings: [{ action: 'labeldrop', regex: 'code' }],
};
/** Values that exclude others, and so are not in EVERY_VALUE, or that are the default there. */
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
  rbac: { create: false },
  crds: { install: false },
  podDisruptionBudget: { enabled: false },
  webhook: { enabled: false },
  metrics: {
    serviceMonitor: scraped,
    podMonitor: scraped,
    prometheusRule: {
      ...{ ...placed, enabled: true, alertLabels: { team: 'platform' }, runbookBaseUrl: 'https://runbooks.example/' },
      alerts: { RegistryCredentialHelperStandingDown: { enabled: false } },
      thresholds: {
        ...{ credentialExpirySeconds: 301, watchSilenceSeconds: 601, webhookLeafSeconds: 14401 },
        ...{ webhookAuthoritySeconds: 2592001, hostsRepairs: 6 },
      },
    },
    dashboard: { ...placed, enabled: true },
  },
  selfTest: { registries: true, resources: { limits: { memory: '300Mi' } } },
  cleanup: { resources: { limits: { memory: '300Mi' } } },
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
  'rrsa.enabled': {},
  'tke.enabled': {},
  'networkPolicy.enabled': {},
  'hosts.enabled': {},
  'metrics.serviceMonitor': { metrics: { serviceMonitor: { enabled: true } } },
  'metrics.serviceMonitor.enabled': {},
  'metrics.podMonitor': { metrics: { podMonitor: { enabled: true } } },
  'metrics.podMonitor.enabled': {},
  'metrics.prometheusRule': { metrics: { prometheusRule: { enabled: true } } },
  'metrics.prometheusRule.enabled': {},
  'metrics.dashboard': { metrics: { dashboard: { enabled: true } } },
  'metrics.dashboard.enabled': {},
  cleanup: { onUninstall: 'cleanup' },
};
/** Rendered by nothing: known so that it is taken for no mistake. */
const ELSEWHERE = ['global.cluster.region'];

jest.setTimeout(120_000);

let helm: Helm;
let helm3: Helm;
beforeAll(async () => {
  helm = await createHelm();
  helm3 = await createHelm('helm3');
}, 2 * BUILD_MS);
afterAll(() => Promise.all([helm.remove(), helm3.remove()]));

/** The same text as `helm.render` has: most values are compared with the same few. */
const known = new Map<string, Promise<string>>();
function renderedOnce(values: Values): Promise<string> {
  const key = JSON.stringify(values);
  const text = known.get(key) ?? helm.render(values);
  known.set(key, text);
  return text;
}

const all = Object.assign({}, ...GROUPS.map(({ members }) => members)) as Members;
const paths = pathsOf(all, '');

/** What is on for a path: what its longest beginning says. */
function switchesOf(path: string): Values {
  const names = path.split('.');
  const beginnings = names.map((_, index) => names.slice(0, names.length - index).join('.'));
  const first = beginnings.find((beginning) => beginning in SWITCHES);
  return first === undefined ? {} : (SWITCHES[first] ?? {});
}

describe('the values', () => {
  test.each(paths.filter((path) => !ELSEWHERE.includes(path)))('%s changes what is rendered', async (path) => {
    const value = at(ALONE, path) ?? at(EVERY_VALUE, path);
    expect(value).toBeDefined();
    const rest = switchesOf(path);
    const both = merge(rest, nested(path, value));
    expect(await helm.render(both)).not.toBe(await renderedOnce(rest));
  });

  test.each(ELSEWHERE)('%s changes nothing, as it is said to', async (path) => {
    expect(paths).toContain(path);
    expect(await helm.render(nested(path, at(EVERY_VALUE, path)))).toBe(await renderedOnce({}));
  });

  test('may hold members of `global` that nobody knows, as Helm gives them to every subchart', async () => {
    expect(await helm.render({ global: { storageClass: 'fast', cluster: { uin: '1' } } })).toBe(await helm.render());
  });

  // In the words of the validator that both Helms share.
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
      'a clean-up without time',
      { cleanup: { deadlineSeconds: 119 } },
      "at '/cleanup/deadlineSeconds': minimum: got 119, want 120",
    ],
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
    ['a typo of a top-level key', { webhok: { enabled: false } }, "additional properties 'webhok' not allowed"],
    [
      'an unknown key of a nested map',
      { metrics: { serviceMonitor: { enable: true } } },
      "at '/metrics/serviceMonitor': additional properties 'enable' not allowed",
    ],
    [
      'an unknown key of an item',
      { tolerations: [{ Key: 'a' }] },
      "at '/tolerations/0': additional properties 'Key' not allowed",
    ],
    [
      'namespaces as a map',
      { config: { 'watch-namespace': { name: 'shop' } } },
      "at '/config/watch-namespace': got object, want string or array",
    ],
    [
      'namespaces as a number',
      { config: { 'watch-namespace': [1] } },
      "at '/config/watch-namespace/0': got number, want",
    ],
    [
      'a policy that there is not',
      { image: { pullPolicy: 'always' } },
      "at '/image/pullPolicy': value must be one of 'IfNotPresent', 'Always', 'Never'",
    ],
    [
      'a digest that is too short',
      { image: { digest: 'sha256:0123' } },
      "at '/image/digest': 'sha256:0123' does not match pattern",
    ],
    [
      'a quantity in another unit',
      { resources: { limits: { memory: '256MB' } } },
      "at '/resources/limits/memory': '256MB' does not match pattern",
    ],
    [
      'a quantity with a blank',
      { selfTest: { resources: { requests: { cpu: '20 m' } } } },
      "at '/selfTest/resources/requests/cpu': '20 m' does not match pattern",
    ],
    ['a text for true', { webhook: { enabled: 'true' } }, "at '/webhook/enabled': got string, want boolean"],
    ['a port beyond the last', { webhook: { port: 70000 } }, "at '/webhook/port': maximum: got 70,000, want 65,535"],
    ['a list for a map', { nodeSelector: ['a'] }, "at '/nodeSelector': got array, want object"],
  ])('with %s are refused by either Helm, and the message says where and why', async (_, values, message) => {
    await expect(helm.render(values)).rejects.toThrow(message);
    await expect(helm3.render(values)).rejects.toThrow(message);
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
      'these values would do nothing: config.region, watchNamespace.',
    ],
    [
      'names beside a ConfigMap that has its own',
      { config: { existingConfigMap: 'mine', name: 'other', 'exclude-namespace': 'vault' }, enableRRSA: false },
      'these values would do nothing: config.exclude-namespace, config.name, enableRRSA.',
    ],
    [
      'a scheme before a registry',
      { image: { registry: 'https://registry.example.com' } },
      'The value image.registry is https://registry.example.com: leave https:// out',
    ],
    [
      'a scheme before a mirror',
      { global: { imageRegistry: 'http://mirror.example.com' } },
      'The value global.imageRegistry is http://mirror.example.com: leave http:// out',
    ],
    [
      'one port for two',
      { metrics: { port: 10250 } },
      'The values metrics.port and webhook.port are both 10250, and in one Pod: change one of them.',
    ],
    [
      'a way to roll Pods that do not roll',
      { strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 2 } } },
      'The values strategy.type: Recreate and strategy.rollingUpdate exclude each other',
    ],
    [
      'no way to replace a Pod',
      { strategy: { rollingUpdate: { maxSurge: '0%' } } },
      'maxSurge and maxUnavailable are both 0, so that no Pod could be replaced',
    ],
    [
      'two ServiceAccounts for RRSA',
      { config: { 'rrsa-service-account': 'platform/reader' }, rrsa: { tokenServiceAccount: 'platform/other' } },
      'The values rrsa.tokenServiceAccount (platform/other) and config.rrsa-service-account (platform/reader) differ: give one of them, or both alike.',
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

  test.each<[string, Values]>([
    ['one port, and no webhook', { metrics: { port: 10250 }, webhook: { enabled: false } }],
    ['what the chart ships, beside a ConfigMap of somebody', { config: { existingConfigMap: 'mine' } }],
  ])('with %s are fine', async (_, values) => {
    expect(await helm.render(values)).toContain('Deployment');
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
