// What a wrong edit of an `ImagePullSecret` leaves as it was, also when the controller is started again, and when it may not list them then.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { settled } from '../support/expectations.ts';
import { applyCrd, resource, SAMPLE_SPEC } from '../support/image-pull-secrets.ts';
import { kubectlOf } from '../support/kubectl.ts';
import { metric } from '../support/signs.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(120_000);

const { server: HOST, username, password } = SAMPLE_SPEC.docker;
const GOOD = { username, password };
/** A login of another registry, whose host is written as the parser refuses it. */
const OTHER = { username: 'theirs', password: 'fake-password-of-another-registry' };
const WRONG = { server: 'https://b.example', ...OTHER };

let world: World;
let replica: Replica;

beforeAll(async () => {
  world = await startWorld();
  await applyCrd(await kubectlOf(world.plane));
  for (const name of ['web', 'api']) await world.cluster.namespace(name);
  replica = await world.startController();
}, 120_000);
afterAll(() => world.stop());

const put = (name: string, spec: object) => world.cluster.create('imagepullsecrets', resource(name, spec));
const edit = (name: string, spec: object) => world.cluster.patch('imagepullsecrets', name, { spec });

async function restart(): Promise<void> {
  await settled(world);
  await replica.stop();
  replica = await world.startController();
}

/** Waits until a condition has this reason for the present edit, and nothing is left to do. */
async function told(name: string, reason: string): Promise<void> {
  await eventually(`${name} is ${reason}`, async () => {
    const { metadata, status } = (await world.cluster.get('imagepullsecrets', name)) as unknown as {
      readonly metadata: { readonly generation: number };
      readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly { reason: string }[] };
    };
    const isSaid = status?.conditions?.some((condition) => condition.reason === reason) === true;
    return isSaid && status.observedGeneration === metadata.generation;
  });
  await settled(world);
}

/** Its login in a namespace, by host. */
async function logins(name: string, namespace: string): Promise<object | undefined> {
  const auths = await world.cluster.auths(namespace, `tcr.ips${name}`);
  if (auths === undefined) return undefined;
  const entries = Object.entries(auths).map(([host, auth]) => {
    return [host, { username: auth.username, password: auth.password }] as const;
  });
  return Object.fromEntries(entries);
}

/** Waits until the Secret that somebody deletes there is back, and holds this. */
async function repaired(name: string, namespace: string, expected: object): Promise<void> {
  await world.cluster.remove('secrets', `tcr.ips${name}`, namespace);
  await eventually('it is repaired', () => logins(name, namespace));
  expect(await logins(name, namespace)).toEqual(expected);
}

test('[tcr C6] a login that comes with a wrong edit goes to no registry, also when we are started again, until the edit is put right', async () => {
  await put('a', { ...SAMPLE_SPEC, namespaces: 'web,api' });
  await told('a', 'Distributed');
  await edit('a', { docker: WRONG });
  await told('a', 'SpecInvalid');
  expect(await logins('a', 'web')).toEqual({ [HOST]: GOOD });
  await repaired('a', 'api', { [HOST]: GOOD });
  expect(await metric(replica, 'registry_credential_helper_resources_invalid')).toBe(1);

  await restart();
  await settled(world);
  expect(await logins('a', 'web')).toEqual({ [HOST]: GOOD });
  await repaired('a', 'api', { [HOST]: GOOD });
  const master = await world.cluster.get('secrets', 'registry-credential-helper-state-default', 'kube-system');
  const kept = Object.entries(master?.data ?? {}).map(
    ([key, value]) => [key, Buffer.from(value, 'base64').toString()] as const,
  );
  for (const [, text] of kept) expect(text).not.toContain(OTHER.password);
  expect(Object.fromEntries(kept)['resources.json']).not.toContain(password);

  await edit('a', { docker: { ...WRONG, server: 'b.example' } });
  await told('a', 'Distributed');
  for (const namespace of ['web', 'api']) expect(await logins('a', namespace)).toEqual({ 'b.example': OTHER });
  expect(await metric(replica, 'registry_credential_helper_resources_invalid')).toBe(0);
});

test('[tcr S4] while an edit is wrong, the password of a Secret is followed with the user name that it belongs to', async () => {
  const stringData = { password: 'first-fake-password' };
  await world.cluster.create('secrets', { metadata: { name: 'login' }, stringData }, 'kube-system');
  const passwordSecretRef = { name: 'login' };
  await put('b', { namespaces: 'web', docker: { server: HOST, username, passwordSecretRef } });
  await told('b', 'Distributed');
  await edit('b', { docker: { server: 'https://b.example', username: 'theirs' } });
  await told('b', 'SpecInvalid');
  for (const next of ['second-fake-password', 'third-fake-password']) {
    await world.cluster.patch('secrets', 'login', { stringData: { password: next } }, 'kube-system');
    await eventually('it is followed', async () => {
      const auth = (await world.cluster.auths('web', 'tcr.ipsb'))?.[HOST];
      return auth?.password === next && auth.username === username;
    });
    await restart();
  }
});

test('what a resource meant is remembered also by who may not list resources at first', async () => {
  await put('c', { ...SAMPLE_SPEC, namespaces: 'web' });
  await told('c', 'Distributed');
  await edit('c', { docker: { server: 'https://b.example' } });
  await told('c', 'SpecInvalid');
  const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/registry-credential-helper';
  const role = (await world.plane.request({ path })).body as { readonly rules: readonly Rule[] };
  const setRules = async (rules: readonly Rule[]): Promise<void> => {
    const contentType = 'application/merge-patch+json';
    expect((await world.plane.request({ method: 'PATCH', path, body: { rules }, contentType })).status).toBe(200);
  };
  for (const lacking of ['imagepullsecrets', 'customresourcedefinitions']) {
    await settled(world);
    await replica.stop();
    await setRules(role.rules.filter(({ resources }) => !resources.includes(lacking)));
    await world.cluster.remove('secrets', 'tcr.ipsc', 'web');
    replica = await world.startController();
    // It leads, and has written its master copy.
    await eventually('the right is missed', async () => (await replica.output()).includes(lacking));
    await settled(world);
    expect(await logins('c', 'web')).toBeUndefined();
    await setRules(role.rules);
    await eventually('it is repaired', () => logins('c', 'web'), 60_000);
    expect(await logins('c', 'web')).toEqual({ [HOST]: GOOD });
  }
});

interface Rule {
  readonly resources: readonly string[];
}
