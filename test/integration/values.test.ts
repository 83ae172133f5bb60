// The configuration as the leader keeps it from the values of a chart, on a real API server, with the documented rights and no more:
// edited by hand and upgraded, both.
import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { EXAMPLE_KEY, valuesAnnotation } from '../../src/core/names.ts';
import type { TestObject } from '../support/cluster.ts';
import type { AuditEvent } from '../support/control-plane/audit-log.ts';
import { eventually } from '../support/eventually.ts';
import { settled } from '../support/expectations.ts';
import { kubectlOf, type Kubectl } from '../support/kubectl.ts';
import { grantIn, grantInstallation, userOf, type Names } from '../support/namespaced-rights.ts';
import { eventsIn, markCalls, programCalls } from '../support/program-calls.ts';
import { runCommand } from '../support/run-command.ts';
import { linesSaying, metric } from '../support/signs.ts';
import { FAKE_KEY_ID, FAKE_KEY_SECRET } from '../support/vendor-samples.ts';
import { PROGRAM_USER, startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(120_000);

const VALUES = 'registry-credential-helper-values';
const NAME = 'acr-configuration';
const TAKEN = valuesAnnotation('default');
const ARGS = [`--values-config-map=${VALUES}`];
const BLUE: Names = { namespace: 'pulls', name: 'blue-helper', instance: 'blue' };
/** As a release would render its values. */
const FIRST = {
  'registry-info': '- provider: static\n  domains: a.example\n  secretRef: {name: static-login}\n',
  'watch-namespace': 'web',
  'exclude-namespace': 'kube-system,kube-public,kube-node-lease',
  'expiring-threshold': '20m',
};

let world: World;
let kubectl: Kubectl;
let replica: Replica;
/** What runs in the editor that `kubectl edit` opens. */
let script: string;

beforeAll(async () => {
  const users = [{ name: userOf(BLUE), groups: ['system:serviceaccounts'] }];
  world = await startWorld({ plane: { users }, furtherInstallations: [{ instance: 'green', configMap: NAME }] });
  script = path.join(world.plane.folder, 'edit.sed');
  const editor = path.join(world.plane.folder, 'editor.sh');
  await writeFile(editor, `#!/bin/sh\nexec sed -i -f '${script}' "$1"\n`);
  await chmod(editor, 0o755);
  process.env.KUBE_EDITOR = editor;
  kubectl = await kubectlOf(world.plane);
  await world.cluster.namespace('web');
  await world.cluster.namespace('api');
  const stringData = { username: 'puller', password: 'not-a-real-password' };
  await world.cluster.create('secrets', { metadata: { name: 'static-login' }, stringData }, 'kube-system');
  replica = await world.startController({ args: ARGS });
}, 120_000);
afterAll(() => world.stop());

/** The release as `helm upgrade` leaves it: exactly these values. */
async function upgrade(
  data: Readonly<Record<string, string>>,
  namespace = 'kube-system',
  name = VALUES,
): Promise<void> {
  const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
  const args = ['apply', '--server-side', '--field-manager=helm', '-f', '-'];
  expect(await kubectl(args, JSON.stringify(manifest))).toMatchObject({ code: 0 });
}

/** `kubectl edit`, by a person who changes the text as these commands of sed do. */
async function edit(commands: string, namespace = 'kube-system'): Promise<void> {
  await writeFile(script, `${commands}\n`);
  expect(await kubectl(['-n', namespace, 'edit', 'configmap', NAME])).toMatchObject({ code: 0 });
}

const get = (namespace = 'kube-system'): Promise<TestObject | undefined> =>
  world.cluster.get('configmaps', NAME, namespace);
/** The keys but for the explanation. */
async function keys(namespace = 'kube-system'): Promise<Readonly<Record<string, string>> | undefined> {
  const data = (await get(namespace))?.data;
  return data === undefined
    ? undefined
    : Object.fromEntries(Object.entries(data).filter(([key]) => key !== EXAMPLE_KEY));
}
const holds = (data: Readonly<Record<string, string>>, namespace = 'kube-system') =>
  eventually(`the configuration holds ${JSON.stringify(data)}`, async () => {
    expect(await keys(namespace)).toEqual(data);
    return true;
  });
const told = async (reason: string, namespace = 'kube-system'): Promise<readonly string[]> =>
  (await eventsIn(world, namespace))
    .filter((event) => event.reason === reason && event.involvedObject.name === NAME)
    .map(({ message }) => message);
const readiness = async (of = replica): Promise<string> => (await of.http('/readyz?verbose'))?.text ?? '';
/** What the program wrote to ConfigMaps. */
async function writes(mark: number): Promise<readonly AuditEvent[]> {
  const calls = await programCalls(world, mark);
  return calls.filter(
    ({ resource, verb }) => resource === 'configmaps' && ['create', 'patch', 'update', 'delete'].includes(verb),
  );
}

describe('a configuration that is not there', () => {
  test('is not made without values, and its absence is told', async () => {
    await eventually('it is told', async () =>
      (await told('ConfigInvalid')).some((text) => text.includes('there is no ConfigMap')),
    );
    expect(await get()).toBeUndefined();
    expect(await linesSaying(replica, 'A right is missing')).toEqual([]);
  });

  test('is not made from itself', async () => {
    const { code, output } = await runCommand(world, 'controller', [
      `--values-config-map=${NAME}`,
      '--metrics-address=0',
    ]);
    expect([code, output]).toEqual([
      2,
      expect.stringContaining('is the configuration itself, kube-system/acr-configuration'),
    ]);
  });

  test('is made from the values, explained, marked as ours, and in force', async () => {
    await upgrade(FIRST);
    await holds(FIRST);
    const made = await get();
    expect(made?.data?.[EXAMPLE_KEY]).toContain('\nwatch-namespace: ');
    expect(made?.metadata.labels).toEqual({
      'app.kubernetes.io/managed-by': 'registry-credential-helper',
      'app.kubernetes.io/instance': 'default',
    });
    await eventually(
      'it is in force',
      async () => (await world.cluster.auths('web', 'registry-credentials')) !== undefined,
    );
    expect(await readiness()).toMatch(/\[\+\]configuration ok\n[^]*\[\+\]values ok\n/);
  });
});

describe('a key', () => {
  test('that somebody edited stays over an upgrade, and is told once, with both texts; the others follow', async () => {
    await edit('s/^  watch-namespace: web$/  watch-namespace: web,api/');
    await eventually(
      'the edit is in force',
      async () => (await world.cluster.auths('api', 'registry-credentials')) !== undefined,
    );
    await upgrade({ ...FIRST, 'watch-namespace': 'shop', 'expiring-threshold': '30m', region: 'cn-hangzhou' });
    await holds({ ...FIRST, 'watch-namespace': 'web,api', 'expiring-threshold': '30m', region: 'cn-hangzhou' });
    const sentence = 'watch-namespace was edited by hand and stays: it reads "web,api", the values say "shop".';
    await eventually('an Event tells', async () => (await told('HandEditKept')).includes(sentence));
    expect(await readiness()).toContain(`[-]values failed: ${sentence}\n`);
    expect((await replica.http('/readyz'))?.status).toBe(200);
    expect(await metric(replica, 'registry_credential_helper_config_keys_edited')).toBe(1);
    expect(await metric(replica, 'registry_credential_helper_left_alone', { reason: 'HandEditKept' })).toBe(1);
    await settled(world);
    expect((await told('HandEditKept')).filter((text) => text === sentence)).toHaveLength(1);
    expect(await linesSaying(replica, 'Left alone', { detail: sentence })).toHaveLength(1);
  });

  test('that is gone from the values goes, and one that somebody added stays', async () => {
    await edit('s/^  region: .*$/&\\n  secret-name: mine/');
    await upgrade({ ...FIRST, 'watch-namespace': 'shop' });
    await holds({ ...FIRST, 'watch-namespace': 'web,api', 'secret-name': 'mine' });
  });

  test('that somebody deleted stays away, and is told', async () => {
    await edit('/^  expiring-threshold: /d');
    await eventually('an Event tells', async () =>
      (await told('HandEditKept')).some((text) =>
        text.includes('expiring-threshold was deleted by hand and stays away; the values say "20m".'),
      ),
    );
    const data = new Map(Object.entries({ ...FIRST, 'watch-namespace': 'web,api', 'secret-name': 'mine' }));
    data.delete('expiring-threshold');
    await holds(Object.fromEntries(data));
  });

  test('that somebody writes as the values say follows them again', async () => {
    await edit('s/^  watch-namespace: .*$/  watch-namespace: shop\\n  expiring-threshold: 20m/');
    await eventually('nothing is told any more', async () => (await readiness()).includes('[+]values ok'));
    await upgrade({ ...FIRST, 'watch-namespace': 'web', 'expiring-threshold': '10m' });
    await holds({ ...FIRST, 'expiring-threshold': '10m', 'secret-name': 'mine' });
    expect(await metric(replica, 'registry_credential_helper_config_keys_edited')).toBe(0);
  });

  test('with a plaintext AccessKey is told masked, and reaches no annotation', async () => {
    const item = (region: string) =>
      `- instanceId: cri-a\n  regionId: ${region}\n  customAccessKey: ${FAKE_KEY_ID}\n  customAccessKeySecret: ${FAKE_KEY_SECRET}\n`;
    await upgrade({ ...FIRST, 'acr-registry-info': item('cn-hangzhou') });
    await holds({ ...FIRST, 'acr-registry-info': item('cn-hangzhou'), 'secret-name': 'mine' });
    await edit('s/regionId: cn-hangzhou/regionId: cn-beijing/');
    await eventually('an Event tells', async () =>
      (await told('HandEditKept')).some(
        (text) => text.includes('acr-registry-info was edited') && text.includes('cn-beijing'),
      ),
    );
    const signs = [
      await replica.output(),
      await readiness(),
      JSON.stringify(await eventsIn(world, 'kube-system')),
      JSON.stringify((await get())?.metadata),
    ];
    for (const sign of signs) expect(sign).not.toContain(FAKE_KEY_SECRET);
    await edit('/^  acr-registry-info:/,/customAccessKeySecret/d');
    await upgrade(FIRST);
    await holds({ ...FIRST, 'secret-name': 'mine' });
  });
});

describe('what else the ConfigMap holds', () => {
  test('stays as it is', async () => {
    const metadata = { annotations: { note: 'theirs' }, labels: { team: 'platform' } };
    await world.cluster.patch('configmaps', NAME, { metadata, binaryData: { blob: 'AAEC' } }, 'kube-system');
    await upgrade({ ...FIRST, region: 'cn-beijing' });
    await holds({ ...FIRST, region: 'cn-beijing', 'secret-name': 'mine' });
    const live = await get();
    expect(live).toMatchObject({ binaryData: { blob: 'AAEC' }, metadata });
    expect(live?.metadata.annotations).toHaveProperty([TAKEN]);
  });
});

describe('replicas', () => {
  test('a restart writes nothing', async () => {
    await edit('s/^  region: .*$/  region: cn-shanghai/');
    await settled(world);
    const before = await get();
    const mark = await markCalls(world);
    await replica.stop();
    replica = await world.startController({ args: ARGS });
    await eventually('it is told again', async () => (await linesSaying(replica, 'Left alone')).length > 0);
    await settled(world);
    expect(await writes(mark)).toEqual([]);
    expect((await get())?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
  });

  test('only the leader writes, each replica shows what does not follow, and the next leader goes on', async () => {
    const second = await world.startController({ args: ARGS });
    await eventually(
      'it waits',
      async () => (await linesSaying(second, 'Waiting while another replica leads')).length > 0,
    );
    await eventually('it shows the edit', async () =>
      (await readiness(second)).includes('region was edited by hand and stays: it reads "cn-shanghai"'),
    );
    const mark = await markCalls(world);
    await upgrade({ ...FIRST, region: 'cn-beijing', 'expiring-threshold': '11m' });
    await holds({ ...FIRST, region: 'cn-shanghai', 'expiring-threshold': '11m', 'secret-name': 'mine' });
    await settled(world);
    expect(await writes(mark)).toHaveLength(1);
    await replica.stop();
    replica = second;
    await upgrade({ ...FIRST, region: 'cn-beijing', 'expiring-threshold': '12m' });
    await holds({ ...FIRST, region: 'cn-shanghai', 'expiring-threshold': '12m', 'secret-name': 'mine' });
    await eventually('the second wrote it', async () => {
      expect(await linesSaying(second, 'Wrote', { kind: 'patch-configuration' })).toHaveLength(1);
      return true;
    });
  });
});

describe('a configuration that is deleted', () => {
  test('is made again from the values', async () => {
    await upgrade(FIRST);
    await eventually('it follows', async () => (await keys())?.['expiring-threshold'] === '20m');
    const uid = (await get())?.metadata.uid;
    await world.cluster.remove('configmaps', NAME, 'kube-system');
    await holds(FIRST);
    expect((await get())?.metadata.uid).not.toBe(uid);
  });

  test('and made anew by hand at once is theirs: it is never written, which is told once', async () => {
    const mark = await settled(world);
    const data = { 'registry-info': '[]', 'watch-namespace': 'theirs' };
    const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: NAME, namespace: 'kube-system' }, data };
    expect(await kubectl(['replace', '--force', '-f', '-'], JSON.stringify(manifest))).toMatchObject({ code: 0 });
    const before = await get();
    await eventually('an Event tells', async () => (await told('ValuesUnused')).length > 0);
    await upgrade({ ...FIRST, 'expiring-threshold': '21m' });
    await settled(world);
    expect(await writes(mark)).toEqual([]);
    expect((await get())?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
    expect(await readiness()).toMatch(
      /\[-\]values failed: ConfigMap kube-system\/acr-configuration was not made from values/,
    );
  });

  test('and handed over with the command of the message keeps what is there, and gets what is missing', async () => {
    const [message = ''] = await told('ValuesUnused');
    const [, annotation = ''] = /annotate configmap acr-configuration '(.*)'$/.exec(message) ?? [];
    await kubectl(['-n', 'kube-system', 'annotate', 'configmap', NAME, annotation]);
    await holds({ ...FIRST, 'expiring-threshold': '21m', 'registry-info': '[]', 'watch-namespace': 'theirs' });
  });
});

describe('values that are gone', () => {
  test('change nothing', async () => {
    await settled(world);
    const before = await get();
    const mark = await markCalls(world);
    await world.cluster.remove('configmaps', VALUES, 'kube-system');
    await eventually('nothing is told any more', async () => (await readiness()).includes('[+]values ok'));
    await settled(world);
    expect(await writes(mark)).toEqual([]);
    expect((await get())?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
  });
});

describe('the command cleanup', () => {
  test('leaves a configuration that somebody edited, and says so', async () => {
    await replica.stop();
    const { code, output } = await runCommand(world, 'cleanup');
    expect([code, output]).toEqual([
      0,
      expect.stringContaining('left ConfigMap kube-system/acr-configuration: it was edited by hand'),
    ]);
    expect(await keys()).toMatchObject({ 'watch-namespace': 'theirs' });
  });

  test('removes one that nobody edited', async () => {
    await world.cluster.remove('configmaps', NAME, 'kube-system');
    await upgrade(FIRST);
    replica = await world.startController({ args: ARGS });
    await holds(FIRST);
    await replica.stop();
    const { output } = await runCommand(world, 'cleanup', ['--dry-run']);
    expect(output).toContain('would delete ConfigMap kube-system/acr-configuration');
    expect(await get()).toBeDefined();
    expect(await runCommand(world, 'cleanup')).toMatchObject({ code: 0 });
    expect(await get()).toBeUndefined();
  });
});

describe('elsewhere', () => {
  test('in namespaced mode a vendor’s ConfigMap is not touched, and one is made where there is none', async () => {
    const { namespace } = BLUE;
    await world.cluster.namespace(namespace);
    await grantInstallation(world, BLUE);
    await grantIn(world, BLUE, 'web');
    const data = { 'service-account': 'default', 'watch-namespace': 'default', 'acr-api-version': '2018-12-01' };
    const vendors = await world.cluster.create('configmaps', { metadata: { name: NAME }, data }, namespace);
    await upgrade(FIRST, namespace, 'blue-helper-values');
    const blue = await world.startController({
      args: [
        `--kubeconfig=${world.plane.kubeconfig(userOf(BLUE))}`,
        ...[`--config-map=${namespace}/${NAME}`, `--instance=${BLUE.instance}`, '--namespaces=web'],
        '--values-config-map=blue-helper-values',
      ],
    });
    await eventually('an Event tells', async () => (await told('ValuesUnused', namespace)).length > 0);
    expect(await linesSaying(blue, 'A right is missing')).toEqual([]);
    await upgrade({ ...FIRST, region: 'cn-beijing' }, namespace, 'blue-helper-values');
    await eventually('that is told', async () => (await readiness(blue)).includes('region'));
    expect(await get(namespace)).toEqual(vendors);
    await world.cluster.remove('configmaps', NAME, namespace);
    await holds({ ...FIRST, region: 'cn-beijing' }, namespace);
    await edit('s/^  region: .*$/  region: cn-shanghai/', namespace);
    await upgrade({ ...FIRST, 'watch-namespace': 'all' }, namespace, 'blue-helper-values');
    await holds({ ...FIRST, 'watch-namespace': 'all', region: 'cn-shanghai' }, namespace);
    await blue.stop();
  });

  test('the configuration may be in another namespace than the values; a right that is missing is told', async () => {
    await world.cluster.namespace('platform');
    await grantConfiguration('platform', ['list', 'watch']);
    await upgrade(FIRST);
    const args = [...ARGS, '--namespace=kube-system', '--config-map=platform/acr-configuration', '--instance=green'];
    const green = await world.startController({ args });
    await eventually('it is told', async () =>
      (await readiness(green)).includes('could not be written from the values'),
    );
    const missing = (await linesSaying(green, 'A right is missing')).map(({ detail }) => String(detail));
    expect(missing.filter((text) => text.includes(' configmaps '))).toHaveLength(3);
    expect(await readiness(green)).toContain('[-]configuration failed: missing: ');
    await grantConfiguration('platform', ['list', 'watch', 'create', 'patch', 'delete']);
    await holds(FIRST, 'platform');
    await upgrade({ ...FIRST, region: 'cn-beijing' });
    await holds({ ...FIRST, region: 'cn-beijing' }, 'platform');
    await green.stop();
    // They are the documented ones, in another place, which the world cannot tell from rights that no document names.
    expect(await kubectl(['delete', 'rolebinding', 'configuration', '--namespace=platform'])).toMatchObject({
      code: 0,
    });
  });
});

/** The rules of docs/rbac.yaml about the configuration that give these verbs, in another namespace. */
async function grantConfiguration(namespace: string, verbs: readonly string[]): Promise<void> {
  const group = 'rbac.authorization.k8s.io';
  const ownRole = `/apis/${group}/v1/namespaces/kube-system/roles/registry-credential-helper`;
  const { rules } = (await world.plane.request({ path: ownRole })).body as {
    readonly rules: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
  };
  const given = rules.filter((rule) => rule.resources.includes('configmaps') && verbs.includes(rule.verbs[0] ?? ''));
  const metadata = { name: 'configuration', namespace };
  const objects = [
    { apiVersion: `${group}/v1`, kind: 'Role', metadata, rules: given },
    {
      ...{ apiVersion: `${group}/v1`, kind: 'RoleBinding', metadata },
      roleRef: { apiGroup: group, kind: 'Role', name: 'configuration' },
      subjects: [{ kind: 'User', apiGroup: group, name: PROGRAM_USER }],
    },
  ];
  for (const object of objects) {
    expect(await kubectl(['apply', '-f', '-'], JSON.stringify(object))).toMatchObject({ code: 0 });
  }
}
