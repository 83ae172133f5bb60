// The one writer of statuses: when it looks, what it writes, and how it goes on when it is refused.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ResourceStatuses } from '../../../src/controller/resource-statuses.ts';
import { KubeError } from '../../../src/core/errors.ts';
import type { WrittenStatus } from '../../../src/core/resource-status.ts';
import type { EpochMs } from '../../../src/core/types.ts';
import type { Resource } from '../../../src/kube/resource-objects.ts';
import { passTime } from '../../support/timers.ts';

const START = 1_000_000;
const SECOND = 1_000;

/** A resource as it is first stored. */
function resource(name: string, change: Partial<Resource> = {}): Resource {
  return {
    ...{ name, uid: `uid-of-${name}`, resourceVersion: '1', generation: 1, labels: {} },
    ...{ spec: {}, status: undefined, ...change },
  };
}

/** Told by its reason alone. */
function status(reason: string): WrittenStatus {
  const since = '2026-01-01T00:00:00Z';
  const condition = { type: 'Ready', status: 'True', observedGeneration: 1, lastTransitionTime: since } as const;
  return { conditions: [{ ...condition, reason, message: '' }] };
}

/** An API server in memory, with resources of these names. */
function worldOf(...names: readonly string[]) {
  const world = {
    now: START,
    resources: new Map(names.map((name) => [name, resource(name)])),
    /** What each status should say. */
    wanted: new Map<string, string>(),
    definition: 1,
    /** The definition drops what we write. */
    drops: false,
    changesAt: undefined as EpochMs | undefined,
    built: [] as string[],
    previous: [] as unknown[],
    written: [] as string[],
    failures: [] as string[],
    /** Names of those whose status is refused, and why. */
    refused: new Map<string, Error>(),
    duringWrite: (): void => undefined,
    /** What happens in the turn of others. */
    others: [] as (() => void)[],
    turns: 0,
    timers: [] as { readonly at: EpochMs; readonly resolve: () => void }[],
    stop: new AbortController(),
    running: Promise.resolve(),
  };
  const statuses = new ResourceStatuses({
    names: () => [...world.resources.keys()],
    resource: (name) => world.resources.get(name),
    build: ({ name }, previous) => {
      world.built.push(name);
      world.previous.push(previous);
      return status(world.wanted.get(name) ?? 'Distributed');
    },
    nextChangeAt: () => world.changesAt,
    definition: () => world.definition,
    write: async ({ name }, sent) => {
      world.duringWrite();
      await Promise.resolve();
      const refusal = world.refused.get(name);
      if (refusal !== undefined) throw refusal;
      world.written.push(name);
      const live = world.resources.get(name);
      const kept = world.drops ? {} : sent;
      if (live !== undefined) world.resources.set(name, { ...live, status: kept });
      return kept;
    },
    onFailure: ({ name }, error) => void world.failures.push(`${name}: ${(error as Error).message}`),
    now: () => world.now,
    pause: (ms, signal) =>
      new Promise((resolve) => {
        world.timers.push({ at: world.now + ms, resolve });
        signal.addEventListener('abort', () => resolve(), { once: true });
        if (signal.aborted) resolve();
      }),
    giveWay: () => {
      world.turns += 1;
      world.others.shift()?.();
      return Promise.resolve();
    },
  });
  const start = (): void => {
    world.stop = new AbortController();
    world.running = statuses.run(world.stop.signal);
  };
  const advance = (ms: number): Promise<void> => passTime(world, ms);
  /** Something happened; waits for the look that follows. */
  const look = async (): Promise<void> => {
    statuses.changed();
    await advance(6 * SECOND);
  };
  start();
  return Object.assign(world, { statuses, start, advance, look });
}

let world: ReturnType<typeof worldOf>;
beforeEach(() => {
  world = worldOf('a', 'b');
});
afterEach(async () => {
  world.stop.abort();
  await world.running;
});

describe('a look', () => {
  test('comes once for all that happens within a moment, and the next one five seconds later', async () => {
    for (let at = 0; at < 10; at += 1) {
      world.statuses.changed();
      await world.advance(10);
    }
    await world.advance(200);
    expect(world.built).toEqual(['a', 'b']);
    world.statuses.changed();
    await world.advance(4 * SECOND);
    expect(world.built).toHaveLength(2);
    await world.advance(2 * SECOND);
    expect(world.built).toHaveLength(4);
  });

  test('comes by itself when a status changes although nothing happens', async () => {
    await world.look();
    world.changesAt = world.now + 60 * SECOND;
    await world.look();
    const before = world.built.length;
    await world.advance(40 * SECOND);
    expect(world.built).toHaveLength(before);
    world.wanted.set('a', 'PasswordExpires');
    await world.advance(15 * SECOND);
    world.changesAt = undefined;
    await world.advance(SECOND);
    expect(world.written).toEqual(['a', 'b', 'a']);
  });

  test('lets others have their turn before each resource, also when there is nothing to write', async () => {
    world.stop.abort();
    world = worldOf(...Array.from({ length: 1_000 }, (_, at) => `r-${at}`));
    await world.look();
    expect([world.turns, world.written.length]).toEqual([1_000, 1_000]);
    await world.look();
    expect([world.turns, world.built.length, world.written.length]).toEqual([2_000, 2_000, 1_000]);
  });

  test('is at resources as they are then: what went, or was edited, in the turn of others', async () => {
    world.others = [() => undefined, () => void world.resources.delete('b')];
    await world.look();
    expect([world.built, world.failures]).toEqual([['a'], []]);
  });

  test('ends in the turn of others when it is stopped', async () => {
    world.others = [() => undefined, () => world.stop.abort()];
    await world.look();
    await world.running;
    expect(world.built).toEqual(['a']);
  });
});

describe('a status', () => {
  test('is written when it differs, and not when it does not', async () => {
    await world.look();
    await world.look();
    expect(world.written).toEqual(['a', 'b']);
    world.wanted.set('b', 'Progressing');
    await world.look();
    expect(world.written).toEqual(['a', 'b', 'b']);
  });

  test('is not written by whoever begins to lead when it is there, whatever else is there', async () => {
    await world.look();
    for (const one of world.resources.values()) {
      world.resources.set(one.name, { ...one, status: { ...(one.status as object), others: 1 } });
    }
    world.stop.abort();
    await world.running;
    world.start();
    await world.look();
    expect(world.written).toEqual(['a', 'b']);
  });

  test('of another resource of the same name is written, and compared with what is there', async () => {
    await world.look();
    world.resources.set('a', resource('a', { uid: 'another', status: { theirs: 1 } }));
    await world.look();
    expect(world.written).toEqual(['a', 'b', 'a']);
    expect(world.previous).toContainEqual({ theirs: 1 });
  });
});

describe('a status that the definition dropped', () => {
  beforeEach(async () => {
    world.drops = true;
    await world.look();
  });

  test('is not written again and again', async () => {
    await world.look();
    expect(world.written).toEqual(['a', 'b']);
  });

  test('is written again when the definition may have learnt it, until it is kept, and not after', async () => {
    world.definition += 1;
    await world.look();
    expect(world.written).toEqual(['a', 'b', 'a', 'b']);
    world.drops = false;
    await world.look();
    expect(world.written).toHaveLength(4);
    world.definition += 1;
    await world.look();
    expect(world.written).toHaveLength(6);
    world.definition += 1;
    await world.look();
    expect(world.written).toHaveLength(6);
    expect(world.resources.get('a')?.status).toEqual(status('Distributed'));
  });

  test('keeps its instants: what was sent is what it is compared with', async () => {
    world.definition += 1;
    await world.look();
    expect(world.previous.slice(-2)).toEqual([status('Distributed'), status('Distributed')]);
  });
});

describe('a status that is refused', () => {
  const REFUSAL = new KubeError('Forbidden', 'not allowed');
  /** When it was tried, seconds after the first time. */
  const triedAfter = async (seconds: number): Promise<readonly number[]> => {
    const tried: number[] = [];
    world.statuses.changed();
    const began = world.now;
    for (let at = 0; at < seconds; at += 1) {
      const before = world.built.length;
      await world.advance(SECOND);
      if (world.built.length > before) tried.push((world.now - began) / SECOND);
    }
    return tried.map((at) => at - (tried[0] ?? 0));
  };

  test('is tried again ever more rarely, up to every five minutes, and told once', async () => {
    world.resources.delete('b');
    world.refused.set('a', REFUSAL);
    const tried = await triedAfter(1_500);
    const pauses = tried.slice(1).map((at, index) => at - (tried[index] ?? 0));
    expect(pauses.slice(0, 6).map((pause) => Math.round(pause / 5))).toEqual([1, 2, 4, 8, 16, 32]);
    expect(pauses.slice(6).every((pause) => Math.abs(pause - 300) <= 6)).toBe(true);
    expect(pauses.length).toBeGreaterThan(7);
    expect(world.failures).toEqual(['a: not allowed']);
  });

  test('holds up no other one, and is told again when it is refused for something else', async () => {
    world.refused.set('a', REFUSAL);
    await world.look();
    expect(world.written).toEqual(['b']);
    world.refused.set('a', new KubeError('Invalid', 'too long'));
    await world.advance(10 * SECOND);
    expect(world.failures).toEqual(['a: not allowed', 'a: too long']);
  });

  test.each<[string, Partial<Resource>]>([
    ['an edit', { generation: 2 }],
    ['another of that name', { uid: 'another' }],
  ])('does not wait any longer after %s', async (_what, change) => {
    world.refused.set('a', REFUSAL);
    world.statuses.changed();
    await world.advance(160 * SECOND);
    world.refused.clear();
    await world.look();
    expect(world.written).toEqual(['b']);
    world.resources.set('a', resource('a', change));
    await world.look();
    expect(world.written).toEqual(['b', 'a']);
  });

  test('is written as soon as it is accepted, and begins anew when it is refused again', async () => {
    world.refused.set('a', REFUSAL);
    world.statuses.changed();
    await world.advance(60 * SECOND);
    world.refused.clear();
    await world.advance(60 * SECOND);
    expect(world.written).toEqual(['b', 'a']);
    world.refused.set('a', REFUSAL);
    world.wanted.set('a', 'Progressing');
    await world.look();
    expect(world.failures).toEqual(['a: not allowed', 'a: not allowed']);
    world.refused.clear();
    await world.advance(12 * SECOND);
    expect(world.written).toEqual(['b', 'a', 'a']);
  });

  test.each<[string, string, () => void]>([
    ['it is what was written before', 'uid-of-a', () => world.wanted.set('a', 'Distributed')],
    [
      'somebody else has written it',
      'another',
      () => world.resources.set('a', resource('a', { uid: 'another', status: status('Progressing') })),
    ],
  ])('is not looked at again and again once %s', async (_what, uid, putRight) => {
    await world.look();
    world.refused.set('a', REFUSAL);
    world.wanted.set('a', 'Progressing');
    world.resources.set('a', resource('a', { uid }));
    await world.look();
    expect(world.failures).toEqual(['a: not allowed']);
    putRight();
    await world.advance(30 * SECOND);
    const looks = world.built.length;
    await world.advance(600 * SECOND);
    expect(world.built).toHaveLength(looks);
  });

  test('by our own end is not told', async () => {
    world.refused.set('a', new KubeError('Aborted', 'Waiting was stopped'));
    world.duringWrite = () => world.stop.abort();
    await world.look();
    await world.running;
    expect([world.built, world.failures]).toEqual([['a'], []]);
  });
});
