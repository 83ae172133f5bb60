// An Event about what cleaning up had to leave where it could not reach: the log of the Job may be gone sooner than somebody looks.
import { isRecord } from '../core/records.ts';
import { stateSecretName } from '../core/names.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient } from '../kube/client.ts';
import { EventRecorder } from '../kube/events.ts';
import { createObjectCalls, secretPlace } from '../kube/one-object.ts';

/** Why such an Event is there; `docs/reasons.md` explains it. */
export const LEFT_BEHIND = 'LeftBehind';

/** What is told, and where the master copy is, on which it is told: it stays for as long as something is left at a cloud. */
export interface LeftBehindOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly instance: string;
  /** What it is left, one after the other. */
  readonly what: readonly string[];
  /** Name of our Pod. */
  readonly identity: string;
  readonly now: () => EpochMs;
  readonly onFailed: (error: Error) => void;
  readonly signal: AbortSignal;
}

/** Posts it; where there is no master copy, nothing is. Throws KubeError when that cannot be read. */
export async function tellLeftBehind(options: LeftBehindOptions): Promise<void> {
  const { client, namespace, instance, what, identity, now, onFailed, signal } = options;
  const name = stateSecretName(instance);
  const live = await createObjectCalls(client, secretPlace(namespace, name)).read(signal);
  const uid = isRecord(live?.metadata) ? live.metadata.uid : undefined;
  if (typeof uid !== 'string') return;
  const events = new EventRecorder<typeof LEFT_BEHIND>({
    client,
    identity,
    now,
    report: (event) => {
      if (event.type === 'failed') onFailed(event.error);
    },
  });
  events.record({
    object: { apiVersion: 'v1', kind: 'Secret', namespace, name, uid },
    type: 'Warning',
    reason: LEFT_BEHIND,
    message: `Clean-up left at clouds: ${what.join('; ')}. Run cleanup again, or delete it at the cloud and then this Secret`,
  });
  await events.idle();
}
