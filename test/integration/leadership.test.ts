// Replicas: a leader that dies, one that leaves, and two at once. The guards on the writes are what makes all of it harmless.
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { leaseName, stateSecretName } from '../../src/core/names.ts';
import type { TestObject } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, registryInfo, secretsEverywhere, settled } from '../support/expectations.ts';
import { programWrites } from '../support/program-calls.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(120_000);

const LEASE = `/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/${leaseName('default')}`;

let world: World;

beforeAll(async () => {
  world = await startWorld();
  await world.putAccessKey();
  await configure('nothing-yet');
}, 120_000);
afterEach(async () => {
  await Promise.all(running.splice(0).map((replica) => replica.stop()));
});
afterAll(() => world.stop());

const running: Replica[] = [];
const start = async (args: readonly string[] = []): Promise<Replica> => {
  const replica = await world.startController({ args });
  running.push(replica);
  return replica;
};

const configure = (namespaces: string): Promise<void> =>
  world.configure({ 'watch-namespace': namespaces, 'acr-registry-info': registryInfo(world) });
/** What tests before have taken into scope stays there: only new namespaces make work. */
let scope = 'first';
const takeIn = (prefix: string): Promise<void> => configure((scope += `, ${prefix}-*`));

/** Namespaces that a later configuration takes into scope at once. */
async function wave(prefix: string, count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  await Promise.all(
    names.map(async (name) => {
      await world.cluster.namespace(name);
      await world.cluster.serviceAccount(name, 'default', ['foreign']);
    }),
  );
  return names;
}

const secretsOf = async (names: readonly string[]) => {
  const mine = new Set(names);
  const all = await world.cluster.list('secrets');
  return all.filter(({ metadata }) => metadata.name === ACR_SECRET && mine.has(metadata.namespace ?? ''));
};

/** Waits until some, and not all, of the namespaces have their Secret; returns those Secrets. */
async function inTheMiddle(names: readonly string[]): Promise<readonly TestObject[]> {
  const written = await eventually('writing has begun', async () => {
    const secrets = await secretsOf(names);
    return secrets.length > 0 ? secrets : undefined;
  });
  expect(written.length).toBeLessThan(names.length);
  return written;
}

/** Waits until all are served; then each must hold one Secret and one reference of ours, behind the foreign one. */
async function allRight(names: readonly string[]): Promise<void> {
  await secretsEverywhere(world, names);
  await settled(world);
  expect(await secretsOf(names)).toHaveLength(names.length);
  for (const account of await world.cluster.list('serviceaccounts')) {
    if (!names.includes(account.metadata.namespace ?? '')) continue;
    expect(account.imagePullSecrets?.map(({ name }) => name)).toEqual(['foreign', ACR_SECRET]);
  }
}

const holder = async (): Promise<string> =>
  ((await world.plane.request({ path: LEASE })).body as { spec: { holderIdentity?: string } }).spec.holderIdentity ??
  '';
const isLeading = async (replica: Replica): Promise<boolean> =>
  /^registry_credential_helper_leading 1$/m.test((await replica.http('/metrics'))?.text ?? '');

/** Starts a replica and waits until it leads. */
async function startLeader(): Promise<Replica> {
  const replica = await start();
  await eventually('it leads', () => isLeading(replica), 60_000);
  return replica;
}

test('a leader that is killed in the middle of its writes is followed by another, and nothing is lost or done twice', async () => {
  const names = await wave('killed', 200);
  const leader = await startLeader();
  const other = await start();
  expect(await isLeading(other)).toBe(false);
  // What it obtains must outlive it.
  await world.cluster.namespace('first');
  await configure('first');
  await secretsEverywhere(world, ['first']);
  await eventually('the master copy holds the credential', async () => {
    const state = await world.cluster.get('secrets', stateSecretName('default'), 'kube-system');
    return Buffer.from(state?.data?.['credentials.json'] ?? '', 'base64').includes('cri-');
  });

  const mark = await settled(world);
  await takeIn('killed');
  const written = await inTheMiddle(names);
  await leader.process.stop({ signal: 'SIGKILL' });
  await allRight(names);
  expect(await isLeading(other)).toBe(true);
  const uids = new Set((await secretsOf(names)).map(({ metadata }) => metadata.uid));
  expect(written.filter(({ metadata }) => !uids.has(metadata.uid))).toEqual([]);
  expect((await programWrites(world, mark)).filter(({ code }) => code === 409)).toEqual([]);
  const tokens = world.clouds.cr.calls().filter(({ action }) => action === 'GetAuthorizationToken');
  expect(tokens).toHaveLength(1);
});

test('a leader that is asked to end while it writes ends well, and the other leads at once', async () => {
  const names = await wave('ended', 120);
  const leader = await startLeader();
  const other = await start();
  const before = await holder();
  await takeIn('ended');
  await inTheMiddle(names);
  const exit = await leader.process.stop({ graceMs: 30_000 });
  expect(exit).toEqual({ code: 0, signal: null });
  // Released: it is nobody's, or the other's already.
  expect(await holder()).not.toBe(before);
  const lines = await leader.lines();
  expect(lines.at(-1)).toMatchObject({ message: 'Stopped' });
  expect(lines.filter(({ message }) => message === 'Released the Lease')).toHaveLength(1);
  expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  await eventually('the other leads', () => isLeading(other));
  await allRight(names);
});

test('a leader that is asked to end finishes what it has begun: no Secret that it replaces stays away', async () => {
  const names = await wave('replaced', 80);
  const leader = await startLeader();
  await takeIn('replaced');
  await allRight(names);
  await leader.stop();
  for (const name of names) await world.cluster.patch('secrets', ACR_SECRET, { immutable: true }, name);
  const before = new Set((await secretsOf(names)).map(({ metadata }) => metadata.uid));

  const next = await startLeader();
  await eventually('it has begun', async () =>
    (await secretsOf(names)).some(({ metadata }) => !before.has(metadata.uid)),
  );
  const exit = await next.process.stop({ graceMs: 30_000 });
  expect(exit).toEqual({ code: 0, signal: null });
  expect(await secretsOf(names)).toHaveLength(names.length);
});

test('two that write at once are harmless: each thing is written once, and then there is quiet', async () => {
  const names = await wave('both', 100);
  const untouched = await world.cluster.list('secrets', 'first');
  await world.cluster.remove('secrets', stateSecretName('default'), 'kube-system');
  const both = await Promise.all([1, 2].map(() => start(['--leader-elect=false'])));
  for (const replica of both) await eventually('it leads', () => isLeading(replica));
  const mark = await settled(world);
  const before = scope;
  await takeIn('both');
  await allRight(names);
  const writes = await programWrites(world, mark);
  const succeeded = writes.filter(({ code = 0 }) => code < 300);
  expect(succeeded).toHaveLength(2 * names.length);
  // Who came second was refused, once or a few times, and did not insist.
  expect(writes.length).toBeLessThanOrEqual(6 * names.length);
  expect(await world.cluster.list('secrets', 'first')).toEqual(untouched);
  // One each at most: the second may find the master copy that the first has just written.
  const tokens = world.clouds.cr.calls().filter(({ action }) => action === 'GetAuthorizationToken');
  expect(tokens.length).toBeLessThanOrEqual(3);

  const leaving = await settled(world);
  await configure(before);
  await eventually('all have left', async () => (await secretsOf(names)).length === 0, 60_000);
  await settled(world);
  for (const name of names) expect(await world.cluster.references(name, 'default')).toEqual(['foreign']);
  expect((await programWrites(world, leaving)).length).toBeLessThanOrEqual(6 * names.length);
});
