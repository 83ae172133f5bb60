// References of `ImagePullSecret` resources beside other writers, and at the creation of a ServiceAccount.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { clusterOf } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { applyCrd, resource, SAMPLE_SPEC } from '../support/image-pull-secrets.ts';
import { kubectlOf } from '../support/kubectl.ts';
import { appendReference } from '../support/other-writers.ts';
import { admit, startServing, webhookObject } from '../support/webhook.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(120_000);

const SECRET = 'tcr.ipsshared';
const ACCOUNTS = Array.from({ length: 10 }, (_, at) => `account-${at}`);
const WRITERS = 5;
const EDITS = 40;

let world: World;
let replica: Replica & { readonly port: number };

beforeAll(async () => {
  world = await startWorld({ plane: { users: [{ name: 'foreign', groups: ['system:masters'] }] } });
  await applyCrd(await kubectlOf(world.plane));
  await world.cluster.namespace('web');
  for (const name of ACCOUNTS) await world.cluster.serviceAccount('web', name);
  await world.configure({ 'registry-info': '[]', 'webhook-configuration': 'enable: true\n' });
  await world.cluster.create('imagepullsecrets', resource('shared', { ...SAMPLE_SPEC, serviceAccounts: '*' }));
  replica = await startServing(world);
}, 180_000);
afterAll(() => world.stop());

const references = (name: string) => world.cluster.references('web', name);
const scope = (serviceAccounts: string) =>
  world.cluster.patch('imagepullsecrets', 'shared', { spec: { serviceAccounts } });

test('[tcr A3] concurrent writers lose no entry while ours comes and goes, by guarded patches alone', async () => {
  await eventually('all refer to it', async () =>
    (await Promise.all(ACCOUNTS.map(references))).every((list) => list.includes(SECRET)),
  );
  const foreign = clusterOf(world.plane, 'foreign');
  const ended = new AbortController();
  const comeAndGo = (async () => {
    while (!ended.signal.aborted) {
      for (const [serviceAccounts, isThere] of [
        ['nobody', false],
        ['*', true],
      ] as const) {
        await scope(serviceAccounts);
        await eventually('it is so', async () =>
          (await Promise.all(ACCOUNTS.map(references))).every((list) => list.includes(SECRET) === isThere),
        );
      }
    }
  })();
  await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      for (let at = 0; at < EDITS; at += 1) {
        const name = ACCOUNTS[(writer + at) % ACCOUNTS.length] ?? '';
        await appendReference(foreign, { namespace: 'web', name }, `w${writer}-${at}`);
      }
    }),
  );
  ended.abort();
  await comeAndGo;
  for (const [index, name] of ACCOUNTS.entries()) {
    const list = await references(name);
    for (let writer = 0; writer < WRITERS; writer += 1) {
      const written = Array.from({ length: EDITS }, (_, at) => at)
        .filter((at) => (writer + at) % ACCOUNTS.length === index)
        .map((at) => `w${writer}-${at}`);
      expect(list.filter((entry) => entry.startsWith(`w${writer}-`))).toEqual(written);
    }
    expect(list.filter((entry) => entry === SECRET)).toEqual([SECRET]);
  }
  // Who applies takes the list as a whole: the API server notes how each manager wrote.
  const managers = await Promise.all(
    ACCOUNTS.map(async (name) => {
      const { managedFields = [] } = (await world.cluster.get('serviceaccounts', name, 'web'))?.metadata as unknown as {
        readonly managedFields?: readonly { readonly operation: string }[];
      };
      return managedFields.map(({ operation }) => operation);
    }),
  );
  expect(managers.flat()).not.toContain('Apply');
});

test('[tcr A6] [tcr V2] a new ServiceAccount has the reference at its creation; with the webhook down it is created all the same', async () => {
  await eventually('the webhook is there', async () => (await webhookObject(world)) !== undefined);
  const answer = await eventually('a new one is served', async () => {
    const given = await admit(world, { namespace: 'web', generateName: 'new-' });
    return given.references.includes(SECRET) ? given : undefined;
  });
  expect(answer).toMatchObject({ status: 201, references: [SECRET] });
  await replica.process.stop({ signal: 'SIGKILL' });
  expect(await admit(world, { namespace: 'web', name: 'while-down' })).toMatchObject({ status: 201, references: [] });
  // The validating one too: what is wrong is stored, and told when somebody is back.
  const bad = { ...SAMPLE_SPEC, docker: { ...SAMPLE_SPEC.docker, server: 'https://acme-prod.tencentcloudcr.com/v2' } };
  await world.cluster.create('imagepullsecrets', resource('bad', bad));
  replica = await startServing(world, { port: replica.port });
  await eventually('the condition tells', async () => {
    const { conditions = [] } = ((await world.cluster.get('imagepullsecrets', 'bad'))?.status ?? {}) as {
      readonly conditions?: readonly { readonly type: string; readonly reason: string; readonly message: string }[];
    };
    const stalled = conditions.find(({ type }) => type === 'Stalled');
    return stalled?.reason === 'SpecInvalid' && stalled.message.includes('spec.docker.server');
  });
});
