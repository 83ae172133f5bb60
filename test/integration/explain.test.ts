// The commands `explain pod` and `doctor` on a cluster where Pods were created before the reference, with it, and with pull secrets of
// their own; as an administrator, and as somebody with hardly any right.
import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { TCR_ASSISTANT } from '../../src/core/names.ts';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, registryInfo, secretsEverywhere } from '../support/expectations.ts';
import { applyCrd, resource, SAMPLE_PASSWORD, SAMPLE_SPEC } from '../support/image-pull-secrets.ts';
import { kubectlOf } from '../support/kubectl.ts';
import { findLeaks } from '../support/leaks.ts';
import { startWorld, type World } from '../support/world.ts';
import { PROGRAM_FILE } from '../support/program.ts';

jest.setTimeout(90_000);

const CR = 'tcr-a1b2c3d4-vpc';
const SECRET = `tcr.ips${CR}`;
const HOST = SAMPLE_SPEC.docker.server;
const SOMEBODY = 'somebody';
const DEVELOPER = 'developer';
const OWN = 'Pods with pull secrets of their own';

let world: World;

beforeAll(async () => {
  world = await startWorld({ plane: { users: [{ name: SOMEBODY }, { name: DEVELOPER }] } });
  await applyCrd(await kubectlOf(world.plane));
  for (const name of ['web', 'api']) await world.cluster.namespace(name);
  for (const name of ['default', 'builder']) await world.cluster.serviceAccount('web', name);
  await createPod('older', {});
  await createPod('lonely', { serviceAccountName: 'builder' });
  const spec = { ...SAMPLE_SPEC, namespaces: 'web', serviceAccounts: 'default' };
  await world.cluster.create('imagepullsecrets', resource(CR, spec));
  await world.startController();
  await eventually('the reference is there', async () =>
    (await world.cluster.references('web', 'default')).includes(SECRET),
  );
  await nextSecond();
  await createPod('given', {});
  await createPod('own', { imagePullSecrets: [{ name: 'mine' }] });
  await createPod('harmless', { imagePullSecrets: [{ name: 'mine' }], containers: [container('elsewhere.example/x')] });
}, 120_000);
afterAll(() => world.stop());

/** Instants in the API are whole seconds: what is made from now on is later than what was written so far. */
async function nextSecond(): Promise<void> {
  const second = Math.trunc(Date.now() / 1_000);
  await eventually('another second has begun', () => Promise.resolve(Date.now() / 1_000 > second + 1.1));
}

function container(image: string): object {
  return { name: 'main', image };
}

async function createPod(name: string, spec: Readonly<Record<string, unknown>>, namespace = 'web'): Promise<void> {
  const containers = [container(`${HOST}/team/app:1`)];
  await world.cluster.create('pods', { metadata: { name }, spec: { containers, ...spec } }, namespace);
}

/** Runs a command of the program as `user`. */
function run(
  user: string,
  ...args: readonly string[]
): Promise<{ readonly code: unknown; readonly out: string; readonly error: string }> {
  return new Promise((done) => {
    const env = { ...process.env, NODE_OPTIONS: '', KUBECONFIG: world.plane.kubeconfig(user) };
    execFile(process.execPath, [PROGRAM_FILE, ...args], { env }, (failed, out, error) =>
      done({ code: failed === null ? 0 : failed.code, out, error }),
    );
  });
}

const explain = (name: string, user = 'admin') => run(user, 'explain', 'pod', name, '-n', 'web');

describe('explain pod', () => {
  test('says of a Pod that got the reference that it works, with the registry and what it is given', async () => {
    const { code, out } = await explain('given');
    expect([code, out]).toEqual([0, expect.stringMatching(/It works: .*\n$/)]);
    expect(out).toContain(`with the Secret ${SECRET}: it is there, for ${HOST}; the ServiceAccount refers to it.`);
  });

  test('[tcr A7] says of one with pull secrets of its own that ours do not reach it, and what to do', async () => {
    const { code, out } = await explain('own');
    expect(code).toBe(6);
    expect(out).toContain(
      'The Pod names pull secrets of its own: mine. Kubernetes gives a Pod those of its ServiceAccount',
    );
    expect(out).toMatch(new RegExp(`What to do: take imagePullSecrets out of the Pod, or add ${SECRET} there; .*\n$`));
  });

  test('says of one that is older than the reference that its successor will have it', async () => {
    const { code, out } = await explain('older');
    expect([code, out]).toEqual([
      6,
      expect.stringMatching(/What to do: delete the Pod, or restart what made it: .*\n$/),
    ]);
  });

  test('says of one that no rule means, and of one for another registry, that nothing is to be done', async () => {
    for (const name of ['lonely', 'harmless']) {
      const { code, out } = await explain(name);
      expect([code, out]).toEqual([0, expect.stringMatching(/Nothing to do here: .*\n$/)]);
    }
  });

  test('says of one in a namespace that the installation does not serve just that', async () => {
    const { code, out } = await run('admin', 'explain', 'pod', 'own', '-n', 'web', '--namespaces=api');
    expect([code, out]).toEqual([0, 'This installation serves only the namespaces api, not web.\n']);
  });

  test('says of a Pod that is not there just that', async () => {
    expect(await explain('nobody')).toMatchObject({
      code: 4,
      out: '',
      error: 'explain pod: there is no Pod web/nobody\n',
    });
  });

  test('says which rights are missing, and leaves the hosts out for somebody who may not see Secrets', async () => {
    const { code, out, error } = await explain('own', SOMEBODY);
    expect([code, out]).toEqual([4, '']);
    for (const right of ['"list" of configmaps in the namespace kube-system', '"get" of pods in the namespace web'])
      expect(error).toContain(`cannot be told without a right: allow ${right}\n`);

    await grant(DEVELOPER, [
      { apiGroups: [''], resources: ['configmaps', 'pods', 'namespaces', 'serviceaccounts'], verbs: ['get', 'list'] },
      { apiGroups: ['tcr.tencentcloudcr.com'], resources: ['imagepullsecrets'], verbs: ['list'] },
    ]);
    const less = await explain('own', DEVELOPER);
    expect([less.code, less.error]).toEqual([
      6,
      expect.stringContaining('allow "list" of secrets in the namespace web'),
    ]);
    expect(less.out).toContain('The Pod names pull secrets of its own: mine.');
  });
});

describe('doctor', () => {
  test('[tcr A7] names the Pods in scope with pull secrets of their own, and passes the rest', async () => {
    const { code, out } = await run('admin', 'doctor');
    expect(code).toBe(6);
    for (const passed of [
      'configuration: There is no ConfigMap',
      'resources: 1 ImagePullSecret resource, nothing wrong.',
    ])
      expect(out).toContain(`PASS  ${passed}`);
    expect(out).toMatch(/PASS {2}controller: \S+ in kube-system leads\.\n/);
    expect(out).toContain(
      `WARN  ${OWN}: 1 Pod in scope names other pull secrets than ours, and so does not get ours.\n`,
    );
    expect(out).toContain(`      web/own: take imagePullSecrets out of the Pod, or add ${SECRET} there`);
    expect(out).toContain('for images of other registries: web/harmless.\n');
    expect(out).not.toMatch(/web\/(given|older|lonely)/);
  });

  test('looks at one namespace where told, and then all is well', async () => {
    const { code, out } = await run('admin', 'doctor', '--namespace=api');
    expect([code, out]).toEqual([0, expect.stringContaining(`PASS  ${OWN}: There are none in scope.`)]);
  });

  test('takes nothing for well that may not be looked at', async () => {
    const { code, out } = await run(SOMEBODY, 'doctor');
    expect(code).toBe(6);
    expect(out).not.toContain('PASS');
    expect(out).toContain('What to do: allow "list" of pods in every namespace');
  });

  test('finds a resource that is wrong, and shows no password', async () => {
    await world.cluster.create('imagepullsecrets', resource('wrong', { ...SAMPLE_SPEC, namespaces: 'web,Not_A_Name' }));
    const [found, explained] = await Promise.all([run('admin', 'doctor'), explain('own')]);
    expect(found.out).toMatch(
      /(FAIL|WARN) {2}resources: 2 ImagePullSecret resources, 1 with something wrong\.\n {6}wrong: spec\.namespaces/,
    );
    for (const { out, error } of [found, explained])
      expect(findLeaks(`${out}${error}`, { password: SAMPLE_PASSWORD })).toEqual([]);
  });
});

describe('resources that are not in force', () => {
  test('make explain name what is refused, where a Pod has an image that nothing serves', async () => {
    const docker = { ...SAMPLE_SPEC.docker, server: 'not a registry' };
    await world.cluster.create('imagepullsecrets', resource('broken', { ...SAMPLE_SPEC, namespaces: '*', docker }));
    const { code, out, error } = await explain('harmless');
    expect(out).toMatch(/ImagePullSecret broken is refused as it stands \(spec\.docker\.server: .*cannot be told\.\n/);
    expect([code, out]).toEqual([6, expect.stringMatching(/What to do: mend the refused resource first.*\n$/)]);
    expect(findLeaks(`${out}${error}`, { password: SAMPLE_PASSWORD })).toEqual([]);
    expect(await explain('given')).toMatchObject({ code: 0 });
    await world.cluster.remove('imagepullsecrets', 'broken');
  });

  test('are refused also because of another resource, and doctor says why', async () => {
    const key = { metadata: { name: 'shared-key' }, stringData: { token: SAMPLE_PASSWORD } };
    await world.cluster.create('secrets', key, 'kube-system');
    const tcr = { registryId: 'tcr-a1b2c3d4', region: 'ap-guangzhou', apiKeySecretRef: { name: 'shared-key' } };
    const docker = { server: SAMPLE_SPEC.docker.server, username: SAMPLE_SPEC.docker.username };
    const passwordSecretRef = { name: 'shared-key', key: 'token' };
    await world.cluster.create('imagepullsecrets', resource('mints', { namespaces: 'api', tcr }));
    await world.cluster.create(
      'imagepullsecrets',
      resource('publishes', { namespaces: 'kube-system', docker: { ...docker, passwordSecretRef } }),
    );
    const { code, out } = await run('admin', 'doctor');
    expect([code, out]).toEqual([
      6,
      expect.stringMatching(
        /FAIL {2}resources: .*\n(.*\n)* {6}publishes: spec\.docker\.passwordSecretRef: .*shared-key/,
      ),
    ]);
    for (const name of ['mints', 'publishes']) await world.cluster.remove('imagepullsecrets', name);
  });

  test('are left to the add-on of Tencent while that runs: nothing of theirs is found missing', async () => {
    const containers = [{ name: 'manager', image: 'tcr-assistant:1' }];
    const labels = { app: TCR_ASSISTANT.name };
    const template = { metadata: { labels }, spec: { containers } };
    await world.cluster.namespace(TCR_ASSISTANT.namespace);
    const spec = { replicas: 1, selector: { matchLabels: labels }, template };
    await world.cluster.create(
      'deployments',
      { metadata: { name: TCR_ASSISTANT.name }, spec },
      TCR_ASSISTANT.namespace,
    );
    const [found, explained] = await Promise.all([run('admin', 'doctor'), explain('given')]);
    expect(found.out).toContain("WARN  Tencent's add-on: It runs");
    expect(found.out).toContain('PASS  Secrets and references: No namespace is to have one.');
    expect(explained.out).toContain('ImagePullSecret resources are left to it until it is stopped.');
    expect([explained.code, explained.out]).toEqual([0, expect.stringMatching(/Nothing to do here: .*\n$/)]);
    await world.cluster.remove('deployments', TCR_ASSISTANT.name, TCR_ASSISTANT.namespace);
  });
});

describe('with the ConfigMap of Alibaba’s add-on', () => {
  test('[acr O5] both report a Pod with pull secrets of its own in a namespace that it names', async () => {
    const registries = registryInfo(world);
    await world.putAccessKey();
    await world.cluster.serviceAccount('api', 'default');
    await world.configure({ 'acr-registry-info': registries, 'watch-namespace': 'api', 'service-account': 'default' });
    await secretsEverywhere(world, ['api']);
    await nextSecond();
    const [host = ''] = Object.keys((await world.cluster.auths('api', ACR_SECRET)) ?? {});
    await createPod(
      'own',
      { imagePullSecrets: [{ name: 'mine' }], containers: [container(`${host}/team/app:1`)] },
      'api',
    );

    const found = await run('admin', 'doctor', '--namespace=api');
    expect([found.code, found.out]).toEqual([6, expect.stringContaining(`WARN  ${OWN}: 1 Pod in scope`)]);
    expect(found.out).toContain(`      api/own: take imagePullSecrets out of the Pod, or add ${ACR_SECRET} there`);
    const { code, out } = await run('admin', 'explain', 'pod', 'own', '-n', 'api');
    expect([code, out]).toEqual([
      6,
      expect.stringContaining(`acr-registry-info means it, with the Secret ${ACR_SECRET}`),
    ]);
    expect(out).toContain('The Pod names pull secrets of its own: mine.');
  });
});

async function grant(user: string, rules: readonly object[]): Promise<void> {
  const group = '/apis/rbac.authorization.k8s.io/v1';
  const subjects = [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }];
  const roleRef = { kind: 'ClusterRole', name: user, apiGroup: 'rbac.authorization.k8s.io' };
  for (const [kind, body] of [
    ['clusterroles', { metadata: { name: user }, rules }],
    ['clusterrolebindings', { metadata: { name: user }, subjects, roleRef }],
  ] as const)
    expect(await world.plane.request({ method: 'POST', path: `${group}/${kind}`, body })).toMatchObject({
      status: 201,
    });
}
