// Stopping the controllers before they are cleaned up after: what is waited for, and what ends the wait.
import { expect, test } from '@jest/globals';
import { stopController } from '../../../src/controller/stop-controller.ts';
import { KubeError } from '../../../src/core/errors.ts';
import type { KubeCall, KubeObject } from '../../../src/kube/client.ts';
import { createFakeClient } from '../kube/fake-client.ts';

const SCALE = '/apis/apps/v1/namespaces/a/deployments/helper/scale';
const NOW = Date.parse('2026-01-02T03:04:05Z');

/** A cluster whose Pods and Lease are what is still there; `look` counts the looks at the Pods. */
function cluster(of: {
  readonly replicas?: number | undefined;
  /** Owner and phase of Pods that are there at the given look, from 1. */
  readonly pods?: (
    look: number,
  ) => readonly { readonly name: string; readonly kind: string; readonly phase?: string }[];
  readonly holder?: (look: number) => string;
  readonly refuse?: (call: KubeCall) => KubeError | undefined;
}) {
  let looks = 0;
  let replicas = of.replicas;
  const answer = (call: KubeCall): KubeObject => {
    const error = of.refuse?.(call);
    if (error !== undefined) throw error;
    const { method, path, body } = call;
    if (path === SCALE && method === 'PATCH') replicas = (body as { spec: { replicas: number } }).spec.replicas;
    if (path === SCALE) {
      if (replicas === undefined) throw new KubeError('NotFound', 'none');
      return { spec: { replicas }, status: { replicas, selector: 'app=helper' } };
    }
    if (path.endsWith('/pods')) {
      looks += 1;
      const items = (of.pods?.(looks) ?? []).map(({ name, kind, phase = 'Running' }) => ({
        metadata: { name, ownerReferences: [{ controller: true, kind, uid: 'u' }] },
        spec: { nodeName: 'n', containers: [] },
        status: { phase },
      }));
      return { metadata: { resourceVersion: '1' }, items };
    }
    const holderIdentity = of.holder?.(looks) ?? '';
    return { spec: { holderIdentity, renewTime: new Date(NOW).toISOString(), leaseDurationSeconds: 15 } };
  };
  return { client: createFakeClient(answer), replicas: () => replicas };
}

function stop(world: ReturnType<typeof cluster>, { dryRun = false, signal = AbortSignal.timeout(10_000) } = {}) {
  const printed: string[] = [];
  const outcome = stopController({
    ...{ client: world.client, dryRun, signal, now: () => NOW, print: (line) => void printed.push(line) },
    deployment: { namespace: 'a', name: 'helper' },
    lease: { namespace: 'a', name: 'lease' },
  });
  return { outcome, printed };
}

test('ends when its Pods are gone and nobody holds the Lease, in that order', async () => {
  const world = cluster({
    replicas: 2,
    pods: (look) => (look < 2 ? [{ name: 'p', kind: 'ReplicaSet' }] : []),
    holder: (look) => (look < 3 ? 'p_1' : ''),
  });
  const { outcome, printed } = stop(world);
  expect(await outcome).toBeUndefined();
  expect(world.replicas()).toBe(0);
  expect(printed).toEqual(['stopped Deployment a/helper, which is to have 2 Pods']);
});

test('does not wait for Pods that have ended, nor for such that no ReplicaSet made, as our own', async () => {
  const pods = () => [
    { name: 'done', kind: 'ReplicaSet', phase: 'Succeeded' },
    { name: 'us', kind: 'Job' },
  ];
  expect(await stop(cluster({ replicas: 1, pods })).outcome).toBeUndefined();
});

test('waits for the Lease alone where there is no Deployment', async () => {
  const { outcome, printed } = stop(cluster({ holder: (look) => (look < 1 ? '' : 'never') }));
  expect(await outcome).toBeUndefined();
  expect(printed).toEqual(['there is no Deployment a/helper: nothing to stop']);
});

test('gives what is in the way when it is told to end', async () => {
  const stuck = { replicas: 1, pods: () => [{ name: 'stuck', kind: 'ReplicaSet' }] };
  const signal = AbortSignal.timeout(50);
  expect(await stop(cluster(stuck), { signal }).outcome).toBe('Pods of the controller are still there: stuck');
  const other = cluster({ replicas: 0, holder: () => 'other_1' });
  expect(await stop(other, { signal: AbortSignal.timeout(50) }).outcome).toBe('other_1 still holds the Lease a/lease');
});

test('goes on when the API server fails for a moment, and throws when a right is missing', async () => {
  let failures = 1;
  const shaky = cluster({
    replicas: 1,
    refuse: ({ path }) => {
      if (!path.endsWith('/pods') || failures === 0) return undefined;
      failures -= 1;
      return new KubeError('Unavailable', 'no');
    },
  });
  expect(await stop(shaky).outcome).toBeUndefined();
  const refuse = ({ method }: KubeCall) => (method === 'PATCH' ? new KubeError('Forbidden', 'no') : undefined);
  await expect(stop(cluster({ replicas: 1, refuse })).outcome).rejects.toMatchObject({ reason: 'Forbidden' });
});

test('only looks in a dry run', async () => {
  const world = cluster({ replicas: 2, pods: () => [{ name: 'p', kind: 'ReplicaSet' }] });
  const { outcome, printed } = stop(world, { dryRun: true });
  expect(await outcome).toBeUndefined();
  expect(printed).toEqual(['would stop Deployment a/helper, which is to have 2 Pods']);
  expect(world.replicas()).toBe(2);
});
