// Stopping the controllers before they are cleaned up after: what is waited for, and what ends the wait.
import { describe, expect, test } from '@jest/globals';
import { ControllerStop } from '../../../src/controller/stop-controller.ts';
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
  return { client: createFakeClient(answer), replicas: () => replicas, scale: (to: number) => void (replicas = to) };
}

function stop(
  world: ReturnType<typeof cluster>,
  {
    dryRun = false,
    givenBack,
    patience = AbortSignal.timeout(10_000),
    onLeaderless = () => Promise.resolve(),
  }: { dryRun?: boolean; givenBack?: number; patience?: AbortSignal; onLeaderless?: () => Promise<void> } = {},
) {
  const printed: string[] = [];
  const controller = new ControllerStop({
    ...{ client: world.client, dryRun, patience, now: () => NOW, print: (line) => void printed.push(line) },
    ...{ onLeaderless, replicas: givenBack, signal: AbortSignal.timeout(20_000) },
    deployment: { namespace: 'a', name: 'helper' },
    lease: { namespace: 'a', name: 'lease' },
  });
  return { outcome: controller.stop(), printed, setBack: () => controller.setBack(AbortSignal.timeout(10_000)) };
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
  const patience = AbortSignal.timeout(50);
  expect(await stop(cluster(stuck), { patience }).outcome).toBe('Pods of the controller are still there: stuck');
  const other = cluster({ replicas: 0, holder: () => 'other_1' });
  expect(await stop(other, { patience: AbortSignal.timeout(50) }).outcome).toBe(
    'other_1 still holds the Lease a/lease',
  );
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

test('tells once that nobody leads any more, also while Pods do not end, and again when somebody led since', async () => {
  const told: number[] = [];
  let looks = 0;
  const world = cluster({
    replicas: 1,
    pods: (look) => {
      looks = look;
      return look < 5 ? [{ name: 'stuck', kind: 'ReplicaSet' }] : [];
    },
    holder: (look) => (look === 1 || look === 3 ? 'stuck_1' : ''),
  });
  const onLeaderless = (): Promise<void> => Promise.resolve(void told.push(looks));
  expect(await stop(world, { onLeaderless }).outcome).toBeUndefined();
  expect(told).toEqual([2, 4]);
});

test('tells again that nobody leads when that could not be acted on', async () => {
  let failures = 1;
  const onLeaderless = (): Promise<void> => {
    failures -= 1;
    return failures < 0 ? Promise.resolve() : Promise.reject(new KubeError('Conflict', 'it changed'));
  };
  expect(await stop(cluster({ replicas: 1 }), { onLeaderless }).outcome).toBeUndefined();
  expect(failures).toBe(-1);
});

describe('set back', () => {
  test('it is to have as many Pods as before, also when it was scaled up again meanwhile', async () => {
    let failures = 1;
    const refuse = ({ method, body }: KubeCall) => {
      if (method !== 'PATCH' || (body as { spec: { replicas: number } }).spec.replicas === 0) return undefined;
      failures -= 1;
      return failures < 0 ? undefined : new KubeError('Unavailable', 'no');
    };
    const world = cluster({ replicas: 3, refuse });
    const { outcome, printed, setBack } = stop(world);
    await outcome;
    await setBack();
    expect(world.replicas()).toBe(3);
    expect(printed[1]).toBe('set Deployment a/helper back to 3 Pods: the installation goes on as before');
  });

  test.each<[string, number | undefined, boolean]>([
    ['was at 0 before', 0, false],
    ['is not there', undefined, false],
    ['was only looked at', 2, true],
  ])('it stays as it is where it %s', async (_, replicas, dryRun) => {
    const world = cluster({ replicas });
    const { outcome, setBack } = stop(world, { dryRun });
    await outcome;
    await setBack();
    expect(world.replicas()).toBe(replicas);
  });

  test('it is to have as many Pods as is said where a run that was killed left it at 0', async () => {
    const world = cluster({ replicas: 0 });
    const { outcome, setBack } = stop(world, { givenBack: 2 });
    await outcome;
    await setBack();
    expect(world.replicas()).toBe(2);
  });

  test('what is found counts for more than what is said', async () => {
    const world = cluster({ replicas: 3 });
    const { outcome, setBack } = stop(world, { givenBack: 2 });
    await outcome;
    await setBack();
    expect(world.replicas()).toBe(3);
  });

  test('it is left to whoever scaled it since', async () => {
    const world = cluster({ replicas: 3 });
    const { outcome, setBack } = stop(world);
    await outcome;
    world.scale(1);
    await setBack();
    expect(world.replicas()).toBe(1);
  });
});
