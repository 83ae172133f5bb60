// What minted credentials leave at a cloud: when it goes, and when it must not.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { LeftBehind } from '../../../src/controller/left-behind.ts';
import { parseMinted } from '../../../src/controller/minted.ts';
import { ProviderError } from '../../../src/core/errors.ts';
import { sourceOf } from '../../../src/core/source.ts';
import type { CredentialRequest, EpochMs, ObservedSecret } from '../../../src/core/types.ts';
import { createRevocations, type MintedRequest } from '../../../src/credentials/revocation.ts';
import { Turns } from '../../../src/credentials/turns.ts';
import type { RegistryProvider } from '../../../src/providers/provider.ts';
import { emptyStoreWorld } from '../../support/provider-world.ts';
import { passTime } from '../../support/timers.ts';

const START = 1_000_000;
const KEY = 'tcr/ap-guangzhou/tcr-sample01/longterm/key';

/** A request that mints, unless its target says that it does not. */
function request(cacheKey = KEY, mints = true): CredentialRequest {
  return { provider: 'tcr', target: { cacheKey, mints }, cacheKey, hosts: undefined };
}

/** A Secret with an entry that was issued then. */
function secret(issuedAt: EpochMs, cacheKey = KEY): Pick<ObservedSecret, 'entries'> {
  return { entries: { 'a.example': { source: sourceOf(cacheKey, []), issuedAt, expiresAt: undefined } } };
}

interface Held {
  readonly id: string | undefined;
  readonly issuedAt: EpochMs;
}

/** A cluster and a cloud in memory: `live` is what we left there, by cache key. */
function worldOf() {
  const world = {
    now: START,
    requests: [request()] as readonly CredentialRequest[] | undefined,
    held: new Map<string, Held>(),
    secrets: [] as Pick<ObservedSecret, 'entries'>[],
    live: new Map<string, string[]>([[KEY, ['old', 'new']]]),
    areAllKnown: true,
    busy: false,
    reads: 0,
    looks: 0,
    /** At what, in this order. */
    looked: [] as string[],
    changes: 0,
    failWith: undefined as ProviderError | undefined,
    failures: [] as unknown[],
    full: [] as string[],
    /** What revoking waits for. */
    gate: Promise.resolve() as Promise<unknown>,
    timers: [] as { readonly at: EpochMs; readonly resolve: () => void }[],
    turns: new Turns(),
    left: undefined as unknown as LeftBehind,
    stop: new AbortController(),
    running: Promise.resolve(),
  };
  const provider: Pick<RegistryProvider<unknown>, 'cacheKey' | 'mints' | 'revocationTarget' | 'revokeCredentials'> = {
    cacheKey: (target) => (target as { cacheKey: string }).cacheKey,
    mints: (target) => (target as { mints: boolean }).mints,
    revocationTarget: (target) => target,
    revokeCredentials: async (target, { keep }) => {
      world.looks += 1;
      const { cacheKey } = target as { cacheKey: string };
      world.looked.push(cacheKey);
      await world.gate;
      if (world.failWith !== undefined) throw world.failWith;
      const there = world.live.get(cacheKey) ?? [];
      world.live.set(
        cacheKey,
        there.filter((id) => id === keep),
      );
      return there.filter((id) => id !== keep);
    },
  };
  const revocations = createRevocations({
    providers: new Map([['tcr', provider as RegistryProvider<unknown>]]),
    world: emptyStoreWorld(),
    register: () => undefined,
    identities: { get: unused, replace: unused, refuse: () => undefined },
    turns: world.turns,
  });
  const pause = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      world.timers.push({ at: world.now + ms, resolve });
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
  const start = (): void => {
    world.left = new LeftBehind({
      revocations,
      inForce: { requests: () => world.requests, areAllKnown: () => world.areAllKnown },
      current: (cacheKey) => world.held.get(cacheKey),
      secrets: () => {
        world.reads += 1;
        return world.secrets;
      },
      isBusy: () => world.busy,
      onChanged: () => void (world.changes += 1),
      observer: {
        onRevoked: () => undefined,
        onRevocationFailure: (_cacheKey, error) => void world.failures.push(error),
        onRevocationsFull: (cacheKey) => void world.full.push(cacheKey),
      },
      now: () => world.now,
      pause,
    });
    world.running = world.left.run(world.stop.signal);
  };
  const advance = (ms: number): Promise<void> => passTime(world, ms);
  start();
  return Object.assign(world, { advance, restart: start });
}

function unused(): Promise<never> {
  return Promise.reject(new Error('no identity is asked for'));
}

let world: ReturnType<typeof worldOf>;
beforeEach(() => {
  world = worldOf();
  world.left.rulesChanged();
});
afterEach(async () => {
  world.stop.abort();
  await world.running;
});

const hold = (id: string | undefined, issuedAt: EpochMs, cacheKey = KEY): void => {
  world.held.set(cacheKey, { id, issuedAt });
  world.left.attemptEnded(cacheKey, false);
};
const live = (cacheKey = KEY): readonly string[] | undefined => world.live.get(cacheKey);

describe('[tcr K4] what an older credential left', () => {
  test('goes once every Secret holds the new one, and is not looked for again', async () => {
    hold('new', START);
    world.secrets = [secret(START), secret(START)];
    world.left.changed();
    await world.advance(5_000);
    expect(live()).toEqual(['new']);
    world.left.changed();
    await world.advance(5_000);
    expect(world.looks).toBe(1);
  });

  test.each<[string, () => void]>([
    ['before the last Secret holds the new one', () => (world.secrets = [secret(START), secret(START - 1)])],
    [
      'while a Secret holds a newer one than we do, as after a restart with an old memory',
      () => (world.secrets = [secret(START), secret(START + 1)]),
    ],
    ['while namespaces wait', () => (world.busy = true)],
    ['while it is not known what is in force', () => (world.requests = undefined)],
    ['while nothing is held', () => world.held.clear()],
    [
      'while nothing wants it and not all is known that may',
      () => {
        world.requests = [];
        world.areAllKnown = false;
      },
    ],
    ['when what is held has no id', () => hold(undefined, START)],
  ])('stays %s', async (_when, arrange) => {
    hold('new', START);
    arrange();
    world.left.changed();
    await world.advance(60_000);
    expect(live()).toEqual(['old', 'new']);
  });

  test('goes when the namespaces have had their turn', async () => {
    hold('new', START);
    world.busy = true;
    world.left.changed();
    await world.advance(10_000);
    world.busy = false;
    await world.advance(2_000);
    expect(live()).toEqual(['new']);
  });

  test('is looked for again after a restart, and after an attempt whose answer may have got lost', async () => {
    hold('new', START);
    world.left.changed();
    await world.advance(5_000);
    world.live.set(KEY, ['new', 'lost']);
    world.left.attemptEnded(KEY, true);
    await world.advance(5_000);
    expect(live()).toEqual(['new']);
    world.live.set(KEY, ['new', 'lost']);
    world.stop.abort();
    world.stop = new AbortController();
    world.restart();
    world.left.rulesChanged();
    await world.advance(5_000);
    expect(live()).toEqual(['new']);
  });

  test('goes although nothing is held, when attempts fail and no Secret has any: nobody knows its password', async () => {
    world.left.attemptEnded(KEY, true);
    await world.advance(5_000);
    expect(live()).toEqual([]);
    world.live.set(KEY, ['in use']);
    world.secrets = [secret(START)];
    world.left.attemptEnded(KEY, true);
    await world.advance(5_000);
    expect(live()).toEqual(['in use']);
  });

  test('is not taken for what is being made: it is waited for, and then kept', async () => {
    hold('old', START);
    const made = Promise.withResolvers<undefined>();
    const fetched = world.turns.take(KEY, () => made.promise);
    world.left.changed();
    await world.advance(5_000);
    expect(live()).toEqual(['old', 'new']);
    hold('new', START + 1);
    made.resolve(undefined);
    await fetched;
    await world.advance(5_000);
    expect(live()).toEqual(['new']);
  });
});

describe('[tcr K5] what a request left that no rule has any more', () => {
  beforeEach(() => {
    hold('new', START);
    world.secrets = [secret(START)];
    world.requests = [];
    world.held.clear();
  });

  test('stays as long as a Secret holds it, then all goes, and is forgotten', async () => {
    world.left.rulesChanged();
    await world.advance(5_000);
    expect(live()).toEqual(['old', 'new']);
    const before = world.changes;
    world.secrets = [];
    world.left.changed();
    await world.advance(5_000);
    expect(live()).toEqual([]);
    expect(world.left.snapshot()).toBeUndefined();
    expect(world.changes).toBeGreaterThan(before);
  });

  test('goes too when the rule went while all but one were revoked', async () => {
    world.requests = [request()];
    hold('new', START);
    const revoked = Promise.withResolvers<undefined>();
    world.gate = revoked.promise;
    world.left.changed();
    await world.advance(5_000);
    world.requests = [];
    world.held.clear();
    world.secrets = [];
    world.left.rulesChanged();
    revoked.resolve(undefined);
    await world.advance(5_000);
    expect(live()).toEqual([]);
    expect(world.left.snapshot()).toBeUndefined();
  });

  test('stays when a rule wants it again while it is waited for', async () => {
    const fetched = Promise.withResolvers<undefined>();
    void world.turns.take(KEY, () => fetched.promise);
    world.secrets = [];
    world.left.rulesChanged();
    await world.advance(5_000);
    world.requests = [request()];
    hold('new', START + 1);
    fetched.resolve(undefined);
    await world.advance(100);
    expect(live()).toContain('new');
    expect(world.left.snapshot()).toContain(KEY);
  });
});

describe('a failure', () => {
  const failing = async (error: ProviderError): Promise<void> => {
    hold('new', START);
    world.failWith = error;
    world.left.changed();
    await world.advance(2_000);
    expect(world.failures).toEqual([error]);
  };

  test('of the cloud is tried again after a minute, and no sooner however much happens', async () => {
    await failing(new ProviderError('CloudUnavailable', 'down'));
    for (let second = 0; second < 50; second += 1) {
      world.left.changed();
      await world.advance(1_000);
    }
    expect(world.looks).toBe(1);
    world.failWith = undefined;
    await world.advance(15_000);
    expect(live()).toEqual(['new']);
  });

  test('that somebody must mend is tried again after ten', async () => {
    await failing(new ProviderError('PermissionDenied', 'no'));
    await world.advance(500_000);
    expect(world.looks).toBe(1);
    world.failWith = undefined;
    await world.advance(120_000);
    expect(live()).toEqual(['new']);
  });

  test('is counted until it is done, or nobody has to do it any more', async () => {
    expect(world.left.failing).toBe(0);
    await failing(new ProviderError('PermissionDenied', 'no'));
    expect(world.left.failing).toBe(1);
    world.requests = [];
    expect(world.left.failing).toBe(1);
    world.requests = [request()];
    world.held.clear();
    expect(world.left.failing).toBe(0);
    hold('new', START);
    expect(world.left.failing).toBe(1);
    world.failWith = undefined;
    await world.advance(620_000);
    expect(live()).toEqual(['new']);
    expect(world.left.failing).toBe(0);
  });

  test('of what may not go when its time comes is looked at once, and tried as soon as it may', async () => {
    await failing(new ProviderError('CloudUnavailable', 'down'));
    world.secrets = [secret(START - 1)];
    const before = world.reads;
    await world.advance(600_000);
    expect(world.reads - before).toBe(1);
    expect(world.looks).toBe(1);
    world.failWith = undefined;
    world.secrets = [secret(START)];
    world.left.changed();
    await world.advance(2_000);
    expect(live()).toEqual(['new']);
  });

  test('holds up no other request', async () => {
    const other = `${KEY}/other`;
    world.requests = [request(), request(other)];
    world.live.set(other, ['a', 'b']);
    hold('new', START);
    hold('b', START, other);
    world.left.rulesChanged();
    world.failWith = new ProviderError('PermissionDenied', 'no');
    await world.advance(2_000);
    expect(world.failures).toHaveLength(2);
  });
});

describe('the memory', () => {
  test('comes back as it was, and what it holds goes when no rule wants it', async () => {
    const text = world.left.snapshot();
    world.requests = [];
    world.stop.abort();
    world.stop = new AbortController();
    world.restart();
    world.left.load(text);
    expect(world.left.snapshot()).toBe(text);
    world.left.rulesChanged();
    await world.advance(5_000);
    expect(live()).toEqual([]);
  });

  test('holds nothing that leaves nothing behind, and nothing that comes out under another key', () => {
    world.requests = [request('tcr/temp', false), { ...request('a'), target: { cacheKey: 'b', mints: true } }];
    world.left.load(undefined);
    world.left.rulesChanged();
    expect(world.left.snapshot()).toBeUndefined();
    const stranger: MintedRequest = { provider: 'other', target: { cacheKey: 'c', mints: true }, cacheKey: 'c' };
    world.left.load(JSON.stringify([stranger, { ...stranger, provider: 'tcr', target: null }]));
    expect(world.left.snapshot()).toBeUndefined();
  });

  test('is told of before anything is made, and once', () => {
    const before = world.changes;
    world.requests = [request(), request('another')];
    world.left.rulesChanged();
    world.left.rulesChanged();
    expect(world.changes).toBe(before + 1);
    expect(world.left.snapshot()).toContain('another');
  });

  test.each<[string, string | undefined]>([
    ['nothing', undefined],
    ['no JSON', '[{'],
    ['no list', '{"a":1}'],
    ['members of another form', '[1,null,{"provider":1},{"provider":"tcr"},{"cacheKey":"a"}]'],
  ])('that is %s is empty', (_what, text) => {
    expect(parseMinted(text)).toEqual([]);
  });
});

describe('[tcr K5] one resource that is edited again and again', () => {
  const EDITS = 2_100;
  /** Each edit wants another credential; `afterwards` is what becomes of it before the next. */
  const edit = (afterwards: (cacheKey: string) => void = () => undefined): void => {
    for (let at = 0; at < EDITS; at += 1) {
      world.requests = [request(`edit/${at}`)];
      world.left.rulesChanged();
      afterwards(`edit/${at}`);
    }
  };
  /** Another credential is made, and its rule goes. */
  const mint = (cacheKey: string): void => {
    world.requests = [request(cacheKey)];
    world.left.rulesChanged();
    world.live.set(cacheKey, ['real']);
    hold('real', START, cacheKey);
    world.held.delete(cacheKey);
    world.requests = [];
    world.left.rulesChanged();
  };

  test('leaves nothing to remember when nobody asked for it, and no cloud is asked', async () => {
    world.requests = [];
    world.left.rulesChanged();
    edit();
    world.requests = [];
    world.left.rulesChanged();
    await world.advance(5_000);
    expect(world.left.snapshot()).toBeUndefined();
    expect(world.looks).toBe(0);
    expect(world.full).toEqual([]);
  });

  test.each<[string, (cacheKey: string) => void]>([
    ['was never asked for', () => undefined],
    ['was refused', (cacheKey) => world.left.attemptEnded(cacheKey, true)],
  ])('does not push out what is really there, when what it wanted %s', async (_what, afterwards) => {
    edit(afterwards);
    mint('real/one');
    expect(world.left.snapshot()).toContain('real/one');
    edit(afterwards);
    expect(world.left.snapshot()).toContain('real/one');
    world.requests = [];
    world.left.rulesChanged();
    await world.advance(5_000);
    expect(live('real/one')).toEqual([]);
  });

  test('does not make what is really there wait for what perhaps is not, of which only a few are looked at in one go', async () => {
    edit((cacheKey) => world.left.attemptEnded(cacheKey, true));
    mint('real/one');
    await world.advance(1_500);
    expect(world.looked[0]).toBe('real/one');
    expect(world.looked.length).toBeLessThanOrEqual(11);
    await world.advance(5_000);
    expect(world.looked.length).toBeGreaterThan(11);
  });

  test('is told once when more was asked for than can be remembered', () => {
    edit((cacheKey) => world.left.attemptEnded(cacheKey, true));
    expect(world.full).toHaveLength(1);
    expect(parseMinted(world.left.snapshot())).toHaveLength(2_000);
  });

  test('is not forgotten while its credential is being made', async () => {
    world.requests = [request('slow')];
    world.left.rulesChanged();
    const made = Promise.withResolvers<undefined>();
    const fetched = world.turns.take('slow', () => made.promise).then(() => hold('slow-1', START, 'slow'));
    world.requests = [];
    world.left.rulesChanged();
    await world.advance(5_000);
    expect(world.left.snapshot()).toContain('slow');
    world.live.set('slow', ['slow-1']);
    made.resolve(undefined);
    await fetched;
    world.held.clear();
    await world.advance(5_000);
    expect(live('slow')).toEqual([]);
  });
});

test('the memory fits into a quarter of a Secret, however much there is to a request: the most important stays', () => {
  const long = 'x'.repeat(10_000);
  world.requests = Array.from({ length: 100 }, (_, at) => {
    const one = request(`long/${at}`);
    return { ...one, target: { cacheKey: one.cacheKey, mints: true, long } };
  });
  world.left.rulesChanged();
  hold('made', START, 'long/99');
  const text = world.left.snapshot() ?? '';
  expect(text.length).toBeLessThanOrEqual(262_144);
  expect(parseMinted(text).map(({ request: { cacheKey } }) => cacheKey)).toEqual(
    expect.arrayContaining([KEY, 'long/99']),
  );
});

test('costs no look at the Secrets while there is nothing to find out', async () => {
  hold('new', START);
  world.left.changed();
  await world.advance(2_000);
  const before = world.reads;
  for (let at = 0; at < 10; at += 1) {
    world.left.changed();
    await world.advance(2_000);
  }
  expect(world.reads).toBe(before);
});

test.each<[string, () => Promise<void> | void]>([
  ['at once', () => undefined],
  ['while it waits for quiet', () => world.left.changed()],
  [
    'while it waits to try again',
    async () => {
      hold('new', START);
      world.failWith = new ProviderError('CloudUnavailable', 'down');
      world.left.changed();
      await world.advance(5_000);
    },
  ],
  [
    'while it waits for its turn',
    async () => {
      hold('new', START);
      void world.turns.take(KEY, () => new Promise<never>(() => undefined));
      world.left.changed();
      await world.advance(5_000);
    },
  ],
])('ends when it is stopped %s', async (_when, arrange) => {
  await arrange();
  await world.advance(0);
  world.stop.abort();
  await expect(world.running).resolves.toBeUndefined();
});

test('ends when it was stopped before it began', async () => {
  const stopped = new LeftBehind({
    revocations: { toRemember: (one) => one, revoke: () => Promise.resolve([]) },
    inForce: { requests: () => [], areAllKnown: () => true },
    current: () => undefined,
    secrets: () => [],
    isBusy: () => false,
    onChanged: () => undefined,
    observer: { onRevoked: () => undefined, onRevocationFailure: () => undefined, onRevocationsFull: () => undefined },
    now: () => START,
    pause: () => Promise.resolve(),
  });
  await expect(stopped.run(AbortSignal.abort())).resolves.toBeUndefined();
});
