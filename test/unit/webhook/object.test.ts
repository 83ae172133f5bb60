// The webhook objects: what is written, what counts as a difference, and what of others is kept. And how often it is put right.
import { describe, expect, test } from '@jest/globals';
import {
  buildMutating,
  buildValidating,
  caBundleOf,
  mergeObject,
  type MutatingOptions,
} from '../../../src/webhook/object.ts';
import { Loop } from '../../../src/kube/loop.ts';
import { Pace } from '../../../src/webhook/pace.ts';
import { MINUTE, NOW, SECOND } from '../../support/builders.ts';

const OPTIONS: MutatingOptions = {
  name: 'registry-credential-helper-default',
  instance: 'default',
  namespace: 'helpers',
  target: { kind: 'service', namespace: 'helpers', name: 'hook', port: 8443 },
  owner: { name: 'role', uid: 'u-1' },
  caBundle: 'pem\n',
  failurePolicy: 'Ignore',
  timeoutSeconds: 3,
};
const WANTED = buildMutating(OPTIONS);

type Json = Record<string, unknown>;
const [webhook = {}] = WANTED.webhooks as readonly Json[];
const metadata = WANTED.metadata as Json;

/** The object as the API server gives it back, with other things around it, changed by `edit`. */
function live(edit: { readonly webhook?: Json; readonly metadata?: Json; readonly rest?: Json } = {}): Json {
  return {
    ...WANTED,
    metadata: { ...metadata, uid: 'u', resourceVersion: '7', annotations: { theirs: 'x' }, ...edit.metadata },
    webhooks: [{ ...webhook, ...edit.webhook }],
    ...edit.rest,
  };
}

describe('the webhook object', () => {
  test('leads to the Service, or to an address outside of the cluster', () => {
    expect(webhook.clientConfig).toEqual({
      service: { namespace: 'helpers', name: 'hook', port: 8443, path: '/mutate-serviceaccounts' },
      caBundle: Buffer.from('pem\n').toString('base64'),
    });
    const outside = buildMutating({ ...OPTIONS, target: { kind: 'url', url: 'https://10.0.0.5:10250' } });
    expect(outside.webhooks).toMatchObject([
      { clientConfig: { url: 'https://10.0.0.5:10250/mutate-serviceaccounts' } },
    ]);
  });

  test('asks about the served namespaces alone where not all are, besides what it never asks about', () => {
    const served = new Set(['team-b', 'team-a']);
    const some = buildMutating({ ...OPTIONS, served });
    const [{ namespaceSelector }] = some.webhooks as [{ namespaceSelector: { matchExpressions: readonly Json[] } }];
    const before = (webhook.namespaceSelector as { matchExpressions: readonly Json[] }).matchExpressions;
    expect(namespaceSelector.matchExpressions).toEqual([
      ...before,
      { key: 'kubernetes.io/metadata.name', operator: 'In', values: ['team-a', 'team-b'] },
    ]);
    // Both ways: the list came, the list went.
    expect(mergeObject(live(), some)).toBeDefined();
    expect(mergeObject({ ...live(), webhooks: some.webhooks }, WANTED)).toBeDefined();
  });

  test('never intercepts our own namespace, nor anything but ServiceAccounts', () => {
    expect(webhook.namespaceSelector).toMatchObject({
      matchExpressions: [
        { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['helpers', 'kube-node-lease'] },
        {},
      ],
    });
    expect(webhook.rules).toMatchObject([{ resources: ['serviceaccounts'] }]);
  });

  test('has no owner where there is none', () => {
    expect(buildMutating({ ...OPTIONS, owner: undefined }).metadata).toMatchObject({ ownerReferences: [] });
  });

  test.each<readonly [string, Json]>([
    ['as it is', live()],
    ['with a label of somebody else', live({ metadata: { labels: { ...(metadata.labels as Json), theirs: 'x' } } })],
    ['with a field that a newer API server has added', live({ webhook: { newField: 'default' } })],
  ])('is right %s', (_, found) => {
    expect(mergeObject(found, WANTED)).toBeUndefined();
  });

  test.each<readonly [string, Json]>([
    ['another policy', live({ webhook: { failurePolicy: 'Fail' } })],
    ['another bundle', live({ webhook: { clientConfig: { ...(webhook.clientConfig as Json), caBundle: '' } } })],
    ['a condition that narrows it down', live({ webhook: { matchConditions: [{ name: 'n', expression: 'false' }] } })],
    ['a selector that narrows it down', live({ webhook: { objectSelector: { matchLabels: { a: 'b' } } } })],
    [
      'one more operation',
      live({ webhook: { rules: [{ ...(webhook.rules as readonly Json[])[0], operations: ['*'] }] } }),
    ],
    ['one more webhook', live({ rest: { webhooks: [webhook, webhook] } })],
    ['no webhook', live({ rest: { webhooks: undefined } })],
    ['no labels', live({ metadata: { labels: undefined } })],
    ['no owner', live({ metadata: { ownerReferences: undefined } })],
    [
      'an owner that is gone',
      live({ metadata: { ownerReferences: [{ kind: 'ClusterRole', name: 'role', uid: 'u-0' }] } }),
    ],
  ])('is put right when it has %s: in place, with what is not ours kept', (_, found) => {
    const merged = mergeObject(found, WANTED);
    expect(merged).toMatchObject({
      metadata: { ...metadata, uid: 'u', resourceVersion: '7', annotations: { theirs: 'x' } },
      webhooks: [webhook],
    });
    expect((merged?.webhooks as readonly unknown[]).length).toBe(1);
  });

  test('keeps its owner when the role could not be read', () => {
    const unowned = buildMutating({ ...OPTIONS, owner: undefined });
    expect(mergeObject(live(), unowned)).toBeUndefined();
    expect(mergeObject(live({ webhook: { failurePolicy: 'Fail' } }), unowned)).toMatchObject({
      metadata: { ownerReferences: metadata.ownerReferences },
      webhooks: [{ failurePolicy: 'Ignore' }],
    });
    expect(mergeObject(live({ metadata: { ownerReferences: undefined } }), unowned)).toBeUndefined();
  });

  test('tells which authorities the API server trusts', () => {
    expect(caBundleOf(live())).toBe('pem\n');
    expect(caBundleOf(undefined)).toBe('');
    expect(caBundleOf(live({ rest: { webhooks: [] } }))).toBe('');
    expect(caBundleOf(live({ webhook: { clientConfig: null } }))).toBe('');
  });
});

describe('the webhook object of resources', () => {
  const wanted = buildValidating(OPTIONS);
  const [found = {}] = wanted.webhooks as readonly Json[];

  test('bears the same name and goes with the same role, and leads to the same place by another path', () => {
    expect(wanted.metadata).toEqual(metadata);
    expect(wanted.kind).toBe('ValidatingWebhookConfiguration');
    const path = '/validate-imagepullsecrets';
    expect(found.clientConfig).toEqual({
      service: { namespace: 'helpers', name: 'hook', port: 8443, path },
      caBundle: Buffer.from('pem\n').toString('base64'),
    });
    const outside = buildValidating({ ...OPTIONS, target: { kind: 'url', url: 'https://10.0.0.5:10250' } });
    expect(outside.webhooks).toMatchObject([{ clientConfig: { url: `https://10.0.0.5:10250${path}` } }]);
  });

  test('is asked about what people write, never about deletions and the status, and lets pass while nobody answers', () => {
    const { clientConfig, ...rest } = found;
    expect(clientConfig).toBeDefined();
    expect(rest).toEqual({
      name: 'imagepullsecrets.registry-credential-helper.io',
      rules: [
        {
          operations: ['CREATE', 'UPDATE'],
          apiGroups: ['tcr.tencentcloudcr.com'],
          apiVersions: ['v1'],
          resources: ['imagepullsecrets'],
          scope: 'Cluster',
        },
      ],
      failurePolicy: 'Ignore',
      timeoutSeconds: 3,
      matchPolicy: 'Equivalent',
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      namespaceSelector: {},
      objectSelector: {},
    });
  });

  test('is put right when somebody lets it refuse whoever it does not reach', () => {
    const edited = { ...wanted, webhooks: [{ ...found, failurePolicy: 'Fail' }] };
    expect(mergeObject(edited, wanted)).toMatchObject({ webhooks: [{ failurePolicy: 'Ignore' }] });
    expect(mergeObject({ ...wanted, webhooks: [{ ...found, newField: 'default' }] }, wanted)).toBeUndefined();
  });
});

describe('putting it right', () => {
  /** Pauses before each of `count` writes that come as soon as they may. */
  function pausesOf(count: number): readonly number[] {
    const pace = new Pace();
    let now = NOW;
    return Array.from({ length: count }, () => {
      const pause = pace.pauseMs(now);
      now += pause;
      pace.wrote(now);
      return pause;
    });
  }

  test('happens three times at once, then ever more slowly, at least every ten minutes', () => {
    expect(pausesOf(8).map((ms) => ms / SECOND)).toEqual([0, 0, 0, 0, 1, 2, 4, 8]);
    expect(pausesOf(20).at(-1)).toBe(10 * MINUTE);
  });

  test('is at once again after ten quiet minutes, and for a wish of our own', () => {
    const pace = new Pace();
    for (let times = 0; times < 9; times += 1) pace.wrote(NOW);
    expect(pace.pauseMs(NOW)).toBeGreaterThan(SECOND);
    pace.wrote(NOW + 20 * MINUTE);
    expect(pace.pauseMs(NOW + 20 * MINUTE)).toBe(0);
    for (let times = 0; times < 9; times += 1) pace.wrote(NOW);
    pace.reset();
    expect(pace.pauseMs(NOW)).toBe(0);
  });

  test('is not held up by a clock that was set back', () => {
    const pace = new Pace();
    for (let times = 0; times < 9; times += 1) pace.wrote(NOW);
    expect(pace.pauseMs(0)).toBeLessThanOrEqual(10 * MINUTE);
  });
});

describe('a step that is repeated', () => {
  /** Runs until `times` steps were made, each of which asks for `pauseMs` and may do something. */
  async function run(
    times: number,
    pauseMs: number,
    during: (loop: Loop, count: number) => void = () => undefined,
    maxPauseMs?: number,
  ) {
    const stop = new AbortController();
    let count = 0;
    const loop = new Loop(() => {
      count += 1;
      if (count === times) stop.abort();
      during(loop, count);
      return Promise.resolve(pauseMs);
    }, maxPauseMs);
    await loop.run(stop.signal);
    return count;
  }

  test('is made at once, and again after the pause that it asks for', async () => {
    expect(await run(3, 1)).toBe(3);
    expect(await run(2, -5)).toBe(2);
  });

  test('is made again when something changed while it was made', async () => {
    expect(await run(2, Number.POSITIVE_INFINITY, (loop) => loop.wake())).toBe(2);
  });

  test('is made again when something changes while it waits', async () => {
    expect(await run(3, Number.POSITIVE_INFINITY, (loop) => void setImmediate(() => loop.wake()))).toBe(3);
  });

  test('is made again after the longest pause, however long it asks for', async () => {
    expect(await run(3, Number.POSITIVE_INFINITY, () => undefined, 1)).toBe(3);
  });

  test('is not made when it was stopped before', async () => {
    const loop = new Loop(() => Promise.reject(new Error('made')));
    await expect(loop.run(AbortSignal.abort())).resolves.toBeUndefined();
  });
});
