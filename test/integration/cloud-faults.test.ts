// What a cloud or a person does wrong: each failure is told once, in one sentence, and no other registry notices.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { SAMPLE } from '../support/clouds/clouds.ts';
import type { Fault } from '../support/clouds/faults.ts';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, secretsEverywhere } from '../support/expectations.ts';
import { linesSaying, metric, toldEvents } from '../support/signs.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(90_000);

const REGION = SAMPLE.instance.regionId;
const HEALTHY = SAMPLE.instance.instanceId;
const REQUEST_ID = /request id [0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}/;

interface Case {
  readonly reason: string;
  /** What else the sentence must say. */
  readonly says: RegExp;
  /** The cloud gave a request id. */
  readonly hasId: boolean;
  readonly fault?: Fault;
  /** Fails again and again by itself, so that repetitions would show. */
  readonly isRetried?: true;
  /** Data of its Secret; `undefined` in it = there is none. The healthy one's unless given. */
  readonly key?: { readonly 'access-key-id': string; readonly 'access-key-secret': string } | 'missing';
}

const { accessKeyId, accessKeySecret, accountId } = SAMPLE.accessKey;
const CASES: Readonly<Record<string, Case>> = {
  throttled: {
    fault: { kind: 'throttle', retryAfter: 3_000 },
    reason: 'Throttled',
    says: /Throttling\.User.*slow down/,
    hasId: true,
    isRetried: true,
  },
  'not-there': { reason: 'InstanceNotFound', says: /INSTANCE_NOT_EXIST.*check instanceId, regionId/, hasId: true },
  'not-running': { reason: 'InstanceNotReady', says: /INSTANCE_STATUS_NOT_SUPPORT/, hasId: true, isRetried: true },
  'wrong-id': {
    key: { 'access-key-id': 'LTAInobodyknowsit', 'access-key-secret': accessKeySecret },
    reason: 'AccessKeyInvalid',
    says: /Secret kube-system\/key-wrong-id.*check access-key-id/,
    hasId: true,
  },
  'wrong-secret': {
    key: { 'access-key-id': accessKeyId, 'access-key-secret': 'not-the-right-one' },
    reason: 'SignatureMismatch',
    says: /check that access-key-secret in the Secret kube-system\/key-wrong-secret/,
    hasId: true,
  },
  'no-secret': {
    key: 'missing',
    reason: 'IdentityUnavailable',
    says: /There is no Secret kube-system\/key-no-secret: create it with `kubectl -n kube-system create secret generic/,
    hasId: false,
  },
  forbidden: {
    key: { 'access-key-id': 'LTAIdenied', 'access-key-secret': 'denied-secret-not-real' },
    reason: 'PermissionDenied',
    says: /NoPermission.*allow it the action cr:GetAuthorizationToken/,
    hasId: true,
  },
  html: {
    fault: { kind: 'html' },
    reason: 'CloudUnavailable',
    says: /not JSON.*HTTP 502/,
    hasId: false,
    isRetried: true,
  },
  reset: {
    fault: { kind: 'reset' },
    reason: 'CloudUnavailable',
    says: /could not be reached/,
    hasId: false,
    isRetried: true,
  },
  truncated: {
    fault: { kind: 'truncated' },
    reason: 'CloudUnavailable',
    says: /not JSON/,
    hasId: false,
    isRetried: true,
  },
  failing: {
    fault: { kind: 'unavailable' },
    reason: 'CloudUnavailable',
    says: /problem of its own/,
    hasId: true,
    isRetried: true,
  },
  slow: {
    fault: { kind: 'slow', delayMs: 60_000 },
    reason: 'CloudUnavailable',
    says: /did not answer within 10 s/,
    hasId: false,
  },
};
const idOf = (name: string): string => (name === 'healthy' ? HEALTHY : `cri-${name}`);
const hostOf = (name: string): string => `${name}-registry.${REGION}.cr.aliyuncs.com`;
const credentialOf = (name: string): string => `acr/${REGION}/cri-${name}/kube-system/key-${name}`;

describe('every way in which a registry can fail, at the same time', () => {
  let world: World;
  let replica: Replica;

  beforeAll(async () => {
    world = await startWorld();
    const { state, cr } = world.clouds;
    state.accessKeys.set('LTAIdenied', {
      ...{ accessKeyId: 'LTAIdenied', accessKeySecret: 'denied-secret-not-real', accountId, status: 'Active' },
      denied: { GetAuthorizationToken: 'NoPermission' },
    });
    await world.putAccessKey();
    await world.cluster.namespace('team-a');
    await world.cluster.serviceAccount('team-a', 'default');
    for (const [name, { fault, key }] of Object.entries(CASES)) {
      const instance = { ...SAMPLE.instance, instanceId: idOf(name), instanceName: name };
      if (name !== 'not-there') {
        state.instances.set(idOf(name), { ...instance, ...(name === 'not-running' ? { status: 'STOPPED' } : {}) });
      }
      if (fault !== undefined) cr.faults.add({ fault, instanceId: idOf(name) });
      if (key !== 'missing') await putKey(name, key);
    }
    await configure('healthy', ...Object.keys(CASES));
    replica = await world.startController();
    await secretsEverywhere(world, ['team-a']);
  });

  afterAll(() => world.stop());

  const putKey = (name: string, stringData: Readonly<Record<string, string>> = healthyKey()) =>
    world.cluster.create('secrets', { metadata: { name: `key-${name}` }, stringData }, 'kube-system');
  const healthyKey = () => ({ 'access-key-id': accessKeyId, 'access-key-secret': accessKeySecret });
  const itemFor = (name: string): string =>
    `- instanceId: ${idOf(name)}\n  regionId: ${REGION}\n` +
    (name === 'healthy' ? '' : `  accessKeySecretRef: {name: key-${name}}\n`);
  const configure = (...cases: readonly string[]) =>
    world.configure({ 'watch-namespace': 'team-*', 'acr-registry-info': cases.map(itemFor).join('') });
  const hosts = async (namespace = 'team-a'): Promise<readonly string[]> =>
    Object.keys((await world.cluster.auths(namespace, ACR_SECRET)) ?? {});
  const callsOf = (name: string) => world.clouds.cr.calls({ instanceId: idOf(name), action: 'GetAuthorizationToken' });
  const eventsFor = (reason: string, name: string) => toldEvents(world, reason, new RegExp(`\\bcri-${name}\\b`));

  test('[acr X6] does not hold back the healthy one', async () => {
    expect((await hosts()).filter((host) => host.startsWith('acme-registry'))).toHaveLength(2);
    expect(callsOf('healthy')).toHaveLength(1);
  });

  test.each(Object.entries(CASES))(
    '%s is told once, in one sentence',
    async (name, { reason, says, hasId, isRetried }) => {
      if (isRetried) await eventually('it was asked for again', () => callsOf(name).length > 1);
      const [event, ...more] = await eventsFor('CredentialUnavailable', name);
      expect(more).toEqual([]);
      expect(event?.type).toBe('Warning');
      expect(event?.message).toMatch(
        new RegExp(`^${reason}: GetAuthorizationToken of cri-${name} in ${REGION} failed`),
      );
      expect(event?.message).toMatch(says);
      expect(REQUEST_ID.test(event?.message ?? '')).toBe(hasId);
      expect(event?.message.split('\n')).toHaveLength(1);

      const lines = await linesSaying(replica, 'Credential could not be obtained', { credential: credentialOf(name) });
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatchObject({ level: 'error', reason });
      const counted = { provider: 'acr', result: reason };
      expect(await metric(replica, 'registry_credential_helper_credential_attempts_total', counted)).toBeGreaterThan(0);
      expect(await hosts()).not.toContain(hostOf(name));
    },
  );

  test('a new namespace gets what there is', async () => {
    await world.cluster.namespace('team-b');
    await world.cluster.serviceAccount('team-b', 'default');
    await secretsEverywhere(world, ['team-b']);
    expect(await hosts('team-b')).toEqual(await hosts('team-a'));
  });

  test('[acr X4] a throttled cloud is left alone for as long as it asks', () => {
    const calls = callsOf('throttled').map((call) => call.at);
    for (const [index, at] of calls.slice(1).entries()) {
      expect(at - (calls[index] ?? 0)).toBeGreaterThanOrEqual(3_000);
    }
  });

  test('an error that only a person can cure is not asked for again by itself', () => {
    for (const name of ['not-there', 'wrong-id', 'wrong-secret', 'forbidden']) expect(callsOf(name)).toHaveLength(1);
    expect(callsOf('no-secret')).toEqual([]);
  });

  test('what fails by itself recovers by itself, and says so', async () => {
    world.clouds.cr.faults.clear();
    const retried = Object.keys(CASES).filter((name) => CASES[name]?.fault !== undefined);
    await eventually(
      'their domains are in the Secret',
      async () => {
        const there = await hosts();
        return retried.every((name) => there.includes(hostOf(name)));
      },
      60_000,
    );
    for (const name of retried) expect(await eventsFor('CredentialRestored', name)).toHaveLength(1);
  });

  test('[acr I7] a missing Secret that is created, and a wrong one that is put right, are used at once', async () => {
    await putKey('no-secret');
    await world.cluster.patch('secrets', 'key-wrong-secret', { stringData: healthyKey() }, 'kube-system');
    await world.cluster.patch('secrets', 'key-wrong-id', { stringData: healthyKey() }, 'kube-system');
    await eventually('their domains are in the Secret', async () => {
      const there = await hosts();
      return ['no-secret', 'wrong-secret', 'wrong-id'].every((name) => there.includes(hostOf(name)));
    });
  });

  test('a key that is rotated in its Secret makes new credentials, while the others stay', async () => {
    world.clouds.state.accessKeys.set('LTAIrotated', {
      ...{ accessKeyId: 'LTAIrotated', accessKeySecret: 'rotated-secret-not-real', accountId, status: 'Active' },
    });
    const before = (await world.cluster.auths('team-a', ACR_SECRET)) ?? {};
    const stringData = { 'access-key-id': 'LTAIrotated', 'access-key-secret': 'rotated-secret-not-real' };
    await world.cluster.patch('secrets', 'key-html', { stringData }, 'kube-system');
    await eventually('its token was made with the new key, everywhere', async () => {
      const [a, b] = await Promise.all(['team-a', 'team-b'].map((name) => world.cluster.auths(name, ACR_SECRET)));
      const entry = a?.[hostOf('html')];
      const minted = world.clouds.state.tokens.get(entry?.password ?? '');
      return minted?.accessKeyId === 'LTAIrotated' && b?.[hostOf('html')]?.password === entry?.password;
    });
    const after = (await world.cluster.auths('team-a', ACR_SECRET)) ?? {};
    expect(after[hostOf('reset')]).toEqual(before[hostOf('reset')]);
    expect(await eventsFor('CredentialUnavailable', 'html')).toHaveLength(1);
  });

  test('[acr R5] 200 namespaces cause one token call and one endpoint listing', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `many-${index}`);
    await Promise.all(
      names.map(async (name) => {
        await world.cluster.namespace(name);
        await world.cluster.serviceAccount(name, 'default');
      }),
    );
    const many = { ...SAMPLE.instance, instanceId: 'cri-many', instanceName: 'many' };
    world.clouds.state.instances.set('cri-many', many);
    await world.configure({
      'watch-namespace': 'many-*',
      'acr-registry-info': `- instanceId: cri-many\n  regionId: ${REGION}\n`,
    });
    await secretsEverywhere(world, names);
    const actions = world.clouds.cr.calls({ instanceId: 'cri-many' }).map((call) => call.action);
    expect(actions.sort()).toEqual(['GetAuthorizationToken', 'ListInstanceEndpoint']);
  });
});
