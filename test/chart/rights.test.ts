// The rights that the chart gives to the controller: those of the documents, and no more.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { neededRights } from '../../src/cmd/missing-rights.ts';
import { placesOf } from '../../src/kube/check-permissions.ts';
import { createHelm, deploymentOf, manifestsOf, type Helm, type Manifest, type Values } from './helm.ts';
import { objectOf, rightsOf, settingsFrom, withoutHooks } from './rendered.ts';

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

/** The one that trust policies name, as the documents have it. */
/** A ConfigMap that the chart does not see. */
const UNSEEN = { config: { existingConfigMap: 'registries', namespace: 'platform' } };
const RRSA = { rrsa: { tokenServiceAccount: 'kube-system/aliyun-acr-credential-helper' } };
const TOKEN_RIGHTS = [
  'kube-system create /serviceaccounts/*',
  'kube-system create /serviceaccounts/token/aliyun-acr-credential-helper',
];

describe('the rights', () => {
  test('are in sum those of docs/rbac.yaml', async () => {
    const expected = rightsOf(documented('docs/rbac.yaml'), NAME);
    expect(expected.length).toBeGreaterThan(30);
    expect(rightsOf(await rendered(RRSA), NAME)).toEqual(expected);
    // Nothing else comes or goes with that value.
    expect(rightsOf(await rendered(), NAME)).toEqual(expected.filter((right) => !TOKEN_RIGHTS.includes(right)));
  });

  test('in listed namespaces are in sum those of docs/rbac-namespaced.yaml', async () => {
    const manifests = await rendered({ ...RRSA, namespaces: ['team-a', 'team-b'] }, [`--namespace=${NAME}`]);
    expect(rightsOf(manifests, NAME)).toEqual(rightsOf(documented('docs/rbac-namespaced.yaml'), NAME));
  });

  test('are one role for each duty, none of which may do what another one may', async () => {
    const manifests = await rendered(RRSA);
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
    ['', {}, ['get', 'list', 'watch', 'patch', 'delete'].map((verb) => `* ${verb} /secrets/*`)],
    [
      ', in listed namespaces too',
      { namespaces: ['team-a'] },
      [
        ...['get', 'list', 'watch', 'patch', 'delete'].map((verb) => `team-a ${verb} /secrets/*`),
        // Which Secrets the configuration names is not known to the chart.
        ...['list', 'watch'].map((verb) => `${NAME} ${verb} /secrets/*`),
      ],
    ],
  ])('are about single objects by name, where the name can be known%s', async (_, values, secrets) => {
    const place = 'namespaces' in values ? 'team-a' : '*';
    const rights = rightsOf(await rendered(values, [`--namespace=${NAME}`]), NAME);
    // Kubernetes cannot limit `create` to a name.
    const anyName = rights.filter((right) => right.endsWith('/*') && !right.includes(' create '));
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

  test.each<[string, Values, readonly string[]]>([
    ['nothing that says RRSA none', {}, []],
    ['a token of the controller’s own mounted none', { enableRRSA: true, rrsa: { enabled: true } }, []],
    ['RRSA off none', { enableRRSA: false, config: { rrsa: { enable: false } } }, []],
    ['the managed form that is on that of Alibaba’s add-on', { enableRRSA: true }, TOKEN_RIGHTS],
    [
      'a ConfigMap that the chart does not see that of Alibaba’s add-on',
      { config: { existingConfigMap: 'acr-configuration' } },
      TOKEN_RIGHTS,
    ],
    [
      'the same where that add-on never was none',
      { config: { existingConfigMap: 'acr-configuration' }, rbac: { takeOver: false } },
      [],
    ],
    ['the key that is on that of Alibaba’s add-on', { config: { rrsa: 'enable: true' } }, TOKEN_RIGHTS],
    ['the value that of Alibaba’s add-on', RRSA, TOKEN_RIGHTS],
    [
      'the key that names one of the release',
      { config: { 'rrsa-service-account': 'reader' } },
      [`kube-system create /serviceaccounts/token/reader`],
    ],
    [
      'the key that names another one only that',
      { enableRRSA: true, config: { 'rrsa-service-account': 'kube-system/reader' } },
      ['kube-system create /serviceaccounts/token/reader'],
    ],
  ])('to tokens of a ServiceAccount are with %s', async (_, values, expected) => {
    const rights = rightsOf(await rendered(values, ['--namespace=kube-system']), NAME);
    expect(rights.filter((right) => right.includes(' create /serviceaccounts/'))).toEqual(expected);
  });

  test.each<[string, Values]>([
    ['', {}],
    [' with listed namespaces', { namespaces: ['team-a'] }],
  ])('in kube-system are none%s where Alibaba’s add-on never was, and the program is told', async (_, more) => {
    const manifests = await rendered({ ...more, rbac: { takeOver: false } }, ['--namespace=pulls']);
    expect(rightsOf(manifests, NAME).filter((right) => right.startsWith('kube-system '))).toEqual([]);
    const { args } = deploymentOf(manifests).template.spec.containers[0];
    expect(settingsFrom(args).takeOver).toBe(false);
  });

  test('to the webhook objects are, while that is off, those that it takes to remove what was left', async () => {
    const manifests = await rendered({ webhook: { enabled: false } });
    const rights = rightsOf(manifests, NAME).filter((right) => /admissionregistration|clusterroles/.test(right));
    expect(rights).toEqual(
      ['delete', 'get'].flatMap((verb) =>
        ['mutating', 'validating'].map(
          (kind) => `* ${verb} admissionregistration.k8s.io/${kind}webhookconfigurations/${NAME}-default`,
        ),
      ),
    );
  });

  test.each<[string, Values]>([
    ['by default', {}],
    ['with RRSA', RRSA],
    ['with the webhook off', { webhook: { enabled: false } }],
    ['where Alibaba’s add-on never was', { rbac: { takeOver: false } }],
    ['where it never was, in listed namespaces', { rbac: { takeOver: false }, namespaces: ['team-a'] }],
    ['with a ConfigMap that is only read', UNSEEN],
    ['of another instance in listed namespaces', { instance: 'blue', namespaces: ['team-a', 'team-b'] }],
  ])('are exactly what the program asks about at its start, %s', async (_, values) => {
    const manifests = await rendered(values, ['--namespace=pulls']);
    const { args } = deploymentOf(manifests).template.spec.containers[0];
    const settings = settingsFrom(args);
    if (settings.configMap === undefined) throw new Error('No --config-map');
    const { permissions, places } = neededRights(settings, { namespace: 'pulls', configMap: settings.configMap });
    const asked = permissions.flatMap(({ scope, group, resource, subresource, verb, resourceNames = ['*'] }) => {
      const what = `${group}/${resource}${subresource === undefined ? '' : `/${subresource}`}`;
      return placesOf(scope, places).flatMap((place) =>
        resourceNames.map((name) => `${place ?? '*'} ${verb} ${what}/${name}`),
      );
    });
    const given = rightsOf(manifests, NAME);
    const notGiven = asked.filter((right) => !given.includes(right));
    expect(given.filter((right) => !asked.includes(right))).toEqual([]);
    expect(notGiven.toSorted()).toEqual(values === RRSA || values === UNSEEN ? [] : TOKEN_RIGHTS);
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
