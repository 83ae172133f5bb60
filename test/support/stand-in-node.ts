// A node without containers: for Pods that land on it, a process of the program stands in for the container. It does what scheduler
// and kubelet would do and no more: binds Pods, says that they run and are ready, ends them when they are deleted, and only then lets
// the API server forget them. Which Pods there are, and when they go, is up to the real controllers of Deployments and DaemonSets.
import { setTimeout as pause } from 'node:timers/promises';
import type { ControlPlane } from './control-plane/control-plane.ts';

/** What stands in for a container. */
export interface StandInContainer {
  isReady(): boolean | Promise<boolean>;
  /** As kubelet ends it: resolves when the process is gone. */
  stop(): Promise<void>;
}

/** A Pod, as far as the stand-in needs to know it. */
export interface StandInPod {
  readonly namespace: string;
  readonly name: string;
  readonly args: readonly string[];
}

/** The running stand-in. */
export interface StandInNode {
  readonly name: string;
  /** From now on nothing happens there any more, as when its kubelet is dead: Pods that are deleted stay. */
  die(): void;
  /** Ends every process. */
  stop(): Promise<void>;
}

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly kind: string }[];
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly { readonly args?: readonly string[] }[];
    readonly affinity?: unknown;
  };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const POLL_MS = 100;
/** Looks between two signs of life of the node. */
const LIFE_SIGN_EVERY = 30;

/** Registers the node and begins. `takesDeployments` = Pods of Deployments land here, too. */
export async function startStandInNode(
  plane: ControlPlane,
  options: {
    readonly name: string;
    readonly takesDeployments?: boolean;
    readonly launch: (pod: StandInPod) => Promise<StandInContainer>;
  },
): Promise<StandInNode> {
  const { name, takesDeployments = false, launch } = options;
  const running = new Map<string, StandInContainer>();
  const stopped = new AbortController();
  const died = new AbortController();
  const send = async (
    method: 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body: unknown,
    accept: readonly number[] = [],
  ): Promise<void> => {
    const contentType = method === 'PATCH' ? { contentType: 'application/strategic-merge-patch+json' } : {};
    const { status, body: answer } = await plane.request({ method, path, body, ...contentType });
    if (status >= 300 && !accept.includes(status))
      throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
  };
  await send('POST', '/api/v1/nodes', { metadata: { name } });
  /** Without a sign of life the node is tainted: no Pod of a DaemonSet would be made for it. */
  const live = (): Promise<void> => {
    const conditions = [
      { type: 'Ready', status: 'True', reason: 'StandIn', lastHeartbeatTime: new Date().toISOString() },
    ];
    return send('PATCH', `/api/v1/nodes/${name}/status`, { status: { conditions } });
  };

  const isMeant = ({ metadata, spec }: Pod): boolean => {
    const kind = metadata.ownerReferences?.[0]?.kind;
    // The controller of DaemonSets writes the node into the affinity.
    if (kind === 'DaemonSet') return JSON.stringify(spec.affinity ?? {}).includes(`"${name}"`);
    return kind === 'ReplicaSet' && takesDeployments;
  };
  const step = async (pod: Pod): Promise<void> => {
    const { uid, namespace, name: podName, deletionTimestamp } = pod.metadata;
    const path = `/api/v1/namespaces/${namespace}/pods/${podName}`;
    if (pod.spec.nodeName === undefined) {
      if (deletionTimestamp === undefined && isMeant(pod)) {
        const target = { apiVersion: 'v1', kind: 'Node', name };
        await send('POST', `${path}/binding`, { metadata: { name: podName }, target }, [404, 409]);
      }
      return;
    }
    if (pod.spec.nodeName !== name) return;
    const container = running.get(uid);
    if (deletionTimestamp !== undefined) {
      await container?.stop();
      running.delete(uid);
      await send('DELETE', path, { gracePeriodSeconds: 0, preconditions: { uid } }, [404, 409]);
      return;
    }
    if (container === undefined) {
      running.set(uid, await launch({ namespace, name: podName, args: pod.spec.containers[0]?.args ?? [] }));
      return;
    }
    const isReady = await container.isReady();
    const told = pod.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
    if (isReady === told) return;
    const conditions = [{ type: 'Ready', status: isReady ? 'True' : 'False' }];
    await send('PATCH', `${path}/status`, { status: { phase: 'Running', conditions } }, [404, 409]);
  };
  const loop = (async () => {
    for (let at = 0; !stopped.signal.aborted; at += 1) {
      if (at % LIFE_SIGN_EVERY === 0 && !died.signal.aborted) await live();
      const { body } = await plane.request({ path: '/api/v1/pods' });
      const { items = [] } = body as { items?: readonly Pod[] };
      for (const pod of died.signal.aborted ? [] : items) await step(pod);
      await pause(POLL_MS);
    }
  })();
  return {
    name,
    die: () => died.abort(),
    async stop() {
      stopped.abort();
      await loop.catch(() => undefined);
      await Promise.all([...running.values()].map((container) => container.stop()));
    },
  };
}
