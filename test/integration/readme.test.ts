// The README's own words, run as they stand there: build, configuration, start, a look around, clean-up.
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { loadAll } from 'js-yaml';
import type { TestObject } from '../support/cluster.ts';
import { SAMPLE } from '../support/clouds/clouds.ts';
import { freePort } from '../support/control-plane/ports.ts';
import { startProcess, type RunningProcess } from '../support/control-plane/processes.ts';
import { eventually } from '../support/eventually.ts';
import { secretsEverywhere } from '../support/expectations.ts';
import { applyCrd } from '../support/image-pull-secrets.ts';
import { kubectlOf } from '../support/kubectl.ts';
import { codeBlocks } from '../support/markdown.ts';
import { configMapEvents } from '../support/signs.ts';
import { PROGRAM_USER, startWorld, type World } from '../support/world.ts';

jest.setTimeout(120_000);

const run = promisify(execFile);
const blocks = codeBlocks('README.md');
const objects = blocks
  .filter(({ language }) => language === 'yaml')
  .flatMap(({ text }) => loadAll(text) as (TestObject & { stringData?: Readonly<Record<string, string>> })[]);
const commands = blocks.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.trim().split('\n'));
const commandWith = (words: string): string => {
  const [found, ...more] = commands.filter((line) => line.endsWith(words) || line.includes(`${words} `));
  if (found === undefined || more.some((line) => line !== found))
    throw new Error(`The README does not run "${words}" once`);
  return found;
};

describe('the README', () => {
  let world: World;
  /** A checkout of its own, so that a build is in nobody's way; its home holds ~/.kube/config. */
  let checkout: string;
  let controller: RunningProcess;
  let address: string;
  const cleanups: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    checkout = await mkdtemp(join(tmpdir(), 'readme-'));
    cleanups.push(() => rm(checkout, { recursive: true, force: true }));
    for (const name of [
      'src',
      'scripts',
      'LICENSE',
      'package.json',
      'package-lock.json',
      'node_modules',
      'tsconfig.json',
    ]) {
      await symlink(resolve(name), join(checkout, name));
    }
    const secret = objects.find(({ kind }) => kind === 'Secret')?.stringData ?? {};
    const key = {
      ...SAMPLE.accessKey,
      accessKeyId: secret['access-key-id'] ?? '',
      accessKeySecret: secret['access-key-secret'] ?? '',
    };
    const first = { ...SAMPLE.instance, instanceId: 'cri-example000000001' };
    const second = { ...first, instanceId: 'cri-example000000002', regionId: 'ap-southeast-1', accountId: '2' };
    const other = { ...key, accessKeyId: 'LTAIotheraccount', accountId: '2' };
    world = await startWorld({ clouds: { accessKeys: [key, other], instances: [first, second] } });
    cleanups.push(() => world.stop());
    await mkdir(join(checkout, '.kube'));
    await copyFile(world.plane.kubeconfig(PROGRAM_USER), join(checkout, '.kube', 'config'));
    address = `127.0.0.1:${await freePort()}`;
    // What its examples take for granted.
    await applyCrd(await kubectlOf(world.plane));
    const put = (name: string, stringData: Readonly<Record<string, string>>) =>
      world.cluster.create('secrets', { metadata: { name }, stringData }, 'kube-system');
    await put('other-account', { 'access-key-id': other.accessKeyId, 'access-key-secret': other.accessKeySecret });
    await put('harbor-password', { username: 'robot', password: 'example-password' });
    for (const [name, labels] of [
      ['shop', {}],
      ['team-a', {}],
      ['team-legacy', {}],
      ['labelled', { registry: 'acr' }],
    ] as const) {
      await world.cluster.namespace(name, labels);
      await world.cluster.serviceAccount(name, 'default');
    }
  });

  afterAll(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  /** Settings that the reader does not need, by their environment variables: the commands stay as they are. */
  const environment = (): NodeJS.ProcessEnv => ({
    ...process.env,
    HOME: checkout,
    NODE_OPTIONS: '',
    REGISTRY_CREDENTIAL_HELPER_CLOUD_ENDPOINTS: JSON.stringify({
      alibaba: world.clouds.endpoints().alibaba,
    }),
    REGISTRY_CREDENTIAL_HELPER_METRICS_ADDRESS: address,
  });
  const shell = (command: string) => run('sh', ['-c', command], { cwd: checkout, env: environment() });

  test('builds the program', async () => {
    await shell(commandWith('npm run build'));
    expect(await readFile(join(checkout, 'dist', 'main.mjs'), 'utf8')).not.toBe('');
  });

  test('shows every flag with its variable', async () => {
    const { stdout } = await shell(commandWith('controller --help'));
    expect(stdout).toContain('--cloud-endpoints');
    expect(stdout).toContain('REGISTRY_CREDENTIAL_HELPER_CLOUD_ENDPOINTS');
  });

  test('has a configuration that does what its comments say', async () => {
    for (const object of objects) {
      const kind = `${(object.kind ?? '').toLowerCase()}s` as 'secrets' | 'configmaps' | 'imagepullsecrets';
      await world.cluster.create(kind, object, object.metadata.namespace);
    }
    controller = await startProcess({
      name: 'controller',
      command: 'sh',
      args: ['-c', `exec ${commandWith('controller --kubeconfig')}`],
      cwd: checkout,
      env: environment(),
      logFile: join(world.plane.folder, 'logs', 'readme.log'),
      ready: async () => (await fetch(`http://${address}/readyz`)).status === 200,
    });
    cleanups.push(() => controller.stop());
    await secretsEverywhere(world, ['shop', 'team-a', 'labelled']);
    expect(Object.keys((await world.cluster.auths('shop', 'acr-credential-secret-aggregation')) ?? {})).toEqual([
      'acme-registry-vpc.cn-hangzhou.cr.aliyuncs.com',
      'acme-registry.ap-southeast-1.cr.aliyuncs.com',
      'acme-registry.cn-hangzhou.cr.aliyuncs.com',
      'images.acme.example',
    ]);
    await eventually('the fixed password is there', async () =>
      (await world.cluster.references('shop', 'default')).includes('registry-credentials'),
    );
    expect(await world.cluster.auths('shop', 'registry-credentials')).toHaveProperty(['harbor.acme.example']);
    expect(await world.cluster.auths('team-a', 'registry-credentials')).toBeUndefined();
    // Out of the ConfigMap's scope, and in that of the resource.
    await eventually('the resource is served', async () =>
      (await world.cluster.references('team-legacy', 'default')).includes('tcr.ipstcr-example'),
    );
    expect(await world.cluster.references('team-legacy', 'default')).toEqual(['tcr.ipstcr-example']);
    expect(await world.cluster.auths('kube-system', 'tcr.ipstcr-example')).toBeUndefined();
    const secret = await world.cluster.get('secrets', 'registry-credentials', 'shop');
    expect(secret?.metadata.labels).toMatchObject({ team: 'platform' });
    const told = (await configMapEvents(world)).map(({ reason }) => reason);
    expect(told).not.toContain('ConfigInvalid');
    expect(told).not.toContain('CredentialUnavailable');
  });

  test('shows what would be removed, then removes it', async () => {
    // Ctrl-C: the terminal tells every process in the foreground.
    process.kill(-controller.pid, 'SIGINT');
    await controller.exited();
    expect(await readFile(controller.logFile, 'utf8')).toContain('"message":"Stopped"');
    const dry = commandWith('--dry-run');
    const { stdout } = await shell(dry);
    expect(stdout).toMatch(/would be removed, 0 failed\n$/);
    await secretsEverywhere(world, ['shop', 'team-a', 'labelled']);
    await shell(dry.replace(' --dry-run', ''));
    expect(commands).toContain(dry.replace(' --dry-run', ''));
    const left = (await world.cluster.list('secrets')).filter(({ metadata }) => metadata.namespace !== 'kube-system');
    expect(left).toEqual([]);
    for (const name of ['shop', 'team-a', 'labelled']) {
      expect(await world.cluster.references(name, 'default')).toEqual([]);
    }
  });

  test.each(['scripts/demo', 'scripts/test'])('names %s, which there is', async (script) => {
    expect(commands).toContain(script);
    if (script === 'scripts/demo') expect((await run(script, ['--help'])).stdout).toContain('--keep');
  });
});
