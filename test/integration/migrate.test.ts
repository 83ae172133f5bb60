// The command `migrate config` as people run it: against a cluster, a file, a pipe, and nothing that answers.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { load } from 'js-yaml';
import { PROGRAM_USER, startWorld, type World } from '../support/world.ts';
import { FAKE_KEY_SECRET, GUIDE_MANIFESTS, MANAGED_DOCUMENT } from '../support/vendor-samples.ts';
import { PROGRAM_FILE } from '../support/program.ts';

jest.setTimeout(60_000);

interface Ended {
  readonly code: number | string | null;
  readonly out: string;
  readonly error: string;
}

let world: World;

beforeAll(async () => {
  world = await startWorld();
}, 120_000);
afterAll(() => world.stop());

function run(args: readonly string[], input = ''): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, NODE_OPTIONS: '', KUBECONFIG: world.plane.kubeconfig(PROGRAM_USER) };
    const child = execFile(process.execPath, [PROGRAM_FILE, 'migrate', ...args], { env }, (failed, out, error) =>
      resolve({ code: failed === null ? 0 : (failed.code ?? null), out, error }),
    );
    child.stdin?.end(input);
  });
}

function dataOf(text: string): Readonly<Record<string, string>> {
  return (load(text) as { data: Readonly<Record<string, string>> }).data;
}

test('prints the ConfigMap of the cluster in our own form, and changes nothing', async () => {
  await world.configure({
    'watch-namespace': 'ALL',
    'acr-registry-info': '- instanceId: "cri-a,cri-b"\n  regionId: cn-hangzhou\n',
  });
  const before = await world.cluster.get('configmaps', 'acr-configuration', 'kube-system');
  const { code, out, error } = await run(['config', '--config-map=kube-system/acr-configuration']);
  expect([code, error]).toEqual([0, '']);
  expect(dataOf(out)).toMatchObject({ 'watch-namespace': 'all', 'secret-name': 'acr-credential-secret-aggregation' });
  expect(load(dataOf(out)['registry-info'] ?? '')).toEqual([
    { provider: 'acr', instanceId: 'cri-a', regionId: 'cn-hangzhou' },
    { provider: 'acr', instanceId: 'cri-b', regionId: 'cn-hangzhou' },
  ]);
  const after = await world.cluster.get('configmaps', 'acr-configuration', 'kube-system');
  expect(after?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
  // What it prints is a configuration that the cluster takes, and that means the same.
  await world.configure(dataOf(out));
  expect(dataOf((await run(['config', '--config-map=kube-system/acr-configuration'])).out)).toMatchObject({
    'watch-namespace': 'all',
  });
});

test('reads a manifest of a guide from a file', async () => {
  const file = join(world.plane.folder, 'guide.yaml');
  writeFileSync(file, GUIDE_MANIFESTS.enterprise);
  const { code, out, error } = await run(['config', '-f', file]);
  expect(code).toBe(0);
  expect(error).toContain('warning: file (line 13): stands in another column');
  expect(dataOf(out)['registry-info']).toContain('instanceId: cri-xxx');
});

test('reads a document of the managed edition from a pipe', async () => {
  const document = { AcrInstanceInfo: MANAGED_DOCUMENT.AcrInstanceInfo.slice(0, 1), watchNamespace: 'all' };
  const { code, out, error } = await run(['config', '-f', '-'], JSON.stringify(document));
  expect([code, error]).toEqual([0, '']);
  expect(dataOf(out)['registry-info']).toContain('instanceId: cri-aaaa0000bbbb1111');
});

test('ends with 3 and the corrected text where the configuration is refused', async () => {
  const { code, out, error } = await run(['config', '-f', '-'], GUIDE_MANIFESTS.personal);
  expect([code, out]).toEqual([3, '']);
  expect(error).toContain(
    "ready to paste below `data:`:\n  acr-registry-info: |\n    - instanceId: ''\n      regionId: cn-hangzhou\n",
  );
  const bad = await run(['config', '-f', '-'], `data: {customAccessKeySecret: ${FAKE_KEY_SECRET}`);
  expect([bad.code, bad.out]).toEqual([3, '']);
  expect(bad.error).not.toContain(FAKE_KEY_SECRET);
});

test('ends with 4 where the cluster does not answer, or has no such ConfigMap', async () => {
  // The rights of the controller are on its own ConfigMap alone: people see more.
  const asPerson = `--kubeconfig=${world.plane.adminKubeconfig}`;
  const { code, out, error } = await run(['config', '--config-map=kube-system/absent', asPerson]);
  expect([code, out]).toEqual([4, '']);
  expect(error).toBe('migrate config: there is no ConfigMap kube-system/absent\n');
  const file = join(world.plane.folder, 'nobody.kubeconfig');
  const cluster = { name: 'c', cluster: { server: 'https://127.0.0.1:1' } };
  const config = {
    clusters: [cluster],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    users: [{ name: 'u', user: { token: 'fake' } }],
    'current-context': 'c',
  };
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'Config', ...config }));
  const silent = await run(['config', `--kubeconfig=${file}`]);
  expect([silent.code, silent.out]).toEqual([4, '']);
});

test('ends with 2 and says why where it is used wrongly', async () => {
  const both = ['a', 'b'].map(
    (name) => `kind: ConfigMap\nmetadata: {name: ${name}, namespace: n}\ndata: {registry-info: '[]'}\n`,
  );
  for (const [args, input, message] of [
    [[], '', 'migrate: a command is missing'],
    [['configs'], '', 'migrate: unknown command configs'],
    [['config', '--colour'], '', 'unknown flag --colour'],
    [['config', '-f', '/nowhere'], '', '--file=/nowhere cannot be read (ENOENT)'],
    [['config', '-f', '-'], both.join('---\n'), 'must name one of those in the file: n/a, n/b'],
    [['config', '-f', '-', '--config-map=n/c'], both.join('---\n'), 'must name one of those in the file: n/a, n/b'],
  ] as const) {
    const { code, out, error } = await run(args, input);
    expect([code, out]).toEqual([2, '']);
    expect(error).toContain(message);
  }
  expect((await run(['config', '-f', '-', '--config-map=n/b'], both.join('---\n'))).out).toContain('name: b\n');
});

test('lists its commands, and their flags with examples', async () => {
  const { code, out } = await run(['--help']);
  expect(code).toBe(0);
  expect(out).toMatch(/Commands:\n {2}config +print/);
  expect((await run(['config', '--help'])).out).toMatch(/Examples:\n.*--config-map=.*--file=FILE/s);
});
