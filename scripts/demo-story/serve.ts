// Second chapter: the program comes, serves the namespaces in scope and those that come later, and cleans up what leaves.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SAMPLE } from '../../test/support/clouds/clouds.ts';
import type { ImageResult } from '../../test/support/control-plane/oci.ts';
import { PROGRAM_USER } from '../../test/support/world.ts';
import { describePull, expectThat, INSTANCE, plainEnvironment, pull, reach, readLogin, SECRET } from './scene.ts';
import { startController, type Scene, type Setting } from './scene.ts';
import type { Steps } from './steps.ts';

/** The configuration, as somebody would write it. */
const CONFIGURATION = {
  'watch-namespace': 'shop, team-*',
  'service-account': 'default, builder',
  'acr-registry-info': `- instanceId: ${INSTANCE.instanceId}\n  regionId: ${INSTANCE.regionId}\n`,
};

/** Configures and starts the program. */
export async function tellStart(steps: Steps, setting: Setting): Promise<Scene> {
  const { cluster } = setting;
  return steps.run({ name: 'start', title: 'The configuration is applied, the controller runs' }, async (tell) => {
    const { accessKeyId, accessKeySecret } = SAMPLE.accessKey;
    const stringData = { 'access-key-id': accessKeyId, 'access-key-secret': accessKeySecret };
    await cluster.create('secrets', { metadata: { name: 'alibaba-addon-secret' }, stringData }, 'kube-system');
    await cluster.create('configmaps', { metadata: { name: 'acr-configuration' }, data: CONFIGURATION }, 'kube-system');
    const controller = await startController(setting);
    tell.say(`watch-namespace: ${CONFIGURATION['watch-namespace']}`);
    tell.say(`service-account: ${CONFIGURATION['service-account']}`);
    tell.say('dist/main.mjs as a process of its own, with the rights of docs/rbac.yaml and no more');
    return { ...setting, controller };
  });
}

/** Secrets and references, and what they are good for. */
export async function tellService(steps: Steps, scene: Scene, pushed: ImageResult & { ok: true }): Promise<void> {
  const { cluster, clouds, registry } = scene;
  await steps.run({ name: 'served', title: 'Every namespace in scope can pull' }, async (tell) => {
    for (const namespace of ['shop', 'team-red', 'team-blue']) await served(scene, namespace, ['default'], 30_000);
    const builder = await reach(scene, {
      expected: `imagePullSecrets of shop/builder are harbor-login, old-mirror, ${SECRET}`,
      look: () => cluster.references('shop', 'builder'),
      holds: (names) => names.join() === `harbor-login,old-mirror,${SECRET}`,
    });
    const outside = await cluster.references('sandbox', 'default');
    const leaked = await cluster.get('secrets', SECRET, 'sandbox');
    expectThat(leaked === undefined && outside.length === 0, 'sandbox is left alone', `it refers to ${outside.join()}`);
    const calls = clouds.cr.calls({ action: 'GetAuthorizationToken' }).length;
    expectThat(calls === 1, 'one token call for all namespaces', `${calls} token calls`);
    tell.say(`Secret ${SECRET} in shop, team-red, team-blue: one token call`);
    tell.say(`imagePullSecrets of shop/builder: ${builder.join(', ')}:`);
    tell.say('entries of others stay, in their order, ours comes last');
    tell.say('sandbox is out of scope: left alone');
  });

  await steps.run({ name: 'pull', title: 'A pull with the written credential succeeds' }, async (tell) => {
    const login = await readLogin(scene, 'shop');
    expectThat(login !== undefined, `an entry for ${registry.host} in shop/${SECRET}`, 'none');
    const pulled = await pull(scene, login);
    const same = pulled.ok && pulled.manifestDigest === pushed.manifestDigest && pulled.bytes === pushed.bytes;
    expectThat(same, 'manifest, config and layer, with the digests that were pushed', describePull(pulled));
    tell.say(`as ${login.username}: manifest, config and layer, ${pulled.bytes} bytes, every digest right`);
  });

  await steps.run({ name: 'refused', title: 'A pull without it is refused' }, async (tell) => {
    const anonymous = await pull(scene);
    expectThat(isRefused(anonymous), 'the anonymous pull is refused with 401', describePull(anonymous));
    const guessed = await pull(scene, { username: 'cr_temp_user', password: 'guessed' });
    expectThat(isRefused(guessed), 'a made-up token is refused with 401', describePull(guessed));
    tell.say('HTTP 401 without a login, HTTP 401 with a made-up token');
  });
}

/** What is created later. */
export async function tellNewcomers(steps: Steps, scene: Scene): Promise<void> {
  const { cluster } = scene;
  await steps.run({ name: 'new-namespace', title: 'A new namespace is served' }, async (tell) => {
    const startedAt = performance.now();
    await cluster.namespace('team-green');
    await served(scene, 'team-green', ['default'], 10_000);
    const ms = Math.round(performance.now() - startedAt);
    tell.say(`team-green: Secret, and reference on its ServiceAccount default: ${ms} ms from its creation`);
  });

  await steps.run({ name: 'new-service-account', title: 'A new ServiceAccount is served' }, async (tell) => {
    const startedAt = performance.now();
    await cluster.serviceAccount('team-red', 'builder', ['harbor-login']);
    await served(scene, 'team-red', ['builder'], 10_000);
    const ms = Math.round(performance.now() - startedAt);
    const references = await cluster.references('team-red', 'builder');
    expectThat(references.join() === `harbor-login,${SECRET}`, 'its own entry stays, first', references.join());
    tell.say(`team-red/builder: reference ${ms} ms from its creation; its own entry stays, first`);
  });
}

/** The scope is edited, and a namespace leaves it. */
export async function tellScopeEdit(steps: Steps, scene: Scene): Promise<void> {
  const { cluster, plane } = scene;
  await steps.run({ name: 'scope', title: 'A namespace that leaves the scope is cleaned' }, async (tell) => {
    const patch = JSON.stringify({ data: { 'watch-namespace': 'shop, team-*, !team-blue' } });
    const args = ['-n', 'kube-system', 'patch', 'configmap', 'acr-configuration', '--type=merge', '-p', patch];
    await kubectl(scene, args);
    await reach(scene, {
      expected: `team-blue has no Secret ${SECRET}, its ServiceAccounts do not refer to it, foreign entries are there`,
      look: async () => ({
        secret: (await cluster.get('secrets', SECRET, 'team-blue')) !== undefined,
        default: await cluster.references('team-blue', 'default'),
        builder: await cluster.references('team-blue', 'builder'),
      }),
      holds: (seen) => !seen.secret && seen.default.length === 0 && seen.builder.join() === 'harbor-login',
    });
    const foreign = await cluster.get('secrets', 'harbor-login', 'team-blue');
    expectThat(foreign !== undefined, 'the foreign Secret team-blue/harbor-login is there', 'it is gone');
    const writes = (await plane.auditEvents()).filter(
      (event) =>
        event.user === PROGRAM_USER &&
        event.namespace === 'team-blue' &&
        (event.verb === 'patch' || event.verb === 'delete') &&
        (event.code ?? 0) < 300,
    );
    const deletion = writes.findIndex((event) => event.verb === 'delete' && event.resource === 'secrets');
    const lastReference = writes.findLastIndex((event) => event.resource === 'serviceaccounts');
    const order = writes.map((event) => `${event.verb} ${event.resource ?? ''}`).join(', ');
    expectThat(deletion > lastReference, 'references go first, then the Secret', order);
    for (const namespace of ['shop', 'team-red', 'team-green']) await served(scene, namespace, ['default'], 5_000);
    tell.say(`kubectl patch configmap acr-configuration … 'watch-namespace: shop, team-*, !team-blue'`);
    tell.say('team-blue: references removed first, then the Secret (so says the audit log);');
    tell.say('Secret harbor-login and the reference to it stay; the other namespaces stay served');
  });
}

/** Waits until the namespace has the Secret with an entry for the registry, and the ServiceAccounts refer to it. */
async function served(scene: Scene, namespace: string, accounts: readonly string[], timeoutMs: number): Promise<void> {
  const { cluster, registry } = scene;
  await reach(scene, {
    expected: `${namespace} has ${SECRET} for ${registry.host}, referred to by ${accounts.join(' and ')}`,
    look: async () => ({
      hosts: Object.keys((await cluster.auths(namespace, SECRET)) ?? {}),
      references: await Promise.all(accounts.map((account) => cluster.references(namespace, account))),
    }),
    holds: ({ hosts, references }) =>
      hosts.includes(registry.host) && references.every((names) => names.includes(SECRET)),
    timeoutMs,
  });
}

function isRefused(result: ImageResult): boolean {
  return !result.ok && result.status === 401;
}

/** Runs the real kubectl as admin. */
async function kubectl({ kubectl: command, plane }: Scene, args: readonly string[]): Promise<void> {
  const access = [`--kubeconfig=${plane.adminKubeconfig}`, `--cache-dir=${join(plane.folder, 'kubectl-cache')}`];
  await promisify(execFile)(command, [...access, ...args], { env: plainEnvironment() });
}
