// What the provider `tcr` mints, end to end: the program on a real API server, the simulated cloud, and a real registry that believes it.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { dueAt } from '../../src/core/refresh.ts';
import type { AuthEntry } from '../support/cluster.ts';
import { TENCENT_SAMPLE } from '../support/clouds/clouds.ts';
import type { Fault } from '../support/clouds/faults.ts';
import { callTencent } from '../support/clouds/tencent-client.ts';
import type { LongTermToken, Robot, TencentInstance } from '../support/clouds/tencent-state.ts';
import { pullImage, pushImage } from '../support/control-plane/oci.ts';
import { startRegistry } from '../support/control-plane/registry.ts';
import { eventually } from '../support/eventually.ts';
import { secretsEverywhere, settled } from '../support/expectations.ts';
import { applyCrd, resource } from '../support/image-pull-secrets.ts';
import { kubectlOf } from '../support/kubectl.ts';
import { runCommand } from '../support/run-command.ts';
import { linesSaying, toldEvents } from '../support/signs.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(120_000);

const { key } = TENCENT_SAMPLE;
const SECRET = 'registry-credentials';
const CCR = 'ccr.ccs.tencentyun.com';
const API_KEY = 'tcr-api-key';
const HOUR_MS = 3_600_000;
const LIFE_MS = 20_000;
const KEEPS_LIFE_MS = 50_000;

/** One instance for each case, so that none counts what another did. */
const instances = new Map<string, TencentInstance>();
const instanceOf = (name: string, more: Partial<TencentInstance> = {}): TencentInstance => {
  const { ownerUin, regionName } = TENCENT_SAMPLE.instance;
  const one = { registryId: `tcr-${name}`, registryName: `acme-${name}`, regionName, ownerUin, ...more };
  instances.set(name, one);
  return one;
};
// Without a link into a VPC there is no `-vpc` domain.
const { vpcLinks } = TENCENT_SAMPLE.instance;
const CUSTOM = { customDomains: [{ domain: 'images.acme.example', status: 'success' }] };
const ONCE = instanceOf('once', { ...CUSTOM, vpcLinks });
const SHORT = instanceOf('short');
const KEEPS = instanceOf('keeps');
const LONG = instanceOf('long');
const LONG_CR = instanceOf('longcr');
const LOST = ['reset', 'cut', 'truncated'].map((kind) => instanceOf(`lost${kind}`));
const KILLED = instanceOf('killed');
const ROBOTS = instanceOf('robots');
const ROBOTS_CR = instanceOf('robotscr');
const SPELT = instanceOf('spelt', { registryName: 'edge-vpc', regionName: 'ap-singapore', vpcLinks });
const hostOf = ({ registryName }: TencentInstance): string => `${registryName}.tencentcloudcr.com`;
const vpcOf = ({ registryName }: TencentInstance): string => `${registryName}-vpc.tencentcloudcr.com`;

let world: World;
let replica: Replica;

beforeAll(async () => {
  world = await startWorld({ clouds: { tencent: { instances: [...instances.values()] } } });
  await applyCrd(await kubectlOf(world.plane));
  const stringData = { 'secret-id': key.secretId, 'secret-key': key.secretKey };
  await world.cluster.create('secrets', { metadata: { name: API_KEY }, stringData }, 'kube-system');
  await Promise.all(['web', 'api', 'db'].map(tenant));
  replica = await world.startController();
}, 120_000);
afterAll(() => world.stop());

async function tenant(name: string): Promise<void> {
  await world.cluster.namespace(name);
  await world.cluster.serviceAccount(name, 'default');
}

/** An item of `tcr-registry-info`. */
const itemOf = ({ registryId, regionName }: TencentInstance, more: Readonly<Record<string, unknown>> = {}) => ({
  ...{ registryId, regionId: regionName, apiKeySecretRef: { name: API_KEY } },
  ...more,
});
const configure = (items: readonly object[], namespaces = 'web,api,db'): Promise<void> =>
  world.configure({ 'watch-namespace': namespaces, 'tcr-registry-info': JSON.stringify(items) });
/** A resource that mints; `server` undefined = every domain. */
const put = async (
  name: string,
  { registryId, regionName: region }: TencentInstance,
  { server, namespaces = 'web,api,db', ...more }: Readonly<Record<string, unknown>> = {},
): Promise<void> => {
  const tcr = { registryId, region, apiKeySecretRef: { name: API_KEY }, ...more };
  const docker = server === undefined ? {} : { docker: { server } };
  await world.cluster.create('imagepullsecrets', resource(name, { namespaces, serviceAccounts: '*', ...docker, tcr }));
};
const entryOf = async (namespace: string, host: string, secret = SECRET): Promise<AuthEntry | undefined> =>
  (await world.cluster.auths(namespace, secret))?.[host];
/** The entry in each of the namespaces, once all have one and `isWanted` of all of them. */
const entriesOf = (
  host: string,
  secret = SECRET,
  isWanted: (entry: AuthEntry) => boolean = () => true,
): Promise<readonly AuthEntry[]> =>
  eventually(
    `every namespace has ${host}`,
    async () => {
      const entries = await Promise.all(['web', 'api', 'db'].map((name) => entryOf(name, host, secret)));
      const present = entries.flatMap((entry) => entry ?? []);
      return present.length === 3 && present.every(isWanted) ? present : undefined;
    },
    60_000,
  );

/** What the registry's own token endpoint says to a login. */
async function isAccepted(host: string, entry: AuthEntry | undefined): Promise<boolean> {
  const { realm, service } = world.clouds.tencent.registryAuth(host);
  const authorization = `Basic ${btoa(`${entry?.username ?? ''}:${entry?.password ?? ''}`)}`;
  return (await fetch(`${realm}?service=${service}`, { headers: { authorization } })).status === 200;
}

const minted = ({ registryId }: TencentInstance) =>
  world.clouds.tencent.tcr.calls({ action: 'CreateInstanceToken', instanceId: registryId });
const liveTokens = ({ registryId }: TencentInstance): readonly LongTermToken[] =>
  [...world.clouds.tencent.state.tokens.values()].filter(
    (token) => token.registryId === registryId && token.deletedAt === undefined,
  );
const robotsOf = ({ registryId }: TencentInstance): readonly Robot[] =>
  [...world.clouds.tencent.state.robots.values()].filter((robot) => robot.registryId === registryId);
const tokenIdOf = ({ password }: AuthEntry): unknown =>
  (JSON.parse(Buffer.from(password.split('.')[1] ?? '', 'base64url').toString()) as { tokenId?: unknown }).tokenId;

/** Has the API server refuse every change of our Secret in a namespace, until what it gives is called. */
async function refuseUpdates(namespace: string): Promise<() => Promise<void>> {
  const group = '/apis/admissionregistration.k8s.io/v1';
  const metadata = { name: `refuse.example.com` };
  const matchConstraints = {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['secrets'] }],
  };
  const policy = { failurePolicy: 'Fail', matchConstraints, validations: [{ expression: 'false' }] };
  const binding = { policyName: metadata.name, validationActions: ['Deny'] };
  for (const [kind, spec] of [
    ['validatingadmissionpolicies', policy],
    ['validatingadmissionpolicybindings', binding],
  ] as const) {
    const answer = await world.plane.request({ method: 'POST', path: `${group}/${kind}`, body: { metadata, spec } });
    expect(answer.status).toBe(201);
  }
  const isRefused = async (): Promise<boolean> => {
    const labels = { 'example.com/tried': String(Date.now()) };
    return world.cluster.patch('secrets', SECRET, { metadata: { labels } }, namespace).then(
      () => false,
      () => true,
    );
  };
  await eventually('it is refused', isRefused);
  return async () => {
    const path = `${group}/validatingadmissionpolicybindings/${metadata.name}`;
    expect((await world.plane.request({ method: 'DELETE', path })).status).toBe(200);
    await eventually('it is allowed again', async () => !(await isRefused()));
  };
}

/** A token that somebody else made, as the console does. */
function putForeign({ registryId }: TencentInstance): string {
  const tokenId = `foreign-of-${registryId}`;
  const [createdAt, expiresAt] = [Date.now(), Date.now() + HOUR_MS];
  const description = 'TKE cluster (cls-fake) dedicated access credential';
  world.clouds.tencent.state.tokens.set(tokenId, {
    ...{ tokenId, registryId, description, enabled: true, createdAt, expiresAt },
  });
  return tokenId;
}

describe('[tcr K2] a temporary token', () => {
  test('is minted once for all domains, resources and the ConfigMap together, for more than a hundred namespaces', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `many-${index}`);
    for (let at = 0; at < names.length; at += 10) await Promise.all(names.slice(at, at + 10).map(tenant));
    await put('all-domains', ONCE, { namespaces: '' });
    await put('one-domain', ONCE, { namespaces: '', server: 'images.acme.example' });
    await configure([itemOf(ONCE)], 'many-*,web,api,db');
    const everywhere = [...names, 'web', 'api', 'db'];
    for (const secret of [SECRET, 'tcr.ipsall-domains', 'tcr.ipsone-domain']) {
      await secretsEverywhere(world, everywhere, secret);
    }
    const hosts = [hostOf(ONCE), vpcOf(ONCE), 'images.acme.example'];
    const held = await world.cluster.auths('many-99', SECRET);
    expect(Object.keys(held ?? {}).sort()).toEqual([...hosts].sort());
    expect(await world.cluster.auths('many-0', 'tcr.ipsall-domains')).toEqual(held);
    expect(Object.keys((await world.cluster.auths('many-0', 'tcr.ipsone-domain')) ?? {})).toEqual([hosts[2]]);
    for (const host of hosts) expect(await isAccepted(host, held?.[host])).toBe(true);
    expect(minted(ONCE)).toHaveLength(1);
    for (const name of ['all-domains', 'one-domain']) await world.cluster.remove('imagepullsecrets', name);
  });

  test('is renewed by the product’s one rule, and every pull of three lives succeeds', async () => {
    world.clouds.tencent.state.tokenLifeMs = LIFE_MS;
    const host = hostOf(SHORT);
    const registry = await startRegistry({ auth: world.clouds.tencent.registryAuth(host) });
    try {
      const image = { registryUrl: registry.url, repository: 'team/app', tag: 'v1' };
      const { Username, Token } = await callTencent(world.clouds.endpoints().tencent.tcr, {
        ...{ service: 'tcr', action: 'CreateInstanceToken', key, body: { RegistryId: SHORT.registryId } },
      });
      const login = { username: String(Username), password: String(Token) };
      expect(await pushImage({ ...image, login })).toMatchObject({ ok: true });
      const before = minted(SHORT).length;
      await configure([itemOf(SHORT)]);
      await entriesOf(host);
      const until = Date.now() + 3 * LIFE_MS;
      const used = new Set<string>();
      for (let at = 0; Date.now() < until; at += 1) {
        const entry = await entryOf(['web', 'api', 'db'][at % 3] ?? '', host);
        used.add(entry?.password ?? '');
        expect(await pullImage({ ...image, login: entry })).toMatchObject({ ok: true });
      }
      const mints = minted(SHORT).slice(before);
      expect(used.size).toBeGreaterThanOrEqual(4);
      // No token was asked for before the rule says so: seconds are what the cloud counts in.
      const earliest = (dueAt({ issuedAt: 0, expiresAt: LIFE_MS }, 15 * 60_000, 1) ?? 0) - 1_000;
      const gaps = mints.slice(1).map(({ at }, index) => at - (mints[index]?.at ?? 0));
      for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(earliest);
      expect(mints.every(({ code }) => code === 'success')).toBe(true);
    } finally {
      world.clouds.tencent.state.tokenLifeMs = HOUR_MS;
      await registry.stop();
    }
  }, 180_000);
});

test('[tcr K3] a temporary token whose renewal fails stays, is tried again, and it is told before it ends', async () => {
  const { state, tcr } = world.clouds.tencent;
  const host = hostOf(KEEPS);
  state.tokenLifeMs = KEEPS_LIFE_MS;
  await configure([itemOf(KEEPS)]);
  const [first] = await entriesOf(host);
  state.tokenLifeMs = HOUR_MS;
  tcr.faults.add({ fault: { kind: 'unavailable' }, action: 'CreateInstanceToken', instanceId: KEEPS.registryId });
  const [told] = await toldEvents(world, 'CredentialUnavailable', new RegExp(KEEPS.registryId));
  await eventually('it is tried again', () => minted(KEEPS).length >= 3);
  // In time for somebody to act.
  const ends = Date.parse(/works until (\S+Z)/.exec(told?.message ?? '')?.[1] ?? '');
  expect(ends).toBeGreaterThan(Date.now());
  expect(await entryOf('web', host)).toEqual(first);
  expect(await isAccepted(host, first)).toBe(true);
  tcr.faults.clear();
  await entriesOf(host, SECRET, ({ password }) => password !== first?.password);
  await toldEvents(world, 'CredentialRestored', new RegExp(KEEPS.registryId));
});

describe('[tcr K4] a long-term token', () => {
  const mode = { tokenMode: 'longterm' };

  test.each<[string, TencentInstance, string, () => Promise<void>]>([
    ['the ConfigMap', LONG, SECRET, () => configure([itemOf(LONG, mode)])],
    ['a resource', LONG_CR, 'tcr.ipslongterm', () => put('longterm', LONG_CR, mode)],
  ])('of %s is tagged, the same everywhere, and a restart mints none', async (_what, instance, secret, arrange) => {
    const foreign = putForeign(instance);
    await arrange();
    const entries = await entriesOf(hostOf(instance), secret);
    const ids = new Set(entries.map(tokenIdOf));
    const cluster = (await world.cluster.get('namespaces', 'kube-system'))?.metadata.uid ?? '';
    const [ours, ...others] = liveTokens(instance).filter(({ tokenId }) => tokenId !== foreign);
    expect([...ids]).toEqual([ours?.tokenId]);
    expect(others).toEqual([]);
    expect(ours?.description).toMatch(new RegExp(`\\[registry-credential-helper ${cluster}/default/[0-9a-f]{12}\\]$`));
    await settled(world);
    await replica.stop();
    replica = await world.startController();
    // What it finds among those at the cloud tells that it has looked.
    const calls = () => world.clouds.tencent.tcr.calls();
    const since = calls().length;
    await tenant(`after-${secret.replaceAll('.', '-')}`);
    await settled(world);
    expect(
      calls()
        .slice(since)
        .map(({ action }) => action),
    ).not.toContain('CreateInstanceToken');
    expect(
      liveTokens(instance)
        .map(({ tokenId }) => tokenId)
        .sort(),
    ).toEqual([foreign, ours?.tokenId].sort());
    expect(await isAccepted(hostOf(instance), await entryOf('web', hostOf(instance), secret))).toBe(true);
  });

  /** Every namespace has the same, and in the end no other of ours is there. */
  const untilOneIsLeft = async (instance: TencentInstance, foreign: string): Promise<void> => {
    const entries = await entriesOf(hostOf(instance));
    const [id, ...others] = new Set(entries.map(tokenIdOf));
    expect(others).toEqual([]);
    await eventually(
      'no other is left',
      () => {
        const ids = liveTokens(instance).map(({ tokenId }) => tokenId);
        return ids.length === 2 && ids.includes(foreign) && ids.includes(String(id));
      },
      90_000,
    );
    expect(await isAccepted(hostOf(instance), entries[0])).toBe(true);
  };

  test.each(LOST.map((instance, at) => [['reset', 'cut', 'truncated'][at] ?? '', instance] as const))(
    'whose reply was lost (%s) is not there in the end, and one that works is',
    async (kind, instance) => {
      const foreign = putForeign(instance);
      const fault = { kind } as Fault;
      const rule = { action: 'CreateInstanceToken', instanceId: instance.registryId };
      world.clouds.tencent.tcr.faults.add({ fault, ...rule, times: 1 });
      await configure([itemOf(instance, mode)]);
      await eventually('the lost one and another were minted', () => minted(instance).length === 2);
      await untilOneIsLeft(instance, foreign);
    },
  );

  test('is one in the end also when the program is killed between the call and the write', async () => {
    const foreign = putForeign(KILLED);
    const fault: Fault = { kind: 'slow', delayMs: 10_000 };
    const rule = { action: 'CreateInstanceToken', instanceId: KILLED.registryId };
    world.clouds.tencent.tcr.faults.add({ fault, ...rule, times: 1 });
    await configure([itemOf(KILLED, mode)]);
    await eventually('it is minted', () => liveTokens(KILLED).length === 2);
    replica.process.signal('SIGKILL');
    await replica.process.exited();
    expect(await entryOf('web', hostOf(KILLED))).toBeUndefined();
    replica = await world.startController();
    await untilOneIsLeft(KILLED, foreign);
  });

  test('goes with its item and its resource, and nothing foreign with it', async () => {
    await configure([]);
    await world.cluster.remove('imagepullsecrets', 'longterm');
    await eventually(
      'ours are gone',
      () =>
        [LONG, LONG_CR, KILLED, ...LOST].every(
          (instance) =>
            liveTokens(instance)
              .map(({ tokenId }) => tokenId)
              .join() === `foreign-of-${instance.registryId}`,
        ),
      60_000,
    );
  });
});

describe('[tcr K6] a robot', () => {
  const mode = { tokenMode: 'robot', namespaces: ['team-a', 'team-b'] };

  test.each<[string, TencentInstance, string, () => Promise<void>, () => Promise<void>]>([
    [
      'the ConfigMap',
      ROBOTS,
      SECRET,
      () => configure([itemOf(ROBOTS, { ...mode, namespaces: 'team-a,team-b' })]),
      () => configure([]),
    ],
    [
      'a resource',
      ROBOTS_CR,
      'tcr.ipsrobot',
      () =>
        world.cluster
          .create(
            'imagepullsecrets',
            resource('robot', {
              ...{ namespaces: 'web,api,db', serviceAccounts: '*' },
              tcr: {
                registryId: ROBOTS_CR.registryId,
                region: ROBOTS_CR.regionName,
                apiKeySecretRef: { name: API_KEY },
                ...mode,
              },
            }),
          )
          .then(() => undefined),
      () => world.cluster.remove('imagepullsecrets', 'robot'),
    ],
  ])(
    'of %s may pull and no more, no password of it is invalid while it is rotated, and it goes with it',
    async (...row) => {
      const [, instance, secret, arrange, remove] = row;
      const host = hostOf(instance);
      await arrange();
      await entriesOf(host, secret);
      const actions = ['tcr:PullRepository', 'tcr:DescribeHelmCharts'];
      expect(robotsOf(instance).map(({ permissions }) => permissions)).toEqual([
        [
          { resource: 'team-a', actions },
          { resource: 'team-b', actions },
        ],
      ]);

      const invalid: string[] = [];
      let checks = 0;
      let isOver = false;
      const watch = async (): Promise<void> => {
        while (!isOver) {
          for (const namespace of ['web', 'api', 'db']) {
            const entry = await entryOf(namespace, host, secret);
            const isGood = await isAccepted(host, entry);
            checks += 1;
            // Between the two reads it may have been replaced: then it is not distributed any more.
            const isDistributed = (await entryOf(namespace, host, secret))?.password === entry?.password;
            if (!isGood && isDistributed) invalid.push(`${namespace} ${entry?.username ?? ''}`);
          }
        }
      };
      const watching = watch();
      try {
        for (const secretId of ['AKIDsecondfake', 'AKIDthirdfake', key.secretId]) {
          const [before] = robotsOf(instance);
          // Another key is another origin: the login is minted anew.
          const secretKey = secretId === key.secretId ? key.secretKey : `fake-key-of-${secretId}`;
          world.clouds.tencent.state.keys.set(secretId, { ...key, secretId, secretKey });
          const stringData = { 'secret-id': secretId, 'secret-key': secretKey };
          await world.cluster.patch('secrets', API_KEY, { stringData }, 'kube-system');
          await eventually(
            'the new one is alone',
            () => robotsOf(instance).length === 1 && robotsOf(instance)[0]?.name !== before?.name,
            60_000,
          );
        }
      } finally {
        isOver = true;
        await watching;
      }
      expect(invalid).toEqual([]);
      expect(checks).toBeGreaterThan(0);
      await remove();
      await eventually('it is gone', () => robotsOf(instance).length === 0, 60_000);
    },
    180_000,
  );

  test('stays as long as one namespace has not got the next one', async () => {
    const host = hostOf(ROBOTS);
    await configure([itemOf(ROBOTS, { ...mode, namespaces: 'team-a,team-b' })]);
    const [first] = await entriesOf(host);
    const lift = await refuseUpdates('db');
    const stringData = { 'secret-id': 'AKIDfourthfake', 'secret-key': 'fake-key-of-the-fourth' };
    const fourth = { ...key, secretId: 'AKIDfourthfake', secretKey: 'fake-key-of-the-fourth' };
    world.clouds.tencent.state.keys.set(fourth.secretId, fourth);
    await world.cluster.patch('secrets', API_KEY, { stringData }, 'kube-system');
    for (const name of ['web', 'api']) {
      await eventually(`${name} has it`, async () => (await entryOf(name, host))?.password !== first?.password);
    }
    await settled(world);
    expect(await entryOf('db', host)).toEqual(first);
    expect(robotsOf(ROBOTS)).toHaveLength(2);
    for (const name of ['web', 'api', 'db']) expect(await isAccepted(host, await entryOf(name, host))).toBe(true);
    await lift();
    // Made anew, so that nobody has to wait for the next try.
    await world.cluster.remove('secrets', SECRET, 'db');
    await eventually(
      'the first is gone',
      () =>
        robotsOf(ROBOTS)
          .map(({ name }) => name)
          .join() !== first?.username && robotsOf(ROBOTS).length === 1,
    );
    expect(await isAccepted(host, (await entriesOf(host))[0])).toBe(true);
    await configure([]);
    await eventually('all are gone', () => robotsOf(ROBOTS).length === 0);
  });
});

test('[tcr K8] an instance is found by its `-vpc` domain, beside its own domains, and when its name ends so', async () => {
  await configure([
    { domains: `${vpcOf(ONCE)},images.acme.example`, apiKeySecretRef: { name: API_KEY } },
    { domains: hostOf(SPELT), apiKeySecretRef: { name: API_KEY } },
  ]);
  await put('by-vpc', SPELT, { registryId: undefined, region: undefined, server: vpcOf(SPELT) });
  for (const [host, secret] of [
    [vpcOf(ONCE), SECRET],
    ['images.acme.example', SECRET],
    [hostOf(SPELT), SECRET],
    [vpcOf(SPELT), 'tcr.ipsby-vpc'],
  ] as const) {
    const [entry] = await entriesOf(host, secret);
    expect(await isAccepted(host, entry)).toBe(true);
  }
  // In the region where it is, which nobody wrote.
  expect(minted(SPELT).every(({ region }) => region === 'ap-singapore')).toBe(true);
  await world.cluster.remove('imagepullsecrets', 'by-vpc');
});

test('[tcr K1] [tcr W10] the fixed password of the Personal Edition is distributed as it is, and pulls', async () => {
  const [[username, password] = ['', '']] = Object.entries(TENCENT_SAMPLE.personalPasswords);
  const stringData = { username, password };
  await world.cluster.create('secrets', { metadata: { name: 'ccr-login' }, stringData }, 'kube-system');
  const info = `- provider: static\n  domains: ${CCR}\n  secretRef: {name: ccr-login}\n`;
  await world.configure({ 'watch-namespace': 'web,api,db', 'registry-info': info });
  for (const entry of await entriesOf(CCR)) {
    expect(entry).toMatchObject(stringData);
    expect(await isAccepted(CCR, entry)).toBe(true);
  }
});

describe('[tcr K5] the command cleanup', () => {
  const endpoints = (): string => `--cloud-endpoints=${JSON.stringify({ tencent: world.clouds.endpoints().tencent })}`;
  const masterCopy = () => world.cluster.get('secrets', 'registry-credential-helper-state-default', 'kube-system');
  const OURS = [LONG, ROBOTS];
  const countOurs = (): number =>
    liveTokens(LONG).filter(({ tokenId }) => tokenId !== `foreign-of-${LONG.registryId}`).length +
    robotsOf(ROBOTS).length;

  beforeAll(async () => {
    await configure([
      itemOf(LONG, { tokenMode: 'longterm' }),
      itemOf(ROBOTS, { tokenMode: 'robot', namespaces: 'team-a' }),
    ]);
    for (const instance of OURS) await entriesOf(hostOf(instance));
    await settled(world);
    await replica.stop();
    world.clouds.tencent.state.deletionDelayMs = 2_500;
  }, 120_000);

  test('says in a dry run what would be revoked, and revokes nothing', async () => {
    const { code, output } = await runCommand(world, 'cleanup', [endpoints(), '--dry-run']);
    expect(code).toBe(0);
    for (const { registryId, regionName } of OURS) {
      expect(output).toMatch(
        new RegExp(`would revoke at the cloud what tcr/${regionName}/${registryId}/.* \\(.+\\) left`),
      );
    }
    expect(countOurs()).toBe(2);
  });

  test('names what is left when the cloud cannot be reached, and keeps the master copy', async () => {
    await world.clouds.tencent.tcr.down();
    const { code, output } = await runCommand(world, 'cleanup', [endpoints()]);
    await world.clouds.tencent.tcr.up();
    expect(code).toBe(1);
    const ids = [
      ...liveTokens(LONG)
        .slice(-1)
        .map(({ tokenId }) => tokenId),
      ...robotsOf(ROBOTS).map(({ name }) => name),
    ];
    for (const [at, { registryId }] of OURS.entries()) {
      const line = output
        .split('\n')
        .find((one) => one.startsWith('cleanup: left at the cloud') && one.includes(registryId));
      expect(line).toContain(ids[at]);
    }
    expect(await world.cluster.get('secrets', SECRET, 'web')).toBeUndefined();
    expect(await masterCopy()).toBeDefined();
    expect(countOurs()).toBe(2);
  });

  test('revokes the rest when it is run again, waits until it is gone, and touches nothing foreign', async () => {
    const foreign = [...world.clouds.tencent.state.tokens.keys()].filter((id) => id.startsWith('foreign-'));
    const { code, output } = await runCommand(world, 'cleanup', [endpoints()]);
    expect(output).not.toContain('left at the cloud');
    expect(code).toBe(0);
    expect(countOurs()).toBe(0);
    const listed = await callTencent(world.clouds.endpoints().tencent.tcr, {
      ...{ service: 'tcr', action: 'DescribeInstanceToken', key, body: { RegistryId: LONG.registryId } },
    });
    expect(listed).toMatchObject({ TotalCount: 1, Tokens: [{ Id: `foreign-of-${LONG.registryId}` }] });
    for (const id of foreign) {
      expect(world.clouds.tencent.state.tokens.get(id)).not.toHaveProperty('deletedAt');
    }
    expect(await masterCopy()).toBeUndefined();
  });
});

test('nothing of all this was told with a token or a key', async () => {
  const output = await replica.output();
  expect(await linesSaying(replica, 'Obtained a credential')).not.toEqual([]);
  expect(output).not.toContain('eyJ');
  expect(output).not.toContain(key.secretKey);
});
