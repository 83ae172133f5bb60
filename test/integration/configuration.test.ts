// The ConfigMap turns bad and good again, and is edited live: a bad one is explained and changes nothing.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { stateSecretName } from '../../src/core/names.ts';
import { SAMPLE } from '../support/clouds/clouds.ts';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, registryInfo, secretsEverywhere, settled } from '../support/expectations.ts';
import { configMapEvents, metric } from '../support/signs.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(90_000);

const VALID = 'registry_credential_helper_config_valid';
const HOST = 'acme-registry.cn-hangzhou.cr.aliyuncs.com';
const { instanceId: ID } = SAMPLE.instance;
type Data = Readonly<Record<string, string>>;

describe('the configuration', () => {
  let world: World;
  let replica: Replica;

  beforeAll(async () => {
    world = await startWorld();
    await world.putAccessKey();
    for (const name of ['team-a', 'team-b', 'shop']) await serve(name);
    await world.configure(good());
    replica = await world.startController();
    await secretsEverywhere(world, ['team-a', 'team-b']);
  });

  afterAll(() => world.stop());

  const serve = async (name: string): Promise<void> => {
    await world.cluster.namespace(name);
    await world.cluster.serviceAccount(name, 'default');
  };
  const good = (changes: Data = {}): Data => ({
    'watch-namespace': 'team-*',
    'acr-registry-info': registryInfo(world),
    ...changes,
  });
  const verbose = async (): Promise<string> => (await replica.http('/readyz?verbose'))?.text ?? '';
  /** Everything in the cluster that we write, with its version. */
  const written = async (): Promise<readonly string[]> => {
    const objects = [...(await world.cluster.list('secrets')), ...(await world.cluster.list('serviceaccounts'))];
    return objects
      .filter(({ metadata }) => metadata.namespace !== 'kube-system')
      .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name} ${metadata.resourceVersion}`);
  };
  const newEvents = async (reason: string, known: readonly { message: string }[]) =>
    (await configMapEvents(world, reason)).slice(known.length);
  const restoreGood = async (): Promise<void> => {
    await world.configure(good());
    await eventually('it is valid again', async () => (await metric(replica, VALID)) === 1);
    expect(await verbose()).toContain('[+]configuration ok');
  };

  const item = `- instanceId: ${ID}\n  regionId: cn-hangzhou\n`;
  const BAD: readonly (readonly [string, Data | 'none', readonly string[]])[] = [
    [
      'is not YAML',
      { 'acr-registry-info': `${item}  domains: "a.example","b.example"\n` },
      [
        'acr-registry-info (line 3): is not YAML',
        'it reads "domains: \\"a.example\\",\\"b.example\\""',
        'write a list',
      ],
    ],
    [
      'has a field further to the right than the one before',
      { 'acr-registry-info': `- instanceId: ${ID}\n    regionId: cn-hangzhou\n` },
      [
        'acr-registry-info (line 2): is not YAML',
        'Corrected acr-registry-info, ready to paste below `data:`:',
        `- instanceId: ${ID}`,
      ],
    ],
    [
      'has a map in place of the list',
      { 'acr-registry-info': 'instanceId: x' },
      ['acr-registry-info (line 1): must be a YAML list'],
    ],
    [
      'has a list in place of a text',
      { 'acr-registry-info': `- instanceId: [a, b]\n  regionId: cn-hangzhou\n` },
      ['acr-registry-info[0].instanceId (line 1): must be text, not a list'],
    ],
    [
      'names an instance twice',
      { 'acr-registry-info': `${item}${item}` },
      ['acr-registry-info[1] (line 3): asks for the same credential as acr-registry-info[0]', 'keep one item'],
    ],
    [
      'has an invalid duration',
      good_({ 'expiring-threshold': '900' }),
      ['expiring-threshold: must be a duration with a unit', 'it reads "900"', '`15m`'],
    ],
    [
      'has an invalid selector',
      good_({ 'watch-namespace-selector': 'team in web' }),
      ['watch-namespace-selector: ', 'it reads "team in web"'],
    ],
    [
      'has an unknown provider',
      { 'registry-info': '- provider: acme\n  domains: a.example\n' },
      ['registry-info[0].provider (line 1)', 'acr', 'static'],
    ],
    ['is empty', {}, ['registry-info: no registry configured', '`[]`']],
    [
      'is missing',
      'none',
      [
        'there is no ConfigMap kube-system/acr-configuration',
        'kubectl create configmap acr-configuration -n kube-system',
      ],
    ],
  ];
  function good_(changes: Data): Data {
    return { 'watch-namespace': 'team-*', 'acr-registry-info': item, ...changes };
  }

  test.each(BAD)('[acr C10] that %s is explained, and the last good one stays', async (_name, data, says) => {
    const [before, known] = [await written(), await configMapEvents(world, 'ConfigInvalid')];
    if (data === 'none') await world.cluster.remove('configmaps', 'acr-configuration', 'kube-system');
    else await world.configure(data);
    const [event] = await eventually('an Event tells of it', async () => {
      const found = await newEvents('ConfigInvalid', known);
      return found.length > 0 && found;
    });
    expect(event?.message).toMatch(/^The last good one stays in force\. /);
    for (const words of says) expect(event?.message).toContain(words);
    expect(await metric(replica, VALID)).toBe(0);
    expect((await replica.http('/readyz'))?.status).toBe(200);
    expect(await verbose()).toContain('[-]configuration failed: ');
    for (const words of says) expect(await verbose()).toContain(words);
    const logged = await replica.lines();
    expect(logged.some((line) => line.message === 'Configuration has an issue' && line.level === 'error')).toBe(true);

    await restoreGood();
    await settled(world);
    expect(await written()).toEqual(before);
  });

  test('says every issue at once', async () => {
    const known = await configMapEvents(world, 'ConfigInvalid');
    await world.configure({
      'expiring-threshold': '-5m',
      'adopt-existing': 'perhaps',
      'service-account-selector': '=',
      'acr-registry-info': `- instanceId: x\n  regionId: cn-hangzhou\n- regionId: nowhere!\n  domains: "not a host"\n`,
      'registry-info': '- provider: static\n  domains: a.example\n',
    });
    const events = await eventually('an Event tells of it', async () => {
      const found = await newEvents('ConfigInvalid', known);
      return found.length > 0 && found;
    });
    expect(events).toHaveLength(1);
    const paths = [
      ...[
        'expiring-threshold',
        'adopt-existing',
        'service-account-selector',
        'acr-registry-info[0].instanceId (line 1)',
      ],
      ...['acr-registry-info[1].regionId (line 3)', 'acr-registry-info[1].domains (line 4)'],
      'registry-info[0].secretRef (line 1)',
    ];
    const health = await verbose();
    for (const path of paths) expect(health).toContain(`${path}: `);
    const message = events[0]?.message ?? '';
    const told = paths.filter((path) => message.includes(`${path}: `));
    // An Event holds 1,024 characters: what does not fit is counted.
    const more = Number(/and (\d+) more/.exec(message)?.[1] ?? 0);
    expect(told.length + more).toBe(paths.length);
    expect(told.length).toBeGreaterThan(3);
    await restoreGood();
  });

  test('with an unknown key works, and the nearest known one is named', async () => {
    await world.configure(good({ 'watch-namespaces': 'x', 'acr-api-version': 'v1' }));
    const event = await eventually('an Event tells of it', async () =>
      (await configMapEvents(world, 'ConfigApplied')).find(({ message }) => message.includes('watch-namespaces')),
    );
    expect(event.message).toContain('did you mean watch-namespace?');
    expect(event.message).not.toContain('acr-api-version');
    expect(await metric(replica, VALID)).toBe(1);
  });

  test('that is broken when the program starts is replaced by the last good one that it remembers', async () => {
    await world.configure({ 'acr-registry-info': '{' });
    await replica.stop();
    replica = await world.startController();
    await serve('team-new');
    await secretsEverywhere(world, ['team-a', 'team-b', 'team-new']);
    expect(await metric(replica, VALID)).toBe(0);
    await restoreGood();
  });

  test('that is missing when the program starts is replaced likewise', async () => {
    await world.cluster.remove('configmaps', 'acr-configuration', 'kube-system');
    await replica.stop();
    replica = await world.startController();
    await serve('team-newer');
    await secretsEverywhere(world, ['team-a', 'team-b', 'team-newer']);
    await restoreGood();
  });

  test('[acr C10] applies live: scope and labels', async () => {
    const { uid } = (await world.cluster.get('secrets', ACR_SECRET, 'team-a'))?.metadata ?? {};
    await world.configure(good({ 'watch-namespace': 'team-a, shop', 'managed-secret-labels': 'tier=platform' }));
    await secretsEverywhere(world, ['team-a', 'shop']);
    await eventually('what left the scope is clean', async () => {
      const left = await world.cluster.get('secrets', ACR_SECRET, 'team-b');
      return left === undefined && (await world.cluster.references('team-b', 'default')).length === 0;
    });
    const { metadata } = await eventually('the label is there', async () => {
      const secret = await world.cluster.get('secrets', ACR_SECRET, 'team-a');
      return secret?.metadata.labels?.tier === 'platform' && secret;
    });
    expect(metadata.uid).toBe(uid);
    await restoreGood();
    await secretsEverywhere(world, ['team-a', 'team-b']);
  });

  test('applies live: the threshold', async () => {
    world.clouds.cr.setTokenLife(40_000);
    // Renews after 80 % of 40 s, less at most a second.
    const instance = { ...SAMPLE.instance, instanceId: 'cri-threshold', instanceName: 'threshold' };
    world.clouds.state.instances.set(instance.instanceId, instance);
    const info = `- instanceId: cri-threshold\n  regionId: cn-hangzhou\n`;
    await world.configure(good({ 'acr-registry-info': info, 'expiring-threshold': '1s' }));
    const tokens = () => [...world.clouds.state.tokens.values()].filter((one) => one.instanceId === 'cri-threshold');
    await eventually('it has a token', () => tokens().length === 1);
    await world.configure(good({ 'acr-registry-info': info, 'expiring-threshold': '15m' }));
    await eventually('it has another one', () => tokens().length === 2);
    const [first, second] = tokens();
    expect((second?.issuedAt ?? 0) - (first?.issuedAt ?? 0)).toBeLessThan(31_000);
    world.clouds.cr.setTokenLife(3_600_000);
    await restoreGood();
  });

  test('may name the same instance for two regions and for two accounts', async () => {
    await world.cluster.create(
      'secrets',
      { metadata: { name: 'other' }, stringData: { 'access-key-id': 'LTAIother', 'access-key-secret': 'other' } },
      'kube-system',
    );
    const regions = `${item}- instanceId: ${ID}\n  regionId: cn-beijing\n`;
    const accounts = `- instanceId: ${ID}\n  regionId: cn-hangzhou\n  accessKeySecretRef: {name: other}\n`;
    await world.configure(good({ 'acr-registry-info': `${regions}${accounts}` }));
    await eventually('the others are told as unknown', async () => {
      const events = (await configMapEvents(world, 'CredentialUnavailable')).map(({ message }) => message);
      return ['InstanceNotFound', 'AccessKeyInvalid'].every((reason) => events.some((one) => one.startsWith(reason)));
    });
    expect(await metric(replica, VALID)).toBe(1);
    expect(Object.keys((await world.cluster.auths('team-a', ACR_SECRET)) ?? {})).toContain(HOST);
  });

  test('gives an item namespaces, ServiceAccounts and a Secret of its own', async () => {
    await world.cluster.serviceAccount('shop', 'builder');
    const own = `${item}  watch-namespace: shop\n  service-account: builder\n  secret-name: pull-shop\n`;
    await world.configure(good({ 'acr-registry-info': own }));
    await eventually('only that ServiceAccount refers to it', async () => {
      const [builder, other] = await Promise.all(
        ['builder', 'default'].map((name) => world.cluster.references('shop', name)),
      );
      return builder?.join() === 'pull-shop' && other?.length === 0;
    });
    expect(Object.keys((await world.cluster.auths('shop', 'pull-shop')) ?? {})).toContain(HOST);
    await eventually('the others have left the scope', async () => {
      const secrets = await world.cluster.list('secrets');
      return !secrets.some(({ metadata }) => metadata.name === ACR_SECRET);
    });
  });

  test('[acr C7] that names no registry, from the first start on, is explained, and no cloud is asked', async () => {
    const { clouds, cluster } = world;
    await replica.stop();
    await cluster.remove('secrets', stateSecretName('default'), 'kube-system');
    await world.configure({ 'watch-namespace': 'all' });
    for (const api of [clouds.cr, clouds.sts, clouds.metadata]) api.clearCalls();
    replica = await world.startController();
    await eventually('it leads', async () => (await metric(replica, 'registry_credential_helper_leading')) === 1);
    expect(await verbose()).toMatch(/configuration failed: .*no registry configured/);
    await serve('late');
    const asked = (): readonly unknown[] => [...clouds.cr.calls(), ...clouds.sts.calls(), ...clouds.metadata.calls()];
    expect(asked()).toEqual([]);
    await world.configure(good({ 'watch-namespace': 'late' }));
    await eventually('it is served', () => cluster.auths('late', ACR_SECRET));
    expect(asked()).not.toEqual([]);
  });
});
