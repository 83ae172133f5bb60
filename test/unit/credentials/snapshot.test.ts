// The master copy: what one leader leaves serves the next, and nonsense does no harm.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createStoreHarness, failing, granting, SECRET, START } from './store-world.ts';
import { ProviderError } from '../../../src/core/errors.ts';
import { resourceReference } from '../../../src/core/resource-source.ts';
import type { Credential } from '../../../src/core/types.ts';
import { formatSnapshot, parseSnapshot, type StoredCredential } from '../../../src/credentials/snapshot.ts';

const HOUR = 3_600_000;

test('a new leader serves what the old one left without asking the cloud', async () => {
  const old = createStoreHarness();
  old.fetch = async (world, signal) => ({
    ...(await granting(HOUR)(world, signal)),
    ...{ endsAt: START + 2 * HOUR, beganAt: START - HOUR },
    id: 'token-1',
    hosts: ['a.example', 'b.example'],
    warnings: ['a remark'],
    identity: 'a role',
  });
  await old.ask();
  const text = old.store.snapshot();
  const fresh = createStoreHarness();
  fresh.fetch = failing(new ProviderError('CloudUnavailable', 'the cloud is down'));
  expect(fresh.store.load(text, START)).toEqual([]);
  expect(fresh.registered.get('fake/a')).toEqual(['fake-password', 'robot:fake-password']);
  expect(fresh.store.sources()).toEqual([SECRET]);
  const answer = await fresh.ask();
  expect(answer).toMatchObject({
    status: 'fresh',
    credential: {
      ...{ password: 'fake-password', id: 'token-1', hosts: ['a.example', 'b.example'] },
      ...{ endsAt: START + 2 * HOUR, beganAt: START - HOUR },
    },
  });
  expect(fresh.store.current('fake/a')).toMatchObject({ endsAt: START + 2 * HOUR, beganAt: START - HOUR });
  expect(fresh.calls).toEqual([]);
  expect(fresh.store.snapshot()).toBe(text);
});

test('a Secret that changed while nobody looked is found when the loaded credential is first asked for', async () => {
  const old = createStoreHarness();
  await old.ask();
  const fresh = createStoreHarness();
  fresh.secrets.set('kube-system/keys', { 'access-key-secret': 'fake-new-secret' });
  fresh.fetch = granting(HOUR, 'fake-new-password');
  fresh.store.load(old.store.snapshot(), START);
  expect(await fresh.ask()).toMatchObject({ status: 'fresh', credential: { password: 'fake-new-password' } });
  expect(fresh.calls).toHaveLength(1);
});

test('what another leader obtained meanwhile ends the failure of an earlier term, also of what never expires', async () => {
  const harness = createStoreHarness();
  harness.fetch = failing(new ProviderError('IdentityUnavailable', 'there is no such Secret'));
  await harness.ask();
  expect(harness.store.failure('fake/a')).toBeDefined();
  const other = createStoreHarness();
  other.fetch = granting(undefined);
  await other.ask();
  harness.store.load(other.store.snapshot(), harness.now());
  expect(await harness.ask()).toMatchObject({ status: 'fresh' });
  expect(harness.calls).toHaveLength(1);
  expect(harness.store.failure('fake/a')).toBeUndefined();
});

test('the failure to renew what is held is not ended by what was held before', async () => {
  const harness = createStoreHarness();
  await harness.ask();
  const old = harness.store.snapshot();
  await harness.advance(50 * 60_000);
  harness.fetch = failing(new ProviderError('CloudUnavailable', 'the cloud is down'));
  await harness.ask();
  harness.store.load(old, harness.now());
  expect(harness.store.failure('fake/a')).toMatchObject({ reason: 'CloudUnavailable' });
});

test('a newer credential is not replaced by an older one', async () => {
  const harness = createStoreHarness();
  await harness.ask();
  const old = harness.store.snapshot();
  await harness.advance(50 * 60_000);
  await harness.ask();
  harness.store.load(old, harness.now());
  expect(harness.store.current('fake/a')?.issuedAt).toBe(START + 50 * 60_000);
});

test('what has expired is neither kept nor loaded', async () => {
  const harness = createStoreHarness();
  await harness.ask();
  const text = harness.store.snapshot();
  await harness.advance(HOUR);
  expect(harness.store.snapshot()).toBe('{"version":1,"credentials":[]}');
  const fresh = createStoreHarness();
  expect(fresh.store.load(text, START + HOUR)).toEqual([]);
  expect(fresh.store.current('fake/a')).toBeUndefined();
});

test('the order of requests does not matter to the text', async () => {
  const texts = await Promise.all(
    [
      ['fake/a', 'fake/b'],
      ['fake/b', 'fake/a'],
    ].map(async (keys) => {
      const harness = createStoreHarness();
      for (const key of keys) await harness.ask(undefined, key);
      return harness.store.snapshot();
    }),
  );
  expect(texts[0]).toBe(texts[1]);
});

describe('a hostile master copy', () => {
  test.each([
    ['nothing', ''],
    ['no JSON', '{"version":1,'],
    ['another version', '{"version":2,"credentials":[]}'],
    ['a list', '[]'],
    ['far too long', `"${'x'.repeat(2_000_000)}"`],
  ])('%s is ignored with an issue', (_name, text) => {
    const { store } = createStoreHarness();
    expect(store.load(text, START)).toMatchObject([{ severity: 'warning' }]);
  });

  test('a record that was tampered with is left out, its neighbours are not', async () => {
    const harness = createStoreHarness();
    await harness.ask(undefined, 'fake/a');
    await harness.ask(undefined, 'fake/b');
    const text = harness.store.snapshot().replace('"cacheKey":"fake/a"', '"cacheKey":"fake/other"');
    const fresh = createStoreHarness();
    expect(fresh.store.load(text, START)).toMatchObject([{ path: 'credentials[0]' }]);
    expect(fresh.store.current('fake/other')).toBeUndefined();
    expect(fresh.store.current('fake/b')).toBeDefined();
  });

  test('no JSON whatever makes it throw or answer with nonsense', async () => {
    const harness = createStoreHarness();
    await harness.ask();
    const good = JSON.parse(harness.store.snapshot()) as { credentials: Record<string, unknown>[] };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('cacheKey', 'provider', 'source', 'credential', 'revisions'),
        fc.jsonValue(),
        async (field, value) => {
          const fresh = createStoreHarness();
          fresh.fetch = failing(new Error('no cloud'));
          const text = JSON.stringify({ ...good, credentials: [{ ...good.credentials[0], [field]: value }, value] });
          expect(() => fresh.store.load(text, START)).not.toThrow();
          const answer = await fresh.ask();
          if (answer.status !== 'unavailable') expect(typeof answer.credential.password).toBe('string');
        },
      ),
    );
  });
});

describe('of more credentials than there is room for', () => {
  const RESOURCE = resourceReference('pasted');
  const MIB = 1_048_576;
  /** Asks for one of each kind, and for many passwords that stand in resources. */
  const filled = async (resources: number, bytes: number) => {
    const omitted: number[] = [];
    const harness = createStoreHarness({ onOmitted: (count) => void omitted.push(count) });
    harness.secrets.set(`${RESOURCE.namespace}/${RESOURCE.name}`, { password: 'fake' });
    const obtain = async (cacheKey: string, credential: Partial<Credential>, reference = SECRET): Promise<void> => {
      harness.fetch = async (world, signal) => {
        await world.readSecret(reference, signal);
        const plain = { username: 'robot', password: 'fake-password', issuedAt: world.now(), expiresAt: undefined };
        return { ...plain, ...credential };
      };
      await harness.ask(undefined, cacheKey);
    };
    for (let at = 0; at < resources; at += 1)
      await obtain(`fake/resource-${at}`, { password: `${at}`.padEnd(bytes, 'x') }, RESOURCE);
    await obtain('fake/minted', { id: 'token-1', expiresAt: START + HOUR });
    await obtain('fake/token', { expiresAt: START + HOUR });
    await obtain('fake/static', {});
    return { harness, omitted };
  };
  const keysIn = (text: string): readonly string[] => parseSnapshot(text, START).stored.map(({ cacheKey }) => cacheKey);

  test('passwords that stand in resources are left out, it is told once, and all of it fits again later', async () => {
    const { harness, omitted } = await filled(100, 10_000);
    const text = harness.store.snapshot();
    expect(Buffer.byteLength(text)).toBeLessThan(MIB / 2 + 100);
    expect(keysIn(text)).toEqual(expect.arrayContaining(['fake/minted', 'fake/token', 'fake/static']));
    expect(keysIn(text).length).toBeGreaterThan(40);
    harness.store.snapshot();
    expect(omitted).toEqual([103 - keysIn(text).length]);
    harness.store.retain(['fake/resource-1', 'fake/minted', 'fake/token', 'fake/static']);
    expect(keysIn(harness.store.snapshot())).toHaveLength(4);
    expect(omitted).toHaveLength(1);
  });

  test('one that has no room alone is left out, and no other', async () => {
    const { harness, omitted } = await filled(1, MIB);
    expect(keysIn(harness.store.snapshot())).toEqual(['fake/minted', 'fake/static', 'fake/token']);
    expect(omitted).toEqual([1]);
  });

  test('what leaves something behind stays longest, then tokens of a cloud', () => {
    const stored = (cacheKey: string, credential: Partial<Credential>): StoredCredential => ({
      ...{ cacheKey, provider: 'fake', source: 's', revisions: [] },
      credential: {
        username: 'u',
        password: 'x'.repeat(300_000),
        issuedAt: START,
        expiresAt: undefined,
        ...credential,
      },
    });
    const all = [stored('a', {}), stored('b', { expiresAt: START + HOUR }), stored('c', { id: 'token-1' })];
    const namesIn = (text: string): readonly string[] =>
      [...text.matchAll(/"cacheKey":"(.)"/g)].map(([, name = '']) => name);
    expect(namesIn(formatSnapshot(all).text)).toEqual(['c']);
    expect(namesIn(formatSnapshot(all.slice(0, 2)).text)).toEqual(['b']);
  });
});
