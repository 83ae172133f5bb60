// `ImagePullSecret` resources on a real cluster: what they bring, how they follow edits, and what stays when they go.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { TestObject } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { settled } from '../support/expectations.ts';
import { applyCrd, CRD_NAME, resource, RESOURCES_PATH, SAMPLE_SPEC, vendorCrd } from '../support/image-pull-secrets.ts';
import { kubectlOf } from '../support/kubectl.ts';
import { eventsIn, programCalls } from '../support/program-calls.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(60_000);

const CR = 'tcr-a1b2c3d4-vpc';
const SECRET = `tcr.ips${CR}`;
const HOST = SAMPLE_SPEC.docker.server;

let world: World;
let replica: Replica;

beforeAll(async () => {
  world = await startWorld();
  await applyCrd(await kubectlOf(world.plane));
  for (const name of ['web', 'api', 'db']) await tenant(name);
  replica = await world.startController();
}, 120_000);
afterAll(() => world.stop());

async function tenant(name: string): Promise<void> {
  await world.cluster.namespace(name);
  await world.cluster.serviceAccount(name, 'default', ['theirs']);
  await world.cluster.serviceAccount(name, 'builder');
  await world.cluster.serviceAccount(name, 'other');
}

const put = (name: string, spec: object): Promise<TestObject> =>
  world.cluster.create('imagepullsecrets', resource(name, spec));
const edit = (name: string, spec: object): Promise<TestObject> =>
  world.cluster.patch('imagepullsecrets', name, { spec });

interface Status {
  readonly secretsDesired: number;
  readonly secretsSuccess: number;
  readonly sAsDesired: number;
  readonly sAsSuccess: number;
  readonly secretUpdateSuccessful: readonly { readonly namespacedName: string; readonly updatedAt: string }[];
  readonly serviceAccountsModifySuccessful: readonly { readonly namespacedName: string; readonly updatedAt: string }[];
  readonly observedGeneration: number;
  readonly expiresAt?: string;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }[];
}

async function statusOf(name: string): Promise<Status | undefined> {
  return (await world.cluster.get('imagepullsecrets', name))?.status as Status | undefined;
}

/** Waits until `Ready` has this reason for the present generation. */
function ready(name: string, reason = 'Distributed'): Promise<Status> {
  return eventually(`${name} is ${reason}`, async () => {
    const object = await world.cluster.get('imagepullsecrets', name);
    const status = object?.status as Status | undefined;
    const { generation } = object?.metadata as unknown as { generation: number };
    const condition = status?.conditions.find(({ type }) => type === 'Ready');
    return status?.observedGeneration === generation && condition?.reason === reason ? status : undefined;
  });
}

describe('the vendor’s sample', () => {
  test('[tcr C3] [tcr S1] [tcr C7] [tcr C8] works as it stands, and its status converges', async () => {
    await put(CR, SAMPLE_SPEC);
    const status = await ready(CR);
    const namespaces = (await world.cluster.list('namespaces')).map(({ metadata }) => metadata.name);
    expect(namespaces).toContain('kube-system');
    expect(status).toMatchObject({
      secretsDesired: namespaces.length,
      secretsSuccess: namespaces.length,
      sAsSuccess: status.sAsDesired,
    });
    const secret = await world.cluster.get('secrets', SECRET, 'web');
    expect(secret?.type).toBe('kubernetes.io/dockerconfigjson');
    expect(Object.keys(secret?.data ?? {})).toEqual(['.dockerconfigjson']);
    const auth = (await world.cluster.auths('web', SECRET))?.[HOST];
    const { username, password } = SAMPLE_SPEC.docker;
    expect(auth).toMatchObject({ username, password });
    expect(Buffer.from(auth?.auth ?? '', 'base64').toString()).toBe(`${username}:${password}`);
    for (const { namespacedName, updatedAt } of status.secretUpdateSuccessful) {
      expect(namespacedName).toMatch(/^[a-z0-9-]+\/tcr\.ips/);
      expect(updatedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    }
    expect((await world.cluster.get('imagepullsecrets', CR))?.metadata).toMatchObject({ generation: 1 });
  });

  test('[tcr A1] [tcr A2] keeps what was there, and appends its reference once', async () => {
    expect(await world.cluster.references('web', 'default')).toEqual(['theirs', SECRET]);
    expect(await world.cluster.references('web', 'builder')).toEqual([SECRET]);
    expect(await world.cluster.references('web', 'other')).toEqual([]);
  });

  test('[tcr C5] [tcr S2] reaches a namespace that comes later', async () => {
    await tenant('later');
    await eventually('the new namespace is served', async () =>
      (await world.cluster.references('later', 'default')).includes(SECRET),
    );
    expect(await world.cluster.auths('later', SECRET)).toHaveProperty([HOST]);
  });

  test('[tcr C10] writes nothing more when nothing changes, also after a restart', async () => {
    await eventually('the status counts the last namespace', async () => {
      const namespaces = await world.cluster.list('namespaces');
      return (await statusOf(CR))?.secretsSuccess === namespaces.length;
    });
    const before = await settled(world);
    await replica.stop();
    replica = await world.startController();
    await settled(world);
    const writes = (await programCalls(world, before)).filter(
      ({ verb, resource: kind }) => !['get', 'list', 'watch'].includes(verb) && kind !== 'events',
    );
    expect(writes).toEqual([]);
  });

  test('[tcr C10] shows its password nowhere', async () => {
    const { password } = SAMPLE_SPEC.docker;
    const seen = [
      await replica.output(),
      (await replica.http('/metrics'))?.text,
      (await replica.http('/readyz?verbose'))?.text,
      JSON.stringify(await statusOf(CR)),
      JSON.stringify(await world.cluster.list('events')),
    ].join('\n');
    expect(seen).toContain(CR);
    expect(seen).not.toContain(password);
    expect(seen).not.toContain(Buffer.from(password).toString('base64'));
  });

  test('[tcr S5] puts right what was edited or deleted', async () => {
    await world.cluster.patch('secrets', SECRET, { data: { '.dockerconfigjson': 'e30=' } }, 'web');
    await world.cluster.remove('secrets', SECRET, 'api');
    await eventually('both are right again', async () => {
      const auths = [await world.cluster.auths('web', SECRET), await world.cluster.auths('api', SECRET)];
      return auths.every((auth) => auth?.[HOST] !== undefined);
    });
  });

  test('[tcr A4] brings its reference back when somebody removed it', async () => {
    await world.cluster.patch('serviceaccounts', 'default', { imagePullSecrets: [{ name: 'theirs' }] }, 'web');
    await eventually('the reference is back', async () =>
      (await world.cluster.references('web', 'default')).includes(SECRET),
    );
  });

  test('[tcr S7] writes nothing into a namespace that is being deleted, and does not try again and again', async () => {
    await tenant('leaving');
    await eventually('it is served', async () => (await world.cluster.auths('leaving', SECRET)) !== undefined);
    await world.cluster.patch('namespaces', 'leaving', { metadata: { finalizers: ['example.com/held'] } });
    await world.cluster.remove('namespaces', 'leaving');
    await world.cluster.remove('secrets', SECRET, 'leaving');
    const status = await eventually('it does not count any more', async () => {
      const now = await statusOf(CR);
      const namespaces = (await world.cluster.list('namespaces')).length;
      return now?.secretsDesired === namespaces - 1 ? now : undefined;
    });
    expect(status.secretsSuccess).toBe(status.secretsDesired);
    const mark = await settled(world);
    expect(await world.cluster.get('secrets', SECRET, 'leaving')).toBeUndefined();
    expect(mark).toBeGreaterThan(0);
    await world.cluster.patch('namespaces', 'leaving', { metadata: { finalizers: null } });
  });
});

describe('an edit', () => {
  test.each<[string, object, string, object]>([
    ['the password', { docker: { password: 'another-fake-password' } }, HOST, { password: 'another-fake-password' }],
    ['the user name', { docker: { username: '100099990002' } }, HOST, { username: '100099990002' }],
    ['the server', { docker: { server: 'acme-prod.tencentcloudcr.com' } }, 'acme-prod.tencentcloudcr.com', {}],
  ])('[tcr S4] of %s rewrites every Secret in place', async (_what, spec, host, entry) => {
    const before = await world.cluster.get('secrets', SECRET, 'db');
    await edit(CR, spec);
    const status = await ready(CR);
    expect(status.secretsSuccess).toBe(status.secretsDesired);
    for (const namespace of ['web', 'api', 'db', 'kube-system']) {
      const auths = await world.cluster.auths(namespace, SECRET);
      expect(Object.keys(auths ?? {})).toEqual([host]);
      expect(auths?.[host]).toMatchObject(entry);
    }
    expect((await world.cluster.get('secrets', SECRET, 'db'))?.metadata.uid).toBe(before?.metadata.uid);
  });

  test('[tcr A4] that narrows `serviceAccounts` removes our references only', async () => {
    await edit(CR, { serviceAccounts: 'builder' });
    await eventually('default has lost ours', async () => {
      const references = await world.cluster.references('web', 'default');
      return references.length === 1 && references[0] === 'theirs';
    });
    expect(await world.cluster.references('web', 'builder')).toEqual([SECRET]);
  });

  test('[tcr S6] that narrows `namespaces` removes our Secrets only', async () => {
    const stringData = { '.dockerconfigjson': '{"auths":{}}' };
    const own = { metadata: { name: 'own' }, type: 'kubernetes.io/dockerconfigjson', stringData };
    await world.cluster.create('secrets', own, 'api');
    await edit(CR, { namespaces: ' web , db,', serviceAccounts: '*' });
    const status = await ready(CR);
    expect(status).toMatchObject({ secretsDesired: 2, secretsSuccess: 2, sAsDesired: 6, sAsSuccess: 6 });
    const left = await eventually('the others have lost it', async () => {
      const secrets = (await world.cluster.list('secrets')).filter(({ metadata }) => metadata.name === SECRET);
      return secrets.length === 2 ? secrets.map(({ metadata }) => metadata.namespace).sort() : undefined;
    });
    expect(left).toEqual(['db', 'web']);
    expect(await world.cluster.get('secrets', 'own', 'api')).toBeDefined();
    expect(await world.cluster.references('api', 'builder')).toEqual([]);
  });

  test('[tcr C6] [tcr V2] that is wrong is told by condition and Event, never widens, and undoes nothing', async () => {
    await edit(CR, { namespaces: '*,web', docker: { server: 'https://acme-prod.tencentcloudcr.com/v2' } });
    const stalled = await ready(CR, 'SpecInvalid');
    const [message = ''] = stalled.conditions.filter(({ type }) => type === 'Stalled').map((one) => one.message);
    expect(message).toContain('spec.namespaces');
    expect(message).toContain('spec.docker.server');
    // What cannot be understood as a whole stays as it was.
    expect(await world.cluster.auths('db', SECRET)).toHaveProperty(['acme-prod.tencentcloudcr.com']);
    await eventually('an Event tells', async () =>
      (await eventsIn(world, 'default')).some(
        ({ reason, involvedObject }) => reason === 'SpecInvalid' && involvedObject.name === CR,
      ),
    );
    await edit(CR, { docker: { server: HOST } });
    const partly = await ready(CR, 'SpecInvalid');
    expect(partly).toMatchObject({ secretsDesired: 1, secretsSuccess: 1 });
    expect(await world.cluster.auths('api', SECRET)).toBeUndefined();
    await edit(CR, { namespaces: 'web' });
    await ready(CR);
  });
});

describe('several sources', () => {
  test('[tcr A5] two resources give a namespace two Secrets and two references', async () => {
    await put('second', {
      namespaces: 'web',
      serviceAccounts: '',
      docker: { ...SAMPLE_SPEC.docker, server: 'b.example' },
    });
    await ready('second');
    expect(await world.cluster.references('web', 'default')).toEqual(['theirs', SECRET, 'tcr.ipssecond']);
    expect(await world.cluster.auths('web', 'tcr.ipssecond')).toHaveProperty(['b.example']);
  });

  test('a resource and the ConfigMap may serve one registry', async () => {
    const stringData = { username: 'puller', password: 'not-a-real-password' };
    await world.cluster.create('secrets', { metadata: { name: 'static-login' }, stringData }, 'kube-system');
    await world.configure({
      'watch-namespace': 'web',
      'service-account': 'default',
      'registry-info': '- provider: static\n  domains: b.example\n  secretRef: {name: static-login}\n',
    });
    await eventually('both are referred to', async () => {
      const references = await world.cluster.references('web', 'default');
      return ['tcr.ipssecond', 'registry-credentials'].every((name) => references.includes(name));
    });
    await world.configure({ 'registry-info': '[]' });
    await eventually(
      'the ConfigMap’s is gone',
      async () => !(await world.cluster.references('web', 'default')).includes('registry-credentials'),
    );
    expect(await world.cluster.references('web', 'default')).toContain('tcr.ipssecond');
  });

  test('[tcr K1] [tcr S4] a password from a Secret is followed, and so is another Secret, and a token tells when it ends', async () => {
    const token = tokenUntil(Date.parse('2036-01-01T00:00:00Z'));
    const stringData = { password: token };
    await world.cluster.create('secrets', { metadata: { name: 'tcr-login' }, stringData }, 'kube-system');
    const { server, username } = SAMPLE_SPEC.docker;
    await put('by-secret', {
      namespaces: 'db',
      docker: { server, username, passwordSecretRef: { name: 'tcr-login' } },
    });
    const status = await ready('by-secret');
    expect(status.expiresAt).toBe('2036-01-01T00:00:00Z');
    expect(status.conditions.find(({ type }) => type === 'PasswordExpiring')).toMatchObject({ status: 'False' });
    await world.cluster.patch(
      'secrets',
      'tcr-login',
      { stringData: { password: 'plain-fake-password' } },
      'kube-system',
    );
    await eventually('the new password is distributed', async () => {
      const auth = (await world.cluster.auths('db', 'tcr.ipsby-secret'))?.[server];
      return auth?.password === 'plain-fake-password';
    });
    const other = { metadata: { name: 'other-login' }, stringData: { token: 'other-fake-password' } };
    await world.cluster.create('secrets', other, 'kube-system');
    await edit('by-secret', { docker: { passwordSecretRef: { name: 'other-login', key: 'token' } } });
    await eventually('the password of the other Secret is distributed', async () => {
      const auth = (await world.cluster.auths('db', 'tcr.ipsby-secret'))?.[server];
      return auth?.password === 'other-fake-password';
    });
    await eventually('nothing is said of an end any more', async () => {
      const now = await statusOf('by-secret');
      return now?.expiresAt === undefined && now?.conditions.every(({ type }) => type !== 'PasswordExpiring');
    });
  });

  test('nobody can switch off a resource by naming its Secret as a key, also when we are started again', async () => {
    const { server } = SAMPLE_SPEC.docker;
    const passwordIn = async (namespace: string): Promise<string | undefined> =>
      (await world.cluster.auths(namespace, 'tcr.ipsby-secret'))?.[server]?.password;
    const rotate = (token: string) =>
      world.cluster.patch('secrets', 'other-login', { stringData: { token } }, 'kube-system');
    const tcr = { registryId: 'tcr-a1b2c3d4', region: 'ap-guangzhou', apiKeySecretRef: { name: 'other-login' } };
    await put('switch', { namespaces: 'nowhere', tcr });
    const status = await ready('switch', 'KeyConflict');
    expect(status.conditions.find(({ type }) => type === 'Stalled')?.message).toContain('ImagePullSecret by-secret');
    await rotate('rotated-fake-password');
    await eventually('it is followed', async () => (await passwordIn('db')) === 'rotated-fake-password');
    await settled(world);
    await replica.stop();
    replica = await world.startController();
    await edit('by-secret', { namespaces: 'db,api' });
    await eventually('it reaches a new namespace', async () => (await passwordIn('api')) === 'rotated-fake-password');
    await ready('by-secret');
    await ready('switch', 'KeyConflict');

    // Who was refused is served when the other is gone, and the other way round.
    await edit('by-secret', {
      namespaces: 'db',
      docker: { passwordSecretRef: { name: 'tcr-login', key: 'password' } },
    });
    await eventually('the conflict is over', async () => {
      const now = await statusOf('switch');
      return now?.conditions.every(({ reason }) => reason !== 'KeyConflict');
    });
    await edit('by-secret', { docker: { passwordSecretRef: { name: 'other-login', key: 'token' } } });
    await ready('by-secret', 'KeyConflict');
    expect(await passwordIn('db')).toBe('plain-fake-password');
    await world.cluster.remove('imagepullsecrets', 'switch');
    await ready('by-secret');
    expect(await passwordIn('db')).toBe('rotated-fake-password');
  });

  test('[tcr K1] a token that ends soon, or has ended, is told and distributed all the same', async () => {
    const password = tokenUntil(Date.now() - 60_000);
    await put('ended', { namespaces: 'db', docker: { ...SAMPLE_SPEC.docker, password } });
    const status = await ready('ended');
    expect(status.conditions.find(({ type }) => type === 'PasswordExpiring')).toMatchObject({
      status: 'True',
      reason: 'PasswordExpired',
    });
    expect((await world.cluster.auths('db', 'tcr.ipsended'))?.[HOST]).toMatchObject({ password });
    await eventually('an Event tells', async () =>
      (await eventsIn(world, 'default')).some(({ reason }) => reason === 'PasswordExpired'),
    );
    const metrics = (await replica.http('/metrics'))?.text ?? '';
    expect(metrics).toMatch(/credential_expir\w+\{[^}]*image-pull-secret\/ended/);
  });
});

describe('a resource that goes', () => {
  test('[tcr S6] takes its Secrets and references along, and nothing else', async () => {
    await world.cluster.remove('imagepullsecrets', 'second');
    await eventually(
      'its reference is gone',
      async () => !(await world.cluster.references('web', 'default')).includes('tcr.ipssecond'),
    );
    await eventually(
      'its Secret is gone',
      async () => (await world.cluster.auths('web', 'tcr.ipssecond')) === undefined,
    );
    expect(await world.cluster.references('web', 'default')).toEqual(['theirs', SECRET]);
  });

  test('[tcr S6] while we are down is not held up, and cleaned up after when we are back', async () => {
    await settled(world);
    await replica.stop();
    await world.cluster.remove('imagepullsecrets', 'by-secret');
    expect(await world.cluster.get('imagepullsecrets', 'by-secret')).toBeUndefined();
    expect(await world.cluster.auths('db', 'tcr.ipsby-secret')).toBeDefined();
    replica = await world.startController();
    await eventually('what it left is gone', async () => {
      const references = await world.cluster.references('db', 'default');
      return (
        !references.includes('tcr.ipsby-secret') && (await world.cluster.auths('db', 'tcr.ipsby-secret')) === undefined
      );
    });
    expect(await world.cluster.auths('web', SECRET)).toBeDefined();
  });

  test('[tcr S6] and could not be understood since we were started leaves nothing either', async () => {
    const spec = { ...SAMPLE_SPEC, namespaces: 'api,db', serviceAccounts: 'other' };
    await put('lost', spec);
    await ready('lost');
    const server = 'https://acme-prod.tencentcloudcr.com/v2';
    await edit('lost', { docker: { server } });
    await ready('lost', 'SpecInvalid');
    await replica.stop();
    replica = await world.startController();
    await settled(world);
    expect(await world.cluster.auths('db', 'tcr.ipslost')).toHaveProperty([HOST]);
    expect(await world.cluster.references('api', 'other')).toContain('tcr.ipslost');
    // What it meant is remembered: it is repaired, and served, as before.
    await world.cluster.remove('secrets', 'tcr.ipslost', 'db');
    await eventually('it is repaired', () => world.cluster.auths('db', 'tcr.ipslost'));
    const master = await world.cluster.get('secrets', 'registry-credential-helper-state-default', 'kube-system');
    const kept = Buffer.from(master?.data?.['resources.json'] ?? '', 'base64').toString();
    expect(kept).toContain('"name":"lost"');
    expect(kept).not.toContain(SAMPLE_SPEC.docker.password);
    // Mended, and narrower.
    await edit('lost', { namespaces: 'db', docker: { server: HOST } });
    await ready('lost');
    await eventually('it is taken out where it does not reach', async () => {
      const secret = await world.cluster.get('secrets', 'tcr.ipslost', 'api');
      return secret === undefined && !(await world.cluster.references('api', 'other')).includes('tcr.ipslost');
    });
    await edit('lost', { docker: { server } });
    await ready('lost', 'SpecInvalid');
    await replica.stop();
    replica = await world.startController();
    await settled(world);
    await world.cluster.remove('imagepullsecrets', 'lost');
    await eventually('nothing of it is left', async () => {
      const secret = await world.cluster.get('secrets', 'tcr.ipslost', 'db');
      return secret === undefined && !(await world.cluster.references('db', 'other')).includes('tcr.ipslost');
    });
  });

  test('with its definition takes nothing along, also when we are started again', async () => {
    const kubectl = await kubectlOf(world.plane);
    expect((await kubectl(['delete', 'crd', CRD_NAME, '--wait=true'])).code).toBe(0);
    await eventually('it is told', async () =>
      (await replica.output()).includes('Definition of ImagePullSecret is gone'),
    );
    await settled(world);
    expect(await world.cluster.references('web', 'default')).toEqual(['theirs', SECRET]);
    await replica.stop();
    replica = await world.startController();
    await settled(world);
    expect(await world.cluster.references('web', 'default')).toEqual(['theirs', SECRET]);
    expect(await world.cluster.auths('web', SECRET)).toHaveProperty([HOST]);
    await applyCrd(kubectl, vendorCrd());
    await eventually('the kind is served again', async () =>
      (await replica.lines()).some(
        ({ state, message }) => message === 'Looked for ImagePullSecret resources' && state === 'served',
      ),
    );
    await settled(world);
    expect(await world.cluster.references('web', 'default')).toEqual(['theirs', SECRET]);
    expect(await world.cluster.auths('web', SECRET)).toHaveProperty([HOST]);
  });
});

describe('under the vendor’s definition, which keeps nothing of ours', () => {
  test('[tcr C3] [tcr C4] the sample works, unknown lists stay, and nothing is written again and again', async () => {
    await put(CR, { ...SAMPLE_SPEC, namespaces: 'web', excludeNamespaces: 'web' });
    const object = await world.cluster.get('imagepullsecrets', CR);
    expect(object?.spec).not.toHaveProperty('excludeNamespaces');
    await world.plane.request({
      method: 'PATCH',
      path: `${RESOURCES_PATH}/${CR}/status`,
      body: { status: { SAsDesired: 7, unknownList: ['kept'] } },
      contentType: 'application/merge-patch+json',
    });
    const status = await eventually('it is served', async () => {
      const now = await statusOf(CR);
      return now?.secretsSuccess === 1 && now.sAsSuccess === now.sAsDesired ? now : undefined;
    });
    expect(status).toMatchObject({ SAsDesired: 7, unknownList: ['kept'] });
    const mark = await settled(world);
    await tenant('yet-another');
    await settled(world);
    const writes = (await programCalls(world, mark)).filter(({ verb }) => verb === 'patch');
    expect(writes).toEqual([]);
  });
});

/** A token as the cloud mints them, until this instant; its signature is none. */
function tokenUntil(endsAt: number): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { ownerUin: '100099990001', iat: Math.floor(endsAt / 1_000) - 3_600, exp: Math.floor(endsAt / 1_000) };
  return `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}.ZmFrZQ`;
}
