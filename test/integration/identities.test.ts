// Every way to authenticate at Alibaba Cloud, from the configuration to a pull from a real registry; and what is said when a hop
// of it fails.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mintSession } from '../support/clouds/alibaba-sessions.ts';
import { buildRegistryService, type MintedToken } from '../support/clouds/alibaba-state.ts';
import { SAMPLE } from '../support/clouds/clouds.ts';
import { buildManagedRoleTokenSecret } from '../support/clouds/managed-role-token.ts';
import { pullImage, pushImage } from '../support/control-plane/oci.ts';
import { startRegistry, type Registry } from '../support/control-plane/registry.ts';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, settled } from '../support/expectations.ts';
import { configMapEvents, linesSaying } from '../support/signs.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(120_000);

const { instance, otherInstance, roleA, roleB, oidcProvider, accessKey } = SAMPLE;
const HOST = 'acme-registry.cn-hangzhou.cr.aliyuncs.com';
const OTHER_HOST = 'globex-registry.cn-hangzhou.cr.aliyuncs.com';
const PERSONAL_HOST = 'registry.cn-hangzhou.aliyuncs.com';
const FIRST = `- instanceId: ${instance.instanceId}\n`;
const OTHER = `- instanceId: ${otherInstance.instanceId}\n`;
const RRSA = `  rrsaRoleARN: ${roleA.arn}\n  rrsaOIDCProviderRoleARN: ${oidcProvider.arn}\n`;
const RRSA_ON = {
  rrsa: 'enable: true\n',
  'rrsa-service-account': 'kube-system/aliyun-acr-credential-helper',
};

let world: World;
let replica: Replica;
let registries: Readonly<Record<string, Registry>>;
const cleanups: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  world = await startWorld({ clouds: { instances: [instance, otherInstance] } });
  cleanups.push(() => world.stop());
  const { body } = await world.plane.request({ path: '/openid/v1/jwks' });
  const { keys } = body as { keys: never[] };
  world.clouds.state.oidcProviders.set(oidcProvider.arn, { ...oidcProvider, keys });
  const { realm, services, issuer, rootCertBundle } = world.clouds.endpoints().registryAuth;
  const start = async (service: string): Promise<Registry> => {
    const registry = await startRegistry({ auth: { realm, service, issuer, rootCertBundle } });
    cleanups.push(() => registry.stop());
    const { username, password } = SAMPLE.user;
    const pushed = await pushImage({ registryUrl: registry.url, ...IMAGE, login: { username, password } });
    expect(pushed).toMatchObject({ ok: true });
    return registry;
  };
  registries = {
    [HOST]: await start(services[instance.instanceId] ?? ''),
    [OTHER_HOST]: await start(services[otherInstance.instanceId] ?? ''),
    [PERSONAL_HOST]: await start(buildRegistryService({ regionId: 'cn-hangzhou' })),
  };
  await world.cluster.namespace('team-a');
  await world.cluster.serviceAccount('team-a', 'default');
  await world.configure({ 'watch-namespace': 'team-a', 'registry-info': '[]' });
  replica = await world.startController();
}, 180_000);
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});
beforeEach(() => {
  world.clouds.state.sessionLifeCapMs = Infinity;
  for (const role of [SAMPLE.workerRole, SAMPLE.managedRole, roleA, roleB])
    world.clouds.state.roles.set(role.arn, role);
});

const IMAGE = { repository: 'team/app', tag: 'v1' };
const configure = (items: string, more: Readonly<Record<string, string>> = {}): Promise<void> =>
  world.configure({ 'watch-namespace': 'team-a', 'acr-registry-info': items, ...more });
const minted = (host: string): Promise<MintedToken | undefined> =>
  world.cluster
    .auths('team-a', ACR_SECRET)
    .then((auths) => world.clouds.state.tokens.get(auths?.[host]?.password ?? ''));
const principalOf = (token: MintedToken): string => {
  const key = world.clouds.state.accessKeys.get(token.accessKeyId);
  return key?.roleArn ?? key?.userName ?? token.accessKeyId;
};

/** Waits until the Secret holds a token that `principal` obtained, and pulls with it. */
async function servedAs(principal: string, host: string): Promise<void> {
  await eventually(`${host} is served as ${principal}`, async () => {
    const token = await minted(host);
    return token !== undefined && principalOf(token) === principal;
  });
  const login = (await world.cluster.auths('team-a', ACR_SECRET))?.[host];
  expect(await pullImage({ registryUrl: registries[host]?.url ?? '', ...IMAGE, login })).toMatchObject({ ok: true });
}

/** Waits for a failure that is told with this text, and returns it. */
const failureSaying = (text: RegExp): Promise<string> =>
  eventually(`an Event says ${text.source}`, async () =>
    (await configMapEvents(world, 'CredentialUnavailable')).map(({ message }) => message).find((one) => text.test(one)),
  );

describe('a token pulls that was obtained', () => {
  test('[acr I1] as the worker role of the node, in the region of the node', async () => {
    await configure(FIRST);
    await servedAs(SAMPLE.workerRole.arn, HOST);
    const lines = await linesSaying(replica, 'Obtained a credential');
    expect(lines.at(-1)?.identity).toMatch(
      /^the worker RAM role kubernetesworkerrole-sample \(a worker RAM role of the node, by tokenMode auto, since: .*alibaba-addon-secret/,
    );
  });

  test('[acr I2] as the managed role, from the Secret that the control plane writes', async () => {
    const session = mintSession(world.clouds.state, {
      ...{ roleArn: SAMPLE.managedRole.arn, sessionName: 'ack', lifeSeconds: 3_600, now: world.clouds.now() },
    });
    await world.cluster.create('secrets', { ...buildManagedRoleTokenSecret({ session }) }, 'kube-system');
    await configure(FIRST, { tokenMode: 'managedRole' });
    await servedAs(SAMPLE.managedRole.arn, HOST);
    await configure(FIRST);
    await servedAs(SAMPLE.managedRole.arn, HOST);
    await world.cluster.remove('secrets', 'addon.aliyuncsmanagedacrrole.token', 'kube-system');
  });

  test('[acr I3] as a role of another account, which the worker role may assume', async () => {
    await configure(`${OTHER}  assumeRoleARN: ${roleB.arn}\n  expireDuration: 1800\n`, { tokenMode: 'workerRole' });
    await servedAs(roleB.arn, OTHER_HOST);
    const token = await minted(OTHER_HOST);
    // acr.md section 20: no longer than the session that asked for it.
    expect((token?.expiresAt ?? 0) - (token?.issuedAt ?? 0)).toBeLessThanOrEqual(1_800_000);
  });

  test('[acr I4] by RRSA with a token that the cluster signs for the ServiceAccount of the vendor', async () => {
    await configure(`${FIRST}${RRSA}`, RRSA_ON);
    await servedAs(roleA.arn, HOST);
    expect(await world.cluster.get('serviceaccounts', 'aliyun-acr-credential-helper', 'kube-system')).toBeDefined();
  });

  test('[acr I4] by RRSA and then as a role of another account', async () => {
    await configure(`${OTHER}${RRSA}  assumeRoleARN: ${roleB.arn}\n`, RRSA_ON);
    await servedAs(roleB.arn, OTHER_HOST);
  });

  test('[acr I6] with a key in plain text, which no output shows', async () => {
    const { accessKeyId, accessKeySecret } = accessKey;
    await configure(`${FIRST}  customAccessKey: ${accessKeyId}\n  customAccessKeySecret: ${accessKeySecret}\n`);
    await servedAs(accessKey.userName, HOST);
    expect(await replica.output()).not.toContain(accessKeySecret);
    expect(JSON.stringify(await configMapEvents(world))).not.toContain(accessKeySecret);
    expect((await replica.http('/readyz?verbose'))?.text).not.toContain(accessKeySecret);
  });

  test('[acr I7] with the key of the vendor’s Secret as soon as that is there, and of a named one', async () => {
    await configure(FIRST);
    await servedAs(SAMPLE.workerRole.arn, HOST);
    await world.putAccessKey();
    await servedAs(accessKey.userName, HOST);
    await world.putAccessKey('named');
    await world.cluster.remove('secrets', 'alibaba-addon-secret', 'kube-system');
    await configure(`${FIRST}  accessKeySecretRef: {name: named}\n`);
    await servedAs(accessKey.userName, HOST);
  });

  test('[acr E1] for an instance, another account and the Personal Edition, all in one Secret', async () => {
    await configure(`${FIRST}${OTHER}  assumeRoleARN: ${roleB.arn}\n- instanceId: ""\n`, { tokenMode: 'workerRole' });
    await servedAs(SAMPLE.workerRole.arn, HOST);
    await servedAs(roleB.arn, OTHER_HOST);
    await servedAs(SAMPLE.workerRole.arn, PERSONAL_HOST);
    const personal = (await minted(PERSONAL_HOST))?.token;
    const auths = (await world.cluster.auths('team-a', ACR_SECRET)) ?? {};
    const hosts = Object.entries(auths).filter(([, entry]) => entry.password === personal);
    expect(hosts.map(([host]) => host).sort()).toEqual([
      'registry-internal.cn-hangzhou.aliyuncs.com',
      'registry-vpc.cn-hangzhou.aliyuncs.com',
      'registry.cn-hangzhou.aliyuncs.com',
    ]);
  });
});

describe('[acr I5] a hop that fails is named with what to check', () => {
  test('the role of the other account does not trust ours', async () => {
    world.clouds.state.roles.set(roleB.arn, { ...roleB, trust: [] });
    await configure(`${OTHER}  assumeRoleARN: ${roleB.arn}\n  expireDuration: 901\n`, { tokenMode: 'workerRole' });
    const message = await failureSaying(/AssumeRole of .*acr-b failed \(NoPermission, request id/);
    expect(message).toMatch(/the worker RAM role kubernetesworkerrole-sample may not assume .*trust policy/);
  });

  test('the session is longer than the role allows', async () => {
    await configure(`${OTHER}  assumeRoleARN: ${roleB.arn}\n  expireDuration: 43200\n`, { tokenMode: 'workerRole' });
    await failureSaying(/InvalidParameter\.DurationSeconds.*43200 s is longer than the role .*allows/);
  });

  test('the trust policy names another ServiceAccount', async () => {
    // Not role A, of which there may be a session still.
    const arn = `${roleA.arn}-strict`;
    const trust = [{ ...roleA.trust[0], subjects: ['system:serviceaccount:kube-system:another'] }];
    world.clouds.state.roles.set(arn, { arn, trust });
    await configure(`${FIRST}${RRSA.replace(roleA.arn, arn)}`, RRSA_ON);
    await failureSaying(
      /AssumeRoleWithOIDC of .*does not admit the subject system:serviceaccount:kube-system:aliyun-acr-credential-helper .*oidc:sub/,
    );
  });

  test('[acr I8] the role may not ask for tokens', async () => {
    world.clouds.state.roles.set(SAMPLE.workerRole.arn, {
      ...SAMPLE.workerRole,
      denied: { GetAuthorizationToken: 'NoPermission' },
    });
    await configure(FIRST, { tokenMode: 'workerRole', region: 'cn-hangzhou' });
    await failureSaying(
      /GetAuthorizationToken of .*the worker RAM role .* allow it the action cr:GetAuthorizationToken/,
    );
  });

  test('[acr E2] the Personal Edition has no user for it yet', async () => {
    world.clouds.state.roles.set(SAMPLE.workerRole.arn, { ...SAMPLE.workerRole, hasRegistryUser: false });
    await configure('- instanceId: ""\n  domains: registry.cn-hangzhou.aliyuncs.com\n', { tokenMode: 'workerRole' });
    await failureSaying(/USER_NOT_EXIST.*has no registry user in the Personal Edition yet/);
  });
});

test('[acr R2] sessions that end before the tokens are renewed first: no Secret ever holds a token that has expired', async () => {
  world.clouds.state.sessionLifeCapMs = 12_000;
  await configure(`${OTHER}${RRSA}  assumeRoleARN: ${roleB.arn}\n  expireDuration: 902\n`, RRSA_ON);
  await servedAs(roleB.arn, OTHER_HOST);
  await eventually('the token is of a short session', async () => {
    const token = await minted(OTHER_HOST);
    return token !== undefined && token.expiresAt - token.issuedAt <= 12_000;
  });
  const [calls, startedAt] = [world.clouds.sts.calls().length, world.clouds.now()];
  const seen = new Set<string>();
  while (seen.size < 4) {
    const token = await minted(OTHER_HOST);
    expect(token?.expiresAt).toBeGreaterThan(world.clouds.now());
    seen.add(token?.token ?? '');
    await pause(100);
  }
  // Each of the two sessions is renewed at half of its life at the earliest.
  const renewals = 2 * Math.ceil((world.clouds.now() - startedAt) / 5_000 + 1);
  expect(world.clouds.sts.calls().length - calls).toBeLessThanOrEqual(renewals);
  world.clouds.state.sessionLifeCapMs = Infinity;
  await settled(world);
});

test('no key, session or token of any of them was printed, at the level debug', async () => {
  const { accessKeys, tokens } = world.clouds.state;
  const secrets = [...accessKeys.values()].flatMap((key) => [
    key.accessKeySecret,
    key.securityToken ?? key.accessKeySecret,
  ]);
  expect(accessKeys.size).toBeGreaterThan(5);
  const told = [
    await replica.output(),
    JSON.stringify(await configMapEvents(world)),
    (await replica.http('/metrics'))?.text,
  ];
  const found = [...secrets, ...tokens.keys()].filter((secret) => told.some((text) => text?.includes(secret)));
  expect(found).toEqual([]);
  // Tokens of ServiceAccounts: the beginning of every JWT.
  expect(told.join()).not.toMatch(/eyJhbGciOi/);
});
