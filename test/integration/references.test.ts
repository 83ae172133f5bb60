// Many write `imagePullSecrets` of the same ServiceAccount: nobody's entry is lost, and only what we added is ever removed.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { clusterOf } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { ACR_SECRET, registryInfo, settled } from '../support/expectations.ts';
import { appendReference, putAccount, replaceReferences } from '../support/other-writers.ts';
import { eventsIn, markCalls, programWrites } from '../support/program-calls.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

const FOREIGN = 'system:serviceaccount:platform:foreign-writer';
const ANNOTATION = 'registry-credential-helper.io/references.default';

jest.setTimeout(60_000);

let world: World;
let replica: Replica;

beforeAll(async () => {
  world = await startWorld({ plane: { users: [{ name: FOREIGN, groups: ['system:masters'] }] } });
  await world.putAccessKey();
  await world.cluster.namespace('team-a');
  await serve('*');
  replica = await world.startController();
}, 120_000);
afterAll(() => world.stop());

/** Sets which ServiceAccounts of `team-*` are in scope. */
const serve = (accounts: string): Promise<void> =>
  world.configure({
    'watch-namespace': 'team-*',
    'service-account': accounts,
    'acr-registry-info': registryInfo(world),
  });

const references = (name: string): Promise<readonly string[]> => world.cluster.references('team-a', name);
const isServed = async (name: string): Promise<boolean> => (await references(name)).includes(ACR_SECRET);
const served = (name: string): Promise<boolean> => eventually(`${name} has our reference`, () => isServed(name));
const left = (name: string): Promise<boolean> =>
  eventually(`${name} has lost our reference`, async () => !(await isServed(name)));
const newAccount = async (name: string, entries: readonly string[] = []): Promise<void> => {
  await world.cluster.serviceAccount('team-a', name, entries);
  await served(name);
};

describe('a ServiceAccount that others write too', () => {
  test('[acr O4] a thousand concurrent foreign edits lose nothing while ours comes and goes', async () => {
    const accounts = ['busy-0', 'busy-1', 'busy-2', 'busy-3'];
    const writers = 8;
    const edits = 125;
    for (const name of accounts) await newAccount(name);
    const mark = await markCalls(world);
    const foreign = clusterOf(world.plane, FOREIGN);
    const comeAndGo = async (): Promise<void> => {
      await serve('*, !busy-*');
      await Promise.all(accounts.map(left));
      await serve('*');
      await Promise.all(accounts.map(served));
    };
    const ended = new AbortController();
    const scopeEdits = (async () => {
      while (!ended.signal.aborted) await comeAndGo();
    })();
    try {
      await Promise.all(
        Array.from({ length: writers }, async (_, writer) => {
          for (let edit = 0; edit < edits; edit += 1) {
            const name = accounts[(writer + edit) % accounts.length] ?? '';
            await appendReference(foreign, { namespace: 'team-a', name }, `w${writer}-${edit}`);
          }
        }),
      );
    } finally {
      ended.abort();
      await scopeEdits;
    }
    await comeAndGo();

    for (const [index, name] of accounts.entries()) {
      const list = await references(name);
      for (let writer = 0; writer < writers; writer += 1) {
        const written = Array.from({ length: edits }, (_, edit) => edit)
          .filter((edit) => (writer + edit) % accounts.length === index)
          .map((edit) => `w${writer}-${edit}`);
        expect(list.filter((entry) => entry.startsWith(`w${writer}-`))).toEqual(written);
      }
      expect(list).toHaveLength((writers * edits) / accounts.length + 1);
      expect(list.at(-1)).toBe(ACR_SECRET);
    }
    // It did come and go meanwhile, had to give way, and nobody called that a fight.
    const patches = (await programWrites(world, mark)).filter((event) => event.resource === 'serviceaccounts');
    expect(patches.filter((event) => event.code === 200).length).toBeGreaterThan(4 * accounts.length);
    expect(patches.filter((event) => event.code === 409).length).toBeGreaterThan(0);
    expect((await replica.http('/metrics'))?.text).not.toMatch(/^registry_credential_helper_contentions_total [1-9]/m);
  }, 120_000);

  test('a list that another writer replaces without a guard gets our entry back, and keeps theirs', async () => {
    await newAccount('replaced', ['first']);
    await replaceReferences(world.plane, { namespace: 'team-a', name: 'replaced' }, ['second', 'third']);
    await served('replaced');
    expect(await references('replaced')).toEqual(['second', 'third', ACR_SECRET]);
  });

  test('a whole ServiceAccount that is put as its manifest has it gets our entry and our record back', async () => {
    await newAccount('put', ['first']);
    await putAccount(world.plane, { namespace: 'team-a', name: 'put' }, ['first', 'second']);
    await served('put');
    expect(await references('put')).toEqual(['first', 'second', ACR_SECRET]);
    const account = await world.cluster.get('serviceaccounts', 'put', 'team-a');
    expect(account?.metadata.annotations?.[ANNOTATION]).toBe(ACR_SECRET);
  });

  test('a ServiceAccount that is deleted stays deleted, and one that is made anew is served anew', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `short-lived-${index}`);
    await Promise.all(
      names.map(async (name, index) => {
        await world.cluster.serviceAccount('team-a', name, ['first']);
        await world.cluster.remove('serviceaccounts', name, 'team-a');
        if (index % 2 === 0) await world.cluster.serviceAccount('team-a', name, ['second']);
      }),
    );
    await Promise.all(names.filter((_, index) => index % 2 === 0).map(served));
    await settled(world);
    const there = (await world.cluster.list('serviceaccounts', 'team-a')).filter((account) =>
      account.metadata.name.startsWith('short-lived-'),
    );
    expect(there.map((account) => account.metadata.name).sort()).toEqual(
      names.filter((_, index) => index % 2 === 0).sort(),
    );
    for (const account of there) {
      expect(account.imagePullSecrets?.map(({ name }) => name)).toEqual(['second', ACR_SECRET]);
    }
  });

  test('a reference that its owner wrote is never removed, although it bears the name of our Secret', async () => {
    await newAccount('recorded', ['first']);
    await world.cluster.serviceAccount('team-a', 'owned', [ACR_SECRET, 'first']);
    await settled(world);
    expect((await world.cluster.get('serviceaccounts', 'owned', 'team-a'))?.metadata.annotations).toBeUndefined();

    await serve('*, !owned, !recorded');
    await left('recorded');
    await settled(world);
    expect(await references('recorded')).toEqual(['first']);
    expect(await references('owned')).toEqual([ACR_SECRET, 'first']);
    await serve('*');
    await served('recorded');
  });

  test('the label that asks to be left alone takes our reference away, and its removal brings it back', async () => {
    await newAccount('shy', ['first']);
    const ignore = (value: string | null) =>
      world.cluster.patch(
        'serviceaccounts',
        'shy',
        { metadata: { labels: { 'registry-credential-helper.io/ignore': value } } },
        'team-a',
      );
    await ignore('true');
    await left('shy');
    expect(await references('shy')).toEqual(['first']);
    const account = await world.cluster.get('serviceaccounts', 'shy', 'team-a');
    expect(account?.metadata.annotations?.[ANNOTATION]).toBeUndefined();
    await ignore(null);
    await served('shy');
  });

  test('[acr S4] a ServiceAccount that keeps losing our entry is not fought over, and an Event names the other writer', async () => {
    const mark = await markCalls(world);
    await newAccount('fought', ['theirs']);
    const at = { namespace: 'team-a', name: 'fought', fieldManager: 'argocd-controller' };
    const event = await eventually('an Event says so', async () => {
      if (await isServed('fought')) await replaceReferences(world.plane, at, ['theirs']);
      return (await eventsIn(world, 'team-a')).find(
        ({ reason, involvedObject }) => reason === 'Contended' && involvedObject.name === 'fought',
      );
    });
    expect(event).toMatchObject({ type: 'Warning', involvedObject: { kind: 'ServiceAccount' } });
    expect(event.message).toContain('argocd-controller');
    expect(event.message).not.toContain('to registry-credential-helper');
    const account = await world.cluster.get('serviceaccounts', 'fought', 'team-a');
    expect(event.involvedObject.uid).toBe(account?.metadata.uid);
    await settled(world);
    const patches = (await programWrites(world, mark)).filter(({ name }) => name === 'fought');
    expect(patches.length).toBeLessThanOrEqual(5);
    expect((await replica.http('/metrics'))?.text).toMatch(/^registry_credential_helper_contentions_total [1-9]/m);
    expect(await references('fought')).toEqual(['theirs']);
  });
});
