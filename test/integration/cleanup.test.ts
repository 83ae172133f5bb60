// Several installations in one cluster, the command that removes one of them, and rights that are missing.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, registryInfo, secretsEverywhere, settled } from '../support/expectations.ts';
import { programWrites } from '../support/program-calls.ts';
import { runCommand } from '../support/run-command.ts';
import { PROGRAM_USER, startWorld, type Replica, type World } from '../support/world.ts';

const BLUE_SECRET = 'blue-credentials';
const BLUE_CONFIG = 'blue-configuration';
const NAMESPACES = ['shared-0', 'shared-1', 'shared-2'];

jest.setTimeout(60_000);

let world: World;
let replica: Replica;
let blue: Replica;

const startBlue = (): Promise<Replica> =>
  world.startController({ args: ['--instance=blue', `--config-map=kube-system/${BLUE_CONFIG}`] });

const configureBlue = async (namespaces: string): Promise<void> => {
  const data = {
    'watch-namespace': namespaces,
    'service-account': '*',
    'secret-name': BLUE_SECRET,
    'registry-info': '- provider: static\n  domains: static.example\n  secretRef: {name: static-login}\n',
  };
  const present = await world.cluster.get('configmaps', BLUE_CONFIG, 'kube-system');
  if (present !== undefined) await world.cluster.patch('configmaps', BLUE_CONFIG, { data }, 'kube-system');
  else await world.cluster.create('configmaps', { metadata: { name: BLUE_CONFIG }, data }, 'kube-system');
};

beforeAll(async () => {
  world = await startWorld({ furtherInstallations: [{ instance: 'blue', configMap: BLUE_CONFIG }] });
  await world.putAccessKey();
  const stringData = { username: 'puller', password: 'not-a-real-password' };
  await world.cluster.create('secrets', { metadata: { name: 'static-login' }, stringData }, 'kube-system');
  for (const name of NAMESPACES) {
    await world.cluster.namespace(name);
    await world.cluster.create('secrets', { metadata: { name: 'foreign' }, stringData: { a: 'b' } }, name);
    await world.cluster.serviceAccount(name, 'app', ['foreign']);
    // Its owner wrote our name: it is not ours.
    await world.cluster.serviceAccount(name, 'owned', ['foreign', ACR_SECRET]);
  }
  await world.configure({
    'watch-namespace': 'shared-*',
    'service-account': '*',
    'acr-registry-info': registryInfo(world),
  });
  await configureBlue('shared-*');
  [replica, blue] = await Promise.all([world.startController(), startBlue()]);
  await secretsEverywhere(world, NAMESPACES);
  await secretsEverywhere(world, NAMESPACES, BLUE_SECRET);
  await settled(world);
}, 120_000);
afterAll(() => world.stop());

const secretsIn = async (namespace: string): Promise<readonly string[]> =>
  (await world.cluster.list('secrets', namespace)).map(({ metadata }) => metadata.name).sort();
const sorted = (...names: readonly string[]): readonly string[] => [...names].sort();

/** Everything that a person would miss: Secrets and ServiceAccounts of every namespace, with their versions. */
const picture = async (): Promise<readonly string[]> =>
  [...(await world.cluster.list('secrets')), ...(await world.cluster.list('serviceaccounts'))].map(
    ({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`,
  );

describe('two installations in one cluster', () => {
  test('serve the same namespaces side by side', async () => {
    for (const name of NAMESPACES) {
      expect(await secretsIn(name)).toEqual(sorted(ACR_SECRET, BLUE_SECRET, 'foreign'));
      const references = await world.cluster.references(name, 'app');
      expect(references[0]).toBe('foreign');
      expect(sorted(...references)).toEqual(sorted('foreign', ACR_SECRET, BLUE_SECRET));
      const labels = async (secret: string) =>
        (await world.cluster.get('secrets', secret, name))?.metadata.labels?.['app.kubernetes.io/instance'];
      expect(await labels(ACR_SECRET)).toBe('default');
      expect(await labels(BLUE_SECRET)).toBe('blue');
    }
  });

  test('do not touch what the other wrote when their own scope changes', async () => {
    const mark = await settled(world);
    await configureBlue('shared-1, shared-2');
    await eventually('blue has left', async () => !(await secretsIn('shared-0')).includes(BLUE_SECRET));
    await settled(world);
    expect(await secretsIn('shared-0')).toEqual(sorted(ACR_SECRET, 'foreign'));
    expect(await world.cluster.references('shared-0', 'app')).toEqual(['foreign', ACR_SECRET]);
    // Two references and one Secret, and nothing that the other had to put right.
    expect(await programWrites(world, mark)).toHaveLength(3);
    await configureBlue('shared-*');
    await secretsEverywhere(world, NAMESPACES, BLUE_SECRET);
    await settled(world);
  });
});

describe('the command cleanup', () => {
  const args = ['--instance=blue', `--config-map=kube-system/${BLUE_CONFIG}`];

  test('refuses while a controller of the same installation runs, and changes nothing', async () => {
    const before = await picture();
    const { code, output } = await runCommand(world, 'cleanup', args);
    expect(code).toBe(1);
    expect(output).toMatch(/runs this installation and would write everything again: stop it first/);
    expect(await picture()).toEqual(before);
  });

  test('prints what it would remove, and writes nothing, when asked for a dry run', async () => {
    await blue.stop();
    const before = await picture();
    const { code, output } = await runCommand(world, 'cleanup', [...args, '--dry-run']);
    expect(code).toBe(0);
    expect(output).toContain(`would delete Secret shared-0/${BLUE_SECRET}`);
    expect(output).toContain(`would remove reference to ${BLUE_SECRET} from ServiceAccount shared-0/app`);
    expect(output).toContain('6 references and 3 Secrets would be removed, 0 failed');
    expect(output).toContain('(master copy)');
    expect(output).not.toContain(ACR_SECRET);
    expect(await picture()).toEqual(before);
  });

  test('removes everything of one installation, references first, and nothing else', async () => {
    const mark = await settled(world);
    const { code, output } = await runCommand(world, 'cleanup', args);
    expect(code).toBe(0);
    expect(output).toContain('6 references and 3 Secrets removed, 0 failed');
    await settled(world);
    for (const name of NAMESPACES) {
      expect(await secretsIn(name)).toEqual(sorted(ACR_SECRET, 'foreign'));
      expect(await world.cluster.references(name, 'app')).toEqual(['foreign', ACR_SECRET]);
      expect(await world.cluster.references(name, 'owned')).toEqual(['foreign', ACR_SECRET]);
      const accounts = await world.cluster.list('serviceaccounts', name);
      const annotations = accounts.flatMap(({ metadata }) => Object.keys(metadata.annotations ?? {}));
      expect(annotations).toEqual(['registry-credential-helper.io/references.default']);
      const kinds = (await programWrites(world, mark)).filter(({ namespace }) => namespace === name);
      expect(kinds.map(({ resource }) => resource)).toEqual(['serviceaccounts', 'serviceaccounts', 'secrets']);
    }
    expect(await secretsIn('kube-system')).toEqual(
      sorted('alibaba-addon-secret', 'registry-credential-helper-state-default', 'static-login'),
    );
  });

  test('has nothing to do the second time, and the controller can be started again', async () => {
    const { code, output } = await runCommand(world, 'cleanup', args);
    expect(code).toBe(0);
    expect(output).toContain('0 references and 0 Secrets removed, 0 failed');
    blue = await startBlue();
    await secretsEverywhere(world, NAMESPACES, BLUE_SECRET);
  });

  test('leaves a reference alone that its owner wrote, although it names the Secret that goes', async () => {
    await replica.stop();
    const { code, output } = await runCommand(world, 'cleanup');
    expect(code).toBe(0);
    expect(output).toContain('3 references and 3 Secrets removed, 0 failed');
    expect(await world.cluster.references('shared-0', 'owned')).toEqual(['foreign', ACR_SECRET, BLUE_SECRET]);
    expect(await world.cluster.references('shared-0', 'app')).toEqual(['foreign', BLUE_SECRET]);
  });
});

describe('the command cleanup without rights', () => {
  const bindings = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
  const path = `${bindings}/registry-credential-helper`;
  let binding: Record<string, unknown>;

  beforeAll(async () => {
    await blue.stop();
    binding = (await world.plane.request({ path })).body as Record<string, unknown>;
    expect((await world.plane.request({ method: 'DELETE', path })).status).toBe(200);
    const list = { path: '/api/v1/namespaces', user: PROGRAM_USER };
    await eventually('the right is gone', async () => (await world.plane.request(list)).status === 403);
  });
  afterAll(async () => {
    const { apiVersion, kind, roleRef, subjects } = binding;
    const body = { apiVersion, kind, roleRef, subjects, metadata: { name: 'registry-credential-helper' } };
    expect((await world.plane.request({ method: 'POST', path: bindings, body })).status).toBe(201);
    blue = await startBlue();
    await secretsEverywhere(world, NAMESPACES, BLUE_SECRET);
  });

  test('ends with a sentence that names what is missing, and changes nothing', async () => {
    const before = await picture();
    const { code, output } = await runCommand(world, 'cleanup', ['--instance=blue']);
    expect(code).toBe(1);
    expect(output.trim().split('\n')).toHaveLength(1);
    expect(output).toMatch(/^cleanup: .*cannot list resource "(namespaces|serviceaccounts|secrets)"/);
    expect(await picture()).toEqual(before);
  });
});

describe('a right that is missing', () => {
  const role = '/apis/rbac.authorization.k8s.io/v1/clusterroles/registry-credential-helper';

  test('is named at the start by verb and resource, and is used once it is granted', async () => {
    const { body } = await world.plane.request({ path: role });
    const { rules } = body as { rules: readonly { resources: readonly string[]; verbs: readonly string[] }[] };
    const setRules = async (changed: typeof rules): Promise<void> => {
      const answer = await world.plane.request({
        method: 'PATCH',
        path: role,
        body: { rules: changed },
        contentType: 'application/merge-patch+json',
      });
      expect(answer.status).toBe(200);
    };
    await setRules(
      rules.map((rule) =>
        rule.resources.includes('serviceaccounts')
          ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== 'patch') }
          : rule,
      ),
    );
    replica = await world.startController();
    const missing = await eventually('the log names it', async () => {
      const lines = (await replica.lines())
        .filter(({ level }) => level === 'error')
        .map((line) => JSON.stringify(line));
      return lines.some((line) => line.includes('may not patch serviceaccounts')) ? lines : undefined;
    });
    expect(missing.filter((line) => line.includes('A right is missing') || line.includes('may not'))).toHaveLength(1);

    await setRules(rules);
    await secretsEverywhere(world, NAMESPACES);
  });
});
