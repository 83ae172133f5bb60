// What a replica does while it does not lead, what it takes over when it begins to, and how it ends. The API server is in memory.
import { afterEach, describe, expect, test } from '@jest/globals';
import { createController } from '../../../src/controller/controller.ts';
import type { Controller, ControllerObserver } from '../../../src/controller/controller-options.ts';
import { KubeError } from '../../../src/core/errors.ts';
import { STATE_KEYS, stateLabels, stateSecretName } from '../../../src/core/names.ts';
import type { Revocations } from '../../../src/credentials/revocation.ts';
import { CredentialStore } from '../../../src/credentials/store.ts';
import type { KubeCall, KubeObject } from '../../../src/kube/client.ts';
import { SecretSources } from '../../../src/kube/secret-sources.ts';
import { buildRequest, buildRule, buildSettings } from '../../support/builders.ts';
import { eventually } from '../../support/eventually.ts';
import { createStoreHarness, granting } from '../credentials/store-world.ts';
import { createFakeClient, type FakeClient } from '../kube/fake-client.ts';

const ignore = (): void => undefined;
const OBSERVER: ControllerObserver = {
  onWrite: ignore,
  onFailedWrite: ignore,
  onPlan: ignore,
  onGone: ignore,
  onContention: ignore,
  onAdd: ignore,
  onStart: ignore,
  onDone: ignore,
  onRetry: ignore,
  onBug: ignore,
  onReflector: ignore,
  onConfiguration: ignore,
  onStateFailure: ignore,
  onLeading: ignore,
  onVendorHelper: ignore,
  onResource: ignore,
  onResourceGone: ignore,
  onResourceKind: ignore,
  onTcrAssistant: ignore,
  onResources: ignore,
  onPasswordEnding: ignore,
  onStatusFailure: ignore,
  onRevoked: ignore,
  onRevocationFailure: ignore,
  onRevocationsFull: ignore,
};

interface Replica {
  readonly controller: Controller;
  readonly client: FakeClient;
  /** Ends everything that runs. */
  readonly stop: AbortController;
  /** Texts of credentials that were written into the master copy. */
  readonly written: string[];
}

const replicas: Replica[] = [];

afterEach(() => {
  for (const replica of replicas.splice(0)) replica.stop.abort();
});

/** A replica with three namespaces, and a provider that gives every credential. */
function startReplica(
  parts: {
    readonly state?: Readonly<Record<string, string>>;
    readonly stateFailure?: KubeError;
    /** The only ones that are served. */
    readonly namespaces?: readonly string[];
    /** True = the API server refuses it. */
    readonly isLocked?: (path: string) => boolean;
    readonly revocations?: Revocations;
  } = {},
): Replica {
  const written: string[] = [];
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const state = (call: KubeCall): KubeObject => {
    if (call.method === 'GET') {
      const data = Object.fromEntries(Object.entries(parts.state ?? {}).map(([key, text]) => [key, encode(text)]));
      return { metadata: { labels: stateLabels('default') }, data };
    }
    if (parts.stateFailure !== undefined) throw parts.stateFailure;
    const { data } = call.body as { readonly data: Readonly<Record<string, string>> };
    written.push(Buffer.from(data['credentials.json'] ?? '', 'base64').toString());
    return {};
  };
  const list = (...items: readonly unknown[]): KubeObject => ({ metadata: { resourceVersion: '10' }, items });
  const namespaces = [1, 2, 3].map((n) => ({ metadata: { name: `n-${n}`, uid: `u-${n}`, resourceVersion: '4' } }));
  const configMap = { metadata: { namespace: 'kube-system', name: 'c', uid: 'u', resourceVersion: '5' }, data: {} };
  const client = createFakeClient((call) => {
    if (call.path.includes(stateSecretName('default'))) return state(call);
    if (parts.isLocked?.(call.path) === true) throw new KubeError('Forbidden', 'no');
    if (call.method === 'POST') return created(call);
    if (call.path.endsWith('/configmaps')) return list(configMap);
    return call.path.endsWith('/namespaces') ? list(...namespaces) : list();
  });
  const provider = createStoreHarness();
  const controller = createController({
    client,
    instance: 'default',
    namespace: 'kube-system',
    namespaces: parts.namespaces,
    configMap: { namespace: 'kube-system', name: 'c' },
    parse: () => {
      const rules = [buildRule({ requests: [buildRequest('fake/a', ['a.example'])] })];
      return { ok: true, issues: [], value: { ...buildSettings(), webhook: undefined, rules } };
    },
    parseResource: () => ({ rule: undefined, issues: [] }),
    createStore: ({ thresholdMs, onChanged, onSettled, onSourceChanged }) => ({
      store: new CredentialStore({ ...provider.options, thresholdMs, onChanged, onSettled }),
      sources: new SecretSources({
        client,
        onChange: onSourceChanged,
        report: ignore,
        now: provider.now,
        random: () => 0.5,
      }),
      revocations: parts.revocations ?? {
        mints: () => false,
        toRemember: () => undefined,
        revoke: () => Promise.resolve([]),
      },
    }),
    observer: OBSERVER,
    now: provider.now,
    random: () => 0.5,
  });
  const replica = { controller, client, stop: new AbortController(), written };
  replicas.push(replica);
  void controller.run(replica.stop.signal);
  return replica;
}

/** The API server's answer to a POST of a Secret. */
function created({ path, body }: KubeCall): KubeObject {
  const { metadata, ...rest } = body as { readonly metadata: object };
  return { ...rest, metadata: { ...metadata, uid: `uid of ${path}`, resourceVersion: '30' } };
}

/** Namespaces for which a Secret was created. */
const served = ({ client }: Replica): readonly string[] =>
  client.calls
    .filter(({ method, path }) => method === 'POST' && path.endsWith('/secrets'))
    .map(({ path }) => path.split('/')[4] ?? '')
    .filter((namespace) => namespace !== 'kube-system')
    .sort();

const namespaceWatch = ({ client }: Replica) =>
  eventually('the namespaces are watched', () => client.watches.find(({ call }) => call.path === '/api/v1/namespaces'));

describe('a replica that does not lead', () => {
  test('keeps nothing of namespaces that come and go', async () => {
    const replica = startReplica();
    const { caches, queue } = replica.controller;
    const watch = await namespaceWatch(replica);
    for (let index = 0; index < 1_000; index += 1) {
      const metadata = { name: `pr-${index}`, uid: `p-${index}`, resourceVersion: String(100 + 2 * index) };
      watch.send('ADDED', { metadata });
      watch.send('DELETED', { metadata: { ...metadata, resourceVersion: String(101 + 2 * index) } });
    }
    watch.send('ADDED', { metadata: { name: 'last', uid: 'l', resourceVersion: '9999' } });
    await eventually('all of that was seen', () => caches.namespaces.get('', 'last'));
    expect(caches.namespaces.size).toBe(4);
    expect(queue.depth).toBe(0);
  });

  test('serves everything that came before and after, once it leads', async () => {
    const replica = startReplica();
    const { controller, stop } = replica;
    const watch = await namespaceWatch(replica);
    watch.send('ADDED', { metadata: { name: 'n-4', uid: 'u-4', resourceVersion: '20' } });
    await eventually('it was seen', () => controller.caches.namespaces.get('', 'n-4'));
    void controller.lead(stop.signal);
    await eventually('all are served', () => served(replica).length === 4);
    watch.send('ADDED', { metadata: { name: 'n-5', uid: 'u-5', resourceVersion: '21' } });
    await eventually('the new one is served', () => served(replica).length === 5);
    expect(served(replica)).toEqual(['n-1', 'n-2', 'n-3', 'n-4', 'n-5']);
  });

  test('serves them again, when it leads for a second time', async () => {
    const replica = startReplica();
    const { controller, stop } = replica;
    const term = new AbortController();
    const leading = controller.lead(AbortSignal.any([term.signal, stop.signal]));
    await eventually('all are served', () => served(replica).length === 3);
    term.abort();
    await leading;
    const watch = await namespaceWatch(replica);
    watch.send('DELETED', { metadata: { name: 'n-3', uid: 'u-3', resourceVersion: '20' } });
    watch.send('ADDED', { metadata: { name: 'n-4', uid: 'u-4', resourceVersion: '21' } });
    await eventually('it was seen', () => controller.caches.namespaces.get('', 'n-4'));
    expect(controller.queue.depth).toBe(0);
    void controller.lead(stop.signal);
    await eventually('the new one is served', () => served(replica).includes('n-4'));
  });
});

describe('a leader', () => {
  test('ends at once although the API server asks the master copy to wait', async () => {
    const replica = startReplica({
      stateFailure: new KubeError('Throttled', 'slow down', { retryAfterMs: 3_600_000 }),
    });
    const { controller, stop } = replica;
    const leading = controller.lead(stop.signal);
    await eventually('the master copy was tried', () =>
      replica.client.calls.some(({ method, path }) => method === 'PATCH' && path.includes(stateSecretName('default'))),
    );
    stop.abort();
    await leading;
  });

  test('drops from the master copy what was taken out of the configuration while nobody led', async () => {
    const earlier = createStoreHarness();
    earlier.fetch = granting(undefined, 'fake-old-password');
    for (const key of ['fake/a', 'fake/removed']) await earlier.ask(undefined, key);
    const replica = startReplica({ state: { 'credentials.json': earlier.store.snapshot() } });
    void replica.controller.lead(replica.stop.signal);
    const last = await eventually('the master copy is written', () => replica.written.at(-1));
    expect(last).toContain('fake/a');
    for (const text of [...replica.written, replica.controller.store.snapshot()]) {
      expect(text).not.toContain('fake/removed');
    }
  });

  test('serves listed namespaces alone, and revokes nothing while it may not read the Secrets of one', async () => {
    let isLocked = true;
    const revokedWhileLocked: boolean[] = [];
    const minted = JSON.stringify([{ provider: 'fake', target: {}, cacheKey: 'fake/old' }]);
    const replica = startReplica({
      state: { [STATE_KEYS.minted]: minted },
      namespaces: ['n-1', 'n-2'],
      isLocked: (path) => path === '/api/v1/secrets' || (isLocked && path.startsWith('/api/v1/namespaces/n-2/')),
      revocations: {
        mints: ({ cacheKey }) => cacheKey === 'fake/old',
        toRemember: (request) => (request.cacheKey === 'fake/old' ? request : undefined),
        revoke: () => {
          revokedWhileLocked.push(isLocked);
          return Promise.resolve([]);
        },
      },
    });
    void replica.controller.lead(replica.stop.signal);
    const refused = (): number =>
      replica.client.calls.filter(({ path }) => path === '/api/v1/namespaces/n-2/secrets').length;
    // That takes three times as long as it waits for quiet.
    await eventually('n-2 was asked about again and again', () => refused() > 4);
    expect(served(replica)).toEqual(['n-1']);
    isLocked = false;
    await eventually('it is revoked', () => revokedWhileLocked.length > 0);
    expect(revokedWhileLocked).toEqual([false]);
    expect(served(replica)).toEqual(['n-1', 'n-2']);
  });
});
