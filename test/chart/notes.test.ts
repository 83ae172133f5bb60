// What people read after an installation: what it did, what to run next, what will hurt.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { authoritySecretName, leaseName, stateSecretName } from '../../src/core/names.ts';
import { CHART, createHelm, EVERY_VALUE, valuesFiles, type Helm, type Values } from './helm.ts';
import { merge } from './nested-values.ts';

const BUILD_MS = 900_000;

jest.setTimeout(60_000);

let helm: Helm;
beforeAll(async () => {
  helm = await createHelm();
}, BUILD_MS);
afterAll(() => helm.remove());

async function notesOf(values: Values): Promise<string> {
  const release = ['install', 'pulls', CHART, '--namespace=kube-system', '--dry-run=client'];
  const text = await helm.succeed([...release, ...(await helm.values(values))]);
  return text.slice(text.indexOf('\nNOTES:\n') + '\nNOTES:\n'.length).trimEnd();
}
const warningsOf = async (values: Values): Promise<string> =>
  /What will hurt:\n\n(.*?)\n\nWhen it is uninstalled/s.exec(await notesOf(values))?.[1] ?? '';
const PINNED = { image: { digest: EVERY_VALUE.image.digest } };

describe('the notes', () => {
  test('tell place, instance and configuration', async () => {
    const notes = await notesOf({});
    expect(notes).toContain('is installed in the namespace kube-system, as the instance default.');
    expect(notes).toContain('It does what the ConfigMap kube-system/acr-configuration says. The controller makes it');
    expect(await notesOf({ config: { existingConfigMap: 'mine', namespace: 'platform' } })).toContain(
      'It does what the ConfigMap platform/mine says, and nothing while there is none. Neither Helm nor the controller',
    );
  });

  test.each<[Values, string]>([
    [
      {},
      '- the ServiceAccounts `default`\n- in the namespaces `default`\n- but for `kube-system,kube-public,kube-node-lease`',
    ],
    [
      { config: { 'watch-namespace': 'all', 'service-account': '*' } },
      'ServiceAccounts `*`\n- in the namespaces `all`',
    ],
    [{ watchNamespace: 'shop,billing' }, 'in the namespaces `shop,billing`'],
    [{ config: { 'watch-namespace-selector': 'a=b' } }, 'in the namespaces `(by selector)`'],
    [{ namespaces: ['team-a', 'team-b'] }, 'It serves these namespaces and no others: team-a, team-b.'],
  ])('of %j tell the scope', async (values, sentence) => {
    expect(await notesOf(values)).toContain(sentence);
  });

  test('tell how to name a registry as long as there is none', async () => {
    const first = 'No registry is named yet';
    expect(await notesOf({})).toContain(first);
    expect(await notesOf({ config: { 'registry-info': '[]' } })).not.toContain(first);
    expect(await notesOf({ AcrInstanceInfo: [{ instanceId: '' }] })).not.toContain(first);
    expect(await notesOf({ config: { existingConfigMap: 'mine' } })).not.toContain(first);
    expect(await notesOf({ imagePullSecrets: EVERY_VALUE.imagePullSecrets })).not.toContain(first);
  });

  test('name declared resources and the hosts file, where there are any', async () => {
    const notes = await notesOf(valuesFiles().get('tcr-form') ?? {});
    expect(notes).toContain('It makes these ImagePullSecret resources: tcr-a1b2c3d4-public.');
    expect(notes).toContain('it keeps the names of the ConfigMap kube-system/updater-config in /etc/hosts.');
    expect(await notesOf({})).not.toMatch(/ImagePullSecret resources:|every node/);
  });

  const staysOf = async (values: Values): Promise<readonly string[]> =>
    ((await notesOf(values)).split('When it is uninstalled:')[1] ?? '').match(/^[*-] .*$/gm) ?? [];
  const ALWAYS = [
    '- the definition imagepullsecrets.tcr.tencentcloudcr.com, with all resources of that kind',
    '- the Lease registry-credential-helper-default, and the Pod of the last `helm test`',
  ];
  const WRITTEN = [
    '* the Secrets that the controller wrote, and the references to them',
    '* tokens at clouds that do not end by themselves',
    '* the Secrets registry-credential-helper-state-default and registry-credential-helper-webhook-ca-default',
  ];
  const MADE = '* the ConfigMap kube-system/acr-configuration, as long as nobody edits it';

  test('list all that stays when it is uninstalled', async () => {
    expect(await staysOf({})).toEqual([...WRITTEN, MADE, ...ALWAYS]);
    expect(await staysOf({ config: { existingConfigMap: 'mine' } })).toEqual([
      ...WRITTEN,
      '- the ConfigMap kube-system/mine, which is yours',
      ...ALWAYS,
    ]);
    expect(await staysOf({ crds: { keep: false }, selfTest: { enabled: false } })).toEqual([
      ...WRITTEN,
      MADE,
      '- the Lease registry-credential-helper-default',
    ]);
    const others = await staysOf({ hosts: { enabled: true }, imagePullSecrets: EVERY_VALUE.imagePullSecrets });
    expect(others.filter((line) => ![...WRITTEN, MADE, ...ALWAYS].includes(line))).toEqual([
      '* lines in hosts files of the nodes',
      '* the ImagePullSecret resources that are declared',
    ]);
  });

  test('list what stays when it cleans up', async () => {
    const values = { onUninstall: 'cleanup', instance: 'blue', hosts: { enabled: true } };
    expect(await notesOf(values)).toContain('first removes what the controller wrote');
    expect(await staysOf(values)).toEqual([
      '- the ConfigMap kube-system/acr-configuration where somebody wrote or edited it',
      ALWAYS[0],
      '- the Lease registry-credential-helper-blue, and the Pod of the last `helm test`; the Job of cleaning up for a day',
    ]);
  });

  test('name every object that the program has by a name of its own and leaves', async () => {
    const notes = await notesOf({});
    for (const name of [stateSecretName('default'), authoritySecretName('default'), leaseName('default')]) {
      expect(notes).toContain(name);
    }
  });

  test('tell in three lines what is other with Argo CD and Flux', async () => {
    const lines = (await notesOf({})).split('\n');
    const first = lines.findIndex((line) => line.startsWith('With Argo CD or Flux: '));
    expect(first).toBeGreaterThan(0);
    expect(lines.length - first).toBeLessThanOrEqual(3);
  });

  test('have no line that is too long for a terminal of 140 columns, and no blank lines in a row', async () => {
    for (const values of valuesFiles().values()) {
      const notes = await notesOf(values);
      expect(notes.split('\n').filter((line) => line.length > 140 && !line.startsWith('kubectl'))).toEqual([]);
      expect(notes).not.toMatch(/\n\n\n/);
    }
  });
});

describe('the warnings', () => {
  test('are none where nothing will hurt', async () => {
    expect(await notesOf(PINNED)).not.toContain('What will hurt');
  });

  test.each<[string, Values]>([
    ['a proxy at a port that is let out', { networkPolicy: { enabled: true, egressPorts: [443, 3128] } }],
    [
      'a proxy in a range that is let out',
      { networkPolicy: { enabled: true, extraEgress: [{ ports: [{ port: 3000, endPort: 4000 }] }] } },
    ],
    [
      'a proxy that is let out as a whole',
      { networkPolicy: { enabled: true, extraEgress: [{ to: [{ ipBlock: { cidr: '10.0.0.9/32' } }] }] } },
    ],
    ['a proxy, and no NetworkPolicy', {}],
  ])('say nothing of %s', async (_, values) => {
    const proxied = merge({ proxy: { https: 'http://proxy.example.com:3128' } }, values);
    expect(await warningsOf(proxied)).not.toContain('proxy');
  });

  test.each<[string, Values, string]>([
    ['a tag', { image: { digest: '' } }, 'The image is named by a tag'],
    [
      'an AccessKey in a list',
      { config: { 'acr-registry-info': [{ customAccessKey: 'not-a-key', customAccessKeySecret: 'not-a-secret' }] } },
      'An AccessKey stands in clear text',
    ],
    [
      'an AccessKey in the managed form',
      { AcrInstanceInfo: [{ CustomAccessKey: 'not-a-key' }] },
      'An AccessKey stands in clear text',
    ],
    [
      'a password of the vendor’s form',
      { global: { imagePullSecretsCrs: [{ name: 'a', dockerServer: 'b', dockerPassword: 'not-a-password' }] } },
      'A password of an ImagePullSecret stands in clear text',
    ],
    [
      'a password of ours',
      { imagePullSecrets: [{ name: 'a', spec: { docker: { server: 'b', password: 'not-a-password' } } }] },
      'A password of an ImagePullSecret stands in clear text',
    ],
    [
      'all namespaces',
      { config: { 'watch-namespace': 'All', 'exclude-namespace': '' } },
      'All namespaces are in scope, and none is excluded',
    ],
    [
      'a webhook that must answer',
      { config: { 'webhook-configuration': { enable: true, 'failure-policy': 'Fail' } } },
      'The webhook has the failure policy Fail',
    ],
    [
      'a webhook that must answer, as text',
      { config: { 'webhook-configuration': 'enable: true\nfailurePolicy: "fail"' } },
      'The webhook has the failure policy Fail',
    ],
    [
      'a proxy that the NetworkPolicy holds back',
      { proxy: { https: 'http://user@proxy.example.com:3128' }, networkPolicy: { enabled: true } },
      'The proxy of proxy.https has the port 3128, which the NetworkPolicy of this release does not let out',
    ],
    [
      'a proxy at the port of its scheme, and another rule',
      {
        proxy: { http: 'http://proxy.example.com' },
        networkPolicy: { enabled: true, extraEgress: [{ ports: [{ port: 53, protocol: 'UDP' }, { port: 8000 }] }] },
      },
      'The proxy of proxy.http has the port 80, which',
    ],
    ['one Pod', { replicas: 1 }, 'With 1 replica nothing is renewed while the Pod is replaced'],
    ['no Pod', { replicas: 0 }, 'With 0 replicas nothing is renewed, and'],
    ['the network of nodes', { webhook: { hostNetwork: true, port: 10443 } }, 'in the network of their nodes'],
    ['hosts files', { hosts: { enabled: true, namespace: 'node-hosts' } }, 'the namespace node-hosts must allow'],
    [
      'a region that does not arrive',
      { global: { cluster: { longregion: 'ap-guangzhou' } }, config: { existingConfigMap: 'mine' } },
      'The value global.cluster.longregion does nothing: the ConfigMap is yours.',
    ],
    ['a tag beside a digest', { image: { ...PINNED.image, tag: '1.2.3' } }, 'the tag 1.2.3 does not count'],
    [
      'values about what is off',
      {
        rrsa: { roleArn: EVERY_VALUE.rrsa.roleArn },
        tke: { region: 'ap-guangzhou' },
        webhook: { enabled: false, url: 'https://hook.example' },
        networkPolicy: { extraEgress: [{}] },
        proxy: { noProxy: ['a.example'] },
        hosts: { enabled: false, items: EVERY_VALUE.hosts.items },
      },
      'as what they are about is off: rrsa.roleArn, tke.region, webhook.url, networkPolicy.extraEgress, proxy.noProxy, hosts.items.',
    ],
    [
      'a clean-up without rights',
      { onUninstall: 'cleanup', rbac: { create: false }, podServiceAccount: { name: 'puller' } },
      'The clean-up before `helm uninstall` has no rights but those that you give to the ServiceAccount puller',
    ],
    [
      'labels that do not arrive',
      { commonLabels: { a: 'b' }, config: { existingConfigMap: 'mine' } },
      'The commonLabels do not reach the Secrets',
    ],
  ])('tell of %s', async (_, values, sentence) => {
    const warnings = await warningsOf({ ...PINNED, ...values });
    expect(warnings).toContain(sentence);
    expect(warnings.match(/^- /gm)).toHaveLength(1);
    expect(warnings).not.toMatch(/not-a-/);
  });

  test('tell that pull Secrets must be in the namespace of the hosts Pods, too, where that is another', async () => {
    const pull = { image: { ...PINNED.image, pullSecrets: [{ name: 'mirror' }] } };
    const sentence = 'the namespace node-hosts: the Secrets of image.pullSecrets must be there, too';
    const hosts = { enabled: true, namespace: 'node-hosts' };
    expect(await warningsOf({ ...pull, hosts })).toContain(sentence);
    for (const other of [{ ...PINNED, hosts }, { ...pull, hosts: { enabled: true } }, pull]) {
      expect(await warningsOf(other)).not.toContain('image.pullSecrets');
    }
  });

  test.each<[string, Values]>([
    [
      'a region of the parent chart that an identity needs',
      {
        global: { cluster: { longregion: 'ap-guangzhou' } },
        config: { existingConfigMap: 'mine' },
        tke: { enabled: true },
      },
    ],
    ['all namespaces but some', { config: { 'watch-namespace': 'all' } }],
    ['a name with all in it', { config: { 'watch-namespace': 'all-hands,ball', 'exclude-namespace': '' } }],
    [
      'a webhook that may be down',
      { config: { 'webhook-configuration': { enable: true, 'failure-policy': 'Ignore' } } },
    ],
    [
      'a password in a Secret',
      { imagePullSecrets: [{ name: 'a', spec: { docker: { passwordSecretRef: { name: 'b' } } } }] },
    ],
  ])('are silent about %s', async (_, values) => {
    expect(await warningsOf({ ...PINNED, ...values })).toBe('');
  });
});
