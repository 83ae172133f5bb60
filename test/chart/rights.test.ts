// The rights that the chart gives to the controller: those of the documents, and no more.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHelm, manifestsOf, type Helm, type Manifest, type Values } from './helm.ts';
import { objectOf, rightsOf, withoutHooks } from './rendered.ts';

const BUILD_MS = 900_000;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const NAME = 'registry-credential-helper';

jest.setTimeout(60_000);

let helm: Helm;
beforeAll(async () => {
  helm = await createHelm();
}, BUILD_MS);
afterAll(() => helm.remove());

const rendered = async (values: Values = {}, args: readonly string[] = []): Promise<readonly Manifest[]> =>
  withoutHooks(manifestsOf(await helm.render(values, args)));
const documented = (file: string): readonly Manifest[] => manifestsOf(readFileSync(path.join(ROOT, file), 'utf8'));

describe('the rights', () => {
  test('are in sum those of docs/rbac.yaml', async () => {
    const expected = rightsOf(documented('docs/rbac.yaml'), NAME);
    expect(expected.length).toBeGreaterThan(30);
    expect(rightsOf(await rendered(), NAME)).toEqual(expected);
  });

  test('in listed namespaces are in sum those of docs/rbac-namespaced.yaml', async () => {
    const manifests = await rendered({ namespaces: ['team-a', 'team-b'] }, [`--namespace=${NAME}`]);
    expect(rightsOf(manifests, NAME)).toEqual(rightsOf(documented('docs/rbac-namespaced.yaml'), NAME));
  });

  test('are one role for each duty, none of which may do what another one may', async () => {
    const manifests = await rendered();
    const duties = manifests.filter(({ kind }) => kind.endsWith('Binding'));
    expect(duties.map(({ metadata }) => metadata.name.replace(`${NAME}-`, ''))).toEqual([
      ...[NAME, 'resources', 'webhooks', 'references', 'secrets', 'events'],
      ...['configuration', 'made-configuration', 'values', 'leader-election', 'take-over', 'rrsa'],
    ]);
    const rights = duties.flatMap((duty) => {
      const role = manifests.find(
        ({ kind, metadata }) => duty.kind === `${kind}Binding` && duty.metadata.name === metadata.name,
      );
      return role === undefined ? [] : rightsOf([duty, role], NAME);
    });
    expect(rights).toEqual([...new Set(rights)]);
  });

  test.each<[string, Values, readonly string[]]>([
    ['', {}, ['get', 'list', 'watch', 'create', 'patch', 'delete'].map((verb) => `* ${verb} /secrets/*`)],
    [
      ', in listed namespaces too',
      { namespaces: ['team-a'] },
      [
        ...['get', 'list', 'watch', 'create', 'patch', 'delete'].map((verb) => `team-a ${verb} /secrets/*`),
        // Which Secrets the configuration names is not known to the chart.
        ...['list', 'watch', 'create'].map((verb) => `${NAME} ${verb} /secrets/*`),
      ],
    ],
  ])('are about single objects by name, where the name can be known%s', async (_, values, secrets) => {
    const place = 'namespaces' in values ? 'team-a' : '*';
    const anyName = rightsOf(await rendered(values, [`--namespace=${NAME}`]), NAME).filter(
      // Kubernetes cannot limit `create` to a name.
      (right) => right.endsWith('/*') && !/ create /.test(right.replace(/ create \/secrets\//, '')),
    );
    const resources = ['list', 'watch', 'patch', 'delete'].map(
      (verb) => `* ${verb} tcr.tencentcloudcr.com/imagepullsecrets/*`,
    );
    expect(anyName).toEqual(
      [
        ...secrets,
        ...['get', 'list', 'watch', 'patch'].map((verb) => `${place} ${verb} /serviceaccounts/*`),
        ...['list', 'watch'].map((verb) => `* ${verb} /namespaces/*`),
        ...[...resources, '* patch tcr.tencentcloudcr.com/imagepullsecrets/status/*'],
      ].sort(),
    );
  });

  test('to read Secrets in the whole cluster are not there with listed namespaces', async () => {
    const rights = rightsOf(await rendered({ namespaces: ['team-a'] }), NAME);
    expect(rights.filter((right) => /^\* \w+ \/(secrets|serviceaccounts|events)\//.test(right))).toEqual([]);
  });

  test.each<[string, Values, readonly string[]]>([
    [
      'the configuration in another namespace',
      { config: { namespace: 'platform', name: 'registries' } },
      [
        'platform create /configmaps/*',
        'platform delete /configmaps/registries',
        'platform list /configmaps/registries',
        'platform patch /configmaps/registries',
        'platform watch /configmaps/registries',
      ],
    ],
    [
      'a ConfigMap that is only read',
      { config: { namespace: 'platform', existingConfigMap: 'registries' } },
      ['platform list /configmaps/registries', 'platform watch /configmaps/registries'],
    ],
    [
      'another ServiceAccount for RRSA, as the configuration names it',
      { config: { 'rrsa-service-account': 'platform/reader' } },
      ['platform create /serviceaccounts/token/reader'],
    ],
    [
      'another one by the value',
      { rrsa: { tokenServiceAccount: 'platform/reader' } },
      ['platform create /serviceaccounts/token/reader'],
    ],
    [
      'Secret references into another namespace, with listed ones',
      { namespaces: ['team-a'], allowSecretNamespaces: ['platform'] },
      ['platform list /secrets/*', 'platform watch /secrets/*'],
    ],
  ])('with %s are what that takes', async (_, values, expected) => {
    const rights = rightsOf(await rendered(values), NAME);
    expect(rights.filter((right) => right.startsWith('platform '))).toEqual(expected);
  });

  test('take no second right to tokens of the ServiceAccount that trust policies name', async () => {
    const values = { config: { 'rrsa-service-account': 'kube-system/aliyun-acr-credential-helper' } };
    expect(rightsOf(await rendered(values), NAME)).toEqual(rightsOf(await rendered(), NAME));
  });

  test('belong to the ServiceAccount that the Pods run under, also to one that was there', async () => {
    const manifests = await rendered({ podServiceAccount: { create: false, name: 'puller' } });
    expect(manifests.some(({ kind }) => kind === 'ServiceAccount')).toBe(false);
    expect(rightsOf(manifests, 'puller')).toEqual(rightsOf(await rendered(), NAME));
    expect(objectOf(manifests, 'Deployment').spec?.template.spec.serviceAccountName).toBe('puller');
  });

  test('are left out, those of people too, with rbac.create: false', async () => {
    const kinds = (await rendered({ rbac: { create: false } })).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind.includes('Role'))).toEqual([]);
  });

  test('of the hosts DaemonSet are none', async () => {
    const manifests = await rendered({ hosts: { enabled: true } });
    expect(rightsOf(manifests, `${NAME}-hosts`)).toEqual([]);
    expect(objectOf(manifests, 'ServiceAccount', `${NAME}-hosts`)).toMatchObject({
      automountServiceAccountToken: false,
    });
    expect(objectOf(manifests, 'DaemonSet').spec?.template.spec).toMatchObject({ automountServiceAccountToken: false });
  });
});
