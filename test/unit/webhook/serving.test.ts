// The serving side over time: when a replica says that the API server can use it, and what it makes of failures and of the clock.
import type { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { authorityData, parseAuthority, type Authority } from '../../../src/webhook/authority.ts';
import { createAuthority } from '../../../src/webhook/certificates.ts';
import type { WebhookEvent } from '../../../src/webhook/observer.ts';
import { createServing } from '../../../src/webhook/serving.ts';
import { HOUR, NOW } from '../../support/builders.ts';
import { eventually } from '../../support/eventually.ts';

const DAY = 24 * HOUR;
const running: Promise<void>[] = [];
let stop: AbortController;
beforeEach(() => {
  stop = new AbortController();
});
afterEach(() => stop.abort());
// Each goes on for five seconds: they do so together.
afterAll(() => Promise.all(running), 20_000);

let first: Authority;
let second: Authority;
beforeAll(async () => {
  first = await authorityNamed('first');
  second = await authorityNamed('second');
});

async function authorityNamed(name: string): Promise<Authority> {
  const parsed = parseAuthority(authorityData(await createAuthority(name, NOW), []));
  if (parsed === undefined) throw new Error('unreadable');
  return parsed;
}

/** Runs one in a world that the test changes. */
function start(world: {
  authority: Authority | undefined;
  bundle: readonly X509Certificate[];
  now: number;
  maxPauseMs?: number;
  address?: string;
}) {
  const events: WebhookEvent[] = [];
  const registered: string[] = [];
  const served: boolean[] = [];
  const serving = createServing({
    address: world.address ?? '127.0.0.1:0',
    names: ['127.0.0.1'],
    authority: () => world.authority,
    bundle: () => world.bundle,
    handlers: { '/review': (body) => body },
    onRefused: () => undefined,
    onServed: () => served.push(world.authority !== undefined && serving.serves(world.authority.certificate)),
    register: (key) => registered.push(key),
    observer: (event) => events.push(event),
    now: () => world.now,
    ...(world.maxPauseMs === undefined ? {} : { maxPauseMs: world.maxPauseMs }),
  });
  running.push(serving.run(stop.signal));
  const isReady = () => eventually('it is ready', () => serving.problem() === undefined, 10_000);
  return { serving, events, registered, served, isReady };
}

/** An authority that nothing can be signed with. */
const broken = (authority: Authority): Authority => ({ ...authority, key: 'not a key' });

test('a failure is forgotten when a leaf is made after all', async () => {
  const world = { authority: broken(first) as Authority | undefined, bundle: [first.certificate], now: NOW };
  const { serving, isReady } = start(world);
  await eventually('it says so', () => serving.problem()?.startsWith('minting failed'));
  world.authority = first;
  serving.changed();
  await isReady();
});

test('a renewal that fails harms nobody while the leaf is good, and is told when it is not', async () => {
  const world = { authority: first as Authority | undefined, bundle: [first.certificate], now: NOW };
  const { serving, events, isReady } = start(world);
  await isReady();
  world.authority = broken(first);
  world.now += 17 * HOUR;
  serving.changed();
  await eventually('it failed', () => events.some(({ type }) => type === 'failed'));
  expect(serving.problem()).toBeUndefined();
  world.now += 7 * HOUR;
  expect(serving.problem()).toMatch(/^minting failed/);
});

test('a failure is forgotten when the leaf from before is good again', async () => {
  const world = { authority: first as Authority | undefined, bundle: [first.certificate], now: NOW };
  const { serving, isReady } = start(world);
  await isReady();
  world.authority = broken(second);
  world.bundle = [second.certificate];
  serving.changed();
  await eventually('it says so', () => serving.problem()?.startsWith('minting failed'));
  world.authority = first;
  serving.changed();
  await eventually('it says what is wrong now', () => serving.problem()?.includes('is not trusted by the caBundle'));
  world.bundle = [first.certificate];
  expect(serving.problem()).toBeUndefined();
});

test('a clock that was set is noticed without an event', async () => {
  const early = NOW - 8 * HOUR;
  const authority = parseAuthority(authorityData(await createAuthority('early', early - DAY), []));
  if (authority === undefined) throw new Error('unreadable');
  const world = { authority, bundle: [authority.certificate], now: NOW, maxPauseMs: 10 };
  const { serving, isReady } = start(world);
  await isReady();
  world.now = early;
  expect(serving.problem()).toContain('is not trusted');
  await isReady();
});

test('it serves where there is no webhook object, tells when, and knows of which authority', async () => {
  const world = { authority: first as Authority | undefined, bundle: [], now: NOW };
  const { serving, served } = start(world);
  expect(serving.serves(first.certificate)).toBe(false);
  await eventually('it is told of', () => served.includes(true));
  expect([first, second].map(({ certificate }) => serving.serves(certificate))).toEqual([true, false]);
  expect(serving.problem()).toContain('is not trusted by the caBundle');
  // Nobody trusts the leaf that there is: it need not wait for the object.
  served.length = 0;
  world.authority = second;
  serving.changed();
  await eventually('it is told of', () => served.includes(true));
  expect([first, second].map(({ certificate }) => serving.serves(certificate))).toEqual([false, true]);
  world.now += 2 * DAY;
  expect(serving.serves(second.certificate)).toBe(false);
});

test('it does not serve, and says why, while its port is taken', async () => {
  const { events, isReady } = start({ authority: first, bundle: [first.certificate], now: NOW });
  await isReady();
  const taken = events.find((event) => event.type === 'listening')?.port ?? 0;
  const address = `127.0.0.1:${taken}`;
  const { serving, served } = start({ authority: first, bundle: [], now: NOW, address });
  await eventually('it says so', () => serving.failure() === `${address} cannot be listened on (EADDRINUSE)`);
  expect(serving.serves(first.certificate)).toBe(false);
  expect(served).toEqual([]);
});

test('every private key that is made is told of, and no event holds it', async () => {
  const { registered, events, isReady } = start({ authority: first, bundle: [first.certificate], now: NOW });
  await isReady();
  expect(registered).toEqual([expect.stringMatching(/^-----BEGIN PRIVATE KEY-----\n/)]);
  expect(events.map(({ type }) => type)).toEqual(['leafMinted', 'listening']);
  expect(JSON.stringify(events)).not.toContain('PRIVATE KEY');
});
