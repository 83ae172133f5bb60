// No credential shows up anywhere but in the Secrets that are meant to hold it, whatever succeeds or fails.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { stateSecretName } from '../../src/core/names.ts';
import type { TestObject } from '../support/cluster.ts';
import { SAMPLE } from '../support/clouds/clouds.ts';
import type { Fault } from '../support/clouds/faults.ts';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, secretsEverywhere } from '../support/expectations.ts';
import { findLeaks, type MarkedSecrets } from '../support/leaks.ts';
import { configMapEvents, linesSaying } from '../support/signs.ts';
import { PROGRAM_USER, startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(120_000);

const REGION = SAMPLE.instance.regionId;
const CONFIG = 'kube-system';
/** Characters that are changed by quoting, among words that tell one from the other wherever it is cut. */
const mark = (word: string): string => `${word}"\\${word}%2f${word}+/=${word}é ${word}7`;
const KEYS = { right: mark('right'), wrong: mark('wrong'), rotated: mark('turned') } as const;
const PASSWORDS = { first: mark('static'), second: mark('newer'), colon: mark('colon') } as const;
const PASTED = { refused: mark('pasted'), broken: mark('broken'), unclosed: mark('unclosed') } as const;
const SUFFIX = mark('token');
const STATIC_SECRET = 'registry-credentials';

const FAULTS: Readonly<Record<string, Fault>> = {
  throttled: { kind: 'throttle', retryAfter: 60_000 },
  unsuccessful: { kind: 'unsuccessful', code: 'INSTANCE_NOT_EXIST' },
  refused: { kind: 'error', status: 403, code: 'NoPermission' },
  odd: { kind: 'error', status: 400, code: 'Some.Odd/Code' },
  unavailable: { kind: 'unavailable' },
  xml: { kind: 'xml' },
  html: { kind: 'html' },
  empty: { kind: 'empty' },
  reset: { kind: 'reset' },
  truncated: { kind: 'truncated' },
  slow: { kind: 'slow', delayMs: 60_000 },
  'slow-body': { kind: 'slow-body', chunkBytes: 60, chunkDelayMs: 2_000 },
};

describe('marked credentials', () => {
  let world: World;
  let replica: Replica;
  const replicas: Replica[] = [];
  const health: string[] = [];

  beforeAll(async () => {
    const key = { ...SAMPLE.accessKey, accessKeySecret: KEYS.right };
    world = await startWorld({ clouds: { accessKeys: [key] } });
    world.clouds.state.tokenSuffix = SUFFIX;
    await world.putAccessKey();
    await putSecret('login', { username: 'robot', password: PASSWORDS.first });
    for (const name of ['team-a', 'team-b']) await serve(name);
    await configure();
    await start();
  });

  afterAll(() => world.stop());

  const start = async (): Promise<void> => {
    replica = await world.startController();
    replicas.push(replica);
    await secretsEverywhere(world, ['team-a', 'team-b']);
    await secretsEverywhere(world, ['team-a', 'team-b'], STATIC_SECRET);
  };
  const serve = async (name: string): Promise<void> => {
    await world.cluster.namespace(name);
    await world.cluster.serviceAccount(name, 'default');
  };
  const putSecret = (name: string, stringData: Readonly<Record<string, string>>) =>
    world.cluster.create('secrets', { metadata: { name }, stringData }, CONFIG);
  const keyPair = (secret: string) => ({
    'access-key-id': SAMPLE.accessKey.accessKeyId,
    'access-key-secret': secret,
  });
  const item = (instanceId: string, fields = ''): string =>
    `- instanceId: ${instanceId}\n  regionId: ${REGION}\n${fields}`;
  const login = (secretName: string): string =>
    `- provider: static\n  domains: ${secretName}.example\n  secretRef: {name: ${secretName}}\n`;
  const configure = (acr = '', others = '', changes: Readonly<Record<string, string>> = {}): Promise<void> =>
    world.configure({
      'watch-namespace': 'team-*',
      'acr-registry-info': `${item(SAMPLE.instance.instanceId)}${acr}`,
      'registry-info': `${login('login')}${others}`,
      ...changes,
    });
  const untilTold = (reason: string, words: string): Promise<unknown> =>
    eventually(`an Event ${reason} says ${words}`, async () =>
      (await configMapEvents(world, reason)).some(({ message }) => message.includes(words)),
    );
  const note = async (): Promise<void> => {
    for (const path of ['/metrics', '/readyz?verbose', '/livez?verbose']) {
      health.push((await replica.http(path))?.text ?? '');
    }
  };

  test('go through every failure of a cloud', async () => {
    for (const [name, fault] of Object.entries(FAULTS)) {
      const instanceId = `cri-${name}`;
      world.clouds.state.instances.set(instanceId, { ...SAMPLE.instance, instanceId, instanceName: name });
      world.clouds.cr.faults.add({ fault, instanceId });
    }
    await configure(
      Object.keys(FAULTS)
        .map((name) => item(`cri-${name}`))
        .join(''),
    );
    for (const name of Object.keys(FAULTS)) await untilTold('CredentialUnavailable', ` of cri-${name} in`);
    await note();
  });

  test('go through every failure of an identity', async () => {
    await putSecret('key-wrong', keyPair(KEYS.wrong));
    await putSecret('key-half', { 'access-key-id': SAMPLE.accessKey.accessKeyId });
    await putSecret('login-colon', { username: `robot:${PASSWORDS.colon}`, password: PASSWORDS.colon });
    await putSecret('login-half', { password: PASSWORDS.second });
    await configure(
      ['key-wrong', 'key-half', 'key-none']
        .map((name) => item(SAMPLE.instance.instanceId, `  accessKeySecretRef: {name: ${name}}\n`))
        .join(''),
      `${login('login-colon')}${login('login-half')}`,
    );
    await untilTold('CredentialUnavailable', 'SignatureMismatch');
    for (const name of ['key-half', 'key-none', 'login-colon', 'login-half']) {
      await untilTold('CredentialUnavailable', `${CONFIG}/${name}`);
    }
    await note();
  });

  test('go through configurations into which somebody pasted one, accepted or refused', async () => {
    const custom = (text: string): string => item('cri-pasted', `  customAccessKey: LTAIpasted\n${text}`);
    const yaml = JSON.stringify(PASTED.refused);
    await configure(custom(`  customAccessKeySecret: ${yaml}\n`));
    // It works, so to speak: with a remark, and until the cloud refuses it.
    await untilTold('ConfigApplied', 'customAccessKeySecret');
    await untilTold('CredentialUnavailable', 'cri-pasted');
    await note();
    const documents = [
      custom(`  customAccessKeySecret: ${JSON.stringify(PASTED.broken)} // comment\n`),
      custom(`  customAccessKeySecret:\n    ${JSON.stringify(PASTED.broken)} "x"\n`),
      custom(`  customAccessKeySecret: 'first line\n    ${PASTED.unclosed}\n`),
      `- customAccessKeySecret: [${JSON.stringify(PASTED.broken)}, {]\n`,
      `customAccessKeySecret: ${JSON.stringify(PASTED.broken)}\n`,
    ];
    for (const [index, document] of documents.entries()) {
      const key = `marker-${index}`;
      await configure(document, '', { [key]: 'x' });
      await eventually('it was read', async () => (await replica.http('/readyz?verbose'))?.text.includes(key));
      await note();
    }
    await configure();
    await eventually('it is valid again', async () =>
      (await replica.http('/readyz?verbose'))?.text.includes('[+]configuration ok'),
    );
  });

  test('go through refused, conflicting and interrupted writes', async () => {
    const role = '/apis/rbac.authorization.k8s.io/v1/clusterroles/registry-credential-helper';
    const { body } = await world.plane.request({ path: role });
    const { rules } = body as { rules: readonly { resources: readonly string[]; verbs: readonly string[] }[] };
    const withRules = (changed: unknown) =>
      world.plane.request({
        method: 'PATCH',
        path: role,
        body: { rules: changed },
        contentType: 'application/merge-patch+json',
      });
    await withRules(
      rules.map((rule) => (rule.resources.includes('secrets') ? { ...rule, verbs: ['get', 'list', 'watch'] } : rule)),
    );
    await serve('team-forbidden');
    await world.cluster.patch('secrets', ACR_SECRET, { data: { '.dockerconfigjson': btoa('{"auths":{}}') } }, 'team-a');
    await eventually('writes were refused', async () => (await linesSaying(replica, 'Write failed')).length > 1);
    await withRules(rules);
    await secretsEverywhere(world, ['team-a', 'team-forbidden']);

    await serve('team-going');
    await world.cluster.remove('namespaces', 'team-going');
    await putSecretIn('team-b', 'taken');
    await configure('', '', { 'acr-secret-name': 'taken' });
    await eventually('a name is taken', async () => (await linesSaying(replica, 'Left alone')).some(isTaken));
    await configure();
    await secretsEverywhere(world, ['team-a', 'team-b']);
    await world.plane.stopApiServer({ signal: 'SIGKILL' });
    await eventually('the API server is missed', async () =>
      (await replica.output()).includes('Reading the cluster failed'),
    );
    await world.plane.startApiServer();
    await serve('team-later');
    await secretsEverywhere(world, ['team-later']);
    await note();
  });
  const isTaken = (line: Readonly<Record<string, unknown>>): boolean => line.reason === 'NameTaken';
  const putSecretIn = (namespace: string, name: string) =>
    world.cluster.create('secrets', { metadata: { name }, stringData: { foreign: 'x' } }, namespace);

  test('go through rotation of keys and passwords, and a new leader', async () => {
    const { accessKeyId } = SAMPLE.accessKey;
    world.clouds.state.accessKeys.set(accessKeyId, { ...SAMPLE.accessKey, accessKeySecret: KEYS.rotated });
    const before = (await world.cluster.auths('team-a', ACR_SECRET)) ?? {};
    await world.cluster.patch('secrets', 'alibaba-addon-secret', { stringData: keyPair(KEYS.rotated) }, CONFIG);
    await world.cluster.patch('secrets', 'login', { stringData: { password: PASSWORDS.second } }, CONFIG);
    await eventually('both are renewed', async () => {
      const [acr, other] = await Promise.all(
        [ACR_SECRET, STATIC_SECRET].map((name) => world.cluster.auths('team-a', name)),
      );
      return (
        other?.['login.example']?.password === PASSWORDS.second &&
        Object.entries(acr ?? {}).every(([host, { password }]) => password !== before[host]?.password)
      );
    });
    await replica.stop();
    await start();
    await serve('team-new');
    await secretsEverywhere(world, ['team-new']);
    await note();
  });

  test('are in the Secrets that are meant to hold them', async () => {
    const tenant = await world.cluster.get('secrets', ACR_SECRET, 'team-a');
    expect(findLeaks(JSON.stringify(tenant), { token: SUFFIX })).not.toEqual([]);
    const state = await world.cluster.get('secrets', stateSecretName('default'), CONFIG);
    expect(findLeaks(textOf(state), { token: SUFFIX })).not.toEqual([]);
    expect(findLeaks(textOf(state), { ...KEYS, ...PASTED })).toEqual([]);
  });

  test('are nowhere else: output, Events, metrics, health, objects, request URIs', async () => {
    const minted = [...world.clouds.state.tokens.values()].map(({ token }, index) => [`token ${index}`, token]);
    const secrets: MarkedSecrets = {
      ...{ 'token suffix': SUFFIX, ...(Object.fromEntries(minted) as MarkedSecrets) },
      ...{ 'right key': KEYS.right, 'wrong key': KEYS.wrong, 'rotated key': KEYS.rotated },
      ...{ 'first password': PASSWORDS.first, 'second password': PASSWORDS.second, 'with colon': PASSWORDS.colon },
      ...PASTED,
    };
    const output = await Promise.all(replicas.map((one) => one.output()));
    const audit = (await world.plane.auditEvents()).filter((event) => event.user === PROGRAM_USER);
    expect(output.join('').split('\n').length).toBeGreaterThan(200);
    expect(output.join('')).toContain('"level":"debug"');
    const places: Readonly<Record<string, string>> = {
      output: output.join('\n'),
      health: health.join('\n'),
      'request URIs': audit.map(({ requestURI, userAgent = '' }) => `${requestURI} ${userAgent}`).join('\n'),
      'URLs at the cloud': world.clouds.cr
        .calls()
        .map(({ url }) => url)
        .join('\n'),
      objects: (await objects()).map((object) => textOf(object)).join('\n'),
    };
    for (const [place, text] of Object.entries(places)) {
      expect(text).not.toBe('');
      expect({ place, leaks: findLeaks(text, secrets) }).toEqual({ place, leaks: [] });
    }
  });

  /** Every object of the kinds that the program reads or writes, without the data of Secrets that may hold credentials. */
  async function objects(): Promise<readonly TestObject[]> {
    const paths = ['namespaces', 'serviceaccounts', 'secrets', 'configmaps', 'events'].map((kind) => `/api/v1/${kind}`);
    const lists = await Promise.all(
      [...paths, '/apis/coordination.k8s.io/v1/leases'].map((path) => world.plane.request({ path })),
    );
    const all = lists.flatMap(({ body }) => (body as { items: readonly TestObject[] }).items);
    const holds = ({ metadata: { namespace = '', name } }: TestObject): boolean =>
      namespace === CONFIG || name === ACR_SECRET || name === STATIC_SECRET;
    return all.map((object) => (object.type !== undefined && holds(object) ? { ...object, data: {} } : object));
  }
});

/** An object as JSON, with its data decoded beside it. */
function textOf(object: TestObject | undefined): string {
  const decoded = Object.values(object?.data ?? {}).map((value) => Buffer.from(value, 'base64').toString());
  return [JSON.stringify(object), ...decoded].join('\n');
}
