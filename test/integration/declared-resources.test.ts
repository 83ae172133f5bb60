// Resources that a Secret of our own namespace declares, on a real cluster: made, kept, and removed; nobody else's is touched.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { DECLARED_LABEL, TCR_ASSISTANT } from '../../src/core/names.ts';
import type { TestObject } from '../support/cluster.ts';
import type { AuditEvent } from '../support/control-plane/audit-log.ts';
import { eventually } from '../support/eventually.ts';
import { settled } from '../support/expectations.ts';
import { applyCrd, resource, vendorCrd } from '../support/image-pull-secrets.ts';
import { kubectlOf } from '../support/kubectl.ts';
import { eventsIn, markCalls, programCalls } from '../support/program-calls.ts';
import { runCommand } from '../support/run-command.ts';
import { linesSaying } from '../support/signs.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(90_000);

const NAME = 'registry-credential-helper-resources-default';
const KEY = 'imagePullSecrets.json';
const PASSWORD = 'fake-password-of-a-declaration';
const CR = 'tcr-a1b2c3d4-public';
const HOST = 'acme-prod.tencentcloudcr.com';
/** As tcr.md section 7 has it. */
const FLAT = {
  ...{ name: CR, namespaces: 'web', serviceAccounts: '*', type: 'docker' },
  ...{ dockerUsername: '100099990001', dockerPassword: PASSWORD, dockerServer: HOST },
};
const OURS = {
  'app.kubernetes.io/managed-by': 'registry-credential-helper',
  'app.kubernetes.io/instance': 'default',
  [DECLARED_LABEL]: 'true',
};

let world: World;
let replica: Replica;

beforeAll(async () => {
  world = await startWorld();
  for (const name of ['web', 'api']) {
    await world.cluster.namespace(name);
    await world.cluster.serviceAccount(name, 'default', ['theirs']);
  }
  replica = await world.startController();
}, 120_000);
afterAll(() => world.stop());

async function declareText(text: string): Promise<void> {
  const stringData = { [KEY]: text };
  const present = await world.cluster.get('secrets', NAME, 'kube-system');
  if (present === undefined)
    await world.cluster.create('secrets', { metadata: { name: NAME }, stringData }, 'kube-system');
  else await world.cluster.patch('secrets', NAME, { stringData }, 'kube-system');
}
const declare = (...items: readonly unknown[]): Promise<void> => declareText(JSON.stringify(items));
const get = (name: string): Promise<TestObject | undefined> => world.cluster.get('imagepullsecrets', name);
const specOf = async (name: string) => (await get(name))?.spec as Readonly<Record<string, unknown>> | undefined;
const isThere = (name: string): Promise<TestObject> => eventually(`${name} is there`, () => get(name));
const isGone = (name: string): Promise<boolean> =>
  eventually(`${name} is gone`, async () => (await get(name)) === undefined);
/** Waits until the resource has these namespaces. */
const reaches = (name: string, namespaces: string) =>
  eventually(`${name} reaches ${namespaces}`, async () => (await specOf(name))?.namespaces === namespaces);
const told = async (reason: string, of: string): Promise<readonly string[]> =>
  [...(await eventsIn(world, 'kube-system')), ...(await eventsIn(world, 'default'))]
    .filter((event) => event.reason === reason && event.involvedObject.name === of)
    .map(({ message }) => message);
/** What the program wrote to resources, but for what it said in their status. */
async function writes(mark = 0): Promise<readonly AuditEvent[]> {
  const calls = await programCalls(world, mark);
  return calls.filter(
    ({ resource: kind, subresource, verb }) =>
      kind === 'imagepullsecrets' && subresource === undefined && ['create', 'patch', 'delete'].includes(verb),
  );
}

describe('what is declared', () => {
  test('waits until the cluster serves the kind, then is made from the vendor’s values as they stand, and served', async () => {
    await declare(FLAT);
    await settled(world);
    await applyCrd(await kubectlOf(world.plane));
    const made = await isThere(CR);
    expect(made.metadata.labels).toEqual(OURS);
    expect(made.spec).toEqual({
      ...{ namespaces: 'web', serviceAccounts: '*' },
      docker: { server: HOST, username: '100099990001', password: PASSWORD },
    });
    await eventually('it is served', async () =>
      (await world.cluster.references('web', 'default')).includes(`tcr.ips${CR}`),
    );
    expect((await world.cluster.auths('web', `tcr.ips${CR}`))?.[HOST]).toMatchObject({ password: PASSWORD });
  });

  test('follows the Secret, and the rest of the object stays', async () => {
    await world.cluster.patch('imagepullsecrets', CR, { metadata: { annotations: { note: 'theirs' } } });
    const before = await get(CR);
    await declare(
      { ...FLAT, namespaces: 'api' },
      { name: 'own', spec: { namespaces: 'web', docker: { server: 'b.example', username: 'u', password: PASSWORD } } },
    );
    await reaches(CR, 'api');
    await isThere('own');
    const after = await get(CR);
    expect(after?.metadata).toMatchObject({ uid: before?.metadata.uid, annotations: { note: 'theirs' } });
    await eventually('the namespaces follow', async () => {
      const lists = await Promise.all(['web', 'api'].map((name) => world.cluster.references(name, 'default')));
      return lists.map((list) => list.join()).join(' ') === `theirs,tcr.ipsown theirs,tcr.ips${CR}`;
    });
  });

  test('is put right when somebody edits, adds to, or deletes it, and nothing is written without need', async () => {
    await world.cluster.patch('imagepullsecrets', CR, { spec: { namespaces: '*', excludeNamespaces: 'web' } });
    await eventually('the edit is undone', async () => {
      const spec = await specOf(CR);
      return spec?.namespaces === 'api' && spec.excludeNamespaces === undefined;
    });
    await world.cluster.remove('imagepullsecrets', 'own');
    await isThere('own');
    const mark = await settled(world);
    await world.cluster.patch('secrets', NAME, { metadata: { labels: { touched: 'yes' } } }, 'kube-system');
    await replica.stop();
    replica = await world.startController();
    await settled(world);
    expect(await writes(mark)).toEqual([]);
  });

  test('that another writer undoes again and again is not fought over, and is told of once', async () => {
    const fight = async (): Promise<void> => {
      await reaches(CR, 'api');
      await world.cluster.patch('imagepullsecrets', CR, { spec: { namespaces: 'theirs' } });
    };
    const mark = await markCalls(world);
    for (let round = 0; round < 5; round += 1) await fight();
    await eventually('an Event tells', async () => (await told('Contended', CR)).length > 0);
    await settled(world);
    expect(await writes(mark)).toHaveLength(4);
    expect(await specOf(CR)).toMatchObject({ namespaces: 'theirs' });
    expect(await told('Contended', CR)).toHaveLength(1);
    // The pause ends.
    await reaches(CR, 'api');
  });
});

describe('what cannot be used', () => {
  test('is told with its place; what was made of it before stays, and the others count', async () => {
    await declare({ ...FLAT, type: 'opaque' }, { ...FLAT, name: 'third', namespaces: 'api' });
    await isThere('third');
    // It is declared no more, by a list that can be read.
    await isGone('own');
    expect(await specOf(CR)).toMatchObject({ namespaces: 'api' });
    const [message = ''] = await eventually('an Event tells', async () => {
      const found = await told('SpecInvalid', NAME);
      return found.length > 0 && found;
    });
    expect(message).toContain(`${KEY}[0].type: must be \`docker\``);
  });

  test.each<[string, () => Promise<void>]>([
    ['a text that is no list', () => declareText('[{"name": "x", "dockerPassword": "')],
    ['an item without a name', () => declare({ ...FLAT, name: '' })],
    ['a Secret that is gone', () => world.cluster.remove('secrets', NAME, 'kube-system')],
  ])('%s deletes nothing', async (_what, happen) => {
    await declare(FLAT, { ...FLAT, name: 'third' });
    await isThere('third');
    await settled(world);
    const mark = await markCalls(world);
    await happen();
    await settled(world);
    expect(await writes(mark)).toEqual([]);
    expect(await get('third')).toBeDefined();
  });

  test('that is somebody else’s is left alone, and is told, until they hand it over by our labels', async () => {
    const spec = { namespaces: 'web', docker: { server: 'theirs.example', username: 'u', password: PASSWORD } };
    await world.cluster.create('imagepullsecrets', resource('theirs', spec));
    await declare(FLAT, { ...FLAT, name: 'theirs', namespaces: 'api' });
    await eventually('an Event tells', async () => (await told('NameTaken', 'theirs')).length > 0);
    await isGone('third');
    await settled(world);
    expect(await specOf('theirs')).toEqual(spec);
    await world.cluster.patch('imagepullsecrets', 'theirs', { metadata: { labels: OURS } });
    await reaches('theirs', 'api');
    // And the other way round.
    await world.cluster.patch('imagepullsecrets', 'theirs', { metadata: { labels: { [DECLARED_LABEL]: null } } });
    await declare(FLAT);
    await settled(world);
    expect(await specOf('theirs')).toMatchObject({ namespaces: 'api' });
  });
});

describe('under the vendor’s definition, which knows no field of ours', () => {
  test('what it dropped is written when ours is applied over it: the rest of a declaration, and the status', async () => {
    const kubectl = await kubectlOf(world.plane);
    await applyCrd(kubectl, vendorCrd({ prunesStatus: true }));
    const docker = { server: 'b.example', username: 'u', password: PASSWORD };
    await declare({ name: 'upgraded', spec: { namespaces: '*', excludeNamespaces: 'api', docker } });
    await eventually('it is served without the exclusion', async () => {
      const status = (await get('upgraded'))?.status as Readonly<Record<string, unknown>> | undefined;
      const hasSecret = (await world.cluster.get('secrets', 'tcr.ipsupgraded', 'api')) !== undefined;
      return hasSecret && status !== undefined && status.secretsSuccess === status.secretsDesired;
    });
    await settled(world);
    const before = await get('upgraded');
    expect(before?.spec).not.toHaveProperty('excludeNamespaces');
    expect(before?.status).not.toHaveProperty('conditions');
    await applyCrd(kubectl);
    await eventually('what was dropped is there', async () => {
      const live = await get('upgraded');
      const { observedGeneration } = (live?.status ?? {}) as Readonly<Record<string, unknown>>;
      const { generation } = (live?.metadata ?? {}) as Readonly<Record<string, unknown>>;
      return (await specOf('upgraded'))?.excludeNamespaces === 'api' && observedGeneration === generation;
    });
    const wait = ['wait', '--for=condition=Ready', 'ips/upgraded', '--timeout=30s'];
    expect((await kubectl(wait)).code).toBe(0);
    await eventually('the excluded namespace has no Secret', async () => {
      return (await world.cluster.get('secrets', 'tcr.ipsupgraded', 'api')) === undefined;
    });
  });
});

describe('while Tencent’s manager runs', () => {
  test('nothing that is declared is made, changed or deleted; when it ends, everything is', async () => {
    const labels = { app: 'tcr-assistant' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'm', image: 'vendor.example/m:1' }] } };
    const spec = { replicas: 1, selector: { matchLabels: labels }, template };
    await world.cluster.namespace(TCR_ASSISTANT.namespace);
    await world.cluster.create(
      'deployments',
      { metadata: { name: TCR_ASSISTANT.name }, spec },
      TCR_ASSISTANT.namespace,
    );
    await eventually('it is told', async () =>
      (await linesSaying(replica, 'Stood down while another add-on runs')).some(({ deployment }) =>
        String(deployment).includes(TCR_ASSISTANT.name),
      ),
    );
    const mark = await markCalls(world);
    await declare({ ...FLAT, name: 'fourth' });
    await settled(world);
    expect(await writes(mark)).toEqual([]);
    await world.cluster.remove('deployments', TCR_ASSISTANT.name, TCR_ASSISTANT.namespace);
    await isThere('fourth');
    await isGone(CR);
  });
});

describe('in the end', () => {
  test('an empty list removes them all', async () => {
    await declare();
    await isGone('fourth');
    expect(await get('theirs')).toBeDefined();
  });

  test('no password was shown', async () => {
    const seen = [
      await replica.output(),
      (await replica.http('/metrics'))?.text,
      JSON.stringify(await world.cluster.list('events')),
    ].join('\n');
    expect(seen).toContain(NAME);
    expect(seen).not.toContain(PASSWORD);
    expect(seen).not.toContain(Buffer.from(PASSWORD).toString('base64').replace(/=+$/, ''));
  });

  test('cleanup removes those that were declared, and no others', async () => {
    await declare(FLAT);
    await isThere(CR);
    await settled(world);
    await replica.stop();
    const looked = await runCommand(world, 'cleanup', ['--dry-run']);
    expect(looked.output).toContain(`would delete ImagePullSecret ${CR}`);
    expect(await get(CR)).toBeDefined();
    const done = await runCommand(world, 'cleanup');
    expect([done.code, done.output]).toEqual([0, expect.stringContaining(`deleted ImagePullSecret ${CR}`)]);
    expect(done.output).not.toContain('ImagePullSecret theirs');
    expect(await get(CR)).toBeUndefined();
    expect(await get('theirs')).toBeDefined();
    expect(await world.cluster.auths('web', `tcr.ips${CR}`)).toBeUndefined();
  });
});
