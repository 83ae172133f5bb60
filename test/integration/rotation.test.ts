// Short-lived credentials: renewed in place and in time, at the cost of one call and one write each, and kept when a cloud is down.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AuthEntry } from '../support/cluster.ts';
import { SAMPLE } from '../support/clouds/clouds.ts';
import { pullImage, pushImage } from '../support/control-plane/oci.ts';
import { startRegistry, type Registry } from '../support/control-plane/registry.ts';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, secretsEverywhere, settled } from '../support/expectations.ts';
import { linesSaying, metric, toldEvents } from '../support/signs.ts';
import { PROGRAM_USER, startWorld, type Replica, type World } from '../support/world.ts';

const NAMESPACES = 20;
const names = Array.from({ length: NAMESPACES }, (_, index) => `team-${index}`);
const SHORT_MS = 8_000;
const LONGER_MS = 20_000;
const FIRST = SAMPLE.instance;
const SECOND = { ...FIRST, instanceId: 'cri-second0000000001', instanceName: 'second' };
const THIRD = { ...FIRST, instanceId: 'cri-third00000000001', instanceName: 'third' };
const hostOf = ({ instanceName, regionId }: { instanceName: string; regionId: string }): string =>
  `${instanceName}-registry.${regionId}.cr.aliyuncs.com`;

describe('short-lived credentials', () => {
  let world: World;
  let registry: Registry;
  let replica: Replica;
  let watching: ReturnType<typeof watchCredentials>;
  const cleanups: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    world = await startWorld({ clouds: { tokenLifeMs: SHORT_MS, instances: [FIRST, SECOND, THIRD] } });
    cleanups.push(() => world.stop());
    const { realm, service, issuer, rootCertBundle } = world.clouds.endpoints().registryAuth;
    registry = await startRegistry({ auth: { realm, service, issuer, rootCertBundle } });
    cleanups.push(() => registry.stop());
    const { username, password } = SAMPLE.user;
    const pushed = await pushImage({ ...image(), login: { username, password } });
    expect(pushed).toMatchObject({ ok: true });
    await world.putAccessKey();
    await Promise.all(names.map((name) => serve(name)));
    await configure(FIRST);
    replica = await world.startController();
    await secretsEverywhere(world, names);
    watching = watchCredentials(world);
    cleanups.push(() => watching.stop());
  }, 120_000);

  afterAll(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  const image = () => ({ registryUrl: registry.url, repository: 'team/app', tag: 'v1' });
  const serve = async (name: string): Promise<void> => {
    await world.cluster.namespace(name);
    await world.cluster.serviceAccount(name, 'default');
  };
  const configure = (...instances: readonly { instanceId: string; regionId: string }[]): Promise<void> =>
    world.configure({
      'watch-namespace': 'team-*',
      'acr-registry-info': instances
        .map(({ instanceId, regionId }) => `- instanceId: ${instanceId}\n  regionId: ${regionId}\n`)
        .join(''),
    });
  const entryOf = async (namespace: string, host: string): Promise<AuthEntry | undefined> =>
    (await world.cluster.auths(namespace, ACR_SECRET))?.[host];
  const passwords = (host: string, within: readonly string[] = names): Promise<readonly (string | undefined)[]> =>
    Promise.all(within.map(async (name) => (await entryOf(name, host))?.password));
  const uids = async (): Promise<readonly (string | undefined)[]> =>
    Promise.all(names.map(async (name) => (await world.cluster.get('secrets', ACR_SECRET, name))?.metadata.uid));
  const mintedFor = (instanceId: string) =>
    [...world.clouds.state.tokens.values()].filter((token) => token.instanceId === instanceId);
  /** Waits until every namespace holds the newest token of the instance, which satisfies `isWanted`. */
  const untilAllHold = (
    what: string,
    instance: typeof FIRST | typeof SECOND,
    isWanted: (lifeMs: number) => boolean,
  ): Promise<string> =>
    eventually(
      what,
      async () => {
        const newest = mintedFor(instance.instanceId).at(-1);
        if (newest === undefined || !isWanted(newest.expiresAt - newest.issuedAt)) return undefined;
        const held = await passwords(hostOf(instance));
        return held.every((password) => password === newest.token) ? newest.token : undefined;
      },
      60_000,
    );

  test('[acr R1] [acr R3] are renewed in place: the new one pulls, the old one no longer does once it has expired', async () => {
    const [before, entry] = await Promise.all([uids(), entryOf('team-0', hostOf(FIRST))]);
    expect(entry).toBeDefined();
    const first = mintedFor(FIRST.instanceId)[0];
    expect(await pullImage({ ...image(), login: entry })).toMatchObject({ ok: true });
    await eventually('the first credential has expired', () => world.clouds.now() > (first?.expiresAt ?? Infinity));
    const login = { username: first?.username ?? '', password: first?.token ?? '' };
    expect(await pullImage({ ...image(), login })).toMatchObject({ ok: false, status: 401, reason: 'TokenRefused' });
    expect(await pullImage({ ...image(), login: await entryOf('team-0', hostOf(FIRST)) })).toMatchObject({ ok: true });
    expect(await uids()).toEqual(before);
  }, 60_000);

  test('cost one token call, one Secret write for each namespace and no ServiceAccount write a rotation', async () => {
    world.clouds.cr.setTokenLife(LONGER_MS);
    await eventually('a token of 20 s is minted', () => {
      const newest = mintedFor(FIRST.instanceId).at(-1);
      return newest !== undefined && newest.expiresAt - newest.issuedAt > SHORT_MS;
    });
    // The one after it lives for an hour: exactly one rotation follows.
    world.clouds.cr.setTokenLife(3_600_000);
    await untilAllHold('all hold the token of 20 s', FIRST, (life) => life <= LONGER_MS);
    const callsBefore = world.clouds.cr.calls().length;
    const seen = (await world.plane.auditEvents()).length;
    await untilAllHold('all hold the token of one hour', FIRST, (life) => life > LONGER_MS);
    await settled(world);

    const writes = (await world.plane.auditEvents())
      .slice(seen)
      .filter((event) => event.user === PROGRAM_USER && !['get', 'list', 'watch'].includes(event.verb))
      .filter((event) => event.resource !== 'leases');
    const tenants = writes.filter((event) => event.namespace !== 'kube-system');
    expect(tenants.map((event) => `${event.verb} ${event.resource ?? ''}`)).toEqual(
      Array.from({ length: NAMESPACES }, () => 'patch secrets'),
    );
    // The master copy.
    expect(writes.length - tenants.length).toBe(1);
    const actions = world.clouds.cr.calls().slice(callsBefore);
    expect(actions.map((call) => call.action).sort()).toEqual(['GetAuthorizationToken', 'ListInstanceEndpoint']);
  }, 90_000);

  test('of one instance are renewed while another one fails, whose last good entry stays until it expires', async () => {
    world.clouds.cr.setTokenLife(LONGER_MS);
    await configure(SECOND, THIRD);
    await eventually('both instances are served', async () => {
      const held = await Promise.all([passwords(hostOf(SECOND)), passwords(hostOf(THIRD))]);
      return held.flat().every((password) => password !== undefined);
    });
    world.clouds.cr.faults.add({ fault: { kind: 'unavailable' }, instanceId: THIRD.instanceId });
    const [second, third] = await Promise.all([passwords(hostOf(SECOND)), passwords(hostOf(THIRD))]);
    await eventually('the healthy one was renewed everywhere', async () => {
      const now = await passwords(hostOf(SECOND));
      return now.every((password, index) => password !== undefined && password !== second[index]);
    });
    expect(await passwords(hostOf(THIRD))).toEqual(third);
    world.clouds.cr.faults.clear();
    await eventually('the other one is renewed too', async () => {
      const now = await passwords(hostOf(THIRD));
      return now.every((password, index) => password !== undefined && password !== third[index]);
    });
  }, 90_000);

  test('never left a Secret with an expired one', async () => {
    const { looks, expired } = await watching.stop();
    expect(looks).toBeGreaterThan(50);
    expect(expired).toEqual([]);
  });

  test('[acr R4] stay when the cloud is down across their expiry, serve new namespaces meanwhile, and recover by themselves', async () => {
    world.clouds.state.instances.set('cri-outage', { ...FIRST, instanceId: 'cri-outage', instanceName: 'outage' });
    const host = hostOf({ ...FIRST, instanceName: 'outage' });
    world.clouds.cr.setTokenLife(LONGER_MS);
    await configure({ instanceId: 'cri-outage', regionId: FIRST.regionId });
    const lastGood = await eventually('all hold a credential of the instance', async () => {
      const held = new Set(await passwords(host));
      return held.size === 1 ? [...held][0] : undefined;
    });
    await world.clouds.cr.down();
    const servedWithLastGood = async (name: string): Promise<void> => {
      await serve(name);
      await eventually(`${name} is served with the last good credential`, async () => {
        expect((await entryOf(name, host))?.password).toBe(lastGood);
        return (await world.cluster.references(name, 'default')).includes(ACR_SECRET);
      });
    };

    await servedWithLastGood('team-in-outage');
    // A new leader knows it from the master copy.
    await replica.stop();
    replica = await world.startController();
    await servedWithLastGood('team-after-restart');
    await eventually('renewing it has failed', async () => (await failures()).length > 0);
    await servedWithLastGood('team-after-failure');

    const { expiresAt } = world.clouds.state.tokens.get(lastGood) ?? {};
    await eventually('it has expired', () => world.clouds.now() > (expiresAt ?? Infinity));
    await serve('team-too-late');
    await eventually('a namespace without any is told so', async () => {
      const lines = await linesSaying(replica, 'Left alone', { namespace: 'team-too-late' });
      return lines.some((line) => line.reason === 'CredentialUnavailable');
    });
    expect(await world.cluster.get('secrets', ACR_SECRET, 'team-too-late')).toBeUndefined();
    expect(new Set(await passwords(host))).toEqual(new Set([lastGood]));
    const attempts = await metric(replica, 'registry_credential_helper_credential_attempts_total', {
      provider: 'acr',
      result: 'CloudUnavailable',
    });
    expect(attempts).toBeGreaterThan(1);
    expect(await failures()).toHaveLength(1);
    const told = await toldEvents(world, 'CredentialUnavailable', /cri-outage/);
    expect(told).toHaveLength(1);
    expect(told[0]?.message).toMatch(
      /GetAuthorizationToken of cri-outage in cn-hangzhou failed: .*could not be reached/,
    );
    expect(told[0]?.message).toContain('The last good one works until');

    await world.clouds.cr.up();
    await eventually(
      'everybody has a new credential',
      async () => {
        const held = await passwords(host, [...names, 'team-in-outage', 'team-after-restart', 'team-too-late']);
        return held.every((password) => password !== undefined && password !== lastGood);
      },
      60_000,
    );
    expect(await toldEvents(world, 'CredentialRestored', /cri-outage/)).toHaveLength(1);

    async function failures() {
      return linesSaying(replica, 'Credential could not be obtained');
    }
  }, 120_000);
});

/** Looks at every Secret again and again, and notes each that holds a credential which had expired before the look began. */
function watchCredentials(world: World) {
  const expired = new Set<string>();
  const ended = new AbortController();
  let looks = 0;
  const running = (async () => {
    while (!ended.signal.aborted) {
      const at = world.clouds.now();
      for (const { metadata, data } of await world.cluster.list('secrets')) {
        const text = data?.['.dockerconfigjson'];
        if (metadata.name !== ACR_SECRET || text === undefined) continue;
        const { auths } = JSON.parse(Buffer.from(text, 'base64').toString()) as { auths: Record<string, AuthEntry> };
        for (const [host, { password }] of Object.entries(auths)) {
          const minted = world.clouds.state.tokens.get(password);
          if (minted === undefined || minted.expiresAt <= at) expired.add(`${metadata.namespace} ${host}`);
        }
      }
      looks += 1;
      await pause(50);
    }
  })();
  return {
    stop: async () => {
      ended.abort();
      await running;
      return { looks, expired: [...expired] };
    },
  };
}
