// The command `migrate from-tcr-assistant` as people run it on a cluster with Tencent's add-on: as an administrator, with the rights of
// docs/rbac.yaml, with hardly any. It changes nothing, and the kubectl commands that it prints do what they say.
import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { TCR_ASSISTANT, TCR_WEBHOOK } from '../../src/core/names.ts';
import { clusterOf, type Cluster, type TestObject } from '../support/cluster.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane/control-plane.ts';
import { findTools } from '../support/control-plane/tools.ts';
import { applyCrd, CRD_NAME, readCrd, resource, RESOURCES_PATH, SAMPLE_SPEC } from '../support/image-pull-secrets.ts';
import { eventually } from '../support/eventually.ts';
import { kubectlOf } from '../support/kubectl.ts';
import { findLeaks } from '../support/leaks.ts';
import { PROGRAM_USER } from '../support/world.ts';
import { PROGRAM_FILE } from '../support/program.ts';

jest.setTimeout(120_000);

const CR = 'tcr-a1b2c3d4-vpc';
const SECRET = `tcr.ips${CR}`;
const SOMEBODY = 'somebody';
const HOME = TCR_ASSISTANT.namespace;
const DEPLOYMENTS = `/apis/apps/v1/namespaces/${HOME}/deployments`;
const DAEMON_SETS = `/apis/apps/v1/namespaces/${HOME}/daemonsets`;
const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const TOKEN_ID = 'c0ffee0000000000000g';
const SECRETS = { token: longTermToken(), plain: 'fake-password-of-the-plain-resource' };

interface Ended {
  readonly code: number | string | null;
  readonly out: string;
  readonly error: string;
}

let plane: ControlPlane;
let cluster: Cluster;

beforeAll(async () => {
  plane = await startControlPlane({
    users: [{ name: PROGRAM_USER, groups: ['system:serviceaccounts'] }, { name: SOMEBODY }],
  });
  cluster = clusterOf(plane);
  await cluster.applyFile('docs/rbac.yaml');
  await applyCrd(await kubectlOf(plane), helmOwned());
  for (const name of [HOME, 'web', 'api', 'attic']) await cluster.namespace(name);
  const { docker } = SAMPLE_SPEC;
  const items = [
    resource(CR, { namespaces: 'web,api', serviceAccounts: 'default', docker: { ...docker, password: SECRETS.token } }),
    resource('plain', { namespaces: 'web', docker: { ...docker, password: SECRETS.plain } }),
  ];
  for (const item of items) await cluster.create('imagepullsecrets', item);
  const auths = { [docker.server]: { username: docker.username, password: SECRETS.token } };
  const stringData = { '.dockerconfigjson': JSON.stringify({ auths }) };
  const type = 'kubernetes.io/dockerconfigjson';
  for (const [namespace, name] of [
    ['web', SECRET],
    ['attic', SECRET],
    ['web', 'qcloudregistrykey'],
  ] as const) {
    await cluster.create('secrets', { metadata: { name }, type, stringData }, namespace);
  }
  await cluster.serviceAccount('web', 'default', ['own', SECRET]);
  const data = { 'hosts.yaml': '- {domain: acme-prod.tencentcloudcr.com, ip: 10.20.0.7, disabled: false}\n' };
  await cluster.create('configmaps', { metadata: { name: 'updater-config' }, data }, HOME);
  const labels = { app: 'tcr-assistant' };
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: 'm', image: 'ccr.example/tcr-assistant:v1.0.2' }] },
  };
  const spec = { selector: { matchLabels: labels }, template };
  await post(DEPLOYMENTS, { metadata: { name: TCR_ASSISTANT.name }, spec: { ...spec, replicas: 1 } });
  await post(DAEMON_SETS, { metadata: { name: 'hosts-updater' }, spec });
  await post(WEBHOOKS, { metadata: { name: TCR_WEBHOOK }, webhooks: [webhook()] });
}, 120_000);
afterAll(() => plane.stop());

async function post(path: string, body: object): Promise<void> {
  const answer = await plane.request({ method: 'POST', path, body });
  expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
}

/** The definition as Helm marks what it installed. */
function helmOwned(): Readonly<Record<string, unknown>> {
  const crd = readCrd();
  const annotations = { 'meta.helm.sh/release-name': 'tcr', 'meta.helm.sh/release-namespace': HOME };
  return { ...crd, metadata: { ...(crd.metadata as object), annotations } };
}

/** With the policy Ignore: nobody answers in these tests. */
function webhook(): object {
  const service = { namespace: HOME, name: 'tcr-assistant-webhook-service' };
  const group = { apiGroups: ['tcr.tencentcloudcr.com'], apiVersions: ['v1'] };
  return {
    ...{
      name: 'vimagepullsecret.kb.io',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      failurePolicy: 'Ignore',
    },
    ...{ clientConfig: { service }, timeoutSeconds: 1 },
    rules: [{ ...group, operations: ['CREATE'], resources: ['imagepullsecrets'], scope: '*' }],
  };
}

/** As the cloud mints it; its signature is none. */
function longTermToken(): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Date.parse('2035-06-01T00:00:00Z') / 1_000;
  const claims = {
    ownerUin: '100099990000',
    operatorUin: '100099990001',
    exp,
    iat: exp - 315_360_000,
    tokenId: TOKEN_ID,
  };
  return `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}.ZmFrZXNpZ25hdHVyZQ`;
}

function run(user: string, args: readonly string[] = []): Promise<Ended> {
  return new Promise((done) => {
    const env = { ...process.env, NODE_OPTIONS: '', KUBECONFIG: plane.kubeconfig(user) };
    const command = [PROGRAM_FILE, 'migrate', 'from-tcr-assistant', ...args];
    execFile(process.execPath, command, { env }, (failed, out, error) =>
      done({ code: failed === null ? 0 : (failed.code ?? null), out, error }),
    );
  });
}

/** Everything that could have been written, with its version. */
async function picture(): Promise<readonly string[]> {
  const kinds = ['namespaces', 'serviceaccounts', 'secrets', 'configmaps', 'events', 'imagepullsecrets'] as const;
  const objects = (await Promise.all(kinds.map((kind) => cluster.list(kind)))).flat();
  const paths = [DEPLOYMENTS, DAEMON_SETS, WEBHOOKS, CRDS];
  const others = await Promise.all(paths.map((path) => plane.request({ path })));
  const items = others.flatMap(({ body }) => (body as { items: readonly TestObject[] }).items);
  return [...objects, ...items].map(
    ({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`,
  );
}

describe('migrate from-tcr-assistant', () => {
  test('prints the plan of this cluster, and changes nothing', async () => {
    const before = await picture();
    const { code, out, error } = await run('admin');
    expect([code, error]).toEqual([0, '']);
    expect(await picture()).toEqual(before);
    for (const line of [
      `Deployment ${HOME}/${TCR_ASSISTANT.name}, runs (1 replica), image ccr.example/tcr-assistant:v1.0.2.`,
      `ValidatingWebhookConfiguration ${TCR_WEBHOOK}, failure policy Ignore.`,
      `of the Helm release ${HOME}/tcr: whoever uninstalls that deletes the definition`,
      'Resources: 2 ImagePullSecrets.',
      `Its password is the long-term token ${TOKEN_ID} of the account 100099990001: it ends at 2035-06-01T00:00:00Z.`,
      `Secrets ${SECRET}: in 2 namespaces: attic, web.`,
      "1 Secret of TKE's console",
      `DaemonSet ${HOME}/hosts-updater.`,
      '1 name is on: acme-prod.tencentcloudcr.com.',
      'nobody holds the Lease kube-system/registry-credential-helper-default',
      `for every registry: web/${SECRET}.`,
      `2 Secrets would be new: api/${SECRET}, web/tcr.ipsplain.`,
      `nobody renews it any more: attic/${SECRET}.`,
      '1 ServiceAccount refers to such a Secret already',
      `--RegistryId tcr-a1b2c3d4 --TokenId ${TOKEN_ID}`,
    ]) {
      expect(out).toContain(line);
    }
  });

  test.each([PROGRAM_USER, SOMEBODY])(
    'says of what %s may not read what to allow, and prints the rest',
    async (user) => {
      const { code, out, error } = await run(user);
      expect([code, error]).toEqual([0, '']);
      const cures = [
        'allow "get" of validatingwebhookconfigurations.admissionregistration.k8s.io',
        `allow "list" of daemonsets.apps in the namespaces ${HOME} and kube-system`,
      ];
      const more = [
        'allow "list" of imagepullsecrets.tcr.tencentcloudcr.com',
        'allow "list" of secrets in every namespace',
      ];
      for (const cure of user === SOMEBODY ? [...cures, ...more] : cures) expect(out).toContain(`: ${cure}.`);
      expect(out).toContain('helm install registry-credential-helper');
    },
  );

  test('prints no password', async () => {
    for (const user of ['admin', PROGRAM_USER]) {
      const { out, error } = await run(user);
      expect(findLeaks(`${out}${error}`, SECRETS)).toEqual([]);
    }
  });

  test('has help, and ends with 2 where it is used wrongly', async () => {
    expect((await run('admin', ['--help'])).out).toMatch(/Examples:\n.*Exit codes:.*--namespace=NAME/s);
    const wrong = await run('admin', ['--colour']);
    expect([wrong.code, wrong.out]).toEqual([2, '']);
  });
});

describe('the kubectl commands that it prints', () => {
  let lines: readonly string[];
  let folder: string;
  beforeAll(async () => {
    lines = (await run('admin')).out.split('\n').filter((line) => line.startsWith('kubectl '));
    folder = join(plane.folder, 'commands');
    await mkdir(folder);
    const { kubectl } = await findTools(['kubectl']);
    await symlink(resolve(kubectl), join(folder, 'kubectl'));
    await symlink(resolve('charts'), join(folder, 'charts'));
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
  const specs = async (): Promise<readonly unknown[]> =>
    (await cluster.list('imagepullsecrets')).map(({ metadata, spec }) => [metadata.name, spec]);

  test('keep copies, and let the definition know our fields without a resource going', async () => {
    const before = (await cluster.list('imagepullsecrets')).map(({ metadata }) => metadata.uid);
    await shell(/ > /);
    expect(await readFile(join(folder, 'resources.backup.yaml'), 'utf8')).toContain(CR);
    await shell(/ apply --server-side /);
    expect((await cluster.list('imagepullsecrets')).map(({ metadata }) => metadata.uid)).toEqual(before);
  });

  test('stop the manager and its webhook, and start it again', async () => {
    const replicas = async () =>
      ((await plane.request({ path: `${DEPLOYMENTS}/${TCR_ASSISTANT.name}` })).body as { spec: { replicas: number } })
        .spec.replicas;
    await shell(/scale .*tcr-assistant.*--replicas=0$/);
    await shell(/delete validatingwebhookconfiguration /);
    expect(await replicas()).toBe(0);
    expect((await plane.request({ path: `${WEBHOOKS}/${TCR_WEBHOOK}` })).status).toBe(404);
    expect((await run('admin')).out).toContain('stopped (0 replicas)');
    await shell(/scale .*--replicas=1$/);
    expect(await replicas()).toBe(1);
  });

  test('bring definition and resources back when they went with the add-on, and do nothing otherwise', async () => {
    const before = await specs();
    const kept = (await cluster.list('imagepullsecrets')).map(({ metadata }) => metadata.uid);
    const restore = /get crd .*\|\||wait --for=condition=Established|-o name \|/;
    await shell(restore);
    expect((await cluster.list('imagepullsecrets')).map(({ metadata }) => metadata.uid)).toEqual(kept);
    expect((await (await kubectlOf(plane))(['delete', 'crd', CRD_NAME, '--wait=true'])).code).toBe(0);
    // The API server stops serving it a moment after the definition is gone.
    const isGone = async (): Promise<boolean> => (await plane.request({ path: RESOURCES_PATH })).status === 404;
    await eventually('it is no longer served', isGone);
    expect((await run('admin')).out).toContain('the cluster does not know ImagePullSecret');
    await shell(restore);
    expect(await specs()).toEqual(before);
  });

  test('remove the manager, and what no resource wants', async () => {
    await shell(/ delete deployment /);
    expect((await run('admin')).out).toContain(`there is no Deployment ${HOME}/${TCR_ASSISTANT.name}`);
    await shell(/ delete secret /);
    expect(await cluster.get('secrets', SECRET, 'attic')).toBeUndefined();
    expect(await cluster.get('secrets', SECRET, 'web')).toBeDefined();
  });
});
