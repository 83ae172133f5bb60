// The command `migrate from-acr-helper` as people run it on a cluster with Alibaba's add-on: as an administrator, with the rights of
// docs/rbac.yaml, with hardly any. It changes nothing, and the kubectl commands that it prints do what they say.
import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ACR_SECRET_NAME, VENDOR_HELPER } from '../../src/core/names.ts';
import { buildManagedRoleTokenSecret } from '../support/clouds/managed-role-token.ts';
import { clusterOf, type Cluster } from '../support/cluster.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane/control-plane.ts';
import { findTools } from '../support/control-plane/tools.ts';
import { findLeaks } from '../support/leaks.ts';
import { PROGRAM_USER } from '../support/world.ts';
import { PROGRAM_FILE } from '../support/program.ts';

jest.setTimeout(120_000);

const OLDER = 'acr-credential-be5ac8be6a88c42ac1d831b85135a585';
const OLDEST = 'aliyun-acr-credential-a';
const SOMEBODY = 'somebody';
const DEPLOYMENTS = `/apis/apps/v1/namespaces/${VENDOR_HELPER.namespace}/deployments`;
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';
const SECRETS = {
  token: 'fake-vendor-token-0123456789abcdef',
  keyId: 'STS.fake-managed-key-id-0123456789',
  keySecret: 'fake-managed-key-secret-0123456789',
  security: 'fake-managed-security-token-0123456789',
};
const DATA = {
  'watch-namespace': 'shop,web',
  'service-account': '*',
  rrsa: 'enable: true',
  'acr-registry-info': `- instanceId: cri-a
  regionId: cn-hangzhou
- instanceId: cri-b
  regionId: cn-hangzhou
  rrsaRoleARN: acs:ram::1000000000000001:role/acr-a
  rrsaOIDCProviderRoleARN: acs:ram::1000000000000001:oidc-provider/ack-rrsa-c0ffee
`,
};

interface Ended {
  readonly code: number | string | null;
  readonly out: string;
  readonly error: string;
}

let plane: ControlPlane;
let cluster: Cluster;
let expiresAt: number;

beforeAll(async () => {
  const users = [{ name: PROGRAM_USER, groups: ['system:serviceaccounts'] }, { name: SOMEBODY }];
  plane = await startControlPlane({ users });
  cluster = clusterOf(plane);
  await cluster.applyFile('docs/rbac.yaml');
  for (const name of ['shop', 'web', 'attic']) await cluster.namespace(name);
  const auth = { 'registry.example': { auth: Buffer.from(`cr_temp_user:${SECRETS.token}`).toString('base64') } };
  const data = { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: auth })).toString('base64') };
  const type = 'kubernetes.io/dockerconfigjson';
  for (const [namespace, name] of [
    ['shop', ACR_SECRET_NAME],
    ['shop', OLDER],
    ['web', OLDER],
    ['web', OLDEST],
    ['attic', ACR_SECRET_NAME],
    ['shop', 'harbor-login'],
  ] as const) {
    await cluster.create('secrets', { metadata: { name }, type, data }, namespace);
  }
  await cluster.create('secrets', { metadata: { name: ACR_SECRET_NAME }, type: 'Opaque', data }, 'web');
  await cluster.serviceAccount('shop', 'default', ['harbor-login', ACR_SECRET_NAME]);
  await cluster.serviceAccount('shop', 'builder', [OLDER]);
  await cluster.serviceAccount('web', 'default', []);
  await cluster.create('configmaps', { metadata: { name: 'acr-configuration' }, data: DATA }, 'kube-system');
  expiresAt = Math.trunc(Date.now() / 1_000) * 1_000 + 1_800_000;
  const { keyId: accessKeyId, keySecret: accessKeySecret, security: securityToken } = SECRETS;
  const session = { accessKeyId, accessKeySecret, securityToken, expiresAt };
  await cluster.create('secrets', buildManagedRoleTokenSecret({ session }), 'kube-system');
  await cluster.serviceAccount('kube-system', VENDOR_HELPER.name);
  const labels = { app: VENDOR_HELPER.name };
  const container = { name: 'helper', image: 'registry.example/acs/aliyun-acr-credential-helper:v24' };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  const spec = { replicas: 1, selector: { matchLabels: labels }, template };
  const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: VENDOR_HELPER.name }, spec };
  expect((await plane.request({ method: 'POST', path: DEPLOYMENTS, body })).status).toBe(201);
}, 120_000);
afterAll(() => plane.stop());

function run(user: string, args: readonly string[] = []): Promise<Ended> {
  return new Promise((done) => {
    const env = { ...process.env, NODE_OPTIONS: '', KUBECONFIG: plane.kubeconfig(user) };
    const command = [PROGRAM_FILE, 'migrate', 'from-acr-helper', ...args];
    execFile(process.execPath, command, { env }, (failed, out, error) =>
      done({ code: failed === null ? 0 : (failed.code ?? null), out, error }),
    );
  });
}

/** Everything that could have been written, with its version. */
async function picture(): Promise<readonly string[]> {
  const kinds = ['namespaces', 'serviceaccounts', 'secrets', 'configmaps', 'events'] as const;
  const objects = (await Promise.all(kinds.map((kind) => cluster.list(kind)))).flat();
  const others = await Promise.all([DEPLOYMENTS, LEASES].map((path) => plane.request({ path })));
  const items = others.flatMap(({ body }) => (body as { items: typeof objects }).items);
  const own = items.filter(({ metadata }) => !metadata.name.startsWith('apiserver-'));
  return [...objects, ...own].map(
    ({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`,
  );
}

describe('migrate from-acr-helper', () => {
  test.each(['admin', PROGRAM_USER])('prints the plan of this cluster for %s, and changes nothing', async (user) => {
    const before = await picture();
    const { code, out, error } = await run(user);
    expect([code, error]).toEqual([0, '']);
    expect(await picture()).toEqual(before);
    for (const line of [
      'Configuration: ConfigMap kube-system/acr-configuration, valid: 2 registries, adopt-existing is vendor.',
      'Scope: 2 of 7 namespaces: shop, web.',
      `Secrets ${OLDER}, an older name: in 2 namespaces: shop, web.`,
      `Secrets ${ACR_SECRET_NAME}: in 3 namespaces: attic, shop, web.`,
      `1 Secret would be adopted in place, same name, same UID, as soon as there is a credential for every registry: shop/${ACR_SECRET_NAME}.`,
      `The Secret web/${ACR_SECRET_NAME} would not be touched (NameTaken)`,
      `renews any more: shop/${OLDER}, web/${OLDER}, web/${OLDEST}.`,
      `1 Secret outside of the scope would be left, with a credential that nobody renews any more: attic/${ACR_SECRET_NAME}.`,
      '1 ServiceAccount refers to such a Secret already',
      '1 ServiceAccount would get a reference',
      '1 ServiceAccount refers to a Secret that is left: shop/builder.',
      `works until ${new Date(expiresAt).toISOString()}.`,
      'the cloud sees the subject system:serviceaccount:kube-system:registry-credential-helper',
      'nobody holds the Lease kube-system/registry-credential-helper-default',
    ]) {
      expect(out).toContain(line);
    }
  });

  test('[acr S4] names the Deployment that runs, and the command that stops it', async () => {
    const { out } = await run('admin');
    expect(out).toContain(
      'Deployment kube-system/aliyun-acr-credential-helper, runs (1 replica), image registry.example/acs/aliyun-acr-credential-helper:v24.',
    );
    const stop = out.indexOf('\nkubectl -n kube-system scale deployment aliyun-acr-credential-helper --replicas=0\n');
    expect(out.indexOf('\nhelm install ')).toBeGreaterThan(0);
    expect(stop).toBeGreaterThan(out.indexOf('\nhelm install '));
  });

  test('says of what the user may not read what to allow, and prints the rest', async () => {
    const { code, out, error } = await run(SOMEBODY);
    expect([code, error]).toEqual([0, '']);
    for (const cure of [
      'allow "list" of deployments.apps in the namespace kube-system',
      'allow "list" of configmaps in the namespace kube-system',
      'allow "list" of namespaces',
      'allow "list" of secrets in every namespace',
      'allow "get" of leases.coordination.k8s.io in the namespace kube-system',
    ]) {
      expect(out).toContain(`: ${cure}.`);
    }
    expect(out).toContain('helm install registry-credential-helper');
  });

  test('prints nothing of what Secrets hold', async () => {
    for (const user of ['admin', PROGRAM_USER]) {
      const { out, error } = await run(user);
      expect(findLeaks(`${out}${error}`, SECRETS)).toEqual([]);
    }
  });

  test('ends with 3 for a configuration that is refused, and prints the plan with the corrected text', async () => {
    const data = { 'acr-registry-info': `- instanceId: ""\n    regionId: "cn-hangzhou"\n` };
    await cluster.create('configmaps', { metadata: { name: 'refused' }, data }, 'kube-system');
    const { code, out, error } = await run('admin', ['--config-map=kube-system/refused']);
    expect([code, error]).toEqual([3, '']);
    expect(out).toContain("      - instanceId: ''\n        regionId: cn-hangzhou\n");
    expect(out).toContain('# 1. Put the configuration right');
    expect(out).toContain('kubectl -n kube-system edit configmap refused');
    expect(out).not.toContain('helm install');
  });

  test('ends with 0 where there is no ConfigMap, and says how to make one', async () => {
    const { code, out } = await run('admin', ['--config-map=shop/absent', '--namespace=registry', '--instance=blue']);
    expect(code).toBe(0);
    expect(out).toContain('# 1. Make the ConfigMap shop/absent');
    expect(out).toContain('kubectl -n shop create -f acr-configuration.yaml');
    expect(out).toContain('helm uninstall registry-credential-helper-blue --namespace registry');
  });

  test('sees that our installation runs already', async () => {
    const metadata = { name: 'registry-credential-helper-default' };
    const spec = {
      ...{ holderIdentity: 'pod-1', leaseDurationSeconds: 600 },
      renewTime: new Date().toISOString().replace('Z', '000Z'),
    };
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    expect((await plane.request({ method: 'POST', path: LEASES, body })).status).toBe(201);
    const { out } = await run('admin');
    expect(out).toContain('it runs already: pod-1 holds the Lease');
    expect(out).not.toContain('helm install');
    await plane.request({ method: 'DELETE', path: `${LEASES}/${metadata.name}` });
  });

  test('ends with 4 where the cluster does not answer, and with 2 where it is used wrongly', async () => {
    const file = join(plane.folder, 'nobody.kubeconfig');
    const config = {
      clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user: { token: 'fake' } }],
      'current-context': 'c',
    };
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'Config', ...config }));
    const silent = await run('admin', [`--kubeconfig=${file}`]);
    expect([silent.code, silent.out]).toEqual([4, '']);
    expect(silent.error).toMatch(/^migrate from-acr-helper: GET .* failed: ECONNREFUSED\n$/);
    const wrong = await run('admin', ['--colour']);
    expect([wrong.code, wrong.out]).toEqual([2, '']);
    expect(wrong.error).toContain('unknown flag --colour');
    expect((await run('admin', ['--help'])).out).toMatch(/Examples:\n.*Exit codes:.*--instance=NAME/s);
  });

  test('reads by default what its help says, also with another namespace for ours', async () => {
    const { out: help } = await run('admin', ['--help']);
    const [, place = ''] = /--config-map=.*\n.*\(default: ([a-z/-]+),/.exec(help) ?? [];
    for (const args of [[], ['--namespace=registry']]) {
      expect((await run('admin', args)).out).toContain(`Configuration: ConfigMap ${place}, valid`);
    }
  });
});

describe('the kubectl commands that it prints', () => {
  let lines: readonly string[];
  let folder: string;
  beforeAll(async () => {
    lines = (await run('admin')).out.split('\n').filter((line) => /^(kubectl|for) /.test(line));
    folder = join(plane.folder, 'commands');
    await mkdir(folder);
    const { kubectl } = await findTools(['kubectl']);
    await symlink(resolve(kubectl), join(folder, 'kubectl'));
  }, 900_000);

  /** Runs every line that `pattern` means, in a shell, as an administrator. */
  const shell = async (pattern: RegExp): Promise<string> => {
    const chosen = lines.filter((line) => pattern.test(line));
    expect([pattern.source, chosen.length > 0]).toEqual([pattern.source, true]);
    const env = { PATH: `${folder}:${process.env.PATH ?? ''}`, KUBECONFIG: plane.adminKubeconfig, HOME: folder };
    return new Promise((done, fail) => {
      execFile('sh', ['-ec', chosen.join('\n')], { cwd: folder, env }, (failed, out, error) =>
        failed === null ? done(out) : fail(new Error(`${chosen.join('\n')}: ${error}`)),
      );
    });
  };
  const deployment = async () => plane.request({ path: `${DEPLOYMENTS}/${VENDOR_HELPER.name}` });

  test('name the ServiceAccount that trust policies name', async () => {
    await shell(/ patch configmap /);
    const found = await cluster.get('configmaps', 'acr-configuration', 'kube-system');
    expect(found?.data).toEqual({ ...DATA, 'rrsa-service-account': 'kube-system/aliyun-acr-credential-helper' });
    expect((await run('admin')).out).toContain(
      'the cloud sees the subject system:serviceaccount:kube-system:aliyun-acr-credential-helper',
    );
  });

  test('keep copies from which the Deployment and the ConfigMap come back', async () => {
    await shell(/ > /);
    expect(await readFile(join(folder, 'acr-configuration.backup.yaml'), 'utf8')).toContain('cri-b');
    const before = await cluster.get('configmaps', 'acr-configuration', 'kube-system');
    await cluster.remove('configmaps', 'acr-configuration', 'kube-system');
    await shell(/ get configmap .*\|\| /);
    expect((await cluster.get('configmaps', 'acr-configuration', 'kube-system'))?.data).toEqual(before?.data);
  });

  test('stop the add-on, and start it again', async () => {
    const replicas = async () => ((await deployment()).body as { spec: { replicas: number } }).spec.replicas;
    await shell(/scale .*--replicas=0$/);
    expect(await replicas()).toBe(0);
    expect((await run('admin')).out).toContain('stopped (0 replicas)');
    await shell(/scale .*--replicas=1$/);
    expect(await replicas()).toBe(1);
  });

  test('show what is ours, remove the add-on, and then the Secrets that nobody renews', async () => {
    await shell(/^kubectl get secrets --all-namespaces/);
    await shell(/ delete deployment /);
    expect((await deployment()).status).toBe(404);
    await shell(/ delete secret /);
    const left = (await cluster.list('secrets')).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    expect(left.filter((name) => !name.startsWith('kube-system/')).sort()).toEqual([
      `shop/${ACR_SECRET_NAME}`,
      'shop/harbor-login',
    ]);
    // Somebody wrote them minutes ago, and no Deployment did.
    expect((await run('admin')).out).toMatch(/wrote the Secret shop\/\S+ \d minutes? ago: the managed\n/);
  });
});
