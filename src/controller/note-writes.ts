// What is remembered of writes: who fights over them, and which the API server refuses.
import { createHash } from 'node:crypto';
import { disposition } from '../core/errors.ts';
import { soonest } from '../core/plan-secrets.ts';
import type { SecretContent, Write } from '../core/plan-types.ts';
import type { EpochMs } from '../core/types.ts';
import { isReplan, type Applied, type FailedWrite } from './apply.ts';
import type { Member } from './by-namespace.ts';
import type { Addition } from './contention.ts';
import type { PassWorld } from './pass-world.ts';

/** Puts the answer to a write into the caches, tells of it, and counts it where somebody may be undoing it. */
export function noteWritten(world: PassWorld, write: Write, answer: unknown): void {
  world.absorb(write, answer);
  world.observer.onWrite(write);
  const { contention, foreignSecrets, refusals } = world.caches;
  const member = memberOf(write);
  const count = (more: Omit<Addition, keyof Member> = {}): void => {
    const pauseMs = contention.added({ ...member, ...more }, world.now());
    if (pauseMs > 0) world.observer.onContention(write, pauseMs);
  };
  refusals.accepted(member);
  if (write.kind === 'patch-service-account') {
    if (write.added.length > 0) count();
    else if (write.removed.length > 0) contention.removed(member);
    return;
  }
  foreignSecrets.forget(write.namespace, write.name);
  // Whatever the reason is called: who writes the same twice has lost it in between. A rotation writes something else.
  const written = writtenBy(write);
  count({ written, isLoss: write.reason === 'SecretAdopted' });
}

/**
 * What may not be written waits for itself, so that it does not hold up the others. Returns when the first of it may be tried
 * again; undefined = nothing was refused.
 */
export function noteFailures(world: PassWorld, { failed }: Applied): EpochMs | undefined {
  let first: EpochMs | undefined;
  for (const failure of failed) {
    if (isReplan(failure.error)) continue;
    world.observer.onFailedWrite(failure);
    if (isRefused(failure)) first = soonest(first, world.caches.refusals.refused(memberOf(failure.write), world.now()));
  }
  return first;
}

/** True when the API server will not let us write it, whenever we ask. */
export function isRefused({ error }: FailedWrite): boolean {
  return disposition(error).kind === 'terminal';
}

/** ServiceAccounts by UID; Secrets by namespace and name, since one that comes back has another UID. */
function memberOf(write: Write): Member {
  const { namespace, name } = write;
  return { namespace, id: write.kind === 'patch-service-account' ? write.uid : `${namespace}/${name}` };
}

function writtenBy(write: Exclude<Write, { kind: 'patch-service-account' }>): string {
  if (write.kind === 'delete-secret') return 'nothing';
  return write.kind === 'mark-secret' ? write.definition : digestOf(write.content);
}

/** Without the annotations: they tell of instants, so that the same content need not come with the same ones. */
function digestOf({ labels, dockerConfigJson }: SecretContent): string {
  return createHash('sha256')
    .update(JSON.stringify([labels, dockerConfigJson]))
    .digest('base64');
}
