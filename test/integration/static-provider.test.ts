// Fixed passwords from Secrets: they pull, a change is written at once, and the configuration cannot publish foreign Secrets.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { SAMPLE } from '../support/clouds/clouds.ts';
import { pullImage, pushImage } from '../support/control-plane/oci.ts';
import { startRegistry, type Registry } from '../support/control-plane/registry.ts';
import { eventually } from '../support/eventually.ts';
import { secretsEverywhere, settled } from '../support/expectations.ts';
import { configMapEvents, linesSaying, metric } from '../support/signs.ts';
import { PROGRAM_USER, startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(90_000);

const SECRET = 'registry-credentials';
const names = ['team-0', 'team-1', 'team-2', 'team-3', 'team-4'];
/** Characters that break what quotes carelessly. */
const PASSWORD = 'p"w\\d%20+/= é$x';
const login = (password: string) => ({ username: 'robot$team', password });

describe('a registry with a fixed password', () => {
  let world: World;
  let registry: Registry;
  let replica: Replica;
  const cleanups: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    world = await startWorld();
    cleanups.push(() => world.stop());
    const { realm, service, issuer, rootCertBundle } = world.clouds.endpoints().registryAuth;
    registry = await startRegistry({ auth: { realm, service, issuer, rootCertBundle } });
    cleanups.push(() => registry.stop());
    const { username, password } = SAMPLE.user;
    expect(await pushImage({ ...image(), login: { username, password } })).toMatchObject({ ok: true });
    setPassword(PASSWORD);
    await world.cluster.create('secrets', { metadata: { name: 'login' }, stringData: login(PASSWORD) }, 'kube-system');
    await Promise.all(
      names.map(async (name) => {
        await world.cluster.namespace(name);
        await world.cluster.serviceAccount(name, 'default');
      }),
    );
    await configure('{name: login}');
    replica = await world.startController();
    await secretsEverywhere(world, names, SECRET);
    await settled(world);
  });

  afterAll(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  const image = () => ({ registryUrl: registry.url, repository: 'team/app', tag: 'v1' });
  const setPassword = (password: string): void =>
    world.clouds.registryToken.setUser({ ...login(password), actions: ['pull'] });
  const configure = (secretRef: string): Promise<void> =>
    world.configure({
      'watch-namespace': 'team-*',
      'registry-info': `- provider: static\n  domains: ${registry.host}\n  secretRef: ${secretRef}\n`,
    });
  const entries = () =>
    Promise.all(names.map(async (name) => (await world.cluster.auths(name, SECRET))?.[registry.host]));
  const writesSince = async (seen: number) =>
    (await world.plane.auditEvents())
      .slice(seen)
      .filter((event) => event.user === PROGRAM_USER && !['get', 'list', 'watch'].includes(event.verb))
      .filter((event) => !['leases', 'selfsubjectaccessreviews'].includes(event.resource ?? ''));

  test('pulls with what is in the Secrets, whatever characters the password has', async () => {
    for (const entry of await entries()) {
      expect(entry).toEqual({
        ...login(PASSWORD),
        auth: Buffer.from(`robot$team:${PASSWORD}`).toString('base64'),
      });
    }
    expect(await pullImage({ ...image(), login: (await entries())[0] })).toMatchObject({ ok: true });
    expect(await pullImage(image())).toMatchObject({ ok: false, status: 401 });
  });

  test('a changed password is in every Secret at once, by one write each', async () => {
    const seen = (await world.plane.auditEvents()).length;
    const changed = `${PASSWORD}-changed`;
    setPassword(changed);
    await world.cluster.patch('secrets', 'login', { stringData: login(changed) }, 'kube-system');
    await eventually('every Secret has it', async () =>
      (await entries()).every((entry) => entry?.password === changed),
    );
    expect(await pullImage({ ...image(), login: (await entries())[0] })).toMatchObject({ ok: true });
    expect(await pullImage({ ...image(), login: login(PASSWORD) })).toMatchObject({
      ok: false,
      reason: 'TokenRefused',
    });
    await settled(world);
    const tenants = (await writesSince(seen)).filter((event) => event.namespace !== 'kube-system');
    expect(tenants.map((event) => `${event.verb} ${event.resource ?? ''} ${event.namespace ?? ''}`).sort()).toEqual(
      names.map((name) => `patch secrets ${name}`),
    );
  });

  test('a restart makes no write', async () => {
    await replica.stop();
    const seen = (await world.plane.auditEvents()).length;
    replica = await world.startController();
    await eventually('it leads', async () => (await linesSaying(replica, 'Started leading')).length > 0);
    await settled(world);
    expect(await writesSince(seen)).toEqual([]);
  });

  test('a password that changed while nobody looked is written after the start', async () => {
    await replica.stop();
    await world.cluster.patch('secrets', 'login', { stringData: login('changed-meanwhile') }, 'kube-system');
    replica = await world.startController();
    await eventually('every Secret has it', async () =>
      (await entries()).every((entry) => entry?.password === 'changed-meanwhile'),
    );
  });

  test('a password that goes away leaves the last one in place, and is told', async () => {
    await world.cluster.remove('secrets', 'login', 'kube-system');
    await eventually('it is told', async () =>
      (await configMapEvents(world, 'CredentialUnavailable')).some(({ message }) =>
        message.includes('There is no Secret kube-system/login'),
      ),
    );
    expect((await entries()).map((entry) => entry?.password)).toEqual(names.map(() => 'changed-meanwhile'));
    await world.cluster.create('secrets', { metadata: { name: 'login' }, stringData: login(PASSWORD) }, 'kube-system');
    await eventually('the new one is there', async () =>
      (await entries()).every((entry) => entry?.password === PASSWORD),
    );
  });

  test('a Secret of another namespace is refused, and the last good configuration stays', async () => {
    await world.cluster.create('secrets', { metadata: { name: 'theirs' }, stringData: login('stolen') }, 'team-4');
    await configure('{name: theirs, namespace: team-4}');
    const message = await eventually('it is refused', async () => {
      const events = await configMapEvents(world, 'ConfigInvalid');
      return events.find((event) => event.message.includes('secretRef.namespace'))?.message;
    });
    expect(message).toContain('--allow-secret-namespaces=team-4');
    expect(message).toContain('(line 3)');
    expect(await metric(replica, 'registry_credential_helper_config_valid')).toBe(0);
    await settled(world);
    expect((await entries()).map((entry) => entry?.password)).toEqual(names.map(() => PASSWORD));
  });

  test('with --allow-secret-namespaces it is used', async () => {
    await replica.stop();
    replica = await world.startController({ args: ['--allow-secret-namespaces=team-4'] });
    await eventually('every Secret has it', async () =>
      (await entries()).every((entry) => entry?.password === 'stolen'),
    );
    expect(await metric(replica, 'registry_credential_helper_config_valid')).toBe(1);
  });
});
