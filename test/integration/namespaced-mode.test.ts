// An installation that serves listed namespaces with Roles in those alone: exactly the rights of docs/rbac-namespaced.yaml, and no more.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { webhookName } from '../../src/core/names.ts';
import { eventually } from '../support/eventually.ts';
import { applyCrd, resource } from '../support/image-pull-secrets.ts';
import { kubectlOf } from '../support/kubectl.ts';
import { DOCUMENTED, grantIn, grantInstallation, revokeIn, userOf, type Names } from '../support/namespaced-rights.ts';
import { runCommand } from '../support/run-command.ts';
import { linesSaying } from '../support/signs.ts';
import { admit, startServing, webhookObject } from '../support/webhook.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

const BLUE: Names = { namespace: 'pulls', name: 'blue-helper', instance: 'blue', configMap: 'my-registries' };
const OWN = DOCUMENTED.namespace;
const SECRET = 'registry-credentials';
const RESOURCE = 'partner';
const RESOURCE_SECRET = `tcr.ips${RESOURCE}`;
const PASSWORD = 'not-a-real-password';
const SPEC = {
  namespaces: '*',
  serviceAccounts: '*',
  docker: { server: 'b.example', username: 'u', password: PASSWORD },
};
const SERVED = 'team-a,team-late,team-locked';

jest.setTimeout(120_000);

let world: World;
let replica: Replica;

const flagsOf = (names: Names, configMap: string): readonly string[] => [
  `--kubeconfig=${world.plane.kubeconfig(userOf(names))}`,
  `--config-map=${names.namespace}/${configMap}`,
  `--instance=${names.instance}`,
];
const green = (): readonly string[] => [...flagsOf(DOCUMENTED, 'acr-configuration'), `--namespaces=${SERVED}`];

async function tenant(name: string): Promise<void> {
  await world.cluster.namespace(name);
  await world.cluster.serviceAccount(name, 'default', ['theirs']);
}

const configuration = (namespaces: string) => ({
  'watch-namespace': namespaces,
  'service-account': '*',
  'registry-info': '- provider: static\n  domains: a.example\n  secretRef: {name: static-login}\n',
  'webhook-configuration': 'enable: true\n',
});

async function install(names: Names, configMap: string, data: Readonly<Record<string, string>>): Promise<void> {
  const { namespace } = names;
  await world.cluster.namespace(namespace);
  await grantInstallation(world, names);
  const stringData = { username: 'puller', password: PASSWORD };
  await world.cluster.create('secrets', { metadata: { name: 'static-login' }, stringData }, namespace);
  await world.cluster.create('configmaps', { metadata: { name: configMap }, data }, namespace);
}

beforeAll(async () => {
  const users = [DOCUMENTED, BLUE].map((names) => ({ name: userOf(names), groups: ['system:serviceaccounts'] }));
  world = await startWorld({ rights: 'none', plane: { users } });
  await applyCrd(await kubectlOf(world.plane));
  for (const name of ['team-a', 'team-locked', 'team-private']) await tenant(name);
  // Of an earlier time, in a namespace that left the list: nobody here may know of it.
  const labels = {
    'app.kubernetes.io/managed-by': 'registry-credential-helper',
    'app.kubernetes.io/instance': 'default',
  };
  await world.cluster.create('secrets', { metadata: { name: 'left', labels } }, 'team-private');
  await install(DOCUMENTED, 'acr-configuration', configuration('team-*,elsewhere'));
  await grantIn(world, DOCUMENTED, 'team-a');
  await world.cluster.create('imagepullsecrets', resource(RESOURCE, SPEC));
  replica = await startServing(world, { args: green() });
}, 120_000);
afterAll(() => world.stop());

/** What the API server says that `names` may do. */
async function may(names: Names, verb: string, what: string, namespace?: string): Promise<boolean> {
  const { body } = await world.plane.request({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    user: userOf(names),
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: {
        resourceAttributes: { verb, group: '', resource: what, ...(namespace === undefined ? {} : { namespace }) },
      },
    },
  });
  return (body as { readonly status: { readonly allowed: boolean } }).status.allowed;
}

const isServed = async (namespace: string, ...secrets: readonly string[]): Promise<boolean> => {
  const references = await world.cluster.references(namespace, 'default');
  const found = (await world.cluster.list('secrets', namespace)).map(({ metadata }) => metadata.name);
  return secrets.every((name) => references.includes(name) && found.includes(name));
};
const served = (namespace: string, ...secrets: readonly string[]): Promise<unknown> =>
  eventually(`${namespace} is served`, () => isServed(namespace, ...secrets), 60_000);

/** Everything in a namespace that a person would miss, with its versions. */
const picture = async (namespace: string): Promise<readonly string[]> =>
  [
    ...(await world.cluster.list('secrets', namespace)),
    ...(await world.cluster.list('serviceaccounts', namespace)),
  ].map(({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`);

interface Status {
  readonly secretsDesired: number;
  readonly secretsSuccess: number;
  readonly secretUpdateFailed?: readonly { readonly namespacedName: string; readonly reason: string }[];
  readonly conditions: readonly { readonly type: string; readonly reason: string; readonly message: string }[];
}
const statusSays = (what: string, says: (status: Status) => boolean): Promise<Status> =>
  eventually(`the status says ${what}`, async () => {
    const status = (await world.cluster.get('imagepullsecrets', RESOURCE))?.status as Status | undefined;
    return status !== undefined && says(status) && status;
  });

/** Calls of `names` that the API server refused, but those in `namespaces`. */
const refusedElsewhere = async (names: Names, ...namespaces: readonly string[]): Promise<readonly string[]> =>
  (await world.plane.auditEvents())
    .filter(
      ({ user, code, namespace = '' }) => user === userOf(names) && code === 403 && !namespaces.includes(namespace),
    )
    .map(({ verb, requestURI }) => `${verb} ${requestURI}`);

describe('[tcr M7] with Roles in listed namespaces alone', () => {
  test('there is no right on Secrets beyond them', async () => {
    for (const what of ['secrets', 'serviceaccounts', 'configmaps', '*']) {
      expect([what, await may(DOCUMENTED, 'list', what)]).toEqual([what, false]);
    }
    for (const verb of ['get', 'list', 'watch', 'create', 'patch', 'delete']) {
      expect([verb, await may(DOCUMENTED, verb, 'secrets', 'team-private')]).toEqual([verb, false]);
      expect([verb, await may(DOCUMENTED, verb, 'secrets', 'team-a')]).toEqual([verb, true]);
    }
    expect(await may(DOCUMENTED, 'get', 'secrets', 'kube-system')).toBe(false);
  });

  test('rules of the ConfigMap and resources are served there, and nothing is touched where they match and the list does not', async () => {
    await served('team-a', SECRET, RESOURCE_SECRET);
    expect(await world.cluster.references('team-a', 'default')).toEqual(
      expect.arrayContaining(['theirs', SECRET, RESOURCE_SECRET]),
    );
    expect((await world.cluster.auths('team-a', SECRET))?.['a.example']).toMatchObject({ password: PASSWORD });
    expect((await world.cluster.auths('team-a', RESOURCE_SECRET))?.['b.example']).toMatchObject({ password: PASSWORD });
    expect(await world.cluster.references('team-private', 'default')).toEqual(['theirs']);
    expect((await world.cluster.list('secrets', 'team-private')).map(({ metadata }) => metadata.name)).toEqual([
      'left',
    ]);
    expect((await world.cluster.list('secrets', 'default')).map(({ metadata }) => metadata.name)).toEqual([]);
  });

  test('one without its Role holds up nobody, and is named with the rights that it lacks, once', async () => {
    expect((await replica.http('/readyz'))?.status).toBe(200);
    const status = await statusSays(
      'what is missing',
      ({ secretUpdateFailed = [] }) => secretUpdateFailed.length === 1,
    );
    expect(status).toMatchObject({
      secretsDesired: 2,
      secretsSuccess: 1,
      secretUpdateFailed: [{ namespacedName: `team-locked/${RESOURCE_SECRET}`, reason: 'NamespaceUnreadable' }],
    });
    const refusals = async () =>
      (await world.plane.auditEvents()).filter(
        ({ user, code, namespace, resource: kind }) =>
          user === userOf(DOCUMENTED) && code === 403 && namespace === 'team-locked' && kind === 'secrets',
      ).length;
    await eventually('it was tried again and again', async () => (await refusals()) > 2, 60_000);
    const told = await linesSaying(replica, 'Reading the cluster failed', { kind: 'secrets in team-locked' });
    expect(told).toHaveLength(1);
    expect(JSON.stringify(told)).toMatch(/cannot list resource .{1,3}secrets.* in the namespace .{1,3}team-locked/);
    const rights = (await linesSaying(replica, 'A right is missing')).map(({ detail }) => String(detail)).sort();
    expect(rights).toEqual(
      ['team-late', 'team-locked'].map((name) => expect.stringContaining(`in the namespace ${name}:`)),
    );
    expect(await world.cluster.references('team-locked', 'default')).toEqual(['theirs']);
  });

  test('one that comes later is served by itself as soon as its Role is there, though nothing is in it', async () => {
    await world.cluster.namespace('team-late');
    await grantIn(world, DOCUMENTED, 'team-late');
    await eventually('its Secrets are there', async () => {
      const names = (await world.cluster.list('secrets', 'team-late')).map(({ metadata }) => metadata.name);
      return [SECRET, RESOURCE_SECRET].every((name) => names.includes(name));
    });
    await world.cluster.serviceAccount('team-late', 'default');
    await served('team-late', SECRET, RESOURCE_SECRET);
    await statusSays('that both are done', ({ secretsSuccess }) => secretsSuccess === 2);
  });

  test('one whose Role comes later, too, and is left alone again while it is taken away', async () => {
    await grantIn(world, DOCUMENTED, 'team-locked');
    await served('team-locked', SECRET, RESOURCE_SECRET);
    await statusSays('that all is done', ({ conditions }) =>
      conditions.some(({ type, reason }) => type === 'Ready' && reason === 'Distributed'),
    );
    await revokeIn(world, 'team-locked');
    await replica.stop();
    replica = await startServing(world, { args: green() });
    await statusSays('that it may not be read', ({ secretUpdateFailed = [] }) =>
      secretUpdateFailed.some(({ namespacedName }) => namespacedName === `team-locked/${RESOURCE_SECRET}`),
    );
    await served('team-a', SECRET, RESOURCE_SECRET);
    expect(await isServed('team-locked', SECRET, RESOURCE_SECRET)).toBe(true);
  });

  test('a name of the configuration that is not in the list is a remark on it, once', async () => {
    const lines = await linesSaying(replica, 'Configuration has an issue');
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).toContain('so that nothing is written there: elsewhere; add it to --namespaces');
  });

  test('so is one of a resource, and its status claims nothing', async () => {
    await world.cluster.create('imagepullsecrets', resource('astray', { ...SPEC, namespaces: 'team-private' }));
    const status = await eventually('its status is there', async () => {
      const found = (await world.cluster.get('imagepullsecrets', 'astray'))?.status as Status | undefined;
      return found?.conditions.some(({ reason }) => reason === 'NothingMatches') === true && found;
    });
    expect(status).toMatchObject({ secretsDesired: 0, secretsSuccess: 0 });
    const lines = await linesSaying(replica, 'Resource has an issue', { resource: 'astray' });
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).toContain('so that nothing is written there: team-private; add it to --namespaces');
    expect((await world.cluster.list('secrets', 'team-private')).map(({ metadata }) => metadata.name)).toEqual([
      'left',
    ]);
  });

  test('metrics know kinds and no namespaces', async () => {
    const text = (await replica.http('/metrics'))?.text ?? '';
    const kinds = [...text.matchAll(/_watch_restarts\{kind="([^"]*)"/g)].map(([, kind]) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['namespaces', 'serviceaccounts', 'secrets']));
    expect(kinds.filter((kind) => kind === 'secrets')).toHaveLength(1);
    expect(text).not.toContain('team-');
  });

  test('the API server asks the webhook about the listed namespaces alone', async () => {
    const object = await eventually('the webhook object is there', () => webhookObject(world));
    expect(object.webhooks[0]?.namespaceSelector).toMatchObject({
      matchExpressions: expect.arrayContaining([
        { key: 'kubernetes.io/metadata.name', operator: 'In', values: ['team-a', 'team-late', 'team-locked'] },
      ]) as unknown,
    });
    const probe = (namespace: string) => admit(world, { namespace, name: 'probe' }, { dryRun: true });
    await eventually('the API server asks', async () => (await probe('team-a')).references.includes(SECRET));
    expect((await probe('team-private')).references).toEqual([]);
  });

  test('no call was refused but in the namespace without its Role, or before it was there', async () => {
    expect(await refusedElsewhere(DOCUMENTED, 'team-locked', 'team-late')).toEqual([]);
  });

  test('cleanup removes what is in them, names the one that it may not read, and touches nothing else', async () => {
    await replica.stop();
    const before = await picture('team-private');
    const partly = await runCommand(world, 'cleanup', [
      ...green().filter((flag) => !flag.startsWith('--namespaces=')),
      '--namespaces=team-late',
    ]);
    expect([partly.code, partly.output]).toEqual([0, expect.stringContaining('the master copy stay')]);
    expect(await world.cluster.list('secrets', 'team-late')).toEqual([]);
    expect(await isServed('team-a', SECRET)).toBe(true);
    expect(await world.cluster.get('secrets', 'registry-credential-helper-state-default', OWN)).toBeDefined();
    expect(await webhookObject(world)).toBeDefined();

    const misspelt = await runCommand(world, 'cleanup', [
      ...green().filter((flag) => !flag.startsWith('--namespaces=')),
      '--namespaces=team-late,team-alpha',
    ]);
    expect(misspelt).toMatchObject({ code: 1, output: expect.stringContaining('there is no namespace team-alpha') });

    const whole = [...green(), '--whole-installation'];
    const first = await runCommand(world, 'cleanup', whole);
    expect(first.output).toContain('may not read ServiceAccounts and Secrets in the namespace team-locked, left alone');
    expect(first.output).toContain(`deleted Secret team-a/${SECRET}`);
    expect(first.code).toBe(1);
    expect(await isServed('team-locked', SECRET)).toBe(true);

    await grantIn(world, DOCUMENTED, 'team-locked');
    const { code, output } = await runCommand(world, 'cleanup', whole);
    expect([code, output]).toEqual([0, expect.stringContaining(`deleted Secret team-locked/${SECRET}`)]);
    for (const name of ['team-a', 'team-late', 'team-locked']) {
      expect(await world.cluster.list('secrets', name)).toEqual([]);
    }
    expect(await world.cluster.references('team-a', 'default')).toEqual(['theirs']);
    expect(await world.cluster.references('team-locked', 'default')).toEqual(['theirs']);
    expect(await picture('team-private')).toEqual(before);
    const own = (await world.cluster.list('secrets', OWN)).map(({ metadata }) => metadata.name);
    expect(own).toEqual(['static-login']);
    expect(await webhookObject(world)).toBeUndefined();
  });
});

describe('[tcr M7] under names of one’s own', () => {
  test('instance, namespace, ServiceAccount, roles, ConfigMap, Secrets and declared resources work as well, with no right refused', async () => {
    await tenant('team-c');
    await install(BLUE, 'my-registries', { ...configuration('team-c'), 'secret-name': 'my-pull-secret' });
    await grantIn(world, BLUE, 'team-c');
    const declared = [{ name: 'blue-partner', spec: SPEC }];
    const stringData = { 'imagePullSecrets.json': JSON.stringify(declared) };
    await world.cluster.create('secrets', { metadata: { name: 'my-values' }, stringData }, BLUE.namespace);
    const flags = [...flagsOf(BLUE, 'my-registries'), '--namespaces=team-c'];
    const controllerFlags = ['--declared-resources=my-values', `--cluster-role=${BLUE.name}`];
    replica = await startServing(world, { args: [...flags, ...controllerFlags] });
    await served('team-c', 'my-pull-secret', 'tcr.ipsblue-partner', RESOURCE_SECRET);
    const path = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${webhookName('blue')}`;
    const object = await eventually('its webhook object is there', () => webhookObject(world, path));
    expect(object.metadata).toMatchObject({ ownerReferences: [{ kind: 'ClusterRole', name: BLUE.name }] });
    expect((await linesSaying(replica, 'A right is missing')).length).toBe(0);
    for (const name of ['team-a', 'team-late', 'team-locked'])
      expect(await world.cluster.list('secrets', name)).toEqual([]);

    await replica.stop();
    const { code } = await runCommand(world, 'cleanup', [...flags, '--whole-installation']);
    expect(code).toBe(0);
    expect(await refusedElsewhere(BLUE)).toEqual([]);
    expect(await world.cluster.list('secrets', 'team-c')).toEqual([]);
    expect(await world.cluster.references('team-c', 'default')).toEqual(['theirs']);
    const own = (await world.cluster.list('secrets', BLUE.namespace)).map(({ metadata }) => metadata.name).sort();
    expect(own).toEqual(['my-values', 'static-login']);
  });
});
