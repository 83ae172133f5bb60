import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '../../../src/controller/clean-up.ts';
import { KubeError, ProviderError, type KubeErrorReason } from '../../../src/core/errors.ts';
import { STATE_KEYS, stateLabels, stateSecretName } from '../../../src/core/names.ts';
import type { Revocations } from '../../../src/credentials/revocation.ts';
import type { KubeCall, KubeObject } from '../../../src/kube/client.ts';
import { createFakeClient } from '../kube/fake-client.ts';

const CONFIG_MAP = { namespace: 'a', name: 'acr-configuration' };
let stop: AbortController;
beforeEach(() => {
  stop = new AbortController();
});
afterEach(() => stop.abort());

/** There is no deadline. */
const UNHURRIED = { patience: new AbortController().signal, onOutOfTime: () => undefined, mayLack: false };

/** An empty cluster whose ServiceAccounts cannot be listed `times` times. */
function emptyCluster(reason: KubeErrorReason, times: number): (call: KubeCall) => KubeObject {
  let left = times;
  return ({ path }) => {
    if (path === '/api/v1/serviceaccounts' && left > 0) {
      left -= 1;
      throw new KubeError(reason, 'no');
    }
    if (/\/secrets\/.+/.test(path)) throw new KubeError('NotFound', 'none');
    return { metadata: { resourceVersion: '1' }, items: [] };
  };
}

function run(reason: KubeErrorReason, times: number) {
  const failures: string[] = [];
  const outcome = cleanUp({
    client: createFakeClient(emptyCluster(reason, times)),
    instance: 'main',
    namespace: 'a',
    configMap: CONFIG_MAP,
    dryRun: false,
    isWhole: true,
    revocations: { mints: () => true, revoke: () => Promise.resolve([]) },
    onLeftBehind: () => undefined,
    now: () => Date.now(),
    random: () => 0,
    print: () => undefined,
    onFailure: () => undefined,
    onUnknown: () => undefined,
    onUnreadable: () => undefined,
    ...UNHURRIED,
    onAbsent: () => undefined,
    onReadFailure: (kind, error) => void failures.push(`${kind}: ${error.reason}`),
    signal: stop.signal,
  });
  return { outcome, failures };
}

test.each<KubeErrorReason>(['Forbidden', 'Unauthorized'])('ends when the cluster answers %s', async (reason) => {
  const { outcome, failures } = run(reason, Infinity);
  await expect(outcome).rejects.toMatchObject({ name: 'KubeError', reason });
  expect(failures).toEqual([]);
});

test('tells of what could not be read, and tries again', async () => {
  const { outcome, failures } = run('Unavailable', 1);
  expect(await outcome).toEqual({ references: 0, secrets: 0, failed: 0, leftBehind: [] });
  expect(failures).toEqual(['serviceaccounts: Unavailable']);
});

test('with listed namespaces looks at no other, and names those that it may not read, or that do not exist', async () => {
  const unreadable: string[] = [];
  const absent: string[] = [];
  const namespace = (name: string) => ({ metadata: { name, uid: `u-${name}`, resourceVersion: '1' } });
  const client = createFakeClient(({ path }) => {
    if (path.startsWith('/api/v1/namespaces/locked/')) throw new KubeError('Forbidden', 'no');
    if (path === '/api/v1/secrets' || path === '/api/v1/serviceaccounts') throw new KubeError('Forbidden', 'no');
    if (/\/secrets\/.+/.test(path)) throw new KubeError('NotFound', 'none');
    const items = path === '/api/v1/namespaces' ? ['open', 'locked', 'private'].map(namespace) : [];
    return { metadata: { resourceVersion: '1' }, items };
  });
  const outcome = await cleanUp({
    ...UNHURRIED,
    ...{
      client,
      instance: 'main',
      namespace: 'a',
      configMap: CONFIG_MAP,
      namespaces: ['open', 'locked', 'absent'],
      dryRun: false,
    },
    ...{ now: () => Date.now(), random: () => 0, print: () => undefined, signal: stop.signal },
    ...{ onFailure: () => undefined, onUnknown: () => undefined, onLeftBehind: () => undefined },
    onReadFailure: () => undefined,
    onUnreadable: (name) => void unreadable.push(name),
    onAbsent: (name) => void absent.push(name),
    isWhole: true,
    revocations: { mints: () => true, revoke: () => Promise.resolve([]) },
  });
  expect(unreadable).toEqual(['locked']);
  // One is there no more, or misspelt: what was meant is left, then.
  expect(absent).toEqual(['absent']);
  expect(outcome).toEqual({ references: 0, secrets: 0, failed: 2, leftBehind: [] });
  expect(client.calls.map(({ path }) => path).filter((path) => path.includes('private'))).toEqual([]);
});

test('names a listed namespace that was deleted, and does not fail for it, where the list is the one that was in force', async () => {
  const absent: string[] = [];
  const namespace = { metadata: { name: 'open', uid: 'u', resourceVersion: '1' } };
  const client = createFakeClient(({ path }) => {
    if (/\/secrets\/.+/.test(path)) throw new KubeError('NotFound', 'none');
    return { metadata: { resourceVersion: '1' }, items: path === '/api/v1/namespaces' ? [namespace] : [] };
  });
  const outcome = await cleanUp({
    ...{ ...UNHURRIED, mayLack: true, isWhole: true, dryRun: false },
    ...{ client, instance: 'main', namespace: 'a', configMap: CONFIG_MAP, namespaces: ['open', 'deleted'] },
    ...{ now: () => Date.now(), random: () => 0, print: () => undefined, signal: stop.signal },
    ...{ onFailure: () => undefined, onUnknown: () => undefined, onLeftBehind: () => undefined },
    ...{ onReadFailure: () => undefined, onUnreadable: () => undefined },
    onAbsent: (name) => void absent.push(name),
    revocations: { mints: () => true, revoke: () => Promise.resolve([]) },
  });
  expect(absent).toEqual(['deleted']);
  expect(outcome).toEqual({ references: 0, secrets: 0, failed: 0, leftBehind: [] });
  // The rest is done, up to what is removed last.
  expect(client.calls.some(({ path }) => path.endsWith(`/secrets/${stateSecretName('main')}`))).toBe(true);
});

describe('what may not be read or removed', () => {
  const LABELS = { 'app.kubernetes.io/managed-by': 'registry-credential-helper', 'app.kubernetes.io/instance': 'main' };
  const webhook = { metadata: { uid: 'u', resourceVersion: '1', labels: LABELS }, webhooks: [] };

  function cleaned(forbidden: (call: KubeCall) => boolean) {
    const unknown: string[] = [];
    const client = createFakeClient((call) => {
      if (forbidden(call)) throw new KubeError('Forbidden', `may not ${call.method} ${call.path}`);
      if (call.path.includes('webhookconfigurations/')) return webhook;
      if (/\/secrets\/.+/.test(call.path)) throw new KubeError('NotFound', 'none');
      return { metadata: { resourceVersion: '1' }, items: [] };
    });
    const outcome = cleanUp({
      ...{
        ...UNHURRIED,
        isWhole: true,
        dryRun: false,
        client,
        instance: 'main',
        namespace: 'a',
        configMap: CONFIG_MAP,
      },
      ...{ now: () => Date.now(), random: () => 0, print: () => undefined, signal: stop.signal },
      ...{ onFailure: () => undefined, onLeftBehind: () => undefined, onAbsent: () => undefined },
      ...{ onReadFailure: () => undefined, onUnreadable: () => undefined },
      onUnknown: (what) => void unknown.push(what),
      revocations: { mints: () => true, revoke: () => Promise.resolve([]) },
    });
    return { outcome, unknown };
  }

  test('is named, and no failure, where nobody knows whether it is there', async () => {
    const { outcome, unknown } = cleaned(({ path }) => path.includes('webhookconfigurations'));
    expect(await outcome).toMatchObject({ failed: 0 });
    expect(unknown).toEqual(['a webhook', 'a webhook']);
  });

  test('is a failure where it was seen, and stays', async () => {
    const { outcome, unknown } = cleaned(
      ({ method, path }) => method === 'DELETE' && path.includes('webhookconfigurations'),
    );
    await expect(outcome).rejects.toMatchObject({ name: 'KubeError', reason: 'Forbidden' });
    expect(unknown).toEqual([]);
  });
});

test('names the namespaces that there was no time for, and removes nothing that they may still use', async () => {
  const late: (readonly string[])[] = [];
  const namespace = (name: string) => ({ metadata: { name, uid: `u-${name}`, resourceVersion: '1' } });
  const client = createFakeClient(({ path }) => {
    if (/\/secrets\/.+/.test(path)) throw new KubeError('NotFound', 'none');
    const items = path === '/api/v1/namespaces' ? ['one', 'two'].map(namespace) : [];
    return { metadata: { resourceVersion: '1' }, items };
  });
  const outcome = await cleanUp({
    ...{ client, instance: 'main', namespace: 'a', dryRun: false, isWhole: true },
    ...{ now: () => Date.now(), random: () => 0, print: () => undefined, signal: stop.signal },
    ...{ onFailure: () => undefined, onUnknown: () => undefined, onLeftBehind: () => undefined },
    ...{ onReadFailure: () => undefined, onUnreadable: () => undefined, onAbsent: () => undefined },
    ...{ configMap: CONFIG_MAP, mayLack: false },
    revocations: { mints: () => true, revoke: () => Promise.reject(new Error('nothing is revoked')) },
    patience: AbortSignal.abort(),
    onOutOfTime: (names) => void late.push([...names].sort()),
  });
  expect(late).toEqual([['one', 'two']]);
  expect(outcome).toEqual({ references: 0, secrets: 0, failed: 2, leftBehind: [] });
});

describe('[tcr K5] what the master copy remembers as minted', () => {
  const MASTER_COPY = `/api/v1/namespaces/a/secrets/${stateSecretName('main')}`;
  const MINTED = ['tcr/r/tcr-one/longterm/key', 'tcr/r/tcr-two/robot/key'];

  /** An empty cluster with our master copy. */
  function cluster(minted: unknown): (call: KubeCall) => KubeObject {
    const data = Object.fromEntries(
      [
        [STATE_KEYS.credentials, JSON.stringify({ version: 1, credentials: [] })],
        [STATE_KEYS.minted, JSON.stringify(minted)],
      ].map(([key = '', text = '']) => [key, Buffer.from(text).toString('base64')]),
    );
    const metadata = { uid: 'u', resourceVersion: '1', labels: stateLabels('main') };
    return ({ path }) => {
      if (path === MASTER_COPY) return { metadata, data };
      if (/\/secrets\/.+/.test(path)) throw new KubeError('NotFound', 'none');
      return { metadata: { resourceVersion: '1' }, items: [] };
    };
  }

  async function runWith(
    revoke: Revocations['revoke'],
    change: {
      readonly dryRun?: boolean;
      readonly mints?: boolean;
      readonly isWhole?: boolean;
      readonly patience?: AbortSignal;
    } = {},
  ) {
    const printed: string[] = [];
    const left: string[] = [];
    const client = createFakeClient(cluster(MINTED.map((cacheKey) => ({ provider: 'tcr', target: {}, cacheKey }))));
    const { dryRun = false, mints = true, isWhole = true } = change;
    const outcome = await cleanUp({
      ...{
        client,
        instance: 'main',
        namespace: 'a',
        configMap: CONFIG_MAP,
        isWhole,
        dryRun,
        now: () => Date.now(),
        random: () => 0,
      },
      ...{ ...UNHURRIED, ...(change.patience === undefined ? {} : { patience: change.patience }) },
      ...{
        onFailure: () => undefined,
        onUnknown: () => undefined,
        onReadFailure: () => undefined,
        onUnreadable: () => undefined,
        onAbsent: () => undefined,
      },
      revocations: { mints: () => mints, revoke },
      print: (line) => void printed.push(line),
      onLeftBehind: (what) => void left.push(what),
      signal: stop.signal,
    });
    const isRemoved = client.calls.some(({ method, path }) => method === 'DELETE' && path === MASTER_COPY);
    const calls = client.calls.map(({ path }) => path);
    return { outcome, printed: printed.join('\n'), left, isRemoved, calls };
  }

  test('is revoked as a whole, and then the master copy goes', async () => {
    const { outcome, printed, isRemoved } = await runWith(({ cacheKey }, { keep, isStill }) =>
      Promise.resolve(keep === undefined && isStill() ? [`id of ${cacheKey}`] : []),
    );
    expect(outcome.failed).toBe(0);
    for (const cacheKey of MINTED) expect(printed).toContain(`revoked at the cloud id of ${cacheKey}`);
    expect(isRemoved).toBe(true);
  });

  test('is named when it cannot be revoked, the rest is all the same, and the master copy stays', async () => {
    const { outcome, printed, left, isRemoved } = await runWith(({ cacheKey }) =>
      cacheKey === MINTED[0] ? Promise.reject(new ProviderError('CloudUnavailable', 'down')) : Promise.resolve(['b']),
    );
    expect(outcome).toMatchObject({ failed: 0, leftBehind: [MINTED[0]] });
    expect(left).toEqual([MINTED[0]]);
    expect(printed).toContain(`revoked at the cloud b of ${MINTED[1] ?? ''}`);
    expect(isRemoved).toBe(false);
  });

  test('stays, with everything that namespaces share, where others may be served', async () => {
    const { outcome, printed, isRemoved, calls } = await runWith(
      () => Promise.reject(new Error('nothing is revoked')),
      {
        isWhole: false,
      },
    );
    expect([outcome.failed, printed, isRemoved]).toEqual([0, '', false]);
    expect(calls.filter((path) => path.includes('webhookconfigurations') || path.includes('imagepullsecrets'))).toEqual(
      [],
    );
  });

  test('is named, each of it, and no cloud is asked any more when there is no more time', async () => {
    const over = AbortSignal.abort(new DOMException('timed out', 'TimeoutError'));
    const { outcome, left, isRemoved } = await runWith(
      (_, { signal }) => {
        signal.throwIfAborted();
        return Promise.resolve(['never']);
      },
      { patience: over },
    );
    expect(outcome).toMatchObject({ failed: 0, leftBehind: MINTED });
    expect(left).toEqual(MINTED);
    expect(isRemoved).toBe(false);
  });

  test('is only named in a dry run', async () => {
    const { outcome, printed, isRemoved } = await runWith(() => Promise.reject(new Error('nothing is to be revoked')), {
      dryRun: true,
    });
    expect(outcome.failed).toBe(0);
    for (const cacheKey of MINTED) expect(printed).toContain(`would revoke at the cloud what ${cacheKey} left`);
    expect(isRemoved).toBe(false);
  });

  test('holds up nothing when another version wrote it down, and is named', async () => {
    const { outcome, printed, isRemoved } = await runWith(() => Promise.reject(new Error('it is not known how')), {
      mints: false,
    });
    expect(outcome.failed).toBe(0);
    expect(printed).toContain(`left alone at the cloud: what ${MINTED[0] ?? ''} left`);
    expect(isRemoved).toBe(true);
  });
});
