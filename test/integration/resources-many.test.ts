// A resource that means five thousand ServiceAccounts: its status stays small, exact, and quiet.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { settled } from '../support/expectations.ts';
import { applyCrd, resource, SAMPLE_SPEC } from '../support/image-pull-secrets.ts';
import { kubectlOf } from '../support/kubectl.ts';
import { markCalls, programCalls } from '../support/program-calls.ts';
import { startWorld, type World } from '../support/world.ts';

jest.setTimeout(120_000);

const NAMESPACES = 500;
const ACCOUNTS = 10;
/** Requests of the test itself under way at a time. */
const AT_A_TIME = 20;

let world: World;

beforeAll(async () => {
  world = await startWorld();
  await applyCrd(await kubectlOf(world.plane));
  await inParallel(NAMESPACES, async (index) => {
    const name = `tenant-${index}`;
    await world.cluster.namespace(name, { tenant: 'yes' });
    for (let at = 0; at < ACCOUNTS; at += 1) await world.cluster.serviceAccount(name, `account-${at}`);
  });
  await world.startController();
}, 240_000);
afterAll(() => world.stop());

async function inParallel(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

test('[tcr C9] the status stays under 32 KiB, exact, and is written only on change', async () => {
  const mark = await markCalls(world);
  const spec = {
    ...SAMPLE_SPEC,
    namespaces: '',
    serviceAccounts: '*',
    namespaceSelector: { matchLabels: { tenant: 'yes' } },
  };
  await world.cluster.create('imagepullsecrets', resource('many', spec));
  const object = await eventually(
    'everything is served',
    async () => {
      const now = await world.cluster.get('imagepullsecrets', 'many');
      const status = now?.status as { readonly sAsSuccess?: number } | undefined;
      return status?.sAsSuccess === NAMESPACES * ACCOUNTS ? now : undefined;
    },
    90_000,
  );
  expect(object.status).toMatchObject({
    secretsDesired: NAMESPACES,
    secretsSuccess: NAMESPACES,
    sAsDesired: NAMESPACES * ACCOUNTS,
    sAsSuccess: NAMESPACES * ACCOUNTS,
  });
  expect(Buffer.byteLength(JSON.stringify(object))).toBeLessThan(32 * 1_024);

  const statusWrites = async (since: number): Promise<readonly number[]> =>
    (await programCalls(world, since)).filter(({ subresource }) => subresource === 'status').map(({ at }) => at);
  const instants = await statusWrites(mark);
  // At most one in five seconds; the audit log notes when a call ended.
  for (const [index, at] of instants.entries()) expect(at - (instants[index - 1] ?? 0)).toBeGreaterThan(4_500);

  const quiet = await settled(world);
  await world.cluster.patch('namespaces', 'tenant-1', { metadata: { annotations: { seen: 'yes' } } });
  await world.cluster.patch('serviceaccounts', 'account-1', { metadata: { annotations: { seen: 'yes' } } }, 'tenant-1');
  await settled(world);
  expect(await statusWrites(quiet)).toEqual([]);

  await world.cluster.namespace('tenant-new', { tenant: 'yes' });
  await eventually('the new namespace counts', async () => {
    const status = (await world.cluster.get('imagepullsecrets', 'many'))?.status as {
      readonly secretsSuccess?: number;
    };
    return status.secretsSuccess === NAMESPACES + 1;
  });
  expect(await statusWrites(quiet)).toHaveLength(1);
});
