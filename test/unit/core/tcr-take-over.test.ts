// The plan of a move from Tencent's add-on, for every situation that a cluster may be in.
import { describe, expect, test } from '@jest/globals';
import { digestOf } from '../../../src/core/docker-config.ts';
import { effectiveConfig } from '../../../src/core/effective-config.ts';
import { parseImagePullSecret } from '../../../src/core/image-pull-secret.ts';
import { managedLabels, SECRET_TYPE } from '../../../src/core/names.ts';
import type { FoundSecret, Looked } from '../../../src/core/take-over-facts.ts';
import { findTcrResource, readTcrToken } from '../../../src/core/tcr-resources-found.ts';
import type { FoundTcrResource, TcrTakeOverFacts } from '../../../src/core/tcr-take-over-facts.ts';
import { isTcrSecretName, renderTcrTakeOver } from '../../../src/core/tcr-take-over.ts';
import { understand } from '../../../src/cmd/from-acr-helper.ts';
import { createItemParser } from '../../../src/credentials/requests.ts';
import { createProviders, withResourceProvider } from '../../../src/providers/table.ts';
import { NOW } from '../../support/builders.ts';
import { TARGET_DEFAULTS } from '../../support/provider-world.ts';

const CR = 'tcr-a1b2c3d4-vpc';
const SECRET = `tcr.ips${CR}`;
const TOKEN_ID = 'c0ffee0000000000000g';
const TEN_YEARS_S = 315_360_000;
const missing = (cure: string): Looked<never> => ({ ok: false, cure });
const known = <T>(value: T): Looked<T> => ({ ok: true, value });
const SETTINGS = understand({ 'registry-info': '[]' }, 'kube-system').config;
if (SETTINGS === undefined) throw new Error('the defaults are no configuration');
const settings = SETTINGS;
const parseItem = createItemParser(withResourceProvider(createProviders()), TARGET_DEFAULTS);

/** A token as the cloud mints them; its signature is none. */
function tokenOf(claims: Readonly<Record<string, unknown>>): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}.ZmFrZXNpZ25hdHVyZQ`;
}

const exp = Math.trunc(NOW / 1_000) + TEN_YEARS_S;
const LONG_TERM = tokenOf({
  ownerUin: '1',
  operatorUin: '100099990001',
  exp,
  iat: exp - TEN_YEARS_S,
  tokenId: TOKEN_ID,
});

function resource(name: string, password = LONG_TERM, spec: object = {}): FoundTcrResource {
  const docker = { server: 'acme-prod-vpc.tencentcloudcr.com', username: '100099990001', password };
  return findTcrResource(name, { namespaces: 'web,api', serviceAccounts: 'default', docker, ...spec }, (...of) =>
    parseImagePullSecret(...of, parseItem),
  );
}

function secret(namespace: string, name = SECRET, parts: Partial<FoundSecret> = {}): FoundSecret {
  return {
    ...{ namespace, name, uid: `${namespace}/${name}`, resourceVersion: '1', type: SECRET_TYPE, immutable: false },
    ...{ labels: {}, place: undefined, entries: undefined, recordedDigest: undefined },
    ...{ contentDigest: digestOf({ dockerConfigJson: '' }), othersWrote: { manager: 'vendor', at: NOW } },
    ...parts,
  };
}

function account(namespace: string, imagePullSecrets: readonly string[]) {
  return {
    ...{ namespace, name: 'default', uid: `${namespace}/default`, resourceVersion: '1', createdAt: 1, labels: {} },
    ...{ imagePullSecrets, recorded: [] },
  };
}

/** A cluster in which the add-on runs, with one resource for the namespaces web and api. */
function facts(parts: Partial<TcrTakeOverFacts> = {}): TcrTakeOverFacts {
  const { resources = known([resource(CR)]) } = parts;
  const config = resources.ok
    ? effectiveConfig({ ...settings, rules: [] }, { known: resources.value, areAll: true }, settings)
    : undefined;
  return {
    ...{ now: NOW, namespace: 'kube-system', instance: 'default', resources, config },
    assistant: known({ image: 'ccr.example/tcr-assistant:v1.0.2', replicas: 1 }),
    webhook: known(['Fail']),
    definition: known({ release: undefined }),
    namespaces: known(['web', 'api', 'attic'].map((name) => ({ name, labels: {}, terminating: false }))),
    serviceAccounts: known([account('web', ['own', SECRET]), account('api', [])]),
    secrets: known([secret('web')]),
    updaters: known(['tcr-assistant-system']),
    hosts: known([
      {
        namespace: 'tcr-assistant-system',
        domains: [
          { domain: 'acme-prod.tencentcloudcr.com', isOn: true },
          { domain: 'acme-prod-vpc.tencentcloudcr.com', isOn: false },
        ],
      },
    ]),
    holder: known(undefined),
    ...parts,
  };
}

const TITLES = {
  there: 'What is there',
  future: 'What would happen',
  tokens: 'Tokens, and how to revoke them',
  commands: 'Commands, in this order',
  back: 'The way back',
} as const;

function sectionsOf(text: string): Readonly<Record<string, string>> {
  const parts = text.split(/\n\n(?=[^\n]+\n-+\n)/).slice(1);
  return Object.fromEntries(
    parts.map((part) => {
      const [title = '', , ...lines] = part.split('\n');
      return [title, lines.join('\n').trim()];
    }),
  );
}

const section = (parts: Partial<TcrTakeOverFacts>, title: keyof typeof TITLES): string =>
  sectionsOf(renderTcrTakeOver(facts(parts)))[TITLES[title]] ?? '';
const shellLines = (text: string): readonly string[] =>
  text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('the plan', () => {
  test('has its five sections in their order, and says that nothing was written', () => {
    const text = renderTcrTakeOver(facts());
    expect(text).toMatch(/^From tcr-assistant .* as it was at 2026-01-02T03:04:05.000Z\.\nNothing was written\.\n/);
    expect(Object.keys(sectionsOf(text))).toEqual(Object.values(TITLES));
  });

  test('lets the definition know conditions before they are looked for, stops the manager only after ours observes, and removes it last', () => {
    expect(shellLines(section({}, 'commands'))).toEqual([
      'kubectl get crd imagepullsecrets.tcr.tencentcloudcr.com -o yaml > definition.backup.yaml',
      'kubectl get imagepullsecrets.tcr.tencentcloudcr.com -o yaml > resources.backup.yaml',
      'kubectl -n tcr-assistant-system get deployment tcr-assistant-controller-manager -o yaml > tcr-assistant-controller-manager.backup.yaml',
      'kubectl get validatingwebhookconfiguration tcr-assistant-validating-webhook-configuration -o yaml > webhook.backup.yaml',
      'kubectl -n tcr-assistant-system get configmap updater-config -o yaml > tcr-assistant-system.hosts.backup.yaml',
      'helm install registry-credential-helper charts/registry-credential-helper --namespace kube-system --set image.repository=registry.example.com/registry-credential-helper --set crds.install=false',
      'kubectl -n kube-system rollout status deployment/registry-credential-helper',
      'kubectl apply --server-side --force-conflicts -f charts/registry-credential-helper/files/imagepullsecrets.yaml',
      `kubectl get imagepullsecrets.tcr.tencentcloudcr.com -o 'custom-columns=NAME:.metadata.name,REASON:.status.conditions[?(@.type=="Stalled")].reason'`,
      'kubectl -n tcr-assistant-system scale deployment tcr-assistant-controller-manager --replicas=0',
      'kubectl delete validatingwebhookconfiguration tcr-assistant-validating-webhook-configuration --ignore-not-found',
      'kubectl wait --for=condition=Ready imagepullsecrets.tcr.tencentcloudcr.com --all --timeout=120s',
      'kubectl get secrets --all-namespaces --selector=app.kubernetes.io/managed-by=registry-credential-helper,app.kubernetes.io/instance=default',
      `kubectl edit imagepullsecrets.tcr.tencentcloudcr.com ${CR}`,
      'kubectl -n tcr-assistant-system delete deployment tcr-assistant-controller-manager --ignore-not-found',
      'kubectl get crd imagepullsecrets.tcr.tencentcloudcr.com || kubectl create -f charts/registry-credential-helper/files/imagepullsecrets.yaml',
      'kubectl wait --for=condition=Established crd/imagepullsecrets.tcr.tencentcloudcr.com --timeout=60s',
      'kubectl get imagepullsecrets.tcr.tencentcloudcr.com -o name | grep -q . || kubectl create -f resources.backup.yaml',
    ]);
    expect(section({}, 'commands')).toContain('# 2 Secrets are expected.');
  });

  test('goes back by starting the manager with as many Pods as it had', () => {
    const assistant = known({ image: undefined, replicas: 2 });
    expect(shellLines(section({ assistant }, 'back'))[0]).toBe(
      'kubectl -n tcr-assistant-system scale deployment tcr-assistant-controller-manager --replicas=2',
    );
  });

  test('has no command about a manager, a webhook or an installation that is not its matter', () => {
    const gone = { assistant: known(undefined), webhook: known(undefined), holder: known('pod-1') };
    const text = section({ ...gone, updaters: known([]), hosts: known([]) }, 'commands');
    expect(text).not.toMatch(/assistant.* scale|validatingwebhook|helm install|delete deployment|updater/);
    expect(section(gone, 'back')).toContain('# In TKE');
  });
});

describe('what is there', () => {
  test.each<[string, Partial<TcrTakeOverFacts>, string | RegExp]>([
    [
      'a manager that runs',
      {},
      'tcr-assistant-controller-manager, runs (1 replica), image ccr.example/tcr-assistant:v1.0.2',
    ],
    ['one that is stopped', { assistant: known({ image: 'i', replicas: 0 }) }, 'stopped (0 replicas)'],
    ['none', { assistant: known(undefined) }, 'there is no Deployment tcr-assistant-system/'],
    ['a webhook that blocks edits', {}, 'failure policy Fail: with the policy Fail nobody can write'],
    ['a webhook that does not', { webhook: known(['Ignore']) }, /failure policy Ignore\./],
    ['a definition of nobody', {}, 'of no Helm release'],
    [
      'a definition of a release, and that an annotation does not save it',
      { definition: known({ release: 'tcr-assistant-system/tcr' }) },
      /release tcr-assistant-system\/tcr: whoever uninstalls that deletes .* does not prevent it/,
    ],
    ['no definition', { definition: known(undefined) }, 'the cluster does not know ImagePullSecret'],
    ['hosts-updater', {}, 'DaemonSet tcr-assistant-system/hosts-updater'],
    ['the names that are on', {}, 'updater-config, 1 name is on: acme-prod.tencentcloudcr.com.'],
    [
      'a list of hosts that is none',
      { hosts: known([{ namespace: 'a', domains: undefined }]) },
      'cannot be read as a list',
    ],
    [
      'a leftover of the console',
      { secrets: known([secret('web', 'qcloudregistrykey')]) },
      "1 Secret of TKE's console",
    ],
    [
      'another installation',
      { secrets: known([secret('web', SECRET, { labels: managedLabels('blue') })]) },
      'Another installation of ours keeps Secrets in this cluster: instance blue',
    ],
    [
      'what is wrong with a resource',
      { resources: known([resource(CR, LONG_TERM, { namespaces: '*,web' })]) },
      /\n {4}error: spec\.namespaces /,
    ],
    ['what may not be read', { resources: missing('allow "list" of x') }, 'could not be listed: allow "list" of x.'],
  ])('%s is told', (_what, parts, expected) => {
    const text = section(parts, 'there');
    if (typeof expected === 'string') expect(text).toContain(expected);
    else expect(text).toMatch(expected);
  });

  test('of each resource whom it serves, and what its password says of itself', () => {
    expect(section({}, 'there')).toContain(
      `  ${CR}: namespaces web,api, ServiceAccounts default, registry acme-prod-vpc.tencentcloudcr.com. Its password is the long-term token ${TOKEN_ID} of the account 100099990001: it ends at 2035-12-31T03:04:05Z.`,
    );
    const past = Math.trunc(NOW / 1_000) - 60;
    const temporary = tokenOf({ ownerUin: '1', operatorUin: '2', exp: past, iat: past - 3_600 });
    const others = known([resource('temp', temporary), resource('plain', 'fake-password')]);
    const text = section({ resources: others }, 'there');
    expect(text).toContain('Its password is a temporary token of the account 2: it ended at 2026-01-02T03:03:05Z.');
    expect(text).toContain('Its password is no token of Tencent’s.');
  });
});

describe('what would happen', () => {
  test.each<[string, Partial<TcrTakeOverFacts>, string]>([
    [
      'adopts in place',
      {},
      `1 Secret would be adopted in place, same name, same UID, as soon as there is a credential for every registry: web/${SECRET}.`,
    ],
    ['makes what is missing', {}, `1 Secret would be new: api/${SECRET}.`],
    [
      'does not double references, and never removes those that are there',
      {},
      '1 ServiceAccount refers to such a Secret already: the reference stays where it is, is not doubled',
    ],
    ['adds what is missing', {}, '1 ServiceAccount would get a reference'],
    [
      'does not touch another type',
      { secrets: known([secret('web', SECRET, { type: 'Opaque' })]) },
      `The Secret web/${SECRET} would not be touched (NameTaken)`,
    ],
    [
      'leaves what no resource wants',
      { secrets: known([secret('attic')]) },
      `1 Secret under the vendor's names would be left: no resource reaches its namespace, and nobody renews it any more: attic/${SECRET}.`,
    ],
    [
      'leaves a resource that it cannot understand',
      { resources: known([resource(CR, LONG_TERM, { docker: {} })]) },
      '1 resource cannot be understood',
    ],
    [
      'does not guess',
      { secrets: missing('allow "list" of secrets') },
      'Not known: it takes a resource that is understood',
    ],
  ])('%s', (_what, parts, expected) => {
    expect(section(parts, 'future')).toContain(expected);
  });

  test('removes what is left after the switch', () => {
    expect(section({ secrets: known([secret('attic')]) }, 'commands')).toContain(
      `kubectl -n attic delete secret ${SECRET}`,
    );
  });
});

describe('tokens', () => {
  test('that are long-term are listed with the call that revokes them, which nobody runs by pasting', () => {
    const resources = known([resource(CR), resource('tcr-a1b2c3d4-public')]);
    const text = section({ resources }, 'tokens');
    expect(text).toContain(
      `# ${TOKEN_ID}: issued at 2026-01-02T03:04:05Z, ends at 2035-12-31T03:04:05Z, held by tcr-a1b2c3d4-public, ${CR}. Not yet, while that is so.`,
    );
    expect(text).toContain(
      `# tccli tcr DeleteInstanceToken --region REGION --RegistryId tcr-a1b2c3d4 --TokenId ${TOKEN_ID}`,
    );
    expect(shellLines(text)).toEqual(['tccli tcr DescribeInstanceToken --region REGION --RegistryId tcr-a1b2c3d4']);
    expect(text.match(/DeleteInstanceToken/g)).toHaveLength(1);
  });

  test('whose instance nobody knows say so', () => {
    const text = section({ resources: known([resource('own-name')]) }, 'tokens');
    expect(text).toContain(`--RegistryId tcr-XXXXXXXX --TokenId ${TOKEN_ID}`);
    expect(text).toContain('# Its instance cannot be told from the name of the resource');
  });

  test('that no resource holds are where to be looked for', () => {
    const text = section({ resources: known([resource(CR, 'fake-password')]) }, 'tokens');
    expect(text).toContain('# No resource holds a long-term token.');
    expect(text).toContain('DescribeInstanceToken --region REGION --RegistryId tcr-a1b2c3d4');
  });

  test.each<[string, string, ReturnType<typeof readTcrToken>]>([
    [
      'one without an instant of issue lives ten years',
      tokenOf({ tokenId: 'a', exp }),
      { tokenId: 'a', operatorUin: undefined, issuedAt: NOW - (NOW % 1_000), endsAt: exp * 1_000 },
    ],
    ['one of somebody else is none of Tencent’s', tokenOf({ sub: 'x', exp }), undefined],
    ['a password is none', 'fake-password', undefined],
    ['one that does not end is none', tokenOf({ tokenId: 'a' }), undefined],
    ['an id that a shell would obey is none', tokenOf({ tokenId: 'a; rm -rf /', exp }), undefined],
  ])('%s', (_what, password, expected) => {
    expect(readTcrToken(password)).toEqual(expected);
  });

  test('are printed nowhere', () => {
    const fields = {
      namespaces: 'web',
      serviceAccounts: LONG_TERM,
      docker: { server: LONG_TERM, username: LONG_TERM, password: LONG_TERM },
    };
    const text = renderTcrTakeOver(
      facts({ resources: known([resource(CR, LONG_TERM), resource('odd', LONG_TERM, fields)]) }),
    );
    for (const part of LONG_TERM.split('.')) expect(text).not.toContain(part.slice(0, 20));
    expect(text).toContain('ServiceAccounts (no names: not shown), registry (no names: not shown)');
  });
});

test('the plan speaks of the vendor’s Secrets and of the console’s, and of no others', () => {
  const names = [
    SECRET,
    'qcloudregistrykey',
    'tencenthubkey',
    '100099990001-tcr-a1b2c3d4-dockercfg',
    'own',
    'tcr-login',
  ];
  expect(names.filter(isTcrSecretName)).toEqual(names.slice(0, 4));
});
