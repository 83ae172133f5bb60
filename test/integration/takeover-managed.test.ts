// Alibaba's add-on runs where nobody sees it: the managed edition has no Deployment, so that all that shows is that somebody
// undoes what we write. Whoever fights over a list or a Secret writes little, and says once who the other is.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { AuditEvent } from '../support/control-plane/audit-log.ts';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, settled } from '../support/expectations.ts';
import { startManagedHelper, type ManagedHelper } from '../support/other-writers.ts';
import { eventsIn, programWrites, type TestEvent } from '../support/program-calls.ts';
import { metric } from '../support/signs.ts';
import { intercepted, startServing, withWebhook } from '../support/webhook.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(150_000);

const VENDOR = 'system:serviceaccount:kube-system:managed-helper';
const FIELD_MANAGER = 'managed-aliyun-acr-credential-helper';
/** The Secret of the vendor's older versions (acr.md section 9): another name than ours, so that the lists differ. */
const OLDER_SECRET = 'acr-credential-be5ac8be6a88c42ac1d831b85135a585';
const THEIRS = Buffer.from('{"auths":{"theirs.example":{"auth":"dTpw"}}}').toString('base64');
const NAMESPACES = 'older, current, intercepted';
const ACCOUNTS = ['default', 'builder'];
const MINUTE_MS = 60_000;
const MOST_PER_MINUTE = 12;

let world: World;
let replica: Replica;
const helpers: ManagedHelper[] = [];

beforeAll(async () => {
  world = await startWorld({ plane: { users: [{ name: VENDOR, groups: ['system:masters'] }] } });
  await world.putAccessKey();
  for (const [namespace, secret] of [
    ['older', OLDER_SECRET],
    ['current', ACR_SECRET],
  ] as const) {
    await world.cluster.namespace(namespace);
    for (const name of ACCOUNTS) await world.cluster.serviceAccount(namespace, name, ['own']);
    await startHelper(namespace, secret);
  }
  await eventually('the vendor has overwritten every list', async () => {
    const lists = await Promise.all(ACCOUNTS.map((name) => world.cluster.references('older', name)));
    return lists.every((list) => list.join() === OLDER_SECRET);
  });
  await world.configure(withWebhook(world, '', NAMESPACES));
  replica = await startServing(world);
}, 120_000);
afterAll(async () => {
  await Promise.all(helpers.map((helper) => helper.stop()));
  await world.stop();
});

async function startHelper(namespace: string, secret: string): Promise<void> {
  const options = { user: VENDOR, fieldManager: FIELD_MANAGER, namespace, secret, content: THEIRS };
  helpers.push(await startManagedHelper(world.plane, options));
}

/** What the program wrote to one object, in the order of arrival. */
async function writesOn(resource: string, namespace: string, name: string): Promise<readonly AuditEvent[]> {
  const writes = await programWrites(world);
  return writes.filter((event) => event.resource === resource && event.namespace === namespace && event.name === name);
}

/** Most of them within any minute, by the clock of the API server. */
function mostInAMinute(writes: readonly AuditEvent[]): number {
  return Math.max(0, ...writes.map(({ at }) => writes.filter((one) => one.at >= at && one.at < at + MINUTE_MS).length));
}

const contended = async (namespace: string, kind: string, name: string): Promise<readonly TestEvent[]> =>
  (await eventsIn(world, namespace)).filter(
    ({ reason, involvedObject }) =>
      reason === 'Contended' && involvedObject.kind === kind && involvedObject.name === name,
  );

test('[acr S4] a writer that overwrites every list at once is told of, by the name under which it writes', async () => {
  for (const name of ACCOUNTS) {
    const [event] = await eventually(`an Event tells of ${name}`, async () => {
      const found = await contended('older', 'ServiceAccount', name);
      return found.length > 0 && found;
    });
    expect(event?.type).toBe('Warning');
    expect(event?.message).toBe(
      `imagePullSecrets loses our entry again and again to ${FIELD_MANAGER}: waiting before adding it again. Label the ServiceAccount registry-credential-helper.io/ignore=true to leave it alone.`,
    );
    // Meanwhile the list is theirs, and stays so: we wait.
    expect(await world.cluster.references('older', name)).toEqual([OLDER_SECRET]);
  }
  expect(await metric(replica, 'registry_credential_helper_contentions_total')).toBeGreaterThan(0);
  expect((await replica.http('/readyz'))?.status).toBe(200);
});

test('[acr S4] a writer that puts its own content into the Secret of the same name is told of, and no list is fought over', async () => {
  const [event] = await eventually('an Event tells of the Secret', async () => {
    const found = await contended('current', 'Secret', ACR_SECRET);
    return found.length > 0 && found;
  });
  expect(event?.message).toBe(
    `Secret current/${ACR_SECRET} is changed, deleted or put back by another writer again and again: waiting before writing it. What it holds now is from ${FIELD_MANAGER}.`,
  );
  for (const name of ACCOUNTS) {
    expect(await world.cluster.references('current', name)).toEqual([ACR_SECRET]);
    expect(await writesOn('serviceaccounts', 'current', name)).toEqual([]);
  }
});

test('[acr S4] over more than a minute both are fought with at most twelve writes a minute, and told of once', async () => {
  const fights = [
    ...ACCOUNTS.map((name) => ['serviceaccounts', 'older', name, 'ServiceAccount'] as const),
    ['secrets', 'current', ACR_SECRET, 'Secret'] as const,
  ];
  for (const [resource, namespace, name, kind] of fights) {
    const writes = await eventually(
      `${name} was written again after more than a minute`,
      async () => {
        const found = await writesOn(resource, namespace, name);
        return (found.at(-1)?.at ?? 0) - (found[0]?.at ?? 0) > MINUTE_MS && found;
      },
      120_000,
    );
    expect(mostInAMinute(writes)).toBeLessThanOrEqual(MOST_PER_MINUTE);
    expect(await contended(namespace, kind, name)).toHaveLength(1);
  }
  // Nothing else was said in these namespaces.
  for (const namespace of ['older', 'current']) {
    const told = await eventsIn(world, namespace);
    expect(told).toHaveLength(fights.filter((fight) => fight[1] === namespace).length);
  }
  await eventually('the other has the last word, as each time before', async () => {
    const lists = await Promise.all(ACCOUNTS.map((name) => world.cluster.references('older', name)));
    const secret = await world.cluster.get('secrets', ACR_SECRET, 'current');
    return lists.every((list) => list.join() === OLDER_SECRET) && secret?.data?.['.dockerconfigjson'] === THEIRS;
  });
});

test('[acr S4] with the webhook on nobody fights: ours is back in the very request that overwrites it', async () => {
  await world.cluster.namespace('intercepted');
  await world.configure(withWebhook(world, 'enable: true\n', NAMESPACES));
  await intercepted(world, 'intercepted');
  await world.cluster.serviceAccount('intercepted', 'default', ['own']);
  await startHelper('intercepted', OLDER_SECRET);
  const both = [OLDER_SECRET, ACR_SECRET].join();
  await eventually('the list holds both', async () => {
    return (await world.cluster.references('intercepted', 'default')).join() === both;
  });
  await settled(world);
  const theirs = async (): Promise<number> =>
    (await world.plane.auditEvents()).filter(
      ({ user, namespace, verb }) => user === VENDOR && namespace === 'intercepted' && verb === 'patch',
    ).length;
  const before = await theirs();
  await settled(world);
  // What they write changes nothing, so that no watch tells them to write again.
  expect(await theirs()).toBe(before);
  expect(await world.cluster.references('intercepted', 'default')).toEqual([OLDER_SECRET, ACR_SECRET]);
  expect(await writesOn('serviceaccounts', 'intercepted', 'default')).toEqual([]);
  expect(await eventsIn(world, 'intercepted')).toEqual([]);
});
