// What the leader does with the two webhook objects, each for itself. The API server is a map in memory.
import { afterEach, describe, expect, test } from '@jest/globals';
import { KubeError } from '../../../src/core/errors.ts';
import { WEBHOOK_KINDS, type WebhookKind } from '../../../src/core/names.ts';
import type { KubeObject } from '../../../src/kube/client.ts';
import { dataOf } from '../../../src/kube/one-object.ts';
import { parseAuthority, type Authority } from '../../../src/webhook/authority.ts';
import { createKeeper, type KeptObject, type KeptWebhook } from '../../../src/webhook/keeper.ts';
import { buildValidating, caBundleOf } from '../../../src/webhook/object.ts';
import type { WebhookEvent } from '../../../src/webhook/observer.ts';
import { eventually } from '../../support/eventually.ts';

const [MUTATING, VALIDATING] = WEBHOOK_KINDS;
const NAME = 'registry-credential-helper-default';
const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

interface ObjectCase {
  readonly wanted?: ReturnType<KeptWebhook['wanted']>;
  readonly live?: KubeObject;
  readonly isOwn?: boolean;
  /** False = it may not be read. */
  readonly synced?: boolean;
  /** What creating it fails with. */
  readonly fails?: KubeError;
}

/** A keeper of a cluster in which `objects` are as they are; those not named are wanted and not there. */
function start(objects: Readonly<Partial<Record<WebhookKind, ObjectCase>>>) {
  const stored = new Map<string, KubeObject>();
  const removed: string[] = [];
  const events: WebhookEvent[] = [];
  const kept = (key: string, of: ObjectCase = {}): KeptObject => {
    if (of.live !== undefined) stored.set(key, of.live);
    const put = (object: KubeObject): Promise<KubeObject> => {
      if (of.fails !== undefined) return Promise.reject(of.fails);
      const { metadata } = object as { metadata: object };
      const made = { ...object, metadata: { ...metadata, uid: 'u', resourceVersion: '1' } };
      stored.set(key, made);
      return Promise.resolve(made);
    };
    return {
      namespace: '',
      name: NAME,
      live: {
        synced: of.synced ?? true,
        get: () => stored.get(key),
        absorb: () => true,
        absorbDeletion: () => undefined,
        whenSynced: () => (of.synced === false ? new Promise(() => undefined) : Promise.resolve()),
      } as never,
      isOwn: () => of.isOwn ?? true,
      calls: {
        read: () => Promise.resolve(stored.get(key)),
        create: put,
        replace: put,
        patch: (_, patch) => put(patch),
        remove: () => {
          stored.delete(key);
          removed.push(key);
          return Promise.resolve();
        },
      },
    };
  };
  const authority = (): Authority | undefined => parseAuthority(dataOf(stored.get('Secret')));
  const keeper = createKeeper({
    instance: 'default',
    target: { kind: 'url', url: 'https://127.0.0.1:9' },
    objects: WEBHOOK_KINDS.map((kind) => ({
      ...kept(kind, objects[kind]),
      kind,
      wanted: () => objects[kind]?.wanted ?? buildValidating,
      untilServedMs: () => 0,
      whenKnown: () => Promise.resolve(),
    })),
    secret: kept('Secret'),
    authority,
    bundle: () => [],
    readOwner: () => Promise.resolve(undefined),
    onWritten: () => undefined,
    observer: (event) => void events.push(event),
    now: Date.now,
    random: () => 0,
  });
  const stop = new AbortController();
  stops.push(stop);
  void keeper.run(stop.signal);
  return { stored, removed, events, authority };
}

const THEIRS: KubeObject = { metadata: { name: NAME, uid: 'theirs' } };

describe('the leader', () => {
  test('makes both objects, and both trust the one authority', async () => {
    const { stored, authority } = start({});
    await eventually('both are there', () => WEBHOOK_KINDS.every((kind) => stored.has(kind)));
    const bundles = WEBHOOK_KINDS.map((kind) => caBundleOf(stored.get(kind)));
    expect(bundles).toEqual([authority()?.cert, authority()?.cert]);
  });

  test.each<readonly [string, WebhookKind, ObjectCase]>([
    ['cannot be read', MUTATING, { synced: false }],
    ['cannot be read', VALIDATING, { synced: false }],
    ['is somebody else’s', MUTATING, { live: THEIRS, isOwn: false }],
    ['is somebody else’s', VALIDATING, { live: THEIRS, isOwn: false }],
    ['may not be created', MUTATING, { fails: new KubeError('Forbidden', 'no') }],
    ['may not be created', VALIDATING, { fails: new KubeError('Forbidden', 'no') }],
    ['must stay as it is', MUTATING, { wanted: 'unknown', live: THEIRS }],
  ])('that finds that one %s: the %s stays as it is, and the other one is made', async (_what, kind, of) => {
    const { stored, removed } = start({ [kind]: of });
    const other = kind === MUTATING ? VALIDATING : MUTATING;
    await eventually('the other is there', () => stored.has(other));
    expect(stored.get(kind)).toBe(of.live);
    expect(removed).toEqual([]);
  });

  test('removes the one that is off, and keeps the other', async () => {
    const { stored, removed, events } = start({ [MUTATING]: { wanted: 'off', live: { metadata: { uid: 'ours' } } } });
    await eventually('the other is there', () => stored.has(VALIDATING));
    expect(removed).toEqual([MUTATING]);
    expect(events).toContainEqual({ type: 'objectRemoved', kind: MUTATING, name: NAME });
  });

  test('makes no authority while nothing is wanted', async () => {
    const off: ObjectCase = { wanted: 'off', live: { metadata: { uid: 'ours' } } };
    const { stored, removed } = start({ [MUTATING]: off, [VALIDATING]: off });
    await eventually('both are gone', () => removed.length === 2);
    expect([...stored.keys()]).toEqual([]);
  });
});
