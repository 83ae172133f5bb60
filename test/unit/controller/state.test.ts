// The master copy is written after changes, one write at a time, and not at all when nothing differs.
import { describe, expect, test } from '@jest/globals';
import { StateKeeper, type State } from '../../../src/controller/state.ts';
import { KubeError } from '../../../src/core/errors.ts';

const { signal } = new AbortController();

/** A Secret in memory, and a keeper of it. */
function keeperOf(initial?: Readonly<Record<string, string>>) {
  const world = {
    data: initial,
    state: { credentials: undefined, configuration: undefined } as State,
    writes: 0,
    failures: [] as unknown[],
    failNext: 0,
    gate: Promise.resolve(),
  };
  const keeper = new StateKeeper({
    secret: {
      read: () => Promise.resolve(world.data),
      write: async ({ data }) => {
        await world.gate;
        if (world.failNext > 0) {
          world.failNext -= 1;
          throw new Error('refused');
        }
        world.writes += 1;
        world.data = data;
      },
    },
    instance: 'default',
    current: () => world.state,
    onFailure: (error) => world.failures.push(error),
    pause: () => Promise.resolve(),
  });
  return { world, keeper };
}

describe('the master copy', () => {
  test('comes back as it was written', async () => {
    const { world, keeper } = keeperOf();
    world.state = { credentials: '{"a":1}', configuration: { 'watch-namespace': 'all' } };
    keeper.start();
    keeper.changed();
    await keeper.stop();
    expect(await keeperOf(world.data).keeper.read(signal)).toEqual(world.state);
  });

  test('is not written when it is as it was read', async () => {
    const state: State = { credentials: '{}', configuration: { region: 'cn-hangzhou' } };
    const { world, keeper } = keeperOf({ 'credentials.json': '{}', 'configuration.json': '{"region":"cn-hangzhou"}' });
    world.state = state;
    await keeper.read(signal);
    keeper.start();
    keeper.changed();
    await keeper.stop();
    expect(world.writes).toBe(0);
  });

  test('is written as long as there is something that it does not hold, whenever that is told', async () => {
    const { world, keeper } = keeperOf();
    keeper.start();
    // Told in each moment of a write and of its end.
    for (let moments = 0; moments < 12; moments += 1) {
      world.state = { ...world.state, credentials: `${moments} a` };
      keeper.changed();
      expect(keeper.isWritten).toBe(false);
      for (let moment = 0; moment < moments; moment += 1) await Promise.resolve();
      world.state = { ...world.state, credentials: `${moments} b` };
      keeper.changed();
      await new Promise((resolve) => setImmediate(resolve));
      expect(keeper.isWritten).toBe(true);
      expect(world.data?.['credentials.json']).toBe(`${moments} b`);
    }
    await keeper.stop();
  });

  test('is not written by a replica that does not lead', async () => {
    const { world, keeper } = keeperOf();
    world.state = { credentials: '{}', configuration: undefined };
    keeper.changed();
    await keeper.stop();
    expect(world.writes).toBe(0);
  });

  test('is written once more for any number of changes during a write', async () => {
    const { world, keeper } = keeperOf();
    let open: () => void = () => undefined;
    world.gate = new Promise((resolve) => (open = resolve));
    keeper.start();
    world.state = { credentials: '1', configuration: undefined };
    keeper.changed();
    for (const credentials of ['2', '3', '4']) {
      world.state = { credentials, configuration: undefined };
      keeper.changed();
    }
    open();
    while (world.data?.['credentials.json'] !== '4') await new Promise((resolve) => setImmediate(resolve));
    await keeper.stop();
    expect(world.writes).toBe(2);
  });

  test('is written again after a failure, which is told', async () => {
    const { world, keeper } = keeperOf();
    world.failNext = 2;
    world.state = { credentials: '1', configuration: undefined };
    keeper.start();
    keeper.changed();
    while (world.writes === 0) await new Promise((resolve) => setImmediate(resolve));
    await keeper.stop();
    expect(world.failures).toHaveLength(2);
    expect(world.data).toEqual({ 'credentials.json': '1' });
  });

  test('is written without the configuration when that has no room beside the rest, which is told once', async () => {
    const { world, keeper } = keeperOf();
    keeper.start();
    for (const region of ['a', 'b']) {
      world.state = {
        ...{ credentials: 'x'.repeat(524_288), minted: region.repeat(262_144) },
        configuration: { 'registry-info': '\n'.repeat(150_000), region },
      };
      keeper.changed();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(Object.keys(world.data ?? {})).toEqual(['credentials.json', 'minted.json']);
    expect(world.failures.map(String)).toEqual([expect.stringContaining('configuration has no room')]);
    world.state = { ...world.state, configuration: { region: 'c' } };
    keeper.changed();
    await keeper.stop();
    expect(world.data).toHaveProperty(['configuration.json'], '{"region":"c"}');
  });

  test.each([
    ['nothing', undefined],
    ['no JSON', { 'configuration.json': '{' }],
    ['a list', { 'configuration.json': '[]' }],
  ])('with %s as configuration gives none', async (_what, data) => {
    expect((await keeperOf(data).keeper.read(signal)).configuration).toBeUndefined();
  });

  test('leaves out values of the configuration that are no text', async () => {
    const { keeper } = keeperOf({ 'configuration.json': '{"a":"x","b":1}' });
    expect((await keeper.read(signal)).configuration).toEqual({ a: 'x' });
  });

  const slow = new KubeError('Throttled', 'slow down', { retryAfterMs: 60_000 });
  /** Resolves when the signal aborts. */
  const untilAborted = (signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve) => signal?.addEventListener('abort', () => resolve()));

  test.each<readonly [string, (signal: AbortSignal | undefined) => Promise<void>]>([
    ['the pause after a write that was throttled', () => Promise.reject(slow)],
    [
      'the turn of a write that waits while all are throttled',
      async (signal) => {
        await untilAborted(signal);
        throw new KubeError('Aborted', 'Waiting was stopped');
      },
    ],
  ])('ends at once: it does not wait for %s, and is written when it starts again', async (_what, write) => {
    const written: string[] = [];
    let attempt = write;
    const keeper = new StateKeeper({
      secret: {
        read: () => Promise.resolve(undefined),
        write: async ({ data }, signal) => {
          await attempt(signal);
          written.push(data['credentials.json'] ?? '');
        },
      },
      instance: 'default',
      current: () => ({ credentials: 'x', configuration: undefined }),
      onFailure: () => undefined,
      pause: (_ms, signal) => (signal.aborted ? Promise.resolve() : untilAborted(signal)),
    });
    keeper.start();
    keeper.changed();
    await new Promise((resolve) => setImmediate(resolve));
    await keeper.stop();
    expect(written).toEqual([]);
    attempt = () => Promise.resolve();
    keeper.start();
    keeper.changed();
    await keeper.stop();
    expect(written).toEqual(['x']);
  });
});
