// Whether a Pod gets what is meant for it: the judgement, what is said of it, and what `doctor` says of many.
import { describe, expect, test } from '@jest/globals';
import { diagnose, type DoctorFacts } from '../../../src/core/doctor.ts';
import { explainPod, type ExplainedSurroundings, type RefusedResource } from '../../../src/core/explain-pod.ts';
import { hostOfImage } from '../../../src/core/image-host.ts';
import { judgePod, lacksCredential, type FoundPod, type PodSurroundings } from '../../../src/core/judge-pod.ts';
import { IGNORE_LABEL, SECRET_NAME } from '../../../src/core/names.ts';
import type { ObservedSecret, ObservedServiceAccount, Rule } from '../../../src/core/types.ts';
import { understand } from '../../../src/cmd/from-acr-helper.ts';
import {
  buildRecord,
  buildRequest,
  buildRule,
  buildScope,
  buildSecret,
  buildServiceAccount,
  HOUR,
  NAMESPACE,
  NOW,
  patterns,
  SECOND,
} from '../../support/builders.ts';

const OURS = SECRET_NAME;
const IMAGE = 'a.example/team/app:1';

function pod(parts: Partial<FoundPod> = {}): FoundPod {
  return {
    ...{ namespace: NAMESPACE, name: 'web-1', serviceAccount: 'default', createdAt: NOW },
    ...{ owner: 'ReplicaSet web', imagePullSecrets: [], images: [IMAGE], isStatic: false },
    ...parts,
  };
}

/** A namespace in which all is done: the Secret is there, and the ServiceAccount refers to it since an hour. */
function served(parts: Partial<PodSurroundings> = {}): PodSurroundings {
  return {
    config: { rules: [buildRule()] },
    namespace: { name: NAMESPACE, labels: {}, terminating: false },
    account: account(),
    secrets: secrets(),
    now: NOW,
    ...parts,
  };
}

function account(parts: Partial<ObservedServiceAccount> = {}): ObservedServiceAccount {
  return buildServiceAccount({ imagePullSecrets: ['theirs', OURS], updatedAt: NOW - HOUR, ...parts });
}

function secrets(...more: readonly ObservedSecret[]): ReadonlyMap<string, ObservedSecret> {
  return new Map([buildSecret({ 'a.example': buildRecord('a') }), ...more].map((secret) => [secret.name, secret]));
}

const older = { createdAt: NOW - 2 * HOUR };
const waiting = { account: account({ imagePullSecrets: ['theirs'] }) };

describe('the state of a Pod', () => {
  test.each<readonly [string, string, Partial<FoundPod>, Partial<PodSurroundings>]>([
    ['names what its ServiceAccount refers to', 'served', { imagePullSecrets: ['theirs', OURS] }, {}],
    ['names ours by hand', 'served', { imagePullSecrets: [OURS] }, waiting],
    ['names its own, which the ServiceAccount does not know', 'own', { imagePullSecrets: ['mine'] }, {}],
    ['names others, and is older than the reference', 'unsure', { imagePullSecrets: ['mine'], ...older }, {}],
    ['names its own, while the ServiceAccount waits', 'own', { imagePullSecrets: ['mine'] }, waiting],
    ['names what the ServiceAccount had before', 'unsure', { imagePullSecrets: ['earlier-name'], ...older }, {}],
    [
      'names one of its ServiceAccount’s by hand, which had the reference from its creation on',
      'own',
      { imagePullSecrets: ['theirs'] },
      { account: account({ updatedAt: undefined, recorded: [OURS], createdAt: NOW - HOUR }) },
    ],
    ['was made from a file of its node', 'static', { isStatic: true }, {}],
    ['names one of its ServiceAccount’s by hand, after the reference', 'own', { imagePullSecrets: ['theirs'] }, {}],
    ['got those of before the reference', 'older', { imagePullSecrets: ['theirs'], ...older }, {}],
    [
      'got those of the very second of the reference',
      'older',
      { ...{ createdAt: NOW - HOUR }, imagePullSecrets: ['theirs'] },
      {},
    ],
    ['got none, before the reference', 'older', older, {}],
    ['got none, and when the reference came is not known', 'older', {}, { account: account({ updatedAt: undefined }) }],
    ['came before the ServiceAccount has the reference', 'waiting', {}, waiting],
    [
      'is in a namespace that no rule means',
      'unmatched',
      {},
      { config: { rules: [buildRule({ scope: buildScope({ namespaces: patterns('x') }) })] } },
    ],
    ['runs as a ServiceAccount that no rule means', 'unmatched', {}, { account: account({ name: 'builder' }) }],
    ['runs as a ServiceAccount that is gone', 'unmatched', {}, { account: undefined }],
    [
      'is in a namespace that is left alone',
      'unmatched',
      {},
      { namespace: { name: NAMESPACE, labels: { [IGNORE_LABEL]: 'true' }, terminating: false } },
    ],
  ])('that %s is %s', (_name, state, parts, surroundings) => {
    expect(judgePod(pod(parts), served(surroundings)).state).toBe(state);
  });

  test('with two Secrets, of which it has one, is judged by the other', () => {
    const second = buildRule({ secretName: 'second' });
    const surroundings = served({
      config: { rules: [buildRule(), second] },
      account: account({ imagePullSecrets: [OURS, 'second'] }),
      secrets: secrets(buildSecret({ 'b.example': buildRecord('b') }, { name: 'second' })),
    });
    const judged = judgePod(pod({ imagePullSecrets: [OURS], ...older, images: [IMAGE, 'b.example/x'] }), surroundings);
    expect([judged.state, judged.missing, lacksCredential(judged)]).toEqual(['older', ['second'], true]);
    expect(judged.images?.map(({ isServed }) => isServed)).toEqual([true, false]);
    // What it lacks is for a registry that it does not use.
    expect(lacksCredential(judgePod(pod({ imagePullSecrets: [OURS], ...older }), surroundings))).toBe(false);
  });
});

describe('the explanation', () => {
  const explain = (parts: Partial<FoundPod>, surroundings: Partial<ExplainedSurroundings> = {}) => {
    const around = { ...surroundings, ...served(surroundings) };
    const { sentences, verdict, isWell } = explainPod(judgePod(pod(parts), around), around);
    return { text: sentences.join('\n'), verdict, isWell };
  };

  test('[tcr A7] of a Pod with pull secrets of its own names them, says why ours do not reach it, and what to do', () => {
    const { text, verdict, isWell } = explain({ imagePullSecrets: ['mine'] });
    expect(text.split('\n')).toEqual([
      `Pod ${NAMESPACE}/web-1 runs as the ServiceAccount default.`,
      `registry-info means it, with the Secret ${OURS}: it is there, for a.example until 2026-01-02T04:04:05.000Z; the ServiceAccount refers to it.`,
      'The Pod names pull secrets of its own: mine. Kubernetes gives a Pod those of its ServiceAccount only when it names none.',
      `Image ${IMAGE}: ${OURS} has a credential for a.example, and the Pod does not name it.`,
    ]);
    expect(verdict).toBe(
      `What to do: take imagePullSecrets out of the Pod template behind ReplicaSet web, or add ${OURS} there; then its new Pods can pull.`,
    );
    expect(isWell).toBe(false);
  });

  test.each<readonly [string, Partial<FoundPod>, Partial<PodSurroundings>, RegExp, boolean]>([
    ['works', { imagePullSecrets: [OURS] }, {}, /^It works/, true],
    [
      'names its own for another registry',
      { imagePullSecrets: ['mine'], images: ['b.example/x'] },
      {},
      /^Nothing to do/,
      true,
    ],
    ['is not meant', {}, { config: { rules: [] } }, /^Nothing to do/, true],
    ['is older', older, {}, /delete the Pod, or restart what made it/, false],
    ['waits', {}, waiting, /why the ServiceAccount .* does not refer to/, false],
    [
      'names a Secret that is not there',
      { imagePullSecrets: [OURS] },
      { secrets: new Map() },
      /see why a credential is missing in/,
      false,
    ],
    [
      'has a credential that has expired',
      { imagePullSecrets: [OURS] },
      { now: NOW + HOUR },
      /why the credential is not renewed/,
      false,
    ],
    ['works, as far as one may look', { imagePullSecrets: [OURS] }, { secrets: undefined }, /^It works/, true],
    [
      'names its own, as far as one may look',
      { imagePullSecrets: ['mine'] },
      { secrets: undefined },
      /take imagePullSecrets out/,
      false,
    ],
  ])('of one that %s ends with what to do', (_name, parts, surroundings, verdict, isWell) => {
    const explained = explain(parts, surroundings);
    expect([explained.verdict, explained.isWell]).toEqual([expect.stringMatching(verdict), isWell]);
  });

  const bothOf = (...hosts: readonly string[]) => ({
    config: { rules: [buildRule({ requests: hosts.map((host) => buildRequest(host, [host])) })] },
  });
  const holding = (...hosts: readonly string[]) => ({
    secrets: new Map([[OURS, buildSecret(Object.fromEntries(hosts.map((host) => [host, buildRecord('a')])))]]),
  });

  test.each<readonly [string, Partial<FoundPod>, Partial<PodSurroundings>, RegExp, boolean]>([
    [
      'a registry whose credential could not be obtained',
      { images: ['b.example/x'] },
      bothOf('a.example', 'b.example'),
      /see why a credential is missing in registry-credentials/,
      false,
    ],
    [
      'that one beside another that is served',
      { images: [IMAGE, 'b.example/x'] },
      bothOf('a.example', 'b.example'),
      /see why a credential is missing/,
      false,
    ],
    [
      'a registry that only its cloud knows, before anything was obtained',
      { images: ['b.example/x'] },
      { config: { rules: [buildRule({ requests: [buildRequest('b')] })] } },
      /see why a credential is missing/,
      false,
    ],
    [
      'one that only its cloud knows, and that turned out to be others',
      { images: ['b.example/x'] },
      { config: { rules: [buildRule({ requests: [buildRequest('a')] })] } },
      /^Nothing to do/,
      true,
    ],
    [
      'Docker Hub, while another credential is missing',
      { images: ['nginx'] },
      { config: { rules: [buildRule({ requests: [buildRequest('b')] })] }, secrets: new Map() },
      /^Nothing to do/,
      true,
    ],
    ['a port, while the credential is for none', { images: ['a.example:5000/x'] }, {}, /^Nothing to do/, true],
    [
      'no port, while the credential is for one',
      { images: [IMAGE] },
      { ...bothOf('a.example:5000'), ...holding('a.example:5000') },
      /^Nothing to do/,
      true,
    ],
    [
      'the port of the credential',
      { images: ['a.example:5000/x'] },
      { ...bothOf('a.example:5000'), ...holding('a.example:5000') },
      /^It works/,
      true,
    ],
  ])('of a Pod that names ours, with an image of %s, is right', (_name, parts, surroundings, verdict, isWell) => {
    const explained = explain({ imagePullSecrets: [OURS], ...parts }, surroundings);
    expect([explained.verdict, explained.isWell]).toEqual([expect.stringMatching(verdict), isWell]);
  });

  const refused = (rule: Rule | undefined): RefusedResource => ({
    ...{ name: 'wrong', rule },
    issue: { severity: 'error', path: 'spec.docker', message: 'is missing' },
  });
  const elsewhere = buildRule({ scope: buildScope({ namespaces: patterns('x') }) });
  test.each<readonly [string, Partial<FoundPod>, RefusedResource, RegExp | undefined, boolean]>([
    ['that cannot be understood', { images: ['b.example/x'] }, refused(undefined), /cannot be told/, false],
    ['that cannot be understood, and is served', {}, refused(undefined), /cannot be told/, true],
    ['that means the Pod', { images: ['b.example/x'] }, refused(buildRule()), /means this Pod\./, false],
    ['that means another namespace', { images: ['b.example/x'] }, refused(elsewhere), undefined, true],
  ])('names a refused resource %s', (_name, parts, resource, sentence, isWell) => {
    const explained = explain({ imagePullSecrets: [OURS], ...parts }, { refused: [resource] });
    expect(explained.isWell).toBe(isWell);
    if (sentence === undefined) expect(explained.text).not.toContain('refused');
    else
      expect(explained.text).toMatch(
        new RegExp(`wrong is refused as it stands .spec.docker: is missing.*${sentence.source}`),
      );
    if (!isWell) expect(explained.verdict).toMatch(/^What to do: mend the refused resource first/);
  });

  test('bounds what it says of many refused resources', () => {
    const many = Array.from({ length: 100 }, () => refused(undefined));
    const { text } = explain({ imagePullSecrets: [OURS] }, { refused: many });
    expect(text.match(/is refused/g)).toHaveLength(5);
    expect(text).toContain('… and 95 more that are refused.');
  });

  test('says that resources are left to the add-on of Tencent while that runs', () => {
    expect(explain({}, { isLeftToAssistant: true }).text).toContain("Tencent's add-on runs: ");
    expect(explain({}).text).not.toContain("Tencent's add-on");
  });

  test('takes the credential that lives longest where several are for a host', () => {
    const ended = buildRecord('a', { expiresAt: NOW - 1 });
    const both = buildSecret({ '*.example': ended, 'a.example': buildRecord('a') });
    expect(explain({ imagePullSecrets: [OURS] }, { secrets: new Map([[OURS, both]]) }).isWell).toBe(true);
  });

  test('of a Pod that a rename left behind, or that a file made, does not put it down to its template', () => {
    expect(explain({ imagePullSecrets: ['earlier-name'], ...older }).verdict).toMatch(
      /where it does not, delete the Pod/,
    );
    expect(explain({ isStatic: true }).verdict).toMatch(/a static Pod gets no pull secrets/);
  });

  test('shows nothing that a terminal would obey', () => {
    const { text } = explain({ images: ['\u001b[2Ja.example/x'], imagePullSecrets: ['mi\nne'] });
    expect(text).not.toMatch(/[^\x20-\x7e\n]/);
    expect(text).not.toContain('mi\nne');
  });
});

test.each([
  ['nginx', 'index.docker.io'],
  ['library/nginx:1', 'index.docker.io'],
  ['docker.io/library/nginx', 'index.docker.io'],
  ['localhost/x', 'localhost'],
  ['registry:5000/x@sha256:00', 'registry:5000'],
  ['A.Example/x:1', 'a.example'],
])('the image %s is looked up under %s', (image, host) => {
  expect(hostOfImage(image)).toBe(host);
});

describe('doctor', () => {
  const known = <T>(value: T) => ({ ok: true, value }) as const;
  const understood = understand({ 'registry-info': '[]' }, 'kube-system');
  const { config } = understood;
  if (config === undefined) throw new Error('the defaults are no configuration');
  const healthy: DoctorFacts = {
    place: 'kube-system/acr-configuration',
    configuration: known(understood),
    resources: known([]),
    config: { ...config, rules: [buildRule()] },
    holders: known(['pod-1']),
    acrHelper: known(undefined),
    tcrAssistant: known({ image: undefined, replicas: 0 }),
    pods: known([pod({ imagePullSecrets: [OURS] }), pod({ name: 'elsewhere', namespace: 'gone' })]),
    namespaces: known([{ name: NAMESPACE, labels: {}, terminating: false }]),
    accounts: known([account()]),
    secrets: known([...secrets().values()]),
    served: undefined,
    now: NOW,
  };
  const levels = (parts: Partial<DoctorFacts> = {}) =>
    diagnose({ ...healthy, ...parts }).map(({ level, subject }) => `${level} ${subject}`);
  const finding = (subject: string, parts: Partial<DoctorFacts>) =>
    diagnose({ ...healthy, ...parts }).find((one) => one.subject === subject);
  const OWN = 'Pods with pull secrets of their own';

  test('passes a healthy cluster', () => {
    expect(levels()).toEqual([
      'PASS configuration',
      'PASS resources',
      'PASS controller',
      "PASS Alibaba's add-on",
      "PASS Tencent's add-on",
      'PASS Secrets and references',
      `PASS ${OWN}`,
    ]);
  });

  test('[tcr A7] names every Pod in scope that has pull secrets of its own, those that lack a credential first', () => {
    const pods = known([
      pod({ name: 'lacking', imagePullSecrets: ['mine'] }),
      pod({ name: 'bare', imagePullSecrets: ['mine'], owner: undefined }),
      pod({ name: 'harmless', imagePullSecrets: ['mine'], images: ['b.example/x'] }),
      pod({ name: 'stranger', imagePullSecrets: ['mine'], serviceAccount: 'builder' }),
      pod({ name: 'fine', imagePullSecrets: [OURS] }),
    ]);
    expect(finding(OWN, { pods })).toMatchObject({
      level: 'WARN',
      sentences: [
        '2 Pods in scope name other pull secrets than ours, and so do not get ours.',
        `${NAMESPACE}/lacking: take imagePullSecrets out of the Pod template behind ReplicaSet web, or add ${OURS} there; then its new Pods can pull.`,
        `${NAMESPACE}/bare: take imagePullSecrets out of the Pod, or add ${OURS} there; then its new Pods can pull.`,
        `1 Pod in scope names other pull secrets than ours, for images of other registries: ${NAMESPACE}/harmless.`,
      ],
    });
    const harmless = known([pod({ imagePullSecrets: ['mine'], images: ['b.example/x'] })]);
    expect(finding(OWN, { pods: harmless })?.level).toBe('PASS');
  });

  test('leaves out namespaces that the installation does not serve', () => {
    const pods = known([pod({ imagePullSecrets: ['mine'] })]);
    const elsewhere = { name: 'elsewhere', labels: {}, terminating: false };
    const namespaces = known([{ name: NAMESPACE, labels: {}, terminating: false }, elsewhere]);
    expect(finding(OWN, { pods, namespaces, served: ['elsewhere'] })?.level).toBe('PASS');
    expect(finding('Secrets and references', { pods, served: ['elsewhere'] })?.level).toBe('WARN');
    expect(finding(OWN, { pods, served: [NAMESPACE] })?.level).toBe('WARN');
  });

  test('bounds what it prints of many', () => {
    const pods = known(Array.from({ length: 500 }, (_, at) => pod({ name: `p${at}`, imagePullSecrets: ['mine'] })));
    const { sentences = [] } = finding(OWN, { pods }) ?? {};
    expect([sentences.length, sentences.at(-1)]).toEqual([22, '… and 480 more.']);
  });

  const cure = 'allow "list" of something';
  const missing = { ok: false, cure } as const;
  const runs = known({ image: undefined, replicas: 1 });
  const issue = { severity: 'error', path: 'spec.docker', message: 'is missing' } as const;
  test.each<readonly [string, string, string, Partial<DoctorFacts>]>([
    ['a configuration that is not there', 'FAIL', 'configuration', { configuration: known(undefined) }],
    [
      'one that is not there beside resources',
      'PASS',
      'configuration',
      { configuration: known(undefined), resources: known([{ name: 'r', issues: [] }]) },
    ],
    [
      'one that is refused',
      'FAIL',
      'configuration',
      { configuration: known(understand({ 'registry-info': '{' }, 'kube-system')) },
    ],
    ['a resource with an error', 'FAIL', 'resources', { resources: known([{ name: 'r', issues: [issue] }]) }],
    [
      'a resource with a remark',
      'WARN',
      'resources',
      { resources: known([{ name: 'r', issues: [{ ...issue, severity: 'warning' }] }]) },
    ],
    ['no leader', 'FAIL', 'controller', { holders: known([]) }],
    ['a vendor’s add-on that runs', 'WARN', "Alibaba's add-on", { acrHelper: runs }],
    ['the other vendor’s', 'WARN', "Tencent's add-on", { tcrAssistant: runs }],
    ['a configuration that may not be read', 'WARN', 'configuration', { configuration: missing }],
    ['Leases that may not be read', 'WARN', 'controller', { holders: missing }],
    ['Pods that may not be read', 'WARN', OWN, { pods: missing }],
    ['ServiceAccounts that may not be read', 'WARN', OWN, { accounts: missing }],
    ['rules that cannot be told', 'WARN', OWN, { config: undefined }],
    ['Secrets that may not be read', 'WARN', 'Secrets and references', { secrets: missing }],
    ['a namespace that is not there', 'WARN', 'Secrets and references', { namespaces: known([]) }],
    ['a Secret that is not there', 'FAIL', 'Secrets and references', { secrets: known([]) }],
    [
      'a Secret that holds nothing for one of the registries',
      'FAIL',
      'Secrets and references',
      {
        config: {
          ...config,
          rules: [buildRule({ requests: [buildRequest('a', ['a.example']), buildRequest('b', ['b.example'])] })],
        },
      },
    ],
    [
      'a Secret that holds nothing from a registry whose hosts only the cloud knows',
      'FAIL',
      'Secrets and references',
      { config: { ...config, rules: [buildRule({ requests: [buildRequest('a'), buildRequest('b')] })] } },
    ],
    [
      'a Secret that does not say what it holds',
      'FAIL',
      'Secrets and references',
      { secrets: known([buildSecret({}, { name: OURS })].map((secret) => ({ ...secret, entries: undefined }))) },
    ],
    ['a Secret that has expired', 'FAIL', 'Secrets and references', { now: NOW + HOUR }],
    [
      'a ServiceAccount without the reference',
      'FAIL',
      'Secrets and references',
      { accounts: known([account({ imagePullSecrets: [] })]) },
    ],
  ])('says of %s: %s', (_name, level, subject, parts) => {
    expect(finding(subject, parts)).toMatchObject({ level });
    if (level !== 'PASS') expect(finding(subject, parts)?.cure).toEqual(expect.any(String));
  });

  test('takes a Pod for one that lacks its credential while it is not known', () => {
    const pods = known([
      pod({ imagePullSecrets: ['mine'] }),
      pod({ name: 'second', owner: 'Job x', createdAt: NOW - SECOND }),
    ]);
    expect(finding(OWN, { pods, secrets: missing })?.sentences[0]).toMatch(/^1 Pod in scope names/);
  });
});
