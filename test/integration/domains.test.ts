// Which registry hosts an instance's credential is written for.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { SAMPLE } from '../support/clouds/clouds.ts';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, secretsEverywhere } from '../support/expectations.ts';
import { configMapEvents, linesSaying } from '../support/signs.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(90_000);

const PUBLIC = 'acme-registry.cn-hangzhou.cr.aliyuncs.com';
const VPC = 'acme-registry-vpc.cn-hangzhou.cr.aliyuncs.com';
const CUSTOM = 'images.acme.example';

describe('the domains of an instance', () => {
  let world: World;
  let replica: Replica;
  let generation = 0;

  beforeAll(async () => {
    world = await startWorld({ clouds: { instances: [{ ...SAMPLE.instance, userDomains: [CUSTOM] }] } });
    await world.putAccessKey();
    await world.cluster.namespace('team-a');
    await world.cluster.serviceAccount('team-a', 'default');
    await configure();
    replica = await world.startController();
    await secretsEverywhere(world, ['team-a']);
  });

  afterAll(() => world.stop());

  const configure = (fields = '', instance: string = SAMPLE.instance.instanceId): Promise<void> =>
    world.configure({
      'watch-namespace': 'team-*',
      'acr-registry-info': `- instanceId: ${instance}\n  regionId: cn-hangzhou\n${fields}`,
    });
  const untilHosts = (expected: readonly string[]): Promise<unknown> =>
    eventually(`the Secret is for ${expected.join(', ')}`, async () => {
      expect(Object.keys((await world.cluster.auths('team-a', ACR_SECRET)) ?? {})).toEqual([...expected].sort());
      return true;
    });
  /** An instance that nothing is known of yet. */
  const addInstance = (changes: Readonly<Record<string, unknown>>): string => {
    generation += 1;
    const instanceId = `cri-domains${generation}`;
    world.clouds.state.instances.set(instanceId, { ...SAMPLE.instance, instanceId, ...changes });
    return instanceId;
  };

  test('are all of them unless some are named: public, VPC and the customer’s own', async () => {
    await untilHosts([PUBLIC, VPC, CUSTOM]);
  });

  test('are exactly those that are named, without another token', async () => {
    const calls = world.clouds.cr.calls().length;
    await configure(`  domains: "${VPC}, ${CUSTOM}"\n`);
    await untilHosts([VPC, CUSTOM]);
    await configure(`  domains: ["${PUBLIC}"]\n`);
    await untilHosts([PUBLIC]);
    expect(world.clouds.cr.calls()).toHaveLength(calls);
  });

  test('may be named without being listed: written all the same, with a warning', async () => {
    const instance = addInstance({});
    await configure(`  domains: "${PUBLIC},other.acme.example"\n`, instance);
    await untilHosts([PUBLIC, 'other.acme.example']);
    const event = await eventually('an Event warns', async () =>
      (await configMapEvents(world, 'CredentialWarning')).find(({ message }) => message.includes(instance)),
    );
    expect(event.type).toBe('Warning');
    expect(event.message).toContain(`${instance} does not list the domain other.acme.example`);
    expect(event.message).not.toContain(PUBLIC);
    expect(await linesSaying(replica, 'Credential has a remark')).toHaveLength(1);
  });

  test('are read without scheme, with a warning', async () => {
    await configure(`  domains: "https://${PUBLIC}"\n`);
    await untilHosts([PUBLIC]);
    await eventually('an Event warns', async () =>
      (await configMapEvents(world, 'ConfigApplied')).some(
        ({ message }) => message.includes(`is read as ${PUBLIC}`) && message.includes('(line 3)'),
      ),
    );
  });

  test('are not those of an endpoint that is disabled', async () => {
    await configure('', addInstance({ internetEnabled: false }));
    await untilHosts([VPC]);
    await configure('', addInstance({ linkedVpcIds: [] }));
    await untilHosts([PUBLIC]);
  });

  test('must be named where the cloud has none: the last ones stay until then', async () => {
    const instance = addInstance({ internetEnabled: false, linkedVpcIds: [] });
    await configure('', instance);
    const event = await eventually('an Event says so', async () =>
      (await configMapEvents(world, 'CredentialUnavailable')).find(({ message }) => message.includes(instance)),
    );
    expect(event.message).toContain('enable its public or VPC endpoint, or name `domains`');
    await untilHosts([PUBLIC]);
    await configure(`  domains: ${CUSTOM}\n`, instance);
    await untilHosts([CUSTOM]);
  });

  test('can be named where listing them is not allowed', async () => {
    const key = world.clouds.state.accessKeys.get(SAMPLE.accessKey.accessKeyId) ?? SAMPLE.accessKey;
    world.clouds.state.accessKeys.set(key.accessKeyId, { ...key, denied: { ListInstanceEndpoint: 'NoPermission' } });
    const instance = addInstance({});
    await configure('', instance);
    const event = await eventually('an Event names the action', async () =>
      (await configMapEvents(world, 'CredentialUnavailable')).find(({ message }) => message.includes(instance)),
    );
    expect(event.message).toMatch(/ListInstanceEndpoint of \S+ in cn-hangzhou failed .*request id/);
    expect(event.message).toContain('allow it the action cr:ListInstanceEndpoint');
    await configure(`  domains: ${CUSTOM}\n`, instance);
    await untilHosts([CUSTOM]);
  });
});
