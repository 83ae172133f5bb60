// What an installation is told to do, as commands read it: as its controller understands it.
import { describe, expect, test } from '@jest/globals';
import { findInstallation } from '../../../src/cmd/installation-namespace.ts';
import { lookForRules } from '../../../src/cmd/rules-in-force.ts';
import { KubeError } from '../../../src/core/errors.ts';
import type { KubeCall, KubeObject } from '../../../src/kube/client.ts';
import { createFakeClient } from '../kube/fake-client.ts';

const signal = new AbortController().signal;
const CONFIG_MAP = { namespace: 'settings', name: 'acr-configuration' };
const SETTINGS: Parameters<typeof lookForRules>[1] = {
  instance: 'default',
  secretNamespaces: [],
  declaredResources: undefined,
  namespaces: undefined,
};

const answerWith =
  (lists: Readonly<Record<string, readonly unknown[]>>) =>
  ({ path }: KubeCall): KubeObject => {
    const [, items] = Object.entries(lists).find(([kind]) => path.endsWith(`/${kind}`)) ?? [];
    if (items !== undefined) return { items, metadata: {} };
    throw new KubeError('NotFound', `GET ${path} answered 404`, { status: 404 });
  };

const rulesFor = (secretRef: string, settings: Partial<typeof SETTINGS> = {}) => {
  const data = { 'registry-info': `- {provider: static, domains: r.example, secretRef: ${secretRef}}` };
  const client = createFakeClient(answerWith({ configmaps: [{ metadata: CONFIG_MAP, data }], deployments: [] }));
  return lookForRules({ client, namespace: 'ours', configMap: CONFIG_MAP }, { ...SETTINGS, ...settings }, signal);
};

describe('a Secret that the configuration names', () => {
  test.each<[string, string, Partial<typeof SETTINGS>, boolean]>([
    ['in the namespace of the controller is read', '{name: login, namespace: ours}', {}, true],
    ['beside a ConfigMap that is elsewhere is refused', '{name: login, namespace: settings}', {}, false],
    ['is read where that is allowed', '{name: login, namespace: settings}', { secretNamespaces: ['settings'] }, true],
    ['is refused where it holds the declared resources', '{name: kept}', { declaredResources: 'kept' }, false],
    [
      'is refused where it holds those of the instance',
      '{name: registry-credential-helper-resources-default}',
      {},
      false,
    ],
  ])('%s, as the controller does', async (_, secretRef, settings, isUnderstood) => {
    const { configuration, config } = await rulesFor(secretRef, settings);
    expect(configuration).toMatchObject({ ok: true });
    expect(config !== undefined).toBe(isUnderstood);
  });

  test('without a namespace is that of the controller, wherever the ConfigMap is', async () => {
    const { config } = await rulesFor('{name: login}');
    const keys = config?.rules.flatMap(({ requests }) => requests.map(({ cacheKey }) => cacheKey)) ?? [];
    expect(keys).toEqual([expect.stringContaining('ours/login')]);
  });
});

describe('where an installation is, for who was told only of its ConfigMap', () => {
  const find = (answer: (call: KubeCall) => KubeObject) =>
    findInstallation(createFakeClient(answer), { instance: 'default', configMap: CONFIG_MAP }, signal);
  const leaseIn = (namespace: string) => ({ metadata: { namespace, name: 'any' }, spec: {} });

  test.each<[string, readonly unknown[], string]>([
    ['where its Lease is', [leaseIn('ours')], 'ours'],
    ['beside the ConfigMap where it has none yet', [], 'settings'],
    ['beside the ConfigMap where its name is used twice', [leaseIn('ours'), leaseIn('theirs')], 'settings'],
  ])('%s', async (_, leases, expected) => {
    await expect(find(answerWith({ leases }))).resolves.toBe(expected);
  });

  test('beside the ConfigMap where Leases may not be seen', async () => {
    const forbid = (): never => {
      throw new KubeError('Forbidden', 'GET leases answered 403', { status: 403 });
    };
    await expect(find(forbid)).resolves.toBe('settings');
  });
});
