// What is remembered of writes: who fights over them, and which the API server refuses.
import { createHash } from 'node:crypto';
import { disposition } from '../core/errors.ts';
import type { SecretContent, Write } from '../core/types.ts';
import { isReplan, type Applied, type FailedWrite, type ReferenceWrite } from './apply.ts';
import type { Addition } from './contention.ts';
import type { PassWorld } from './pass-world.ts';

/** Puts the answer to a write into the caches, tells of it, and counts it where somebody may be undoing it. */
export function noteWritten(world: PassWorld, write: Write, answer: unknown): void {
  world.absorb(write, answer);
  world.observer.onWrite(write);
  const { contention, foreignSecrets, refusals } = world.caches;
  const { namespace } = write;
  const count = (addition: Omit<Addition, 'namespace'>): void => {
    const pauseMs = contention.added({ namespace, ...addition }, world.now());
    if (pauseMs > 0) world.observer.onContention(write, pauseMs);
  };
  switch (write.kind) {
    case 'patch-service-account':
      refusals.accepted(write.uid);
      if (write.added.length > 0) count({ id: write.uid });
      else if (write.removed.length > 0) contention.removed({ namespace, id: write.uid });
      return;
    case 'delete-secret':
      foreignSecrets.forget(namespace, write.name);
      contention.removed({ namespace, id: placeOf(write) });
      return;
    case 'create-secret':
    case 'update-secret':
    case 'replace-secret':
      foreignSecrets.forget(namespace, write.name);
      // Whatever the reason is called: who writes the same twice has lost it in between. A rotation writes something else.
      count({ id: placeOf(write), written: digestOf(write.content), isLoss: write.reason === 'SecretAdopted' });
  }
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

function placeOf({ namespace, name }: Write): string {
  return `${namespace}/${name}`;
}

function digestOf(content: SecretContent): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64');
}
