// What is remembered of writes: who fights over them, and which the API server refuses.
import { disposition } from '../core/errors.ts';
import { REPAIRS } from '../core/plan-secrets.ts';
import type { Write } from '../core/types.ts';
import { isReplan, type Applied, type FailedWrite, type ReferenceWrite } from './apply.ts';
import type { PassWorld } from './pass-world.ts';

/** Puts the answer to a write into the caches, tells of it, and counts it where somebody may be undoing it. */
export function noteWritten(world: PassWorld, write: Write, answer: unknown): void {
  world.absorb(write, answer);
  world.observer.onWrite(write);
  const { contention, foreignSecrets, refusals } = world.caches;
  const count = (id: string): void => {
    const pauseMs = contention.added(id, world.now());
    if (pauseMs > 0) world.observer.onContention(write, pauseMs);
  };
  if (write.kind !== 'patch-service-account') {
    const place = `${write.namespace}/${write.name}`;
    foreignSecrets.forget(write.namespace, write.name);
    if (REPAIRS.has(write.reason)) count(place);
    else if (write.kind === 'delete-secret') contention.removed(place);
    return;
  }
  refusals.accepted(write.uid);
  if (write.added.length > 0) count(write.uid);
  else if (write.removed.length > 0) contention.removed(write.uid);
}

/** A ServiceAccount that may not be written waits for itself, so that it does not hold up the others. */
export function noteFailures(world: PassWorld, { failed }: Applied): void {
  for (const failure of failed) {
    if (isReplan(failure.error)) continue;
    world.observer.onFailedWrite(failure);
    if (isRefused(failure)) world.caches.refusals.refused(failure.write.uid, world.now());
  }
}

/** True when the API server will not let us write it, whenever we ask. */
export function isRefused(failure: FailedWrite): failure is FailedWrite & { readonly write: ReferenceWrite } {
  return failure.write.kind === 'patch-service-account' && disposition(failure.error).kind === 'terminal';
}
