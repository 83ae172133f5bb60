import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { cleanUp } from '../../../src/controller/clean-up.ts';
import { KubeError, type KubeErrorReason } from '../../../src/core/errors.ts';
import type { KubeCall, KubeObject } from '../../../src/kube/client.ts';
import { createFakeClient } from '../kube/fake-client.ts';

let stop: AbortController;
beforeEach(() => {
  stop = new AbortController();
});
afterEach(() => stop.abort());

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
    dryRun: false,
    now: () => Date.now(),
    random: () => 0,
    print: () => undefined,
    onFailure: () => undefined,
    onUnknown: () => undefined,
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
  expect(await outcome).toEqual({ references: 0, secrets: 0, failed: 0 });
  expect(failures).toEqual(['serviceaccounts: Unavailable']);
});
