// When a replica counts as ready, by what is known of the webhook object. The API server is in memory.
import { afterEach, describe, expect, test } from '@jest/globals';
import { KubeError } from '../../../src/core/errors.ts';
import {
  RESOURCE_WEBHOOK_NAME,
  WEBHOOK_KINDS,
  WEBHOOK_NAME,
  webhookName,
  type WebhookKind,
} from '../../../src/core/names.ts';
import type { KubeObject } from '../../../src/kube/client.ts';
import { createWebhook, type Webhook } from '../../../src/webhook/webhook.ts';
import { eventually } from '../../support/eventually.ts';
import { createFakeClient } from '../kube/fake-client.ts';

const ignore = (): void => undefined;
const NOT_KNOWN = 'whether there is a webhook object is not known yet';
const NONE: KubeObject = { metadata: { resourceVersion: '10' }, items: [] };
const LEFT_OVER = [WEBHOOK_NAME, RESOURCE_WEBHOOK_NAME].map((name) => ({
  metadata: { name: webhookName('default'), uid: 'u', resourceVersion: '5' },
  webhooks: [{ name, clientConfig: {} }],
}));

const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

/** A replica whose configuration wants no webhook. `list` answers the lists of one kind of webhook object, one after the other. */
function start(kind: WebhookKind, list: (count: number) => KubeObject | Promise<KubeObject>, isOn = false) {
  const stop = new AbortController();
  stops.push(stop);
  let count = 0;
  const plural = `${kind.toLowerCase()}s`;
  const client = createFakeClient(({ path }) => (path.endsWith(plural) ? list((count += 1)) : NONE));
  const webhook: Webhook = createWebhook({
    client,
    instance: 'default',
    namespace: 'kube-system',
    address: '127.0.0.1:0',
    target: { kind: 'url', url: 'https://127.0.0.1:9' },
    clusterRole: 'none',
    config: () => ({ rules: [], webhook: isOn ? { failurePolicy: 'Ignore', timeoutSeconds: 3 } : undefined }) as never,
    parseItem: () => undefined,
    standingDown: () => false,
    observedNamespace: () => undefined,
    register: ignore,
    onAnswered: ignore,
    onProblem: ignore,
    onReflector: ignore,
    observer: ignore,
    now: Date.now,
    random: () => 0.5,
    elapsed: () => performance.now(),
  });
  void webhook.run(stop.signal);
  return { webhook, lists: () => count };
}

describe.each(WEBHOOK_KINDS)('[acr W2] switched off, by what is known of the %s, a replica is', (kind) => {
  test('not ready before the webhook objects were listed', async () => {
    const { webhook, lists } = start(kind, () => new Promise(ignore));
    await eventually('it asked', () => lists() === 1);
    expect(webhook.problem()).toBe(NOT_KNOWN);
  });

  test('ready when there is none', async () => {
    const { webhook } = start(kind, () => NONE);
    expect(webhook.problem()).toBe(NOT_KNOWN);
    await eventually('it is ready', () => webhook.problem() === undefined);
  });

  test('not ready while one that was left over calls it in vain', async () => {
    const { webhook } = start(kind, () => ({ metadata: { resourceVersion: '10' }, items: LEFT_OVER }));
    await eventually('it says so', () => webhook.problem()?.includes('has not made the certificate authority'));
  });

  test.each(['Forbidden', 'NotFound'] as const)('ready for good when the answer is once %s', async (reason) => {
    const { webhook, lists } = start(kind, (count) => {
      throw new KubeError(count === 1 ? reason : 'Unavailable', 'no');
    });
    await eventually('it is ready', () => webhook.problem() === undefined);
    await eventually('another answer came', () => lists() > 2);
    expect(webhook.problem()).toBeUndefined();
  });
});

test.each<[string, WebhookKind, boolean, number]>([
  ['is told of', 'MutatingWebhookConfiguration', true, 1],
  ['is in nobody’s way while the webhook is switched off', 'MutatingWebhookConfiguration', false, 0],
  ['is told of although the other is switched off', 'ValidatingWebhookConfiguration', false, 1],
])('an object of somebody else under our name %s', async (_what, kind, isOn, expected) => {
  const theirs = { metadata: { name: webhookName('default'), uid: 'u', resourceVersion: '5' }, webhooks: [] };
  const answer = { metadata: { resourceVersion: '10' }, items: [theirs] };
  const { webhook } = start(kind, () => answer, isOn);
  expect(webhook.taken()).toBe(0);
  await eventually('it was listed', () => webhook.problem() !== NOT_KNOWN);
  expect(webhook.taken()).toBe(expected);
});
