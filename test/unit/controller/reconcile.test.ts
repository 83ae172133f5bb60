// One pass: what becomes of a plan's outcome, and when the namespace is looked at again. The cluster is in memory.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Contention } from '../../../src/controller/contention.ts';
import { ForeignSecrets } from '../../../src/controller/foreign-secrets.ts';
import type { ObjectCache } from '../../../src/controller/observe.ts';
import { Refusals } from '../../../src/controller/refusals.ts';
import type { PassWorld } from '../../../src/controller/pass-world.ts';
import { reconcile } from '../../../src/controller/reconcile.ts';
import { KubeError } from '../../../src/core/errors.ts';
import type { Write } from '../../../src/core/plan-types.ts';
import type { Config, CredentialAnswer, ObservedSecret } from '../../../src/core/types.ts';
import { createLimiter } from '../../../src/kube/limiter.ts';
import {
  buildServiceAccount,
  buildFresh,
  buildRule,
  buildForeignSecret,
  MINUTE,
  NAMESPACE,
  NOW,
} from '../../support/builders.ts';

/** A cache that holds `items`. */
function cacheOf<T extends { readonly name: string }>(items: readonly T[]): ObjectCache<T> {
  const byName = new Map(items.map((item) => [item.name, item]));
  return { get: (_namespace, name) => byName.get(name), inNamespace: () => byName, all: () => byName.values() };
}

const config: Config = {
  rules: [buildRule()],
  thresholdMs: 15 * MINUTE,
  adoptExisting: 'vendor',
  secretLabels: {},
  email: undefined,
  webhook: undefined,
};

let scheduled: string[];
let writes: Write[];
let told: string[];

beforeEach(() => {
  scheduled = [];
  writes = [];
  told = [];
});

function worldOf(parts: {
  readonly config?: Config;
  readonly noConfig?: boolean;
  readonly gone?: boolean;
  readonly accounts?: number;
  readonly answer?: CredentialAnswer;
  readonly failure?: unknown;
  readonly refuse?: (write: Write) => Error | undefined;
  readonly taken?: ObservedSecret;
  readonly unread?: boolean;
}): PassWorld {
  const accounts = Array.from({ length: parts.accounts ?? 1 }, (_, index) =>
    buildServiceAccount({
      name: index === 0 ? 'default' : `default-${index}`,
      uid: `uid-${index}`,
      createdAt: NOW + index,
    }),
  );
  const namespace = { name: NAMESPACE, labels: {}, terminating: false };
  return {
    caches: {
      namespaces: cacheOf(parts.gone === true ? [] : [namespace]),
      serviceAccounts: cacheOf(accounts),
      secrets: cacheOf<ObservedSecret>([]),
      isRead: () => parts.unread !== true,
      foreignSecrets: new ForeignSecrets(),
      contention: new Contention(),
      refusals: new Refusals(),
    },
    config: () => (parts.noConfig === true ? undefined : (parts.config ?? config)),
    standingDown: () => false,
    instance: 'default',
    store: {
      resolve: (wanted) =>
        Promise.resolve(
          new Map(wanted.map((one) => [one.request.cacheKey, parts.answer ?? buildFresh(one.request.cacheKey)])),
        ),
      current: () => undefined,
    },
    schedule: {
      add: (key) => void scheduled.push(`add ${key}`),
      wakeAt: (key, at) => void scheduled.push(`wake ${key} ${at === undefined ? 'never' : 'later'}`),
      retry: (key, ms) => void scheduled.push(`retry ${key} ${ms}`),
      forget: (key) => void scheduled.push(`forget ${key}`),
    },
    lane: createLimiter(8),
    makeWrite: async (write) => {
      await Promise.resolve();
      writes.push(write);
      const refusal = parts.refuse?.(write) ?? (parts.failure as Error | undefined);
      if (refusal !== undefined) throw refusal;
      return {};
    },
    absorb: () => undefined,
    readSecret: () => Promise.resolve(parts.taken),
    waiting: new Map(),
    observer: {
      onWrite: (write) => void told.push(`wrote ${write.name}`),
      onFailedWrite: ({ write }) => void told.push(`failed ${write.name}`),
      onPlan: (_namespace, { skips }) => {
        for (const { reason } of skips) if (reason === 'NamespaceUnreadable') told.push(reason);
      },
      onGone: (name) => void told.push(`gone ${name}`),
      onContention: () => undefined,
    },
    now: () => NOW,
  };
}

const pass = (world: PassWorld, signal = new AbortController().signal): Promise<void> =>
  reconcile(world, NAMESPACE, signal);

describe('a pass', () => {
  test('writes the Secret, then the reference, and looks again when the credential is due', async () => {
    await pass(worldOf({}));
    expect(writes.map((write) => write.kind)).toEqual(['create-secret', 'patch-service-account']);
    expect(scheduled).toEqual(['wake shop later', 'forget shop']);
  });

  test('touches nothing where ServiceAccounts and Secrets may not be read, says so, and waits to be woken', async () => {
    await pass(worldOf({ unread: true }));
    expect(writes).toEqual([]);
    expect(told).toEqual(['NamespaceUnreadable']);
    expect(scheduled).toEqual(['wake shop never', 'forget shop']);
  });

  test('does nothing while no good configuration is known', async () => {
    await pass(worldOf({ noConfig: true }));
    expect(writes).toEqual([]);
    expect(scheduled).toEqual(['wake shop never', 'forget shop']);
  });

  test('forgets a namespace that is gone', async () => {
    const world = worldOf({ gone: true });
    world.waiting.set('a', new Set([NAMESPACE]));
    await pass(world);
    expect(told).toEqual(['gone shop']);
    expect([...(world.waiting.get('a') ?? [])]).toEqual([]);
  });

  test('comes back at once when the plan was cut', async () => {
    const everyone = {
      ...config,
      rules: [{ ...buildRule(), scope: { ...buildRule().scope, serviceAccounts: everybody } }],
    };
    await pass(worldOf({ config: everyone, accounts: 300 }));
    expect(writes).toHaveLength(200);
    expect(scheduled).toContain('add shop');
  });
});

const everybody = { names: new Set<string>(), globs: ['*'], excluded: [] };

describe('a credential that is still being asked for', () => {
  const pending: CredentialAnswer = {
    status: 'unavailable',
    failure: { reason: 'CredentialPending', message: 'is being asked for', retryAt: undefined },
  };

  test('keeps the namespace waiting for it', async () => {
    const world = worldOf({ answer: pending });
    await pass(world);
    expect([...(world.waiting.get('a') ?? [])]).toEqual([NAMESPACE]);
  });

  test('once answered, keeps nobody waiting', async () => {
    const world = worldOf({});
    await pass(world);
    expect(world.waiting.size).toBe(0);
  });
});

describe('a failed write', () => {
  test.each([
    ['Conflict', 'is planned again at once and told to nobody', 10, []],
    ['NamespaceTerminating', 'is planned again at once and told to nobody', 10, []],
    ['Unavailable', 'is tried again after a second and told', 1_000, ['failed registry-credentials']],
  ] as const)('%s %s', async (reason, _what, pause, expected) => {
    await pass(worldOf({ failure: new KubeError(reason, 'refused') }));
    expect(scheduled.at(-1)).toBe(`retry shop ${pause}`);
    expect(told).toEqual(expected);
  });

  test.each(['Forbidden', 'Invalid'] as const)('%s is told, and waits for itself', async (reason) => {
    const world = worldOf({ failure: new KubeError(reason, 'refused') });
    await pass(world);
    // The reference was held: it is looked at soon, and then with patience.
    expect(scheduled).toEqual(['wake shop later', 'retry shop 1000']);
    expect(told).toEqual(['failed registry-credentials']);
    scheduled = [];
    await pass(world);
    expect(writes).toHaveLength(1);
    expect(scheduled).toEqual(['wake shop later', 'forget shop']);
  });

  test('to a ServiceAccount that may not be written makes only that one wait', async () => {
    const everyone = {
      ...config,
      rules: [{ ...buildRule(), scope: { ...buildRule().scope, serviceAccounts: everybody } }],
    };
    const refuse = (write: Write): Error | undefined =>
      write.name.startsWith('default-') ? new KubeError('Forbidden', 'denied by a policy') : undefined;
    const world = worldOf({ config: everyone, accounts: 210, refuse });
    await pass(world);
    expect(writes.filter((write) => write.name === 'default')).toEqual([]);
    expect(scheduled).toContain('add shop');
    writes = [];
    scheduled = [];
    await pass(world);
    expect(writes.map((write) => write.name)).toContain('default');
    expect(writes.length).toBeLessThan(15);
    expect(scheduled).toEqual(['wake shop later', 'forget shop']);
  });

  test('after the configuration changed during the wait for a cloud is not even tried', async () => {
    const world = worldOf({});
    const configs = [config, { ...config }];
    await reconcile({ ...world, config: () => configs.shift() ?? config }, NAMESPACE, new AbortController().signal);
    expect(writes).toEqual([]);
    expect(scheduled).toEqual(['add shop']);
  });

  test('a Secret that somebody deletes again and again is written ever more rarely', async () => {
    const world = worldOf({ accounts: 0 });
    for (let turn = 0; turn < 10; turn += 1) await pass(world);
    expect(writes.filter((write) => write.kind === 'create-secret')).toHaveLength(4);
    expect(scheduled.at(-2)).toBe('wake shop later');
  });

  test('honours what the API server asks for', async () => {
    await pass(worldOf({ failure: new KubeError('Throttled', 'slow down', { retryAfterMs: 7_000 }) }));
    expect(scheduled.at(-1)).toBe('retry shop 7000');
  });

  test('AlreadyExists reads that one name and leaves a foreign Secret alone from then on', async () => {
    const taken = buildForeignSecret();
    const world = worldOf({ failure: new KubeError('AlreadyExists', 'taken'), taken });
    await pass(world);
    expect([...world.caches.foreignSecrets.inNamespace(NAMESPACE, NOW).keys()]).toEqual([taken.name]);
    writes = [];
    await pass(world);
    expect(writes).toEqual([]);
  });

  test('after leadership is lost schedules nothing', async () => {
    await pass(worldOf({}), AbortSignal.abort());
    expect(writes).toEqual([]);
    expect(scheduled).toEqual([]);
  });
});
