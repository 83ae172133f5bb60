// The plan of a move from Alibaba's add-on, for every situation that a cluster may be in.
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { understand } from '../../../src/cmd/from-acr-helper.ts';
import { ACR_SECRET_NAME, managedLabels, SECRET_TYPE } from '../../../src/core/names.ts';
import { renderTakeOver } from '../../../src/core/take-over.ts';
import type { FoundSecret, Looked, TakeOverFacts } from '../../../src/core/take-over-facts.ts';
import { digestOf } from '../../../src/core/docker-config.ts';
import { FAKE_KEY_ID, FAKE_KEY_SECRET } from '../../support/vendor-samples.ts';
import { MINUTE, NOW } from '../../support/builders.ts';

const OLDER = 'acr-credential-be5ac8be6a88c42ac1d831b85135a585';
const TOKEN_SECRET = { namespace: 'kube-system', name: 'addon.aliyuncsmanagedacrrole.token' };
const ITEM = '- instanceId: cri-a\n  regionId: cn-hangzhou\n';
const RRSA = `- instanceId: cri-a
  regionId: cn-hangzhou
  rrsaRoleARN: acs:ram::1000000000000001:role/acr-a
  rrsaOIDCProviderRoleARN: acs:ram::1000000000000001:oidc-provider/ack-rrsa-c0ffee
`;
const missing = (cure: string): Looked<never> => ({ ok: false, cure });
const known = <T>(value: T): Looked<T> => ({ ok: true, value });

function configured(data: Readonly<Record<string, string>>, namespace = 'kube-system'): TakeOverFacts['configuration'] {
  return known(understand(data, namespace));
}

function secret(namespace: string, name = ACR_SECRET_NAME, parts: Partial<FoundSecret> = {}): FoundSecret {
  return {
    ...{ namespace, name, uid: `${namespace}/${name}`, resourceVersion: '1', type: SECRET_TYPE, immutable: false },
    ...{
      labels: {},
      place: undefined,
      entries: undefined,
      recordedDigest: undefined,
      contentDigest: digestOf({ dockerConfigJson: '' }),
    },
    othersWrote: { manager: 'vendor', at: NOW - 12 * MINUTE },
    ...parts,
  };
}

function account(namespace: string, imagePullSecrets: readonly string[], recorded: readonly string[] = []) {
  const name = 'default';
  return {
    ...{ namespace, name, uid: `${namespace}/${name}`, resourceVersion: '1', createdAt: 1, labels: {} },
    ...{ imagePullSecrets, recorded },
  };
}

/** A cluster in which the add-on runs, with one registry and the namespaces shop and web in scope. */
function facts(parts: Partial<TakeOverFacts> = {}): TakeOverFacts {
  const names = ['default', 'kube-system', 'shop', 'web'];
  return {
    ...{ now: NOW, namespace: 'kube-system', instance: 'default' },
    place: { namespace: 'kube-system', name: 'acr-configuration' },
    helper: known({ image: 'registry.example/acs/helper:v23', replicas: 2 }),
    configuration: configured({ 'watch-namespace': 'shop,web', 'acr-registry-info': ITEM }),
    namespaces: known(names.map((name) => ({ name, labels: {}, terminating: false }))),
    serviceAccounts: known([account('shop', ['own', ACR_SECRET_NAME]), account('web', [])]),
    secrets: known([secret('shop'), secret('web')]),
    managedRole: known(undefined),
    addonSecret: { namespace: 'kube-system', name: 'alibaba-addon-secret' },
    holder: known(undefined),
    ...parts,
  };
}

/** The lines of each section, by title. */
function sectionsOf(text: string): Readonly<Record<string, string>> {
  const parts = text.split(/\n\n(?=[^\n]+\n-+\n)/).slice(1);
  return Object.fromEntries(
    parts.map((part) => {
      const [title = '', , ...lines] = part.split('\n');
      return [title, lines.join('\n').trim()];
    }),
  );
}

const TITLES = {
  there: 'What is there',
  future: 'What would happen',
  identities: 'Identities, and what to check',
  commands: 'Commands, in this order',
  back: 'The way back',
} as const;

function section(parts: Partial<TakeOverFacts>, title: keyof typeof TITLES): string {
  return sectionsOf(renderTakeOver(facts(parts)))[TITLES[title]] ?? '';
}

/** Only what a shell would run. */
function shellLines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the plan of a take-over', () => {
  test('has its five sections in their order, and says that nothing was written', () => {
    const text = renderTakeOver(facts());
    expect(text).toMatch(
      /^From aliyun-acr-credential-helper .* as it was at 2026-01-02T03:04:05.000Z\.\nNothing was written\.\n/,
    );
    expect(Object.keys(sectionsOf(text))).toEqual(Object.values(TITLES));
  });

  test('observes before the other is stopped, and removes it only after ours adopted', () => {
    const commands = section({}, 'commands');
    expect(shellLines(commands)).toEqual([
      'kubectl -n kube-system get configmap acr-configuration -o yaml > acr-configuration.backup.yaml',
      'kubectl -n kube-system get deployment aliyun-acr-credential-helper -o yaml > aliyun-acr-credential-helper.backup.yaml',
      'helm install registry-credential-helper charts/registry-credential-helper --namespace kube-system --set image.repository=registry.example.com/registry-credential-helper --set config.existingConfigMap=acr-configuration',
      'kubectl -n kube-system rollout status deployment/registry-credential-helper',
      'kubectl -n kube-system logs --selector=app.kubernetes.io/instance=registry-credential-helper --tail=-1 --prefix',
      'kubectl -n kube-system describe configmap acr-configuration',
      'kubectl -n kube-system scale deployment aliyun-acr-credential-helper --replicas=0',
      'kubectl get secrets --all-namespaces --selector=app.kubernetes.io/managed-by=registry-credential-helper,app.kubernetes.io/instance=default',
      'kubectl -n kube-system delete deployment aliyun-acr-credential-helper --ignore-not-found',
      'kubectl -n kube-system get configmap acr-configuration || kubectl -n kube-system create -f acr-configuration.backup.yaml',
    ]);
    expect(commands).toContain('# 2 Secrets are expected.');
  });

  test('goes back by starting the other with as many Pods as it had', () => {
    expect(shellLines(section({}, 'back'))).toEqual([
      'kubectl -n kube-system scale deployment aliyun-acr-credential-helper --replicas=2',
      'helm upgrade registry-credential-helper charts/registry-credential-helper --namespace kube-system --reuse-values --set replicas=0',
      'npx node dist/main.mjs cleanup --namespace=kube-system --config-map=kube-system/acr-configuration --instance=default --dry-run',
      'npx node dist/main.mjs cleanup --namespace=kube-system --config-map=kube-system/acr-configuration --instance=default',
      'helm uninstall registry-credential-helper --namespace kube-system',
    ]);
  });

  test('names another namespace, ConfigMap and instance in every command, by values that the chart has', () => {
    const place = { namespace: 'platform', name: 'registries' };
    const text = renderTakeOver(facts({ namespace: 'registry', instance: 'blue', place }));
    const install = /^helm install .*$/m.exec(text)?.[0] ?? '';
    expect(install).toBe(
      'helm install registry-credential-helper-blue charts/registry-credential-helper --namespace registry --create-namespace --set image.repository=registry.example.com/registry-credential-helper --set instance=blue --set config.namespace=platform --set config.existingConfigMap=registries',
    );
    const values = load(readFileSync('charts/registry-credential-helper/values.yaml', 'utf8'));
    for (const [, path = ''] of install.matchAll(/--set ([\w.]+)=/g)) expect(values).toHaveProperty(path);
    expect(text).toContain('kubectl -n platform get configmap registries');
    expect(text).toContain('app.kubernetes.io/instance=blue');
    expect(text).toContain('--namespace=registry --config-map=platform/registries --instance=blue --dry-run');
  });
});

describe('what is there', () => {
  test.each<[string, Partial<TakeOverFacts>, RegExp]>([
    [
      'an add-on that runs',
      {},
      /Deployment kube-system\/aliyun-acr-credential-helper, runs \(2 replicas\), image registry.example\/acs\/helper:v23\./,
    ],
    [
      'one that is stopped',
      { helper: known({ image: undefined, replicas: 0 }) },
      /stopped \(0 replicas\), image unknown/,
    ],
    [
      'the managed edition, by what it wrote',
      { helper: known(undefined) },
      /vendor wrote the Secret shop\/acr-credential-secret-aggregation 12 minutes ago: the managed\n +edition runs, most likely/,
    ],
    [
      'no add-on any more',
      {
        helper: known(undefined),
        secrets: known([
          secret('shop', ACR_SECRET_NAME, { othersWrote: { manager: 'vendor', at: NOW - 61 * MINUTE } }),
        ]),
      },
      /it is gone\./,
    ],
    ['an add-on that may not be looked for', { helper: missing('allow x') }, /could not be looked for: allow x\./],
    [
      'the configuration, and the scope that it means',
      {},
      /valid: 1 registry, adopt-existing is vendor\.\n- Scope: 2 of 4 namespaces: shop, web\./,
    ],
    [
      'a configuration that may not be read',
      { configuration: missing('allow x') },
      /ConfigMap kube-system\/acr-configuration could not be read: allow x\./,
    ],
    ['no configuration', { configuration: known(undefined) }, /there is no ConfigMap kube-system\/acr-configuration\./],
    [
      'namespaces that may not be read',
      { namespaces: missing('allow x') },
      /Scope: the namespaces could not be read: allow x\./,
    ],
    ['Secrets that may not be listed', { secrets: missing('allow x') }, /Secrets: they could not be listed: allow x\./],
    [
      'Secrets of every age',
      { secrets: known([secret('shop'), secret('shop', OLDER), secret('web', 'aliyun-acr-credential-a')]) },
      new RegExp(
        `Secrets ${OLDER}, an older name: in 1 namespace: shop\\.\n- Secrets ${ACR_SECRET_NAME}: in 1 namespace: shop\\.\n- Secrets aliyun-acr-credential-a, an older name`,
      ),
    ],
    [
      'our installation, when it runs',
      { holder: known('pod-1') },
      /instance default: it runs already: pod-1 holds the Lease kube-system\/registry-credential-helper-default/,
    ],
    [
      'no installation of ours',
      {},
      /nobody holds the Lease kube-system\/registry-credential-helper-default: it does not run yet/,
    ],
    [
      'another installation of ours',
      { secrets: known([secret('shop', 'x', { labels: managedLabels('blue') })]) },
      /Another installation of ours keeps Secrets in this cluster: instance blue\./,
    ],
  ])('tells %s', (_name, parts, expected) => {
    expect(section(parts, 'there')).toMatch(expected);
  });

  test('shows of an image and of a process no sign that a terminal obeys', () => {
    const helper = known({ image: 'x\u001b[2J', replicas: 1 });
    expect(renderTakeOver(facts({ helper, holder: known('a\nb\u0007') }))).not.toMatch(/[^\x20-\x7e\n’]/);
  });
});

describe('what would happen', () => {
  test('[acr O2] Secrets under the current name are adopted in place, missing ones are made', () => {
    const text = section({ secrets: known([secret('shop')]) }, 'future');
    expect(text).toContain(
      `1 Secret would be adopted in place, same name, same UID, as soon as there is a credential for every registry: shop/${ACR_SECRET_NAME}.`,
    );
    expect(text).toContain(`1 Secret would be new: web/${ACR_SECRET_NAME}.`);
  });

  test('[acr O2] older names are left, with what to do about them and the command', () => {
    const secrets = known([
      secret('shop'),
      secret('shop', OLDER),
      secret('web', OLDER),
      secret('web', 'aliyun-acr-credential-b'),
    ]);
    expect(section({ secrets }, 'future')).toContain(
      `3 Secrets under another name of the vendor's would be left, with a credential that nobody renews any more: shop/${OLDER}, web/${OLDER}, web/aliyun-acr-credential-b. To go on under such a name, set \`acr-secret-name\` to it`,
    );
    expect(shellLines(section({ secrets }, 'commands')).slice(-2)).toEqual([
      `for namespace in shop web; do kubectl -n "$namespace" delete secret ${OLDER}; done`,
      'kubectl -n web delete secret aliyun-acr-credential-b',
    ]);
  });

  test('[acr O2] an older name that acr-secret-name names is adopted in place, and the current one left', () => {
    const configuration = configured({
      'watch-namespace': 'shop',
      'acr-registry-info': ITEM,
      'acr-secret-name': OLDER,
    });
    const text = section({ configuration, secrets: known([secret('shop'), secret('shop', OLDER)]) }, 'future');
    expect(text).toContain(`registry: shop/${OLDER}.`);
    expect(text).toContain(`would be left, with a credential that nobody renews any more: shop/${ACR_SECRET_NAME}.`);
  });

  test('Secrets outside of the scope are left and told, and only they are deleted by name', () => {
    const secrets = known([secret('shop'), secret('default')]);
    expect(section({ secrets }, 'future')).toContain(
      `1 Secret outside of the scope would be left, with a credential that nobody renews any more: default/${ACR_SECRET_NAME}.`,
    );
    const deletions = shellLines(section({ secrets }, 'commands')).filter((line) => line.includes('delete secret'));
    expect(deletions).toEqual([`kubectl -n default delete secret ${ACR_SECRET_NAME}`]);
  });

  test('with adopt-existing: none nothing is adopted, and that is said of each', () => {
    const configuration = configured({
      'watch-namespace': 'shop',
      'acr-registry-info': ITEM,
      'adopt-existing': 'none',
    });
    expect(section({ configuration }, 'future')).toMatch(
      /The Secret shop\/acr-credential-secret-aggregation would not be touched \(NameTaken\).*`adopt-existing` forbids it/,
    );
  });

  test('a Secret of another type is in the way, and its deletion is a command', () => {
    const secrets = known([secret('shop', ACR_SECRET_NAME, { type: '' }), secret('web')]);
    expect(section({ secrets }, 'future')).toMatch(
      /shop\/\S+ would not be touched \(NameTaken\), .*only deleting it can change/,
    );
    expect(section({ secrets }, 'commands')).toContain(`\nkubectl -n shop delete secret ${ACR_SECRET_NAME}\n`);
  });

  test('what is ours already is counted as ours', () => {
    const labels = managedLabels('default');
    const secrets = known([
      secret('shop', ACR_SECRET_NAME, { labels, place: `shop/${ACR_SECRET_NAME}`, othersWrote: undefined }),
      secret('web'),
    ]);
    expect(section({ secrets }, 'future')).toContain(`1 Secret is ours already: shop/${ACR_SECRET_NAME}.`);
  });

  test('references that are there stay their owner’s and are not doubled', () => {
    const text = section({}, 'future');
    expect(text).toMatch(
      /1 ServiceAccount refers to such a Secret already: .* is not doubled, and stays its owner's: ours never removes it/,
    );
    expect(text).toContain('1 ServiceAccount would get a reference, after the entries that are there.');
  });

  test('ServiceAccounts that refer to what is left are named', () => {
    const secrets = known([secret('shop'), secret('shop', OLDER)]);
    const serviceAccounts = known([account('shop', [OLDER]), account('web', [OLDER])]);
    expect(section({ secrets, serviceAccounts }, 'future')).toContain(
      '1 ServiceAccount refers to a Secret that is left: shop/default.',
    );
  });

  test.each<[string, Partial<TakeOverFacts>]>([
    ['a refused configuration', { configuration: configured({ 'acr-registry-info': '- {' }) }],
    ['none', { configuration: known(undefined) }],
    ['no right to list Secrets', { secrets: missing('allow x') }],
    ['no right to list namespaces', { namespaces: missing('allow x') }],
  ])('with %s it is not known, and the rest is printed', (_name, parts) => {
    expect(section(parts, 'future')).toContain(
      '- Not known: it takes a valid configuration, the namespaces and the Secrets.',
    );
    expect(section(parts, 'back')).toContain('helm uninstall');
  });

  test('without the right to list ServiceAccounts only that is missing', () => {
    const text = section({ serviceAccounts: missing('allow x') }, 'future');
    expect(text).toMatch(
      /2 Secrets would be adopted .*\n- References: the ServiceAccounts could not be read: allow x\./,
    );
  });
});

describe('a configuration that is refused', () => {
  const data = { 'acr-registry-info': `- instanceId: ""\n    regionId: "cn-hangzhou"\n` };

  test('is shown with the corrected text, and putting it right is the only step: what follows would end in no renewal', () => {
    const configuration = configured(data);
    expect(section({ configuration }, 'there')).toMatch(
      /refused: until it is right nothing would be done\.\n {2}error: acr-registry-info \(line 2\).*\n\n {2}Corrected acr-registry-info, .*\n {4}acr-registry-info: \|\n {6}- instanceId: ''\n {8}regionId: cn-hangzhou\n/,
    );
    for (const [state, command] of [
      [configuration, 'kubectl -n kube-system edit configmap acr-configuration'],
      [known(undefined), 'kubectl -n kube-system create -f acr-configuration.yaml'],
    ] as const) {
      const commands = section({ configuration: state }, 'commands');
      expect(shellLines(commands)).toContain(command);
      expect(commands).toMatch(/# Then run this command again/);
      expect(commands).not.toMatch(/helm|replicas|# 2\./);
    }
  });

  test('[acr I6] shows no key', () => {
    const item = `- instanceId: cri-a\n  customAccessKey: "${FAKE_KEY_ID}" // id\n  customAccessKeySecret: "${FAKE_KEY_SECRET}"\n`;
    for (const text of [item, item.replace(' // id', '')]) {
      const shown = renderTakeOver(facts({ configuration: configured({ 'acr-registry-info': text }) }));
      expect(shown).toContain('acr-registry-info');
      expect(shown).not.toMatch(new RegExp(`${FAKE_KEY_ID}|${FAKE_KEY_SECRET}`));
    }
  });
});

describe('the steps', () => {
  test.each<[string, Partial<TakeOverFacts>, RegExp, RegExp]>([
    [
      'do not stop what is stopped',
      { helper: known({ image: 'x', replicas: 0 }) },
      /It adopts at once: the other is stopped/,
      /--replicas=0/,
    ],
    [
      'do not remove what is gone',
      { helper: known(undefined), secrets: known([]) },
      /It adopts at once: the other is gone/,
      /Uninstall|--replicas=0|get deployment/,
    ],
    [
      'look after the webhook of the other',
      {
        configuration: configured({
          region: 'cn-hangzhou',
          'acr-api-version': 'v1',
          'webhook-configuration': 'enable: true',
        }),
      },
      /mutatingwebhookconfigurations -o 'custom-columns=.*'\nkubectl .* --replicas=0/,
      /^$/,
    ],
    [
      'remove the managed edition in the console',
      { helper: known(undefined) },
      /the card of the managed edition, Uninstall\./,
      /--replicas=0|deployment aliyun/,
    ],
    ['do not install what runs', { holder: known('pod-1') }, /1\. Keep copies/, /helm install/],
    [
      'make a ConfigMap where there is none',
      { configuration: known(undefined) },
      /1\. Make the ConfigMap.*\n.*\nnpx node dist\/main\.mjs migrate config --file=addon.json > acr-configuration.yaml/,
      /backup\.yaml > acr/,
    ],
  ])('%s', (_name, parts, expected, unexpected) => {
    const commands = section(parts, 'commands');
    expect(commands).toMatch(expected);
    expect(commands).not.toMatch(unexpected);
  });

  test('are numbered without a gap', () => {
    const commands = section({}, 'commands');
    const numbers = [...commands.matchAll(/^# (\d+)\. /gm)].map(([, number]) => Number(number));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(numbers.length).toBeGreaterThan(4);
  });
});

describe('identities', () => {
  const asked = (data: Readonly<Record<string, string>>, parts: Partial<TakeOverFacts> = {}) =>
    section({ configuration: configured(data, parts.namespace), ...parts }, 'identities');

  test('of RRSA under our own subject is told with the key that spares the trust policies', () => {
    const data = { rrsa: 'enable: true', 'acr-registry-info': RRSA };
    const text = asked(data);
    expect(text).toContain('the cloud sees the subject system:serviceaccount:kube-system:registry-credential-helper');
    expect(text).toContain('they name system:serviceaccount:kube-system:aliyun-acr-credential-helper');
    const commands = section({ configuration: configured(data) }, 'commands');
    expect(commands).toContain(' --set rrsa.tokenServiceAccount=kube-system/aliyun-acr-credential-helper\n');
    expect(shellLines(commands)[0]).toBe(
      `kubectl -n kube-system patch configmap acr-configuration --type=merge --patch='{"data":{"rrsa-service-account":"kube-system/aliyun-acr-credential-helper"}}'`,
    );
  });

  test('without a role of their own are not of RRSA, although it is on', () => {
    const text = asked({ rrsa: 'enable: true', 'acr-registry-info': ITEM });
    expect(text).toContain('cri-a in cn-hangzhou: the first that is there (`tokenMode: auto`)');
    expect(text).not.toContain('RRSA, the role');
  });

  test('of RRSA under the vendor’s subject need nothing in its own namespace', () => {
    const data = {
      rrsa: 'enable: true',
      'acr-registry-info': RRSA,
      'rrsa-service-account': 'kube-system/aliyun-acr-credential-helper',
    };
    expect(asked(data)).toMatch(
      /the cloud sees the subject system:serviceaccount:kube-system:aliyun-acr-credential-helper, .* Should it go with the add-on, ours makes it again/,
    );
    expect(section({ configuration: configured(data) }, 'commands')).not.toMatch(/patch configmap|create role/);
  });

  test('of RRSA need the right to the token of their ServiceAccount, which the printed installation gives', () => {
    const data = (account: string) => ({
      rrsa: 'enable: true',
      'acr-registry-info': RRSA,
      'rrsa-service-account': account,
    });
    const asOf = (account: string) =>
      section({ namespace: 'registry', configuration: configured(data(account), 'registry') }, 'identities');
    expect(asOf('kube-system/aliyun-acr-credential-helper')).toContain('Should it go with the add-on, ours makes it');
    expect(asOf('registry/puller')).not.toContain('ours makes it');
    expect(asOf('registry/puller')).toContain(
      'the ServiceAccount registry/puller: the cloud sees the subject system:serviceaccount:registry:puller',
    );
    const commands = section(
      { namespace: 'registry', configuration: configured(data('registry/puller'), 'registry') },
      'commands',
    );
    expect(commands).toContain(' --set rrsa.tokenServiceAccount=registry/puller\n');
  });

  test.each<[string, TakeOverFacts['managedRole'], string]>([
    [
      'works',
      known({ secret: TOKEN_SECRET, expiresAt: NOW + 30 * MINUTE, hasError: false }),
      "works until 2026-01-02T03:34:05.000Z. ACK renews it for the vendor's add-on; whether it goes on, or removes the Secret",
    ],
    [
      'has ended',
      known({ secret: TOKEN_SECRET, expiresAt: NOW - MINUTE, hasError: false }),
      'ended at 2026-01-02T03:03:05.000Z: nobody renews it',
    ],
    [
      'is an error',
      known({ secret: TOKEN_SECRET, expiresAt: undefined, hasError: true }),
      'the role was not granted to the cluster',
    ],
    [
      'says nothing',
      known({ secret: TOKEN_SECRET, expiresAt: undefined, hasError: false }),
      'does not say until when it works',
    ],
    ['is not there', known(undefined), 'there is no Secret with its session'],
    ['may not be read', missing('allow x'), 'its Secret could not be read: allow x'],
  ])('of the managed role: its session %s', (_name, managedRole, expected) => {
    expect(asked({ 'acr-registry-info': ITEM }, { managedRole })).toContain(expected);
  });

  test('that the managed role does not serve say nothing of it', () => {
    const data = { 'acr-registry-info': ITEM, tokenMode: 'workerRole' };
    expect(asked(data)).not.toMatch(/[Mm]anaged role/);
    expect(section({ configuration: configured(data) }, 'commands')).not.toMatch(/managed role/);
    expect(section({}, 'commands')).toContain('another identity than the managed role must be at hand');
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    [
      'an AccessKey in a Secret',
      { 'acr-registry-info': `${ITEM}  accessKeySecretRef: {name: acr-key}\n` },
      'cri-a in cn-hangzhou: the AccessKey pair in the Secret kube-system/acr-key, which is not there.',
    ],
    [
      'an AccessKey in the ConfigMap',
      { 'acr-registry-info': `${ITEM}  customAccessKey: fakeid\n  customAccessKeySecret: fakesecret\n` },
      'the AccessKey pair that stands in the ConfigMap. It works',
    ],
    ['half of a pair', { 'acr-registry-info': `${ITEM}  customAccessKey: fakeid\n` }, 'half of an AccessKey pair'],
    [
      'a role of another account',
      {
        'acr-registry-info': `${ITEM}  assumeRoleARN: acs:ram::2000000000000002:role/acr-b\n`,
        tokenMode: 'workerRole',
      },
      'With it the role acs:ram::2000000000000002:role/acr-b is assumed',
    ],
    [
      'the managed role alone',
      { 'acr-registry-info': ITEM, tokenMode: 'managedRole' },
      'the managed role of the cluster, and nothing else',
    ],
    [
      'the local Personal Edition',
      { 'acr-registry-info': '' },
      'the Personal Edition in the local region: the first that is there',
    ],
    ['no region at all', { 'acr-registry-info': '- instanceId: cri-a\n' }, 'set the key `region` of the ConfigMap'],
    [
      'no registry of Alibaba Cloud',
      { 'registry-info': '- provider: static\n  server: a.example\n  secretRef: {name: x}\n' },
      'No registry of Alibaba Cloud is configured',
    ],
  ])('tell %s', (_name, data, expected) => {
    expect(asked(data)).toContain(expected);
  });

  test('that are the same are told once, with every registry', () => {
    const data = { 'acr-registry-info': `${ITEM}${ITEM.replace('cri-a', 'cri-b')}` };
    expect(asked(data).match(/tokenMode: auto/g)).toHaveLength(1);
    expect(asked(data)).toContain('- cri-a in cn-hangzhou, cri-b in cn-hangzhou: the first');
  });

  test('of a registered cluster find its Secret', () => {
    const secrets = known([secret('kube-system', 'alibaba-addon-secret', { type: '' })]);
    expect(asked({ 'acr-registry-info': ITEM }, { secrets })).toContain(
      'the Secret kube-system/alibaba-addon-secret, which is there',
    );
  });
});
