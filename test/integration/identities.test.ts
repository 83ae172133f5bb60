// Every way to authenticate at Alibaba Cloud, from the configuration to a pull from a real registry; and what is said when a hop
// of it fails.
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mintSession } from '../support/clouds/alibaba-sessions.ts';
import { SAMPLE } from '../support/clouds/clouds.ts';
import { eventually } from '../support/eventually.ts';
import { buildManagedRoleTokenSecret } from '../support/clouds/managed-role-token.ts';
import { ACR_SECRET } from '../support/expectations.ts';
import {
  FAR,
  FAR_HOST,
  FIRST,
  HOST,
  OTHER,
  OTHER_HOST,
  PERSONAL_HOST,
  startIdentityWorld,
  type IdentityWorld,
} from '../support/identity-world.ts';
import { configMapEvents, linesSaying } from '../support/signs.ts';
import type { Replica, World } from '../support/world.ts';

jest.setTimeout(120_000);

const { roleB, accessKey } = SAMPLE;
const INLINE_KEY = `  customAccessKey: ${accessKey.accessKeyId}\n  customAccessKeySecret: ${accessKey.accessKeySecret}\n`;
const USER_ARN = `acs:ram::${accessKey.accountId}:user/${accessKey.userName}`;

let identities: IdentityWorld;
let world: World;
let replica: Replica;

beforeAll(async () => {
  identities = await startIdentityWorld();
  ({ world } = identities);
  replica = await world.startController();
}, 180_000);
afterAll(() => identities.stop());
beforeEach(() => identities.resetCloud());

const configure: IdentityWorld['configure'] = (items, more) => identities.configure(items, more);
const servedAs: IdentityWorld['servedAs'] = (principal, host) => identities.servedAs(principal, host);
const failureSaying: IdentityWorld['failureSaying'] = (text) => identities.failureSaying(text);

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
    const token = await servedAs(roleB.arn, OTHER_HOST);
    // acr.md section 20: no longer than the session that asked for it.
    expect(token.expiresAt - token.issuedAt).toBeLessThanOrEqual(1_800_000);
  });

  test('[acr I3] as a role of another account, which a key in plain text may assume', async () => {
    world.clouds.state.roles.set(roleB.arn, { ...roleB, trust: [{ ram: USER_ARN }] });
    await configure(`${OTHER}${INLINE_KEY}  assumeRoleARN: ${roleB.arn}\n`);
    await servedAs(roleB.arn, OTHER_HOST);
  });

  test('[acr I3] as a role of another account, which the key of a Secret may assume', async () => {
    world.clouds.state.roles.set(roleB.arn, { ...roleB, trust: [{ ram: USER_ARN }] });
    await world.putAccessKey('chained');
    await configure(`${OTHER}  accessKeySecretRef: {name: chained}\n  assumeRoleARN: ${roleB.arn}\n`);
    await servedAs(roleB.arn, OTHER_HOST);
  });

  test('[acr I6] with a key in plain text, which no output shows', async () => {
    const { accessKeySecret } = accessKey;
    await configure(`${FIRST}${INLINE_KEY}`);
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

  test('[acr E4] without a metadata service, in the region that the key `region` names', async () => {
    await world.putAccessKey();
    await world.clouds.metadata.down();
    await configure(FAR, { region: 'ap-southeast-1' });
    await servedAs(accessKey.userName, FAR_HOST);
    await world.clouds.metadata.up();
    await world.cluster.remove('secrets', 'alibaba-addon-secret', 'kube-system');
  });

  test('[acr E1] for two regions, another account and the Personal Edition, all in one Secret', async () => {
    const far = `${FAR}  regionId: ap-southeast-1\n`;
    const items = `${FIRST}${far}${OTHER}  assumeRoleARN: ${roleB.arn}\n- instanceId: ""\n`;
    await configure(items, { tokenMode: 'workerRole' });
    await servedAs(SAMPLE.workerRole.arn, HOST);
    await servedAs(SAMPLE.workerRole.arn, FAR_HOST);
    await servedAs(roleB.arn, OTHER_HOST);
    const { token: personal } = await servedAs(SAMPLE.workerRole.arn, PERSONAL_HOST);
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

  test('the role of the other account does not trust the key in plain text', async () => {
    await configure(`${OTHER}${INLINE_KEY}  assumeRoleARN: ${roleB.arn}\n  expireDuration: 903\n`);
    await failureSaying(
      /AssumeRole of .*acr-b failed \(NoPermission.*: customAccessKey and customAccessKeySecret of the item may not assume .*trust policy/,
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

test('[acr R2] a base session that STS refuses is replaced while the session made with it works: no token is short-lived', async () => {
  const { clouds } = world;
  // The base session is long; the one that is made with it ends soon.
  await configure(FIRST, { tokenMode: 'workerRole' });
  await servedAs(SAMPLE.workerRole.arn, HOST);
  clouds.state.sessionLifeCapMs = 12_000;
  await configure(`${OTHER}  assumeRoleARN: ${roleB.arn}\n  expireDuration: 904\n`, { tokenMode: 'workerRole' });
  const first = await servedAs(roleB.arn, OTHER_HOST);
  for (const [id, key] of clouds.state.accessKeys) {
    if (key.roleArn !== SAMPLE.workerRole.arn) continue;
    clouds.state.accessKeys.set(id, { ...key, securityToken: 'fake-revoked' });
  }
  clouds.metadata.renewSession();
  clouds.sts.clearCalls();
  const before = (await linesSaying(replica, 'Session could not be renewed')).length;
  const seen = new Map([[first.token, first]]);
  const lapsed: string[] = [];
  await eventually('the third renewal', async () => {
    const token = await identities.minted(OTHER_HOST);
    if (token === undefined) return false;
    if (token.expiresAt <= clouds.now()) lapsed.push(token.token);
    return seen.set(token.token, token).size === 4;
  });
  expect(lapsed).toEqual([]);
  // With the old session a third of its life would be missing at least.
  const lives = [...seen.values()].map(({ issuedAt, expiresAt }) => expiresAt - issuedAt);
  expect(Math.min(...lives)).toBeGreaterThan(8_500);
  expect(clouds.sts.calls({ code: 'InvalidSecurityToken.Malformed' })).toHaveLength(1);
  expect(await linesSaying(replica, 'Session could not be renewed')).toHaveLength(before);
});

test('no key, session or token of any of them was printed, at the level debug', async () => {
  expect(world.clouds.state.accessKeys.size).toBeGreaterThan(5);
  expect(await identities.printedSecrets(replica)).toEqual([]);
});
