// Where identities come from besides Secrets: files, metadata services, and tokens that the cluster signs.
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createProviderWorld } from '../../src/cmd/provider-world.ts';
import { isRecord } from '../../src/core/records.ts';
import { VENDOR_HELPER } from '../../src/core/names.ts';
import { createKubeClient, type KubeClient } from '../../src/kube/client.ts';
import { loadKubeConfig } from '../../src/kube/kube-config.ts';
import { SecretSources } from '../../src/kube/secret-sources.ts';
import { callMetadata } from '../../src/credentials/metadata-http.ts';
import { createWorkerRoleIdentity } from '../../src/providers/alibaba/worker-role.ts';
import { clusterOf } from '../support/cluster.ts';
import { SAMPLE, startClouds, type Clouds } from '../support/clouds/clouds.ts';
import { emptyWorld } from '../support/provider-world.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane/control-plane.ts';
import { PROGRAM_USER } from '../support/world.ts';

const { signal } = new AbortController();
let plane: ControlPlane;
let client: KubeClient;
let server: Server;
let url: string;
let folder: string;
let seen: string[] = [];
const followed: SecretSources[] = [];

beforeAll(async () => {
  plane = await startControlPlane({ audit: true, users: [{ name: PROGRAM_USER, groups: ['system:serviceaccounts'] }] });
  await clusterOf(plane).applyFile('docs/rbac.yaml');
  const kubeConfig = loadKubeConfig({ inCluster: false, file: plane.kubeconfig(PROGRAM_USER) });
  client = createKubeClient({ kubeConfig, userAgent: 'test' });
  folder = await mkdtemp(join(tmpdir(), 'identity-sources-'));
  server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (request.url === '/slow') return;
    if (request.url === '/cut') return void response.socket?.destroy();
    response.statusCode = request.url === '/none' ? 404 : 200;
    response.end(request.url === '/long' ? 'x'.repeat(1_000_000) : `told ${request.headers['x-fake'] as string}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}, 60_000);
afterAll(async () => {
  await Promise.all(followed.map((sources) => sources.stop()));
  await client.close();
  await plane.stop();
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

function world(settings: Partial<Parameters<typeof createProviderWorld>[0]['settings']> = {}) {
  const sources = new SecretSources({
    client,
    onChange: () => undefined,
    report: () => undefined,
    now: Date.now,
    random: Math.random,
  });
  followed.push(sources);
  return createProviderWorld({
    client,
    read: (...args) => sources.read(...args),
    settings: {
      ...{ cloudEndpoints: {}, identityEnvironment: {}, instance: 'default', namespace: 'kube-system' },
      ...{ namespaces: undefined, secretNamespaces: [], takeOver: true },
      ...settings,
    },
  });
}

test('the owner of what stays at a cloud is this cluster, by the UID of a namespace that is never deleted, and this instance', async () => {
  const namespace = await clusterOf(plane).get('namespaces', 'kube-system');
  expect(namespace?.metadata.uid).toBeDefined();
  expect(await world().owner(signal)).toEqual({ cluster: namespace?.metadata.uid, instance: 'default' });
  const gone = AbortSignal.abort();
  await expect(world().owner(gone)).rejects.toMatchObject({
    reason: 'CloudUnavailable',
    message: expect.stringContaining('kube-system, which names this cluster'),
  });
});

describe('a metadata service', () => {
  const get = (path: string, timeoutMs = 2_000) =>
    world().http({ method: 'GET', url: `${url}${path}`, headers: { 'x-fake': 'header' }, timeoutMs }, signal);

  test('is asked with method, path and headers, and its status is told', async () => {
    seen = [];
    expect(await get('/some')).toEqual({ status: 200, text: 'told header' });
    expect(await get('/none')).toMatchObject({ status: 404 });
    expect(await world().http({ method: 'PUT', url: `${url}/put`, timeoutMs: 2_000 }, signal)).toMatchObject({
      status: 200,
    });
    expect(seen).toEqual(['GET /some', 'GET /none', 'PUT /put']);
  });

  test('is never asked through a proxy, whatever the environment says', async () => {
    const file = join(import.meta.dirname, '../../src/credentials/metadata-http.ts');
    const script = `
      const { callMetadata } = await import(${JSON.stringify(file)});
      const wish = { method: 'GET', url: '${url}/some', timeoutMs: 5000 };
      console.log((await callMetadata(wish, new AbortController().signal)).status);`;
    const nobody = 'http://127.0.0.1:9';
    const env = {
      ...process.env,
      NODE_OPTIONS: '',
      NODE_USE_ENV_PROXY: '1',
      HTTP_PROXY: nobody,
      http_proxy: nobody,
      NO_PROXY: '',
      no_proxy: '',
    };
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
    expect(stdout.trim()).toBe('200');
  });

  test('may not flood us', async () => {
    expect((await get('/long')).text).toHaveLength(65_536);
  });

  test.each([
    ['/slow', /no metadata service answers at 127\.0\.0\.1:\d+ \(no answer in time\)/],
    ['/cut', /\(ECONNRESET\)/],
  ])('that does not answer (%s) is a failure that names it', async (path, message) => {
    await expect(get(path, 200)).rejects.toMatchObject({
      reason: 'CloudUnavailable',
      message: expect.stringMatching(message),
    });
  });
});

describe('a file', () => {
  test('is read anew each time', async () => {
    const file = join(folder, 'token');
    const { readFile } = world();
    await writeFile(file, 'one');
    expect(await readFile(file)).toBe('one');
    await writeFile(file, 'two');
    expect(await readFile(file)).toBe('two');
  });

  test('that is not there is named', async () => {
    const error: unknown = await world()
      .readFile(join(folder, 'none'))
      .catch((one: unknown) => one);
    expect(error).toMatchObject({
      reason: 'IdentityUnavailable',
      message: `The file ${join(folder, 'none')} could not be read (ENOENT)`,
    });
    expect(error).not.toHaveProperty('cause');
  });

  test('that cannot be read for the moment says so by its cause', async () => {
    // Its first page is never mapped.
    const unreadable = '/proc/self/mem';
    await expect(world().readFile(unreadable)).rejects.toMatchObject({
      ...{ reason: 'IdentityUnavailable', message: `The file ${unreadable} could not be read (EIO)` },
      cause: { code: 'EIO' },
    });
  });

  test('is read to its first 64 KiB', async () => {
    const file = join(folder, 'long');
    await writeFile(file, 'x'.repeat(100_000));
    expect(await world().readFile(file)).toHaveLength(65_536);
  });
});

describe('the keys of Alibaba’s add-on', () => {
  const read = (settings: Parameters<typeof world>[0], name = 'alibaba-addon-secret') =>
    world({ namespace: 'pulls', namespaces: ['team-a'], takeOver: false, ...settings }).readSecret(
      { namespace: 'kube-system', name },
      signal,
    );

  test('are not even asked for where the right to them was left out, and the message says which value gives it', async () => {
    const began = (await plane.auditEvents()).length;
    await expect(read({})).rejects.toMatchObject({
      reason: 'Forbidden',
      message: expect.stringContaining('the value rbac.takeOver=true of the chart gives the right'),
    });
    const asked = (await plane.auditEvents()).slice(began).filter(({ resource }) => resource === 'secrets');
    expect(asked).toEqual([]);
  });

  test.each([
    ['every namespace is served', { namespaces: undefined }],
    ['ours is there, too', { namespace: 'kube-system' }],
    ['references into that namespace are allowed', { secretNamespaces: ['kube-system'] }],
    ['it is taken over', { takeOver: true }],
  ])('are read as ever where %s', async (_, settings) => {
    expect(await read(settings, 'addon.aliyuncsmanagedacrrole.token')).toBeUndefined();
  });
});

describe('a token of a ServiceAccount', () => {
  const claimsOf = (token: string): unknown =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  const ask = (name: string, namespace = 'kube-system') =>
    world().requestToken({ namespace, name }, 'sts.aliyuncs.com', signal);

  test('of the vendor’s add-on is signed by the cluster, and the ServiceAccount is made where it is gone', async () => {
    const cluster = clusterOf(plane);
    expect(await cluster.get('serviceaccounts', VENDOR_HELPER.name, 'kube-system')).toBeUndefined();
    const claims = claimsOf(await ask(VENDOR_HELPER.name));
    expect(claims).toMatchObject({
      sub: `system:serviceaccount:kube-system:${VENDOR_HELPER.name}`,
      aud: ['sts.aliyuncs.com'],
    });
    const { exp, iat } = isRecord(claims) ? claims : {};
    expect(Number(exp) - Number(iat)).toBe(3_600);
    const made = await cluster.get('serviceaccounts', VENDOR_HELPER.name, 'kube-system');
    expect(made?.metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'registry-credential-helper' });
    expect(claimsOf(await ask(VENDOR_HELPER.name))).toMatchObject({ aud: ['sts.aliyuncs.com'] });
  });

  test.each([
    ['another name', 'default', 'kube-system'],
    ['another namespace', VENDOR_HELPER.name, 'default'],
  ])('of %s needs a right, and the message says which', async (_name, name, namespace) => {
    await expect(ask(name, namespace)).rejects.toMatchObject({
      reason: 'IdentityUnavailable',
      message: `The token of the ServiceAccount ${namespace}/${name} could not be requested: allow the controller the verb "create" on serviceaccounts/token of that name, as the value rrsa.tokenServiceAccount=${namespace}/${name} of the chart does (docs/rbac.md)`,
    });
  });
});

describe('[acr I1] the worker role, from a metadata service that keeps the real one’s rules', () => {
  let clouds: Clouds;
  beforeAll(async () => {
    clouds = await startClouds();
  });
  afterAll(() => clouds.stop());

  const fetchKey = () => {
    const endpoints = { alibaba: { metadata: clouds.endpoints().alibaba.metadata } };
    const here = emptyWorld({ now: Date.now, http: callMetadata, endpoints });
    return createWorkerRoleIdentity().fetchKey(here, { region: 'cn-hangzhou' }, signal);
  };

  test.each(['normal', 'v1-only', 'hardened'] as const)('of mode %s', async (mode) => {
    clouds.metadata.change({ mode });
    clouds.metadata.clearCalls();
    const key = await fetchKey();
    const { roleArn } = clouds.state.accessKeys.get(key.accessKeyId) ?? {};
    expect(roleArn).toBe(SAMPLE.workerRole.arn);
    const gets = clouds.metadata.calls({ method: 'GET' });
    expect(gets.every(({ token }) => token === (mode !== 'v1-only'))).toBe(true);
  });

  test.each([401, 403, 404] as const)(
    'of a hardened node that answers %i without a token, when the token is lost: it is there a moment later',
    async (refusalStatus) => {
      clouds.metadata.change({ mode: 'hardened', refusalStatus });
      clouds.metadata.faults.add({ fault: { kind: 'reset' }, path: '/latest/api/token', times: 1 });
      await expect(fetchKey()).rejects.toMatchObject({ reason: 'CloudUnavailable' });
      expect((await fetchKey()).origin).toContain('worker RAM role');
    },
  );

  test.each([
    ['no-role', 'IdentityUnavailable', /no RAM role on this node/],
    ['limited', 'Throttled', /slow down/],
  ] as const)('of mode %s says what is wrong', async (mode, reason, message) => {
    clouds.metadata.change({ mode });
    await expect(fetchKey()).rejects.toMatchObject({ reason, message: expect.stringMatching(message) });
  });

  test('[acr E4] that is not there says so', async () => {
    await clouds.metadata.down();
    await expect(fetchKey()).rejects.toMatchObject({
      message: expect.stringMatching(/no metadata service answers at 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/),
    });
    await clouds.metadata.up();
  });
});
