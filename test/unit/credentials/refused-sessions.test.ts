// A chain of sessions: STS refuses the one with which the next is asked for, while the next one still works.
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { ProviderError } from '../../../src/core/errors.ts';
import { Identities, type IdentityOutcome } from '../../../src/credentials/identities.ts';
import type { IdentitySession } from '../../../src/providers/provider.ts';
import { createStoreHarness, granting, START, type StoreHarness } from './store-world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const { signal } = new AbortController();
const refused = (): ProviderError => new ProviderError('SessionExpired', 'InvalidSecurityToken.Expired');

/** A cloud in which a base session of six hours assumes a role for an hour; tokens end with that session (acr.md section 20). */
function chain() {
  const cloud = {
    bases: 0,
    assumed: 0,
    refusals: 0,
    revoked: [] as number[],
    baseError: undefined as Error | undefined,
    /** STS answers when this is over. */
    busy: undefined as Promise<unknown> | undefined,
  };
  const outcomes: IdentityOutcome[] = [];
  const harness: StoreHarness = createStoreHarness({ onIdentity: (outcome) => void outcomes.push(outcome) });
  const session = <T>(value: T, lifeMs: number): IdentitySession<T> => {
    return { value, issuedAt: harness.now(), expiresAt: harness.now() + lifeMs, secrets: [] };
  };
  harness.fetch = async (world, abort) => {
    const cacheKey = harness.calls.at(-1);
    const base = await world.identity(
      'base',
      () => {
        if (cloud.baseError !== undefined) return Promise.reject(cloud.baseError);
        return Promise.resolve(session((cloud.bases += 1), 6 * HOUR));
      },
      abort,
    );
    if (cacheKey === 'fake/direct') {
      if (cloud.revoked.includes(base)) throw refused();
      return granting(HOUR)(world, abort);
    }
    const { end, name } = await world.identity(
      'assumed',
      async () => {
        await cloud.busy;
        if (cloud.revoked.includes(base)) {
          cloud.refusals += 1;
          throw refused();
        }
        cloud.assumed += 1;
        return session({ end: world.now() + HOUR, name: `assumed-${cloud.assumed}` }, HOUR);
      },
      abort,
    );
    return { username: 'robot', password: name, issuedAt: world.now(), expiresAt: end };
  };
  return { cloud, outcomes, harness };
}

describe('a base session that STS refuses while the session made with it works', () => {
  test('[acr R2] is replaced when the next token is due, and no token is short-lived', async () => {
    const { cloud, outcomes, harness } = chain();
    await harness.ask();
    cloud.revoked = [1];
    for (let at = 0; at < 3 * HOUR; at += 10_000) {
      const answer = await harness.ask();
      expect(answer.status).toBe('fresh');
      if (answer.status === 'fresh')
        expect((answer.credential.expiresAt ?? 0) - harness.now()).toBeGreaterThan(15 * MINUTE);
      await harness.advance(10_000);
    }
    expect(cloud).toMatchObject({ bases: 2, refusals: 1 });
    // Nothing was lacking at any time: there is nothing to tell.
    expect(outcomes.map(({ key, error }) => [key, error])).toEqual([
      ['base', undefined],
      ['assumed', undefined],
    ]);
  });

  test('is replaced once for all who need it', async () => {
    const { cloud, harness } = chain();
    const names = Array.from({ length: 20 }, (_, at) => `fake/${at}`);
    const askAll = () => Promise.all(names.map((name) => harness.ask(undefined, name)));
    await askAll();
    cloud.revoked = [1];
    await harness.advance(46 * MINUTE);
    const answers = await askAll();
    expect(new Set(answers.map((answer) => answer.status === 'fresh' && answer.credential.password))).toEqual(
      new Set(['assumed-2']),
    );
    expect(cloud).toEqual(expect.objectContaining({ bases: 2, assumed: 2, refusals: 1 }));
  });

  test('takes no newer one with it, of a credential that waited for the same answer', async () => {
    const { cloud, harness } = chain();
    const busy = Promise.withResolvers<undefined>();
    cloud.busy = busy.promise;
    const first = await harness.askLater(undefined, 'fake/first');
    cloud.revoked = [1];
    expect((await harness.ask(undefined, 'fake/direct')).status).toBe('fresh');
    const second = await harness.askLater(undefined, 'fake/second');
    busy.resolve(undefined);
    await setImmediate();
    for (const { answer } of [first, second]) expect(answer()).toMatchObject({ status: 'fresh' });
    expect(cloud).toMatchObject({ bases: 2, assumed: 1, refusals: 1 });
  });

  test('leaves the other one in use while no newer one helps, is asked for once more in each attempt, and told of once', async () => {
    const { cloud, outcomes, harness } = chain();
    await harness.ask();
    cloud.revoked = [1, 2, 3, 4, 5, 6, 7, 8];
    await harness.advance(46 * MINUTE);
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      expect(await harness.ask(harness.now() - 1)).toMatchObject({ credential: { password: 'assumed-1' } });
      expect(cloud.refusals).toBe(2 * attempt);
      await harness.advance(11_000);
    }
    expect(outcomes.filter(({ error }) => error !== undefined)).toEqual([
      { key: 'assumed', error: expect.objectContaining({ reason: 'SessionExpired' }), expiresAt: START + HOUR },
    ]);
    // As soon as one helps, it is used, and that is told.
    cloud.revoked = [];
    expect(await harness.ask(harness.now() - 1)).toMatchObject({ credential: { password: 'assumed-2' } });
    expect(outcomes.at(-1)).toMatchObject({ key: 'assumed', error: undefined });
  });

  test('leaves the other one in use when the service that gives base sessions is away', async () => {
    const { cloud, outcomes, harness } = chain();
    await harness.ask();
    cloud.revoked = [1];
    cloud.baseError = new ProviderError('CloudUnavailable', 'the metadata service is away');
    await harness.advance(46 * MINUTE);
    expect(await harness.ask()).toMatchObject({ status: 'fresh', credential: { password: 'assumed-1' } });
    expect(outcomes.flatMap(({ key, error }) => (error === undefined ? [] : [key]))).toEqual(['base', 'assumed']);
    cloud.baseError = undefined;
    await harness.advance(11_000);
    expect(await harness.ask(harness.now() - 1)).toMatchObject({ credential: { password: 'assumed-2' } });
  });
});

describe('of the sessions that a fetch works with', () => {
  function identities() {
    const state = { now: START, bases: 0 };
    const held = new Identities({
      now: () => state.now,
      thresholdMs: () => 15 * MINUTE,
      register: () => undefined,
      delay: () => setImmediate(),
    });
    const base = (): Promise<string> =>
      held.get('base', () => Promise.resolve(lasting(`base-${(state.bases += 1)}`, 6 * HOUR)), signal);
    const lasting = (value: string, lifeMs = HOUR): IdentitySession<string> => {
      return { value, issuedAt: state.now, expiresAt: state.now + lifeMs, secrets: [] };
    };
    const using = (value: string) => ({ uses: new Map([['base', value]]), comesAgain: true });
    return { state, held, base, lasting, using };
  }

  test('those of whoever began it are refused, not newer ones of those who joined', async () => {
    const { state, held, base, using } = identities();
    const answer = Promise.withResolvers<IdentitySession<string>>();
    const fetch = (): Promise<IdentitySession<string>> => answer.promise;
    const first = held.get('assumed', fetch, signal, using(await base()));
    state.now += 6 * HOUR;
    const second = held.get('assumed', fetch, signal, using(await base()));
    answer.reject(refused());
    await expect(first).rejects.toMatchObject({ reason: 'SessionExpired' });
    await expect(second).rejects.toMatchObject({ reason: 'SessionExpired' });
    expect(await base()).toBe('base-2');
  });

  test('the refused one is due also when nobody waits for the fetch any more', async () => {
    const { state, held, base, lasting, using } = identities();
    const asker = using(await base());
    await held.get('assumed', () => Promise.resolve(lasting('assumed')), signal, asker);
    state.now += 31 * MINUTE;
    const answer = Promise.withResolvers<IdentitySession<string>>();
    expect(await held.get('assumed', () => answer.promise, signal, asker)).toBe('assumed');
    expect(await base()).toBe('base-1');
    answer.reject(refused());
    await setImmediate();
    expect(await base()).toBe('base-2');
  });

  test('none is refused for a failure of another kind', async () => {
    const { held, base, using } = identities();
    const down = new ProviderError('CloudUnavailable', 'STS is away');
    await expect(held.get('assumed', () => Promise.reject(down), signal, using(await base()))).rejects.toBe(down);
    expect(await base()).toBe('base-1');
  });
});
