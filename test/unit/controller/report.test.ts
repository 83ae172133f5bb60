// What is told of a pass and of a credential: each thing once, and what is left when something fails.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { createReport, type EventReason, type Report } from '../../../src/controller/report.ts';
import { KubeError, ProviderError } from '../../../src/core/errors.ts';
import type { Skip } from '../../../src/core/plan-types.ts';
import type { EventToRecord } from '../../../src/kube/events.ts';
import { createMetrics, type Metrics } from '../../../src/observability/metrics.ts';
import { createManagedRoleIdentity } from '../../../src/providers/alibaba/managed-role.ts';
import { createTokenModeIdentity } from '../../../src/providers/alibaba/token-mode.ts';
import { HOUR, MINUTE } from '../../support/builders.ts';
import { buildManagedRoleToken, MANAGED_ROLE_TOKEN_SECRET } from '../../support/clouds/managed-role-token.ts';
import { createStoreHarness, failing, granting, SECRET, START, type Fetch } from '../credentials/store-world.ts';

let lines: string[];
let events: EventToRecord<EventReason>[];
/** Objects whose field managers were read. */
let asked: string[];
/** Field managers of all of them. */
let managers: readonly string[];
let metrics: Metrics;
let report: Report;

beforeEach(() => {
  lines = [];
  events = [];
  asked = [];
  managers = ['argocd-controller', 'registry-credential-helper'];
  metrics = createMetrics({ version: '1' });
  const log = (message: string): void => void lines.push(message);
  report = createReport({
    logger: { error: log, warn: log, info: log, debug: log },
    metrics,
    events: { record: (event) => void events.push(event) },
    configMap: { namespace: 'kube-system', name: 'c' },
    readManagers: ({ kind, name }) => {
      asked.push(kind === 'Secret' ? `Secret ${name}` : name);
      return Promise.resolve(managers);
    },
    resourcesOf: () => [],
    now: () => START,
  });
});

describe('of what is left alone', () => {
  const contended = (name: string, object?: 'Secret'): Skip => ({
    reason: 'Contended',
    name,
    uid: `uid-of-${name}`,
    message: '',
    ...(object === undefined ? {} : { object }),
  });
  const tell = (...skips: readonly Skip[]): void =>
    report.onPlan('shop', { writes: [], skips, nextCheckAt: undefined, truncated: false });

  test('each thing is told once, however many others come and go', async () => {
    const skips = Array.from({ length: 100 }, (_, index) => contended(`sa-${index}`));
    for (let count = 1; count <= skips.length; count += 1) tell(...skips.slice(0, count));
    for (let count = skips.length; count >= 1; count -= 1) tell(...skips.slice(0, count));
    expect(asked).toEqual(skips.map(({ name }) => name));
    expect((await metrics.render()).text).toContain('skips_total{reason="Contended"} 100\n');
  });

  test('a gauge says how many there are at this moment, and nothing when another replica leads', async () => {
    metrics.observe({ leftAlone: report.leftAlone });
    const gauge = async () => (await metrics.render()).text.match(/^\w+_left_alone\{.*$/gm) ?? [];
    const P = 'registry_credential_helper_left_alone';
    report.onLeading(true);
    tell(contended('a'), contended('b'), { reason: 'NameTaken', name: 'c', message: '' });
    report.onPlan('web', { writes: [], skips: [contended('a')], nextCheckAt: undefined, truncated: false });
    expect(await gauge()).toEqual([`${P}{reason="Contended"} 3`, `${P}{reason="NameTaken"} 1`]);
    tell(contended('b'));
    report.onGone('web');
    expect(await gauge()).toEqual([`${P}{reason="Contended"} 1`]);
    report.onLeading(false);
    expect(await gauge()).toEqual([]);
    report.onLeading(true);
    expect(await gauge()).toEqual([]);
  });

  test('what ended and begins again is told again', () => {
    tell(contended('a'), contended('b'));
    tell(contended('b'));
    tell();
    tell(contended('a'));
    expect(asked).toEqual(['a', 'b', 'a']);
  });

  test('a Secret and a ServiceAccount of one name are two things', () => {
    tell(contended('same'));
    tell(contended('same'), contended('same', 'Secret'));
    expect(asked).toEqual(['same', 'Secret same']);
  });

  test.each([
    [
      'by name',
      ['argocd-controller', 'registry-credential-helper'],
      'to argocd-controller: ',
      'is from argocd-controller.',
    ],
    ['where nobody is known', ['registry-credential-helper'], 'to another writer: ', 'Secret is undone'],
  ])('an Event tells of the other writer %s', async (_name, known, ofReference, ofSecret) => {
    managers = known;
    tell(contended('a'), { ...contended('b', 'Secret'), message: 'Secret is undone' });
    await Promise.resolve();
    expect(events.map(({ object }) => `${object.kind} ${object.uid}`)).toEqual([
      'ServiceAccount uid-of-a',
      'Secret uid-of-b',
    ]);
    expect(events[0]?.message).toContain(ofReference);
    expect(events[1]?.message.endsWith(ofSecret)).toBe(true);
  });

  test('what was told is forgotten with the namespace, and when another leads', () => {
    tell(contended('a'));
    report.onGone('shop');
    tell(contended('a'));
    report.onLeading(false);
    report.onLeading(true);
    tell(contended('a'));
    expect(asked).toEqual(['a', 'a', 'a']);
  });
});

describe('of a credential that cannot be obtained, the Event says', () => {
  /** The message after a failure; `before`: what the cloud gave until then. */
  async function messageAfter(before: Fetch | undefined): Promise<string | undefined> {
    const harness = createStoreHarness({ onOutcome: (outcome) => report.onOutcome(outcome) });
    if (before !== undefined) {
      harness.fetch = before;
      await harness.ask();
    }
    harness.secrets.set(`${SECRET.namespace}/${SECRET.name}`, { other: 'x' });
    harness.store.secretChanged(SECRET);
    harness.fetch = failing(new ProviderError('IdentityUnavailable', 'The Secret lacks the key password'));
    await harness.ask();
    return events.at(-1)?.message;
  }

  test.each([
    ['that there is none, when there never was one', undefined, 'There is none to fall back on.'],
    [
      'until when the last good one works',
      granting(HOUR),
      `The last good one works until ${new Date(START + HOUR).toISOString()}.`,
    ],
    ['that the last good one stays, when it never expires', granting(undefined), 'stays: it does not expire.'],
  ] as const)('%s', async (_, before, sentence) => {
    const message = await messageAfter(before);
    expect(message).toContain('IdentityUnavailable: The Secret lacks the key password. ');
    expect(message?.endsWith(sentence)).toBe(true);
  });
});

test('[acr T2] why tokenMode auto chose an identity is logged once, until it chooses another', async () => {
  const harness = createStoreHarness({ onOutcome: (outcome) => report.onOutcome(outcome) });
  const place = { namespace: 'kube-system', name: MANAGED_ROLE_TOKEN_SECRET };
  harness.secrets.set('kube-system/alibaba-addon-secret', { 'access-key-id': 'LTAIfake', 'access-key-secret': 'fake' });
  harness.fetch = async (world, signal) => {
    const auto = createTokenModeIdentity('auto', { isBase: false });
    const { origin, choice } = await auto.fetchKey(world, { region: 'x' }, signal);
    return { ...(await granting(HOUR)(world, signal)), identity: `${origin} (${choice})` };
  };
  const live = async (hours: number): Promise<void> => {
    for (let hour = 0; hour < hours; hour += 1) {
      await harness.ask();
      await harness.advance(HOUR);
    }
  };
  const told = (): number => lines.filter((line) => line === 'Obtained a credential').length;
  await live(5);
  expect(told()).toBe(1);
  const session = { accessKeyId: 'STS.fake', accessKeySecret: 'fake-secret', securityToken: 'fake-token' };
  const text = buildManagedRoleToken({ session: { ...session, expiresAt: START + 20 * HOUR } });
  harness.secrets.set(`kube-system/${MANAGED_ROLE_TOKEN_SECRET}`, { 'addon.token.config': text });
  harness.store.secretChanged(place);
  await live(5);
  expect(told()).toBe(2);
});

describe('of the remarks on a credential', () => {
  const told = (): readonly string[] =>
    events.filter(({ reason }) => reason === 'CredentialWarning').map(({ message }) => message);
  const lived = () => createStoreHarness({ onOutcome: (outcome) => report.onOutcome(outcome) });

  test('[acr I2] that the managed role is not renewed any more is told once, before it ends, and again the next time', async () => {
    const harness = lived();
    const putSession = (expiresAt: number): void => {
      const session = {
        accessKeyId: 'STS.fake',
        accessKeySecret: 'fake-secret',
        securityToken: 'fake-token',
        expiresAt,
      };
      const text = buildManagedRoleToken({ session });
      harness.secrets.set(`kube-system/${MANAGED_ROLE_TOKEN_SECRET}`, { 'addon.token.config': text });
      harness.store.secretChanged({ namespace: 'kube-system', name: MANAGED_ROLE_TOKEN_SECRET });
    };
    let end = START + HOUR;
    putSession(end);
    harness.fetch = async (world, signal) => {
      const issuedAt = world.now();
      const { origin, warnings = [] } = await createManagedRoleIdentity().fetchKey(world, { region: 'x' }, signal);
      return { username: 'robot', password: 'fake-password', issuedAt, expiresAt: end, identity: origin, warnings };
    };
    const live = async (until: number): Promise<void> => {
      while (harness.now() < until) {
        await harness.ask();
        await harness.advance(10_000);
      }
    };
    await live(end - 10 * MINUTE);
    expect(told()).toEqual([]);
    await live(end - 4 * MINUTE);
    const remark = expect.stringMatching(/ends at .*Z and has not been renewed.*`tokenMode: workerRole`, RRSA or/);
    expect(told()).toEqual([remark]);
    expect(lines.filter((line) => line === 'Credential has a remark')).toHaveLength(1);
    await live(end - 10_000);
    expect(harness.attempts.length).toBeGreaterThan(6);
    expect(told()).toHaveLength(1);
    // It was renewed after all, and then once more not.
    putSession((end += HOUR));
    await live(end - 4 * MINUTE);
    expect(told()).toEqual([remark, remark]);
  });

  test('that a domain is not listed any more is told when that is seen, whatever instant it names', async () => {
    const harness = lived();
    const renewWith = async (...warnings: readonly string[]): Promise<void> => {
      harness.fetch = async (world, signal) => ({ ...(await granting(HOUR)(world, signal)), warnings });
      await harness.ask();
      await harness.advance(HOUR);
    };
    const unlisted = 'cri-fake does not list the domain mine.example';
    await renewWith();
    for (let at = 0; at < 3; at += 1) await renewWith(unlisted);
    expect(told()).toEqual([`fake/a: ${unlisted}`]);
    for (let minute = 10; minute < 13; minute += 1)
      await renewWith(unlisted, `ends at 2026-01-02T03:${minute}:05.000Z`);
    expect(told()).toHaveLength(3);
    await renewWith();
    expect(told()).toHaveLength(3);
  });
});

test('of the master copy, that we stopped waiting for it is no failure', () => {
  report.onStateFailure(new KubeError('Aborted', 'Waiting was stopped'));
  expect(lines).toEqual([]);
  report.onStateFailure(new KubeError('Forbidden', 'no'));
  expect(lines).toHaveLength(1);
});
