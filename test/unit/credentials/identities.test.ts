// Sessions of identities: one fetch at a time, renewed before what is made with them, the last good one kept.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ProviderError } from '../../../src/core/errors.ts';
import { dueAt } from '../../../src/core/refresh.ts';
import { Identities, type IdentityOutcome } from '../../../src/credentials/identities.ts';
import type { IdentitySession } from '../../../src/providers/provider.ts';
import { createStoreHarness, granting, START } from './store-world.ts';

const MINUTE = 60_000;
const { signal } = new AbortController();

function harness() {
  const state = {
    now: START,
    fetches: 0,
    error: undefined as Error | undefined,
    lifeMs: 60 * MINUTE,
    thresholdMs: 15 * MINUTE,
  };
  const registered = new Map<string, readonly string[]>();
  const outcomes: IdentityOutcome[] = [];
  const identities = new Identities({
    now: () => state.now,
    thresholdMs: () => state.thresholdMs,
    register: (key, secrets) => void registered.set(key, secrets),
    onOutcome: (outcome) => void outcomes.push(outcome),
  });
  const fetch = (): Promise<IdentitySession<string>> => {
    state.fetches += 1;
    if (state.error !== undefined) return Promise.reject(state.error);
    const value = `fake-session-${state.fetches}`;
    return Promise.resolve({ value, issuedAt: state.now, expiresAt: state.now + state.lifeMs, secrets: [value] });
  };
  return {
    ...{ state, registered, outcomes, identities },
    get: (key = 'a') => identities.get(key, fetch, signal),
    replace: (value: string) => identities.replace({ key: 'a', value }, fetch, signal),
  };
}

describe('a session', () => {
  test('is fetched once, whoever asks at the same time and after', async () => {
    const { state, get } = harness();
    expect(await Promise.all([get(), get(), get()])).toEqual(Array(3).fill('fake-session-1'));
    state.now += 29 * MINUTE;
    expect(await get()).toBe('fake-session-1');
    expect(await get('b')).toBe('fake-session-2');
    expect(state.fetches).toBe(2);
  });

  test.each([
    ['an hour with 15 minutes: when half of it is over', 60, 15, 30],
    ['an hour with a minute: at 80 %, less that minute', 60, 1, 47],
    ['an hour with 30 minutes: when a third of it is over', 60, 30, 20],
    ['half an hour with 15 minutes: likewise', 30, 15, 10],
    ['six hours with 15 minutes: at 80 %, less 15 minutes', 360, 15, 273],
  ])('of %s, it is renewed', async (_what, life, threshold, due) => {
    const { state, get } = harness();
    Object.assign(state, { lifeMs: life * MINUTE, thresholdMs: threshold * MINUTE });
    await get();
    state.now += due * MINUTE - 1;
    expect(await get()).toBe('fake-session-1');
    state.now += 1;
    expect(await get()).toBe('fake-session-2');
  });

  test('[acr R2] is renewed before whatever is made with it and ends with it, in every namespace', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 900, max: 12 * 3_600 }),
        fc.integer({ min: 1, max: 3 * 3_600 }),
        fc.double({ min: 0, max: 1 - 2 ** -32, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (lifeSeconds, thresholdSeconds, spread, madeAt) => {
          const { state, get } = harness();
          Object.assign(state, { lifeMs: lifeSeconds * 1_000, thresholdMs: thresholdSeconds * 1_000 });
          await get();
          const end = START + state.lifeMs;
          state.now += Math.floor(state.lifeMs * madeAt);
          if ((await get()) !== 'fake-session-1') return;
          const token = { issuedAt: state.now, expiresAt: end };
          // A millisecond for what rounding does.
          state.now = (dueAt(token, state.thresholdMs, spread) ?? end) + 1;
          expect(await get()).toBe('fake-session-2');
        },
      ),
    ));

  test('that is short-lived is renewed when a third of its life is over, not at every use', async () => {
    const { state, get } = harness();
    state.lifeMs = 21_000;
    await get();
    state.now += 6_999;
    expect(await get()).toBe('fake-session-1');
    state.now += 1;
    expect(await get()).toBe('fake-session-2');
  });

  test('from the future, after the clock was set back, is renewed', async () => {
    const { state, get } = harness();
    await get();
    state.now -= 24 * 60 * MINUTE;
    expect(await get()).toBe('fake-session-2');
  });

  test('is registered for redaction before anybody has it', async () => {
    const { registered, get } = harness();
    const value = await get();
    expect(registered.get('identity a')).toEqual([value]);
  });

  test('that cannot be renewed is kept while it works, asked for every ten seconds at most, and told of once', async () => {
    const { state, outcomes, get } = harness();
    await get();
    state.now += 31 * MINUTE;
    state.error = new ProviderError('CloudUnavailable', 'STS is away');
    for (let second = 0; second < 60; second += 1) {
      expect(await get()).toBe('fake-session-1');
      state.now += 1_000;
    }
    expect(state.fetches).toBe(1 + 6);
    expect(outcomes.map(({ error }) => error)).toEqual([undefined, state.error]);
    state.now = START + 60 * MINUTE;
    await expect(get()).rejects.toBe(state.error);
    state.error = undefined;
    state.now += 1_000;
    expect(await get()).toMatch(/^fake-session-/);
    expect(outcomes.map(({ error }) => error)).toEqual([undefined, expect.anything(), undefined]);
  });

  test('that was never there fails for everybody, with one fetch a second', async () => {
    const { state, outcomes, get } = harness();
    state.error = new ProviderError('IdentityUnavailable', 'no role');
    const asks = await Promise.allSettled([get(), get()]);
    expect(asks.map((one) => one.status)).toEqual(['rejected', 'rejected']);
    await expect(get()).rejects.toBe(state.error);
    expect(state.fetches).toBe(1);
    state.now += 1_000;
    await expect(get()).rejects.toBe(state.error);
    expect(state.fetches).toBe(2);
    // The credential that needs it fails, and that is told.
    expect(outcomes).toEqual([]);
  });

  test('that is of no use is replaced once, whoever says so, and no line in the log tells it', async () => {
    const { state, outcomes, get, replace } = harness();
    const value = await get();
    expect(await Promise.all([replace(value), replace(value)])).toEqual(Array(2).fill('fake-session-2'));
    // Whoever says so later gets the new one, and so does everybody else.
    expect([await replace(value), await get()]).toEqual(Array(2).fill('fake-session-2'));
    expect(state.fetches).toBe(2);
    expect(outcomes).toHaveLength(1);
  });

  test('that is of no use stays where there is no other', async () => {
    const { state, get, replace } = harness();
    const value = await get();
    state.error = new ProviderError('CloudUnavailable', 'no other');
    expect(await replace(value)).toBe(value);
    state.error = undefined;
    expect(await replace(value)).toBe('fake-session-3');
  });

  test('that a cloud has refused is renewed once, whoever says so', async () => {
    const { state, identities, get } = harness();
    const value = await get();
    for (let at = 0; at < 20; at += 1) identities.refuse(new Map([['a', value]]));
    expect(await Promise.all(Array.from({ length: 20 }, () => get()))).toEqual(Array(20).fill('fake-session-2'));
    // Those who had the old one say so later: the new one is not refused by that.
    identities.refuse(
      new Map([
        ['a', value],
        ['unknown', value],
      ]),
    );
    expect(await get()).toBe('fake-session-2');
    expect(state.fetches).toBe(2);
  });

  test('that one cloud has refused still serves the others while there is no newer one', async () => {
    const { state, identities, get } = harness();
    identities.refuse(new Map([['a', await get()]]));
    state.error = new ProviderError('CloudUnavailable', 'STS is away');
    expect(await get()).toBe('fake-session-1');
  });

  test('that works is used when its renewal hangs', async () => {
    const state = { now: START };
    const waits: number[] = [];
    const identities = new Identities({
      now: () => state.now,
      thresholdMs: () => 15 * MINUTE,
      register: () => undefined,
      delay: (ms) => {
        waits.push(ms);
        return Promise.resolve();
      },
    });
    const session = { value: 'fake', issuedAt: START, expiresAt: START + 60 * MINUTE, secrets: [] };
    await identities.get('a', () => Promise.resolve(session), signal);
    state.now += 40 * MINUTE;
    expect(await identities.get('a', () => new Promise<never>(() => undefined), signal)).toBe('fake');
    expect(waits).toEqual([3_000]);
  });

  test('goes on being fetched for the others when one of those who wait goes', async () => {
    const { identities } = harness();
    const gone = new AbortController();
    const session = Promise.withResolvers<IdentitySession<string>>();
    const fetch = (): Promise<IdentitySession<string>> => session.promise;
    const first = identities.get('a', fetch, gone.signal);
    const second = identities.get('a', fetch, signal);
    gone.abort();
    await expect(first).rejects.toThrow('aborted');
    session.resolve({ value: 'fake', issuedAt: START, expiresAt: undefined, secrets: [] });
    expect(await second).toBe('fake');
  });

  test('ends with the process', async () => {
    const { identities } = harness();
    const fetch = (abort: AbortSignal): Promise<IdentitySession<string>> =>
      new Promise((_resolve, reject) => {
        abort.addEventListener('abort', () => reject(new Error('aborted')));
      });
    const waiting = identities.get('a', fetch, signal);
    identities.stop();
    await expect(waiting).rejects.toThrow('aborted');
  });
});

test('of a thousand that are over, none is kept', async () => {
  const { state, identities } = harness();
  let held = 0;
  for (let at = 0; at < 3_000; at += 1) {
    const now = state.now;
    await identities.get(
      `k${at}`,
      () => Promise.resolve({ value: at, issuedAt: now, expiresAt: now + 1, secrets: [] }),
      signal,
    );
    state.now += 1;
  }
  // What is still held is not fetched again.
  for (let at = 0; at < 3_000; at += 1) {
    await identities.get(
      `k${at}`,
      () => {
        held -= 1;
        return Promise.resolve({ value: at, issuedAt: state.now, expiresAt: state.now + 1, secrets: [] });
      },
      signal,
    );
    held += 1;
  }
  expect(held).toBe(0);
});

describe('a credential whose session the cloud refuses', () => {
  const lasting = <T>(value: T, now: number): IdentitySession<T> => {
    return { value, issuedAt: now, expiresAt: now + 60 * MINUTE, secrets: [] };
  };

  test('is asked for once more with a new session', async () => {
    const store = createStoreHarness();
    let sessions = 0;
    store.fetch = async (world, abort) => {
      const session = await world.identity(
        'cloud/role',
        () => {
          sessions += 1;
          return Promise.resolve(lasting(sessions, world.now()));
        },
        abort,
      );
      if (session === 1) throw new ProviderError('SessionExpired', 'InvalidSecurityToken.Expired');
      return granting(60 * MINUTE)(world, abort);
    };
    expect((await store.ask()).status).toBe('fresh');
    expect(sessions).toBe(2);
  });

  test.each([
    ['for the session of a token that has expired, since another may be in its place by now', 1],
    ['for a session of the next role, when the one before had expired', 2],
  ])('is asked for once more %s', async (_what, hops) => {
    const store = createStoreHarness();
    const asked: string[] = [];
    store.fetch = async (world, abort) => {
      for (let hop = 1; hop <= hops; hop += 1) {
        await world.identity(
          `cloud/hop-${hop}`,
          () => {
            asked.push(`hop-${hop}`);
            const isLast = hop === hops && asked.filter((name) => name === `hop-${hop}`).length === 1;
            if (isLast) return Promise.reject(new ProviderError('SessionExpired', 'OIDCToken.Expired'));
            return Promise.resolve(lasting(asked.length, world.now()));
          },
          abort,
        );
      }
      return granting(60 * MINUTE)(world, abort);
    };
    expect((await store.ask()).status).toBe('fresh');
    expect(asked).toEqual(hops === 1 ? ['hop-1', 'hop-1'] : ['hop-1', 'hop-2', 'hop-1', 'hop-2']);
  });

  test('is asked for once more without finding out anew what never changes', async () => {
    const store = createStoreHarness();
    const asked: string[] = [];
    store.fetch = async (world, abort) => {
      const ask = (name: string, expiresAt?: number): Promise<number> => {
        const look = (): Promise<IdentitySession<number>> =>
          Promise.resolve({ value: asked.push(name), issuedAt: world.now(), expiresAt, secrets: [] });
        return world.identity(name, look, abort);
      };
      await ask('region');
      if ((await ask('session', world.now() + 60 * MINUTE)) === 2) {
        throw new ProviderError('SessionExpired', 'InvalidSecurityToken.Expired');
      }
      return granting(60 * MINUTE)(world, abort);
    };
    expect((await store.ask()).status).toBe('fresh');
    expect(asked).toEqual(['region', 'session', 'session']);
  });

  test('fails when the new one is refused as well', async () => {
    const store = createStoreHarness();
    store.fetch = () => Promise.reject(new ProviderError('SessionExpired', 'InvalidSecurityToken.Expired'));
    expect(await store.ask()).toMatchObject({ status: 'unavailable', failure: { reason: 'SessionExpired' } });
    expect(store.calls).toHaveLength(2);
  });
});

test('a credential that was made because a Secret was not there is made anew when it appears', async () => {
  const store = createStoreHarness();
  const reference = { namespace: 'kube-system', name: 'better' };
  store.fetch = async (world, abort) => {
    const password = await world.readSecret(reference, abort).then(
      () => 'fake-better',
      () => 'fake-second-best',
    );
    return { username: 'u', password, issuedAt: world.now(), expiresAt: world.now() + 60 * MINUTE };
  };
  expect(await store.ask()).toMatchObject({ credential: { password: 'fake-second-best' } });
  expect(store.store.sources()).toEqual([reference]);
  store.secrets.set('kube-system/better', { key: 'fake-key' });
  expect(store.store.secretChanged(reference)).toEqual(['fake/a']);
  expect(await store.ask()).toMatchObject({ status: 'fresh', credential: { password: 'fake-better' } });
});
