// The end of the hosts block as the API server sees it: told once, in the version that was read, and waited for.
import { describe, expect, test } from '@jest/globals';
import { awaitHostsEnd, setHostsBack, tellHosts } from '../../../src/controller/end-hosts.ts';
import { KubeError } from '../../../src/core/errors.ts';
import { ENDING_FLAG } from '../../../src/core/hosts-end.ts';
import { BEFORE_END_ANNOTATION, MANAGER } from '../../../src/core/names.ts';
import type { KubeCall, KubeObject } from '../../../src/kube/client.ts';
import { createFakeClient } from '../kube/fake-client.ts';

const PLACE = { namespace: 'a', name: 'hosts' };
const PATH = '/apis/apps/v1/namespaces/a/daemonsets/hosts';
/** Longer than any of this takes. */
const UNHURRIED = AbortSignal.timeout(20_000);

const daemonSet = (more: object = {}): KubeObject => ({
  metadata: { ...PLACE, uid: 'u', resourceVersion: '7', generation: 1 },
  spec: {
    selector: { matchLabels: { app: 'hosts' } },
    template: { spec: { containers: [{ name: 'hosts', args: ['hosts'] }] } },
  },
  status: { observedGeneration: 1, desiredNumberScheduled: 1 },
  ...more,
});
const pod = (node: string, isEnding: boolean, uid = 'u') => ({
  metadata: { name: `p-${node}`, ownerReferences: [{ controller: true, kind: 'DaemonSet', uid }] },
  spec: { nodeName: node, containers: [{ args: ['hosts', ...(isEnding ? [ENDING_FLAG] : [])] }] },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
});

function cluster(of: {
  readonly found?: () => KubeObject;
  readonly pods?: () => readonly object[];
  readonly patch?: () => KubeObject;
}) {
  return createFakeClient(({ method, path }: KubeCall): KubeObject => {
    if (path === PATH && method === 'PATCH') return (of.patch ?? daemonSet)();
    if (path === PATH) return (of.found ?? daemonSet)();
    return { metadata: { resourceVersion: '1' }, items: [...(of.pods?.() ?? [])] };
  });
}

function tell(client: ReturnType<typeof cluster>, { dryRun = false, patience = UNHURRIED } = {}) {
  const printed: string[] = [];
  const print = (line: string): void => void printed.push(line);
  const told = tellHosts({ ...{ client, dryRun, print, patience, signal: UNHURRIED }, daemonSet: PLACE });
  return { told, printed };
}

test('is told as a strategic merge patch, again after a conflict, and gives the nodes that have Pods of it', async () => {
  let conflicts = 1;
  const client = cluster({
    pods: () => [pod('b', false), pod('a', false), pod('z', false, 'another')],
    patch: () => {
      conflicts -= 1;
      if (conflicts >= 0) throw new KubeError('Conflict', 'it changed');
      return daemonSet();
    },
  });
  const { told, printed } = tell(client);
  expect([...((await told) ?? [])].sort()).toEqual(['a', 'b']);
  const patches = client.calls.filter(({ method }) => method === 'PATCH');
  expect(patches).toHaveLength(2);
  expect(patches[1]).toMatchObject({
    contentType: 'application/strategic-merge-patch+json',
    body: { metadata: { resourceVersion: '7' } },
  });
  expect(printed).toEqual(['had the Pods of DaemonSet a/hosts remove the hosts block of their nodes']);
});

test('is told nothing twice, nothing in a dry run, and nothing where there is no such DaemonSet', async () => {
  const ending = daemonSet({
    spec: { selector: {}, template: { spec: { containers: [{ name: 'hosts', args: ['hosts', ENDING_FLAG] }] } } },
  });
  const none = (): never => {
    throw new KubeError('NotFound', 'none');
  };
  for (const [client, dryRun, expected] of [
    [cluster({ found: () => ending, pods: () => [pod('a', true)] }), false, ['a']],
    [cluster({ pods: () => [pod('a', false)] }), true, undefined],
    [cluster({ found: none }), false, undefined],
  ] as const) {
    expect(await tell(client, { dryRun }).told).toEqual(expected);
    expect(client.calls.filter(({ method }) => method === 'PATCH')).toEqual([]);
  }
});

test('fails at once when a right is missing, and when the API server finds the change wrong', async () => {
  for (const reason of ['Forbidden', 'Invalid'] as const) {
    const patch = (): never => {
      throw new KubeError(reason, 'no');
    };
    await expect(tell(cluster({ patch })).told).rejects.toMatchObject({ reason });
  }
});

const awaited = (client: ReturnType<typeof cluster>, before: readonly string[], patience = UNHURRIED) =>
  awaitHostsEnd({ client, daemonSet: PLACE, before, patience, signal: UNHURRIED });

test('is waited for until every node is done', async () => {
  let looks = 0;
  const pods = (): readonly object[] => {
    looks += 1;
    return [pod('a', looks > 1)];
  };
  expect(await awaited(cluster({ pods }), ['a'])).toEqual({ isDone: true, left: [], missing: 0 });
  expect(looks).toBe(2);
});

test('names the nodes that are left, looking once more, when there is no more time', async () => {
  const client = cluster({ pods: () => [pod('a', true), pod('b', false)] });
  const progress = await awaited(client, ['a', 'b', 'tainted'], AbortSignal.abort());
  expect(progress).toMatchObject({ isDone: false, left: ['b', 'tainted'] });
});

test('is not taken for done when somebody deletes the DaemonSet meanwhile', async () => {
  const found = (): never => {
    throw new KubeError('NotFound', 'none');
  };
  expect(await awaited(cluster({ found }), ['a'])).toMatchObject({ isDone: false, left: ['a'] });
});

describe('when clean-up failed', () => {
  const told = (): KubeObject =>
    daemonSet({
      metadata: {
        ...{ uid: 'u', resourceVersion: '8', generation: 2 },
        annotations: { [BEFORE_END_ANNOTATION]: JSON.stringify({ name: 'hosts', args: ['hosts'], generation: 1 }) },
      },
      spec: { selector: {}, template: { spec: { containers: [{ name: 'hosts', args: ['hosts', ENDING_FLAG] }] } } },
    });
  const back = async (client: ReturnType<typeof cluster>): Promise<readonly string[]> => {
    const printed: string[] = [];
    const print = (line: string): void => void printed.push(line);
    await setHostsBack({ client, daemonSet: PLACE, print, signal: UNHURRIED });
    return printed;
  };

  test('the Pods are told to keep the block again, once more after a conflict', async () => {
    let conflicts = 1;
    const client = cluster({
      found: told,
      patch: () => {
        conflicts -= 1;
        if (conflicts >= 0) throw new KubeError('Conflict', 'it changed');
        return daemonSet();
      },
    });
    expect(await back(client)).toEqual(['set DaemonSet a/hosts back: its Pods keep the hosts block again']);
    expect(client.calls.filter(({ method }) => method === 'PATCH')).toHaveLength(2);
  });

  test('what is set back is left to whoever applied it, and that it could not be is said', async () => {
    const metadata = {
      ...PLACE,
      uid: 'u',
      resourceVersion: '9',
      managedFields: [{ manager: 'helm' }, { manager: MANAGER }],
    };
    for (const refused of [false, true]) {
      let patches = 0;
      const client = cluster({
        found: () => (patches === 0 ? told() : daemonSet({ metadata })),
        patch: () => {
          patches += 1;
          if (patches > 1 && refused) throw new KubeError('Forbidden', 'no');
          return daemonSet();
        },
      });
      const [, said] = await back(client);
      expect(said).toBe(refused ? 'Helm 4 needs --force-conflicts to change DaemonSet hosts again: no' : undefined);
      expect(client.calls.at(-1)).toMatchObject({
        method: 'PATCH',
        body: { metadata: { resourceVersion: '9', managedFields: [{ manager: 'helm' }] } },
      });
    }
  });

  test('nothing is written where they were not told, or are gone', async () => {
    const none = (): never => {
      throw new KubeError('NotFound', 'none');
    };
    for (const client of [cluster({}), cluster({ found: none })]) {
      expect(await back(client)).toEqual([]);
      expect(client.calls.filter(({ method }) => method === 'PATCH')).toEqual([]);
    }
  });
});
